"""Compare students of any kind, distilled and baseline, by a nested cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from numbers import Integral, Real
from os import PathLike
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Memory
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_memory

from sklearn_distill._typing import MatrixLike, TargetLike
from sklearn_distill._validation.indexing import n_samples
from sklearn_distill._validation.random_state import check_reproducible, draw_seed
from sklearn_distill._validation.splits import Splits
from sklearn_distill.inspection._comparison_data import check_task, outer_splits, read_data
from sklearn_distill.inspection._entries import (
    STUDENT_KINDS,
    Entry,
    default_students,
    make_entries,
)
from sklearn_distill.inspection._entry_fit import ComparisonData, FitOptions, fit_entry
from sklearn_distill.inspection._fold_runs import Caches, FoldRun, run_folds
from sklearn_distill.inspection._fold_scores import choose, fold_scores, split_sizes
from sklearn_distill.inspection._leaderboard_table import make_table, measure_costs
from sklearn_distill.inspection._scoring import Metric, Scoring, read_scoring
from sklearn_distill.inspection.intervals import check_level
from sklearn_distill.inspection.leaderboard import Leaderboard

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

_N_BINS = 15  # of the calibration error


def compare_students(
    teacher: BaseEstimator,
    students: Mapping[str, BaseEstimator] | None,
    X: MatrixLike,
    y: TargetLike,
    *,
    cv: Any = 5,
    inner_cv: int = 3,
    scoring: Scoring = None,
    param_grid: Mapping[str, Any] | None = None,
    controls: bool = False,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    X_unlabeled: MatrixLike | None = None,
    privileged_features: Any = None,
    confidence_level: float = 0.95,
    n_repeats: int = 100,
    n_threads: int = 1,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    time_limit: float | None = None,
    memory: Any = None,
) -> Leaderboard:
    """Compare students of any kind, distilled and baseline, by a nested cross-validation.

    In each fold the teacher and all students are refitted on the training rows: the teacher's
    predictions for them are out-of-fold, and λ, T and other settings are searched by inner folds,
    so that the test rows take part in nothing that they judge.

    Parameters
    ----------
    teacher : classifier or regressor
        The teacher; it is cloned.
    students : dict of str to estimator, or None
        Students whose ``fit`` takes a teacher's predictions, or pipelines that end in one: each is
        compared with its baseline, the same student fitted on the labels alone. Other models are
        baselines themselves. None is a linear student, a tree of depth 8, boosting and, if torch is
        installed, a network of 64 hidden units, for tables of numbers.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Samples, with the privileged features.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels. Rows without one (NaN, None) are training rows of the distilled students in each
        fold, and never tested on; with `groups`, not where their group is tested on.
    cv : int, splitter or iterable of (train, test), default=5
        The outer folds. An int is the number of shuffled folds, stratified over the classes and
        with the groups kept together (:class:`~sklearn_distill.model_selection.LabeledKFold`). A
        splitter is given the labelled rows.
    inner_cv : int, default=3
        Number of inner folds: of the search, and of the teacher's out-of-fold predictions.
    scoring : str, list of str, or dict of str to str or scorer, default=None
        The metrics, as in :func:`distillation_report`; the first decides, in the searches too.
    param_grid : dict of str to (dict or list of dict), default=None
        For some of the students, by name, the grid of its parameters to search; {} searches
        nothing. Without one, λ is searched over 0, ½ and 1, and T over 1 and 3 where the student
        has it; students that choose them themselves, such as
        :class:`~sklearn_distill.DistilledLogisticRegressionCV`, are fitted as they are. Baselines
        search the same grid without λ and T.
    controls : bool, default=False
        Whether to fit two controls of each distilled student, for classifiers: with the teacher's
        probabilities permuted among the rows of the same predicted class, and with labels smoothed
        as much as these probabilities are soft. What the student gains over them is what the
        teacher knows about single rows.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of fits and metrics.
    groups : array-like of shape (n_samples,), default=None
        Groups of dependent samples, which outer and inner folds keep together; not those of a
        student's own search if there is `X_unlabeled`, which has no groups.
    X_unlabeled : {array-like, sparse matrix, DataFrame}, default=None
        Unlabelled samples, on which the distilled students are trained in each fold.
    privileged_features : array-like, str, int, slice, callable or None, default=None
        Features that only the teacher uses, as in
        :class:`~sklearn_distill.TeacherStudentClassifier`.
    confidence_level : float, default=0.95
        Level of each interval, between 0 and 1.
    n_repeats : int, default=100
        Number of timed predictions of a single row, for at most two seconds a model.
    n_threads : int, default=1
        Number of threads of BLAS and of OpenMP while latencies are measured.
    random_state : int, RandomState or None, default=None
        Seeds folds and models.
    n_jobs : int or None, default=None
        Number of fits in parallel.
    verbose : int, default=0
        1 or more shows a progress bar.
    time_limit : float or None, default=None
        Seconds after which no fit is started; one that is running is finished. Folds are run one
        after the other, and one that is not complete does not count, but the first. ``not_run``
        says what is missing.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder in which finished fits are stored: the same call again, after an interruption or with
        a larger `time_limit`, resumes. Needs an integer `random_state`, a deterministic `cv`, and
        models and scorers that can be pickled.
        joblib unpickles the files: choose a folder that only you can write to.

    Returns
    -------
    Leaderboard
        With ``table``, ``headline``, ``best()``, ``choose()`` and ``plot()``. The rows of ``table``
        are the students by quality, then controls, teacher and prior. Columns:

        - kind: "distilled", "baseline", "permuted", "label smoothing", "teacher" or "prior";
        - the metrics, means over the folds; low and high: the interval of the first
          (:func:`split_interval`), which covers other training sets too;
        - vs_best, vs_baseline: the paired difference in the first metric from the best student and
          from the student's own baseline, with ``_low`` and ``_high``. Who is best was chosen on
          the same folds, which makes the others look worse: see ``Leaderboard.choose``;
        - fit_seconds: mean time to fit the student with its chosen setting, without the teacher;
        - n_folds: number of folds that count;
        - n_parameters, n_bytes, latency_p50_us, latency_p99_us, rows_per_second: of what would be
          deployed, as in :func:`distillation_report`, of the models of the first fold;
        - pareto: whether no student and not the teacher is better in the first metric or in
          latency_p50_us without being worse in the other.

    Raises
    ------
    ValueError
        If an argument is out of range, or the rows do not fit; the message names the argument.
    TypeError
        If the teacher is neither a classifier nor a regressor.

    See Also
    --------
    distillation_report : Compares fitted models on one test set.

    References
    ----------
    Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sklearn_distill import SoftTargetClassifier
    >>> from sklearn_distill.inspection import compare_students
    >>> X, y = load_iris(return_X_y=True)
    >>> leaderboard = compare_students(
    ...     RandomForestClassifier(10),
    ...     {"tree": SoftTargetClassifier(DecisionTreeClassifier(max_depth=2))},
    ...     X,
    ...     y,
    ...     cv=3,
    ...     param_grid={"tree": {}},
    ...     random_state=0,
    ... )
    >>> sorted(leaderboard.table.index)
    ['prior', 'teacher', 'tree', 'tree: baseline']
    >>> leaderboard.best().predict(X[:1])
    array([0])
    """
    is_class = check_task(teacher, y)
    _check_options(inner_cv, n_repeats, n_threads, time_limit)
    check_level(confidence_level)
    check_reproducible(memory, random_state, cv)
    if controls and not is_class:
        raise ValueError("controls=True is for classifiers: a regressor predicts no class.")
    metrics = read_scoring(scoring, is_class, _N_BINS)
    chosen = default_students(is_class=is_class) if students is None else students
    entries = make_entries(
        teacher, chosen, is_class=is_class, controls=controls, param_grid=param_grid
    )
    data = read_data(
        X,
        y,
        is_class=is_class,
        sample_weight=sample_weight,
        groups=groups,
        X_unlabeled=X_unlabeled,
        privileged_features=privileged_features,
    )
    seed = draw_seed(check_random_state(random_state))
    options = FitOptions(teacher, metrics[0], inner_cv, seed)
    splits = outer_splits(cv, data, seed)
    with TemporaryDirectory() as folder:
        caches = _caches(memory, folder)
        runs = run_folds(
            entries,
            data,
            splits,
            options,
            caches,
            n_jobs=n_jobs,
            verbose=verbose,
            time_limit=time_limit,
        )
    missing = [(e.name, k) for k in range(len(splits)) for e in entries if (k, e.name) not in runs]
    _check_some_student(entries, runs, time_limit)
    scores = _scores(entries, runs, data, splits, metrics)
    sizes = split_sizes(splits, data.present, confidence_level)
    costs = measure_costs(
        entries, runs, data, splits[0][1], n_repeats=n_repeats, n_threads=n_threads
    )
    decisive = pd.DataFrame(scores[metrics[0].name])
    students_run = [e.name for e in entries if e.kind in STUDENT_KINDS and e.name in decisive]
    best = choose(decisive, students_run, metrics[0].direction, sizes).name
    return Leaderboard(
        table=make_table(entries, scores, runs, costs, metrics, best, sizes),
        scores=scores,
        metrics=metrics,
        not_run=missing,
        n_folds=len(splits),
        sizes=sizes,
        settings=_settings(runs),
        refit=partial(_refit, entries, data, options, memory),
    )


def _check_options(inner_cv: int, n_repeats: int, n_threads: int, time_limit: float | None) -> None:
    least = {"inner_cv": (inner_cv, 2), "n_repeats": (n_repeats, 1), "n_threads": (n_threads, 1)}
    for name, (value, smallest) in least.items():
        if not isinstance(value, Integral) or value < smallest:
            raise ValueError(f"{name}={value!r}; pass a whole number, {smallest} or more.")
    if time_limit is not None and not (isinstance(time_limit, Real) and time_limit > 0):
        raise ValueError(f"time_limit={time_limit!r}; pass a positive number of seconds, or None.")


def _caches(memory: Any, folder: str) -> Caches:
    if memory is None:
        return Caches(Memory(folder, verbose=0), Memory(None, verbose=0))
    stored = check_memory(str(memory) if isinstance(memory, PathLike) else memory)
    return Caches(stored, stored)


def _check_some_student(
    entries: list[Entry], runs: dict[tuple[int, str], FoldRun], time_limit: float | None
) -> None:
    run = {name for k, name in runs if k == 0}
    if not any(entry.name in run for entry in entries if entry.kind in STUDENT_KINDS):
        raise ValueError(
            f"time_limit={time_limit}: no student was fitted within it; pass a larger one. With "
            "memory, what was fitted is kept."
        )


def _scores(
    entries: list[Entry],
    runs: dict[tuple[int, str], FoldRun],
    data: ComparisonData,
    splits: Splits,
    metrics: list[Metric],
) -> pd.DataFrame:
    """Return the metrics of the complete folds, or of the first one if none is complete."""
    names = [entry.name for entry in entries]
    done = {k: [name for name in names if (k, name) in runs] for k in range(len(splits))}
    counted = [k for k in done if len(done[k]) == len(names)] or [0]
    rows: dict[int, dict[tuple[str, str], float]] = {
        k: fold_scores(
            {name: runs[k, name].predicted for name in done[k]}, data, splits[k][1], metrics
        )
        for k in counted
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", dtype=np.float64)
    frame.columns = pd.MultiIndex.from_tuples(list(rows[counted[0]]), names=["metric", "name"])
    undefined = [m for m in names if frame.get((metrics[0].name, m), pd.Series(0.0)).isna().any()]
    if undefined:
        raise ValueError(
            f"scoring: {metrics[0].name} is not defined for {undefined} in some fold, such as one "
            "of a single class; pass another metric first, or fewer folds."
        )
    return frame


def _settings(runs: dict[tuple[int, str], FoldRun]) -> pd.DataFrame:
    frame: dict[str, dict[int, Any]] = {}
    for (k, name), run in runs.items():
        frame.setdefault(name, {})[k] = run.setting
    return pd.DataFrame(frame)


def _refit(
    entries: list[Entry], data: ComparisonData, options: FitOptions, memory: Any, name: str
) -> Any:
    entry = next(entry for entry in entries if entry.name == name)
    rows = np.arange(n_samples(data.X))
    with TemporaryDirectory() as folder:
        teachers = _caches(memory, folder).teachers
        model = fit_entry(entry, data, rows, options, teachers, timed=False).model
    # the folder is gone, and the student needs no teacher to predict
    return model.set_params(memory=memory) if entry.kind == "distilled" else model
