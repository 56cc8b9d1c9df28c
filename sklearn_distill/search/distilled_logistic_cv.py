"""Distilled logistic regression that chooses λ, T and C by cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._typing import (
    ArrayLike,
    BoolArray,
    CheckedX,
    FloatArray,
    IntArray,
    MatrixLike,
    TargetLike,
    TeacherLike,
)
from sklearn_distill._validation.absent_rows import fill_absent
from sklearn_distill._validation.fitting import (
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.missing_teacher import check_teacher_searched, check_teacher_used
from sklearn_distill._validation.partial_teacher import Partial
from sklearn_distill._validation.routing import make_router, split_params
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.splits import (
    check_repeatable,
    check_weighted_splits,
    labelled_splits,
    with_unlabelled,
)
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.losses import ChunkedDesign, Design, RowSpace, as_design
from sklearn_distill.losses.design import TakenDesign
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.metrics import get_scorer, get_scorer_names
from sklearn_distill.search._cv_fold import CountedDesign, CVFold
from sklearn_distill.search._cv_loss import CrossValidatedLoss, evaluation_progress
from sklearn_distill.search._cv_warm_start import WarmStartSolver
from sklearn_distill.search._descent import descend, evaluate_grid, grid_axes
from sklearn_distill.search._fold_scorer import FoldScorer
from sklearn_distill.search._lockstep import LockstepFits
from sklearn_distill.search._results import GridResults, cv_results, fold_coefs, search_path
from sklearn_distill.search._space import Space
from sklearn_distill.search._validation_loss import ValidationLoss
from sklearn_distill.solvers import (
    Minimiser,
    minimise_in_row_space,
    newton_pays,
    row_space_pays,
)
from sklearn_distill.students._chunks import (
    X_CHECKS,
    chunked_design,
    is_chunked,
    to_memory,
)
from sklearn_distill.students._logistic import CONSTRAINTS, LogisticStudent
from sklearn_distill.students._problem import (
    LossParams,
    TrainingTargets,
    drop_absent,
    make_problem,
)
from sklearn_distill.targets import PartialTeachers

if TYPE_CHECKING:
    from sklearn.utils.metadata_routing import MetadataRouter


# the training rows of each fold are copied of a dense X of at most as many bytes
MAX_COPIED_BYTES = 2**24


class DistilledLogisticRegressionCV(LogisticStudent):
    r"""Distilled logistic regression with λ, T and C chosen by cross-validation.

    Minimises over the metaparameters θ, a subset of λ, T and C, the mean over folds of the
    cross-entropy of held-out labels or, if no sample has a label, of the teacher's held-out
    probabilities :math:`q_i` in their place,

    .. math::

        V(θ) = \frac1K \sum_k \frac{1}{\sum_{i∈\mathrm{val}_k} s_i} \sum_{i∈\mathrm{val}_k}
        s_i\,CE\big(y_i, \mathrm{softmax}(W_k(θ)\,x_i/T_{val})\big),

    where :math:`W_k(θ)` is the minimiser of the objective of
    :class:`~sklearn_distill.DistilledLogisticRegression` on the training samples of fold k. The
    derivative of the converged fit is exact and costs one more solve with its Hessian,

    .. math:: \frac{dV}{dθ} = -a·\frac{\partial\nabla F}{\partialθ}, \qquad \nabla^2F\,a = \nabla V,

    so a bounded quasi-Newton method finds the minimum in a few evaluations, each of which is
    warm-started from the fits of the previous one. Finally the student is fitted to all samples.

    Parameters
    ----------
    metaparameters : sequence of {"imitation", "temperature", "C"}, default=all three
        The metaparameters to choose. The others are fixed at their constructor parameters. Without
        any label, λ has no effect and cannot be searched: ("temperature", "C").
    cv : int, splitter or iterable of (train, test), default=5
        The folds. A splitter gets the labelled samples only, and an int is stratified over them.
        Samples without a label are in the training set of every fold and never in a validation
        set. With ``groups``, they are not in the training set where their group is validated on.
        These are the folds of :class:`~sklearn_distill.model_selection.LabeledKFold`. Without any
        label, each sample is validated on, and an int is the number of plain folds.
    method : {"implicit", "grid"}, default="implicit"
        "implicit" explores on the first fold, or on as many as together validate on 300 samples:
        coarse points are the start, two values of each metaparameter within the bounds and a few at
        their edges. Then it descends a few steps from the best point, and from one more, or up to
        three if all folds are explored, that have no better neighbour and are within 1.5 standard
        errors of the best (of the mean difference over samples). From the best end it descends on
        all folds, and evaluates each coarse point on one more fold at a time until it is 1.5
        standard errors worse.
        "grid" evaluates all points of ``grid`` on all folds, which are fitted in lockstep: a pass
        over X serves all of them.
    validation_temperature : float, default=1.0
        :math:`T_{val}`, by which the student's scores are divided on validation samples.
    bounds : dict or None, default=None
        (low, high) by searched metaparameter, where other than (0, 1) for the imitation, (0.1, 10)
        for the temperature and (1e-4, 1e4) for C.
    grid : int or dict, default=5
        For ``method="grid"``: number of values of each metaparameter, evenly spaced in λ, log T and
        log C over its bounds, or the values themselves by metaparameter.
    scoring : str, callable or None, default=None
        The scorer by which ``method="grid"`` compares settings: a name from
        :func:`sklearn_distill.metrics.get_scorer_names`, or ``scorer(estimator, X, y)``. It gets
        ``sample_weight`` if fit does, and one that judges by ``teacher_proba`` gets the teacher's
        predictions. None is the cross-entropy above. A descent needs a gradient,
        which no other score has: any other value with ``method="implicit"`` is an error.
    refit : bool, default=True
        Whether the student is fitted to all samples. If False, coefficients, intercepts and
        metaparameters are averages over folds of those with each fold's best score, among the
        settings evaluated on all folds. An average with an intercept of -inf, of a class without
        target mass in a fold, is -inf.
    search_tol : float, default=2e-5
        A descent stops where its quadratic model of V predicts a smaller gain than this.
    max_evaluations : int, default=50
        Largest number of evaluations of V in one descent.
    imitation : float, default=0.5
        λ in [0, 1]: where the search starts, or its fixed value.
    temperature : float, default=1.0
        T > 0: where the search starts, or its fixed value.
    C : float, default=1.0
        Inverse strength of the ridge penalty, in (0, inf]: where the search starts, or its fixed
        value.
    fit_intercept : bool, default=True
        Whether to fit the (unpenalised) intercept.
    soften_student : bool, default=True
        Whether the student's logits are divided by T too (T' = T), or only the teacher's (T' = 1).
    t_squared : bool, default=False
        Whether the teacher's term is multiplied by τ = T². Needs ``soften_student=True``.
    regularizer : {None, "grabovoy", "continuous_categorical"}, default=None
        r of the student's objective. With "grabovoy" and three or more classes the fits are
        stationary points, and so the derivatives are those of stationary points.
    partial : {"rest", "spread"}, default="rest"
        What becomes of classes that ``teacher_proba`` leaves unknown, as for
        :class:`~sklearn_distill.DistilledLogisticRegression`.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in training, as in
        :class:`~sklearn_distill.DistilledLogisticRegression`; "balanced" counts the training
        samples of each fold. The validation loss is weighted by ``sample_weight`` only.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, if some of them are missing in y.
    solver : {"auto", "lbfgs", "newton-cg"}, default="auto"
        Minimiser of the fits.
    tol : float, default=1e-5
        A fit stops when max|∇| / Σ s_i ≤ tol. The default is smaller than that of
        :class:`~sklearn_distill.DistilledLogisticRegression`, since small differences of the loss
        distinguish good settings. A fit in a fold with a weak penalty goes on until max|∇| ≤
        0.003/C, where its loss is converged, too; of a setting on some of the folds, which is
        evaluated to see whether it is clearly worse than the best one, until 0.1/C. Where the
        derivative is computed, it also corrects the loss, to first order and by at most 1e-4, for
        what the fit lacks. The fits of a grid in lockstep, for ``scoring``, go on until max|∇| ≤
        min(tol, 0.03/C). Without a scorer they stop where another step is expected to change the
        loss by no more than 10 tol, or 2 % of its difference from the best loss so far: how much
        worse a clearly worse setting is, is known roughly only. The best setting is then fitted on
        until that gradient, and so are those within 200 tol of its loss or, with few validated
        samples, 0.4 (100 / n)^1.5 nats.
    max_iter : int, default=200
        Largest number of iterations of a fit; 0 returns the initial point, with a
        ConvergenceWarning.
    n_jobs : int or None, default=None
        Number of folds that are fitted at a time, in threads, which share X, where they do not go
        in lockstep. The result does not depend on it.
    verbose : int, default=0
        Above 0, show a progress bar over evaluations.

    Attributes
    ----------
    imitation_, temperature_, C_ : float
        The metaparameters chosen, or their fixed values.
    best_score_ : float
        Negative mean validation loss of the best setting, or its mean score by ``scoring``.
    best_index_ : int
        Index of the best setting in ``cv_results_``.
    cv_results_ : dict of str to ndarray or list
        The settings evaluated on all folds, in the format of GridSearchCV; scores are negative
        losses, or those of ``scoring``.
    imitations_, temperatures_, Cs_ : ndarray of shape (n_values,)
        The values evaluated, or one fixed value. Only with ``method="grid"``.
    scores_ : ndarray of shape (n_folds, n_imitations, n_temperatures, n_Cs)
        Score of each setting in each fold. Only with ``method="grid"``.
    coefs_paths_ : ndarray of shape (n_folds, n_imitations, n_temperatures, n_Cs, n_rows, n_columns)
        Coefficients of each setting in each fold, with ``n_rows`` as in ``coef_``, and with the
        intercept as last column, if there is one. Only with ``method="grid"``.
    path_ : DataFrame
        One row for each evaluation: metaparameters, stage ("coarse", "descent", "probe" of the
        curvature, "check" or "grid"), number of folds, loss on these (minus the score, with
        ``scoring``), largest entry of the projected gradient, and its cost: passes over the
        training samples of a fold, summed over folds, and seconds. A check on some of the folds has
        the losses, and not the cost, of the coarse point that it continues.
    n_fits_ : int
        Number of fits to the training samples of a fold.
    n_splits_ : int
        Number of cross-validation folds.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients of the student on all samples; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts. A class without target mass from labels or teachers has -inf.
    classes_ : ndarray of shape (n_classes,)
        Class labels, in ascending order.
    n_iter_ : ndarray of shape (1,)
        Number of iterations of the last fit; with ``refit=False``, the largest of the fits
        averaged.
    solver_ : {"newton-cholesky", "lbfgs", "newton-cg", "row-space", ""}
        The method that found the coefficients.
    n_taught_rows_ : int
        Number of samples with a teacher's prediction.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

    Notes
    -----
    At λ = 0 with every sample labelled the loss does not depend on T: a search that starts there
    moves along λ only. At λ = 0, a class that occurs only in teachers' predictions has no target
    mass and so probability 0; at λ = 1, so has a class that occurs only in labels. A validation
    label of such a class adds 36.04 nats, as in scikit-learn's ``log_loss``: there V jumps but
    stays finite, and the derivative is that of the other labels. In a fold, a class with a share of
    the targets below 3e-11, which rounding hides, counts as one without target mass.

    No fold copies its rows of a dense X of more than 16 MB: its rows are those of X, with weight 0
    where they are held out, so that X may be a memory map of floats, and from the second one on
    folds are fitted in lockstep. What is allocated are numbers for each sample, class and fold –
    for 100 features and few classes together less than X – and the factor of a Hessian, up to
    n_classes × n_features². The folds of a smaller or a sparse X copy their rows. For a dense X of
    more columns than rows (see ``solver`` of
    :class:`~sklearn_distill.DistilledLogisticRegression`) all folds are fitted in coordinates of
    its row space, of n × n numbers, which are computed once; passes are then over these.

    References
    ----------
    Bengio 2000, "Gradient-based optimization of hyperparameters"; Gorpinich, Bakhteev and Strijov
    2022, "Gradient-based metaparameter optimisation in distillation", for the problem.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2))
    >>> y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)
    >>> teacher_proba = 1 / (1 + np.exp(-2 * X[:, 0]))
    >>> student = DistilledLogisticRegressionCV(("imitation",), C=100.0)
    >>> student.fit(X, y, teacher_proba=teacher_proba).imitation_ > 0.5
    True
    """

    # requested by default, so that routing needs no set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_proba": True,
        "teacher_logits": True,
        "teacher_weight": True,
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS | {
        "metaparameters": ["array-like", str],
        "cv": ["cv_object"],
        "method": [StrOptions({"implicit", "grid"})],
        "validation_temperature": [Interval(Real, 0, None, closed="neither")],
        "bounds": [dict, None],
        "grid": [Interval(Integral, 2, None, closed="left"), dict],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "refit": ["boolean"],
        "search_tol": [Interval(Real, 0, None, closed="neither")],
        "max_evaluations": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    imitation_: float
    temperature_: float
    C_: float

    def __init__(
        self,
        metaparameters: Any = ("imitation", "temperature", "C"),
        *,
        cv: Any = 5,
        method: str = "implicit",
        validation_temperature: float = 1.0,
        bounds: dict[str, tuple[float, float]] | None = None,
        grid: int | dict[str, Any] = 5,
        scoring: str | Callable[..., float] | None = None,
        refit: bool = True,
        search_tol: float = 2e-5,
        max_evaluations: int = 50,
        imitation: float = 0.5,
        temperature: float = 1.0,
        C: float = 1.0,
        fit_intercept: bool = True,
        soften_student: bool = True,
        t_squared: bool = False,
        regularizer: str | None = None,
        partial: Partial = "rest",
        class_weight: dict[Any, float] | str | None = None,
        classes: Any = None,
        solver: str = "auto",
        tol: float = 1e-5,
        max_iter: int = 200,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.metaparameters = metaparameters
        self.cv = cv
        self.method = method
        self.validation_temperature = validation_temperature
        self.bounds = bounds
        self.grid = grid
        self.scoring = scoring
        self.refit = refit
        self.search_tol = search_tol
        self.max_evaluations = max_evaluations
        self.imitation = imitation
        self.temperature = temperature
        self.C = C
        self.fit_intercept = fit_intercept
        self.soften_student = soften_student
        self.t_squared = t_squared
        self.regularizer = regularizer
        self.partial = partial
        self.class_weight = class_weight
        self.classes = classes
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs
        self.verbose = verbose

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
        fold_teacher_proba: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Choose the metaparameters, then fit the student to all samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array} of shape (n_samples, n_features)
            Features; float32 stays float32, CSR and CSC stay sparse. A dask array, and a memory map
            of 256 MB or more of other numbers than floats, are read chunk by chunk in each pass,
            unless there is a ``scoring``, which is given rows of X. The other arguments may be dask
            arrays, too, which are loaded into memory.
        y : array-like of shape (n_samples,) or None
            Labels. NaN, None and pd.NA are missing labels, for which a teacher's prediction is
            required; None says that all are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the samples, in training and in validation.
        teacher_proba : array-like or DataFrame or None
            The teacher's probabilities, in the formats of
            :class:`~sklearn_distill.DistilledLogisticRegression`.
        teacher_logits : array-like or DataFrame or None
            Logits instead of probabilities.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each row, as for
            :class:`~sklearn_distill.DistilledLogisticRegression`. Without any label the rows
            validate with these weights, too.
        fold_teacher_proba : array-like of shape (n_folds, n_samples, n_classes) or None
            For each fold of ``cv``, in its order, the teacher's probabilities that the fit to the
            fold's training samples uses instead of ``teacher_proba``, of which the fit to all
            samples is then the only use. Choosing λ is leakage-free if they come from teachers that
            were fitted neither on the sample itself nor on the fold's validation samples.
            :class:`~sklearn_distill.TeacherStudentClassifier` passes such predictions.
        **params : dict
            ``groups`` for the splitter; with metadata routing, what the splitter requests.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If X, teacher, labels or parameters are not valid, λ or T is searched without any
            teacher's prediction or λ without any label, a fold has no sample to train or to
            validate on, or a parameter of fit is unknown. The estimator is then left unchanged.

        Warns
        -----
        ImplausibleTeacherWarning
            If the teacher agrees with the labels no better than with its rows shuffled, better with
            its columns exchanged, or ``teacher_logits`` look like probabilities (see the guide on
            soft labels).
        TeacherMissingWarning
            If only C is searched, there is no teacher, and ``imitation`` is not 0.
        """
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
            teacher_weight=teacher_weight,
        )
        y, sample_weight = to_memory(y), to_memory(sample_weight)
        teacher_proba, teacher_logits = to_memory(teacher_proba), to_memory(teacher_logits)
        teacher_weight = to_memory(teacher_weight)
        fold_teacher_proba = to_memory(fold_teacher_proba)
        checked: CheckedX | ChunkedDesign
        if self.scoring is None and _is_read_in_chunks(X):  # a scorer is given rows of X
            validate_data(self, X, skip_check_array=True)
            checked = chunked_design(X, self.fit_intercept)
        else:
            checked = self._validate_features(
                X, fill_absent(y, sample_weight), teacher_proba, teacher_logits
            )
        targets = TrainingTargets.read(
            self,
            checked.shape[0],
            y,
            sample_weight,
            teacher_proba,
            teacher_logits,
            teacher_weight=teacher_weight,
        )
        self._check_method()
        space = Space.of(self.metaparameters, LossParams.of(self), self.bounds)
        self._check_teacher(
            space, targets.n_taught_rows, teacher_proba, teacher_logits, teacher_weight
        )
        self._check_labels(space, targets)
        targets.warn_if_implausible(teacher_proba)
        folds = self._make_folds(
            checked,
            targets,
            split_params(self, params),
            weighted=sample_weight is not None,
            fold_targets=self._read_fold_targets(
                targets, y, sample_weight, fold_teacher_proba, teacher_weight
            ),
        )
        features = checked if folds[0].row_space is None else folds[0].row_space.L
        in_lockstep = self._goes_in_lockstep(features, targets)
        cv_loss = self._search(folds, space, in_lockstep=in_lockstep)
        self._set_search_attributes(cv_loss)
        if not isinstance(checked, ChunkedDesign):
            checked, targets = drop_absent(checked, targets)
        self.classes_ = targets.classes
        self.n_taught_rows_ = targets.n_taught_rows
        if self.refit:
            self._refit(checked, targets, space.loss_params(cv_loss.best.u), cv_loss)
        else:
            self._average_over_folds(cv_loss, checked.dtype)
        return self

    def score(self, X: MatrixLike, y: TargetLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the score by ``scoring``, or the accuracy if it is None.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples to predict.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the samples.

        Returns
        -------
        float
            The score; the larger, the better.

        Raises
        ------
        ValueError
            If ``scoring`` judges by a teacher: call the scorer itself.
        """
        if self.scoring is None:
            return float(super().score(X, y, sample_weight))
        scorer = get_scorer(self.scoring)
        judge = getattr(scorer, "judge", None)
        if judge is not None:
            raise ValueError(
                f"scoring={scorer!r} judges by {judge}, which score does not take: call "
                f"{scorer!r}(search, X, {judge}=...)"
            )
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(scorer(self, X, y, **weight))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the router of the parameters of fit.

        Returns
        -------
        MetadataRouter
            This estimator's own requests, and those of the splitter.
        """
        return make_router(self)

    def _check_method(self) -> None:
        """Refuse parameters that the method would ignore."""
        if self.scoring is not None and self.method == "implicit":
            raise ValueError(
                f"scoring={self.scoring!r} has no gradient, by which method='implicit' descends: "
                "set method='grid', or leave scoring=None for the cross-entropy"
            )
        if self.scoring is not None and self.validation_temperature != 1:
            raise ValueError(
                f"validation_temperature={self.validation_temperature} divides the scores in the "
                f"cross-entropy, which scoring={self.scoring!r} replaces: leave out one of the two"
            )
        if self.method == "implicit" and isinstance(self.grid, dict):
            raise ValueError(
                f"grid has values of {sorted(self.grid)}, but method='implicit' does not evaluate "
                "a grid: set method='grid', or pass bounds instead of values"
            )

    def _check_teacher(
        self,
        space: Space,
        n_taught_rows: int,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        teacher_weight: ArrayLike | None,
    ) -> None:
        """Require a teacher for a search over λ or T; warn if it is missing for one over C."""
        check: Callable[..., None]
        if space.names == ("C",):
            check = partial(check_teacher_used, self.imitation)
        else:
            check = partial(check_teacher_searched, f"metaparameters={list(space.names)}")
        check(
            n_taught_rows,
            teacher_weight=teacher_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
        )

    def _check_labels(self, space: Space, targets: TrainingTargets) -> None:
        """Require a label for a search over λ, the weight of the teacher beside it."""
        if "imitation" in space.names and not _labelled(targets).any():
            others = tuple(name for name in space.names if name != "imitation")
            raise ValueError(
                "y has no labels, so that the teacher has the full weight at any imitation: search "
                f"the others, metaparameters={others or ('C',)}"
            )

    def _read_fold_targets(
        self,
        targets: TrainingTargets,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        fold_teacher_proba: ArrayLike | None,
        teacher_weight: ArrayLike | None,
    ) -> list[TrainingTargets] | None:
        """Return the targets of each fold, which differ in the teacher's predictions."""
        if fold_teacher_proba is None:
            return None
        check_repeatable(self.cv, "fold_teacher_proba")
        by_fold = np.asarray(fold_teacher_proba)
        n_rows = len(targets.sample_weight)
        if by_fold.ndim < 3 or by_fold.shape[1] != n_rows:
            raise ValueError(
                f"fold_teacher_proba has the shape {by_fold.shape}: pass one of (n_splits, "
                f"n_samples, n_classes) with the {n_rows} samples of X"
            )
        if not targets.n_taught_rows:
            raise ValueError(
                "fold_teacher_proba takes the place of teacher_proba in the folds, and there is no "
                "teacher_proba for the fit to all samples: pass both"
            )
        fold_targets = [
            TrainingTargets.read(
                self, n_rows, y, sample_weight, of_fold, None, teacher_weight=teacher_weight
            )
            for of_fold in by_fold
        ]
        for of_fold in fold_targets:
            of_fold.warn_if_implausible(fold_teacher_proba, "fold_teacher_proba")
        return fold_targets

    def _make_folds(
        self,
        X: CheckedX | ChunkedDesign,
        targets: TrainingTargets,
        params: dict[str, Any],
        *,
        weighted: bool,
        fold_targets: list[TrainingTargets] | None = None,
    ) -> list[CVFold]:
        """Return the folds: only labelled rows validate, rows without a label always train.

        Without any label, all rows validate, by the teacher's predictions. ``weighted`` is whether
        fit got weights, which are passed on to a scorer then. ``fold_targets`` are those that each
        fold trains on, if they differ.
        """
        labels, weight = targets.labels, targets.sample_weight
        # rows of weight 0 are in no fold, and keep their numbers for an iterable of splits
        y: IntArray | None = labels.codes
        validated, present = _labelled(targets), labels.present
        has_labels = bool(validated.any())
        if not has_labels:
            validated, y, present = weight > 0, None, np.ones(len(weight), dtype=bool)
        splits = labelled_splits(
            self.cv, self._for_splitter(X), y, validated, params, is_class=has_labels
        )
        splits = with_unlabelled(splits, present, params.get("groups"))
        splits = [(train[weight[train] > 0], test) for train, test in splits]
        check_weighted_splits(splits, weight)
        if fold_targets is None:
            fold_targets = [targets] * len(splits)
        elif len(fold_targets) != len(splits):
            raise ValueError(
                f"fold_teacher_proba has predictions for {len(fold_targets)} folds, and cv gives "
                f"{len(splits)}"
            )
        space = self._row_space(X)
        features = X if space is None else space.L
        shared: CountedDesign | ChunkedDesign | None = None
        if isinstance(features, ChunkedDesign):
            shared = features
        elif self._goes_in_lockstep(features, targets) or _is_large(features):
            shared = CountedDesign(as_design(features, self.fit_intercept))
        return [
            self._make_fold(X, space, shared, of_fold, train, test, weighted=weighted)
            for of_fold, (train, test) in zip(fold_targets, splits, strict=True)
        ]

    def _for_splitter(self, X: CheckedX | ChunkedDesign) -> CheckedX:
        """Return X, or zeros where the splitter needs the number of rows only, or X is in chunks.

        A splitter is given the labelled rows, of which X might have to be copied.
        """
        needs_rows_only = self.cv is None or isinstance(self.cv, Integral)
        if isinstance(X, ChunkedDesign) or needs_rows_only:
            return np.broadcast_to(0.0, (X.shape[0], 1))
        return X

    def _goes_in_lockstep(self, X: CheckedX | ChunkedDesign, targets: TrainingTargets) -> bool:
        """Return whether the folds of a grid are fitted together, by L-BFGS."""
        regularizer = make_regularizer(self.regularizer)
        n_classes = len(targets.classes)
        is_convex = (regularizer is None or regularizer.convex(n_classes)) and not isinstance(
            targets.teachers, PartialTeachers
        )
        if self.method != "grid" or self.solver == "newton-cg" or not is_convex:
            return False
        if isinstance(X, ChunkedDesign):
            return True
        n_rows, n_features = X.shape
        n_scores = 1 if n_classes == 2 else n_classes
        # Newton's method takes less time for tiny data
        return not newton_pays(n_rows, n_scores, n_features + self.fit_intercept)

    def _row_space(self, X: CheckedX | ChunkedDesign) -> RowSpace | None:
        """Return the coordinates of all rows, which serve every fold, if X is wide and dense."""
        if not isinstance(X, np.ndarray) or self.solver == "lbfgs" or not row_space_pays(*X.shape):
            return None
        return RowSpace.of(X, fit_intercept=self.fit_intercept)

    def _make_fold(
        self,
        X: CheckedX | ChunkedDesign,
        space: RowSpace | None,
        shared: CountedDesign | ChunkedDesign | None,
        targets: TrainingTargets,
        train: IntArray,
        test: IntArray,
        *,
        weighted: bool,
    ) -> CVFold:
        """Return a fold, on the design of all rows that the folds share, or on its own."""
        features: Any = X if space is None else space.L
        if isinstance(features, ChunkedDesign):
            test = np.sort(test)  # in the order of the chunks
        held_out = targets.take(test)
        validation = ValidationLoss(
            self._held_out_design(features, test),
            held_out.validation_targets(),
            held_out.sample_weight,
            float(self.validation_temperature),
        )
        scorer = None
        if self.scoring is not None:
            scorer = self._fold_scorer(self.scoring, X, test, held_out, weighted=weighted)
        is_training = None
        if shared is not None:
            is_training = np.zeros(len(targets.sample_weight), dtype=bool)
            is_training[train] = True
        return CVFold(
            targets.take(train) if shared is None else targets,
            is_training,
            # the cost of the search is counted in passes over the training rows only
            shared or CountedDesign(as_design(features[train], self.fit_intercept)),
            validation,
            self._warm_start_solver(features, in_row_space=space is not None),
            scorer,
            keep_solutions=self.method == "grid" or not self.refit,
            row_space=space,
        )

    def _held_out_design(
        self, X: CheckedX | ChunkedDesign, test: IntArray
    ) -> Design | ChunkedDesign:
        if isinstance(X, ChunkedDesign):
            return X.take(test)
        if _is_large(X):
            return TakenDesign(X, test, self.fit_intercept)
        return as_design(X[test], self.fit_intercept)

    def _fold_scorer(
        self,
        scoring: Any,
        X: CheckedX,
        test: IntArray,
        held_out: TrainingTargets,
        *,
        weighted: bool,
    ) -> FoldScorer:
        """Return the scorer of a fold, with the validation samples and what it judges them by."""
        labels, scorer = held_out.labels, get_scorer(scoring)
        params: dict[str, Any] = {"sample_weight": held_out.sample_weight} if weighted else {}
        if getattr(scorer, "judge", None) == "teacher_proba":
            params["teacher_proba"] = held_out.mean_teacher_proba()
        y = held_out.classes[labels.codes] if labels.present.any() else None
        return FoldScorer(scorer, X, test, y, params, held_out.classes, self.fit_intercept)

    def _search(
        self, folds: list[CVFold], space: Space, *, in_lockstep: bool
    ) -> CrossValidatedLoss:
        with evaluation_progress(self.verbose, type(self).__name__) as progress:
            lockstep = None
            if in_lockstep:
                by_loss = self.scoring is None
                lockstep = LockstepFits(folds, self.tol, self.max_iter, by_loss=by_loss)
            cv_loss = CrossValidatedLoss(folds, space, self.n_jobs, progress, lockstep)
            if self.method == "grid":
                evaluate_grid(cv_loss, self.grid)
            else:
                descend(cv_loss, tol=self.search_tol, max_evaluations=self.max_evaluations)
        return cv_loss

    @property
    def path_(self) -> pd.DataFrame:
        """One row for each evaluation of the search; see Attributes."""
        check_is_fitted(self)
        return pd.DataFrame(self._path)  # not kept: a frame ties a saved model to pandas' version

    def _set_search_attributes(self, cv_loss: CrossValidatedLoss) -> None:
        best = cv_loss.best
        chosen = cv_loss.space.loss_params(best.u)
        losses = [evaluation.loss for evaluation in cv_loss.full_evaluations]
        self.imitation_ = chosen.imitation
        self.temperature_ = chosen.temperature
        self.C_ = chosen.C
        self.best_score_ = -best.loss
        self.best_index_ = int(np.argmin(losses))
        self.cv_results_: dict[str, Any] = cv_results(cv_loss)
        self._path: list[dict[str, Any]] = search_path(cv_loss)
        self.n_splits_ = len(best.folds)
        self.n_fits_ = cv_loss.n_fits
        if self.method == "grid":
            axes = grid_axes(cv_loss.space, self.grid)
            arrays = GridResults.of(cv_loss, axes, fit_intercept=self.fit_intercept)
            self.imitations_, self.temperatures_, self.Cs_ = arrays.values.values()
            self.scores_, self.coefs_paths_ = arrays.scores, arrays.coefs
        self._warn_if_not_converged(cv_loss)

    def _average_over_folds(self, cv_loss: CrossValidatedLoss, dtype: np.dtype[Any]) -> None:
        """Average metaparameters and coefficients over folds, of the best setting of each."""
        evaluations = cv_loss.full_evaluations
        losses = np.array([[fold.loss for fold in one.folds] for one in evaluations])
        best = [evaluations[i] for i in losses.argmin(axis=0)]
        chosen = [cv_loss.space.loss_params(one.u) for one in best]
        self.imitation_ = float(np.mean([params.imitation for params in chosen]))
        self.temperature_ = float(np.mean([params.temperature for params in chosen]))
        self.C_ = float(np.mean([params.C for params in chosen]))
        folds = [one.folds[k] for k, one in enumerate(best)]
        solutions = [fold.solution for fold in folds if fold.solution is not None]
        W = np.mean(fold_coefs(folds, fit_intercept=self.fit_intercept), axis=0)
        n_features = self.n_features_in_
        self.coef_ = W[:, :n_features].astype(dtype)
        # without an intercept the sum over no column is 0
        self.intercept_ = W[:, n_features:].sum(axis=1).astype(dtype)
        self.solver_ = solutions[-1].solver
        self.n_iter_ = np.array([max(one.n_iter for one in solutions)], dtype=np.int32)

    def _warn_if_not_converged(self, cv_loss: CrossValidatedLoss) -> None:
        """Warn once for all folds, whose fits have no warning of their own."""
        converged = [
            fold.converged for evaluation in cv_loss.evaluations for fold in evaluation.folds
        ]
        if not all(converged):
            warn_user(
                f"{converged.count(False)} of {len(converged)} fits in folds stopped before "
                f"max|gradient| <= tol = {self.tol:.2g}: scale X, raise max_iter or tol, or "
                "narrow the bounds",
                ConvergenceWarning,
            )

    def _refit(
        self,
        X: CheckedX | ChunkedDesign,
        targets: TrainingTargets,
        loss_params: LossParams,
        cv_loss: CrossValidatedLoss,
    ) -> None:
        """Fit the student to all rows, from the solutions of the folds."""
        design = X if isinstance(X, ChunkedDesign) else as_design(X, self.fit_intercept)
        problem = make_problem(targets, design, loss_params)
        space, warm_start = cv_loss.best.folds[0].row_space, cv_loss.start_of_refit(problem)
        solver_and_start: tuple[Minimiser, FloatArray]
        if space is None:
            solver_and_start = self._warm_start_solver(X).solver_and_start(problem, warm_start)
        else:
            # its coordinates are of all rows but those of weight 0, which a refit leaves out
            known = space if X is space.X else None
            w = None if warm_start is None else space.lift_flat(warm_start.w)
            solver_and_start = (
                partial(minimise_in_row_space, method=self.solver, space=known),
                problem.objective.zeros() if w is None else w,
            )
        solution = self._solve(problem, *solver_and_start)
        self._set_coefficients(solution, problem.active, X.dtype)

    def _warm_start_solver(
        self, X: CheckedX | ChunkedDesign, *, in_row_space: bool = False
    ) -> WarmStartSolver:
        dense, precision = not sparse.issparse(X), str(X.dtype)
        return WarmStartSolver(self.solver, dense, precision, self.tol, self.max_iter, in_row_space)


def _is_read_in_chunks(X: MatrixLike) -> bool:
    """Return whether X is on a cluster, or a large file of other numbers than floats."""
    is_float = isinstance(X, np.memmap) and X.dtype in X_CHECKS["dtype"]
    return is_chunked(X) and not is_float


def _is_large(X: CheckedX) -> bool:
    """Return whether the training rows of folds are not copied: those of a small X take less time.

    Slices of a sparse X are copies.
    """
    return isinstance(X, np.ndarray) and X.nbytes > MAX_COPIED_BYTES


def _labelled(targets: TrainingTargets) -> BoolArray:
    """Return which rows have a label and a positive weight."""
    return np.asarray(targets.labels.present & (targets.sample_weight > 0))
