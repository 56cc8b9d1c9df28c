"""Born-again networks: clones of a classifier, each trained on the predictions of the previous."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import get_scorer_names
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import ArrayLike, MatrixLike, TargetLike, TeacherLike
from sklearn_distill._validation.fitting import Interval, StrOptions, all_or_nothing, available_if
from sklearn_distill._validation.routing import make_router
from sklearn_distill.deployment import to_sklearn
from sklearn_distill.distillers._born_again.data import proba_of
from sklearn_distill.distillers._born_again.first_teacher import as_predictions
from sklearn_distill.distillers._born_again.generations import Generations
from sklearn_distill.distillers._born_again.scores import GenerationHistory
from sklearn_distill.distillers._born_again.validation_split import evaluation_set
from sklearn_distill.distillers._nested_choice import NestedChoice


def _student_has(method: str) -> Callable[[Any], bool]:
    return lambda self: hasattr(self.student, method)


def _has_decision_function(self: Any) -> bool:
    # the mean of several generations has probabilities only
    return not self.ensemble and hasattr(self.student, "decision_function")


class BornAgainClassifier(ClassifierMixin, Generations):
    r"""Generations of one student, each trained on the predictions of the previous one.

    Generation 1 is trained on the labels y, or on an outside teacher's probabilities as if they
    were those of a generation 0 (``first_teacher_proba`` of fit). Generation g + 1 is a new clone
    of the student that is trained on

    .. math::

        (1-λ)\,\mathrm{onehot}(y_i) + λ\,q_i, \qquad
        q_i = p_g(x_i) \;\text{(soft)} \quad\text{or}\quad
        q_i = \mathrm{onehot}(\operatorname{argmax}_k p_{gk}(x_i)) \;\text{(hard)},

    with the student's loss for a teacher's probabilities and at its temperature.

    Parameters
    ----------
    student : classifier
        The student, which is cloned for each generation. With ``labels="soft"`` its ``fit`` must
        take ``teacher_proba``, or it must be a Pipeline whose last step does; with
        ``labels="hard"`` any classifier can be used, on encoded labels if it needs 0, …, K−1. If it
        has a parameter ``classes`` that is not None, these are the classes.
    n_generations : int, default=6
        Maximum number of generations.
    labels : {"soft", "hard"}, default="soft"
        What a generation is trained on: the previous one's predicted probabilities or its predicted
        classes. A student that takes ``teacher_proba`` gets predicted classes as probabilities of 0
        and 1, any other as its labels; at temperature 1 and λ = 1 this is the same.
    imitation : float or None, default=1.0
        λ in [0, 1], to which the student's ``imitation`` is set; 1 means that the labels are used
        in generation 1 only, whose λ is 0 unless it has an outside teacher. None leaves the
        student's own. Students that do not take ``teacher_proba`` cannot mix predictions and
        labels, and need 1 (or None, which is then 1).
    cv : int, splitter, iterable of (train, test) or None, default=None
        With None a generation is trained on in-sample predictions of the previous one, as in the
        papers. With folds it is trained on out-of-fold predictions, for which each fold has a chain
        of generations of its own; see Notes.
    scoring : str, callable or None, default=None
        Validation score, the greater the better; it needs a validation set. None is the negative
        cross-entropy of the labels, or the accuracy for a student without ``predict_proba``.
    early_stopping : bool, default=False
        Whether to stop when the validation score no longer increases, and to predict with the
        generation that has the highest.
    validation_fraction : float, default=0.1
        Fraction of the labelled samples, in (0, 1), that early stopping sets aside without X_val.
    n_iter_no_change : int, default=2
        Number of generations without a higher score after which early stopping stops.
    ensemble : bool, default=False
        Whether to predict with the mean of the probabilities of all generations (with early
        stopping, of those up to the best) instead of with one generation.
    random_state : int, RandomState or None, default=None
        Seeds the validation split, and each generation differently if the student's own
        ``random_state`` is None; a student with a seed uses it in each generation.
    verbose : int, default=0
        If positive, show a progress bar over the generations.

    Attributes
    ----------
    estimator_ : classifier
        The estimator that predicts: the last generation, the best one (``early_stopping``) or the
        mean of several (``ensemble``).
    estimators_ : list of classifiers
        The fitted generations.
    best_generation_ : int
        Number of the generation that predicts, counted from 1; of an ensemble that of its last.
    generations_ : DataFrame
        Metrics of each generation, on the training set (``train_…``) and on the validation set if
        there is one (``validation_…``): ``accuracy``; ``cross_entropy`` of the labels in nats;
        ``uncertainty``, by :func:`~sklearn_distill.metrics.uncertainty_degree`; ``agreement``, the
        fraction of samples for which it predicts the same class as the previous generation (as the
        outside teacher, on the training set); and ``validation_score``. NaN if a metric needs
        probabilities that the student does not have.
    classes_ : ndarray of shape (n_classes,)
        The class labels, ascending, in the order of the columns of ``predict_proba``.
    n_features_in_ : int
        Number of features; for images, the number of channels. Texts have none.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    See Also
    --------
    TeacherStudentClassifier : A student trained on the predictions of another classifier.

    Notes
    -----
    With ``cv=None`` a generation predicts for the samples that it was fitted on. The predictions
    reproduce their labels, the more so the better the student can memorise them: metrics on the
    training set do not estimate those on other samples. With folds there is, for each fold, a chain
    of generations that are fitted only on the fold's training samples, each trained on the
    in-sample predictions of the previous one in its chain. For the fold's test samples, generation
    g + 1 is trained on the predictions of generation g of that chain, so no ancestor of a
    prediction was fitted on the label of its sample. This takes K + 1 fits per generation instead
    of one. Samples that are in no test fold have no prediction, so only their label is used; those
    in several get the mean, with hard labels the most frequent prediction. Whether an outside
    teacher knows the labels is not for this estimator to see. A score on X_val is
    unbiased for one generation, and optimistic for the best one of many: evaluate that one on a
    held-out test set.

    A student that stops early, or a network that tunes λ and T while it trains, validates on the
    same labelled samples in all generations; none is trained on them.

    Samples whose label is missing (NaN, None, pd.NA) are not used in generation 1; later
    generations are trained on their predictions.

    References
    ----------
    Furlanello, Lipton, Tschannen, Itti and Anandkumar 2018, "Born-again neural networks", section
    3.1; Biryukova, "Knowledge distillation on the example of binary
    classification", recursion with hard and soft students.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> model = BornAgainClassifier(DistilledLogisticRegression(), n_generations=3).fit(X, y)
    >>> model.generations_["train_uncertainty"].round(3).tolist()
    [0.023, 0.034, 0.044]
    """

    # routed without any set_fit_request
    __metadata_request__fit: ClassVar = {
        "X_val": True,
        "y_val": True,
        "first_teacher_proba": True,
    }

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "student": "no_validation",  # clone raises a TypeError unless it is an estimator
        "n_generations": [Interval(Integral, 1, None, closed="left")],
        "labels": [StrOptions({"soft", "hard"})],
        "imitation": [Interval(Real, 0, 1, closed="both"), None],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "ensemble": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        student: Any,
        *,
        n_generations: int = 6,
        labels: str = "soft",
        imitation: float | None = 1.0,
        cv: Any = None,
        scoring: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 2,
        ensemble: bool = False,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.student = student
        self.n_generations = n_generations
        self.labels = labels
        self.imitation = imitation
        self.cv = cv
        self.scoring = scoring
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.ensemble = ensemble
        self.random_state = random_state
        self.verbose = verbose

    @all_or_nothing
    def fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: ArrayLike | None = None,
        *,
        first_teacher_proba: TeacherLike = None,
        X_val: MatrixLike | tuple[MatrixLike] | None = None,
        y_val: TargetLike | tuple[TargetLike] = None,
        **fit_params: Any,
    ) -> Self:
        """Fit one generation after the other.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            Features, texts or other samples, in any form that the student's fit takes.
        y : array-like of shape (n_samples,)
            Labels, some of which may be missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, for each generation. Samples of weight 0 are left out.
        first_teacher_proba : array-like, DataFrame or None
            Probabilities by an outside teacher for X, on which generation 1 is trained as later
            ones are on those of the previous generation. Columns are in the order of ``classes_``,
            or named; a row of NaN is a missing prediction, for which only the label is used, and
            the mean of several teachers is taken, shape (n_samples, n_teachers, n_classes).
        X_val, y_val : array-like or None
            Validation set on which each generation is scored, or tuples of one, ``(V,)`` and
            ``(v,)``; each sample needs a label. They are not passed to the student. A Pipeline
            transforms ``X_val`` with ``transform_input=["X_val"]`` only. scikit-learn's tools slice
            an array of as many rows as X; the entry of a tuple is never sliced.
        **fit_params : dict
            With metadata routing, what student and splitter request; without it,
            ``student__name``, and ``groups`` for the splitter.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If the student cannot be trained as ``labels`` and ``imitation`` require, or lacks what
            ``ensemble`` needs, a parameter of fit is unknown, or arguments or parameters are not
            valid. The estimator is then left unchanged.
        TypeError
            If the student raises one.

        Warns
        -----
        UserWarning
            If a generation was not trained on a class of the labels, which can happen with hard
            labels, the student chooses its metaparameters on labels that the previous generation
            was fitted on, a fold of ``cv`` does not train on a class, which then gets probability
            0, or more
            than half of the values of a numeric column of ``X_val`` are farther from the range of
            X's column than this range is wide (not for fewer than 20 rows).
        """
        self._validate_params()
        data, cv, split_params = self._read_data(
            X, y, sample_weight, first_teacher_proba, fit_params
        )
        if data.teacher_param is not None and self.n_generations > 1:
            NestedChoice.of(self.student, data.teacher_param).warn_of_generations()
        students, seed = self._clone_students(data.teacher_param)
        rows, validation = self._split_validation(data, X_val, y_val, seed)
        data, rows = self._hold_out(data, rows, split_params, seed)
        first = None if data.first_targets is None else data.first_targets[rows]
        history = GenerationHistory(
            evaluation_set(data, rows), validation, self._score(validation), as_predictions(first)
        )
        chain = self._make_chain(data, rows, cv, split_params)
        self.estimators_, self.best_generation_ = self._fit_generations(chain, students, history)
        self._records = history.records
        self.estimator_ = self._final_estimator()
        self._warn_of_missing_classes(data.observed_classes)
        self._warn_of_unseen(chain)
        return self

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict with ``estimator_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            The features of fit.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict(self._check_features(X)))

    @available_if(_student_has("predict_proba"))
    def predict_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Predict probabilities with ``estimator_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            The features of fit.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``; 0 for a class that the estimator was not
            trained on.
        """
        check_is_fitted(self)
        return proba_of(self.estimator_, self._check_features(X), self.classes_, "that predicts")

    @available_if(_student_has("predict_proba"))
    def predict_log_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Predict log-probabilities with ``estimator_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            The features of fit.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of ``classes_``; −inf where the probability is 0.
        """
        with np.errstate(divide="ignore"):  # a class that the estimator was not trained on
            return np.asarray(np.log(self.predict_proba(X)))

    @property
    def generations_(self) -> pd.DataFrame:
        """One row for each generation, numbered from 1; see Attributes."""
        check_is_fitted(self)
        index = pd.RangeIndex(1, len(self._records) + 1, name="generation")
        # not kept: a frame ties a saved model to pandas' version
        return pd.DataFrame(self._records, index=index)

    @property
    def feature_importances_(self) -> NDArray[Any]:
        """Feature importances of ``estimator_``, if it has any."""
        return np.asarray(self.estimator_.feature_importances_)

    @property
    def coef_(self) -> NDArray[Any]:
        """Coefficients of ``estimator_``, if it has any."""
        coef: NDArray[Any] = self.estimator_.coef_  # sparse where it was sparsified
        return coef

    @available_if(_has_decision_function)
    def decision_function(self, X: MatrixLike) -> NDArray[np.float64]:
        """Return the scores of ``estimator_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            The features of fit.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Values of the student's ``decision_function``.
        """
        check_is_fitted(self)
        return np.asarray(self.estimator_.decision_function(self._check_features(X)))

    def to_sklearn(self) -> Any:
        """Convert ``estimator_`` to an estimator that no longer depends on this package.

        Returns
        -------
        estimator
            See :func:`~sklearn_distill.deployment.to_sklearn`.

        Raises
        ------
        TypeError
            If scikit-learn has no estimator with these predictions, as of an ensemble of
            generations, or the last one lacks a class of the labels.
        """
        check_is_fitted(self)
        n_known = len(self.estimator_.classes_)
        if n_known < len(self.classes_):
            raise TypeError(
                f"estimator_ knows {n_known} of {len(self.classes_)} classes, so that its own "
                "predictions have fewer columns: save the model itself"
            )
        return to_sklearn(self.estimator_)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the metadata routing to student and splitter.

        Returns
        -------
        MetadataRouter
            Maps ``fit`` to the ``fit`` of the student and the ``split`` of the splitter.
        """
        return make_router(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        student_tags = get_tags(self.student).classifier_tags
        if student_tags is not None:  # else fit raises an error
            tags.classifier_tags.multi_class = student_tags.multi_class
            tags.classifier_tags.poor_score = student_tags.poor_score
        return tags
