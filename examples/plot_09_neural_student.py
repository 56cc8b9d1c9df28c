"""
Distillation and augmentation of a neural student
=================================================

A small convolutional network is trained on 200 labelled digits. This example compares two ways to
improve it: the decision values of a teacher, a support vector machine fitted on 800 other digits,
as soft targets; and an augmentation that shifts the images by a pixel.
"""

# %%
# The teacher is fitted on its own samples, so its predictions on the student's samples are
# out-of-sample, as they would be for any new sample.

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


def one_split(seed):
    """Return the test cross-entropy of each student, and the teacher's test accuracy."""
    rest, for_teacher, y_rest, y_teacher = train_test_split(
        images, y, test_size=800, stratify=y, random_state=seed
    )
    train, test, y_train, y_test = train_test_split(
        rest, y_rest, train_size=200, stratify=y_rest, random_state=seed
    )
    teacher = SVC(gamma=0.03).fit(for_teacher.reshape(-1, 64), y_teacher)
    teacher_logits = teacher.decision_function(train.reshape(-1, 64))
    losses = {}
    for distilled in (False, True):
        for shifted in (False, True):
            student = DistilledNeuralClassifier(
                network(),
                imitation=0.5 if distilled else 0,
                temperature=2.0,
                lr=0.01,
                batch_size=50,
                max_epochs=40,
                augmentation=RandomShift(0.13) if shifted else None,
                random_state=seed,
            ).fit(train, y_train, teacher_logits=teacher_logits if distilled else None)
            log_proba = student.predict_log_proba(test)
            losses[distilled, shifted] = -log_proba[np.arange(len(test)), y_test].mean()
    return losses, teacher.score(test.reshape(-1, 64), y_test)


def network():
    """Return a convolutional network with 1,584 parameters."""
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
# We repeat the comparison on five splits. The error bars show the standard error of the mean.

NAMES = {
    (False, False): "baseline",
    (False, True): "baseline, shifts",
    (True, False): "distilled",
    (True, True): "distilled, shifts",
}
runs = [one_split(seed) for seed in range(5)]
losses = np.array([[loss[key] for key in NAMES] for loss, _ in runs])
print(f"the teacher's accuracy: {np.mean([accuracy for _, accuracy in runs]):.3f}")
for name, mean in zip(NAMES.values(), losses.mean(axis=0), strict=True):
    print(f"{name:24} {mean:.3f} nats")

# %%
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
error = losses.std(axis=0, ddof=1) / np.sqrt(len(losses))
colors = ["0.6", "0.6", "#1b9e77", "#1b9e77"]
ax.barh(list(NAMES.values()), losses.mean(axis=0), xerr=error, color=colors, capsize=4)
ax.invert_yaxis()
ax.set(xlabel="test cross-entropy, nats", title="A network trained on 200 digits")
plt.show()

# %%
# The teacher's predictions contain more information about similar classes than 200 labels do. A
# shift by one pixel, in images of 8×8 pixels, does not help within these 40 epochs: measure the
# effect of an augmentation before you use it.
