"""Linear regression that learns from labels and from a teacher's predictions."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_distill._validation.fitting import (
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.sample_weight import check_sample_weight, read_sample_weight
from sklearn_distill._validation.teacher_prediction import check_regression_targets
from sklearn_distill.solvers.least_squares import (
    Gram,
    NoNoiseEstimateError,
    PrivilegedFit,
    PrivilegedLeastSquares,
    RegressionData,
    Root,
    Statistics,
)
from sklearn_distill.students._array_api import beside, rows_of, to_numpy, validated
from sklearn_distill.students._chunks import FitArgs, chunk_data, is_chunked
from sklearn_distill.students._linear_regressor import X_CHECKS, LinearRegressor


class PrivilegedLinearRegression(LinearRegressor):
    r"""Least squares from labels y and a teacher's predictions s, in closed form.

    With label noise σ², teacher noise σ_s² and their ratio :math:`ρ = σ^2/σ_s^2`, it minimises

    .. math::

        Σ_i w_i\, a_i\, (y'_i/a_i - x_i·β - b)^2 + α‖β‖^2

    with sample weights :math:`w_i` and

    ==============  ============  ==========================================
    who speaks      a             y'
    ==============  ============  ==========================================
    label           1             y
    both            (1−λ) + λρ    (1−λ) y + λρ s
    teacher         ρ             ρ s
    ==============  ============  ==========================================

    So without a teacher, or with ``imitation=0`` and every row labelled, it is scikit-learn's
    LinearRegression, or Ridge(alpha). At λ = ½ both sources count with their inverse variances.

    Parameters
    ----------
    imitation : float in [0, 1], default=0.5
        λ, how much the student follows its teacher on rows that have a label too.
    noise_variance : float > 0 or "auto", default="auto"
        σ². "auto" estimates it by the residual variance RSS/(n − rank) of the least squares of y
        on the rows with a label. Sample weights count as repetitions, so n is their sum. Without
        any label it is taken to be σ_s².
    teacher_noise_variance : float > 0 or "auto", default="auto"
        σ_s². "auto" estimates it likewise from the teacher's predictions.
    alpha : float >= 0, default=0.0
        Strength α of the ridge penalty, on the scale of Ridge; the intercept is free.
    fit_intercept : bool, default=True
        Whether to fit b.
    solver : {"auto", "gram", "tsqr"}, default="auto"
        "gram": normal equations, one matrix product over X. "tsqr": QR factorisations of blocks of
        rows, several times slower and as accurate as LAPACK's ``gelsd`` on ill-conditioned X.
        "auto" is "gram"; in ``fit`` it corrects rounding by further passes where the condition
        number of X is above 1e4, and turns to "tsqr" where it is above 1e6, X is rank-deficient
        or X has no more rows than columns. ``partial_fit`` sees each row once, so there "auto" is
        "gram" and warns where the condition number is above 1e6 or X is rank-deficient.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients β; of minimum norm where X is rank-deficient.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept b.
    coef_covariance_ : ndarray of shape (n_features, n_features) or (n_outputs, ...) of these
        Sandwich covariance of ``coef_``, computed on access. NaN if σ² cannot be estimated.
    noise_variance_, teacher_noise_variance_ : float or ndarray of shape (n_outputs,)
        σ² and σ_s², given or estimated, computed on access. NaN if there is nothing to estimate
        them from.
    statistics_ : Statistics
        Sufficient statistics, of a size that does not depend on the number of rows.
        ``a.statistics_.merge(b.statistics_)`` are those of both students' data.
    n_taught_rows_ : int
        Rows for which the teacher spoke.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    See Also
    --------
    sklearn.linear_model.LinearRegression : The student without a teacher.
    sklearn.linear_model.Ridge : The same with ``alpha``.

    Notes
    -----
    Several outputs are fitted as if each came alone, with variances of its own. Sparse X is made
    dense block by block, so it costs little memory but as much time as dense X.

    With ``sklearn.set_config(array_api_dispatch=True)`` a torch tensor X stays on its device.
    Labels, weights and predictions, on whatever device, are brought to NumPy once, and go to the
    device with each block of rows, which is made float64 there. What comes back is a Gram matrix
    or a triangular root of the block; where "auto" refines, also x·β of each row, whose residual
    goes to the device. ``coef_`` and ``intercept_`` are then tensors beside X in its precision;
    ``statistics_``, the covariance and the variances are NumPy's, in float64.

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

    # sliced by row with X without any set_fit_request
    __metadata_request__fit: ClassVar = {"teacher_prediction": True}
    __metadata_request__partial_fit: ClassVar = {"teacher_prediction": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "imitation": [Interval(Real, 0, 1, closed="both")],
        "noise_variance": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "teacher_noise_variance": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"auto", "gram", "tsqr"})],
    }

    def __init__(
        self,
        imitation: float = 0.5,
        *,
        noise_variance: float | str = "auto",
        teacher_noise_variance: float | str = "auto",
        alpha: float = 0.0,
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
        self, X: Any, y: Any = None, sample_weight: Any = None, *, teacher_prediction: Any = None
    ) -> Self:
        """Fit the student to these rows and forget all others.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, torch.Tensor} of shape (n_samples, n_features)
            Features; float32 and CSR are read as they are, without a copy. A dask array, and a
            ``numpy.memmap`` of 256 MB and more, is read block by block. A tensor stays on its
            device under ``array_api_dispatch=True``.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels. A row of NaN is a missing label, which the teacher must answer for; None
            instead of an array means that all are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows; a weight of 2 is the row twice.
        teacher_prediction : array-like of the shape of y, or None
            The teacher's predictions. A row of NaN is a silent teacher.

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
            If lengths or outputs differ, a row is NaN in some outputs but not in all or has
            neither label nor prediction (the message names the first such row), or a variance is
            to be estimated from too few rows. The estimator is then as it was before.
        """
        if is_chunked(X):
            return self._set_solution(self._fit_blocks(X, y, sample_weight, teacher_prediction), X)
        rows = self._read(X, y, sample_weight, teacher_prediction, reset=True)
        return self._set_solution(self._problem().fit(rows, self.solver), rows.X)

    @all_or_nothing
    @validated_parameters
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, teacher_prediction: Any = None
    ) -> Self:
        """Add rows to those of earlier calls of ``fit`` and ``partial_fit``.

        The rows enter ``statistics_``, so the result is that of one ``fit`` on all rows, however
        they were cut into chunks, with the parameters that hold now. While the rows are too few
        to estimate a variance, σ_s² counts as σ², with a warning.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Features of the new rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels, NaN where missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows.
        teacher_prediction : array-like of the shape of y, or None
            The teacher's predictions, NaN where silent.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            As in :meth:`fit`, but for the variances; or if the number of outputs changed.
        """
        self._validate_params()  # the decorator checks the first call alone
        known: Statistics | None = getattr(self, "statistics_", None)
        rows = self._read(X, y, sample_weight, teacher_prediction, reset=known is None)
        if known is None:
            kind = Root if self.solver == "tsqr" else Gram
            self.statistics_ = Statistics.of(rows, kind)
        else:
            self._check_n_outputs(rows, known)
            self.statistics_ = known.merge(Statistics.of(rows, known.kind))
        return self._set_solution(self._solve_so_far(), rows.X)

    @all_or_nothing
    def solve(self) -> Self:
        """Solve again from ``statistics_``, with the parameters that hold now and without data.

        Returns
        -------
        self
            The estimator, as if it had been fitted with these parameters.

        Raises
        ------
        ValueError
            If a parameter is not valid or a variance is to be estimated from too few rows.

        Examples
        --------
        >>> student = PrivilegedLinearRegression(1.0).fit([[0.0], [1.0]], teacher_prediction=[1, 3])
        >>> student.set_params(alpha=0.5).solve().coef_
        array([1.])
        """
        check_is_fitted(self, "statistics_")
        self._validate_params()
        return self._set_solution(self._problem().solve(self.statistics_), self.coef_)

    def _read(
        self, X: Any, y: Any, sample_weight: Any, teacher: Any, *, reset: bool
    ) -> RegressionData:
        """Check what came in; set ``n_features_in_`` and whether outputs come as a column."""
        y, sample_weight, teacher = to_numpy(y), to_numpy(sample_weight), to_numpy(teacher)
        if teacher is None:
            # without a teacher scikit-learn's own errors stand, that of a missing label among them
            X, y = validated(self, X, y, reset=reset, multi_output=True, y_numeric=True, **X_CHECKS)
        else:
            X = validated(self, X, reset=reset, **X_CHECKS)
        n_rows = X.shape[0]
        labels, predictions, flat = check_regression_targets(y, teacher, n_rows)
        if reset:
            self._flat = flat
        weight = None if sample_weight is None else check_sample_weight(sample_weight, n_rows)
        return rows_of(X, labels, predictions, weight)

    def _fit_blocks(self, X: Any, y: Any, sample_weight: Any, teacher: Any) -> PrivilegedFit:
        """Solve from rows that are read block by block."""
        validate_data(self, X, skip_check_array=True)
        target = teacher if y is None else y
        if target is None:
            raise ValueError("fit requires y or teacher_prediction, but both are None")
        given = {"y": y, "sample_weight": sample_weight, "teacher_prediction": teacher}
        table = chunk_data(X, **given)
        self._flat = np.ndim(target) == 1
        rows = table.features.map(_rows_of_block, table.answers)
        return self._problem().fit_chunks(rows, X.shape, self.solver)

    def _check_n_outputs(self, rows: RegressionData, known: Statistics) -> None:
        if rows.n_outputs != known.n_outputs:
            raise ValueError(
                f"y or teacher_prediction has {rows.n_outputs} outputs, the rows before had "
                f"{known.n_outputs}: give the same outputs in each call, or call fit to start anew"
            )

    def _problem(self) -> PrivilegedLeastSquares:
        return PrivilegedLeastSquares(
            float(self.imitation),
            float(self.alpha),
            bool(self.fit_intercept),
            _number_or_none(self.noise_variance),
            _number_or_none(self.teacher_noise_variance),
        )

    def _solve_so_far(self) -> PrivilegedFit:
        try:
            return self._problem().solve(self.statistics_)
        except NoNoiseEstimateError as error:
            warnings.warn(f"{error}; until then a prediction counts as a label does", stacklevel=2)
            return self._problem().solve(self.statistics_, np.ones(self.statistics_.n_outputs))

    def _set_solution(self, solution: PrivilegedFit, X: Any) -> Self:
        """Set what was learned; the coefficients as tensors if X is one, beside it."""
        self._solution = solution
        self.statistics_ = solution.statistics
        self.n_taught_rows_ = solution.statistics.n_taught_rows
        self.coef_ = beside(X, solution.coef[0] if self._flat else solution.coef)
        self.intercept_ = beside(X, solution.intercept[0] if self._flat else solution.intercept)
        _warn(solution)
        return self


