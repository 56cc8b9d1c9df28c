"""
A network that learns from a teacher
====================================

A small network has 200 labelled digits. A support vector machine that learnt from 800 others gives
its log-odds for them; and images that are shifted by a pixel are digits still. How much does each
bring, and both?
"""

# %%
# The teacher has rows of its own, so that what it says of the student's rows is what it would say
# of any.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.augmentation import RandomShift

torch.set_num_threads(1)
X, y = load_digits(return_X_y=True)
images = (X / 16).astype(np.float32).reshape(-1, 1, 8, 8)


def students(seed):
    """Return the cross-entropy on test rows of each way to teach, and the teacher's accuracy."""
    rest, teaching, y_rest, y_teaching = train_test_split(
        images, y, test_size=800, stratify=y, random_state=seed
    )
    learning, test, y_learning, y_test = train_test_split(
        rest, y_rest, train_size=200, stratify=y_rest, random_state=seed
    )
    teacher = SVC(gamma=0.03).fit(teaching.reshape(-1, 64), y_teaching)
    says = teacher.decision_function(learning.reshape(-1, 64))
    losses = {}
    for taught in (False, True):
        for shifted in (False, True):
            student = DistilledNeuralClassifier(
                network(),
                temperature=2.0,
                lr=0.01,
                batch_size=50,
                max_epochs=40,
                augmentation=RandomShift(0.13) if shifted else None,
                random_state=seed,
            ).fit(learning, y_learning, teacher_logits=says if taught else None)
            log_proba = student.predict_log_proba(test)
            losses[taught, shifted] = -log_proba[np.arange(len(test)), y_test].mean()
    return losses, teacher.score(test.reshape(-1, 64), y_test)


def network():
    """Return a convolutional network of 1,584 parameters."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(72, 18),
        torch.nn.ReLU(),
        torch.nn.Linear(18, 10),
    )


# %%
# Five splits. The bars are the standard error of the mean over them.

NAMES = {
    (False, False): "labels",
    (False, True): "labels, shifts",
    (True, False): "labels, teacher",
    (True, True): "labels, teacher, shifts",
}
runs = [students(seed) for seed in range(5)]
losses = np.array([[loss[way] for way in NAMES] for loss, _ in runs])
print(f"the teacher's accuracy: {np.mean([accuracy for _, accuracy in runs]):.3f}")
for name, mean in zip(NAMES.values(), losses.mean(axis=0), strict=True):
    print(f"{name:24} {mean:.3f} nats")

# %%
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
error = losses.std(axis=0, ddof=1) / np.sqrt(len(losses))
colors = ["0.6", "0.6", "#1b9e77", "#1b9e77"]
ax.barh(list(NAMES.values()), losses.mean(axis=0), xerr=error, color=colors, capsize=4)
ax.invert_yaxis()
ax.set(xlabel="cross-entropy on test rows, nats", title="What a network learns 200 digits from")
plt.show()

# %%
# What the teacher knows of classes that look alike is more than 200 labels tell. A shift by a
# pixel, in images of eight, did not pay in these forty passes: an augmentation is to be measured
# like everything else.
