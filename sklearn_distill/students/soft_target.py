"""A tree, a forest or any regressor, fitted on labels and on a teacher's probabilities."""

from __future__ import annotations

from copy import deepcopy
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import (
    ArrayLike,
    FloatArray,
    MatrixLike,
    TargetLike,
    TeacherLike,
)
from sklearn_distill._validation.absent_rows import fill_absent, rows_to_fit
from sklearn_distill._validation.fitting import Interval, all_or_nothing, validated_parameters
from sklearn_distill._validation.indexing import take_any_rows
from sklearn_distill._validation.last_step import last_step, replace_last_step
from sklearn_distill._validation.masks import refuse_mask
from sklearn_distill._validation.partial_teacher import is_sparse
from sklearn_distill._validation.passed_features import check_passed_features
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.tensors import to_numpy
from sklearn_distill.students._class_probabilities import ClassProbabilities
from sklearn_distill.students._estimator_student import (
    EstimatorStudent,
    apply_weights,
    fit_clone,
)
from sklearn_distill.students._problem import TrainingTargets
from sklearn_distill.targets import Labels, TargetMixture, WeightedTeachers

# of a class with target mass: the smallest step of 1, at which log_loss clips probabilities, too
_MIN_PROBA = float(np.finfo(np.float64).eps)
_BOOSTING = ("HistGradientBoosting", "LGBM", "XGB", "CatBoost")


