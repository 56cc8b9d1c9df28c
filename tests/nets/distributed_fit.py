"""Fits of several processes, for test_distributed.py: ``python -m ... FOLDER`` in each of them."""

import contextlib
import sys
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback, EpochScoring, Freezer
from skorch.helper import SliceDataset
from torch import nn

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(67, 5)).astype(np.float32)
Y = (X[:, 0] + 0.5 * RNG.normal(size=67) > 0).astype(int)
TEACHER = np.column_stack([1 / (1 + np.exp(3 * X[:, 0])), 1 / (1 + np.exp(-3 * X[:, 0]))])
X_VAL = RNG.normal(size=(23, 5)).astype(np.float32)
Y_VAL = (X_VAL[:, 0] > 0).astype(int)


class Rows(torch.utils.data.Dataset):
    """The rows above."""

    def __len__(self):
        return len(X)

    def __getitem__(self, row):
        return X[row], Y[row], TEACHER[row]


class Lines(torch.utils.data.IterableDataset):
    """The rows above, in their own order."""

    def __iter__(self):
        yield from zip(X, Y, TEACHER, strict=True)


class Pairs(Rows):
    """The rows above, without predictions."""

    def __getitem__(self, row):
        return super().__getitem__(row)[:2]


def live(rows):
    """Return the log-odds of the second class, as TEACHER's."""
    return 3 * rows[:, 0]


def decreasing(epoch):
    return 0.8**epoch


def increasing(epoch):
    return 1.0 + epoch


class Joined(nn.Sequential):
    """The network below, on two inputs by name."""

    def forward(self, left, right):
        return super().forward(torch.cat([left, right], 1))


def by_name(rows):
    return {"left": rows[:, :2], "right": rows[:, 2:]}


class Interrupt(Callback):
    """Stop the training as an error would."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            raise RuntimeError("interrupted")


def student(accelerator, kind=nn.Sequential, **options):
    torch.manual_seed(0)
    module = kind(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2))
    defaults = {
        "lr": 0.3,
        "optimizer": "sgd",
        "optimizer__momentum": 0.9,
        "batch_size": 22,  # the last mini-batch has one row
        "max_epochs": 4,
        "temperature": 2.0,
        "random_state": 0,
    }
    return DistilledNeuralClassifier(module, accelerator=accelerator, **defaults | options)


def regressor(accelerator):
    torch.manual_seed(0)
    options = {"lr": 0.05, "batch_size": 22, "max_epochs": 4, "random_state": 0}
    return DistilledNeuralRegressor(nn.Linear(5, 1), accelerator=accelerator, **options)


def fits(accelerator, folder):
    """Return the students whose weights and losses must not depend on the number of processes."""
    held_out = {"X_val": X_VAL, "y_val": Y_VAL}
    arrays = {"teacher_proba": TEACHER} | held_out
    score = EpochScoring("roc_auc", name="auc", lower_is_better=False)
    groups = {"embedding_weight": 0.5, "gradient_clip": 0.1, "callbacks": [Freezer("0.*"), score]}
    rows = {"classes": [0, 1]}
    stopped = {"early_stopping": True, "n_iter_no_change": 2, "lr": 2.0, "scoring": "roc_auc"}
    students = {
        "arrays": student(accelerator, **stopped, max_epochs=12).fit(X, Y, **arrays),
        "frozen": student(accelerator, **groups).fit(X, Y, teacher_embedding=X[:, :3], **arrays),
        "dataset": student(accelerator, **rows, lr_schedule="cosine").fit(Rows(), **held_out),
        "lines": student(accelerator, **rows).fit(Lines(), **held_out),
        "live": student(accelerator, teacher=live, augmentation=torch.sin).fit(X, Y, **held_out),
        "live dataset": student(accelerator, teacher=live, **rows).fit(Pairs(), **held_out),
        "moving": student(accelerator, imitation=decreasing, temperature=increasing).fit(
            X, Y, **arrays
        ),
        "numbers": regressor(accelerator).fit(X, X[:, 0], teacher_prediction=X[:, 1] + X[:, 0]),
        "named": student(accelerator, Joined).fit(
            by_name(X), Y, teacher_proba=TEACHER, X_val=by_name(X_VAL), y_val=Y_VAL
        ),
        "features": student(accelerator).fit(SliceDataset(Rows()), Y, **arrays),
        "several labels": student(accelerator).fit(
            X, np.column_stack([Y, X[:, 0] > 0.5]), teacher_proba=TEACHER[:, [1, 1]]
        ),
        "split": student(accelerator, early_stopping=True).fit(X, Y, teacher_proba=TEACHER),
    }
    file = Path(folder) / "resumed.pt"
    if not file.exists():  # written by one process, resumed by several
        with contextlib.suppress(RuntimeError):
            student(accelerator, checkpoint=file, callbacks=[Interrupt()]).fit(X, Y, **arrays)
    else:
        students["resumed"] = student(accelerator, checkpoint=file).fit(X, Y, **arrays)
    return students


def results(students):
    """Return weights and histories as arrays by name."""
    found = {}
    for name, fitted in students.items():
        for key, weight in fitted.net_.module_.state_dict().items():
            found[f"{name} {key}"] = weight.numpy()
        history = fitted.history_.drop(columns="dur").astype(float)
        found |= {f"{name} {column}": history[column].to_numpy() for column in history}
    return found


if __name__ == "__main__":
    from accelerate import Accelerator

    torch.set_num_threads(1)
    process = Accelerator(cpu=True)
    assert process.num_processes == int(sys.argv[2])
    found = results(fits(process, sys.argv[1]))
    np.savez(Path(sys.argv[1]) / f"rank{process.process_index}.npz", **found)
