"""Boosted trees on labels and on a teacher's probabilities."""

from __future__ import annotations

import functools
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import ArrayLike, MatrixLike, TargetLike, TeacherLike
from sklearn_distill._validation.absent_rows import fill_absent
from sklearn_distill._validation.fitting import (
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.indexing import check_features
from sklearn_distill._validation.partial_teacher import Partial
from sklearn_distill._validation.passed_features import as_table, check_passed_features
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.validation_rows import set_validation_rows_apart
from sklearn_distill.students._boosting.class_targets import ClassTargets
from sklearn_distill.students._boosting.library import ClassificationTask
from sklearn_distill.students._boosting.student import BoostedStudent
from sklearn_distill.students._boosting.validation_set import read_validation_set
from sklearn_distill.students._class_probabilities import ClassProbabilities
from sklearn_distill.students._problem import LossParams, TrainingTargets


class DistilledBoostingClassifier(ClassProbabilities, ClassifierMixin, BoostedStudent):
    r"""Gradient boosting on labels and on a teacher's probabilities, with one objective.

    The library of ``estimator`` grows its trees, with all its parameters, on the gradient and the
    Hessian diagonal, in the scores z, of

    .. math::

        \sum_i s_i \big\{ (1-λ_i)\,CE(y_i, \mathrm{softmax}\,z_i)
        + λ_i\,τ\,CE(q_i, \mathrm{softmax}(z_i/T')) \big\},

    where q is the teacher's prediction, softened by T, and :math:`λ_i` is λ for a row with a label
    and a prediction, 0 if the prediction is missing and 1 if the label is missing. Two classes have
    one score. Boosting starts at the best constant scores. Without a teacher this is the library's
    own classifier on the labels.

    Parameters
    ----------
    estimator : estimator or None, default=None
        An unfitted HistGradientBoostingClassifier, LGBMClassifier, XGBClassifier or
        CatBoostClassifier (two classes and T' = 1 only) with the parameters of the trees, of which
        a clone is fitted; None for a HistGradientBoostingClassifier with default parameters. The
        others need ``pip install "sklearn-distill[boosting]"``.
    imitation : float, default=0.5
        λ in [0, 1], the weight of the teacher in rows that have a label, too.
    temperature : float, default=1.0
        T > 0, by which the teacher's and the student's logits are divided in the teacher's term.
    soften_student : bool, default=True
        Whether the student's logits are divided by T too (T' = T), or only the teacher's (T' = 1).
    t_squared : bool, default=False
        Whether the teacher's term is multiplied by τ = T², which keeps the size of its gradient
        as T grows. Needs ``soften_student=True``.
    partial : {"rest", "spread"}, default="rest"
        What becomes of classes that ``teacher_proba`` leaves unknown in a row, as in
        :class:`DistilledLogisticRegression`.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, for y that does not contain them all: the student can then
        predict a class that only the teacher predicts. None uses the labels of y.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in :class:`DistilledLogisticRegression`. Those of ``estimator``
        must not be set.
    random_state : int, RandomState instance or None, default=None
        Seed of the validation split, and of ``estimator`` if it has none of its own.

    Attributes
    ----------
    estimator_ : estimator
        The fitted model of the library, of the same class as ``estimator``; it contains no training
        data, and predicts the same probabilities without this package. An XGBClassifier and a
        CatBoostClassifier predict class numbers 0, …, K − 1 instead of labels.
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
    Early stopping watches the cross-entropy of the labels on ``X_val``, or on a part of the
    labelled rows of the size that the library's parameter asks for; if no row has a label, the
    teacher's term on a part of the rows. ``X_val`` turns ``early_stopping="auto"`` on. LightGBM,
    XGBoost and CatBoost have no parameter for the size of this part, which is 10 %; they stop early
    by their own parameters, or callbacks.

    Where a class has no target mass, its score starts at the log of 2e-16. XGBoost takes longer
    with an objective in Python than with its own, since it calls Python in each round: for two
    classes by about an eighth for 10,000 rows, and by about a half for 1,000, whose rounds take one
    or two milliseconds.

    References
    ----------
    Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network", eq. (1) and
    section 2; Lopez-Paz et al. 2016, "Unifying distillation and privileged information", eq. (6);
    Friedman 2001, "Greedy function approximation: a gradient boosting machine", Algorithm 6.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> teacher_proba = 1 / (1 + np.exp(-4 * X[:, 0]))  # of the second class
    >>> y = np.where(rng.random(200) < teacher_proba, "yes", "no")
    >>> student = DistilledBoostingClassifier(imitation=1.0)
    >>> student.fit(X, y, teacher_proba=teacher_proba).predict([[-2.0, 0.0], [2.0, 0.0]])
    array(['no', 'yes'], dtype='<U3')
    >>> type(student.to_sklearn()).__name__
    'HistGradientBoostingClassifier'
    """

    # requested by default: meta-estimators slice them by row with X, without set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_proba": True,
        "teacher_logits": True,
        "teacher_weight": True,
        "X_val": True,
        "y_val": True,
        "sample_weight_val": True,
    }

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": "no_validation",  # library_of raises a TypeError
        "imitation": [Interval(Real, 0, 1, closed="both")],
        "temperature": [Interval(Real, 1e-10, 1e10, closed="both")],  # 1/T² fits float32
        "soften_student": ["boolean"],
        "t_squared": ["boolean"],
        "partial": [StrOptions({"rest", "spread"})],
        "classes": ["array-like", None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        imitation: float = 0.5,
        temperature: float = 1.0,
        soften_student: bool = True,
        t_squared: bool = False,
        partial: Partial = "rest",
        classes: Any = None,
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.imitation = imitation
        self.temperature = temperature
        self.soften_student = soften_student
        self.t_squared = t_squared
        self.partial = partial
        self.classes = classes
        self.class_weight = class_weight
        self.random_state = random_state

    @staticmethod
    def _default_estimator() -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import

        return HistGradientBoostingClassifier()

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
        X_val: MatrixLike | tuple[MatrixLike] | None = None,
        y_val: TargetLike = None,
        sample_weight_val: ArrayLike | tuple[ArrayLike] | None = None,
        validation_rows: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Fit the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, in any form that the library supports: with NaN, or categorical columns.
        y : array-like of shape (n_samples,) or None
            Labels. NaN, None and pd.NA are missing labels; these rows need a teacher's
            prediction. None instead of an array means that all labels are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, for both terms. A row of weight 0 is left out, and its prediction is
            not checked.
        teacher_proba : array-like, DataFrame, sparse matrix or None
            The teacher's probabilities: (n_samples, n_classes) in the order of ``classes_``, a
            DataFrame whose column names are the labels, (n_samples,) for the second of two
            classes, or for the one that a Series is named after, or (n_samples, n_teachers,
            n_classes): the teachers are softened by T, then averaged (combine_teachers has
            weights). A row of NaN is a missing prediction, and NaN for some classes an unknown
            probability. A sparse matrix (n_samples, n_classes) is never made dense: what is not
            stored is unknown, a stored 0 is impossible, a row without an entry is missing.
        teacher_logits : array-like or DataFrame or None
            Logits instead of probabilities; -inf is a probability of exactly zero.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each row: weights w, finite and 0 or more. Beside a
            label the teacher has the share min(1, λ·w); without a label, the row's weight is
            multiplied by min(1, w). 0 is a missing prediction, and leaves out a row without a
            label. With a weight for each of several teachers, these are averaged with them, and w
            is their mean over the available predictions.
        X_val, y_val, sample_weight_val : array-like or None
            Labelled rows, with their weights, for early stopping, or tuples of one, ``(V,)``. A
            Pipeline transforms ``X_val`` with ``transform_input=["X_val"]`` only. scikit-learn's
            tools slice an array of as many rows as X; the entry of a tuple is never sliced.
        validation_rows : array-like of bool of shape (n_samples,) or None
            Rows of X that take the place of ``X_val`` and ``y_val``: they are validated on, and not
            trained on. A Pipeline transforms them with X, and scikit-learn's tools slice the array.
        **fit_params : dict
            Further parameters of the library's ``fit``, such as ``categorical_feature``.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        TypeError
            If ``estimator`` is of another class, or a parameter of ``fit`` is unknown.
        ImportError
            If a library is missing or too old.
        ValueError
            If a teacher's output does not match X and the classes or is not a distribution (the
            message names the first such row), a row has neither a label nor a teacher's
            prediction, every prediction is missing at ``imitation=1``, parameters contradict each
            other, or one of ``estimator`` sets class weights, another objective or a warm start.
            The student is then unchanged.

        Warns
        -----
        ImplausibleTeacherWarning
            If the teacher agrees with the labels no better than with its rows shuffled, better with
            its columns exchanged, or ``teacher_logits`` look like probabilities (see the guide on
            soft labels).
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0.
        UserWarning
            If more than half of the values of a column of ``X_val`` are farther from the range of
            X's column than this range is wide (not for fewer than 20 rows).
        """
        if validation_rows is not None:
            # not that of a subclass, which called this one
            return DistilledBoostingClassifier.fit(
                self,
                **set_validation_rows_apart(
                    validation_rows,
                    X,
                    y,
                    sample_weight,
                    teacher_proba=teacher_proba,
                    teacher_logits=teacher_logits,
                    teacher_weight=teacher_weight,
                    X_val=X_val,
                    y_val=y_val,
                    sample_weight_val=sample_weight_val,
                    **fit_params,
                ),
            )
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
            teacher_weight=teacher_weight,
        )
        loss_params = LossParams.of(self)
        library = self._library()
        library.check_classifier(self._unfitted_estimator(), fit_params)
        X = as_table(X)
        read = self._read_targets(
            X, y, sample_weight, teacher_proba, teacher_logits, teacher_weight
        )
        held_out = read_validation_set(
            self,
            X,
            X_val,
            y_val,
            sample_weight_val,
            functools.partial(ClassTargets.of_labels, self.classes_),
        )
        weighted = sample_weight is not None or self.class_weight is not None
        weighted |= bool((read.sample_weight != 1).any())  # by trust in rows without a label
        targets = ClassTargets.of(read, loss_params, weighted=weighted)
        clone, X, targets, held_out = self._prepare(library, X, targets, held_out, fit_params)
        task = ClassificationTask(X, targets.loss(), self.classes_, held_out, fit_params)
        del read, targets  # the library can use their memory
        self.estimator_ = library.fit_classifier(clone, task)
        return self

    def predict_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Predict probabilities: those of ``estimator_``, softmax of the scores at temperature 1.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``; about 1e-16 for a class without target
            mass, that is, one that neither a label nor a teacher's prediction contains.
        """
        check_is_fitted(self)
        table = check_features(self, as_table(X))
        return np.asarray(self.estimator_.predict_proba(table), dtype=np.float64)

    def _read_targets(
        self,
        X: Any,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        teacher_weight: ArrayLike | None,
    ) -> TrainingTargets:
        """Check the arguments of ``fit``; set ``classes_`` and ``n_taught_rows_``."""
        n_rows = check_passed_features(
            self,
            X,
            fill_absent(y, sample_weight),
            has_teacher=teacher_proba is not None or teacher_logits is not None,
        )
        targets = TrainingTargets.read(
            self,
            n_rows,
            y,
            sample_weight,
            teacher_proba,
            teacher_logits,
            teacher_weight=teacher_weight,
        )
        self.classes_ = targets.classes
        self.n_taught_rows_ = targets.n_taught_rows
        targets.check_teacher(self.imitation, teacher_proba, teacher_logits, teacher_weight)
        return targets
