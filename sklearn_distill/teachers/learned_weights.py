"""Weights of several teachers from labels that none of them saw."""

import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.labels import check_classes, check_labels
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.teachers._several import read_several

_SMALLEST = 1e-6


def learn_teacher_weights(
    teacher_proba: Any,
    y: Any,
    *,
    classes: Any = None,
    sample_weight: Any = None,
    tol: float = 1e-6,
    max_iter: int = 1000,
) -> FloatArray:
    r"""Learn the weights of teachers' mean on held-out labels.

    Minimises the cross-entropy of the mean over the simplex of weights,

    .. math::

        -\frac{1}{\sum_i s_i} \sum_i s_i \log
        \frac{\sum_{m∈S_i} w_m\,p_{im y_i}}{\sum_{m∈S_i} w_m},
        \qquad w ≥ 0,\ \sum_m w_m = 1,

    with :math:`S_i` the teachers that speak for row i, by L-BFGS in :math:`\log w`. No weight is
    below 1e-6 of the largest. Without silent teachers the problem is convex; with them the answer
    is a stationary point, and the bound keeps it finite where the best ratio of two weights
    would not be. The rows must be new to the teachers, else the one that learnt them by heart gets
    all the weight.

    Parameters
    ----------
    teacher_proba : list of array-like, or array of shape (n_samples, n_teachers, n_classes)
        The teachers' probabilities for the held-out rows, in a list each of shape (n_samples,
        n_classes); a row of NaN is a silent teacher.
    y : array-like of shape (n_samples,)
        Labels. Rows without one (NaN, None, pd.NA) say nothing here.
    classes : array-like of shape (n_classes,) or None, default=None
        The labels of the columns in ascending order. None takes the column names of DataFrames,
        else the labels of y.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Row weights s.
    tol : float, default=1e-6
        Stop when no derivative in :math:`\log w` is larger, in nats a row.
    max_iter : int, default=1000
        Largest number of iterations.

    Returns
    -------
    ndarray of shape (n_teachers,)
        Weights w for :func:`~sklearn_distill.teachers.combine_teachers`; they sum to 1.

    Raises
    ------
    ValueError
        If the input is wrong, or a teacher speaks for no row that says anything: one with a label
        and a weight that some teacher holds possible. (Where all give the label probability 0,
        no weights change that.)

    References
    ----------
    Breiman 1996, "Stacked regressions" (nonnegative weights learnt on held-out rows); Smyth and
    Wolpert 1999, "Linearly combining density estimators via stacking", for the likelihood.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.teachers import combine_teachers, learn_teacher_weights
    >>> good, bad = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.5, 0.5], [0.5, 0.5]])
    >>> learn_teacher_weights([good, bad], y=["no", "yes"]).round(3)
    array([1., 0.])
    """
    p, s = _probability_of_label(teacher_proba, y, classes, sample_weight)
    solution = minimize(
        _cross_entropy,
        np.zeros(len(p)),
        args=(np.nan_to_num(p), (~np.isnan(p)).astype(np.float64), s / s.sum()),
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(_SMALLEST), 0.0)] * len(p),
        options={"gtol": tol, "ftol": 0.0, "maxiter": max_iter},
    )
    if solution.status == 1:  # 2 is a line search at the limit of rounding
        warnings.warn(
            f"learning the weights took more than {max_iter} iterations: raise max_iter or tol",
            ConvergenceWarning,
            stacklevel=2,
        )
    return np.asarray(softmax(solution.x))


def _cross_entropy(
    log_w: FloatArray, p: FloatArray, speaks: FloatArray, s: FloatArray
) -> tuple[float, FloatArray]:
    """Return value and gradient; p is 0 where a teacher is silent, and s sums to 1."""
    w = np.exp(log_w)
    found, among = w @ p, w @ speaks
    gradient = w * (speaks @ (s / among) - p @ (s / found))
    return float(s @ (np.log(among) - np.log(found))), gradient


def _probability_of_label(
    teacher_proba: Any, y: Any, classes: Any, sample_weight: Any
) -> tuple[FloatArray, FloatArray]:
    """Return what each teacher gives to the label, (n_teachers, n_rows), and the rows' weights."""
    p, columns = read_several(teacher_proba)
    n_rows = p.shape[2]
    p, labels = _in_order(p, y, classes, columns)
    s = check_sample_weight(sample_weight, n_rows)
    of_label = p[:, labels.codes, np.arange(n_rows)]
    says_something = labels.present & (s > 0) & (np.nan_to_num(of_label) > 0).any(axis=0)
    of_label, s = of_label[:, says_something], s[says_something]
    mute = np.isnan(of_label).all(axis=1)
    if mute.any():
        raise ValueError(
            f"teacher {int(np.argmax(mute))} speaks for none of the {len(s)} rows that have a "
            "label, a weight and a teacher who holds the label possible: nothing to learn its "
            "weight from"
        )
    return of_label, s


def _in_order(p: FloatArray, y: Any, classes: Any, columns: list[Any] | None) -> Any:
    """Bring the columns into the order of the classes; return them and the labels' numbers."""
    known = check_classes(classes)
    if columns is not None:
        order = np.argsort(columns)
        names = np.asarray(columns)[order]
        if known is not None and not np.array_equal(known, names):
            raise ValueError(f"classes={known.tolist()}, but the columns are {columns}")
        p, known = p[:, order], names
    found, labels = check_labels(y, p.shape[2], known, None)
    if len(found) != p.shape[1]:
        raise ValueError(
            f"teacher_proba has {p.shape[1]} columns, but the classes are {found.tolist()}: if y "
            "does not show them all, say classes=[...]"
        )
    return p, labels
