"""Memory of the targets of a top-k teacher: ``python -m benchmarks.partial_targets``."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.measure import cpu_seconds
from sklearn_distill import DistilledLogisticRegression, DistilledNeuralClassifier
from sklearn_distill.nets.sparse_losses import sparse_table
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.targets import SoftTargets

N_ROWS, N_CLASSES, N_KNOWN, N_FEATURES = 50_000, 1_000, 10, 50
TARGET = 3.0


def top_k_teacher(n_rows: int, n_classes: int, k: int, seed: int = 0) -> Any:
    """Return k random probabilities a row, whose sum is below 1.

    Parameters
    ----------
    n_rows, n_classes : int
        Shape of the matrix.
    k : int
        Number of known classes of each row.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    csr_array of shape (n_rows, n_classes)
        The probabilities.
    """
    rng = np.random.default_rng(seed)
    indices = np.array([rng.choice(n_classes, k, replace=False) for _ in range(n_rows)])
    proba = rng.dirichlet(np.ones(k + 1), size=n_rows)[:, :k]
    indptr = np.arange(0, n_rows * k + 1, k, dtype=np.int32)
    indices = np.sort(indices, axis=1).ravel().astype(np.int32)
    return sparse.csr_array((proba.ravel(), indices, indptr), shape=(n_rows, n_classes))


def size_of(matrix: Any) -> int:
    """Return the bytes of a csr_array."""
    return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)


def make_targets(teacher: Any, y: Any, partial: str) -> SoftTargets:
    """Return the targets of a linear student, from the arguments of its fit."""
    student = DistilledLogisticRegression(classes=np.arange(teacher.shape[1]), partial=partial)
    targets = TrainingTargets.read(student, len(y), y, None, teacher, None)
    return targets.mixture(LossParams(0.5, 2.0, 1.0)).targets()


def main() -> None:
    """Print the memory of targets in units of the sparse teacher, and the time of short fits."""
    teacher = top_k_teacher(N_ROWS, N_CLASSES, N_KNOWN)
    rng = np.random.default_rng(1)
    y = rng.integers(N_CLASSES, size=N_ROWS)
    own = size_of(teacher)
    print(f"{N_ROWS:,} rows, {N_CLASSES:,} classes, {N_KNOWN} known: {own / 2**20:.1f} MB sparse")
    print(f"dense, in float64: {8 * N_ROWS * N_CLASSES / own:.0f} times as large")
    for partial in ("rest", "spread"):
        tracemalloc.start()
        targets = make_targets(teacher, y, partial)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        table = 4 * sparse_table(targets).size
        print(
            f"{partial}: targets {targets.nbytes / own:.2f} (at most {TARGET:g}), in use "
            f"{kept / own:.2f}, at the peak {peak / own:.2f}; table of a network "
            f"{table / own:.2f} times the sparse teacher"
        )
    X = rng.normal(size=(N_ROWS, N_FEATURES)).astype(np.float32)
    network = DistilledNeuralClassifier(max_epochs=1, batch_size=1_000, device="cpu")
    network.set_params(classes=np.arange(N_CLASSES), random_state=0)
    seconds = cpu_seconds(lambda: network.fit(X, y, teacher_proba=teacher))
    print(f"an epoch of a network with {N_FEATURES} features: {seconds:.1f} s of CPU time")


if __name__ == "__main__":
    main()
