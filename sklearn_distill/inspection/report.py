"""Compare a teacher, the baseline and the distilled student on a test set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING, Any

import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike

from sklearn_distill._typing import MatrixLike
from sklearn_distill._validation.class_index import class_index
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.inspection._model_proba import (
    ModelProba,
    all_classes,
    read_proba,
    timed_predict_proba,
)
from sklearn_distill.inspection._report_table import TestSet, scores_by_sample, table_row
from sklearn_distill.inspection.bootstrap import compare_paired
from sklearn_distill.inspection.report_display import ReportDisplay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from sklearn.base import BaseEstimator

_FORMATS = {"n_parameters": ",.0f", "n_bytes": ",.0f", "predict_us_per_row": ",.2f"}


def distillation_report(
    *,
    baseline: BaseEstimator,
    distilled: BaseEstimator,
    X: MatrixLike,
    y: ArrayLike,
    teacher: BaseEstimator | None = None,
    X_teacher: MatrixLike | None = None,
    teacher_proba: ArrayLike | None = None,
    teacher_classes: ArrayLike | None = None,
    teacher_saw: str | None = None,
    sample_weight: ArrayLike | None = None,
    n_bins: int = 15,
    n_bootstrap: int = 1000,
    confidence_level: float = 0.95,
    n_repeats: int = 5,
    random_state: int | RandomState | None = None,
) -> DistillationReport:
    """Compare a teacher, the baseline and the distilled student on a test set.

    None of the three may have been fitted on samples of the test set. The models may know different
    classes: all are compared over every class that occurs in `y` or that one of them knows, and a
    class that a model does not know has probability 0.

    Parameters
    ----------
    baseline : fitted classifier with predict_proba
        The student, fitted on the labels alone. It may be a pipeline or a search.
    distilled : fitted classifier with predict_proba
        The same student, fitted with the teacher's predictions too.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Test samples, with the features of the students.
    y : array-like of shape (n_samples,)
        Test labels, none missing.
    teacher : fitted classifier with predict_proba, default=None
        The teacher; or pass `teacher_proba`.
    X_teacher : {array-like, sparse matrix, DataFrame}, default=None
        The same samples with the features of the teacher (privileged features); None is `X`.
    teacher_proba : array-like of shape (n_samples, n_classes) or (n_samples,), default=None
        The teacher's predicted probabilities of these samples, if the teacher itself is not
        available. The columns of a DataFrame are its classes. The teacher's size and time are then
        NaN.
    teacher_classes : array-like of shape (n_classes,), default=None
        The class of each column of `teacher_proba`; None takes the columns of a DataFrame, else
        ``distilled.classes_``.
    teacher_saw : str, default=None
        The samples that the teacher was fitted on, in words for the printed report, such as
        "rows 0-899, none of which the students were fitted on".
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of all metrics and of the intervals.
    n_bins : int, default=15
        Number of bins of the calibration error.
    n_bootstrap : int, default=1000
        Number of resamples of the test set for the intervals.
    confidence_level : float, default=0.95
        Level of each interval separately, between 0 and 1.
    n_repeats : int, default=5
        Number of timed predictions of each model.
    random_state : int, RandomState instance or None, default=None
        Seed of the resamples.

    Returns
    -------
    DistillationReport
        Two DataFrames with a printed form: ``table`` has a row for each model,
        ``did_the_teacher_help`` a row for each metric of the paired comparison.

        Columns of ``table``, with rows "teacher", "baseline", "distilled":

        - accuracy: share of the samples whose most probable class is right;
        - cross_entropy: nats, probabilities below 2.2e-16 raised to it, as
          :func:`sklearn.metrics.log_loss` does;
        - brier: :func:`~sklearn_distill.metrics.brier_score`, halved for two classes;
        - calibration_error: :func:`~sklearn_distill.metrics.expected_calibration_error`;
        - uncertainty_degree and max_min_gap: of the model's own columns;
        - fidelity: :func:`~sklearn_distill.metrics.fidelity_score` with the teacher;
        - n_parameters: :func:`count_parameters`, NaN if it does not support the model;
        - n_bytes: length of the pickle;
        - predict_us_per_row: microseconds of predict_proba per row, the median of `n_repeats`
          predictions of a batch of at most 1000 rows.

        The last three measure what would be deployed: of a teacher-student estimator ``student_``
        with its own features, of a BornAgainClassifier ``estimator_``, of a search
        ``best_estimator_``, of a Pipeline its steps.

        ``did_the_teacher_help``: :func:`paired_bootstrap` of distilled − baseline for accuracy,
        cross_entropy and brier. The verdict is "undecided" where the interval contains 0, and
        where so few samples differ (m, with 2^(1−m) > 1 − `confidence_level`) that no test could
        decide. The interval covers these two fitted students on other test samples; whether
        distillation helps on other training sets takes repeated fits.

    Raises
    ------
    ValueError
        If neither or both of `teacher` and `teacher_proba` are passed, a model has no
        predict_proba, or the rows, the classes or an option do not fit; the message names the
        argument.

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
    ...     teacher=teacher, baseline=student, distilled=student, X=X[test], y=y[test]
    ... )
    >>> report.table["n_parameters"].tolist()[1:]
    [15.0, 15.0]
    >>> report.did_the_teacher_help.loc["accuracy", "verdict"]
    'undecided'
    """
    _check_options(teacher, teacher_proba, n_repeats)
    students = {
        name: timed_predict_proba(model, X, name, n_repeats)
        for name, model in {"baseline": baseline, "distilled": distilled}.items()
    }
    if teacher_proba is not None:
        # columns without names are in the order of the student's classes
        classes = students["distilled"].classes
        teacher_model = read_proba(teacher_proba, teacher_classes, classes, "teacher_proba")
    else:
        X_teacher = X if X_teacher is None else X_teacher
        teacher_model = timed_predict_proba(teacher, X_teacher, "teacher", n_repeats)
    models = {"teacher": teacher_model} | students
    test = _test_set(y, sample_weight, models)
    q = teacher_model.align(test.classes)
    table = {name: table_row(model, test, q, n_bins) for name, model in models.items()}
    did_the_teacher_help = compare_paired(
        scores_by_sample(students["baseline"], test),
        scores_by_sample(students["distilled"], test),
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


def _test_set(
    y: ArrayLike, sample_weight: ArrayLike | None, models: dict[str, ModelProba]
) -> TestSet:
    # the union: a student fitted on few labels may not know every class of y
    classes = all_classes(y, models.values())
    k = class_index(y, classes, len(classes), "y")
    for model in models.values():
        check_same_length("y", len(k), f"{model.name}'s prediction", len(model.proba))
    return TestSet(k, check_sample_weight(sample_weight, len(k)), classes)


def _check_options(
    teacher: BaseEstimator | None, teacher_proba: ArrayLike | None, n_repeats: int
) -> None:
    if (teacher is None) == (teacher_proba is None):
        passed, verb = ("neither", "was") if teacher is None else ("both", "were")
        raise ValueError(f"{passed} of teacher and teacher_proba {verb} passed; pass exactly one.")
    if not isinstance(n_repeats, Integral) or n_repeats < 1:
        raise ValueError(f"n_repeats={n_repeats!r}; pass a whole number, 1 or more.")


@dataclass(frozen=True, eq=False, repr=False)
class DistillationReport:
    """Metrics of a teacher, the baseline and the distilled student, and the students' difference.

    Parameters
    ----------
    table : DataFrame
        Rows "teacher", "baseline", "distilled"; columns as in :func:`distillation_report`.
    did_the_teacher_help : DataFrame
        By metric the difference distilled − baseline, the ends low and high of its interval, and
        the verdict "helps", "hurts" or "undecided".
    n_rows : int
        Number of test samples.
    classes : list
        Every class that occurs in y or that a model knows.
    n_bootstrap : int
        Number of resamples of the test set for the intervals.
    confidence_level : float
        Level of each interval separately, between 0 and 1.
    teacher_saw : str or None
        The samples that the teacher was fitted on, in the user's words.
    """

    table: pd.DataFrame
    did_the_teacher_help: pd.DataFrame
    n_rows: int
    classes: list[Any]
    n_bootstrap: int
    confidence_level: float
    teacher_saw: str | None = None

    def plot(
        self, metric: str = "accuracy", *, cost: str = "predict_us_per_row", ax: Axes | None = None
    ) -> ReportDisplay:
        """Plot a metric against prediction time or size, with one point per model.

        Parameters
        ----------
        metric : str, default="accuracy"
            Column of ``table`` for the vertical axis.
        cost : {"predict_us_per_row", "n_parameters", "n_bytes"}, default="predict_us_per_row"
            Column of ``table`` for the horizontal axis, which is logarithmic.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        ReportDisplay
            The plot, with the interval of distilled − baseline.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``table`` has no such columns.
        """
        return ReportDisplay.from_report(self, metric=metric, cost=cost, ax=ax)

    @property
    def _heading(self) -> str:
        fitted_on = f" The teacher was fitted on {self.teacher_saw}." if self.teacher_saw else ""
        return f"{self.n_rows} test samples, {len(self.classes)} classes.{fitted_on}"

    @property
    def _question(self) -> str:
        return (
            "Did the teacher help? Distilled − baseline, "
            f"{100 * self.confidence_level:g} % intervals of {self.n_bootstrap} paired "
            "resamples of the test set"
        )

    def _table_text(self) -> pd.DataFrame:
        """Return the table as text; a column for each model, so that it fits a terminal."""
        rows = {
            str(column): [_text(value, _FORMATS.get(str(column), ".4f")) for value in values]
            for column, values in self.table.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.table.index))

    def _comparison_text(self) -> pd.DataFrame:
        frame = self.did_the_teacher_help
        texts = {c: [_text(v, "+.4f") for v in frame[c]] for c in ("difference", "low", "high")}
        texts["verdict"] = frame["verdict"].tolist()
        return pd.DataFrame(texts, index=frame.index).rename_axis(None)

    def __str__(self) -> str:
        tables = self._table_text().to_string(), self._comparison_text().to_string()
        return f"{self._heading}\n\n{tables[0]}\n\n{self._question}\n\n{tables[1]}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        tables = self._table_text().to_html(), self._comparison_text().to_html()
        heading, question = escape(self._heading), escape(self._question)
        return f"<p>{heading}</p>{tables[0]}<p>{question}</p>{tables[1]}"


def _text(value: float, form: str) -> str:
    # a teacher that is given by its probabilities has no size and no time
    return "–" if math.isnan(value) else format(value, form)
