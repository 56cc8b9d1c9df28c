"""The numbers of a distillation: teacher, student alone, student distilled."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike

from sklearn_distill._validation.class_index import class_index
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.inspection._model_proba import (
    ModelProba,
    all_classes,
    read_proba,
    timed_predict_proba,
)
from sklearn_distill.inspection._numbers import TestSet, numbers, scores
from sklearn_distill.inspection.bootstrap import compare_paired
from sklearn_distill.inspection.report_result import DistillationReport


def distillation_report(
    *,
    student_alone: Any,
    student_distilled: Any,
    X: Any,
    y: ArrayLike,
    teacher: Any = None,
    X_teacher: Any = None,
    teacher_proba: Any = None,
    teacher_classes: ArrayLike | None = None,
    teacher_saw: str | None = None,
    sample_weight: ArrayLike | None = None,
    n_bins: int = 15,
    n_bootstrap: int = 1000,
    confidence_level: float = 0.95,
    n_repeats: int = 5,
    random_state: int | RandomState | None = None,
) -> DistillationReport:
    """Measure teacher, student alone and distilled student on rows that none of them saw.

    The models may know different classes: all are compared over every class that occurs in `y`
    or that one of them knows, and a class that a model does not know has probability 0.

    Parameters
    ----------
    student_alone, student_distilled : fitted classifiers with predict_proba
        The same student, fitted without the teacher and with it. Pipelines and searches serve.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Test rows as the students take them.
    y : array-like of shape (n_samples,)
        Test labels, none missing.
    teacher : fitted classifier with predict_proba, default=None
        The teacher; or give `teacher_proba`.
    X_teacher : {array-like, sparse matrix, DataFrame}, default=None
        The same rows as the teacher takes them (privileged features); None is `X`.
    teacher_proba : array-like of shape (n_samples, n_classes) or (n_samples,), default=None
        The teacher's probabilities on these rows, where the teacher itself is not at hand. A
        DataFrame names its classes by its columns. The teacher's size and time are then NaN.
    teacher_classes : array-like of shape (n_classes,), default=None
        The class of each column of `teacher_proba`; None is the columns of a DataFrame, else
        ``student_distilled.classes_``.
    teacher_saw : str, default=None
        Words for the printed report on which rows the teacher was fitted, such as "rows 0-899,
        none of which the students were fitted on".
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights of all metrics and of the intervals.
    n_bins : int, default=15
        Bins of the calibration error.
    n_bootstrap : int, default=1000
        Resamples of the test rows behind the intervals.
    confidence_level : float, default=0.95
        Level of each interval by itself.
    n_repeats : int, default=5
        Timed predictions of each model.
    random_state : int, RandomState instance or None, default=None
        Seed of the resamples.

    Returns
    -------
    DistillationReport
        Two DataFrames that print themselves. They are apart because they have different rows:
        ``table`` describes each model, ``did_the_teacher_help`` the difference of two.

        Columns of ``table``, with rows "teacher", "student alone", "student distilled":

        - accuracy: share of rows whose most probable class is right;
        - cross_entropy: nats, probabilities below 2.2e-16 raised to it, as
          :func:`sklearn.metrics.log_loss` does;
        - brier: :func:`~sklearn_distill.metrics.brier_score`, halved for two classes;
        - calibration_error: :func:`~sklearn_distill.metrics.expected_calibration_error`;
        - uncertainty_degree and max_min_gap: of the model's own columns;
        - fidelity: :func:`~sklearn_distill.metrics.fidelity_score` with the teacher;
        - n_parameters: :func:`count_parameters`, NaN if it does not know the model;
        - n_bytes: length of the pickle;
        - predict_us_per_row: microseconds of predict_proba by row, the median of `n_repeats`
          batches of at most 1000 rows.

        ``did_the_teacher_help``: :func:`paired_bootstrap` of distilled − alone for accuracy,
        cross_entropy and brier. The verdict is "undecided" where the interval holds 0, and
        where so few rows differ (m, with 2^(1−m) > 1 − `confidence_level`) that no test could
        decide. It speaks of these two fitted students and other test rows; whether distilling
        pays on other training sets takes repeated fits.

    Raises
    ------
    ValueError
        If there is no teacher or two of them, a model gives no probabilities, or rows, classes
        or an option do not fit; the argument is named.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_distill.inspection import distillation_report
    >>> X, y = load_iris(return_X_y=True)
    >>> train, test = slice(0, None, 2), slice(1, None, 2)
    >>> teacher = RandomForestClassifier(random_state=0).fit(X[train], y[train])
    >>> student = LogisticRegression(C=0.01).fit(X[train], y[train])
    >>> report = distillation_report(
    ...     teacher=teacher, student_alone=student, student_distilled=student, X=X[test], y=y[test]
    ... )
    >>> report.table["n_parameters"].tolist()[1:]
    [15.0, 15.0]
    >>> report.did_the_teacher_help.loc["accuracy", "verdict"]
    'undecided'
    """
    _check_options(teacher, teacher_proba, n_repeats)
    alone = timed_predict_proba(student_alone, X, "student_alone", n_repeats)
    distilled = timed_predict_proba(student_distilled, X, "student_distilled", n_repeats)
    if teacher is None:
        teacher_ = read_proba(teacher_proba, teacher_classes, distilled.classes, "teacher_proba")
    else:
        teacher_ = timed_predict_proba(
            teacher, X if X_teacher is None else X_teacher, "teacher", n_repeats
        )
    models = {"teacher": teacher_, "student alone": alone, "student distilled": distilled}
    test = _test_rows(y, sample_weight, models)
    q = teacher_.align(test.classes)
    table = {name: numbers(model, test, q, n_bins) for name, model in models.items()}
    did_the_teacher_help = compare_paired(
        scores(alone, test),
        scores(distilled, test),
        test.s,
        n_bootstrap=n_bootstrap,
        confidence_level=confidence_level,
        random_state=random_state,
    )
    return DistillationReport(
        table=pd.DataFrame.from_dict(table, orient="index"),
        did_the_teacher_help=did_the_teacher_help,
        n_rows=len(test.k),
        classes=test.classes,
        n_bootstrap=n_bootstrap,
        confidence_level=confidence_level,
        teacher_saw=teacher_saw,
    )


def _test_rows(
    y: ArrayLike, sample_weight: ArrayLike | None, models: dict[str, ModelProba]
) -> TestSet:
    classes = all_classes(y, models.values())
    k = class_index(y, classes, len(classes), "y")
    for model in models.values():
        check_same_length("y", len(k), f"{model.name}'s answer", len(model.proba))
    return TestSet(k, check_sample_weight(sample_weight, len(k)), classes)


def _check_options(teacher: Any, teacher_proba: Any, n_repeats: int) -> None:
    if (teacher is None) == (teacher_proba is None):
        came = "neither" if teacher is None else "both"
        raise ValueError(f"{came} of teacher and teacher_proba came; pass one of them.")
    if not isinstance(n_repeats, Integral) or n_repeats < 1:
        raise ValueError(f"n_repeats={n_repeats!r}; pass a whole number, 1 or more.")
