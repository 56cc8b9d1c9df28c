"""Checkpoints: the whole state of a training in a file, written after each epoch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from skorch.callbacks import Callback

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill.nets._fingerprint import fingerprint

if TYPE_CHECKING:
    from sklearn_distill.nets._net import StudentNet


class Checkpoint(Callback):
    """Write the state of the training after each epoch, and resume an interrupted training.

    Each file is written under a temporary name and then moved, so that an interruption or a full
    disk leaves the last complete file. It holds only tensors, numbers and texts, with their hash,
    and is read with ``weights_only=True``: loading runs no code from the file.

    Parameters
    ----------
    path : str or path-like
        Path of the file.
    identity : mapping from str to str
        Fingerprints of the data and of each parameter; a file with others raises an error.
    """

    def __init__(self, path: str | os.PathLike[str], identity: Mapping[str, str]) -> None:
        self.path = path
        self.identity = dict(identity)

    def on_train_begin(self, net: StudentNet, *_: Any, **kwargs: Any) -> None:
        """Check that the file can be written, before an epoch has been trained in vain."""
        if not net.is_main_process:
            return
        folder = Path(self.path).absolute().parent
        if not os.access(folder, os.W_OK) or Path(self.path).is_dir():
            raise ValueError(
                f"checkpoint={str(self.path)!r} cannot be written: name a file in a folder that "
                "exists and is writable"
            )

    def on_epoch_end(self, net: StudentNet, *_: Any, **kwargs: Any) -> None:
        """Write the file; on failure, leave the previous one."""
        if not net.is_main_process:
            return
        state = self._state(net)
        try:
            with atomic_file(self.path) as file:
                torch.save(state | {"hash": fingerprint(state)}, file)
        except (OSError, RuntimeError) as error:  # on a full disk torch's error does not mention it
            raise OSError(
                f"checkpoint={str(self.path)!r} could not be written after epoch "
                f"{len(net.history)} ({error}): free space on the disk and fit again; training "
                "resumes from the last file that was written, if there is one"
            ) from error

    def resume(self, net: StudentNet, n_epochs: int) -> None:
        """Restore the state of the file in an initialised net, if there is a file.

        Parameters
        ----------
        net : StudentNet
            The net to change, after ``on_train_begin``.
        n_epochs : int
            Number of epochs that the history may have.

        Raises
        ------
        ValueError
            If the file is not a checkpoint, or that of another training.
        """
        if not Path(self.path).exists():
            return
        state = self._read()
        self._check_fits(state, net, n_epochs)
        try:
            _restore(net, state)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"checkpoint={str(self.path)!r} does not fit this training ({error}): name another "
                "file, or remove this one to start anew"
            ) from error
        net.wait()  # until all processes have read the file, which the next epoch replaces

    def finish(self, net: StudentNet) -> None:
        """Remove the file once the training is finished.

        Parameters
        ----------
        net : StudentNet
            The trained net.
        """
        net.wait()
        if net.is_main_process:
            Path(self.path).unlink(missing_ok=True)

    def _state(self, net: StudentNet) -> dict[str, Any]:
        assert net.generator is not None
        return {
            "identity": self.identity,
            "weights": net.weights(),
            "optimizer": net.optimizer_.state_dict(),
            "scaler": net.scaler_.state_dict(),
            "generator": net.generator.get_state(),
            "torch_rng": torch.get_rng_state(),
            "callbacks": {name: cb.state_dict() for name, cb in _stateful(net).items()},
            # the entries for mini-batches are not needed to resume
            "history": [
                {name: value for name, value in epoch.items() if name != "batches"}
                for epoch in net.history
            ],
        }

    def _read(self) -> dict[str, Any]:
        """Return what the file contains, unchanged since it was written."""
        try:
            # random states must be on the CPU; the rest is copied to the device of its net
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
            if state.pop("hash") != fingerprint(state):
                raise ValueError("its contents were changed, as their hash shows")
        except Exception as error:  # torch raises many types for a file that is not a checkpoint
            raise ValueError(
                f"checkpoint={str(self.path)!r} cannot be read ({error}): name another file, or "
                "remove this one to start anew"
            ) from error
        return state

    def _check_fits(self, state: dict[str, Any], net: StudentNet, n_epochs: int) -> None:
        """Require the file of a training on the same data with the same parameters."""
        before = state["identity"]
        differ = sorted(
            name
            for name in self.identity.keys() | before.keys()
            if self.identity.get(name) != before.get(name)
        )
        if differ:
            raise ValueError(
                f"checkpoint={str(self.path)!r} was written with other data or parameters "
                f"({', '.join(differ)}): name another file, or remove this one to start anew"
            )
        changed = sorted(state["callbacks"].keys() ^ _stateful(net).keys())
        if changed:
            raise ValueError(
                f"checkpoint={str(self.path)!r} has the states of the callbacks "
                f"{sorted(state['callbacks'])}, but those of this fit are {sorted(_stateful(net))}:"
                f" set callbacks back ({', '.join(changed)}), or remove the file to start anew"
            )
        if len(state["history"]) > n_epochs:
            raise ValueError(
                f"checkpoint={str(self.path)!r} was trained for {len(state['history'])} epochs, "
                f"more than the {n_epochs} of max_epochs: increase it, or remove the file"
            )


def _restore(net: StudentNet, state: dict[str, Any]) -> None:
    """Set weights, optimiser, random states, callbacks and history to those of a file."""
    assert net.generator is not None
    net.load_weights(state["weights"])
    net.optimizer_.load_state_dict(state["optimizer"])
    net.scaler_.load_state_dict(state["scaler"])
    net.generator.set_state(state["generator"])
    torch.set_rng_state(state["torch_rng"])
    for name, callback in _stateful(net).items():
        callback.load_state_dict(state["callbacks"][name])
    net.history.clear()
    net.history.extend({**epoch, "batches": []} for epoch in state["history"])


def _stateful(net: StudentNet) -> dict[str, Any]:
    """Return the callbacks with a state, which a checkpoint stores, by name."""
    return {name: cb for name, cb in net.callbacks_ if hasattr(cb, "state_dict")}
