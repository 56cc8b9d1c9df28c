"""Compare a teacher, the baseline and distilled students on a test set, and decide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import is_regressor

from sklearn_distill._typing import CheckedX, MatrixLike
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.distillers._teacher_check import TeacherCheck, find_worse_teacher
from sklearn_distill.inspection._comparison import Comparison
from sklearn_distill.inspection._decision import decide
from sklearn_distill.inspection._html import html_page
from sklearn_distill.inspection._report_models import (
    align,
    name_students,
    predict,
    prior,
    read_prior,
    read_teacher,
    read_truth,
    teacher_as_truth,
    warn_if_implausible_here,
)
from sklearn_distill.inspection._scoring import Scoring, read_scoring
from sklearn_distill.inspection._test_set import TestSet
from sklearn_distill.inspection.intervals import MIN_UNITS, check_level
from sklearn_distill.inspection.latency import COLUMNS as LATENCY
from sklearn_distill.inspection.latency import check_counts, predict_latency
from sklearn_distill.inspection.report_display import ReportDisplay
from sklearn_distill.inspection.size import count_parameters, student_size
from sklearn_distill.metrics._multi_label import has_several_labels

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

_FORMATS = dict.fromkeys(("n_parameters", "n_bytes", *LATENCY), ",.0f") | {"gap_closed": ".0%"}


def distillation_report(
    *,
    baseline: BaseEstimator,
    distilled: BaseEstimator | Mapping[str, BaseEstimator],
    X: MatrixLike,
    y: ArrayLike | None = None,
    teacher: BaseEstimator | None = None,
    X_teacher: MatrixLike | None = None,
    teacher_proba: ArrayLike | None = None,
    teacher_classes: ArrayLike | None = None,
    teacher_prediction: ArrayLike | None = None,
    teacher_saw: str | None = None,
    y_train: ArrayLike | None = None,
    scoring: Scoring = None,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_bins: int = 15,
    confidence_level: float = 0.95,
    n_repeats: int = 100,
    n_threads: int = 1,
) -> DistillationReport:
    """Compare a teacher, the baseline and distilled students on a test set, and decide.

    None of the models may have been fitted on samples of the test set. Classifiers may know
    different classes: all are compared over every class that occurs in `y` or that one of them
    knows, and a class that a model does not know has probability 0.

    The first metric of `scoring` decides, by intervals of paired differences:

    1. No model is better than the prior: do not distil.
    2. The distilled student is better than the baseline: distil.
    3. The teacher is worse than the baseline, or the distilled student is: do not distil.
    4. Else it is undecided.

    Parameters
    ----------
    baseline : fitted classifier with predict_proba, or fitted regressor
        The student, fitted on the labels alone. It may be a pipeline or a search.
    distilled : fitted estimator, or dict of them by name
        The same student, fitted with the teacher's predictions too. Of several, the best on the
        test set is the one of the headline; their intervals hold for all of them together.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Test samples, with the features of the students.
    y : array-like of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_outputs), \
            default=None
        Test labels, or the numbers of a regression; rows where one is missing (NaN, None) are left
        out. Two dimensions are soft labels: metrics are expectations over labels drawn from them.
        The columns of a DataFrame are their classes, unnamed ones are ``distilled.classes_``. Of
        classifiers of several labels, the columns are the labels, any of which may be missing. None
        compares with the teacher's predictions instead.
    teacher : fitted estimator, default=None
        The teacher; or pass its predictions.
    X_teacher : {array-like, sparse matrix, DataFrame}, default=None
        The same samples with the features of the teacher (privileged features); None is `X`.
    teacher_proba : array-like of shape (n_samples, n_classes) or (n_samples,), default=None
        The teacher's predicted probabilities of these samples, if the teacher itself is not
        available; rows of NaN are missing. The columns of a DataFrame are its classes. The
        teacher's size and time are then NaN.
    teacher_classes : array-like of shape (n_classes,), default=None
        The class of each column of `teacher_proba`; None takes the columns of a DataFrame, else
        ``distilled.classes_``.
    teacher_prediction : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        The same for regressors.
    teacher_saw : str, default=None
        The samples that the teacher was fitted on, in words for the printed report, such as
        "rows 0-899, none of which the students were fitted on".
    y_train : array-like, default=None
        Labels or numbers that the students were fitted on, in the formats of `y`, for the prior.
        None takes the test set's own, which no model could know: the prior then looks a little
        better than it is.
    scoring : str, list of str, or dict of str to str or scorer, default=None
        The metrics, the first of which decides: names of scikit-learn's scorers, with or without
        ``"neg_"``, "calibration_error", "uncertainty_degree" or "max_min_gap"; or scorers by name.
        None is log loss, Brier score, accuracy, balanced accuracy, area under the ROC curve (of
        several classes the mean, each against the rest) and calibration error; of regressors root
        mean squared error, mean absolute error and R². Of several labels it is log loss, Brier
        score and accuracy over all labels of all samples (``label_accuracy``), and scikit-learn's
        ``accuracy`` (samples with all labels right), ``f1_macro`` and ``f1_micro`` over samples
        without a missing label.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of all metrics and of the intervals.
    groups : array-like of shape (n_samples,), default=None
        Groups of dependent samples, such as those of one patient, for the intervals.
    n_bins : int, default=15
        Number of bins of the calibration error.
    confidence_level : float, default=0.95
        Level of each interval separately, between 0 and 1; of several distilled students, of the
        intervals of a metric together (Bonferroni).
    n_repeats : int, default=100
        Number of timed predictions of a single row, for at most two seconds a model.
    n_threads : int, default=1
        Number of threads of BLAS and of OpenMP while times are measured.

    Returns
    -------
    DistillationReport
        With ``headline`` and ``decision``, and two DataFrames: ``table`` has a row for each model,
        ``did_the_teacher_help`` a row for each metric of the paired comparison.

        ``table`` has the rows "prior" (a constant prediction: the frequencies of the classes, or
        the mean, of `y_train` or else of `y`), "teacher", "baseline" and "distilled", or the names
        of the students, and the columns

        - the metrics: losses are positive, whatever the name of the scorer;
        - fidelity: share of samples of which the model predicts the teacher's class
          (:func:`~sklearn_distill.metrics.fidelity_score`); R² with the teacher's predictions as
          the truth for regressors;
        - gap_closed: (model − baseline) / (teacher − baseline) in the metric that decides; NaN
          where the teacher is not shown to be better;
        - n_parameters: :func:`count_parameters`, NaN if it does not support the model;
        - n_bytes: length of the pickle;
        - latency_p50_us and latency_p99_us: median and 99 % quantile of the time to predict one
          row, in microseconds;
        - rows_per_second: of the median batch of at most 1000 rows.

        The last five measure what would be deployed: of a teacher-student estimator ``student_``
        with its own features, of a BornAgainClassifier ``estimator_``, of a search
        ``best_estimator_``, of a Pipeline its steps.

        ``did_the_teacher_help``: for each metric distilled − baseline, and its interval as
        :func:`paired_interval` has it, for other metrics than means by their influence values; an
        index of student and metric if there are several students. The verdict is "undecided" where
        the interval contains 0. That of a mean loss is extended to 0 where the m samples that
        differ are so few that no test could decide, 2^(1−m) > 1 − `confidence_level`; of accuracies
        the score interval allows for that. The intervals cover these fitted
        students on other test samples; whether distillation helps on other training sets takes
        repeated fits and :func:`split_interval`. Those of the calibration error, which is no smooth
        function of means, are too wide where the students are alike: the user guide has figures.

    Raises
    ------
    ValueError
        If not exactly one of `teacher`, `teacher_proba` and `teacher_prediction` is passed, a model
        has no predict_proba, or the rows, the classes or an option do not fit; the message names
        the argument.

    Warns
    -----
    UserWarning
        If the test set has fewer than 50 samples (or groups).
    ImplausibleTeacherWarning
        If the labels agree with the teacher's predictions no better than with their rows shuffled,
        or better with their columns in another order, or numbers have the opposite sign, in 50
        labelled samples or more: as in the fits of the students.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_distill.inspection import distillation_report
    >>> X, y = load_iris(return_X_y=True)
    >>> train, test = slice(0, None, 2), slice(1, None, 2)
    >>> teacher = RandomForestClassifier(10, random_state=0).fit(X[train], y[train])
    >>> student = LogisticRegression(C=0.01).fit(X[train], y[train])
    >>> report = distillation_report(
    ...     teacher=teacher, baseline=student, distilled=student, X=X[test], y=y[test]
    ... )
    >>> report.decision
    'undecided'
    >>> report.table["n_parameters"].tolist()[2:]
    [15.0, 15.0]
    """
    check_counts(n_repeats=n_repeats, n_threads=n_threads, n_bins=n_bins)
    check_level(confidence_level)
    _check_teacher(teacher, teacher_proba, teacher_prediction)
    check_row_order(
        X,
        y,
        sample_weight=sample_weight,
        groups=groups,
        X_teacher=X_teacher,
        teacher_proba=teacher_proba,
        teacher_prediction=teacher_prediction,
    )
    is_class = hasattr(baseline, "predict_proba") or not is_regressor(baseline)
    n_labels = len(baseline.classes_) if has_several_labels(baseline) else 0
    metrics = read_scoring(scoring, is_class, n_bins, has_labels=n_labels > 0)
    fitted = {"baseline": baseline} | name_students(distilled)
    features: dict[str, MatrixLike] = dict.fromkeys(fitted, X)
    kind = {"is_class": is_class, "has_labels": n_labels > 0}
    students = {name: predict(model, X, name, **kind) for name, model in fitted.items()}
    if teacher is None:
        student = list(students.values())[-1]  # unnamed columns have its classes
        precomputed = read_teacher(
            teacher_proba, teacher_prediction, teacher_classes, student, n_labels
        )
        models = {"teacher": precomputed} | students
    else:
        features["teacher"] = X if X_teacher is None else X_teacher
        models = {"teacher": predict(teacher, features["teacher"], "teacher", **kind)} | students
    known = None if y_train is None else read_prior(y_train, models["baseline"], n_labels)
    compared = [*([] if known is None else [known]), *models.values()]
    test = read_truth(y, models["teacher"], compared, sample_weight, groups, n_labels)
    _warn_if_small(test, confidence_level)
    trivial = prior(test) if known is None else align(known, test)
    aligned = {"prior": trivial} | {name: align(m, test) for name, m in models.items()}
    if y is not None and not n_labels:
        warn_if_implausible_here(aligned["teacher"], test, models["teacher"].name)
    n_entries = max(1, n_labels)  # of a row
    s = np.repeat(check_sample_weight(sample_weight, test.n_rows // n_entries), n_entries)
    imitated = teacher_as_truth(aligned["teacher"], s, test.classes)
    comparison = Comparison.of(aligned, test, imitated, metrics, confidence_level)
    method = "predict_proba" if is_class else "predict"
    costs = {
        name: _costs(model.model, features.get(name), method, n_repeats, n_threads)
        for name, model in models.items()
    }
    table = comparison.table().join(pd.DataFrame.from_dict(costs, orient="index"))
    evidence = comparison.evidence(table["rows_per_second"], judge_is_teacher=y is None)
    decision, headline = decide(evidence)
    n_rows = len(np.unique(test.rows // n_entries))
    judged = find_worse_teacher(fitted[evidence.student])
    return DistillationReport(
        headline=headline,
        decision=decision,
        table=table,
        did_the_teacher_help=comparison.differences(),
        metric=metrics[0].name,
        n_rows=n_rows,
        n_rows_left_out=test.n_rows // n_entries - n_rows,
        classes=test.classes,
        confidence_level=confidence_level,
        n_threads=n_threads,
        judge="teacher" if y is None else "y",
        teacher_saw=teacher_saw,
        n_labels=n_labels,
        # once is enough: the headline is about the teacher on the test samples
        worse_in_training=None if evidence.teacher_is_worse else judged,
    )


def _warn_if_small(test: TestSet, confidence_level: float) -> None:
    if test.n_units < MIN_UNITS:
        warn_user(
            f"the test set has {test.n_units} independent samples: intervals of fewer than "
            f"{MIN_UNITS} may cover less than {100 * confidence_level:g} %."
        )


def _costs(
    model: Any, X: CheckedX, method: str, n_repeats: int, n_threads: int
) -> dict[str, float]:
    if model is None:
        return dict.fromkeys(("n_parameters", "n_bytes", *LATENCY), math.nan)
    size = {"n_parameters": count_parameters(model), "n_bytes": student_size(model)}
    return size | predict_latency(model, X, method=method, n_repeats=n_repeats, n_threads=n_threads)


def _check_teacher(*forms: object) -> None:
    passed = sum(form is not None for form in forms)
    if passed != 1:
        names = "teacher, teacher_proba and teacher_prediction"
        raise ValueError(f"{passed} of {names} were passed; pass exactly one.")


@dataclass(frozen=True, eq=False, repr=False)
class DistillationReport:
    """What to do, the metrics and costs of all models, and the students' differences.

    Parameters
    ----------
    headline : str
        One sentence: whether to distil, and why.
    decision : {"distil", "do not distil", "undecided"}
        The same in short.
    table : DataFrame
        Rows "prior", "teacher", "baseline" and the distilled students; columns as in
        :func:`distillation_report`.
    did_the_teacher_help : DataFrame
        By metric the difference distilled − baseline, the ends low and high of its interval, which
        values are better ("higher", "lower" or "neither"), and the verdict "helps", "hurts" or
        "undecided" ("–" where neither is better).
    metric : str
        The metric that decides.
    n_rows : int
        Number of test samples with a true value.
    n_rows_left_out : int
        Number of test samples without one, or of weight 0.
    classes : list or None
        Every class that occurs in y or that a model knows; None for regressors.
    confidence_level : float
        Level of the intervals, between 0 and 1.
    n_threads : int
        Number of threads with which times were measured.
    judge : {"y", "teacher"}
        What the models were compared with.
    teacher_saw : str or None
        The samples that the teacher was fitted on, in the user's words.
    n_labels : int, default=0
        Number of labels of classifiers of several labels.
    worse_in_training : TeacherCheck or None, default=None
        The ``teacher_check_`` of the student of the headline, if it is a teacher-student estimator
        that found its teacher worse than the baseline on its training samples, which the test
        samples do not show.
    """

    headline: str
    decision: str
    table: pd.DataFrame
    did_the_teacher_help: pd.DataFrame
    metric: str
    n_rows: int
    n_rows_left_out: int
    classes: list[Any] | None
    confidence_level: float
    n_threads: int
    judge: str
    teacher_saw: str | None = None
    n_labels: int = 0
    worse_in_training: TeacherCheck | None = None

    def plot(
        self, metric: str | None = None, *, cost: str = "latency_p50_us", ax: Any = None
    ) -> ReportDisplay:
        """Plot the differences with their intervals, and a metric against a cost.

        Parameters
        ----------
        metric : str, default=None
            Column of ``table`` for the vertical axis of the plane; None is the metric that decides.
        cost : {"latency_p50_us", "latency_p99_us", "rows_per_second", "n_parameters", "n_bytes"}, \
                default="latency_p50_us"
            Column of ``table`` for its horizontal axis, which is logarithmic.
        ax : two matplotlib Axes or one, default=None
            Axes of the intervals and of the plane, or of the plane only; None creates a figure.

        Returns
        -------
        ReportDisplay
            The plot.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``table`` has no such columns.
        """
        return ReportDisplay.from_report(self, metric=metric, cost=cost, ax=ax)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return one self-contained page: the headline, the tables and the figure.

        Parameters
        ----------
        path : str or path-like, default=None
            File to write the page to.

        Returns
        -------
        str
            The page; it loads nothing, so that it can be sent as a file.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        page = html_page(self._repr_html_(), self.plot)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page

    @property
    def _heading(self) -> str:
        classes = "" if self.classes is None else f", {len(self.classes)} classes"
        if self.n_labels:
            classes = f", {self.n_labels} labels"
        without = f" ({self.n_rows_left_out} more without a true value)" * bool(
            self.n_rows_left_out
        )
        judge = " Compared with the teacher's predictions." * (self.judge == "teacher")
        fitted_on = f" The teacher was fitted on {self.teacher_saw}." if self.teacher_saw else ""
        fitted_on += self._training
        threads = f"\nTimes with {self.n_threads} thread{'s' * (self.n_threads > 1)}."
        return f"{self.n_rows} test samples{without}{classes}.{judge}{fitted_on}{threads}"

    @property
    def _training(self) -> str:
        """Return what the training samples say against the teacher."""
        if self.worse_in_training is None:
            return ""
        loss_name = "squared error" if self.classes is None else "cross-entropy"
        return (
            "\nOn training samples that it was not fitted on, the teacher is worse than the "
            f"baseline: {self.worse_in_training.describe(loss_name)}."
        )

    @property
    def _question(self) -> str:
        several = isinstance(self.did_the_teacher_help.index, pd.MultiIndex)
        together = " for all students together" if several else ""
        return (
            "Did the teacher help? Distilled − baseline, "
            f"{100 * self.confidence_level:g} % intervals{together}.\n"
            f"{self.metric} decides; each other metric has its own interval at this level."
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
        texts |= {c: frame[c].tolist() for c in ("better", "verdict")}
        unnamed = frame.index.set_names([None] * frame.index.nlevels)
        return pd.DataFrame(texts, index=unnamed)

    def __str__(self) -> str:
        tables = self._table_text().to_string(), self._comparison_text().to_string()
        return (
            f"{self.headline}\n\n{self._heading}\n\n{tables[0]}\n\n{self._question}\n\n{tables[1]}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        tables = self._table_text().to_html(), self._comparison_text().to_html()
        heading, question = escape(self._heading), escape(self._question)
        return (
            f"<p><strong>{escape(self.headline)}</strong></p><p>{heading}</p>{tables[0]}"
            f"<p>{question}</p>{tables[1]}"
        )


def _text(value: float, form: str) -> str:
    # a teacher that is given by its probabilities has no size and no time
    return "–" if math.isnan(value) else format(value, form)
