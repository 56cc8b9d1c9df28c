"""
Aligning teachers of different classes in a latent space
========================================================

Three networks are each trained on six of the ten digits. Their last hidden layers differ in width,
and their coordinates are unrelated. :class:`~sklearn_distill.LatentAligner` maps these layers into
a common latent space, in which the codes of one image by two teachers are close, and the codes of
different digits are far apart (Sedova, Gorpinich, Bakhteev and Strijov 2022). This example measures
what a student gains from these codes.
"""

# %%
# There are 700 images for the teachers, and each is trained on those of its own digits. The student
# has 500 other images, 60 of them labelled. In the first part, the output of a teacher is missing
# for images of digits that it was not trained on.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sklearn_distill import DistilledNeuralClassifier, LatentAligner
from sklearn_distill.nets import hidden_representation
from sklearn_distill.teachers import combine_teachers

X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
KNOWN_DIGITS = {(32,): [0, 1, 2, 3, 4, 5], (64, 24): [4, 5, 6, 7, 8, 9], (48,): [0, 1, 2, 7, 8, 9]}
N_LABELS = 60


def split(seed):
    """Return images and labels for the teachers, for the student, and for testing."""
    X_teacher, X_rest, y_teacher, y_rest = train_test_split(
        X, y, train_size=700, stratify=y, random_state=seed
    )
    X_student, X_test, y_student, y_test = train_test_split(
        X_rest, y_rest, train_size=500, stratify=y_rest, random_state=seed
    )
    return (X_teacher, y_teacher), (X_student, y_student), (X_test, y_test)


def teacher_outputs(teacher_data, student_data, seed):
    """Return each teacher's probabilities, its hidden layer, and a mask of the digits it knows."""
    (X_teacher, y_teacher), (X_rows, y_rows) = teacher_data, student_data
    proba, hidden, known = [], [], []
    for widths, digits in KNOWN_DIGITS.items():
        own = np.isin(y_teacher, digits)
        teacher = DistilledNeuralClassifier(
            imitation=0, hidden_layer_sizes=widths, lr=0.01, max_epochs=20, random_state=seed
        ).fit(X_teacher[own], y_teacher[own])
        proba.append(np.zeros((len(X_rows), 10)))
        proba[-1][:, teacher.classes_] = teacher.predict_proba(X_rows)
        hidden.append(hidden_representation(teacher, X_rows))
        known.append(np.isin(y_rows, digits))
    return proba, hidden, known


def mask_outputs(outputs, masks):
    """Return each teacher's outputs, with NaN where its mask is False."""
    return [
        np.where(mask[:, None], output, np.nan) for output, mask in zip(outputs, masks, strict=True)
    ]


teacher_data, (X_student, y_student), (X_test, y_test) = split(0)
proba, unmasked, known = teacher_outputs(teacher_data, (X_student, y_student), 0)
hidden = mask_outputs(unmasked, known)
is_labelled = np.arange(len(y_student)) < N_LABELS
labelled = np.where(is_labelled, y_student, np.nan)
print("widths:", [layer.shape[1] for layer in hidden])

# %%
# Teachers 2 and 3 are both trained on 7, 8 and 9, and teacher 1 is not. With teacher 1 as the only
# anchor, their codes of these digits would not be aligned, so with ``anchor="each"`` each teacher
# is the anchor in turn. The labels determine which codes are pushed apart; unlabelled samples only
# contribute to the reconstruction.

aligner = LatentAligner(anchor="each", random_state=0).fit(hidden, labelled)
codes = aligner.transform(hidden)

figure, axes = plt.subplots(2, 3, figsize=(9, 6), layout="constrained")
shared = PCA(2).fit(codes[~np.isnan(codes).any(axis=2)])
for m, layer in enumerate(hidden):
    available = ~np.isnan(layer[:, 0])
    color = {"c": y_student[available], "cmap": "tab10", "vmin": 0, "vmax": 9, "s": 8}
    own_plane = PCA(2).fit_transform(layer[available])
    axes[0, m].scatter(*own_plane.T, **color)
    points = axes[1, m].scatter(*shared.transform(codes[available, m]).T, **color)
    axes[0, m].set(title=f"teacher {m + 1}: {layer.shape[1]} units", xticks=[], yticks=[])
    axes[1, m].set(title="codes", xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), xticks=[], yticks=[])
