"""Use a neural student after each epoch of its training, as if it were fitted."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback

from sklearn_distill.nets._inputs import first_rows
from sklearn_distill.students._neural import NeuralStudent
from sklearn_distill.students._neural_inputs import InputFormat
from sklearn_distill.students._neural_training import Trained

Use = Callable[[NeuralStudent, int, int], None]  # number of epochs so far, and of all


class EpochProbe(Callback):
    """Call a function with the student as it is, the number of its epochs, and that of all.

    Parameters
    ----------
    student : NeuralStudent
        The student that is being fitted.
    use : callable
        The function, which may predict, but not fit.
    """

    def __init__(self, student: NeuralStudent, use: Use) -> None:
        self.student = student
        self.use = use

    def on_epoch_end(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Call the function."""
        probe = copy(self.student)
        probe._format = _format_of(net, self.student)
        probe._trained = Trained(net, torch.get_rng_state(), {})
        self.use(probe, len(net.history), net.max_epochs)

    def __deepcopy__(self, memo: dict[int, Any]) -> EpochProbe:
        return self  # fit copies callbacks, but this one is about that very fit

    def __getstate__(self) -> dict[str, Any]:
        return {}  # neither a checkpoint nor a pickled student depends on it


def _format_of(net: NeuralNet, student: NeuralStudent) -> InputFormat:
    """Return what the network reads: integers of X may be floats for it."""
    features = getattr(net.train_rows, "features", None)
    if features is None or student._format.kinds != {None: "i"}:
        return student._format
    x = first_rows(features, 1)
    return student._format.with_floats() if x.is_floating_point() else student._format


def probe_epochs(student: NeuralStudent, use: Use) -> None:
    """Let an unfitted student call a function after each epoch of its next fit.

    Parameters
    ----------
    student : NeuralStudent
        The student, whose ``callbacks`` are changed.
    use : callable
        Function of the student, the number of epochs so far, and that of all.
    """
    student.callbacks = [*(student.callbacks or ()), ("epoch_probe", EpochProbe(student, use))]
