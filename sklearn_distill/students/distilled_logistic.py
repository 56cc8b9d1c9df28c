"""Logistic regression on labels and on a teacher's probabilities."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

from scipy import sparse
from sklearn.utils.validation import validate_data

from sklearn_distill._typing import (
    ArrayLike,
    CheckedX,
    FloatArray,
    MatrixLike,
    TargetLike,
    TeacherLike,
)
from sklearn_distill._validation.absent_rows import fill_absent
from sklearn_distill._validation.fitting import (
    Interval,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.missing_teacher import check_teacher_used
from sklearn_distill._validation.partial_teacher import Partial
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.tensors import to_numpy
from sklearn_distill.losses import as_design
from sklearn_distill.students._chunked_problem import make_chunk_reader, make_chunked_problem
from sklearn_distill.students._chunks import chunk_data, float_dtype, is_chunked
from sklearn_distill.students._coefficients import solver_weights
from sklearn_distill.students._logistic import (
    CONSTRAINTS,
    LogisticStudent,
    select_minimiser,
)
from sklearn_distill.students._problem import (
    LossParams,
    Problem,
    TrainingTargets,
    drop_absent,
    make_problem,
)


class DistilledLogisticRegression(LogisticStudent):
    r"""Logistic regression on labels and on a teacher's probabilities.

    Minimises, over linear scores z = Wx + b with one temperature T for student and teacher,

    .. math::

        C \sum_i s_i \big\{ (1-λ_i)\,CE(y_i, \mathrm{softmax}\,z_i)
        + λ_i\,τ\,[CE(q_i, \mathrm{softmax}(z_i/T')) + r(z_i/T')] \big\} + \tfrac12 \|W\|^2,

    where q is the teacher's softened prediction. Each row's weight is shared between its sources:
    1 − λ for the label and λ for the teacher. If only one of them is available, it gets the full
    weight. Without a teacher, or with ``imitation=0`` and every row labelled, this is
    scikit-learn's LogisticRegression.

    Parameters
    ----------
    imitation : float, default=0.5
        λ in [0, 1], the weight of the teacher in rows that have a label, too.
    temperature : float, default=1.0
        T > 0. The teacher's and the student's logits are divided by it in the teacher's term;
        predictions are always made at temperature 1.
    C : float, default=1.0
        Inverse strength of the ridge penalty, in (0, inf]; inf for no penalty.
    fit_intercept : bool, default=True
        Whether to fit the (unpenalised) intercept.
    soften_student : bool, default=True
        Whether the student's logits are divided by T too (T' = T), or only the teacher's (T' = 1).
    t_squared : bool, default=False
        Whether the teacher's term is multiplied by τ = T², which keeps the size of its gradient
        as T grows. Needs ``soften_student=True``.
    regularizer : {None, "grabovoy", "continuous_categorical"}, default=None
        r: none, the fourth term of Grabovoy and Strijov's eq. (17), or the exact normaliser of
        the density that their Theorem 1 needs.
    partial : {"rest", "spread"}, default="rest"
        What becomes of classes that ``teacher_proba`` leaves unknown in a row, such as all but the
        k most probable ones. "rest": they share the rest of the probability as one class, whose
        parts are left to the student; the objective is then not convex. "spread": each has an even
        part of it.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes. A labelled row has that of its label, in both terms. A row without
        a label is one copy for each class, whose weight is the teacher's probability at T times the
        class weight: at T = 1, LogisticRegression on these copies. "balanced" counts labels and, in
        rows without one, the teacher's probabilities at temperature 1.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, for y that does not contain them all: the student can then
        predict a class that only the teacher predicts, and every fold of a cross-validation has
        the same classes. None uses the labels of y or, if it has fewer than two, the names of the
        teacher's columns.
    debias : float or None, default=None
        ρ in [0, 1] of the debiased form, for a teacher that may be bad and rows without a label;
        see Notes. λ has no effect then. None for the objective above.
    solver : {"auto", "lbfgs", "newton-cg"}, default="auto"
        Minimiser. "lbfgs" solves on a subsample of the rows, then on all, preconditioned by a
        Gram matrix and, near the minimum, by the Hessian; "newton-cg" is Newton's method in a trust
        region with conjugate gradients. "auto" is, for a dense X in memory of more than 100 columns
        and 1.5 times as many columns as rows (more beyond 1,000 rows), one of them on an n × n
        factor of the Gram matrix of the rows ("row-space"), on which "newton-cg" works too; for so
        little data that Hessians are cheap, up to about 1,000 × 30 of two classes, Newton's method
        with their Cholesky factors ("newton-cholesky"); "newton-cg" for a regulariser that makes
        the objective non-convex, and for more than 250 columns if X is sparse, or in chunks with
        less than two rows per column; otherwise "lbfgs". That begins without a Gram matrix where
        this costs more than a few passes over X in memory, and makes one where the steps that are
        left would cost more. If the preconditioner of "lbfgs" fails, the fit continues with
        "newton-cg", as ``solver_`` then shows.
    tol : float, default=1e-4
        Stop when max|∇| / Σ s_i ≤ tol, with ∇ the gradient of the objective divided by C, which
        is scikit-learn's scale, and the estimated distance to the minimum is at most tol / 1000
        (see Notes).
    max_iter : int, default=200
        Maximum number of iterations; 0 returns the initial point, with a ConvergenceWarning.
    warm_start : bool, default=False
        Whether a repeated fit starts from the coefficients of the previous one.
    verbose : int, default=0
        Above 0, show a progress bar over the iterations.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts; -inf for a class without target mass, that is, one that neither a label nor a
        teacher's prediction contains.
    classes_ : ndarray of shape (n_classes,)
        Class labels, in ascending order.
    n_iter_ : ndarray of shape (1,)
        Iterations of the solver over all rows.
    solver_ : {"newton-cholesky", "lbfgs", "newton-cg", "row-space", ""}
        The solver that found the coefficients; empty if one class has all the target mass, so
        that no solver was needed.
    n_taught_rows_ : int
        Number of rows with a teacher's prediction.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

    Notes
    -----
    The distance to the minimum is estimated by the Newton decrement, :math:`\sqrt{g^T H^{-1} g}`
    with g and H the gradient and the Hessian of the objective divided by C Σ s_i. It is small only
    if the probabilities are near those at the minimum, whatever the scales of the columns. At the
    default ``tol`` they agreed to 1e-6 for the same rows given dense or sparse, weighted or
    repeated, for C from 1 to 1e4: with 6 columns (scaled or not) and 2 to 10 classes, and with 130
    columns and 2 or 5 classes. The exceptions are float32, which ends where rounding hides further
    progress, and ``solver="newton-cg"`` at large C or a T far below 1, which may need more than 200
    iterations and then warns.

    With ``debias`` the labels alone decide where the minimum lies, however bad the teacher is, and
    unlabelled rows reduce the variance by what the predictions explain. With the labelled rows L,
    those without a label U, and :math:`n = Σ_L s_i`, :math:`N = Σ_U s_i`, the objective is

    .. math::

        C \Big\{ \sum_{i∈L} s_i\,[CE(y_i, p_i) - ρ\,CE(q_i, p_i)]
        + ρ\,\frac nN \sum_{i∈U} s_i\,CE(q_i, p_i) \Big\} + \tfrac12 \|W\|^2,
        \qquad p_i = \mathrm{softmax}\,z_i.

    The two terms with ρ have the same expectation if the rows of L are a random sample, and the
    teacher was not fitted on their labels, or their predictions are out of fold. (A labelled row
    without a prediction has no term with ρ, and does not count in n there.) Both are linear in q,
    so that a labelled row has the log-partition weight 1 − ρ and the target y − ρq: the objective
    is convex, for T' = 1. It needs a finite C, X in memory, predictions for all classes, no
    ``class_weight``, ``regularizer`` and ``teacher_weight``, and more of each class than ρ times
    the surplus of its predictions in L.

    Where a teacher leaves classes unknown and ``partial="rest"``, the gradient alone decides: the
    objective is not convex, and a class that is unknown in nearly all rows may have its minimum at
    an intercept of -∞.

    With "row-space" X is centred and replaced by a square root of its n × n Gram matrix, in
    float64: the ridge penalty keeps the coefficients in the row space of X, in which the objective
    is the same. ``tol`` holds for the gradient in X nevertheless. Without a penalty, the
    coefficients are the smallest of all minimisers.

    With ``sklearn.set_config(array_api_dispatch=True)`` a torch tensor X stays on its device, and
    so do products with it. Labels, weights and the teacher's predictions, on whatever device, are
    copied to NumPy once, and so is X if it is small ("newton-cholesky"). In each pass over X the
    scores and their residuals (one number for each row and class) are copied between device and
    NumPy, where the loss is computed, and with them weights, gradients and Gram matrices, whose
    size does not depend on the number of rows.
    ``coef_``, ``intercept_`` and ``n_iter_`` are then tensors on the device of X, and ``classes_``
    is a NumPy array.

    References
    ----------
    Grabovoy and Strijov 2022, "Probabilistic interpretation of the distillation problem",
    eq. (17); Lopez-Paz et al. 2016, "Unifying distillation and privileged information", eq. (6);
    Hinton, Vinyals and Dean 2015. Angelopoulos et al. 2023, "Prediction-powered inference", and
    "PPI++: efficient prediction-powered inference", for ``debias``.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[-1.0], [0.0], [1.0], [2.0]])
    >>> y = np.array(["no", "yes", "no", "yes"])
    >>> teacher_proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])
    >>> student = DistilledLogisticRegression(imitation=0.8)
    >>> student.fit(X, y, teacher_proba=teacher_proba).predict([[-2.0], [2.0]])
    array(['no', 'yes'], dtype='<U3')
    """

    # requested by default: meta-estimators slice them by row with X, without set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_proba": True,
        "teacher_logits": True,
        "teacher_weight": True,
    }

    _accepts_tensors: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS | {
        "debias": [Interval(Real, 0, 1, closed="both"), None],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        imitation: float = 0.5,
        temperature: float = 1.0,
        *,
        C: float = 1.0,
        fit_intercept: bool = True,
        soften_student: bool = True,
        t_squared: bool = False,
        regularizer: str | None = None,
        partial: Partial = "rest",
        class_weight: dict[Any, float] | str | None = None,
        classes: Any = None,
        debias: float | None = None,
        solver: str = "auto",
        tol: float = 1e-4,
        max_iter: int = 200,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
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
        self.debias = debias
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
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
    ) -> Self:
        """Fit the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, torch.Tensor} of shape (n_samples, n_features)
            Features; float32 stays float32, CSR and CSC stay sparse. A dask array, and a
            ``numpy.memmap`` of 256 MB and more, is read chunk by chunk in each pass. A tensor
            stays on its device under ``array_api_dispatch=True``.
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

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        TypeError
            If X is an array of another library than NumPy and torch, or a tensor on another
            device than the CPU without ``array_api_dispatch=True``.
        ValueError
            If a teacher's output does not match X and the classes or is not a distribution (the
            message names the first such row), a row has neither a label nor a teacher's
            prediction, every prediction is missing at ``imitation=1``, or parameters contradict
            each other. The estimator is then unchanged.

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
        y, sample_weight = to_numpy(y), to_numpy(sample_weight)
        teacher_proba, teacher_logits = to_numpy(teacher_proba), to_numpy(teacher_logits)
        teacher_weight = to_numpy(teacher_weight)
        make = self._problem_from_chunks if is_chunked(X) else self._problem_from_array
        checked, problem = make(X, y, sample_weight, teacher_proba, teacher_logits, teacher_weight)
        check_teacher_used(
            self.imitation,
            self.n_taught_rows_,
            teacher_weight=teacher_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
        )
        minimise = select_minimiser(
            self.solver, problem.objective, dense=not sparse.issparse(checked)
        )
        solution = self._solve(problem, minimise, self._initial_coefficients(problem))
        self._set_coefficients(solution, problem.active, float_dtype(checked))
        self._convert_coefficients_like(checked)
        return self

    def _problem_from_array(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        teacher_weight: ArrayLike | None,
    ) -> tuple[CheckedX, Problem]:
        """Return X and the problem; set ``classes_`` and ``n_taught_rows_``.

        Labels and logits go out of scope here, so that the solver can use their memory.
        """
        checked = self._validate_features(
            X, fill_absent(y, sample_weight), teacher_proba, teacher_logits
        )
        loss_params = LossParams.of(self)
        targets = TrainingTargets.read(
            self,
            checked.shape[0],
            y,
            sample_weight,
            teacher_proba,
            teacher_logits,
            teacher_weight=teacher_weight,
        )
        checked, targets = drop_absent(checked, targets)
        self.classes_ = targets.classes
        self.n_taught_rows_ = targets.n_taught_rows
        targets.warn_if_implausible(teacher_proba)
        return checked, make_problem(targets, as_design(checked, self.fit_intercept), loss_params)

    def _problem_from_chunks(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        teacher_weight: ArrayLike | None,
    ) -> tuple[CheckedX, Problem]:
        """Return X and the problem of rows that are read chunk by chunk."""
        validate_data(self, X, skip_check_array=True)
        data = chunk_data(
            X,
            y,
            sample_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
            teacher_weight=teacher_weight,
        )
        reader = make_chunk_reader(self, data)
        self.classes_ = reader.classes
        problem, self.n_taught_rows_ = make_chunked_problem(reader, data)
        return X, problem

    def _initial_coefficients(self, problem: Problem) -> FloatArray:
        """Return zeros or, for a warm start, the previous coefficients if their shape is right."""
        active = problem.active
        shape = (1 if len(active) == 2 else len(active), self.n_features_in_)
        warm = None
        # a fit with another number of classes or features starts anew instead of failing
        if self.warm_start and hasattr(self, "coef_") and self.coef_.shape == shape:
            coef, intercept = to_numpy(self.densify().coef_), to_numpy(self.intercept_)
            warm = solver_weights(coef, intercept, active, self.fit_intercept)
        return problem.objective.zeros() if warm is None else warm

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        return tags