def _rows_of_block(X: Any, answers: FitArgs) -> RegressionData:
    """Check what came in of a block."""
    with answers.located():
        X = check_array(X, input_name="X", **X_CHECKS)
        y, teacher = answers.given["y"], answers.given["teacher_prediction"]
        labels, predictions, _ = check_regression_targets(y, teacher, answers.n_rows)
        weight = answers.given["sample_weight"]
        weight = None if weight is None else read_sample_weight(weight, answers.n_rows)
    return RegressionData(X, labels, predictions, weight)


def _number_or_none(variance: float | str) -> float | None:
    return None if isinstance(variance, str) else float(variance)


def _warn(solution: PrivilegedFit) -> None:
    for name in solution.floored:
        warnings.warn(
            f"{name}='auto' found a perfect fit and was raised to 1e-6 of the variance of its "
            f"targets: pass {name} as a number if it is known",
            stacklevel=2,
        )
    if solution.is_unreliable:
        warnings.warn(
            "X is ill-conditioned or has dependent columns, and the normal equations cannot tell "
            f"which or lose digits of coef_ ({solution.condition:.1e} is about the largest "
            "condition number that they resolved): use solver='tsqr' from the first rows on, "
            "alpha > 0, or drop columns",
            LinAlgWarning,
            stacklevel=2,
        )
