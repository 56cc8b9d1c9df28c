"""A classifier from any regressor, taught by labels and by a teacher's probabilities."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.fitting import Interval, all_or_nothing, validated_parameters
from sklearn_distill._validation.indexing import as_table, take_rows
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.targets import check_class_targets
from sklearn_distill.targets import Labels, TargetMixture, Teachers


class SoftTargetClassifier(ClassifierMixin, BaseEstimator):
    r"""Tree, forest, nearest neighbours or any regressor as a student.

    Fits the regressor f, one output for each class, on each row's mixed target

    .. math::

        m_i = (1-λ_i)\,\mathrm{onehot}(y_i) + λ_i\,q_i, \qquad
        \sum_i s_i \|f(x_i) - m_i\|^2,

    where q is the teacher's answer softened by T and :math:`λ_i` is λ if label and teacher speak,
    0 if the teacher is silent, 1 if the label is missing; several teachers count by the mean of
    those that speak. The student is not softened. The squared error (the Brier score; a regressor
    with another loss brings its own) has its minimum at the true probabilities, as the
    cross-entropy has. ``predict_proba`` is the Euclidean projection of f(x) onto the probability
    simplex: for averages of targets, as those of trees, forests and neighbours are, f(x) itself.
    Without a teacher a DecisionTreeRegressor grows as a DecisionTreeClassifier with the Gini
    criterion does.

    Parameters
    ----------
    regressor : estimator
        Regressor for several outputs: a tree, a forest, neighbours, Ridge, a Pipeline that ends in
        one, or one of a single output in :class:`~sklearn.multioutput.MultiOutputRegressor`.
        It is cloned. X reaches it as it came, so what X may be (sparse, with NaN, a DataFrame of
        mixed columns) is up to it.
    imitation : float, default=0.5
        λ in [0, 1], the teacher's share.
    temperature : float, default=1.0
        T > 0, by which the teacher's logits are divided.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, where y does not show them all: the student can then learn
        a class that only its teacher knows. None takes the labels of y.

    Attributes
    ----------
    regressor_ : estimator
        The fitted regressor.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_taught_rows_ : int
        Rows for which a teacher spoke.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    Notes
    -----
    Boosting works in :class:`~sklearn.multioutput.MultiOutputRegressor`, one ensemble for each
    class, which no softmax joins, but was no gain where we measured: on digits (half the rows to
    learn from, a calibrated SVC of accuracy .987 as teacher, 100 iterations, mean of three splits)
    HistGradientBoostingRegressor reaches accuracy .959 and Brier score .131 with λ = .5, and .961
    and .111 without the teacher; HistGradientBoostingClassifier on the labels alone .967 and .053,
    in less time. There a tree (``min_samples_leaf=5``) gains from the teacher: accuracy .828
    against .817, log loss .76 against 1.71.

    A row of weight 2 is that row twice for linear models and for trees whose leaves need no
    minimum of rows; not for a bootstrap, for boosting (it bins rows and counts them in leaves) or
    in a Pipeline's earlier steps, which see no weights.

    References
    ----------
    Lopez-Paz et al. 2016, "Unifying distillation and privileged information", eq. (6), with the
    squared error as loss; Hinton, Vinyals and Dean 2015, eq. (1); the projection: Duchi et al.
    2008, Figure 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X = np.array([[-1.0], [0.0], [1.0], [2.0]])
    >>> y = np.array(["no", "yes", "no", "yes"])
    >>> teacher_proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])
    >>> student = SoftTargetClassifier(DecisionTreeRegressor(max_depth=1), imitation=1.0)
    >>> student.fit(X, y, teacher_proba=teacher_proba).predict_proba([[-2.0], [2.0]])
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """

    # sliced by row with X without any set_fit_request
    __metadata_request__fit: ClassVar = {"teacher_proba": True, "teacher_logits": True}

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "regressor": "no_validation",  # clone says what is no estimator
        "imitation": [Interval(Real, 0, 1, closed="both")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "classes": ["array-like", None],
    }

    def __init__(
        self,
        regressor: Any,
        *,
        imitation: float = 0.5,
        temperature: float = 1.0,
        classes: Any = None,
    ) -> None:
        self.regressor = regressor
        self.imitation = imitation
        self.temperature = temperature
        self.classes = classes

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        teacher_proba: Any = None,
        teacher_logits: Any = None,
    ) -> Self:
        """Fit the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features, whatever the regressor takes.
        y : array-like of shape (n_samples,) or None
            Labels. NaN, None and pd.NA are missing labels, which a teacher must answer for; None
            instead of an array means that all are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows; the last step of a Pipeline gets them. A regressor that takes none,
            such as KNeighborsRegressor, gets each row as often as its weight says.
        teacher_proba : array-like or DataFrame or None
            The teacher's probabilities: (n_samples, n_classes) in the order of ``classes_``, a
            DataFrame whose column names are the labels, (n_samples,) for the second of two
            classes, or (n_samples, n_teachers, n_classes). A row of NaN is a silent teacher.
        teacher_logits : array-like or DataFrame or None
            Logits instead of probabilities; -inf is a probability of exactly zero.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If a teacher's output does not fit to X and the classes or is no distribution (the
            message names the first such row), a row has neither label nor teacher, the regressor
            is a classifier, or it takes no ``sample_weight`` and the weights given are not whole
            numbers times one factor. The estimator is then as it was before.
        """
        n_rows = self._check_features(X, y, teacher_proba, teacher_logits)
        self.classes_, labels, teachers = check_class_targets(
            y, n_rows, self.classes, teacher_proba, teacher_logits
        )
        weight = check_sample_weight(sample_weight, n_rows)
        targets = self._targets(labels, teachers)
        self._active = (weight @ targets) > 0
        self.regressor_ = fit_regressor(
            self.regressor, X, targets, None if sample_weight is None else weight
        )
        self.n_taught_rows_ = 0 if teachers is None else int(teachers.teacher_mask.sum())
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the projection of the regressor's answers onto the probability simplex.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``; 0 for a class that neither a label nor a
            teacher ever gave any mass.
        """
        check_is_fitted(self)
        answers = np.asarray(self.regressor_.predict(X), dtype=np.float64)
        proba = np.zeros_like(answers)
        proba[:, self._active] = project_on_simplex(answers[:, self._active])
        return proba

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def _check_features(self, X: Any, y: Any, teacher_proba: Any, teacher_logits: Any) -> int:
        """Read number and names of the features; return the number of rows."""
        if teacher_proba is None and teacher_logits is None:
            # without a teacher scikit-learn's own errors stand, that of a missing label among them
            validate_data(self, X, y, skip_check_array=True)
            assert_all_finite(np.asarray(y), input_name="y")
        else:
            validate_data(self, X, skip_check_array=True)
        shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
        return int(shape[0]) if shape else 0

    def _targets(self, labels: Labels, teachers: Teachers | None) -> NDArray[np.float64]:
        """Return m of shape (n_rows, n_classes)."""
        mixture = TargetMixture(
            labels,
            teachers,
            np.ones(len(labels.codes)),
            imitation=float(self.imitation),
            temperature=float(self.temperature),
            soften_student=False,
        )
        return np.ascontiguousarray(mixture.targets().linear.T, dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        regressor = get_tags(self.regressor)
        tags.input_tags = regressor.input_tags
        tags.non_deterministic = regressor.non_deterministic
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "regressor_")


