"""Test whether the teacher's access to privileged columns helps the student."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Memory
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from sklearn_distill._typing import FloatArray, MatrixLike, TargetLike
from sklearn_distill._validation.fit_params import clone_without_teacher, fit_param_name
from sklearn_distill._validation.random_state import draw_seed
from sklearn_distill._validation.splits import Splits
from sklearn_distill.inspection._comparison_data import check_task, outer_splits, read_data
from sklearn_distill.inspection._drawing import axes_for
from sklearn_distill.inspection._entries import Entry
from sklearn_distill.inspection._entry_fit import (
    ComparisonData,
    FitOptions,
    fit_entry,
    predict_entry,
)
from sklearn_distill.inspection._fold_scores import SplitSizes, fold_scores, split_sizes
from sklearn_distill.inspection._permuted_columns import Strata, one_stratum, predicted_strata
from sklearn_distill.inspection._scoring import Metric, Scoring, read_scoring
from sklearn_distill.inspection.intervals import Difference, check_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from sklearn.base import BaseEstimator

_N_BINS = 15  # of the calibration error


@dataclass(frozen=True, eq=False)
class PrivilegedGain:
    """What a student gains by its teacher's access to the privileged columns.

    :func:`privileged_gain` returns it. The score of the student whose teacher has the columns is
    compared with those of students whose teachers have them permuted.

    Parameters
    ----------
    metric : str
        Name of the metric.
    direction : {1, -1}
        1 if a higher metric is better.
    scores : DataFrame of shape (n_folds, 4)
        The metric in each fold, of the "student", of the "permuted" students (their mean over the
        permutations), of the "baseline", trained on the labels alone, and of the "teacher".
    permuted : ndarray of shape (n_permutations, n_folds)
        The metric of the student of each permutation.
    sizes : SplitSizes
        Size of the folds, and the level of the interval.
    """

    metric: str
    direction: int
    scores: pd.DataFrame
    permuted: FloatArray
    sizes: SplitSizes

    @property
    def gain(self) -> float:
        """How much better the student is than with permuted columns; above 0 if they help."""
        return self._better_than("permuted").value

    @property
    def low(self) -> float:
        """Lower end of the gain's interval."""
        return self._better_than("permuted").low

    @property
    def high(self) -> float:
        """Upper end of the gain's interval."""
        return self._better_than("permuted").high

    @property
    def p_value(self) -> float:
        """Share of permutations, the actual order among them, that are at least as good."""
        actual = self.scores["student"].mean()
        better = self.direction * (self.permuted.mean(axis=1) - actual)
        as_good = better >= -1e-12 * max(abs(actual), 1)  # equal but for rounding
        return float((1 + as_good.sum()) / (1 + len(self.permuted)))

    @property
    def over_baseline(self) -> Difference:
        """How much better the student is than the baseline: ``value``, ``low`` and ``high``."""
        return self._better_than("baseline")

    @property
    def headline(self) -> str:
        """One sentence on whether the privileged columns help."""
        helps = self.p_value <= 1 - self.sizes.level + 1e-9  # but for rounding, at most
        verdict = "help the student" if helps else "are not shown to help the student"
        differences = {
            "permuted columns": self._better_than("permuted"),
            "the labels alone": self.over_baseline,
        }
        words = " and ".join(
            f"{d.value:+.4f} ({d.low:+.4f} … {d.high:+.4f}) over {name}"
            for name, d in differences.items()
        )
        return (
            f"The privileged columns {verdict}, p = {self.p_value:.3g}: {words} "
            f"in {self.metric.replace('_', ' ')}, above 0 is better."
        )

    def _better_than(self, other: str) -> Difference:
        better = self.direction * (self.scores["student"] - self.scores[other])
        return self.sizes.interval(better)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the scores of the permutations, and that of the student, baseline and teacher.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        matplotlib Axes
            The axes.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        axes: Axes = axes_for(ax, 1)[0]
        axes.hist(self.permuted.mean(axis=1), color="0.8", label="columns permuted")
        lines = {"student": ("C0", "-"), "baseline": ("0.4", "--"), "teacher": ("C1", ":")}
        for name, (colour, style) in lines.items():
            axes.axvline(self.scores[name].mean(), color=colour, linestyle=style, label=name)
        axes.set(xlabel=f"{self.metric.replace('_', ' ')}, mean over folds", ylabel="permutations")
        axes.set_title(f"p = {self.p_value:.3g}", fontsize="medium")
        axes.legend(fontsize="small")
        return axes


