"""
Digits seen through a shifted domain
====================================

A teacher knows digits as one camera shows them. A new camera blurs, is noisy, and has fewer pixels;
few of its images are labelled. But some digits were photographed by both, and from such pairs a map
φ can be learnt without any label: then the teacher f can be asked as f∘φ (Bayazitov 2022,
"Distillation on multi-domain data").
"""

# %%
# The new camera is a random convolution with noise. Its images have 6 × 6 pixels; put into the
# middle of 8 × 8, they are images that the teacher can be asked about without a map.

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


def framed(images):
    """Put 6 × 6 pixels into the middle of 8 × 8."""
    return np.pad(images.reshape(-1, 6, 6), [(0, 0), (1, 1), (1, 1)]).reshape(-1, 64)


# %%
# Frozen, map and teacher stay as they are fitted wherever the student's estimator is cloned or
# fitted. The student learns 50 labels, and what the teacher says of these rows and of 400 more.


def one_split(seed):
    """Return the accuracies of the three students, and of the teacher asked both ways."""
    rows = np.arange(len(y))
    rest, test = train_test_split(rows, test_size=500, random_state=seed)
    taught, rest = train_test_split(rest, train_size=N_TEACHER, random_state=seed)
    labelled, rest = train_test_split(
        rest, train_size=N_LABELLED, stratify=y[rest], random_state=seed
    )
    pairs = rest[:N_PAIRS]
    teacher = SVC(C=10.0).fit(X[taught], y[taught])
    phi = TwoDecoderVAE(
        16, kl_weight=0.1, lr=0.01, batch_size=32, max_epochs=60, random_state=seed
    ).fit(X_new[pairs], X_source=X[pairs])
    asked = {
        "unmapped": make_pipeline(FunctionTransformer(framed), FrozenEstimator(teacher)),
        "through φ": make_pipeline(FrozenEstimator(phi), FrozenEstimator(teacher)),
    }
    alone = DistilledLogisticRegression().fit(X_new[labelled], y[labelled])
    scores = [alone.score(X_new[test], y[test])]
    for f in asked.values():
        model = TeacherStudentClassifier(f, DistilledLogisticRegression(), cv="prefit")
        model.fit(X_new[labelled], y[labelled], X_unlabeled=X_new[pairs])
        scores.append(model.score(X_new[test], y[test]))
    return scores, [f.score(X_new[test], y[test]) for f in asked.values()], phi


splits = [one_split(seed) for seed in range(N_SPLITS)]
accuracy = np.array([scores for scores, _, _ in splits])
of_teacher = np.array([scores for _, scores, _ in splits])
NAMES = ["no teacher", "teacher unmapped", "teacher through φ"]
for name, values in zip(NAMES, accuracy.T, strict=True):
    print(f"{name:18s} {values.mean():.3f}")
print("the teacher itself: unmapped {:.3f}, through φ {:.3f}".format(*of_teacher.mean(axis=0)))

# %%
# The gain over no teacher, split by split, with its 95 % interval (Student's t over six splits;
# their rows overlap, so it is narrower than one over new data would be).

half = t.ppf(0.975, N_SPLITS - 1) / np.sqrt(N_SPLITS)
for name, values in zip(NAMES[1:], accuracy.T[1:], strict=True):
    gain = values - accuracy[:, 0]
    width = half * gain.std(ddof=1)
    print(f"{name:18s} {gain.mean():+.3f} [{gain.mean() - width:+.3f}, {gain.mean() + width:+.3f}]")

# %%
# What each camera sees, and what φ makes of the new one's images, which it was not fitted on.

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
ax.set_xticks(range(3), ["no\nteacher", "teacher\nunmapped", "teacher\nthrough φ"])
plt.show()

# %%
# A teacher that cannot read what it is shown is worse than none: its answers count as much as
# labels do, and for the rows without labels they count alone. Through φ it brings more than half of
# what lies between the student alone and the teacher. It is asked here about the rows that φ was
# fitted on, which costs nothing in honesty: φ saw no labels.