def fit_regressor(regressor: Any, X: Any, Y: FloatArray, weight: FloatArray | None) -> Any:
    """Fit a clone of the regressor.

    Parameters
    ----------
    regressor : estimator
        A regressor for several outputs.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features, as they came.
    Y : ndarray of shape (n_rows, n_outputs)
        Targets.
    weight : ndarray of shape (n_rows,) or None
        Row weights; those of a Pipeline go to its last step. For a regressor that takes none, a
        row is repeated as often as its weight says.

    Returns
    -------
    estimator
        The fitted clone.

    Raises
    ------
    ValueError
        If the regressor is a classifier, or takes no weights and these are not whole numbers times
        one factor.
    """
    if is_classifier(regressor):
        raise ValueError(
            f"regressor is a {type(regressor).__name__}, a classifier, which cannot learn "
            "probabilities: give the regressor of its kind"
        )
    # the weights go to the last step whether or not the user's steps request any
    with config_context(enable_metadata_routing=False):
        argument = fit_param_name(regressor, "sample_weight")
        if weight is None:
            return _fitted(regressor, X, Y, {})
        if argument is not None:
            return _fitted(regressor, X, Y, {argument: weight})
        rows = _rows_as_often(weight, regressor)
        return _fitted(regressor, take_rows(as_table(X), rows), Y[rows], {})


def _fitted(regressor: Any, X: Any, Y: FloatArray, weights: dict[str, FloatArray]) -> Any:
    try:
        return clone(regressor).fit(X, Y, **weights)
    except ValueError as error:
        if not get_tags(regressor).target_tags.multi_output:
            error.add_note(
                "SoftTargetClassifier gives its regressor one output for each class: if this one "
                "takes a single output, wrap it in sklearn.multioutput.MultiOutputRegressor"
            )
        raise


def _rows_as_often(weight: FloatArray, regressor: Any) -> NDArray[np.intp]:
    """Return each row as often as its weight says, up to a common factor."""
    in_smallest = weight / weight[weight > 0].min()
    for times in (weight, in_smallest):
        whole = np.rint(times).astype(np.intp)
        if np.allclose(times, whole, rtol=1e-9, atol=0):  # 0.3 / 0.1 is not 3
            return np.repeat(np.arange(len(weight)), whole // np.gcd.reduce(whole))
    raise ValueError(
        f"sample_weight was given, but the regressor, a {type(regressor).__name__}, takes none in "
        "its fit (or its last step's): leave it out, give whole numbers, which count as repeated "
        "rows, or use a regressor that takes weights"
    )


def project_on_simplex(v: FloatArray) -> FloatArray:
    r"""Project each row onto the probability simplex.

    .. math:: \mathrm{argmin}_{p ≥ 0,\ \sum_k p_k = 1} \|p - v\|^2 = \max(v - θ, 0),

    with :math:`θ = (\sum_{j≤ρ} μ_j - 1)/ρ`, μ the entries of v in descending order and ρ the
    largest j with :math:`μ_j - (\sum_{r≤j} μ_r - 1)/j > 0`. It keeps the order of the entries, and
    the largest alone stays the largest alone.

    Parameters
    ----------
    v : ndarray of shape (n_rows, n_classes)
        Finite numbers.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Probabilities.

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
    v = v - v.max(axis=1, keepdims=True)  # the answer is the same, the sums lose no digits
    mu = -np.sort(-v, axis=1)
    j = np.arange(1, v.shape[1] + 1)
    theta = (mu.cumsum(axis=1) - 1) / j
    rho = (mu > theta).sum(axis=1)  # true for the first ρ entries and for no later one
    p: FloatArray = np.maximum(v - theta[np.arange(len(v)), rho - 1, None], 0)
    return p
