"""The teacher, and the students that hear it in three ways."""

from skorch.callbacks import LRScheduler

from examples.papers.biryukova.networks import Head, Resized, TrunkWithHead
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.augmentation import Compose, RandomHorizontalFlip, RandomShift

BATCH_SIZE = 32

# what a student hears of the probability of a dog; None leaves it the labels
HEARD = {
    "classic": lambda p: None,
    "hard": lambda p: (p > 0.5).astype(float),
    "soft": lambda p: p,
}


def decay(step):
    """Return what Keras multiplies the learning rate by in a step, with d = 0.01 (eq. 9)."""
    return 1 / (1 + 0.01 * step)


def untrained_teacher(scale, device):
    """Return the whole of ResNet-50 to be tuned as in the thesis, or a head to be trained."""
    network = keeping_the_best(scale.teacher_lr, scale.teacher_epochs, device)
    if scale.frozen:
        return network.set_params(module=Head)
    return network.set_params(
        module=TrunkWithHead,
        module__pixels=scale.teacher_pixels,
        augmentation=RandomHorizontalFlip(),
        callbacks=[LRScheduler("LambdaLR", lr_lambda=decay, step_every="batch")],
    )


def untrained_student(scale, device, seed):
    """Return a student; all of one seed begin with the same weights."""
    return keeping_the_best(scale.lr, scale.epochs, device).set_params(
        module=Resized,
        module__make=scale.network,
        module__pixels=scale.pixels,
        augmentation=Compose(RandomHorizontalFlip(), RandomShift(scale.shift)),
        imitation=1.0,
        random_state=seed,
    )


def keeping_the_best(lr, n_epochs, device):
    """Return a network that trains for all epochs, and keeps the weights of the best."""
    return DistilledNeuralClassifier(
        lr=lr,
        optimizer__eps=1e-7,
        batch_size=BATCH_SIZE,
        max_epochs=n_epochs,
        early_stopping=True,
        n_iter_no_change=n_epochs,
        device=device,
    )


def taught(student, lesson, proba, way):
    """Fit a student on the labels, or on what it hears of somebody's probabilities."""
    X_val, y_val = lesson.validation
    heard = HEARD[way](proba)
    return student.fit(lesson.X, lesson.y, teacher_proba=heard, X_val=X_val, y_val=y_val)


def dog(fitted, X):
    """Return the probability of a dog."""
    return fitted.predict_proba(X)[:, 1]


def best_epoch(fitted):
    """Return the epoch whose weights were kept, that of the lowest validation loss."""
    return int(fitted.history_["valid_loss"].idxmin())
