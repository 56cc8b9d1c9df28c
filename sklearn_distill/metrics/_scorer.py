"""Scorers of fitted estimators: by the labels that are there, or by a teacher."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn import get_config
from sklearn.metrics import get_scorer as sklearn_scorer
from sklearn.utils.metadata_routing import MetadataRequest

from sklearn_distill._typing import ArrayLike, FloatArray, MatrixLike, TargetLike, TeacherLike
from sklearn_distill._validation.absent_rows import blank_absent
from sklearn_distill._validation.label_matrix import check_label_matrix
from sklearn_distill._validation.labelled_rows import take_labelled
from sklearn_distill._validation.numbers import list_values
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.targets import check_regression_outputs
from sklearn_distill._validation.teacher import check_teacher, read_teacher
from sklearn_distill.metrics._multi_label import (
    has_several_labels,
    score_by_labels,
    score_by_teacher,
)
from sklearn_distill.metrics._row_scores import weighted_mean

LabelScore = Callable[[list[Any], FloatArray, list[Any], ArrayLike | None], float]
RowLoss = Callable[[FloatArray, FloatArray], FloatArray]


class Scorer(ABC):
    """What scikit-learn's tools ask of a scorer beside the score: the metadata that it requests.

    Parameters
    ----------
    name : str
        The name that :func:`get_scorer` knows it by.
    judge : {"teacher_proba", "teacher_prediction"} or None
        The parameter with the predictions of the teacher that judges; None for labels.
    weighted : bool
        Whether it takes sample weights.
    """

    def __init__(self, name: str, judge: str | None = None, *, weighted: bool = True) -> None:
        self.name = name
        self.judge = judge
        self._requests: dict[str, bool | str | None] = {"sample_weight": None} if weighted else {}
        if judge is not None:
            self._requests[judge] = True

    def __call__(
        self,
        estimator: Any,
        X: MatrixLike,
        y: TargetLike = None,
        *,
        sample_weight: ArrayLike | None = None,
        teacher_proba: TeacherLike = None,
        teacher_prediction: TeacherLike = None,
    ) -> float:
        """Return the score of a fitted estimator; the larger, the better.

        Parameters
        ----------
        estimator : fitted estimator
            The estimator to score.
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or None
            Labels, some of them missing; ignored if a teacher judges.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the samples.
        teacher_proba, teacher_prediction : array-like, DataFrame or None
            The predictions of the teacher that judges: of class probabilities, or of numbers.

        Returns
        -------
        float
            The score.

        Raises
        ------
        TypeError
            If it got a parameter that it does not take.
        ValueError
            If nothing can be scored, an argument is invalid, or its index has the rows of X or y in
            another order.
        """
        teachers = {"teacher_proba": teacher_proba, "teacher_prediction": teacher_prediction}
        given = {"sample_weight": sample_weight} | teachers
        unknown = [name for name, value in given.items() if value is not None]
        self._check_known([name for name in unknown if name not in self._requests], "it")
        if self.judge is not None and teachers[self.judge] is None:
            raise ValueError(_missing_judge(self, self.judge))
        check_row_order(X, y, **given)
        judged_by = y if self.judge is None else teachers[self.judge]
        return self._score(estimator, X, judged_by, sample_weight)

    @abstractmethod
    def _score(
        self, estimator: Any, X: MatrixLike, judged_by: Any, sample_weight: ArrayLike | None
    ) -> float:
        """Return the score by labels, or by the predictions of a teacher."""

    def _check_known(self, unknown: list[str], who: str) -> None:
        if unknown:
            raise TypeError(
                f"{who} got {list_values(unknown)}, but {self!r} takes "
                f"{list_values(sorted(self._requests))}"
            )

    def __repr__(self) -> str:
        return f"get_scorer({self.name!r})"

    def set_score_request(self, **requests: bool | str | None) -> Self:
        """Set which parameters a search passes on, with metadata routing; others stay as they are.

        Parameters
        ----------
        **requests : bool, str or None
            By parameter: True, False, None (an error if it is passed), or the name under which
            the search gets it.

        Returns
        -------
        Scorer
            The scorer itself.

        Raises
        ------
        RuntimeError
            If metadata routing is not enabled.
        TypeError
            If the scorer has no such parameter.
        """
        if not get_config()["enable_metadata_routing"]:
            raise RuntimeError(
                "set_score_request is only available with metadata routing: call "
                "sklearn.set_config(enable_metadata_routing=True) first"
            )
        self._check_known(sorted(set(requests) - set(self._requests)), "set_score_request")
        self._requests = self._requests | requests
        return self

    def get_metadata_routing(self) -> MetadataRequest:
        """Return the requests, as scikit-learn's tools read them.

        Returns
        -------
        MetadataRequest
            The requests of the method ``score``.
        """
        requests = MetadataRequest(owner=repr(self))
        for param, alias in self._requests.items():
            requests.score.add_request(param=param, alias=alias)
        return requests

    def _accept_sample_weight(self) -> bool:
        return "sample_weight" in self._requests  # asked by searches without metadata routing


class LabelledRowsScorer(Scorer):
    """A scorer of scikit-learn's on the rows that have a label.

    Parameters
    ----------
    name : str
        Its name in scikit-learn.
    """

    def __init__(self, name: str) -> None:
        self._scorer = sklearn_scorer(name)
        requests = self._scorer.get_metadata_routing().score.requests
        super().__init__(name, weighted="sample_weight" in requests)

    def _score(
        self, estimator: Any, X: MatrixLike, judged_by: Any, sample_weight: ArrayLike | None
    ) -> float:
        """Return the score of the rows with a label."""
        X, labels, weight = take_labelled(X, judged_by, sample_weight)
        if has_several_labels(estimator):  # floats are no labels to scikit-learn
            labels = check_label_matrix(labels, len(labels)).astype(np.int64)
        params = {} if weight is None else {"sample_weight": weight}
        return float(self._scorer(estimator, X, labels, **params))


class LabelProbaScorer(Scorer):
    """A score of predicted probabilities, over the classes of the estimator.

    Parameters
    ----------
    name : str
        Its name.
    score : callable
        ``score(y, p, classes, sample_weight)`` with labels, probabilities, the class of each
        column, and weights; the larger, the better.
    """

    def __init__(self, name: str, score: LabelScore) -> None:
        super().__init__(name)
        self._metric = score

    def _score(
        self, estimator: Any, X: MatrixLike, judged_by: Any, sample_weight: ArrayLike | None
    ) -> float:
        """Return the score of the rows with a label, or of the entries of several labels."""
        if has_several_labels(estimator):
            return score_by_labels(self._metric, estimator, X, judged_by, sample_weight)
        X, labels, weight = take_labelled(X, judged_by, sample_weight)
        p, known = np.asarray(estimator.predict_proba(X)), np.asarray(estimator.classes_).tolist()
        values = labels.tolist()
        unknown = _unknown_classes(values, known)
        # a class that the estimator does not know has probability 0
        p = np.column_stack([p, np.zeros((len(p), len(unknown)), dtype=p.dtype)])
        return self._metric(values, p, known + unknown, weight)


class TeacherProbaScorer(Scorer):
    """Minus a loss of predicted probabilities against a teacher's.

    Parameters
    ----------
    name : str
        Its name.
    row_loss : callable
        ``row_loss(q, p)`` with the teacher's and the estimator's probabilities, of shape
        (n_rows, n_classes); the loss of each row.
    """

    def __init__(self, name: str, row_loss: RowLoss) -> None:
        super().__init__(name, "teacher_proba")
        self._row_loss = row_loss

    def _score(
        self, estimator: Any, X: MatrixLike, judged_by: Any, sample_weight: ArrayLike | None
    ) -> float:
        """Return the score of the rows with a prediction of the teacher."""
        if has_several_labels(estimator):
            return score_by_teacher(self._row_loss, estimator, X, judged_by, sample_weight)
        p = np.asarray(estimator.predict_proba(X))
        s = check_sample_weight(sample_weight, len(p))
        output = read_teacher(judged_by, None, len(p))
        assert output is not None
        output = replace(output, values=blank_absent(output.values, s == 0))
        teachers = check_teacher(output, np.asarray(estimator.classes_))
        rows = teachers.teacher_mask
        if not rows.any():
            raise ValueError(f"teacher_proba is missing in every row that {self!r} is to score")
        q = teachers.soften(1.0).T[rows]
        return -weighted_mean(self._row_loss(q, p[rows]), s[rows])


class TeacherPredictionScorer(Scorer):
    """A regressor's score with a teacher's predictions in place of the labels.

    Parameters
    ----------
    name : str
        Its name.
    by_labels : str
        The name of scikit-learn's scorer by labels.
    """

    def __init__(self, name: str, by_labels: str) -> None:
        super().__init__(name, "teacher_prediction")
        self._scorer = LabelledRowsScorer(by_labels)

    def _score(
        self, estimator: Any, X: MatrixLike, judged_by: Any, sample_weight: ArrayLike | None
    ) -> float:
        """Return the score of the rows with a prediction of the teacher."""
        n_rows = len(estimator.predict(X))
        columns, flat = check_regression_outputs("teacher_prediction", judged_by, n_rows)
        assert columns is not None
        if np.isnan(columns).all():
            raise ValueError(
                f"teacher_prediction is missing in every row that {self!r} is to score"
            )
        target = columns[:, 0] if flat else columns
        return self._scorer(estimator, X, target, sample_weight=sample_weight)


def _missing_judge(scorer: Scorer, name: str) -> str:
    """Return the message of a scorer that did not get its teacher."""
    cause = f"{scorer!r} judges by {name}, which it did not get: "
    if get_config()["enable_metadata_routing"]:
        return (
            f"{cause}pass {name}= to the search, as fit(X, {name}=...), or what "
            f"set_score_request({name}=...) names instead"
        )
    return (
        f"{cause}scikit-learn's tools pass it to a scorer with metadata routing only: "
        f"sklearn.set_config(enable_metadata_routing=True) before fit(X, {name}=...)"
    )


def _unknown_classes(labels: list[Any], known: list[Any]) -> list[Any]:
    """Return the classes of labels that an estimator was not fitted on, in ascending order."""
    unknown = set(labels) - set(known)
    if unknown and {isinstance(one, str) for one in unknown} != {isinstance(known[0], str)}:
        raise ValueError(
            f"y has the labels {list_values(sorted(unknown, key=str))}, and the estimator's "
            f"classes are {list_values(known)}: give labels of the same type"
        )
    return sorted(unknown)
