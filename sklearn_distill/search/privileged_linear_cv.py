"""Linear regression with a teacher that chooses α and the teacher's weight by cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.linalg import LinAlgWarning
from scipy.stats import rankdata

from sklearn_distill._typing import (
    ArrayLike,
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
from sklearn_distill._validation.plausible_prediction import check_plausible_prediction
from sklearn_distill._validation.routing import make_router, split_params
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.splits import (
    check_repeatable,
    labelled_splits,
    partition_by_k_fold,
    with_unlabelled,
)
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.chunks import LocalChunks
from sklearn_distill.exceptions import TeacherMissingWarning
from sklearn_distill.search._linear_folds import FoldStream, FoldTargets
from sklearn_distill.search._linear_grid import LinearGrid, cv_scores
from sklearn_distill.solvers.least_squares import (
    CVErrors,
    FoldRows,
    FoldStatistics,
    Gram,
    PrivilegedLeastSquares,
    Root,
    Statistics,
    fold_statistics,
    group_folds,
)
from sklearn_distill.students._chunks import is_chunked
from sklearn_distill.students._linear_regressor import LinearRegressor
from sklearn_distill.students._regression_problem import read_chunks, read_rows

if TYPE_CHECKING:
    from sklearn.utils.metadata_routing import MetadataRouter


class PrivilegedLinearRegressionCV(LinearRegressor):
    r"""Linear regression with a teacher, with α, λ and ρ chosen by cross-validation.

    Of all combinations of the given values it takes the one with the best mean score of held-out
    labels over folds, and fits :class:`~sklearn_distill.PrivilegedLinearRegression` with it to all
    rows. Nothing is fitted row by row: the statistics of each fold are computed in one pass over
    the data, and those of its training rows are the sum of the other folds'. With a million rows, a
    thousand settings in ten folds take about as long as one fit if every row has a label and a
    prediction, and 1.6 times as long if some lack one, or if folds are shuffled.

    Where every row has a label and a prediction, λ and the ratio ρ of the variances act as one
    number, the weight of the prediction relative to the label: then λ is searched at ρ = 1.
    Where some rows have only one of the two, ρ is the weight of a prediction alone relative to a
    label alone, and is searched beside λ.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=20
        Strengths α ≥ 0 of the ridge penalty, on the scale of Ridge. A number n stands for 0 and
        n − 1 values from 1e-6 to 1e2 times the mean over features of Σ w (x − x̄)², evenly spaced in
        log α.
    imitations : int or array-like of shape (n_imitations,), default=11
        Values of λ in [0, 1]. A number stands for so many evenly spaced values. Without a row that
        has both, λ has no effect, and only the first value is used.
    noise_ratios : int or array-like of shape (n_ratios,), default=5
        Values of the ratio ρ = σ²/σ_s² > 0 of the noise variances. A number stands for so many
        values from 0.01 to 100, evenly spaced in log ρ. They are searched only where rows differ in
        what they have; otherwise ρ = 1.
    cv : int, splitter or iterable of (train, test), default=5
        The folds. A splitter gets the labelled samples only, and an int is a KFold of these.
        Samples without a label are in the training set of every fold and never in a test set. With
        ``groups``, they are not in the training set where their group is tested. Without any label,
        held-out predictions take their place.
    scoring : {"neg_mean_squared_error", "neg_root_mean_squared_error", "r2"} or None, default=None
        The score of a fold, the mean over outputs; None is "neg_mean_squared_error". No other can
        be computed from the statistics; ``GridSearchCV`` takes any.
    fit_intercept : bool, default=True
        Whether to fit the intercept b.
    solver : {"auto", "gram", "tsqr"}, default="auto"
        "gram": normal equations. "tsqr": QR factorisations, several times slower, for
        ill-conditioned X. "auto" is "gram" and, if that loses digits in a fold, "tsqr".

    Attributes
    ----------
    alpha_, imitation_, noise_ratio_ : float
        The values chosen of α, λ and ρ.
    best_score_ : float
        Mean score of the best setting over folds.
    best_index_ : int
        Index of the best setting in ``cv_results_``; of equal ones the first.
    cv_results_ : dict of str to ndarray or list
        The score of each setting in each fold, in the format of GridSearchCV.
    alphas_, imitations_, noise_ratios_ : ndarray of shape (n_values,)
        The values searched; one value if it was not searched.
    n_splits_ : int
        Number of cross-validation folds.
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients β, fitted to all rows.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept b; 0 without ``fit_intercept``.
    solver_ : {"gram", "tsqr", "row-space"}
        How the coefficients were computed.
    coef_covariance_ : ndarray of shape (n_features, n_features) or (n_outputs, ...) of these
        Sandwich covariance of ``coef_`` at the chosen setting, with the noise variances below,
        computed on access. The choice itself is taken as fixed.
    rank_, singular_ : int or ndarray
        As those of :class:`~sklearn_distill.PrivilegedLinearRegression`.
    noise_variance_, teacher_noise_variance_ : float or ndarray of shape (n_outputs,)
        Estimates of σ² and σ_s² by residual variances, computed on access. NaN if they cannot be
        estimated.
    statistics_ : Statistics
        Sufficient statistics of all rows.
    n_taught_rows_ : int
        Number of rows with a teacher's prediction.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

    See Also
    --------
    PrivilegedLinearRegression : The student at one setting, with estimated variances.
    sklearn.linear_model.RidgeCV : Search for α alone, without a teacher.

    Notes
    -----
    Predictions of a teacher that was fitted to the same rows, or to held-out ones among them, make
    the choice of λ optimistic: pass those of a teacher that has not seen them. Out-of-fold
    predictions do not suffice; :class:`~sklearn_distill.TeacherStudentRegressor` around this search
    passes predictions that do.

    Folds that hold out overlapping rows, as those of ShuffleSplit, take a pass each. Statistics of
    each fold are (n_features + 2 n_outputs)² numbers, and are kept for ``partial_fit`` if ``cv`` is
    a number; :meth:`to_sklearn` is without them.

    References
    ----------
    Grabovoy and Strijov 2022, Theorem 2, for the student; Lopez-Paz et al. 2016, eq. (6).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 20))
    >>> truth = X[:, 0] + X[:, 1]
    >>> y, prediction = truth + 3 * rng.normal(size=100), truth + 0.3 * rng.normal(size=100)
    >>> student = PrivilegedLinearRegressionCV().fit(X, y, teacher_prediction=prediction)
    >>> student.imitation_ > 0.8
    True
    """

    # requested by default: meta-estimators slice it by row with X, without set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_prediction": True,
        "teacher_std": True,
        "teacher_weight": True,
    }
    __metadata_request__partial_fit: ClassVar = __metadata_request__fit

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "imitations": [Interval(Integral, 2, None, closed="left"), "array-like"],
        "noise_ratios": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "scoring": [
            StrOptions({"neg_mean_squared_error", "neg_root_mean_squared_error", "r2"}),
            None,
        ],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"auto", "gram", "tsqr"})],
    }

    def __init__(
        self,
        alphas: int | ArrayLike = 20,
        *,
        imitations: int | ArrayLike = 11,
        noise_ratios: int | ArrayLike = 5,
        cv: Any = 5,
        scoring: str | None = None,
        fit_intercept: bool = True,
        solver: str = "auto",
    ) -> None:
        self.alphas = alphas
        self.imitations = imitations
        self.noise_ratios = noise_ratios
        self.cv = cv
        self.scoring = scoring
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
        **params: Any,
    ) -> Self:
        """Choose α, λ and ρ, then fit the student to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, torch.Tensor} of shape (n_samples, n_features)
            Features. A dask array, and a ``numpy.memmap`` of 256 MB and more, is read chunk by
            chunk.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels. A row of NaN is a missing label; it needs a teacher's prediction. None instead
            of an array means that all labels are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, in training and in the errors of held-out rows.
        teacher_prediction : array-like or None
            The teacher's predictions, in the formats of
            :class:`~sklearn_distill.PrivilegedLinearRegression`. Without any, only α is searched.
        teacher_std : array-like of shape (n_samples,) or None
            Standard deviations of the teacher's predictions. Only their ratios matter. They weight
            held-out predictions, too, where no row has a label.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            Trust w in [0, 1] in the teacher in each row, as for
            :class:`~sklearn_distill.PrivilegedLinearRegression`. Without any label the rows
            validate with these weights, too.
        fold_teacher_prediction : array-like of shape (n_folds, n_samples) or (n_folds, \
                n_samples, n_outputs), or None
            For each fold of ``cv``, in its order, the teacher's predictions that the fit to the
            fold's training samples uses instead of ``teacher_prediction``, of which the fit to all
            samples is then the only use. Choosing λ is leakage-free if they come from teachers that
            were fitted neither on the sample itself nor on the fold's test samples.
            :class:`~sklearn_distill.TeacherStudentRegressor` passes such predictions. Each fold
            takes a pass over the data. Not for data that are read in chunks.
        **params : dict
            ``groups`` for the splitter; with metadata routing, what the splitter requests.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        TypeError
            As :meth:`sklearn_distill.PrivilegedLinearRegression.fit`.
        ValueError
            As :meth:`sklearn_distill.PrivilegedLinearRegression.fit`, if a value to search is out
            of its range, or if a fold has no row with a weight to train or to test on. The
            estimator is then unchanged.

        Warns
        -----
        TeacherMissingWarning
            If there is no teacher and ``imitations`` has other values than 0.
        ImplausibleTeacherWarning
            If the predictions are correlated with the labels no more than with their rows shuffled,
            or with the opposite sign, in 50 labelled rows or more.
        """
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_prediction=teacher_prediction,
            teacher_std=teacher_std,
            teacher_weight=teacher_weight,
        )
        grid = LinearGrid.of(self.alphas, self.imitations, self.noise_ratios)
        arguments = (X, y, sample_weight, teacher_prediction, teacher_std, teacher_weight)
        to_split = split_params(self, params)
        if is_chunked(X):
            if fold_teacher_prediction is not None:
                raise ValueError(
                    "fold_teacher_prediction with an X that is read in chunks: pass X as an array"
                )
            data = read_chunks(self, *arguments)
            targets = FoldTargets.concatenate(data.rows.map_to_list(FoldTargets.of))
            groups = self._fold_rows(None, targets, to_split)
            parts = [
                [rows.within(stop - size, stop) for rows in groups]
                for stop, size in zip(np.cumsum(data.chunk_sizes), data.chunk_sizes, strict=True)
            ]
            self._flat, rows, shape, like = data.flat, data.rows, data.shape, X
        else:
            read, self._flat = read_rows(self, *arguments)
            targets = FoldTargets.of(read)
            parts = [self._fold_rows(read.X, targets, to_split)]
            rows, shape, like = LocalChunks([lambda: read]), read.X.shape, read.X
        self._check_teacher_used(grid, targets.n_taught_rows, teacher_prediction, teacher_weight)
        check_plausible_prediction(targets.labels, targets.predictions, targets.std)
        all_rows = partial(fold_statistics, rows, rows.with_values(parts))
        if fold_teacher_prediction is not None:
            self._stream = None
            nested = self._nested_statistics(fold_teacher_prediction, arguments, parts[0])
            kind = self._search(grid, nested, shape)[0].total().kind
            return self._refit(all_rows(kind)[0].total(), like)
        folds = self._search(grid, all_rows, shape)
        self._stream = FoldStream.after_fit(self.cv, folds)
        return self._refit(folds[0].total(), like)

    @all_or_nothing
    def partial_fit(
        self,
        X: MatrixLike,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_prediction: TeacherLike = None,
        teacher_std: ArrayLike | None = None,
        teacher_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Add rows to those of earlier calls, and choose α, λ and ρ by all of them.

        Labelled rows are dealt out to the folds in turn, the first row of all calls to the first
        fold: the result does not depend on how the rows are split into calls, and is that of one
        ``fit`` with these folds. Where neighbouring rows resemble each other, as those of a time
        series do, pass ``groups``. Only the statistics of each fold are kept. A fold
        that has no row to test on yet is left out.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Features of the new rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels; NaN for missing ones. Until a call brings a label, held-out predictions take
            their place.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights of the new rows.
        teacher_prediction : array-like of the shape of y, or None
            The teacher's predictions; NaN for missing ones.
        teacher_std : array-like of shape (n_samples,) or None
            Standard deviations of the predictions, on the same scale in all calls.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each row, as in :meth:`fit`.
        groups : array-like of shape (n_samples,) or None, default=None
            Group of each row, in all calls or in none. Its fold is computed from its name alone, so
            that a group is held out as a whole whichever calls bring its rows.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            As in :meth:`fit`; if ``cv`` is not a number of folds; if fewer than two folds have a
            row to test on; or after a ``fit`` with a splitter. The estimator is then unchanged.

        Warns
        -----
        TeacherMissingWarning
            If no call brought a teacher and ``imitations`` has other values than 0.
        ImplausibleTeacherWarning
            As in :meth:`fit`, about the rows of this call.
        LinAlgWarning
            If digits of the scores are lost; with ``solver="tsqr"`` before the first call they are
            not.
        """
        self._validate_params()  # scikit-learn's decorator skips partial_fit of a fitted estimator
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_prediction=teacher_prediction,
            teacher_std=teacher_std,
            teacher_weight=teacher_weight,
            groups=groups,
        )
        earlier: FoldStream | None = getattr(self, "_stream", None)
        if earlier is None and hasattr(self, "coef_"):
            raise ValueError(
                "partial_fit after a fit with a splitter: rows can be added to folds only if cv is "
                "a number in fit, too"
            )
        stream = FoldStream(self.cv) if earlier is None else earlier
        grid = LinearGrid.of(self.alphas, self.imitations, self.noise_ratios)
        read, flat = read_rows(
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
        self._stream = stream.add(read, groups, Root if self.solver == "tsqr" else Gram)
        total = self._stream.folds.total()
        self._check_teacher_used(grid, total.n_taught_rows, teacher_prediction, teacher_weight)
        check_plausible_prediction(read.y, read.teacher, read.teacher_std)
        folds = [self._stream.folds.that_test()]
        if self._score(grid, folds).are_digits_lost and total.kind is Gram:
            warn_user(
                "the normal equations lose digits of the scores: pass solver='tsqr' before the "
                "first call of partial_fit",
                LinAlgWarning,
            )
        return self._refit(total, read.X)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the router of the parameters of fit.

        Returns
        -------
        MetadataRouter
            This estimator's own requests, and those of the splitter.
        """
        return make_router(self)

    def _fold_rows(self, X: Any, targets: FoldTargets, params: dict[str, Any]) -> list[FoldRows]:
        """Return the rows of the folds: only labelled rows are tested, the others always train.

        X is None if it is read in chunks; a splitter then gets zeros of its length.
        """
        y, present = targets.to_test_on()
        partition = partition_by_k_fold(self.cv, present, params)
        if partition is not None:
            return [FoldRows.of_tests(*partition)]
        if X is None or not _may_read_features(self.cv):
            X = np.zeros((len(y), 1))  # the labelled rows of X would be a copy
        splits = labelled_splits(self.cv, X, y, present, params, is_class=False)
        return group_folds(with_unlabelled(splits, present, params.get("groups")), len(present))

    def _nested_statistics(
        self, fold_teacher_prediction: ArrayLike, arguments: tuple[Any, ...], groups: list[FoldRows]
    ) -> Callable[[type[Gram] | type[Root]], list[FoldStatistics]]:
        """Return a function that computes the statistics of folds with predictions of their own."""
        check_repeatable(self.cv, "fold_teacher_prediction")
        by_fold = np.asarray(fold_teacher_prediction)
        alone = [fold for group in groups for fold in group.each()]
        n_rows = len(alone[0].parts)
        if by_fold.ndim < 2 or by_fold.shape[:2] != (len(alone), n_rows):
            raise ValueError(
                f"fold_teacher_prediction has the shape {by_fold.shape}: pass predictions for the "
                f"{len(alone)} folds of cv, and in each for the {n_rows} samples of X"
            )
        X, y, sample_weight, _, *of_teacher = arguments
        data = [
            read_rows(self, X, y, sample_weight, prediction, *of_teacher, reset=False)[0]
            for prediction in by_fold
        ]
        for targets in map(FoldTargets.of, data):
            check_plausible_prediction(
                targets.labels, targets.predictions, targets.std, "fold_teacher_prediction"
            )

        def compute(kind: type[Gram] | type[Root]) -> list[FoldStatistics]:
            return [
                FoldStatistics.of(of_fold, rows, kind)
                for of_fold, rows in zip(data, alone, strict=True)
            ]

        return compute

    def _check_teacher_used(
        self,
        grid: LinearGrid,
        n_taught_rows: int,
        teacher_prediction: TeacherLike,
        teacher_weight: Any,
    ) -> None:
        if n_taught_rows or not grid.imitations.any():
            return
        if grid.imitations.min() == 1:  # an error if all predictions are missing
            check_teacher_used(
                1.0, 0, teacher_weight=teacher_weight, teacher_prediction=teacher_prediction
            )
        else:
            warn_user(
                "no teacher_prediction: only alpha is searched, on the labels alone; pass "
                "imitations=[0] to say so",
                TeacherMissingWarning,
            )

    def _search(
        self,
        grid: LinearGrid,
        compute: Callable[[type[Gram] | type[Root]], list[FoldStatistics]],
        shape: tuple[int, int],
    ) -> list[FoldStatistics]:
        """Set the results; return the statistics that they were computed from."""
        may_refine = self.solver == "auto"
        as_roots = self.solver == "tsqr" or (may_refine and shape[0] <= shape[1])
        folds = compute(Root if as_roots else Gram)
        errors = self._score(grid, folds)
        if may_refine and not as_roots and errors.are_digits_lost:
            folds = compute(Root)
            self._score(grid, folds)
        return folds

    def _score(self, grid: LinearGrid, folds: list[FoldStatistics]) -> CVErrors:
        """Set the results of a search in these folds."""
        grid = grid.restricted_to(folds[0].total())
        errors = grid.problem(fit_intercept=bool(self.fit_intercept)).errors(folds)
        self._set_results(grid, cv_scores(errors, self.scoring))
        return errors

    def _set_results(self, grid: LinearGrid, scores: FloatArray) -> None:
        """Set the attributes of the search; ``scores`` has a row for each fold."""
        results: dict[str, Any] = {"params": grid.params()}
        for name in ("alpha", "imitation", "noise_ratio"):
            values = [params[name] for params in results["params"]]
            results[f"param_{name}"] = np.array(values)
        results |= {f"split{k}_test_score": score for k, score in enumerate(scores)}
        results["mean_test_score"] = mean = scores.mean(axis=0)
        results["std_test_score"] = scores.std(axis=0)
        results["rank_test_score"] = rankdata(-mean, method="min").astype(np.int32)
        self.cv_results_ = results
        self.n_splits_ = len(scores)
        self.best_index_ = int(np.argmax(mean))
        self.best_score_ = float(mean[self.best_index_])
        best = results["params"][self.best_index_]
        self.alpha_, self.imitation_ = best["alpha"], best["imitation"]
        self.noise_ratio_ = best["noise_ratio"]
        self.alphas_, self.imitations_ = np.asarray(grid.alphas), grid.imitations
        self.noise_ratios_ = grid.ratios

    def _refit(self, statistics: Statistics, like: Any) -> Self:
        problem = PrivilegedLeastSquares(self.imitation_, self.alpha_, bool(self.fit_intercept))
        return self._set_solution(problem.solve_at(statistics, self.noise_ratio_), like)


def _may_read_features(cv: Any) -> bool:
    """Return whether a splitter may use more of X than its length: scikit-learn's do not."""
    return hasattr(cv, "split") and not type(cv).__module__.startswith("sklearn.")
