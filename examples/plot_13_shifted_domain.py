"""
Distillation from a teacher of another domain
=============================================

A teacher f is fitted on images of one camera. The images of a new camera are blurred, noisy and
have fewer pixels, and few of them are labelled. Some digits, however, were photographed by both
cameras. A map φ from the new to the old images can be fitted on such pairs without any label, and
f∘φ is then a teacher for the new domain (Bayazitov 2022, "Distillation on multi-domain data").
"""

# %%
# The new camera is simulated by a random convolution and noise. Its images have 6 × 6 pixels.
# Padded to 8 × 8, they are valid inputs of the teacher even without a map.

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import t
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.svm import SVC

from sklearn_distill import (
    DistilledLogisticRegression,
    GaussianNoise,
    RandomConvolution,
    TeacherStudentClassifier,
    TwoDecoderVAE,
)

torch.set_num_threads(1)
N_SPLITS, N_LABELLED, N_PAIRS, N_TEACHER = 6, 50, 400, 600
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
camera = make_pipeline(
    RandomConvolution(3, random_state=0),
    MinMaxScaler(clip=True),
    GaussianNoise(0.1, random_state=0),
).fit(X)
X_new = camera.transform(X)


def pad(images):
    """Pad images of 6 × 6 pixels to 8 × 8."""
    return np.pad(images.reshape(-1, 6, 6), [(0, 0), (1, 1), (1, 1)]).reshape(-1, 64)


# %%
# The map and the teacher are wrapped in :class:`~sklearn.frozen.FrozenEstimator`, so they stay
# fitted when an estimator that contains them is cloned or fitted. The student is trained on 50
# labels, and on the teacher's predictions for these samples and for 400 others.


def one_split(seed):
    """Return the accuracies of the three students, those of both teachers, and the map."""
    rows = np.arange(len(y))
    rest, test = train_test_split(rows, test_size=500, random_state=seed)
    for_teacher, rest = train_test_split(rest, train_size=N_TEACHER, random_state=seed)
    labelled, rest = train_test_split(
        rest, train_size=N_LABELLED, stratify=y[rest], random_state=seed
    )
    pairs = rest[:N_PAIRS]
    teacher = SVC(C=10.0).fit(X[for_teacher], y[for_teacher])
    phi = TwoDecoderVAE(
        16, kl_weight=0.1, lr=0.01, batch_size=32, max_epochs=60, random_state=seed
    ).fit(X_new[pairs], X_source=X[pairs])
    teachers = {
        "unmapped": make_pipeline(FunctionTransformer(pad), FrozenEstimator(teacher)),
        "through φ": make_pipeline(FrozenEstimator(phi), FrozenEstimator(teacher)),
    }
    baseline = DistilledLogisticRegression(imitation=0).fit(X_new[labelled], y[labelled])
    scores = [baseline.score(X_new[test], y[test])]
    for f in teachers.values():
        model = TeacherStudentClassifier(f, DistilledLogisticRegression(), cv="prefit")
        model.fit(X_new[labelled], y[labelled], X_unlabeled=X_new[pairs])
        scores.append(model.score(X_new[test], y[test]))
    return scores, [f.score(X_new[test], y[test]) for f in teachers.values()], phi


splits = [one_split(seed) for seed in range(N_SPLITS)]
accuracy = np.array([scores for scores, _, _ in splits])
teacher_accuracy = np.array([scores for _, scores, _ in splits])
NAMES = ["baseline", "teacher unmapped", "teacher through φ"]
for name, values in zip(NAMES, accuracy.T, strict=True):
    print(f"{name:18s} {values.mean():.3f}")
print(
    "accuracy of the teacher: unmapped {:.3f}, through φ {:.3f}".format(
        *teacher_accuracy.mean(axis=0)
    )
)

# %%
# We compute the gain over the baseline within each split, with a 95 % confidence interval
# (Student's t over six splits). The splits overlap, so the interval is narrower than it would be on
# new data.

half = t.ppf(0.975, N_SPLITS - 1) / np.sqrt(N_SPLITS)
for name, values in zip(NAMES[1:], accuracy.T[1:], strict=True):
    gain = values - accuracy[:, 0]
    width = half * gain.std(ddof=1)
    print(f"{name:18s} {gain.mean():+.3f} [{gain.mean() - width:+.3f}, {gain.mean() + width:+.3f}]")

# %%
# The figure shows test images of both cameras, and the new images mapped by φ, which was not fitted
# on them.

phi = splits[0][2]
shown = train_test_split(np.arange(len(y)), test_size=500, random_state=0)[1][:8]
figure = plt.figure(figsize=(9, 3.2), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1.6, 1])
axes = left.subplots(3, 8)
kinds = {"old": X[shown], "new": X_new[shown], "φ(new)": phi.transform(X_new[shown])}
for row, (name, images) in zip(axes, kinds.items(), strict=True):
    for ax, image in zip(row, images, strict=True):
        side = int(np.sqrt(image.size))
        ax.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
ax = right.subplots()
colors = ["0.6", "#d95f02", "#1b9e77"]
ax.bar(NAMES, accuracy.mean(axis=0), color=colors)
for values in accuracy:
    ax.plot(range(3), values, color="0.3", lw=0.6, marker=".", ms=3)
ax.set(ylabel="accuracy", ylim=(0, 1))
ax.set_xticks(range(3), ["baseline", "teacher\nunmapped", "teacher\nthrough φ"])
plt.show()

# %%
# A teacher that is applied to images of the wrong domain is worse than none: its predictions have
# the same weight as the labels, and for unlabelled samples they are the only target. With φ, the
# student gains more than half of the difference between the baseline and the teacher.
#
# Here the teacher predicts the samples that φ was fitted on. This does not leak any label, since φ
# is fitted without labels.
