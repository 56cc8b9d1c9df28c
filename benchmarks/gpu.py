"""Checks on a GPU: ``python -m benchmarks.gpu``, in less than ten minutes.

Prints three tables: samples a second of networks with a teacher against a hand-written loop, in
float32 and bfloat16, with cached predictions and with a live teacher; linear students of tensors on
the device against those of arrays; and the difference of two equal fits. ``--device cpu --quick``
shows in about a minute that the script works.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # read when SciPy is imported

import numpy as np
import pandas as pd
import sklearn
import torch
from torch import Tensor, nn
from torch.nn import functional

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    PrivilegedLinearRegression,
)
from sklearn_distill.nets import MLP, ResNet18

IMITATION, TEMPERATURE, LR, TARGET, N_ROUNDS = 0.5, 2.0, 1e-3, 0.9, 3
TOLERANCE = {"float32": 1e-3, "bfloat16": 5e-2}  # of probabilities, of two equal fits


@dataclass(frozen=True)
class Case:
    """A network and the size of its data.

    Parameters
    ----------
    name : str
        Name of the network.
    make : callable
        Returns a new network.
    shape : tuple of int
        Shape of a sample.
    n_rows, batch_size, n_epochs : int
        Size of the training; the first epoch is not counted.
    """

    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    n_rows: int
    batch_size: int
    n_epochs: int

    def data(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return features, labels and the teacher's logits, on the CPU."""
        generator = torch.Generator().manual_seed(0)
        X = torch.randn(self.n_rows, *self.shape, generator=generator)
        logits = 3 * X.flatten(1)[:, :10]
        noise = torch.randn(self.n_rows, 10, generator=generator)
        return X, (logits + noise).argmax(1), logits


def cases(*, quick: bool) -> list[Case]:
    """Return the networks, with little data for a quick look."""
    mlp = Case("MLP 784-1024-1024-10", make_mlp, (784,), 200_000, 1024, 6)
    resnet = Case("ResNet-18, 32 × 32", make_resnet, (3, 32, 32), 25_000, 256, 4)
    if not quick:
        return [mlp, resnet]
    return [
        Case("MLP 784-64-10", lambda: MLP(784, 10, (64,)), (784,), 4_000, 256, 4),
        Case("ResNet-18, 32 × 32", make_resnet, (3, 32, 32), 64, 32, 2),
    ]


def make_mlp() -> nn.Module:
    return MLP(784, 10, (1024, 1024))


def make_resnet() -> nn.Module:
    return ResNet18(10)


def first_columns(rows: Tensor) -> Tensor:
    """Return the logits of the live teacher, which are those of the cached one."""
    return 3 * rows.flatten(1)[:, :10]


def unchanged(rows: Tensor) -> Tensor:
    """Augment nothing, so that a live teacher predicts each mini-batch."""
    return rows


def ours(case: Case, device: str, precision: str, *, live: bool) -> DistilledNeuralClassifier:
    """Return the fitted student."""
    X, y, logits = case.data()
    torch.manual_seed(0)
    student = DistilledNeuralClassifier(
        case.make(),
        imitation=IMITATION,
        temperature=TEMPERATURE,
        lr=LR,
        batch_size=case.batch_size,
        max_epochs=case.n_epochs,
        precision=precision,
        device=device,
        teacher=first_columns if live else None,
        augmentation=unchanged if live else None,
        random_state=0,
    )
    given = {} if live else {"teacher_logits": logits.numpy()}
    return student.fit(X.numpy(), y.numpy(), **given)


def hand_written_loop(case: Case, device: str, precision: str, *, live: bool) -> list[float]:
    """Return the seconds of each epoch."""
    X, y, logits = (values.to(device) for values in case.data())
    torch.manual_seed(0)
    network = case.make().to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    soft = torch.softmax(logits / TEMPERATURE, 1)
    half = torch.autocast(torch.device(device).type, torch.bfloat16)
    seconds = []
    for _ in range(case.n_epochs):
        start, total = time.perf_counter(), torch.zeros((), device=device)
        for rows in torch.randperm(case.n_rows).to(device).split(case.batch_size):
            features, q = X[rows], soft[rows]
            if live:
                with torch.inference_mode():
                    logits = first_columns(features)
                q = torch.softmax(logits.clone() / TEMPERATURE, 1)
            optimizer.zero_grad()
            with half if precision == "bfloat16" else nullcontext():
                z = network(features)
            z = z.float()
            hard = functional.cross_entropy(z, y[rows])
            taught = functional.cross_entropy(z / TEMPERATURE, q)
            loss = (1 - IMITATION) * hard + IMITATION * taught
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()  # waits for the device
        seconds.append(time.perf_counter() - start)
    return seconds


