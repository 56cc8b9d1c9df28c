"""Training that survives an interruption: its whole state in a file, written after each epoch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from skorch.callbacks import Callback

from sklearn_distill.nets._callbacks import bare_module


class Checkpoint(Callback):
    """Write the state of the training after each epoch, and take it up from there.

    The file is written beside its place and then moved there, so that an interruption or a full
    disk leaves the last good one. It holds tensors and numbers alone and is read with
    ``weights_only=True``: loading runs no code from the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    identity : str
        What is trained on what; a file with another identity is refused.
    """

    def __init__(self, path: str | os.PathLike[str], identity: str) -> None:
        self.path = path
        self.identity = identity

    def on_train_begin(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Require a folder to write to, before the first epoch is lost for want of it."""
        folder = Path(self.path).absolute().parent
        if not os.access(folder, os.W_OK) or Path(self.path).is_dir():
            raise ValueError(
                f"checkpoint={str(self.path)!r} cannot be written: name a file in a folder that "
                "exists and is writable"
            )

    def on_epoch_end(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Write the file, or leave the last one."""
        place = Path(self.path)
        beside = place.with_name(place.name + ".part")
        try:
            torch.save(self._state(net), beside)
            beside.replace(place)
        except (OSError, RuntimeError) as error:  # torch's own of a full disk says nothing of it
            raise OSError(
                f"checkpoint={str(self.path)!r} could not be written after epoch "
                f"{len(net.history)} ({error}): make room on the disk and fit again; training goes "
                "on from the last file that was written, if there is one"
            ) from error
        finally:
            beside.unlink(missing_ok=True)

    def resume(self, net: Any) -> None:
        """Set an initialised net to where the file left off, if there is a file.

        Parameters
        ----------
        net : StudentNet
            The net, after ``on_train_begin``.

        Raises
        ------
        ValueError
            If the file is of another training, or no checkpoint at all.
        """
        if not Path(self.path).exists():
            return
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
        """Remove the file of a finished training."""
        Path(self.path).unlink(missing_ok=True)

    def _state(self, net: Any) -> dict[str, Any]:
        return {
            "identity": self.identity,
            "module": bare_module(net.module_).state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "scaler": net.scaler_.state_dict(),
            "generator": net.generator.get_state(),
            "torch_rng": torch.get_rng_state(),
            "callbacks": [callback.state_dict() for callback in _stateful(net)],
            "history": [
                {name: value for name, value in epoch.items() if name != "batches"}
                for epoch in net.history
            ],
        }

    def _read(self, net: Any) -> dict[str, Any]:
        try:
            state: dict[str, Any] = torch.load(
                self.path, map_location=net.device, weights_only=True
            )
            identity = state["identity"]
        except Exception as error:
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


def _stateful(net: Any) -> list[Any]:
    return [cb for _, cb in net.callbacks_ if hasattr(cb, "state_dict")]
