"""Linear regression on labels and on a teacher's predictions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import (
    ArrayLike,
    CheckedX,
    FloatArray,
    MatrixLike,
    TargetLike,
    TeacherLike,
)
from sklearn_distill._validation.fitting import (
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.missing_teacher import check_teacher_used
from sklearn_distill._validation.plausible_prediction import (
    check_plausible_prediction,
    warn_if_implausible_prediction,
)
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.tensors import is_tensor, to_numpy
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.solvers.least_squares import (
    Gram,
    NoNoiseEstimateError,
    PrivilegedFit,
    PrivilegedLeastSquares,
    RegressionData,
    Root,
    Statistics,
)
from sklearn_distill.students._chunked_regression import SampledChunks
from sklearn_distill.students._chunks import is_chunked
from sklearn_distill.students._imitation_choice import (
    check_choosable,
    choose_imitation,
    read_by_fold,
)
from sklearn_distill.students._linear_regressor import LinearRegressor
from sklearn_distill.students._regression_problem import read_chunks, read_rows

_ANY_IMITATION = 0.5  # of a fit whose statistics and variances do not depend on λ


class PrivilegedLinearRegression(LinearRegressor):
    r"""Least squares from labels y and a teacher's predictions s, in closed form.

    With label noise σ², teacher noise σ_s² and their ratio :math:`ρ = σ^2/σ_s^2`, it minimises

    .. math::

        Σ_i w_i\, a_i\, (y'_i/a_i - x_i·β - b)^2 + α‖β‖^2

    with sample weights :math:`w_i` and

    ==============  ============  ==========================================
    available       a             y'
    ==============  ============  ==========================================
    label           1             y
    both            (1−λ) + λρ    (1−λ) y + λρ s
    prediction      ρ             ρ s
    ==============  ============  ==========================================

    With the teacher's standard deviations :math:`σ_i` and the median :math:`\barσ^2` of their
    squares, ρ is :math:`ρ\barσ^2/σ_i^2` in row i, and σ_s² the variance of a prediction of median
    :math:`σ_i`.

    Without a teacher, or with ``imitation=0`` and every row labelled, this is scikit-learn's
    LinearRegression, or Ridge(alpha). At λ = ½ both sources are weighted by their inverse
    variances.

    Parameters
    ----------
    imitation : float in [0, 1] or "auto", default=0.5
        λ, the weight of the teacher in rows that have a label, too. "auto" chooses the λ of the
        smallest leave-one-out error, in closed form; see Notes.
    noise_variance : float > 0 or "auto", default="auto"
        Noise variance σ² of the labels. "auto" estimates it by the residual variance
        RSS/(n − rank) of the least squares of y on the rows with a label. Sample weights count as
        repetitions, so n is their sum. Without any label, σ² is set to σ_s².
    teacher_noise_variance : float > 0 or "auto", default="auto"
        Noise variance σ_s² of the teacher. "auto" estimates it in the same way from the teacher's
        predictions.
    alpha : float >= 0 or array-like of shape (n_outputs,), default=0.0
        Strength α of the ridge penalty, on the scale of Ridge, of all outputs or of each; the
        intercept is not penalised.
    fit_intercept : bool, default=True
        Whether to fit the intercept b.
    solver : {"auto", "gram", "tsqr"}, default="auto"
        "gram": normal equations, one matrix product over X. "tsqr": QR factorisations of tiles of
        rows, several times slower and as accurate as LAPACK's ``gelsd`` on ill-conditioned X.
        "auto" is "gram"; ``fit`` then switches to "tsqr" if the condition number of X is above
        3e3, X is rank-deficient or the fit is exact to 1e-9 of the variance, and takes "tsqr" at
        once if X has no more rows than columns. With fewer rows than columns, "tsqr" solves in the
        row space (as ``solver_`` shows), from an n × n matrix, if that keeps as many digits.
        ``partial_fit`` sees each row once, so there "auto" is "gram" and warns
        if the condition number is above 1e6 or X is rank-deficient.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients β; those of minimum norm if X is rank-deficient. They are float32 if X is.
        For y of shape (n_samples, 1) the shape is (1, n_features) as that of LinearRegression, and
        (n_features,) with a penalty as that of Ridge; predictions are (n_samples, 1) or
        (n_samples,) accordingly.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept b; 0 without ``fit_intercept``.
    solver_ : {"gram", "tsqr", "row-space"}
        How the coefficients were computed.
    coef_covariance_ : ndarray of shape (n_features, n_features) or (n_outputs, ...) of these
        Sandwich covariance of ``coef_``, computed on access. NaN if σ² cannot be estimated. A
        LinAlgWarning is issued if X is too ill-conditioned for six digits.
    rank_ : int or ndarray of shape (n_outputs,)
        Numerical rank of X, centred and weighted as it is solved; an array if outputs differ.
    singular_ : ndarray of shape (k,) or (n_outputs, k), k = min(n_samples, n_features)
        Singular values of X, centred and weighted as it is solved; one row per output if their
        weights differ, which depend on the variances of each.
    noise_variance_, teacher_noise_variance_ : float or ndarray of shape (n_outputs,)
        σ² and σ_s², given or estimated, computed on access. NaN if they cannot be estimated.
    imitation_ : float
        λ, given or chosen.
    statistics_ : Statistics
        Sufficient statistics, whose size does not depend on the number of rows.
        ``a.statistics_.merge(b.statistics_)`` are the statistics of the data of both students;
        assign them and call :meth:`solve`.
    n_taught_rows_ : int
        Number of rows with a teacher's prediction.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

    See Also
    --------
    sklearn.linear_model.LinearRegression : The same without a teacher, for ``alpha=0``.
    sklearn.linear_model.Ridge : The same without a teacher, for ``alpha > 0``.

    Notes
    -----
    Each output is fitted separately, with its own variances. Sparse X is made dense tile by tile,
    so it takes little memory but as much time as dense X.

    With ``imitation="auto"`` let :math:`u_i` and :math:`v_i` be the predictions for row i by least
    squares of y and of s, fitted without this row. With :math:`w = λρ/((1−λ) + λρ)`, the student
    that is fitted without it predicts :math:`(1−w) u_i + w v_i`, and the squared error of the
    labels is smallest at

    .. math::

        w^* = \frac{Σ_i w_i (y_i - u_i)(v_i - u_i)}{Σ_i w_i (v_i - u_i)^2}, \qquad
        λ^* = \frac{w^*}{w^* + ρ (1 - w^*)},

    clipped to [0, 1]. ``fit`` then needs a label and a prediction in every row, one output, equal
    trust in all predictions, X in memory, and, with a penalty, the two variances set to the same
    number (ρ = 1): otherwise the error is not quadratic. It takes a dense X and its singular
    values. **The teacher must not have been fitted on these labels**, nor on some of them in turn:
    out-of-fold predictions make λ too large. With a teacher that is fitted on the labels, samples
    are left out fold by fold: :math:`u_i` and :math:`v_i` are then fitted without all samples of
    the fold, :math:`v_i` to ``fold_teacher_prediction``, which comes from teachers that do not know
    them either. :class:`~sklearn_distill.PrivilegedLinearRegressionCV` has none of these conditions
    but the last.

    With ``sklearn.set_config(array_api_dispatch=True)`` a torch tensor X stays on its device.
    Labels, weights and predictions, on whatever device, are copied to NumPy once, and then to the
    device with each tile of rows, which is converted to float64 there. The Gram matrix or the
    triangular root of the tile is copied back. ``coef_`` and ``intercept_`` are then tensors on the
    device of X, with its dtype; ``statistics_``, the covariance and the variances are NumPy arrays
    of float64.

    References
    ----------
    Grabovoy and Strijov 2022, "Probabilistic interpretation of the distillation problem",
    eq. (18) and Theorem 2, corrected: σ⁻² where the print has σ², and no factor 2. Lopez-Paz et
    al. 2016, "Unifying distillation and privileged information". White 1980 for the covariance.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> y = np.array([0.0, 3.0, 3.0, np.nan])
    >>> student = PrivilegedLinearRegression(noise_variance=1.0, teacher_noise_variance=0.25)
    >>> student.fit(X, y, teacher_prediction=[0.5, 2.0, 3.5, 5.0]).predict([[4.0]]).round(2)
    array([6.5])
    """

    # requested by default: meta-estimators slice it by row with X, without set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_prediction": True,
        "teacher_std": True,
        "teacher_weight": True,
    }
    __metadata_request__partial_fit: ClassVar = __metadata_request__fit

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "imitation": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "noise_variance": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "teacher_noise_variance": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"auto", "gram", "tsqr"})],
    }

    def __init__(
        self,
        imitation: float | str = 0.5,
        *,
        noise_variance: float | str = "auto",
        teacher_noise_variance: float | str = "auto",
        alpha: float | ArrayLike = 0.0,
        fit_intercept: bool = True,
        solver: str = "auto",
    ) -> None:
        self.imitation = imitation
        self.noise_variance = noise_variance
        self.teacher_noise_variance = teacher_noise_variance
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        X: MatrixLike,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_prediction: TeacherLike = None,
        teacher_std: ArrayLike | None = None,
        teacher_weight: ArrayLike | None = None,
        fold_teacher_prediction: ArrayLike | None = None,
    ) -> Self:
        """Fit the student; the data of earlier calls are discarded.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, torch.Tensor} of shape (n_samples, n_features)
            Features; float32 and CSR are used without a copy. A dask array, and a
            ``numpy.memmap`` of 256 MB and more, is read chunk by chunk. A tensor stays on its
            device under ``array_api_dispatch=True``.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels. A row of NaN is a missing label; it needs a teacher's prediction. None instead
            of an array means that all labels are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights; a row with weight 2 counts as two rows. A row of weight 0 is left out,
            and its prediction is not checked.
        teacher_prediction : array-like of the shape of y, or None
            The teacher's predictions. A row of NaN is a missing prediction. Of several teachers, in
            an array of shape (n_samples, n_teachers, n_outputs), the mean of the available
            predictions is used.
        teacher_std : array-like of shape (n_samples,) or None
            Standard deviations σ_i of the teacher's predictions, positive wherever there is one,
            such as those of a Gaussian process. Only their ratios matter.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each row: weights w in [0, 1]. Beside a label the
            teacher has the share λ·w; without a label, the row's weight is multiplied by w. 0 is a
            missing prediction, and leaves out a row without a label. With a weight for each of
            several teachers, these are averaged with them, and w is their mean over the available
            predictions. It multiplies the precision 1/σ_i², and in the estimate of σ_s² a
            prediction counts as w of one.
        fold_teacher_prediction : array-like of shape (n_folds, n_samples) or None
            With ``imitation="auto"``, predictions for choosing λ in folds instead of leaving out
            one sample at a time; see Notes. In each fold, NaN marks the samples that are left out,
            and the predictions for the others are of teachers that were fitted neither on the
            sample itself nor on those left out.
            :class:`~sklearn_distill.TeacherStudentRegressor` passes them.

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
            If lengths or outputs differ, ``alpha`` has another length than outputs, a row is NaN in
            some outputs but not in all, has neither a label nor a prediction or has a prediction
            whose standard deviation is not a positive number (the message names the first such
            row), every prediction is missing at ``imitation=1``, or ``imitation="auto"`` cannot
            choose. The estimator is then unchanged.

        Warns
        -----
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0.
        ImplausibleTeacherWarning
            If the predictions are correlated with the labels no more than with their rows shuffled,
            or with the opposite sign, in 50 labelled rows or more.
        UserWarning
            If a variance is to be estimated and the data do not determine it (no more rows than
            columns, a constant teacher): σ_s² is then set to σ².
        """
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_prediction=teacher_prediction,
            teacher_std=teacher_std,
            teacher_weight=teacher_weight,
        )
        arguments = (X, y, sample_weight, teacher_prediction, teacher_std, teacher_weight)
        if is_chunked(X):
            problem = self._problem()
            chunks = read_chunks(self, *arguments)
            self._flat = chunks.flat
            rows = SampledChunks(chunks.rows, chunks.shape[0])
            solution = _or_with_equal_variances(
                partial(problem.fit_chunks, rows, chunks.shape, self.solver)
            )
            warn_if_implausible_prediction(rows.sample)
            self._check_teacher_used(
                solution.statistics.n_taught_rows, teacher_prediction, teacher_weight
            )
            return self._set_solution(solution, X)
        data, self._flat = read_rows(self, *arguments)
        if self.imitation == "auto":
            problem = self._problem(_ANY_IMITATION)
            check_choosable(problem, data)
        else:
            self._check_teacher_used(int(data.taught.sum()), teacher_prediction, teacher_weight)
            problem = self._problem()
        by_fold = read_by_fold(fold_teacher_prediction, self.imitation, data)
        check_plausible_prediction(data.y, data.teacher, data.teacher_std)
        for prediction in [] if by_fold is None else by_fold:
            check_plausible_prediction(data.y, prediction[:, None], name="fold_teacher_prediction")
        fit = _or_with_equal_variances(partial(problem.fit, data, self.solver))
        if self.imitation == "auto":
            fit = choose_imitation(fit, data, by_fold)
        return self._set_solution(fit, data.X)

    @all_or_nothing
    @validated_parameters
    def partial_fit(
        self,
        X: MatrixLike,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_prediction: TeacherLike = None,
        teacher_std: ArrayLike | None = None,
        teacher_weight: ArrayLike | None = None,
    ) -> Self:
        """Add rows to those of earlier calls of ``fit`` and ``partial_fit``.

        The rows are added to ``statistics_``, so the result is that of one ``fit`` on all rows,
        however they were split, with the current parameters. As long as there are too few rows to
        estimate a variance, σ_s² is set to σ², with a warning.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Features of the new rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels; NaN for missing ones.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights of the new rows. From the second call on, all may be 0.
        teacher_prediction : array-like of the shape of y, or None
            The teacher's predictions; NaN for missing ones. Several teachers as in :meth:`fit`.
        teacher_std : array-like of shape (n_samples,) or None
            Standard deviations of the predictions, on the same scale in all calls. The predictions
            of a call without them have the median one.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            Trust in the predictions, as in :meth:`fit`; that of a call without it is 1.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            As in :meth:`fit`, or if the number of outputs changed.

        Warns
        -----
        TeacherMissingWarning
            If this call brings no teacher and ``imitation`` is not 0; NaN says that the predictions
            for its rows are missing.
        ImplausibleTeacherWarning
            If the predictions are correlated with the labels no more than with their rows shuffled,
            or with the opposite sign, in 50 labelled rows of this call or more.
        """
        self._validate_params()  # scikit-learn's decorator skips partial_fit of a fitted estimator
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_prediction=teacher_prediction,
            teacher_std=teacher_std,
            teacher_weight=teacher_weight,
        )
        earlier: Statistics | None = getattr(self, "statistics_", None)
        data, flat = read_rows(
            self,
            X,
            y,
            sample_weight,
            teacher_prediction,
            teacher_std,
            teacher_weight,
            reset=earlier is None,
            may_lack_weight=earlier is not None,
        )
        if earlier is None:
            self._flat = flat
            kind = Root if self.solver == "tsqr" else Gram
            self.statistics_ = Statistics.of(data, kind)
        else:
            self._check_n_outputs(data, earlier)
            # the first call decides: with a Gram matrix a triangular root loses its accuracy
            self.statistics_ = earlier.merge(Statistics.of(data, earlier.kind))
        # a call may bring labels only, as NaN, where earlier calls brought predictions
        n_taught_rows = 0 if teacher_prediction is None else self.statistics_.n_taught_rows
        self._check_teacher_used(n_taught_rows, teacher_prediction, teacher_weight)
        check_plausible_prediction(data.y, data.teacher, data.teacher_std)
        like = data.X if earlier is None else _wider(self.coef_, data.X)
        return self._set_solution(self._solve_statistics(), like)

    @all_or_nothing
    def solve(self) -> Self:
        """Fit again with the current parameters, from ``statistics_`` instead of data.

        Returns
        -------
        self
            The estimator, as if it had been fitted with these parameters.

        Raises
        ------
        ValueError
            If a parameter is not valid, or ``statistics_`` was set to those of other columns.

        Examples
        --------
        >>> student = PrivilegedLinearRegression(1.0).fit([[0.0], [1.0]], teacher_prediction=[1, 3])
        >>> student.set_params(alpha=0.5).solve().coef_
        array([1.])
        """
        check_is_fitted(self, "statistics_")
        self._validate_params()
        self._solution.statistics.check_same_columns(self.statistics_)
        return self._set_solution(self._solve_statistics(), self.coef_)

    @property
    def imitation_(self) -> float:
        """Weight λ of the teacher, given or chosen by ``imitation="auto"``."""
        check_is_fitted(self)
        return self._solution.problem.imitation

    def _check_teacher_used(
        self, n_taught_rows: int, teacher_prediction: TeacherLike, teacher_weight: Any
    ) -> None:
        check_teacher_used(
            self._problem().imitation,
            n_taught_rows,
            teacher_weight=teacher_weight,
            teacher_prediction=teacher_prediction,
        )

    def _check_n_outputs(self, data: RegressionData, earlier: Statistics) -> None:
        if data.n_outputs != earlier.n_outputs:
            raise ValueError(
                f"y or teacher_prediction has {data.n_outputs} outputs, but earlier calls had "
                f"{earlier.n_outputs}: pass the same outputs in each call, or call fit to discard "
                "the earlier data"
            )

    def _problem(self, imitation: float | None = None) -> PrivilegedLeastSquares:
        if imitation is None and isinstance(self.imitation, str):
            raise ValueError(
                "imitation='auto' needs all rows in memory, in one call of fit: pass imitation as "
                "a number, such as imitation_ of a fit to some rows, or use "
                "PrivilegedLinearRegressionCV"
            )
        return PrivilegedLeastSquares(
            float(self.imitation if imitation is None else imitation),
            _penalty(self.alpha),
            bool(self.fit_intercept),
            _number_or_none(self.noise_variance),
            _number_or_none(self.teacher_noise_variance),
        )

    def _solve_statistics(self) -> PrivilegedFit:
        def solve(equal_variances: bool = False) -> PrivilegedFit:
            ratio = np.ones(self.statistics_.n_outputs) if equal_variances else None
            return self._problem().solve(self.statistics_, ratio)

        return _or_with_equal_variances(solve)


def _or_with_equal_variances(fit: Callable[..., PrivilegedFit]) -> PrivilegedFit:
    """Fit; where the variances cannot be estimated, warn and set σ_s² to σ²."""
    try:
        return fit()
    except NoNoiseEstimateError as error:
        warn_user(f"{error}; here a prediction counts as a label does")
        return fit(equal_variances=True)


def _wider(coef: Any, X: CheckedX) -> Any:
    """Return the array with the dtype of coefficients that were fitted on rows of both dtypes."""
    is_float64 = isinstance(coef, np.ndarray) and coef.dtype == np.float64
    return coef if is_float64 and not is_tensor(X) else X


def _penalty(alpha: Any) -> FloatArray:
    try:
        values = np.asarray(to_numpy(alpha), np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"alpha must be a number or an array of numbers: {error}") from error
    if not ((values >= 0) & np.isfinite(values)).all():
        raise ValueError(f"alpha must have finite numbers that are 0 or more, got {alpha!r:.80}")
    return values


def _number_or_none(variance: float | str) -> float | None:
    return None if isinstance(variance, str) else float(variance)
