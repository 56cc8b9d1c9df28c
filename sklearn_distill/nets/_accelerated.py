"""Training on several GPUs or machines with Hugging Face accelerate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skorch.dataset import unpack_data
from skorch.hf import AccelerateMixin
from torch import Tensor

from sklearn_distill.nets._net import StudentNet


class AcceleratedStudentNet(AccelerateMixin, StudentNet):
    """A student's net whose mini-batches an accelerator distributes over its processes.

    Parameters
    ----------
    *args, **kwargs : Any
        Arguments of :class:`StudentNet` and skorch.hf.AccelerateMixin.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # set by the mixin for a PrintLog callback, which this net does not have
        del self.callbacks__print_log__sink
        self._params_to_validate.discard("callbacks__print_log__sink")

    def _initialize_callbacks(self) -> AcceleratedStudentNet:
        """Skip the mixin's version, which redirects the output of PrintLog."""
        StudentNet._initialize_callbacks(self)
        return self

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute loss and gradients of a mini-batch with the accelerator.

        Parameters
        ----------
        batch : tuple
            Features and rows of the table.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        dict
            ``loss`` and ``y_pred``.
        """
        features, table = unpack_data(batch)
        step: dict[str, Any] = super().train_step_single((self.augmented(features), table))
        return step

    def make_step(self, closure: Callable[[], Tensor]) -> None:
        """Compute the gradients, then step: the optimisers of accelerate take no closure.

        Parameters
        ----------
        closure : callable
            Computes the loss and its gradients.
        """
        closure()
        self.optimizer_.step()
