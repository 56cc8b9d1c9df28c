"""Checkpoints: the whole state of a training in a file, written after each epoch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from skorch.callbacks import Callback

from sklearn_distill.nets._callbacks import bare_module

if TYPE_CHECKING:
    from sklearn_distill.nets._net import StudentNet


class Checkpoint(Callback):
    """Write the state of the training after each epoch, and resume an interrupted training.

    The file is written under a temporary name and then moved, so that an interruption or a full
    disk leaves the last complete file. It holds only tensors and numbers and is read with
    ``weights_only=True``: loading runs no code from the file.

    Parameters
    ----------
    path : str or path-like
        Path of the file.
    identity : str
        Identifies data and parameters; a file with another identity raises an error.
    """

    def __init__(self, path: str | os.PathLike[str], identity: str) -> None:
        self.path = path
        self.identity = identity

    def on_train_begin(self, net: StudentNet, *_: Any, **kwargs: Any) -> None:
        """Check that the file can be written, before an epoch has been trained in vain."""
        folder = Path(self.path).absolute().parent
        if not os.access(folder, os.W_OK) or Path(self.path).is_dir():
            raise ValueError(
                f"checkpoint={str(self.path)!r} cannot be written: name a file in a folder that "
                "exists and is writable"
            )

    def on_epoch_end(self, net: StudentNet, *_: Any, **kwargs: Any) -> None:
        """Write the file; on failure, leave the previous one."""
        path = Path(self.path)
        temporary = path.with_name(path.name + ".part")
        try:
            torch.save(self._state(net), temporary)
            temporary.replace(path)
        except (OSError, RuntimeError) as error:  # on a full disk torch's error does not mention it
            raise OSError(
                f"checkpoint={str(self.path)!r} could not be written after epoch "
                f"{len(net.history)} ({error}): free space on the disk and fit again; training "
                "resumes from the last file that was written, if there is one"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def resume(self, net: StudentNet) -> None:
        """Restore the state of the file in an initialised net, if there is a file.

        Parameters
        ----------
        net : StudentNet
            The net to change, after ``on_train_begin``.

        Raises
        ------
        ValueError
            If the file is not a checkpoint, or that of another training.
        """
        if not Path(self.path).exists():
            return
        assert net.generator is not None
        state = self._read(net)
        bare_module(net.module_).load_state_dict(state["module"])
        net.optimizer_.load_state_dict(state["optimizer"])
        net.scaler_.load_state_dict(state["scaler"])
        net.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch_rng"])
        for callback, callback_state in zip(_stateful(net), state["callbacks"], strict=True):
            callback.load_state_dict(callback_state)
        net.history.clear()
        net.history.extend({**epoch, "batches": []} for epoch in state["history"])

    def finish(self) -> None:
        """Remove the file once the training is finished."""
        Path(self.path).unlink(missing_ok=True)

    def _state(self, net: StudentNet) -> dict[str, Any]:
        assert net.generator is not None
        return {
            "identity": self.identity,
            "module": bare_module(net.module_).state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "scaler": net.scaler_.state_dict(),
            "generator": net.generator.get_state(),
            "torch_rng": torch.get_rng_state(),
            "callbacks": [callback.state_dict() for callback in _stateful(net)],
            # the entries for mini-batches are not needed to resume
            "history": [
                {name: value for name, value in epoch.items() if name != "batches"}
                for epoch in net.history
            ],
        }

    def _read(self, net: StudentNet) -> dict[str, Any]:
        try:
            state: dict[str, Any] = torch.load(
                self.path, map_location=net.device, weights_only=True
            )
            identity = state["identity"]
        except Exception as error:  # torch raises many types for a file that is not a checkpoint
            raise ValueError(
                f"checkpoint={str(self.path)!r} cannot be read ({error}): name another file, or "
                "remove this one to start anew"
            ) from error
        if identity != self.identity:
            raise ValueError(
                f"checkpoint={str(self.path)!r} was written with other data or parameters: name "
                "another file, or remove this one to start anew"
            )
        return state


def _stateful(net: StudentNet) -> list[Any]:
    """Return the callbacks with a state, in the order in which a checkpoint stores them."""
    return [cb for _, cb in net.callbacks_ if hasattr(cb, "state_dict")]
