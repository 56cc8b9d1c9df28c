"""
Privileged regression with error bars
=====================================

A label y is a noisy measurement. At training time, but not at prediction time, further measurements
of the same quantity are available, and their mean is the teacher's prediction s. This example shows
how much a linear student gains from both sources, how to choose the imitation λ, and how to obtain
error bars of the predictions.

:class:`~sklearn_distill.PrivilegedLinearRegression` has a closed-form solution (Grabovoy and
Strijov 2022, Theorem 2): with the noise variances σ² of the label and σ_s² of the teacher, a row
that has both has the weight :math:`(1-λ)/σ^2 + λ/σ_s^2`. Both variances are estimated from the
data.
"""

# %%
# Estimating the noise
# --------------------
# The noise of the labels has a standard deviation of 3. The teacher is the mean of two further
# measurements of the same quality, so the standard deviation of its noise is 3/√2.

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
# Gain from the teacher
# ---------------------
# We fit the student on the labels only, on labels and teacher, and on the teacher only, for growing
# numbers of rows. The lines show the mean error of the coefficients over all draws, and the bands
# show ±1 standard error.

N_DRAWS = 80
sizes = np.array([15, 30, 60, 120, 240])
SOURCES = {"labels": "labels", "labels and teacher, λ = ½": "both", "teacher": "teacher"}


def coefficient_error(source, X, y, s, coef):
    """Return ‖w − truth‖ of a student that is fitted on one source or on both."""
    student = PrivilegedLinearRegression()
    if source == "labels":
        student.set_params(imitation=0).fit(X, y)
    elif source == "teacher":
        student.fit(X, teacher_prediction=s)
    else:
        student.set_params(imitation=0.5).fit(X, y, teacher_prediction=s)
    return np.linalg.norm(student.coef_ - coef)


errors = {
    name: np.array(
        [[coefficient_error(source, *draw(n, i)) for i in range(N_DRAWS)] for n in sizes]
    )
    for name, source in SOURCES.items()
}


def plot_mean(ax, x, values, label):
    """Plot the mean over the last axis, with a band of ±1 standard error."""
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
# The error is inversely proportional to the square root of the number of rows. The ratio of the
# squared errors is therefore the number of labels that one row with a teacher is worth. Inverse
# variances predict three: a label, and two measurements of the same quality.

baseline, both = (errors[name][-1] ** 2 for name in list(SOURCES)[:2])
gain = baseline.mean() / both.mean()
spread = sum(values.var(ddof=1) / values.mean() ** 2 for values in (baseline, both)) / N_DRAWS
print(
    f"with {sizes[-1]} rows, one row with a teacher is worth {gain:.1f} ± {gain * spread**0.5:.1f} "
    f"labels (predicted {1 + N_MEASUREMENTS})"
)

# %%
# Choosing the imitation
# ----------------------
# ``fit`` stores sufficient statistics of the data, and
# :meth:`~sklearn_distill.PrivilegedLinearRegression.solve` computes the solution for another λ from
# them, without a further pass over the data. The covariance that the student estimates (dashed)
# agrees with the actual error (band). In theory the error is smallest at λ = ½, where both sources
# are weighted by their inverse variances.

imitations = np.linspace(0, 1, 11)
actual, expected = np.empty((2, len(imitations), 200))
for i in range(actual.shape[1]):
    X, y, s, coef = draw(100, seed=i)
    student = PrivilegedLinearRegression().fit(X, y, teacher_prediction=s)
    for k, imitation in enumerate(imitations):
        student.set_params(imitation=imitation).solve()
        actual[k, i] = np.sum((student.coef_ - coef) ** 2)
        expected[k, i] = np.trace(student.coef_covariance_)

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
plot_mean(ax, imitations, actual, "actual squared error")
ax.plot(imitations, expected.mean(axis=1), "k--", label="trace of coef_covariance_")
ax.set(xlabel="imitation λ", ylabel="squared error of the coefficients", ylim=(0, None))
ax.legend()
best = imitations[actual.mean(axis=1).argmin()]
print(f"smallest error at λ = {best:.1f}")
plt.show()

# %%
# Predictions with error bars
# ---------------------------
# Here 12 of 80 rows are labelled, and the teacher's prediction is available for all of them. With
# ``return_std=True``, ``predict`` also returns the standard deviation of a new label. The bands
# show ±1 standard deviation of the regression line itself, without the noise of a label.

X, y, s, coef = draw(80, seed=4, coef=[1.0])
labelled = np.arange(len(X)) < 12
y_missing = np.where(labelled, y, np.nan)
students = {
    "12 labels": PrivilegedLinearRegression(imitation=0).fit(X[labelled], y[labelled]),
    "12 labels and 80 predictions": PrivilegedLinearRegression().fit(
        X, y_missing, teacher_prediction=s
    ),
}

grid = np.linspace(-3, 3, 100)[:, None]
fig, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, (name, student) in zip(axes, students.items(), strict=True):
    mean, std = student.predict(grid, return_std=True)
    line_std = np.sqrt(std**2 - student.noise_variance_)
    if student.n_taught_rows_:
        ax.plot(X[:, 0], s, ".", color="tab:orange", alpha=0.6, label="teacher's predictions")
    ax.plot(X[labelled, 0], y[labelled], "o", color="tab:blue", label="labels")
    ax.plot(grid[:, 0], mean, color="black", label="student")
    band = mean - line_std, mean + line_std
    ax.fill_between(grid[:, 0], *band, color="black", alpha=0.2, linewidth=0, label="±1 std")
    ax.plot(grid[:, 0], grid[:, 0] * coef[0], "k:", label="truth")
    slope, error = student.coef_[0], np.sqrt(student.coef_covariance_[0, 0])
    ax.set(title=f"{name}: slope {slope:.2f} ± {error:.2f}", xlabel="x")
    ax.legend(fontsize="small", loc="upper left")
axes[0].set_ylabel("y")
print(f"true slope {coef[0]:.2f}")
plt.show()
