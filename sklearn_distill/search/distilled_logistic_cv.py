"""Distilled logistic regression that chooses λ, T and C by cross-validation."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sklearn_distill._validation.fitting import (
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.labels import check_some_label
from sklearn_distill._validation.routing import make_router, split_params
from sklearn_distill._validation.splits import (
    Splits,
    check_weighted_splits,
    labelled_splits,
    with_unlabelled,
)
from sklearn_distill.losses import as_design
from sklearn_distill.search._cv_fold import CountedDesign, CVFold
from sklearn_distill.search._cv_loss import CrossValidatedLoss, evaluation_progress
from sklearn_distill.search._cv_warm_start import WarmStart, WarmStartSolver, compatible_warm_start
from sklearn_distill.search._descent import descend, sweep
from sklearn_distill.search._results import cv_results, path
from sklearn_distill.search._space import Space
from sklearn_distill.search._validation_loss import ValidationLoss
from sklearn_distill.students._logistic import CONSTRAINTS, LogisticStudent
from sklearn_distill.students._problem import LossParams, TrainingTargets, make_problem
from sklearn_distill.targets import Labels


class DistilledLogisticRegressionCV(LogisticStudent):
    r"""Distilled logistic regression with λ, T and C chosen by cross-validation.

    Minimises over the metaparameters θ, a subset of λ, T and C, the mean over folds of the
    cross-entropy of held-out labels,

    .. math::

        V(θ) = \frac1K \sum_k \frac{1}{\sum_{i∈\mathrm{val}_k} s_i} \sum_{i∈\mathrm{val}_k}
        s_i\,CE\big(y_i, \mathrm{softmax}(W_k(θ)\,x_i/T_{val})\big),

    where :math:`W_k(θ)` is the minimiser of the objective of
    :class:`~sklearn_distill.DistilledLogisticRegression` on fold k's training rows. The derivative
    of the converged fit is exact and costs one more solve with its Hessian,

    .. math:: \frac{dV}{dθ} = -a·\frac{\partial\nabla F}{\partialθ}, \qquad \nabla^2F\,a = \nabla V,

    so a bounded quasi-Newton method finds the minimum in a few evaluations, each of which starts
    from the fits of the one before. Then the student is fitted to all rows.

    Parameters
    ----------
    metaparameters : sequence of {"imitation", "temperature", "C"}, default=all three
        What to choose. The others stay as the constructor says.
    cv : int, splitter or iterable of (train, test), default=5
        The folds. A splitter sees the labelled rows only, and an int is stratified over them; rows
        without a label train in every fold and never validate. With ``groups``, they do not train
        where their group validates.
    method : {"implicit", "grid"}, default="implicit"
        "implicit" explores by the first fold, or as many as together validate on 300 rows: a coarse
        grid of the start and two values of each metaparameter within the bounds, then descents
        from the best of them and from others that no neighbour beats and that are within one
        standard error (of the mean difference over rows). From the best end it descends on all
        folds, and judges each coarse point on one fold after another until it is 1.5 standard
        errors worse.
        "grid" evaluates all points of ``grid`` on all folds.
    validation_temperature : float, default=1.0
        :math:`T_{val}`, by which the student's scores are divided on validation rows.
    bounds : dict or None, default=None
        (low, high) by metaparameter, where other than (0, 1) for the imitation, (0.1, 10) for the
        temperature and (1e-4, 1e4) for C.
    grid : int or dict, default=5
        For ``method="grid"``: number of values of each metaparameter, evenly spaced in λ, log T and
        log C over its bounds, or the values themselves by metaparameter.
    search_tol : float, default=2e-5
        A descent stops where its quadratic model of V promises a smaller gain than this.
    max_evaluations : int, default=50
        Largest number of evaluations of V in one descent.
    imitation : float, default=0.5
        λ in [0, 1]: where the search starts, or its fixed value.
    temperature : float, default=1.0
        T > 0, likewise.
    C : float, default=1.0
        Inverse strength of the ridge penalty, in (0, inf], likewise.
    fit_intercept : bool, default=True
        Whether to fit the (unpenalised) intercept.
    soften_student : bool, default=True
        Whether the student's logits are divided by T too (T' = T), or only the teacher's (T' = 1).
    t_squared : bool, default=False
        Whether the teacher's term is multiplied by τ = T². Needs ``soften_student=True``.
    regularizer : {None, "grabovoy", "continuous_categorical"}, default=None
        r of the student's objective. With "grabovoy" and three or more classes the fits are
        stationary points, and derivatives are theirs.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in training; "balanced" counts the labelled training rows of each
        fold. The validation loss knows ``sample_weight`` only.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, where y does not show them all.
    solver : {"auto", "lbfgs", "newton-cg"}, default="auto"
        Minimiser of the fits.
    tol : float, default=1e-5
        A fit stops when max|∇| / Σ s_i ≤ tol; smaller than the student's own, since settings are
        told apart by small differences of the loss. Where the derivative is computed, it also says
        to first order what the fit still lacks, and the loss is that of the converged fit.
    max_iter : int, default=200
        Largest number of iterations of a fit.
    n_jobs : int or None, default=None
        Folds at a time, in threads, which share X. The result does not depend on it.
    verbose : int, default=0
        Above 0, show a progress bar over evaluations.

    Attributes
    ----------
    imitation_, temperature_, C_ : float
        The metaparameters chosen, or the fixed values.
    best_score_ : float
        Negative mean validation loss there.
    best_index_ : int
        Where it stands in ``cv_results_``.
    cv_results_ : dict of str to ndarray or list
        As GridSearchCV's, for the settings evaluated on all folds, in turn; scores are negative
        losses.
    path_ : DataFrame
        One row for each evaluation: metaparameters, stage ("coarse", "descent", "probe" of the
        curvature, "check" or "grid"), number of folds, loss on these, largest entry of the
        projected gradient, and what it cost: passes over the training rows of a fold, summed over
        folds, and seconds.
    n_fits_ : int
        Fits to training rows of folds.
    n_splits_ : int
        Number of folds.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients of the student on all rows; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts. A class that neither a label nor a teacher gave any mass has -inf.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_iter_ : ndarray of shape (1,)
        Iterations of the last fit.
    solver_ : {"lbfgs", "newton-cg", ""}
        The method that found the coefficients.
    n_taught_rows_ : int
        Rows for which a teacher spoke.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    Notes
    -----
    At λ = 0 with every row labelled the loss does not depend on T: a search that starts there
    moves along λ only. At λ = 0 (λ = 1) a class that only teachers (labels) know loses its target
    mass and with it all probability. A validation label of such a class counts 36.04 nats, as in
    scikit-learn's ``log_loss``, so V jumps there but stays finite, and the derivative is that of
    the other labels.

    The training rows of all folds are held at once: K − 1 times the memory of X.

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

    # sliced by row with X without any set_fit_request
    __metadata_request__fit: ClassVar = {"teacher_proba": True, "teacher_logits": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS | {
        "metaparameters": ["array-like", str],
        "cv": ["cv_object"],
        "method": [StrOptions({"implicit", "grid"})],
        "validation_temperature": [Interval(Real, 0, None, closed="neither")],
        "bounds": [dict, None],
        "grid": [Interval(Integral, 2, None, closed="left"), dict],
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
        search_tol: float = 2e-5,
        max_evaluations: int = 50,
        imitation: float = 0.5,
        temperature: float = 1.0,
        C: float = 1.0,
        fit_intercept: bool = True,
        soften_student: bool = True,
        t_squared: bool = False,
        regularizer: str | None = None,
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
        self.search_tol = search_tol
        self.max_evaluations = max_evaluations
        self.imitation = imitation
        self.temperature = temperature
        self.C = C
        self.fit_intercept = fit_intercept
        self.soften_student = soften_student
        self.t_squared = t_squared
        self.regularizer = regularizer
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
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        teacher_proba: Any = None,
        teacher_logits: Any = None,
        **params: Any,
    ) -> Self:
        """Choose the metaparameters, then fit the student to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features; float32 stays float32, CSR and CSC stay sparse.
        y : array-like of shape (n_samples,)
            Labels. NaN, None and pd.NA are missing labels, which a teacher must answer for.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows, in training and in validation.
        teacher_proba : array-like or DataFrame or None
            The teacher's probabilities, as :class:`~sklearn_distill.DistilledLogisticRegression`
            takes them.
        teacher_logits : array-like or DataFrame or None
            Logits instead of probabilities.
        **params : dict
            ``groups`` for the splitter; with metadata routing, what the splitter requests.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If teacher, labels or parameters are not valid, or a fold has nothing to train or
            validate on. The estimator is then as it was before.
        TypeError
            If a parameter of fit is unknown.
        """
        X = self._validate_features(X, y, teacher_proba, teacher_logits)
        lesson = TrainingTargets.read(
            self, X.shape[0], y, sample_weight, teacher_proba, teacher_logits
        )
        space = Space.of(self.metaparameters, LossParams.of(self), self.bounds)
        folds = self._folds(X, lesson, split_params(self, params))
        with evaluation_progress(self.verbose, type(self).__name__) as progress:
            surface = CrossValidatedLoss(folds, space, self.n_jobs, progress)
            self._search(surface)
        self._set_search(surface)
        self._fit_all(X, lesson, space.setting(surface.best.u), surface.trail)
        return self

    def get_metadata_routing(self) -> Any:
        """Return who gets which parameter of fit.

        Returns
        -------
        MetadataRouter
            This estimator's own requests, and those of the splitter.
        """
        return make_router(self)

    def _folds(self, X: Any, lesson: TrainingTargets, params: dict[str, Any]) -> list[CVFold]:
        weight, labels = lesson.sample_weight, lesson.labels
        refits = self._refits(X)
        folds = []
        for train, test in self._splits(X, labels, weight, params):
            design = CountedDesign(as_design(X[train], self.fit_intercept))
            validation = ValidationLoss(
                as_design(X[test], self.fit_intercept),
                Labels(labels.codes[test], labels.n_classes),
                weight[test],
                float(self.validation_temperature),
            )
            folds.append(CVFold(lesson.take(train), design, validation, refits))
        return folds

    def _splits(
        self, X: Any, labels: Labels, weight: NDArray[Any], params: dict[str, Any]
    ) -> Splits:
        """Return the rows of each fold: labelled rows validate, rows without a label train."""
        check_some_label(labels.present, "the metaparameters are chosen by held-out labels")
        splits = labelled_splits(self.cv, X, labels.codes, labels.present, params, is_class=True)
        splits = with_unlabelled(splits, labels.present, params.get("groups"))
        check_weighted_splits(splits, weight)
        return splits

    def _search(self, surface: CrossValidatedLoss) -> None:
        if self.method == "grid":
            sweep(surface, self.grid)
        else:
            descend(surface, tol=self.search_tol, max_evaluations=self.max_evaluations)

    def _set_search(self, surface: CrossValidatedLoss) -> None:
        best = surface.best
        setting = surface.space.setting(best.u)
        self.imitation_ = setting.imitation
        self.temperature_ = setting.temperature
        self.C_ = setting.C
        self.best_score_ = -best.loss
        self.best_index_ = int(np.argmin([point.loss for point in surface.judged]))
        self.cv_results_: dict[str, Any] = cv_results(surface)
        self.path_: pd.DataFrame = path(surface)
        self.n_splits_ = len(best.folds)
        self.n_fits_ = surface.n_fits
        self._warn_of_unconverged(surface)

    def _warn_of_unconverged(self, surface: CrossValidatedLoss) -> None:
        converged: NDArray[Any] = np.array(
            [fold.converged for point in surface.points for fold in point.folds]
        )
        if not converged.all():
            warnings.warn(
                f"{np.sum(~converged)} of {len(converged)} fits in folds stopped before "
                f"max|gradient| <= tol = {self.tol:.2g}: scale X, raise max_iter or tol, or "
                "narrow the bounds",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _fit_all(
        self, X: Any, lesson: TrainingTargets, setting: LossParams, trail: WarmStart | None
    ) -> None:
        self.classes_ = lesson.classes
        self.n_taught_rows_ = lesson.n_taught_rows
        problem = make_problem(lesson, as_design(X, self.fit_intercept), setting)
        solution = self._solve(
            problem,
            *self._refits(X).solver_and_start(problem, compatible_warm_start(trail, problem)),
        )
        self._set_coefficients(solution, problem.active, X.dtype)

    def _refits(self, X: Any) -> WarmStartSolver:
        return WarmStartSolver(self.solver, not sparse.issparse(X), self.tol, self.max_iter)
