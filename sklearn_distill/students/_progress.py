"""A progress bar over a solver's iterations."""

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

from sklearn_distill.solvers import Progress


@contextmanager
def solver_progress(verbose: int, max_iter: int, name: str) -> Iterator[Progress | None]:
    """Yield a callback that moves a bar, or None where ``verbose`` is 0.

    Parameters
    ----------
    verbose : int
        0 is silent.
    max_iter : int
        Length of the bar.
    name : str
        What is being fitted.

    Yields
    ------
    callable or None
        To be called with (n_iter, value, max|gradient|).
    """
    if not verbose:
        yield None
        return
    with tqdm(total=max_iter, desc=name, unit="iter") as bar:

        def advance(n_iter: int, value: float, gradient_norm: float) -> None:
            bar.set_postfix(loss=f"{value:.6g}", gradient=f"{gradient_norm:.1e}", refresh=False)
            bar.update(n_iter - bar.n)

        yield advance
