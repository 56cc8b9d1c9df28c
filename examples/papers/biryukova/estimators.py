"""The teacher, and the students with three kinds of targets."""

from skorch.callbacks import LRScheduler

from examples.papers.biryukova.networks import Head, Resized, TrunkWithHead
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.augmentation import Compose, RandomHorizontalFlip, RandomShift

BATCH_SIZE = 32

# the target of a student from the teacher's probability of a dog; None for the labels alone
TARGETS = {
    "classic": lambda p: None,
    "hard": lambda p: (p > 0.5).astype(float),
    "soft": lambda p: p,
}


def decay(step):
    """Return the learning rate multiplier of Keras in a step, with d = 0.01 (eq. 9)."""
    return 1 / (1 + 0.01 * step)


def untrained_teacher(scale, device):
    """Return the unfitted teacher: ResNet-50 with fine-tuning as in the thesis, or a head."""
    network = network_with_best_weights(scale.teacher_lr, scale.teacher_epochs, device)
    if scale.frozen:
        return network.set_params(module=Head)
    return network.set_params(
        module=TrunkWithHead,
        module__pixels=scale.teacher_pixels,
        augmentation=RandomHorizontalFlip(),
        callbacks=[LRScheduler("LambdaLR", lr_lambda=decay, step_every="batch")],
    )


def untrained_student(scale, device, seed):
    """Return an unfitted student; those of a seed start from the same weights."""
    return network_with_best_weights(scale.lr, scale.epochs, device).set_params(
        module=Resized,
        module__make=scale.network,
        module__pixels=scale.pixels,
        augmentation=Compose(RandomHorizontalFlip(), RandomShift(scale.shift)),
        random_state=seed,
    )


def network_with_best_weights(lr, n_epochs, device):
    """Return a network that trains for all epochs and keeps the weights of the best one."""
    return DistilledNeuralClassifier(
        imitation=0,
        lr=lr,
        optimizer__eps=1e-7,
        batch_size=BATCH_SIZE,
        max_epochs=n_epochs,
        early_stopping=True,
        n_iter_no_change=n_epochs,
        device=device,
    )


def fit_student(student, data, proba, method):
    """Fit a student on the labels, or on targets from the probabilities of a teacher."""
    X_val, y_val = data.validation
    target = TARGETS[method](proba)
    student.set_params(imitation=0 if target is None else 1)
    return student.fit(data.X, data.y, teacher_proba=target, X_val=X_val, y_val=y_val)


def dog_proba(fitted, X):
    """Return the probability of a dog."""
    return fitted.predict_proba(X)[:, 1]


def best_epoch(fitted):
    """Return the epoch of the lowest validation loss, whose weights are kept."""
    return int(fitted.history_["valid_loss"].idxmin())
