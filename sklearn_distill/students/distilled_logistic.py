"""Logistic regression that learns from labels and from a teacher's probabilities."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from scipy import sparse
from sklearn.utils.validation import validate_data

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.fitting import all_or_nothing, validated_parameters
from sklearn_distill.losses import as_design
from sklearn_distill.students._array_api import to_numpy
from sklearn_distill.students._chunked_problem import make_chunk_reader, make_chunked_problem
from sklearn_distill.students._chunks import chunk_data, float_dtype, is_chunked
from sklearn_distill.students._coefficients import solver_weights
from sklearn_distill.students._logistic import CONSTRAINTS, LogisticStudent, minimiser
from sklearn_distill.students._problem import LossParams, Problem, TrainingTargets, make_problem


class DistilledLogisticRegression(LogisticStudent):
    r"""Logistic regression taught by labels and by a teacher.

    Minimises, over linear scores z = Wx + b with one temperature T for student and teacher,

    .. math::

        C \sum_i s_i \big\{ (1-λ_i)\,CE(y_i, \mathrm{softmax}\,z_i)
        + λ_i\,τ\,[CE(q_i, \mathrm{softmax}(z_i/T')) + r(z_i/T')] \big\} + \tfrac12 \|W\|^2,

    where q is the teacher's softened answer. Each row's weight is shared between the sources that
    speak for it: label 1 − λ, teacher λ; whoever speaks alone gets all of it. Without a teacher,
    or with ``imitation=0`` and every row labelled, this is scikit-learn's LogisticRegression.

    Parameters
    ----------
    imitation : float, default=0.5
        λ in [0, 1], the teacher's share.
    temperature : float, default=1.0
        T > 0. The teacher's and the student's logits are divided by it in the teacher's term;
        predictions are always made at temperature 1.
    C : float, default=1.0
        Inverse strength of the ridge penalty, in (0, inf].
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
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, for both terms; "balanced" counts the labelled rows. A row without
        a label weighs what its teacher expects.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, where y does not show them all: the student can then learn
        a class that only its teacher knows, and every fold of a cross-validation has the same
        classes. None takes the labels of y.
    solver : {"auto", "lbfgs", "newton-cg"}, default="auto"
        Minimiser. "lbfgs" solves on a subsample of the rows, then on all, preconditioned by a
        Gram matrix; "newton-cg" is Newton's method in a trust region with conjugate gradients.
        "auto" takes "lbfgs" for dense X and "newton-cg" for sparse X and for a regulariser that
        makes the objective non-convex. Where the preconditioner of "lbfgs" is of no use,
        "newton-cg" takes over, and ``solver_`` says so.
    tol : float, default=1e-4
        Stop when max|∇| / Σ s_i ≤ tol, with ∇ the gradient of the objective divided by C, which
        is scikit-learn's scale.
    max_iter : int, default=200
        Largest number of iterations.
    warm_start : bool, default=False
        Whether a repeated fit starts from the present coefficients.
    verbose : int, default=0
        Above 0, show a progress bar over the iterations.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts. A class that neither a label nor a teacher gave any mass has -inf.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_iter_ : ndarray of shape (1,)
        Iterations of the solver over all rows.
    solver_ : {"lbfgs", "newton-cg", ""}
        The method that found the coefficients; empty where one class has all the target mass and
        nothing was to be found.
    n_taught_rows_ : int
        Rows for which a teacher spoke.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    Notes
    -----
    With ``sklearn.set_config(array_api_dispatch=True)`` a torch tensor X stays on its device, and
    so do products with it. Labels, weights and the teacher's answers, on whatever device, are
    brought to NumPy once. In each pass over X the scores and their residuals (one number a row and
    class) cross between device and NumPy, where the loss is computed, and with them weights,
    gradients and Gram matrices, whose size does not depend on the number of rows. ``coef_``,
    ``intercept_`` and ``n_iter_`` are then tensors beside X, ``classes_`` is NumPy's.

    References
    ----------
    Grabovoy and Strijov 2022, "Probabilistic interpretation of the distillation problem",
    eq. (17); Lopez-Paz et al. 2016, "Unifying distillation and privileged information", eq. (6);
    Hinton, Vinyals and Dean 2015.

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

    # sliced by row with X without any set_fit_request
    __metadata_request__fit: ClassVar = {"teacher_proba": True, "teacher_logits": True}

    _reads_tensors: ClassVar[bool] = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS | {
        "warm_start": ["boolean"]
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
        class_weight: dict[Any, float] | str | None = None,
        classes: Any = None,
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
        self.class_weight = class_weight
        self.classes = classes
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
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
    ) -> Self:
        """Fit the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, torch.Tensor} of shape (n_samples, n_features)
            Features; float32 stays float32, CSR and CSC stay sparse. A dask array, and a
            ``numpy.memmap`` of 256 MB and more, is read block by block in each pass. A tensor
            stays on its device under ``array_api_dispatch=True``.
        y : array-like of shape (n_samples,) or None
            Labels. NaN, None and pd.NA are missing labels, which a teacher must answer for; None
            instead of an array means that all are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows, for both terms.
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
        TypeError
            If X is an array of another library than NumPy and torch, or a tensor that lies on a
            device which scikit-learn is not to dispatch to.
        ValueError
            If a teacher's output does not fit to X and the classes or is no distribution (the
            message names the first such row), a row has neither label nor teacher, or parameters
            contradict each other. The estimator is then as it was before.
        """
        answers = {
            "y": to_numpy(y),
            "sample_weight": to_numpy(sample_weight),
            "teacher_proba": to_numpy(teacher_proba),
            "teacher_logits": to_numpy(teacher_logits),
        }
        if is_chunked(X):
            problem = self._pose_blocks(X, answers)
        else:
            X = self._read_features(X, answers["y"], teacher_proba, teacher_logits)
            problem = self._pose(X, answers)
        minimise = minimiser(self.solver, problem.objective, dense=not sparse.issparse(X))
        solution = self._solve(problem, minimise, self._start(problem))
        self._set_coefficients(solution, problem.active, float_dtype(X))
        self._follow(X)
        return self

    def _pose(self, X: Any, answers: dict[str, Any]) -> Problem:
        """Return the problem; set ``classes_`` and ``n_taught_rows_``.

        Labels and logits end with this call: the solver needs their memory.
        """
        setting = LossParams.of(self)
        lesson = TrainingTargets.read(self, X.shape[0], **answers)
        self.classes_ = lesson.classes
        self.n_taught_rows_ = lesson.n_taught_rows
        return make_problem(lesson, as_design(X, self.fit_intercept), setting)

    def _pose_blocks(self, X: Any, answers: dict[str, Any]) -> Problem:
        """Return the problem of rows that are read block by block."""
        validate_data(self, X, skip_check_array=True)
        table = chunk_data(X, **answers)
        reader = make_chunk_reader(self, table)
        self.classes_ = reader.classes
        problem, self.n_taught_rows_ = make_chunked_problem(reader, table)
        return problem

    def _start(self, problem: Problem) -> FloatArray:
        """Return the present coefficients if they are those of such a problem, else zeros."""
        active = problem.active
        shape = (1 if len(active) == 2 else len(active), self.n_features_in_)
        warm = None
        if self.warm_start and hasattr(self, "coef_") and self.coef_.shape == shape:
            coef, intercept = to_numpy(self.coef_), to_numpy(self.intercept_)
            warm = solver_weights(coef, intercept, active, self.fit_intercept)
        return problem.objective.zeros() if warm is None else warm
