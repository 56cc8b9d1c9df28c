"""A classifier that is taught by its own kind, generation after generation."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import get_scorer_names
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._validation.fitting import Interval, StrOptions, all_or_nothing, available_if
from sklearn_distill._validation.routing import make_router
from sklearn_distill.distillers._born_again.data import proba_of
from sklearn_distill.distillers._born_again.generations import Generations
from sklearn_distill.distillers._born_again.scores import GenerationHistory
from sklearn_distill.distillers._born_again.validation_split import validation_set


def _student_has(method: str) -> Callable[[Any], bool]:
    return lambda self: hasattr(self.student, method)


def _one_decides(self: Any) -> bool:
    return not self.ensemble and hasattr(self.student, "decision_function")


class BornAgainClassifier(ClassifierMixin, Generations):
    r"""Generations of one student, each taught by the one before.

    Generation 1 learns from the labels y. Generation g + 1 is a fresh clone of the student that
    learns from

    .. math::

        (1-λ)\,\mathrm{onehot}(y_i) + λ\,q_i, \qquad
        q_i = p_g(x_i) \;\text{(soft)} \quad\text{or}\quad
        q_i = \mathrm{onehot}(\operatorname{argmax}_k p_{gk}(x_i)) \;\text{(hard)},

    in the way and at the temperature in which the student learns from a teacher.

    Parameters
    ----------
    student : classifier
        It is cloned. With ``labels="soft"`` its ``fit`` must take ``teacher_proba``, or be a
        Pipeline whose last step's does; with ``labels="hard"`` any classifier will do. If it has
        ``classes``, these are the classes of all.
    n_generations : int, default=6
        Number of generations, at most.
    labels : {"soft", "hard"}, default="soft"
        What a generation hears of the one before: probabilities or predictions. A student that
        takes ``teacher_proba`` hears predictions as probabilities of 0 and 1, any other has them
        as its labels; at temperature 1 and λ = 1 this is the same.
    imitation : float or None, default=1.0
        λ in [0, 1], to which the student's ``imitation`` is set; 1 means that from generation 2 on
        nobody hears the labels. None leaves the student's own. Students that do not take
        ``teacher_proba`` cannot mix answers and labels, and need 1 (or None, which is then 1).
    cv : int, splitter, iterable of (train, test) or None, default=None
        None lets a generation answer for the rows that it was fitted on, as in the papers. Folds
        let a line of generations without the fold's rows answer for them; see Notes.
    scoring : str, callable or None, default=None
        Validation score, the greater the better; it needs validation rows. None is the negative
        cross-entropy of the labels, or the accuracy for a student without ``predict_proba``.
    early_stopping : bool, default=False
        Whether to stop when the validation score rises no more, and to predict by the generation
        that had the highest.
    validation_fraction : float, default=0.1
        Share of the labelled rows, in (0, 1), that early stopping sets aside without X_val.
    n_iter_no_change : int, default=2
        Generations without a higher score after which early stopping stops.
    ensemble : bool, default=False
        Whether to predict by the mean of the probabilities of all generations (with early stopping
        of those up to the best) instead of by one generation.
    random_state : int, RandomState or None, default=None
        Seeds the validation rows, and each generation anew where the student's own
        ``random_state`` is None; a student with a seed begins each generation with the same.
    verbose : int, default=0
        Above 0, show a progress bar over the generations.

    Attributes
    ----------
    estimator_ : classifier
        What predicts: the last generation, the best one (``early_stopping``) or the mean of
        several (``ensemble``).
    estimators_ : list of classifiers
        The fitted generations, the first of which learnt from the labels.
    best_generation_ : int
        Number of the generation that predicts, from 1; of an ensemble that of its last.
    generations_ : DataFrame
        Figures of each generation, on the rows that it was fitted on (``train_…``) and on
        validation rows where there are some (``validation_…``): ``accuracy``; ``cross_entropy`` of
        the labels in nats; ``uncertainty``, by
        :func:`~sklearn_distill.metrics.uncertainty_degree`; ``agreement``, the share of the rows
        on which its prediction is that of the generation before; and ``validation_score``. NaN
        for a student without probabilities.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features, of images that of channels.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    See Also
    --------
    TeacherStudentClassifier : A student and another teacher.

    Notes
    -----
    With ``cv=None`` a generation has seen the labels of the rows that it answers for, so its
    answers repeat them, the more the better it can learn them by heart: figures on training rows
    say nothing about other rows. With folds there is, for each fold, a line of generations that
    are fitted on the fold's training rows alone, each taught by the one before it in the line (in
    sample, there). Generation g + 1 hears of the fold's rows what generation g of that line says:
    no ancestor of an answer saw the row's label. This takes K + 1 fits a generation instead of
    one. In rows that no test fold covers the generation before is silent, and the label speaks;
    rows in several get the mean, with hard labels the most frequent answer. A score on X_val is
    honest for one generation, too high for the best one of many: test on further rows.

    Rows whose label is missing (NaN, None, pd.NA) are not shown to generation 1, and get its
    answer from then on.

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

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "student": "no_validation",  # clone says what is no estimator
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
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        **fit_params: Any,
    ) -> Self:
        """Fit one generation after the other.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            Features, whatever the student takes.
        y : array-like of shape (n_samples,)
            Labels, some of which may be missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows, for each generation.
        X_val, y_val : array-like or None
            Labelled rows on which to judge each generation. They are not sliced in a
            cross-validation, and the student is not given them.
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
            If the student cannot hear what ``labels`` and ``imitation`` ask for, or lacks what
            ``ensemble`` needs, or arguments or parameters are not valid. The estimator is then
            as it was before.
        TypeError
            If a parameter of fit is unknown, or the student raises one.

        Warns
        -----
        UserWarning
            If a generation has forgotten a class, which hard labels may bring about.
        """
        self._validate_params()
        lesson, to_splitter = self._read(X, y, sample_weight, fit_params)
        students, seed = self._students(lesson.argument)
        rows, validation = self._rows(lesson, X_val, y_val, seed)
        chronicle = GenerationHistory(
            validation_set(lesson, rows), validation, self._score(validation)
        )
        line = self._line(lesson, rows, to_splitter)
        self.estimators_, self.best_generation_ = self._fit_generations(line, students, chronicle)
        self.generations_ = chronicle.table()
        self.estimator_ = self._final_estimator()
        self._warn_of_forgotten(lesson.shown)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict by ``estimator_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict(self._same_features(X)))

    @available_if(_student_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities that ``estimator_`` gives.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``; 0 for a class that was forgotten.
        """
        check_is_fitted(self)
        return proba_of(self.estimator_, self._same_features(X), self.classes_, "that predicts")

    @available_if(_one_decides)
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the scores of ``estimator_``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Scores as the student gives them.
        """
        check_is_fitted(self)
        return np.asarray(self.estimator_.decision_function(self._same_features(X)))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how metadata go to student and splitter.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        return make_router(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        of_student = get_tags(self.student).classifier_tags
        if of_student is not None:  # fit says of who is no classifier what to do
            tags.classifier_tags.multi_class = of_student.multi_class
            tags.classifier_tags.poor_score = of_student.poor_score
        return tags