def privileged_gain(
    teacher: BaseEstimator,
    student: BaseEstimator,
    X: MatrixLike,
    y: TargetLike,
    *,
    privileged_features: Any,
    teacher_features: str = "all",
    within: str | None = "prediction",
    n_permutations: int = 99,
    cv: Any = 5,
    inner_cv: int = 3,
    scoring: Scoring = None,
    sample_weight: ArrayLike | None = None,
    X_unlabeled: MatrixLike | None = None,
    confidence_level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> PrivilegedGain:
    r"""Test whether the teacher's access to privileged columns helps the student.

    A better teacher is not always a better one for the student. This permutes the rows of the
    privileged columns, refits teacher and student in a cross-validation, and repeats it B times.
    With the mean score :math:`s` of the student in the folds (higher is better), and
    :math:`s_b` of the one whose teacher has permuted columns,

    .. math::
        \mathrm{gain} = s - \frac1B \sum_b s_b, \qquad
        p = \frac{1 + \sum_b [s_b \ge s]}{1 + B}

    If the privileged columns are independent of the labels and of the regular columns (or, with
    ``within="prediction"``, given what the regular columns predict), all orders of their rows are
    equally likely, and :math:`P(p \le \alpha) \le \alpha` for any number of samples, any teacher
    and any student. The samples must be independent.

    Parameters
    ----------
    teacher : classifier or regressor
        The teacher; it is cloned.
    student : estimator
        A student whose ``fit`` takes the teacher's predictions, or a pipeline that ends in one.
        One that chooses λ and T itself does so in each fold.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Samples, with the privileged features.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels. Rows without one (NaN, None) are training rows in each fold, and never tested on.
    privileged_features : array-like, str, int, slice or callable
        Features that only the teacher uses, as in
        :class:`~sklearn_distill.TeacherStudentClassifier`. All of them are permuted together.
    teacher_features : {"all", "privileged"}, default="all"
        The features that the teacher is fitted on.
    within : {"prediction"} or None, default="prediction"
        The rows among which the columns are permuted: those of the same predicted class, or in the
        same fifth of a regressor's predictions, where the baseline predicts out of fold from the
        regular columns; None is all rows. Within predicted classes, the columns go on saying what
        the regular columns say about the class, and lose what they say beyond it.
    n_permutations : int, default=99
        Number B of permutations; the smallest possible p-value is 1 / (B + 1).
    cv : int, splitter or iterable of (train, test), default=5
        The folds, as in :func:`compare_students`.
    inner_cv : int, default=3
        Number of folds of the teacher's out-of-fold predictions.
    scoring : str or dict of str to scorer, default=None
        One metric, as in :func:`distillation_report`; None is the log loss or the root mean
        squared error.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of fits and metric.
    X_unlabeled : {array-like, sparse matrix, DataFrame}, default=None
        Unlabelled samples with all features, on which the student is trained, too; their privileged
        columns are permuted among them.
    confidence_level : float, default=0.95
        Level of the interval, between 0 and 1.
    random_state : int, RandomState or None, default=None
        Seeds folds, models and permutations.
    n_jobs : int or None, default=None
        Number of permutations in parallel.
    verbose : int, default=0
        1 or more shows a progress bar.

    Returns
    -------
    PrivilegedGain
        With ``gain``, its interval ``low`` and ``high`` (:func:`split_interval`, which covers other
        training sets), ``p_value``, ``over_baseline``, ``headline``, ``plot()``, and in ``scores``
        the metric in each fold, of baseline and teacher, too. A small p-value says that the columns
        are better than noise in their place, ``over_baseline`` whether such a teacher is worth it.

    Raises
    ------
    ValueError
        If an argument is out of range, or the rows do not fit; the message names the argument.
    TypeError
        If the teacher is neither a classifier nor a regressor.

    See Also
    --------
    compare_students : Compares students, and distilled with baseline ones.

    Notes
    -----
    The teacher is fitted about ``n_permutations · cv · (inner_cv + 1)`` times, and the student
    ``n_permutations · cv`` times.

    References
    ----------
    Phipson and Smyth, "Permutation p-values should never be zero", Statistical Applications in
    Genetics and Molecular Biology 9, 2010; Yang, Sanghavi, Rahmanian, Bakus and Vishwanathan,
    "Toward understanding privileged features distillation in learning-to-rank", NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> from sklearn_distill.datasets import make_privileged_classification
    >>> from sklearn_distill.inspection import privileged_gain
    >>> data = make_privileged_classification(kind="relevant_features", random_state=0)
    >>> result = privileged_gain(
    ...     LogisticRegression(),
    ...     DistilledLogisticRegression(),
    ...     np.hstack([data.data, data.privileged]),
    ...     data.target,
    ...     privileged_features=[50, 51, 52],
    ...     teacher_features="privileged",
    ...     n_permutations=19,
    ...     random_state=0,
    ... )
    >>> result.p_value, bool(result.low > 0)
    (0.05, True)
    """
    is_class = check_task(teacher, y)
    _check_options(privileged_features, within, n_permutations, inner_cv)
    _check_student(student, is_class)
    check_level(confidence_level)
    data = read_data(
        X,
        y,
        is_class=is_class,
        sample_weight=sample_weight,
        X_unlabeled=X_unlabeled,
        privileged_features=privileged_features,
        teacher_features=teacher_features,
    )
    metric = _read_metric(scoring, is_class)
    seed = draw_seed(check_random_state(random_state))
    options = FitOptions(teacher, metric, inner_cv, seed)
    splits = outer_splits(cv, data, seed)
    distilled = Entry("student", "student", "distilled", student)
    baseline = Entry("baseline", "student", "baseline", clone_without_teacher(student, []))
    strata = one_stratum(data) if within is None else predicted_strata(baseline, data, options)
    scores = {
        entry.name: _score_folds(entry, data, splits, options)
        for entry in (distilled, baseline, Entry("teacher", "teacher", "teacher", teacher))
    }
    jobs: Iterable[FloatArray] = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_score_permuted)(distilled, data, strata, splits, options, b)
        for b in range(n_permutations)
    )
    with tqdm(jobs, "permutations", n_permutations, disable=not verbose) as bar:
        permuted = np.array(list(bar))
    frame = pd.DataFrame(scores)
    frame.insert(1, "permuted", permuted.mean(axis=0))
    sizes = split_sizes(splits, data.present, confidence_level)
    return PrivilegedGain(metric.name, metric.direction, frame, permuted, sizes)


