"""
Privileged regression with error bars
=====================================

A label y is measured with noise. In training, but not later, there are better measurements of the
same quantity, and their mean is a teacher's prediction s. How much does a linear student gain by
listening to both, how much should it listen, and does it know how sure it is?

:class:`~sklearn_distill.PrivilegedLinearRegression` answers in closed form (Grabovoy and Strijov
2022, Theorem 2): with the noise variances of label and teacher, σ² and σ_s², a row that has both
counts :math:`(1-λ)/σ^2 + λ/σ_s^2`. Both variances are estimated from the data.
"""

# %%
# One lesson
# ----------
# Labels have a standard deviation of 3 about the truth. The teacher averages two further
# measurements of the same quality, so its own is 3/√2.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_distill import PrivilegedLinearRegression
from sklearn_distill.datasets import make_privileged_regression

N_FEATURES, STD, N_MEASUREMENTS = 8, 3.0, 2


def draw(n_samples, seed, coef=None):
    """Return X, y, the teacher's predictions and the true coefficients."""
    data = make_privileged_regression(
        n_samples,
        N_FEATURES,
        noise=STD,
        privileged_noise=STD,
        n_privileged=N_MEASUREMENTS,
        coef=coef,
        random_state=seed,
    )
    return data.data, data.target, data.privileged.mean(axis=1), data.coef


X, y, s, coef = draw(200, seed=0)
student = PrivilegedLinearRegression().fit(X, y, teacher_prediction=s)
print(f"noise of the labels:  {np.sqrt(student.noise_variance_):.2f} (truth {STD:.2f})")
print(
    f"noise of the teacher: {np.sqrt(student.teacher_noise_variance_):.2f} "
    f"(truth {STD / np.sqrt(N_MEASUREMENTS):.2f})"
)

# %%
# What a teacher is worth
# -----------------------
# The same lessons without a teacher, with both, and with the teacher alone, for growing numbers of
# rows. The line is the mean over draws of the coefficients' error, the band ±1 standard error.

N_DRAWS = 80
sizes = np.array([15, 30, 60, 120, 240])
ways = {"labels alone": None, "labels and teacher, λ = ½": 0.5, "teacher alone": "alone"}


def coefficient_error(way, X, y, s, coef):
    """Return ‖w − truth‖ of a student."""
    student = PrivilegedLinearRegression()
    if way is None:
        student.fit(X, y)
    elif way == "alone":
        student.fit(X, teacher_prediction=s)
    else:
        student.set_params(imitation=way).fit(X, y, teacher_prediction=s)
    return np.linalg.norm(student.coef_ - coef)


errors = {
    name: np.array([[coefficient_error(way, *draw(n, i)) for i in range(N_DRAWS)] for n in sizes])
    for name, way in ways.items()
}


def plot_mean(ax, x, values, label):
    """Draw the mean of the last axis, and ±1 standard error."""
    mean = values.mean(axis=-1)
    error = values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1])
    (line,) = ax.plot(x, mean, marker="o", markersize=3, label=label)
    ax.fill_between(x, mean - error, mean + error, alpha=0.3, color=line.get_color(), linewidth=0)


fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, values in errors.items():
    plot_mean(ax, sizes, values, name)
ax.set(xscale="log", yscale="log", xlabel="rows", ylabel="error of the coefficients ‖w − truth‖")
ax.set_xticks(sizes, sizes, minor=False)
ax.set_yticks([0.4, 0.6, 1, 1.5, 2.5], [0.4, 0.6, 1, 1.5, 2.5], minor=False)
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# The error falls as one over the root of the number of rows, so the ratio of the squared errors
# says how many labels one row with a teacher replaces. Inverse variances predict it: a label and
# two measurements of its quality are three labels.

alone, both = (errors[name][-1] ** 2 for name in list(ways)[:2])
gain = alone.mean() / both.mean()
spread = sum(values.var(ddof=1) / values.mean() ** 2 for values in (alone, both)) / N_DRAWS
print(
    f"with {sizes[-1]} rows, one row with a teacher is worth {gain:.1f} ± {gain * spread**0.5:.1f} "
    f"labels (predicted {1 + N_MEASUREMENTS})"
)

# %%
# How much to imitate
# -------------------
# The pass over the data keeps sufficient statistics, so a new λ needs no data:
# :meth:`~sklearn_distill.PrivilegedLinearRegression.solve` solves again. The student's own
# covariance (dashed) predicts the error that it makes (band). Theory puts the least error at
# λ = ½, where the two sources count with their inverse variances.

imitations = np.linspace(0, 1, 11)
made, expected = np.empty((2, len(imitations), 200))
for i in range(made.shape[1]):
    X, y, s, coef = draw(100, seed=i)
    student = PrivilegedLinearRegression().fit(X, y, teacher_prediction=s)
    for k, imitation in enumerate(imitations):
        student.set_params(imitation=imitation).solve()
        made[k, i] = np.sum((student.coef_ - coef) ** 2)
        expected[k, i] = np.trace(student.coef_covariance_)

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
plot_mean(ax, imitations, made, "squared error made")
ax.plot(imitations, expected.mean(axis=1), "k--", label="expected by coef_covariance_")
ax.set(xlabel="imitation λ", ylabel="squared error of the coefficients", ylim=(0, None))
ax.legend()
best = imitations[made.mean(axis=1).argmin()]
print(f"least error at λ = {best:.1f}")
plt.show()

# %%
# Predictions with error bars
# ---------------------------
# Few rows have labels, and a teacher speaks for many more. ``predict`` gives the standard deviation
# of a new label; the band is ±1 standard deviation of the line itself, without the label's noise.

X, y, s, coef = draw(80, seed=4, coef=[1.0])
labelled = np.arange(len(X)) < 12
y_missing = np.where(labelled, y, np.nan)
students = {
    "12 labels": PrivilegedLinearRegression().fit(X[labelled], y[labelled]),
    "12 labels and 80 predictions": PrivilegedLinearRegression().fit(
        X, y_missing, teacher_prediction=s
    ),
}

grid = np.linspace(-3, 3, 100)[:, None]
fig, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, (name, student) in zip(axes, students.items(), strict=True):
    mean, std = student.predict(grid, return_std=True)
    of_line = np.sqrt(std**2 - student.noise_variance_)
    if student.n_taught_rows_:
        ax.plot(X[:, 0], s, ".", color="tab:orange", alpha=0.6, label="teacher's predictions")
    ax.plot(X[labelled, 0], y[labelled], "o", color="tab:blue", label="labels")
    ax.plot(grid[:, 0], mean, color="black", label="student")
    band = mean - of_line, mean + of_line
    ax.fill_between(grid[:, 0], *band, color="black", alpha=0.2, linewidth=0, label="±1 std")
    ax.plot(grid[:, 0], grid[:, 0] * coef[0], "k:", label="truth")
    slope, error = student.coef_[0], np.sqrt(student.coef_covariance_[0, 0])
    ax.set(title=f"{name}: slope {slope:.2f} ± {error:.2f}", xlabel="x")
    ax.legend(fontsize="small", loc="upper left")
axes[0].set_ylabel("y")
print(f"true slope {coef[0]:.2f}")
plt.show()
