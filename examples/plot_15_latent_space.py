"""
Half-blind teachers in one latent space
=======================================

Three networks know six of the ten digits each. Their last hidden layers differ in width and have
nothing to do with each other: each network has found coordinates of its own.
:class:`~sklearn_distill.LatentAligner` maps them into one space, where what two teachers make of an
image lies together and what they make of other digits lies apart (Sedova, Gorpinich, Bakhteev and
Strijov 2022). What does a student gain from it?
"""

# %%
# The teachers learn 700 images, of which each sees those of its digits. The student has 500 others,
# and labels for 60 of them. At first, a teacher is silent on images of digits that it never saw.

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
KNOWN = {(32,): [0, 1, 2, 3, 4, 5], (64, 24): [4, 5, 6, 7, 8, 9], (48,): [0, 1, 2, 7, 8, 9]}
N_LABELS = 60


def split(seed):
    """Return rows and labels of the teachers, of the student, and for testing."""
    X_teacher, X_rest, y_teacher, y_rest = train_test_split(
        X, y, train_size=700, stratify=y, random_state=seed
    )
    X_student, X_test, y_student, y_test = train_test_split(
        X_rest, y_rest, train_size=500, stratify=y_rest, random_state=seed
    )
    return (X_teacher, y_teacher), (X_student, y_student), (X_test, y_test)


def ask_teachers(own, rows, seed):
    """Return, for each teacher, its probabilities, its last hidden layer, and whom it knows."""
    (X_own, y_own), (X_rows, y_rows) = own, rows
    proba, hidden, knows = [], [], []
    for widths, digits in KNOWN.items():
        mine = np.isin(y_own, digits)
        teacher = DistilledNeuralClassifier(
            hidden_layer_sizes=widths, lr=0.01, max_epochs=20, random_state=seed
        ).fit(X_own[mine], y_own[mine])
        proba.append(np.zeros((len(X_rows), 10)))
        proba[-1][:, teacher.classes_] = teacher.predict_proba(X_rows)
        hidden.append(hidden_representation(teacher, X_rows))
        knows.append(np.isin(y_rows, digits))
    return proba, hidden, knows


def only(rows, speaks):
    """Return each teacher's rows, NaN where it does not speak."""
    return [np.where(says[:, None], row, np.nan) for row, says in zip(rows, speaks, strict=True)]


own, (X_student, y_student), (X_test, y_test) = split(0)
proba, everywhere, knows = ask_teachers(own, (X_student, y_student), 0)
hidden = only(everywhere, knows)
is_labelled = np.arange(len(y_student)) < N_LABELS
labelled = np.where(is_labelled, y_student, np.nan)
print("widths:", [layer.shape[1] for layer in hidden])

# %%
# Teachers 2 and 3 both know 7, 8 and 9, which the first does not: it could not hold them together
# there, so each is an anchor in turn. Labels say which rows are to lie apart; those without a label
# are reconstructed only.

aligner = LatentAligner(anchor="each", random_state=0).fit(hidden, labelled)
codes = aligner.transform(hidden)

figure, axes = plt.subplots(2, 3, figsize=(9, 6), layout="constrained")
shared = PCA(2).fit(codes[~np.isnan(codes).any(axis=2)])
for m, layer in enumerate(hidden):
    seen = ~np.isnan(layer[:, 0])
    color = {"c": y_student[seen], "cmap": "tab10", "vmin": 0, "vmax": 9, "s": 8}
    own_plane = PCA(2).fit_transform(layer[seen])
    axes[0, m].scatter(*own_plane.T, **color)
    points = axes[1, m].scatter(*shared.transform(codes[seen, m]).T, **color)
    axes[0, m].set(title=f"teacher {m + 1}: its {layer.shape[1]} units", xticks=[], yticks=[])
    axes[1, m].set(title="its codes", xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), xticks=[], yticks=[])
figure.colorbar(points, ax=axes, label="digit", ticks=range(10))
plt.show()

# %%
# Above, each teacher's principal plane; below, one plane for all: a digit has one place there,
# whoever looks at it. In numbers, over the images that two teachers have seen:

rows = []
for a, b in [(0, 1), (0, 2), (1, 2)]:
    both = ~np.isnan(codes[:, [a, b], 0]).any(axis=1) & np.isnan(labelled)  # without labels
    gaps = ((codes[both, a][:, None] - codes[both, b]) ** 2).sum(axis=2)
    differ = y_student[both][:, None] != y_student[both]
    rows.append([both.sum(), np.diag(gaps).mean(), gaps[differ].mean()])
pd.DataFrame(
    rows,
    index=["teachers 1, 2", "teachers 1, 3", "teachers 2, 3"],
    columns=["images", "distance² of an image's codes", "of different digits' codes"],
).round(2)

# %%
# Now the harder case: of an image without a label no one knows which teachers are blind to it, and
# all of them speak, with confidence. What a teacher's layer makes of a digit that it does not know
# is still something, and where it lies in the shared space the labelled images tell.
#
# The student learns from its labels alone; from the mean probabilities of the teachers too; and
# from their mean code beside that, towards which its hidden layer is drawn. Eight splits, and 95 %
# intervals of the differences within a split.


def students(seed):
    """Return accuracy and cross-entropy on test rows of the three students."""
    own, (X_student, y_student), (X_test, y_test) = split(seed)
    proba, hidden, knows = ask_teachers(own, (X_student, y_student), seed)
    labelled = np.where(is_labelled, y_student, np.nan)
    mean = combine_teachers(only(proba, [known | ~is_labelled for known in knows]))
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
        student().fit(X_student[is_labelled], y_student[is_labelled]),
        student().fit(X_student, labelled, teacher_proba=mean),
        student(embedding_weight=1.0).fit(
            X_student, labelled, teacher_proba=mean, teacher_embedding=code
        ),
    ]
    return [
        (one.score(X_test, y_test), log_loss(y_test, one.predict_proba(X_test))) for one in fitted
    ]


NAMES = ["labels", "+ mean probabilities", "+ mean code"]
results = np.array([students(seed) for seed in range(8)])
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
# The code helps a little beside the mean of teachers that do not know what they do not know: it
# adds what 60 labels say of their hidden layers. Where teachers are silent on what they never saw,
# their probabilities say nearly all there is: the guide's page on the latent space has the figures
# of CIFAR-10, for both cases.