def _check_options(features: Any, within: str | None, n_permutations: int, inner_cv: int) -> None:
    if features is None:
        raise ValueError(
            "privileged_features=None: pass the names or positions of the columns that only the "
            "teacher uses."
        )
    if within not in ("prediction", None):
        raise ValueError(f"within={within!r}; pass 'prediction' or None.")
    for name, value, least in (("n_permutations", n_permutations, 1), ("inner_cv", inner_cv, 2)):
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"{name}={value!r}; pass a whole number, {least} or more.")


def _check_student(student: Any, is_class: bool) -> None:
    param = "teacher_proba" if is_class else "teacher_prediction"
    if not hasattr(student, "fit") or fit_param_name(student, param) is None:
        raise ValueError(
            f"student is a {type(student).__name__}, whose fit takes no {param}: pass a student of "
            "this package, or a pipeline that ends in one."
        )


def _read_metric(scoring: Scoring, is_class: bool) -> Metric:
    metrics = read_scoring(scoring, is_class, _N_BINS)
    if scoring is not None and len(metrics) > 1:
        raise ValueError(f"scoring={scoring!r} has {len(metrics)} metrics; pass one.")
    return metrics[0]


def _score_permuted(
    entry: Entry, data: ComparisonData, strata: Strata, splits: Splits, options: FitOptions, b: int
) -> FloatArray:
    permuted = strata.permuted(data, np.random.default_rng([options.seed, b]))
    return _score_folds(entry, permuted, splits, options)


def _score_folds(
    entry: Entry, data: ComparisonData, splits: Splits, options: FitOptions
) -> FloatArray:
    """Return the metric of one model in each fold."""
    metric = options.metric
    scores: list[float] = []
    for train, test in splits:
        model = fit_entry(entry, data, train, options, Memory(None)).model
        predicted = {entry.name: predict_entry(entry, model, data, test)}
        scores += fold_scores(predicted, data, test, [metric]).values()
    if np.isnan(scores).any():
        raise ValueError(
            f"scoring: {metric.name} is not defined for the {entry.name} in some fold, such as one "
            "of a single class; pass another metric, or fewer folds."
        )
    return np.array(scores)
