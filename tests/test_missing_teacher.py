"""A forgotten teacher is noticed: a warning once per fit, and errors where nothing can be meant."""

import warnings
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FixedTrial
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    GreedyHypergradient,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherMissingWarning,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.inspection import MetaparameterDisplay
from sklearn_distill.search import distillation_objective, tune_student
from sklearn_distill.students import _chunks
from sklearn_distill.teachers import out_of_fold_proba

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
NUMBERS = X[:, 0] + RNG.normal(size=60)
Y = (NUMBERS > 0).astype(int)
PREDICTIONS = X[:, 0] + 0.1 * RNG.normal(size=60)
PROBA = 1 / (1 + np.exp(-2 * X[:, :1] * [-1, 1]))
ALL_MISSING = "{} is missing (NaN) in every row: fitted on the labels alone"
NETWORK = {"hidden_layer_sizes": (4,), "max_epochs": 2, "random_state": 0}
STUDENTS = [
    DistilledLogisticRegression(),
    DistilledLogisticRegressionCV("C", cv=2),
    SoftTargetClassifier(DecisionTreeRegressor(max_depth=2)),
    DistilledNeuralClassifier(**NETWORK),
    DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=2)),
    PrivilegedLinearRegression(),
    DistilledNeuralRegressor(**NETWORK),
    DistilledBoostingRegressor(HistGradientBoostingRegressor(max_iter=2)),
    SoftTargetRegressor(DecisionTreeRegressor(max_depth=2)),
]
INCREMENTAL = [one for one in STUDENTS if hasattr(one, "partial_fit")]
every_student = pytest.mark.parametrize("student", STUDENTS, ids=lambda one: type(one).__name__)
by_chunks = pytest.mark.parametrize(
    "student", [STUDENTS[0], STUDENTS[5]], ids=lambda one: type(one).__name__
)


def labels_of(student):
    return Y if is_classifier(student) else NUMBERS


def teachers_of(student):
    """Return the teacher in each argument that the student's fit takes."""
    if is_classifier(student):
        return {"teacher_proba": PROBA, "teacher_logits": np.log(PROBA)}
    return {"teacher_prediction": PREDICTIONS}