class SoftTargetClassifier(ClassProbabilities, ClassifierMixin, EstimatorStudent):
    r"""A tree, forest, nearest neighbours or any other regressor as the student.

    The mixed target of each row,

    .. math:: m_i = (1-λ_i)\,\mathrm{onehot}(y_i) + λ_i\,q_i,

    has the teacher's prediction q, softened by T, and :math:`λ_i` is λ for a row with a label
    and a prediction, 0 if the prediction is missing and 1 if the label is missing. With several
    teachers, q is the mean of the predictions that are available. The student is not softened. The
    target is learnt by

    - a **tree or forest classifier** of scikit-learn, whose splits minimise the Gini impurity or
      the entropy of the mean targets, and whose leaves predict these. This is the classifier on
      copies of each row, one for each class, with the weights :math:`m_{ik}`, but
      ``min_samples_leaf`` and the bootstrap count rows. Without a teacher it is the classifier on
      the labels.
    - a **regressor** f with one output for each class, which minimises
      :math:`\sum_i s_i \|f(x_i) - m_i\|^2` (a regressor with another loss uses its own). The
      squared error, the Brier score, has its minimum at the true probabilities, like the
      cross-entropy. ``predict_proba`` is the Euclidean projection of f(x) onto the probability
      simplex, with 2.2e-16 in place of 0. Averages of targets, which trees, forests and neighbours
      predict, are already in the simplex and do not change. A DecisionTreeRegressor grows like a
      DecisionTreeClassifier with the Gini criterion.

    Parameters
    ----------
    estimator : estimator
        A DecisionTreeClassifier, ExtraTreeClassifier, RandomForestClassifier or
        ExtraTreesClassifier. Or a regressor for several outputs: neighbours, Ridge, a tree, or one
        of a single output in :class:`~sklearn.multioutput.MultiOutputRegressor`; for two classes,
        one of a single output needs no wrapper: it is fitted on the second class. Or a Pipeline
        that ends in one of these. It is cloned. X is passed on unchanged, so any X that the
        estimator supports (sparse, with NaN, a DataFrame of mixed columns) is supported.
    imitation : float, default=0.5
        λ in [0, 1], the weight of the teacher in rows that have a label, too.
    temperature : float, default=1.0
        T > 0, by which the teacher's logits are divided.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, for y that does not contain them all: the student can then
        predict a class that only the teacher predicts. None uses the labels of y, of which one
        is enough, as for scikit-learn's trees; or the names of the teacher's columns if y has
        fewer than two.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone of ``estimator``; a classifier predicts the labels of ``classes_``.
    classes_ : ndarray of shape (n_classes,)
        Class labels, in ascending order.
    n_taught_rows_ : int
        Number of rows with a teacher's prediction.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

    Notes
    -----
    Boosting is better done by :class:`DistilledBoostingClassifier`, with one objective for all
    classes. It works in :class:`~sklearn.multioutput.MultiOutputRegressor`, with one independent
    ensemble for each class, but did not benefit from the teacher in our measurement: on digits
    (half the rows for training, a calibrated SVC of accuracy .987 as teacher, 100 iterations, mean
    of three splits), HistGradientBoostingRegressor reaches accuracy .959 and Brier score .131 with
    λ = .5, and .961 and .111 without the teacher; HistGradientBoostingClassifier on the labels
    alone reaches .967 and .053, in less time. On the same data a tree (``min_samples_leaf=5``)
    benefits from the teacher: accuracy .828 against .817, log loss .76 against 1.71.

    By entropy the targets are rounded to multiples of 2⁻³⁰, about 1e-9. scikit-learn's trees do not
    round; where two splits are equally good up to this, the other one may be chosen.

    A row with weight 2 is equivalent to that row twice for linear models and for trees without a
    minimum number of rows in a leaf; not for a bootstrap, for boosting (which bins rows and counts
    them in leaves) or in the earlier steps of a Pipeline, which are not given the weights.

    References
    ----------
    Lopez-Paz et al. 2016, "Unifying distillation and privileged information", eq. (6), with the
    squared error as loss; Hinton, Vinyals and Dean 2015, eq. (1); the projection: Duchi et al.
    2008, Figure 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.array([[-1.0], [0.0], [1.0], [2.0]])
    >>> y = np.array(["no", "yes", "no", "yes"])
    >>> teacher_proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])
    >>> student = SoftTargetClassifier(DecisionTreeClassifier(max_depth=1), imitation=1.0)
    >>> student.fit(X, y, teacher_proba=teacher_proba).predict_proba([[-2.0], [2.0]])
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """

    # requested by default: meta-estimators slice them by row with X, without set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_proba": True,
        "teacher_logits": True,
        "teacher_weight": True,
    }

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": "no_validation",  # clone raises a TypeError unless it is an estimator
        "imitation": [Interval(Real, 0, 1, closed="both")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "classes": ["array-like", None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        imitation: float = 0.5,
        temperature: float = 1.0,
        classes: Any = None,
    ) -> None:
        self.estimator = estimator
        self.imitation = imitation
        self.temperature = temperature
        self.classes = classes

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        X: MatrixLike,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_proba: TeacherLike = None,
        teacher_logits: TeacherLike = None,
        teacher_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, in any form that the estimator supports.
        y : array-like of shape (n_samples,) or None
            Labels. NaN, None and pd.NA are missing labels; these rows need a teacher's
            prediction. None instead of an array means that all labels are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights; in a Pipeline they are passed to the last step. For a regressor without
            ``sample_weight``, such as KNeighborsRegressor, rows are repeated instead. A row of
            weight 0 is left out, and its prediction is not checked.
        teacher_proba : array-like or DataFrame or None
            The teacher's probabilities: (n_samples, n_classes) in the order of ``classes_``, a
            DataFrame whose column names are the labels, (n_samples,) for the second of two
            classes, or for the one that a Series is named after, or (n_samples, n_teachers,
            n_classes): the teachers are softened by T, then averaged (combine_teachers has
            weights). A row of NaN is a missing prediction. Where it is NaN for some classes, these
            get even parts of the rest of the probability.
        teacher_logits : array-like or DataFrame or None
            Logits instead of probabilities; -inf is a probability of exactly zero.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each row: weights w, finite and 0 or more. Beside a
            label the teacher has the share min(1, λ·w); without a label, the row's weight is
            multiplied by min(1, w). 0 is a missing prediction, and leaves out a row without a
            label. With a weight for each of several teachers, these are averaged with them, and w
            is their mean over the available predictions.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If a teacher's output does not match X and the classes or is not a distribution (the
            message names the first such row), a row has neither a label nor a teacher's
            prediction, every prediction is missing at ``imitation=1``, ``estimator`` is another
            classifier, has a parameter that needs labels (such as ``class_weight``), or is a
            regressor that has a single output for more than two classes, or has no
            ``sample_weight`` while the weights are not integers times a common factor. The
            student is then unchanged.

        Warns
        -----
        ImplausibleTeacherWarning
            If the teacher agrees with the labels no better than with its rows shuffled, better with
            its columns exchanged, or ``teacher_logits`` look like probabilities (see the guide on
            soft labels).
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0.
        """
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
            teacher_weight=teacher_weight,
        )
        X, y = to_numpy(X), to_numpy(y)  # regressors need not support tensors
        n_rows = check_passed_features(
            self,
            X,
            fill_absent(y, sample_weight),
            has_teacher=teacher_proba is not None or teacher_logits is not None,
        )
        read = TrainingTargets.read(
            self,
            n_rows,
            y,
            sample_weight,
            teacher_proba,
            teacher_logits,
            teacher_weight=teacher_weight,
            # the regressor needs a number for each class: an even part of the rest
            partial=None if is_sparse(teacher_proba) else "spread",
            min_classes=1,  # as trees and neighbours
        )
        self.classes_ = read.classes
        self.n_taught_rows_ = read.n_taught_rows
        read.check_teacher(self.imitation, teacher_proba, teacher_logits, teacher_weight)
        targets, weight = self._mixed_targets(read.labels, read.teachers), read.sample_weight
        # the projection would give classes that occur in no target a small probability
        self._active = (weight @ targets) > 0
        rows = rows_to_fit(weight)
        if rows is not None:
            X, targets, weight = take_any_rows(X, rows), targets[rows], weight[rows]
        fit_estimator = self._fit_trees if is_classifier(self.estimator) else self._fit_regressor
        weighted = sample_weight is not None or (weight != 1).any()
        self.estimator_ = fit_estimator(X, targets, weight if weighted else None)
        return self

    def predict_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Predict probabilities: a classifier's, or a regressor's projected onto the simplex.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``; at least 2.2e-16, so that each log loss is
            finite, and 0 only for a class without target mass, that is, one that neither a label
            nor a teacher's prediction contains.
        """
        check_is_fitted(self)
        refuse_mask("X", X)
        X = to_numpy(X)
        if is_classifier(self.estimator_):
            return self._with_floor(self.estimator_.predict_proba(X))
        return self._to_proba(np.asarray(self.estimator_.predict(X), dtype=np.float64))

    def to_sklearn(self) -> Any:
        """Return a student of trees as scikit-learn's classifier of the same trees.

        Returns
        -------
        classifier
            DecisionTreeClassifier, ExtraTreeClassifier, RandomForestClassifier or
            ExtraTreesClassifier, in a Pipeline if ``estimator`` is one. It no longer depends on
            this package. Probabilities differ by at most 2.2e-16.

        Raises
        ------
        TypeError
            If ``estimator`` is another regressor: no classifier has its predictions.
        """
        check_is_fitted(self)
        if is_classifier(self.estimator_):
            return deepcopy(self.estimator_)
        last = last_step(self.estimator_)
        from sklearn_distill._validation.tree_classifier import tree_classifier  # slow to import

        classifier = tree_classifier(last, self.classes_, self._to_proba)
        if classifier is None:
            raise TypeError(
                f"scikit-learn has no classifier with the predictions of {type(self).__name__} "
                f"around {type(last).__name__}, only around its trees and forests: save the "
                "student itself, or estimator_"
            )
        return replace_last_step(self.estimator_, classifier)

    def _fit_regressor(self, X: MatrixLike, targets: FloatArray, weight: FloatArray | None) -> Any:
        return _fit_classes(self.estimator, X, targets, weight)

    def _fit_trees(self, X: MatrixLike, targets: FloatArray, weight: FloatArray | None) -> Any:
        """Return a fitted clone of a tree or forest, or of a Pipeline that ends in one."""
        from sklearn_distill._validation.soft_tree import SoftTree  # slow to import

        tree = SoftTree.of(self.estimator, len(self.classes_))
        if tree is None:
            raise ValueError(_describe_classifier(self.estimator))
        if (targets.max(axis=1) == 1).all() and self._active.all():
            # where splits are equally good, the regressor may choose another
            X, labels, fit_params = apply_weights(
                self.estimator, X, self.classes_[targets.argmax(axis=1)], weight
            )
            return fit_clone(self.estimator, X, labels, fit_params)
        regressor = _fit_classes(tree.regressor(), X, tree.targets(targets), tree.weight(weight))
        return tree.fitted_classifier(regressor, self.classes_, self._to_proba)

    def _to_proba(self, predictions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions of the regressor as probabilities of ``classes_``."""
        if len(self.classes_) == 1:
            predictions = predictions.reshape(-1, 1)
        elif predictions.ndim == 1 and len(self.classes_) == 2:
            predictions = np.stack([1 - predictions, predictions], axis=1)
        proba = np.zeros_like(predictions)
        proba[:, self._active] = project_on_simplex(predictions[:, self._active])
        return self._with_floor(proba)

    def _with_floor(self, proba: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.maximum(proba, np.where(self._active, _MIN_PROBA, 0.0))

    def _mixed_targets(
        self, labels: Labels, teachers: WeightedTeachers | None
    ) -> NDArray[np.float64]:
        """Return the mixed targets m of shape (n_rows, n_classes)."""
        mixture = TargetMixture(
            labels,
            teachers,
            np.ones(len(labels.codes)),
            imitation=float(self.imitation),
            temperature=float(self.temperature),
            soften_student=False,
        )
        # at T' = 1 the linear form is the mixed target itself, stored class by class
        linear = mixture.targets().dense_linear(slice(None))
        return np.ascontiguousarray(linear.T, dtype=np.float64)


def _fit_classes(
    regressor: BaseEstimator, X: MatrixLike, Y: FloatArray, weight: FloatArray | None
) -> Any:
    """Fit a clone of the regressor on the targets of the classes, of shape (n_rows, n_classes).

    A single class is fitted as a vector, and the second of two by a regressor of one output.
    """
    one_output = not get_tags(regressor).target_tags.multi_output
    targets = Y[:, -1] if Y.shape[1] == 1 or (one_output and Y.shape[1] == 2) else Y
    X, targets, fit_params = apply_weights(regressor, X, targets, weight)
    try:
        return fit_clone(regressor, X, targets, fit_params)
    except ValueError as error:
        # not refused before: regressors of other packages may have several outputs, but no tag
        if targets.ndim == 1 or not one_output:
            raise
        name = type(regressor).__name__
        kind = type(last_step(regressor)).__name__.removesuffix("Regressor")
        boosting = (
            ", or the classifier of its library to DistilledBoostingClassifier, which has one "
            "objective for all classes"
        )
        raise ValueError(
            f"{error} SoftTargetClassifier fits its regressor on {Y.shape[1]} outputs, one for "
            f"each class. If a {name} has a single output, pass MultiOutputRegressor(regressor) of "
            f"sklearn.multioutput{boosting if kind in _BOOSTING else ''}"
        ) from error


def _describe_classifier(classifier: BaseEstimator) -> str:
    """Return why a classifier cannot be fitted on probabilities, and what to use instead."""
    name = type(last_step(classifier)).__name__
    if name.removesuffix("Classifier") in _BOOSTING:
        instead = f"DistilledBoostingClassifier({name}(...))"
    elif name.startswith("LogisticRegression"):
        instead = "DistilledLogisticRegression"
    else:
        instead = "the corresponding regressor"
    return (
        f"estimator is a {name}, a classifier that takes labels, and its targets are "
        f"probabilities: use {instead}; of classifiers, scikit-learn's trees and forests take "
        "probabilities"
    )


def project_on_simplex(v: FloatArray) -> FloatArray:
    r"""Project each row onto the probability simplex.

    .. math:: \mathrm{argmin}_{p ≥ 0,\ \sum_k p_k = 1} \|p - v\|^2 = \max(v - θ, 0),

    with :math:`θ = (\sum_{j≤ρ} μ_j - 1)/ρ`, μ the entries of v in descending order and ρ the
    largest j with :math:`μ_j - (\sum_{r≤j} μ_r - 1)/j > 0`. The projection keeps the order of the
    entries, and a unique largest entry stays unique.

    Parameters
    ----------
    v : ndarray of shape (n_rows, n_classes)
        Finite predictions, one row for each sample.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Probabilities; each row sums to 1.

    References
    ----------
    Duchi, Shalev-Shwartz, Singer and Chandra 2008, "Efficient projections onto the l1-ball for
    learning in high dimensions", Figure 1 and Lemma 2 (ICML).

    Examples
    --------
    >>> import numpy as np
    >>> project_on_simplex(np.array([[0.75, 0.5, -1.0]]))
    array([[0.625, 0.375, 0.   ]])
    """
    v = v - v.max(axis=1, keepdims=True)  # same result, without cancellation in the sums
    mu = -np.sort(-v, axis=1)
    j = np.arange(1, v.shape[1] + 1)
    theta = (mu.cumsum(axis=1) - 1) / j
    rho = (mu > theta).sum(axis=1)  # true for the first ρ entries and for no later one
    p: FloatArray = np.maximum(v - theta[np.arange(len(v)), rho - 1, None], 0)
    return p