figure.colorbar(points, ax=axes, label="digit", ticks=range(10))
plt.show()

# %%
# The top row shows two principal components of each teacher's hidden layer. The bottom row shows
# the codes in two common components: each digit has the same position for all teachers. The table
# gives the mean squared distances between the codes of two teachers, over the unlabelled images of
# digits that both were trained on.

rows = []
for a, b in [(0, 1), (0, 2), (1, 2)]:
    both = ~np.isnan(codes[:, [a, b], 0]).any(axis=1) & np.isnan(labelled)  # without labels
    gaps = ((codes[both, a][:, None] - codes[both, b]) ** 2).sum(axis=2)
    differ = y_student[both][:, None] != y_student[both]
    rows.append([both.sum(), np.diag(gaps).mean(), gaps[differ].mean()])
pd.DataFrame(
    rows,
    index=["teachers 1, 2", "teachers 1, 3", "teachers 2, 3"],
    columns=["images", "distance², same image", "distance², different digits"],
).round(2)

# %%
# The second part is harder: for an unlabelled image it is unknown which teachers were trained on
# its digit, so the predictions of all teachers are used, and all are confident. A teacher's hidden
# layer is still informative about a digit that it was not trained on, and the labelled images
# determine the position of such codes in the latent space.
#
# We compare three students: one is trained on the labels only, one also on the mean predicted
# probabilities of the teachers, and one also on their mean code, as a target of its hidden layer.
# The confidence intervals (95 %) are those of the differences within eight splits.


def one_split(seed):
    """Return the test accuracy and the test cross-entropy of the three students."""
    teacher_data, (X_student, y_student), (X_test, y_test) = split(seed)
    proba, hidden, known = teacher_outputs(teacher_data, (X_student, y_student), seed)
    labelled = np.where(is_labelled, y_student, np.nan)
    mean = combine_teachers(mask_outputs(proba, [mask | ~is_labelled for mask in known]))
    aligner = LatentAligner(anchor="each", random_state=seed).fit(hidden, labelled)
    code = aligner.transform(hidden, combine="mean")

    def student(**options):
        return DistilledNeuralClassifier(
            hidden_layer_sizes=(32,),
            temperature=2.0,
            lr=0.01,
            batch_size=50,
            max_epochs=40,
            random_state=seed,
            **options,
        )

    fitted = [
        student(imitation=0).fit(X_student[is_labelled], y_student[is_labelled]),
        student().fit(X_student, labelled, teacher_proba=mean),
        student(embedding_weight=1.0).fit(
            X_student, labelled, teacher_proba=mean, teacher_embedding=code
        ),
    ]
    return [
        (model.score(X_test, y_test), log_loss(y_test, model.predict_proba(X_test)))
        for model in fitted
    ]


NAMES = ["baseline", "+ mean probabilities", "+ mean code"]
results = np.array([one_split(seed) for seed in range(8)])
table = pd.DataFrame(results.mean(axis=0), index=NAMES, columns=["accuracy", "cross-entropy"])
table.round(3)

# %%
steps = np.diff(results, axis=1)
half = stats.t.ppf(0.975, len(steps) - 1) * stats.sem(steps, axis=0)
for name, mean, width in zip(NAMES[1:], steps.mean(axis=0), half, strict=True):
    print(
        f"{name:21} accuracy {mean[0]:+.3f} ± {width[0]:.3f}, nats {mean[1]:+.3f} ± {width[1]:.3f}"
    )

# %%
# The codes help a little in addition to the mean probabilities of teachers that are confident on
# unknown digits: they add the information of 60 labels about the hidden layers. If the predictions
# for unknown classes are missing instead, the probabilities contain nearly all of the information.
# The :doc:`user guide </user_guide/latent_space>` has results on CIFAR-10 for both cases.