@contextmanager
def one_warning_here(
    arguments, cause="no {}: fitted on the labels alone; pass imitation=0 to say so"
):
    """Require one warning, whose place is the line of the user's call in this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert [(one.category, one.filename) for one in caught] == [(TeacherMissingWarning, __file__)]
    assert str(caught[0].message) == cause.format(arguments)


@every_student
@pytest.mark.parametrize("imitation", [0.5, 1.0])
def test_a_forgotten_teacher_is_one_warning(student, imitation):
    student = clone(student).set_params(imitation=imitation)
    with one_warning_here(" or ".join(teachers_of(student))):
        student.fit(X, labels_of(student))


@every_student
def test_imitation_zero_or_a_teacher_is_no_warning(student):
    y = labels_of(student)
    clone(student).set_params(imitation=0).fit(X, y)
    for name, teacher in teachers_of(student).items():
        clone(student).fit(X, y, **{name: teacher})


@pytest.mark.parametrize("student", INCREMENTAL, ids=lambda one: type(one).__name__)
def test_each_partial_fit_without_a_teacher_warns(student):
    student, y = clone(student), labels_of(student)
    for _ in range(2):
        with one_warning_here(" or ".join(teachers_of(student))):
            student.partial_fit(X, y)
    name, teacher = next(iter(teachers_of(student).items()))
    student.partial_fit(X, y, **{name: teacher})
    student.set_params(imitation=0).partial_fit(X, y)


def test_the_warning_names_the_users_line_through_pipelines_and_searches():
    text = "teacher_proba or teacher_logits"
    with one_warning_here(text):
        make_pipeline(StandardScaler(), DistilledLogisticRegression()).fit(X, Y)
    search = GridSearchCV(DistilledLogisticRegression(), {"imitation": [0]}, cv=2, refit=False)
    search.fit(X, Y)
    search.set_params(param_grid={"imitation": [1]}, cv=[(np.arange(40), np.arange(40, 60))])
    with one_warning_here(text):
        search.fit(X, Y)


@every_student
def test_a_teacher_without_any_prediction_is_announced_and_at_imitation_one_an_error(student):
    y = labels_of(student)
    for name, teacher in teachers_of(student).items():
        missing = {name: np.full_like(teacher, np.nan)}
        with one_warning_here(name, ALL_MISSING):
            clone(student).fit(X, y, **missing)
        clone(student).set_params(imitation=0).fit(X, y, **missing)
        unfitted = clone(student).set_params(imitation=1)
        before = set(vars(unfitted))
        with pytest.raises(ValueError, match=rf"{name} is missing \(NaN\) in every row"):
            unfitted.fit(X, y, **missing)
        assert set(vars(unfitted)) == before


@pytest.mark.parametrize("student", INCREMENTAL, ids=lambda one: type(one).__name__)
def test_without_any_prediction_partial_fit_at_imitation_one_is_an_error(student):
    name, teacher = next(iter(teachers_of(student).items()))
    with pytest.raises(ValueError, match=f"{name} is missing"):
        clone(student).set_params(imitation=1).partial_fit(
            X, labels_of(student), **{name: np.full_like(teacher, np.nan)}
        )


def test_statistics_with_predictions_take_rows_without():
    """Rows without predictions, marked by NaN, are no error once there were some."""
    student = PrivilegedLinearRegression(1.0, noise_variance=1.0, teacher_noise_variance=1.0)
    student.partial_fit(X, NUMBERS, teacher_prediction=PREDICTIONS)
    student.partial_fit(X, NUMBERS, teacher_prediction=np.full(60, np.nan))
    assert student.n_taught_rows_ == 60


@by_chunks
@pytest.mark.parametrize("kind", ["dask", "memory map"])
def test_rows_read_by_chunks(student, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(_chunks, "MIN_CHUNKED_BYTES", 0)
    np.save(tmp_path / "X.npy", X)
    rows = np.load(tmp_path / "X.npy", mmap_mode="r")
    as_chunks = np.asarray
    if kind == "dask":
        as_chunks = partial(pytest.importorskip("dask.array").from_array, chunks=25)
        rows = as_chunks(X)
    y, (name, teacher) = as_chunks(labels_of(student)), next(iter(teachers_of(student).items()))
    with one_warning_here(" or ".join(teachers_of(student))):
        clone(student).fit(rows, y)
    clone(student).set_params(imitation=0).fit(rows, y)
    clone(student).fit(rows, y, **{name: as_chunks(teacher)})
    missing = {name: as_chunks(np.full_like(teacher, np.nan))}
    with one_warning_here(name, ALL_MISSING):
        clone(student).fit(rows, y, **missing)
    with pytest.raises(ValueError, match=f"{name} is missing"):
        clone(student).set_params(imitation=1).fit(rows, y, **missing)


@pytest.mark.parametrize("student", [STUDENTS[3], STUDENTS[6]], ids=lambda one: type(one).__name__)
def test_an_embedding_is_a_teacher(student):
    student, embedding = clone(student).set_params(embedding_weight=1.0), X[:, :2]
    student.fit(X, labels_of(student), teacher_embedding=embedding)
    with one_warning_here(" or ".join(teachers_of(student))):  # at weight 0 it is not used
        student.set_params(embedding_weight=0).fit(
            X, labels_of(student), teacher_embedding=embedding
        )


@pytest.mark.parametrize("names", ["imitation", ["temperature"], ["imitation", "C"]])
@pytest.mark.parametrize(
    ("teacher", "cause"),
    [(None, "there is no teacher_proba or"), (np.full_like(PROBA, np.nan), "teacher_proba is mis")],
    ids=["none", "missing"],
)
def test_a_search_over_imitation_or_temperature_needs_a_teacher(names, teacher, cause):
    search = DistilledLogisticRegressionCV(names, cv=2)
    with pytest.raises(ValueError, match=f"metaparameters=.*{cause}"):
        search.fit(X, Y, teacher_proba=teacher)
    assert not hasattr(search, "classes_")


def test_a_hypergradient_needs_a_prediction():
    student = DistilledNeuralClassifier(metaparameter_optimizer=GreedyHypergradient(), **NETWORK)
    with pytest.raises(ValueError, match=r"metaparameter_optimizer .* every prediction is missing"):
        student.fit(X, Y, teacher_proba=np.full_like(PROBA, np.nan))


STUDENT = DistilledLogisticRegression()
PIPELINE = make_pipeline(StandardScaler(), STUDENT)
STEP = "distilledlogisticregression__"
OPTIONS = {"cv": 2, "scoring": "neg_log_loss"}
LAM = FloatDistribution(0, 1)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [(STUDENT, "imitation"), (STUDENT, "temperature"), (PIPELINE, f"{STEP}imitation")],
)
@pytest.mark.parametrize("params", [None, {}, {"teacher_proba": None}])
def test_an_objective_over_imitation_or_temperature_needs_a_teacher(estimator, name, params):
    with pytest.raises(ValueError, match=r"space searches .* there is no .*teacher_proba"):
        distillation_objective(estimator, X, Y, {name: LAM}, params=params, **OPTIONS)


def test_objectives_with_a_teacher_or_over_other_parameters():
    with config_context(enable_metadata_routing=True):
        params = {"teacher_proba": PROBA}
        distillation_objective(PIPELINE, X, Y, {f"{STEP}imitation": LAM}, params=params, **OPTIONS)
    params = {f"{STEP}teacher_proba": PROBA}
    distillation_objective(PIPELINE, X, Y, {f"{STEP}imitation": LAM}, params=params, **OPTIONS)
    model = TeacherStudentClassifier(LogisticRegression(), STUDENT)  # it has a teacher of its own
    distillation_objective(model, X, Y, {"student__imitation": LAM}, **OPTIONS)
    over_c = {"C": CategoricalDistribution([0.1, 1.0])}
    objective = distillation_objective(
        clone(STUDENT).set_params(imitation=0), X, Y, over_c, **OPTIONS
    )
    objective(FixedTrial({"C": 0.1}))


def test_what_a_function_searches_is_checked_in_the_trial():
    def space(trial):
        return {"imitation": trial.suggest_float("imitation", 0, 1), "temperature": 2.0}

    objective = distillation_objective(STUDENT, X, Y, space, **OPTIONS)
    objective(FixedTrial({"imitation": 0.0}))  # a baseline
    with pytest.raises(ValueError, match=r"space searches .* there is no teacher_proba"):
        objective(FixedTrial({"imitation": 0.5}))


def test_other_searches_need_a_teacher():
    grid = {"imitation": [0.0, 1.0], "temperature": [1.0, 2.0]}
    with pytest.raises(ValueError, match=r"the grid searches .* there is no teacher_proba"):
        MetaparameterDisplay.from_probability(STUDENT, X, Y, row=X[0], label=1, **grid)
    network = DistilledNeuralClassifier(**NETWORK)
    for method in ("random", "gradient", "linear", "tpe"):
        with pytest.raises(ValueError, match=f"method='{method}' searches"):
            tune_student(network, X, Y, method=method, X_val=X, y_val=Y)


# --- meta-estimators say imitation=0 for what they fit without a teacher --------------------------


@pytest.mark.parametrize("cv", [2, None])
def test_a_student_as_a_teacher(cv):
    for teacher in (STUDENT, PIPELINE):
        model = TeacherStudentClassifier(teacher, STUDENT, cv=cv).fit(X, Y)
        fitted = model.teacher_[-1] if teacher is PIPELINE else model.teacher_
        assert fitted.imitation == 0
        assert model.student_.imitation == 0.5
    known = {"noise_variance": 1.0, "teacher_noise_variance": 1.0}
    regression = PrivilegedLinearRegression(**known)
    TeacherStudentRegressor(regression, regression, cv=cv).fit(X, NUMBERS)
    out_of_fold_proba(STUDENT, X, Y, cv=2)
    frozen = FrozenEstimator(clone(PIPELINE).set_params(**{f"{STEP}imitation": 0}).fit(X, Y))
    TeacherStudentClassifier(frozen, STUDENT, cv=2).fit(X, Y)


def test_a_teacher_that_has_a_teacher_imitates():
    model = TeacherStudentClassifier(STUDENT, STUDENT, cv=2)
    model.fit(X, Y, teacher__teacher_proba=PROBA)
    assert model.teacher_.imitation == 0.5
    assert model.teacher_.n_taught_rows_ == 60


@pytest.mark.parametrize("imitation", [None, 1.0])
@pytest.mark.parametrize("cv", [None, 2])
def test_the_first_generation_has_no_teacher(imitation, cv):
    model = BornAgainClassifier(PIPELINE, n_generations=2, imitation=imitation, cv=cv).fit(X, Y)
    own = 0.5 if imitation is None else imitation
    assert [pipeline[-1].imitation for pipeline in model.estimators_] == [0, own]


def test_a_first_generation_that_searches_chooses_its_penalty_only():
    student = DistilledLogisticRegressionCV(cv=2, max_evaluations=2)
    with pytest.warns(UserWarning, match="chooses its metaparameters on labels"):
        first, second = BornAgainClassifier(student, n_generations=2).fit(X, Y).estimators_
    assert first.metaparameters == "C"
    assert second.metaparameters == ("imitation", "temperature", "C")