def speeds(case: Case, device: str) -> Iterator[dict[str, Any]]:
    """Yield samples a second of both, in turn and in several rounds."""
    for precision in ("float32", "bfloat16"):
        for live in (False, True):
            found = []
            for _ in range(N_ROUNDS):
                history = ours(case, device, precision, live=live).history_
                own = case.n_rows / float(np.median(history["dur"][1:]))
                epochs = hand_written_loop(case, device, precision, live=live)
                found.append((own, case.n_rows / float(np.median(epochs[1:]))))
            own, theirs = np.median(found, axis=0)
            ratio = float(np.median([a / b for a, b in found]))
            yield {
                "network": case.name,
                "precision": precision,
                "teacher": "live" if live else "cached",
                "ours, samples/s": f"{own:,.0f}",
                "by hand": f"{theirs:,.0f}",
                "ratio": f"{ratio:.2f}",
                f"≥ {TARGET:g}": "met" if ratio >= TARGET else "missed",
            }


def linear_students(device: str, *, quick: bool) -> Iterator[dict[str, Any]]:
    """Yield the differences between students of tensors and of arrays."""
    n, d = (2_000, 20) if quick else (200_000, 100)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    logits = X @ rng.normal(size=(d, 4))
    y = (logits + rng.gumbel(size=(n, 4))).argmax(1)
    numbers, prediction = (logits[:, 0] + s * rng.normal(size=n) for s in (1.0, 0.3))
    fits: list[tuple[Any, Any, dict[str, Any]]] = [
        (DistilledLogisticRegression(temperature=2.0, tol=1e-8), y, {"teacher_logits": logits}),
        (PrivilegedLinearRegression(), numbers, {"teacher_prediction": prediction}),
    ]
    # mps has no float64
    dtypes = {"float64": 1e-6, "float32": 1e-3} if device != "mps" else {"float32": 1e-3}
    for student, target, given in fits:
        expected = student.fit(X, target, **given).coef_
        for dtype, tolerance in dtypes.items():
            tensors = {
                name: torch.tensor(values, dtype=getattr(torch, dtype), device=device)
                for name, values in given.items()
            }
            X_device = torch.tensor(X, dtype=getattr(torch, dtype), device=device)
            labels = torch.tensor(target, device=device)
            labels = labels.to(X_device.dtype) if labels.is_floating_point() else labels
            start = time.perf_counter()
            with sklearn.config_context(array_api_dispatch=True):
                coef = student.fit(X_device, labels, **tensors).coef_
            seconds = time.perf_counter() - start
            found = coef.cpu().numpy() if isinstance(coef, Tensor) else np.asarray(coef)
            difference = float(np.abs(found - expected).max())
            yield {
                "student": type(student).__name__,
                "X": f"{n:,} × {d} {dtype}",
                "seconds": f"{seconds:.2f}",
                "largest difference of coef_": f"{difference:.1e}",
                "tolerance": _judge(difference, tolerance),
            }


def _judge(difference: float, tolerance: float) -> str:
    return f"{tolerance:g}: {'met' if difference <= tolerance else 'missed'}"


def repeated(case: Case, device: str) -> Iterator[dict[str, Any]]:
    """Yield the largest difference between the probabilities of two equal fits."""
    X = case.data()[0][:1000].numpy()
    for precision, tolerance in TOLERANCE.items():
        first, second = (
            ours(case, device, precision, live=False).predict_proba(X) for _ in range(2)
        )
        difference = float(np.abs(first - second).max())
        yield {
            "network": case.name,
            "precision": precision,
            "largest difference of two fits": f"{difference:.1e}",
            "tolerance": _judge(difference, tolerance),
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda (default), mps or cpu")
    parser.add_argument("--quick", action="store_true", help="little data, to see that it works")
    options = parser.parse_args()
    device, all_cases = options.device, cases(quick=options.quick)
    is_gpu = device.startswith("cuda")
    name = torch.cuda.get_device_name(device) if is_gpu else device
    print(f"{name}, torch {torch.__version__}, scikit-learn {sklearn.__version__}\n")
    start = time.perf_counter()
    tables = {
        "Networks, with cached and live teachers": (
            row for case in all_cases for row in speeds(case, device)
        ),
        "Linear students of tensors": linear_students(device, quick=options.quick),
        "Two equal fits": (row for case in all_cases for row in repeated(case, device)),
    }
    for title, rows in tables.items():
        print(title, pd.DataFrame(list(rows)).to_string(index=False), "", sep="\n")
    print(f"{time.perf_counter() - start:.0f} seconds")


if __name__ == "__main__":
    main()
