"""A student for each of several labels, which gets its column of the teacher's predictions."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._doc_link import DocLink
from sklearn_distill._typing import ArrayLike, FloatArray, MatrixLike, TargetLike, TeacherLike
from sklearn_distill._validation.extra_sets import entry_of_single, name_validation_set_in_errors
from sklearn_distill._validation.fit_params import fit_param_name, student_param_name
from sklearn_distill._validation.fitting import (
    HasMethods,
    all_or_nothing,
    available_if,
    validated_parameters,
)
from sklearn_distill._validation.indexing import (
    as_samples,
    check_features,
    n_samples,
    set_features,
    take_rows,
)
from sklearn_distill._validation.label_matrix import (
    LabelColumn,
    LabelData,
    check_label_matrix,
    naming_label,
)
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill.students._onnx_method import OnnxMethod

_FIT_PARAMS = ("sample_weight", "teacher_proba", "teacher_logits", "X_val", "y_val")


def _predicts_proba(student: MultiLabelStudent) -> bool:
    fitted = getattr(student, "estimators_", None)
    return hasattr(fitted[0] if fitted else student.estimator, "predict_proba")


class MultiLabelStudent(OnnxMethod, ClassifierMixin, MetaEstimatorMixin, DocLink, BaseEstimator):
    """A student of two classes for each of several labels, any of which a row may have.

    As scikit-learn's :class:`~sklearn.multioutput.MultiOutputClassifier`, but each student also
    gets its label's column of the teacher's predictions. Labels and predictions may be missing one
    by one: the student of a label is fitted on the samples that have its label or a prediction of
    it. A network has all labels in one module, without this class.

    Parameters
    ----------
    estimator : estimator
        A classifier, cloned for each label: a student of this package, a Pipeline that ends in
        one, or, without a teacher, any other.
    n_jobs : int or None, default=None
        Number of labels that are fitted at the same time, as in joblib.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted student of each label.
    classes_ : list of ndarray
        [0, 1] for each label, as scikit-learn's scorers expect it.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

    See Also
    --------
    DistilledNeuralClassifier : A network with one logit for each label.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_distill import DistilledLogisticRegression, MultiLabelStudent
    >>> X, Y = make_multilabel_classification(n_classes=3, random_state=0)
    >>> teacher_proba = 0.1 + 0.8 * Y  # usually the predictions of a model
    >>> student = MultiLabelStudent(DistilledLogisticRegression())
    >>> student.fit(X, Y, teacher_proba=teacher_proba).predict(X[:2])
    array([[0, 1, 0],
           [0, 1, 0]])
    """

    estimators_: list[Any]
    classes_: list[NDArray[Any]]

    # requested by default: meta-estimators slice them by row with X, without set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_proba": True,
        "teacher_logits": True,
        "teacher_weight": True,
        "X_val": True,
        "y_val": True,
    }

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_jobs": [Integral, None],
    }

    def __init__(self, estimator: Any, *, n_jobs: int | None = None) -> None:
        self.estimator = estimator
        self.n_jobs = n_jobs

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_proba: TeacherLike = None,
        teacher_logits: TeacherLike = None,
        teacher_weight: ArrayLike | None = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Fit a student for each label.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, which are passed on.
        y : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_labels)
            1 for the labels that a sample has, else 0; NaN, None and pd.NA are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights.
        teacher_proba : array-like, DataFrame or list, or None
            The teacher's probability of each label, of shape (n_samples, n_labels), NaN where it
            is missing; of several teachers, of shape (n_samples, n_teachers, n_labels). Or a list
            with an array (n_samples, 2) for each label, as the ``predict_proba`` of scikit-learn's
            forests. A DataFrame is aligned with a DataFrame y by its names.
        teacher_logits : array-like or DataFrame, or None
            Log-odds instead of probabilities.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each sample, for all of its labels, as for
            ``estimator``.
        X_val, y_val : array-like or None
            Validation samples of students that take them, with labels of shape (n_val, n_labels).

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If y has other values, a prediction is no probability, shapes differ, a sample has
            neither a label nor a prediction, or ``estimator`` takes no such parameter.
        """
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
            teacher_weight=teacher_weight,
        )
        X = as_samples(X)
        set_features(self, X)
        teacher = teacher_proba, teacher_logits, teacher_weight
        data = LabelData.read(y, n_samples(X), sample_weight, *teacher)
        held_out = _read_held_out(X_val, y_val, data.labels.shape[1])
        given = {
            "sample_weight": sample_weight,
            "teacher_proba": teacher_proba,
            "teacher_logits": teacher_logits,
            "teacher_weight": teacher_weight,
            "X_val": X_val,
            "y_val": y_val,
        }
        names = _param_names(self.estimator, [k for k, v in given.items() if v is not None])
        self.estimators_ = list(
            Parallel(n_jobs=self.n_jobs)(
                delayed(_fit_label)(label, self.estimator, X, data.column(label), names, held_out)
                for label in range(data.labels.shape[1])
            )
        )
        self.classes_ = [np.array([0, 1])] * len(self.estimators_)
        return self

    def predict(self, X: MatrixLike) -> NDArray[np.int64]:
        """Return which labels each sample has.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features of the samples to predict.

        Returns
        -------
        ndarray of shape (n_samples, n_labels)
            1 for the labels that a sample has, else 0.
        """
        X = self._checked(X)
        columns = np.column_stack([one.predict(X) for one in self.estimators_])
        return columns.astype(np.int64)

    @available_if(_predicts_proba)
    def predict_proba(self, X: MatrixLike) -> FloatArray:
        """Return the probability of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features of the samples to predict.

        Returns
        -------
        ndarray of shape (n_samples, n_labels)
            Probabilities, as of :class:`~sklearn.multiclass.OneVsRestClassifier` and
            :class:`~sklearn.multioutput.ClassifierChain`, which can be passed to another student
            as ``teacher_proba``.
        """
        X = self._checked(X)
        return np.column_stack([_proba_of_label(one, X) for one in self.estimators_])

    def to_sklearn(self) -> Any:
        """Convert to a scikit-learn OneVsRestClassifier with the same predictions.

        Returns
        -------
        OneVsRestClassifier
            Fitted; it no longer depends on this package.

        Raises
        ------
        TypeError
            If scikit-learn has no estimator with the predictions of a label's student, that student
            knows only one class, or there is only one label.
        """
        check_is_fitted(self)
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.preprocessing import LabelBinarizer

        from sklearn_distill.deployment import to_sklearn  # slow to import

        if len(self.estimators_) == 1:
            raise TypeError(
                "scikit-learn's OneVsRestClassifier has two columns for a single label: convert "
                "estimators_[0]"
            )
        students = [to_sklearn(one) for one in self.estimators_]
        for label, student in enumerate(students):
            if list(student.classes_) != [0, 1]:
                raise TypeError(
                    f"the student of label {label} knows only the classes {student.classes_}, so "
                    "that its predictions have fewer columns: save the model itself"
                )
        plain = OneVsRestClassifier(students[0])
        plain.estimators_ = students
        indicators = np.eye(len(students) + 1, len(students), dtype=int)
        plain.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(indicators)
        plain.classes_ = plain.label_binarizer_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(plain, name, getattr(self, name))
        return plain

    def _checked(self, X: MatrixLike) -> Any:
        check_is_fitted(self)
        return check_features(self, as_samples(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.non_deterministic = inner.non_deterministic
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.multi_class = False
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags


def _read_held_out(X_val: Any, y_val: Any, n_labels: int) -> tuple[Any, FloatArray] | None:
    """Return the features and the labels of the validation samples."""
    if X_val is None and y_val is None:
        return None
    if X_val is None or y_val is None:
        raise ValueError("pass both X_val and y_val, or neither")
    X_val, y_val = entry_of_single("X_val", X_val), entry_of_single("y_val", y_val)
    with name_validation_set_in_errors():
        X_val = as_samples(X_val)
        labels = check_label_matrix(y_val, n_samples(X_val), "y_val")
        if labels.shape[1] != n_labels:
            raise ValueError(f"y_val has {labels.shape[1]} labels, and y {n_labels}")
    return X_val, labels


def _param_names(estimator: Any, given: list[str]) -> dict[str, str]:
    """Return the names under which the estimator's ``fit`` takes what was given."""
    names = {name: fit_param_name(estimator, name) for name in given}
    for name, own in names.items():
        if own is None:
            raise ValueError(
                f"estimator {type(estimator).__name__} takes no {name} in fit: leave it out, or "
                "take a student of sklearn_distill"
            )
    return {name: own for name, own in names.items() if own is not None}


def _fit_label(
    label: int,
    estimator: Any,
    X: Any,
    column: LabelColumn,
    names: dict[str, str],
    held_out: tuple[Any, FloatArray] | None,
) -> Any:
    """Return a student fitted on the samples that have a label or a prediction."""
    student = clone(estimator)
    classes = student_param_name(student, "classes")
    if classes is not None and student.get_params()[classes] is None:
        student.set_params(**{classes: [0, 1]})  # a fold may lack one of them
    values: dict[str, Any] = {
        "sample_weight": column.weight,
        "teacher_proba": column.proba,
        "teacher_logits": column.logits,
        "teacher_weight": column.teacher_weight,
    }
    if held_out is not None:
        X_val, labels = held_out
        known = np.flatnonzero(~np.isnan(labels[:, label]))
        values["X_val"] = take_rows(X_val, known)
        values["y_val"] = labels[known, label].astype(np.int64)
    params = {own: values[name] for name, own in names.items()}
    with naming_label(label):
        X = X if len(column.rows) == column.n_all else take_rows(X, column.rows)
        return student.fit(X, column.labels, **params)


def _proba_of_label(estimator: Any, X: Any) -> FloatArray:
    classes = np.asarray(estimator.classes_).tolist()
    p: FloatArray = np.asarray(estimator.predict_proba(X))
    return p[:, classes.index(1)] if 1 in classes else np.zeros(len(p))
