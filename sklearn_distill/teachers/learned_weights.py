"""Learn the weights of several teachers on held-out labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning

from sklearn_distill._typing import ArrayLike, FloatArray
from sklearn_distill._validation.labels import check_classes, check_labels
from sklearn_distill._validation.numbers import list_values
from sklearn_distill._validation.row_order import check_row_order, check_same_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.targets import Labels
from sklearn_distill.teachers._several import check_several_teachers

_SMALLEST = 1e-6  # of the largest weight


def learn_teacher_weights(
    teacher_proba: ArrayLike | Sequence[ArrayLike],
    y: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    tol: float = 1e-6,
    max_iter: int = 1000,
) -> FloatArray:
    r"""Learn the weights of the teachers' mean on held-out labels.

    Minimises the cross-entropy of the mean over the simplex of weights,

    .. math::

        -\frac{1}{\sum_i s_i} \sum_i s_i \log
        \frac{\sum_{m∈S_i} w_m\,p_{im y_i}}{\sum_{m∈S_i} w_m},
        \qquad w ≥ 0,\ \sum_m w_m = 1,

    with :math:`S_i` the teachers that have a prediction for row i, by L-BFGS in :math:`\log w`. No
    weight is below 1e-6 of the largest. Without missing predictions the problem is convex; with
    them the result is a stationary point, and the bound keeps it finite where the best ratio of two
    weights would not be. Use rows that no teacher was fitted on, else a teacher that memorised them
    gets all the weight.

    Parameters
    ----------
    teacher_proba : list of array-like, or array of shape (n_samples, n_teachers, n_classes)
        The teachers' probabilities for the held-out rows, in a list each of shape (n_samples,
        n_classes); a row of NaN is a missing prediction.
    y : array-like of shape (n_samples,)
        Labels. Rows without one (NaN, None, pd.NA) are ignored.
    classes : array-like of shape (n_classes,) or None, default=None
        The labels of the columns in ascending order. None takes the column names of DataFrames,
        else the labels of y.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Sample weights s, nonnegative; None is a weight of 1 for each row.
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
        If the input is wrong, or a teacher has no prediction for any row that can be used: one with
        a label, a positive weight and a teacher that gives the label a positive probability.
        (Where all give it probability 0, no weights change that.)

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
    p, s = _label_proba(teacher_proba, y, classes, sample_weight)
    solution = minimize(
        _cross_entropy,
        np.zeros(len(p)),
        args=(np.nan_to_num(p), (~np.isnan(p)).astype(np.float64), s / s.sum()),
        jac=True,
        method="L-BFGS-B",
        # only ratios of weights matter, so the upper bound restricts nothing
        bounds=[(np.log(_SMALLEST), 0.0)] * len(p),
        options={"gtol": tol, "ftol": 0.0, "maxiter": max_iter},  # ftol=0: only `tol` stops it
    )
    if solution.status == 1:  # 2 is a line search at the limit of rounding
        warn_user(
            f"learning the weights took more than {max_iter} iterations: raise max_iter or tol",
            ConvergenceWarning,
        )
    return np.asarray(softmax(solution.x))  # w / Σw, from log w


def _cross_entropy(
    log_w: FloatArray, p: FloatArray, available: FloatArray, s: FloatArray
) -> tuple[float, FloatArray]:
    """Return value and gradient; p is 0 where a prediction is missing, and s sums to 1."""
    w = np.exp(log_w)
    label_mass, available_weight = w @ p, w @ available
    # ∂ log Σ_m w_m a_m / ∂ log w_m = w_m a_m / Σ_m w_m a_m, for both logarithms
    gradient = w * (available @ (s / available_weight) - p @ (s / label_mass))
    return float(s @ (np.log(available_weight) - np.log(label_mass))), gradient


def _label_proba(
    teacher_proba: ArrayLike | Sequence[ArrayLike],
    y: ArrayLike,
    classes: ArrayLike | None,
    sample_weight: ArrayLike | None,
) -> tuple[FloatArray, FloatArray]:
    """Return each teacher's probability of the label, (n_teachers, n_rows), and sample weights."""
    first = teacher_proba[0] if isinstance(teacher_proba, list | tuple) else None
    check_same_order("teacher_proba[0]", first, "y", y)
    check_row_order(None, y, sample_weight=sample_weight)
    p, columns = check_several_teachers(teacher_proba)
    n_rows = p.shape[2]
    p, labels = _in_class_order(p, y, classes, columns)
    s = check_sample_weight(sample_weight, n_rows)
    label_proba = p[:, labels.codes, np.arange(n_rows)]
    # a label of probability 0 for all teachers would make the loss infinite at any weights
    usable = labels.present & (s > 0) & (np.nan_to_num(label_proba) > 0).any(axis=0)
    label_proba, s = label_proba[:, usable], s[usable]
    without_prediction = np.isnan(label_proba).all(axis=1)
    if without_prediction.any():
        raise ValueError(
            f"teacher {int(np.argmax(without_prediction))} has no prediction for any of the "
            f"{len(s)} rows that have a label, a positive weight and a teacher that gives the "
            "label a positive probability: its weight cannot be learnt"
        )
    return label_proba, s


def _in_class_order(
    p: FloatArray, y: ArrayLike, classes: ArrayLike | None, columns: list[Any] | None
) -> tuple[FloatArray, Labels]:
    """Return the columns in the order of the classes, and the labels as class numbers."""
    known = check_classes(classes)
    if columns is not None:
        order = np.argsort(columns)
        names = np.asarray(columns)[order]
        if known is not None and not np.array_equal(known, names):
            raise ValueError(
                f"classes={list_values(known)}, but the columns are {list_values(columns)}"
            )
        p, known = p[:, order], names
    found, labels = check_labels(y, p.shape[2], known, None)
    if len(found) != p.shape[1]:
        raise ValueError(
            f"teacher_proba has {p.shape[1]} columns, but the classes are {found.tolist()}: if y "
            "does not contain them all, pass classes=[...]"
        )
    return p, labels
