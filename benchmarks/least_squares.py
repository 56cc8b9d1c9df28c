"""Time and memory of PrivilegedLinearRegression beside scikit-learn on stacked weighted rows.

Every competitor solves the same problem: m rows that a label and a teacher speak for. Without this
package one stacks 2m rows, labels with weight 1 − λ over predictions with weight λρ.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, Ridge

from sklearn_distill.students.privileged_linear import PrivilegedLinearRegression

SIZES = {"1e6 x 50": (1_000_000, 50), "1e5 x 500": (100_000, 500)}
IMITATION, RATIO = 0.5, 2.0
COMPETITORS = ("ours", "ridge", "linear_regression", "gram")


@dataclass(frozen=True)
class Problem:
    """Rows with a label and a teacher's prediction each."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    s: NDArray[np.float64]

    @classmethod
    def draw(cls, n_rows: int, n_features: int) -> Problem:
        """Draw standard normal features, and two noisy measurements of one linear function."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n_rows, n_features))
        truth = X @ rng.standard_normal(n_features)
        return cls(X, *(truth + std * rng.standard_normal(n_rows) for std in (1.0, RATIO**-0.5)))

    def ours(self) -> PrivilegedLinearRegression:
        """Fit the student, variances estimated."""
        student = PrivilegedLinearRegression(IMITATION)
        student.fit(self.X, self.y, teacher_prediction=self.s)
        return student

    def ridge(self) -> Ridge:
        """Fit Ridge by Cholesky on 2m stacked rows."""
        return Ridge(1e-10, solver="cholesky").fit(*self._stacked())

    def linear_regression(self) -> LinearRegression:
        """Fit LinearRegression on 2m stacked rows."""
        return LinearRegression().fit(*self._stacked())

    def gram(self) -> NDArray[np.float64]:
        """Compute the matrix product that nothing can do without."""
        return self.X.T @ self.X

    def _stacked(self) -> tuple[NDArray[np.float64], ...]:
        weight = np.repeat([1 - IMITATION, IMITATION * RATIO], len(self.y))
        return np.vstack([self.X, self.X]), np.concatenate([self.y, self.s]), weight


def cpu_seconds(run: Callable[[], object]) -> float:
    """Return the CPU time of one run, which other processes hardly disturb."""
    start = time.process_time()
    run()
    return time.process_time() - start


def interleaved_times(problem: Problem, repeats: int) -> dict[str, list[float]]:
    """Run the competitors in turn, so that a slow minute of the machine hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in COMPETITORS}
    for _ in range(repeats):
        for name in COMPETITORS:
            times[name].append(cpu_seconds(getattr(problem, name)))
    return times


def ratios_to_ours(times: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return minimum, median and maximum over the repeats of a competitor's time over ours."""
    ours = np.array(times["ours"])
    ratios = {name: np.array(values) / ours for name, values in times.items()}
    return {
        name: {"min": float(r.min()), "median": float(np.median(r)), "max": float(r.max())}
        for name, r in ratios.items()
    }


def peak_memory(name: str, n_rows: int, n_features: int) -> int:
    """Return the bytes that a fit needs on top of the data: peak resident memory of a process."""
    command = [sys.executable, __file__, "--memory", name, str(n_rows), str(n_features)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(output)


def _measure_memory(name: str, n_rows: int, n_features: int) -> int:
    # a small run first, so that code and thread buffers are not counted
    getattr(Problem.draw(2 * n_features, n_features), name)()
    problem = Problem.draw(n_rows, n_features)
    with open("/proc/self/clear_refs", "w") as file:  # resets the peak to what is resident now
        file.write("5")
    before = _status("VmRSS")
    getattr(problem, name)()
    return _status("VmHWM") - before


def _status(key: str) -> int:
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(key))
    return 1024 * int(line.split()[1])


def table(repeats: int = 3) -> Iterator[str]:
    """Yield lines of a table: CPU time over ours with its range, and extra memory."""
    for size, shape in SIZES.items():
        times = interleaved_times(Problem.draw(*shape), repeats)
        yield f"{size}: ours {np.median(times['ours']):.3f} s of CPU time"
        for name, ratio in ratios_to_ours(times).items():
            span = f"({ratio['min']:.2f} … {ratio['max']:.2f})"
            memory = peak_memory(name, *shape) / 2**20
            yield f"  {name:18} {ratio['median']:6.2f} {span:17} {memory:8.1f} MB"


def main() -> None:
    """Print the table; OPENBLAS_NUM_THREADS chooses the number of threads."""
    if sys.argv[1:2] == ["--memory"]:
        name, n_rows, n_features = sys.argv[2:]
        lines: Iterable[str] = [str(_measure_memory(name, int(n_rows), int(n_features)))]
    else:
        lines = table()
    for line in lines:
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
