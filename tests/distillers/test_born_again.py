"""Generations of one student: what each is trained on, which predicts, and early stopping."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GroupKFold, RepeatedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.metrics import uncertainty_degree
from tests.distillers.spies import LedgerStudent

N, K = 120, 3
X, Y = make_classification(N, 5, n_informative=4, n_redundant=0, n_classes=K, random_state=0)
X_VAL, Y_VAL = make_classification(
    60, 5, n_informative=4, n_redundant=0, n_classes=K, random_state=1
)
WEIGHT = np.random.default_rng(0).uniform(0.5, 2.0, N)
NAMES = np.array(["bee", "ant", "cat"])[Y]
LOGISTIC = DistilledLogisticRegression(solver="newton-cg", tol=1e-8)
NETWORK = DistilledNeuralClassifier(hidden_layer_sizes=(6,), max_epochs=5, random_state=3)
TREE = SoftTargetClassifier(DecisionTreeRegressor(min_samples_leaf=5, random_state=0))
PIPE = make_pipeline(StandardScaler(), LOGISTIC)
LEARN_SOFT = [LOGISTIC, NETWORK, TREE, PIPE]
CLASSIFIERS = [
    SVC(),
    LogisticRegression(),
    RandomForestClassifier(5, random_state=0),
    make_pipeline(StandardScaler(), GaussianNB()),
]


def born_again(student=LOGISTIC, **parameters):
    return BornAgainClassifier(student, **parameters)


def baseline_of(student):
    """Return an unfitted clone that says that it has no teacher, as the first generation does."""
    prefix = f"{student.steps[-1][0]}__" if hasattr(student, "steps") else ""
    return clone(student).set_params(**{f"{prefix}imitation": 0})


def by_hand(student, teacher_proba, y=Y, imitation=1.0):
    """Fit a clone on a teacher's probabilities."""
    prefix = f"{student.steps[-1][0]}__" if hasattr(student, "steps") else ""
    student = clone(student).set_params(**{f"{prefix}imitation": imitation})
    return student.fit(X, y, **{f"{prefix}teacher_proba": teacher_proba})


@pytest.mark.parametrize("labels", ["soft", "hard"])
@pytest.mark.parametrize("student", LEARN_SOFT, ids=lambda estimator: type(estimator).__name__)
def test_one_generation_is_the_student_itself(student, labels):
    model = born_again(student, n_generations=1, labels=labels).fit(X, NAMES)
    baseline = baseline_of(student).fit(X, NAMES)
    np.testing.assert_array_equal(model.predict_proba(X), baseline.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), baseline.predict(X))
    np.testing.assert_array_equal(model.classes_, ["ant", "bee", "cat"])


@pytest.mark.parametrize("imitation", [1.0, 0.3])
@pytest.mark.parametrize("student", LEARN_SOFT, ids=lambda estimator: type(estimator).__name__)
def test_a_soft_generation_is_trained_on_the_probabilities_of_the_previous_one(student, imitation):
    model = born_again(student, n_generations=3, imitation=imitation).fit(X, NAMES)
    expected = baseline_of(student).fit(X, NAMES)
    for fitted in model.estimators_[1:]:
        expected = by_hand(student, expected.predict_proba(X), NAMES, imitation)
        np.testing.assert_array_equal(fitted.predict_proba(X_VAL), expected.predict_proba(X_VAL))
    np.testing.assert_array_equal(model.predict_proba(X_VAL), expected.predict_proba(X_VAL))


@pytest.mark.parametrize("student", CLASSIFIERS, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize("y", [Y, NAMES], ids=["numbers", "strings"])
def test_a_hard_generation_is_trained_on_the_predicted_classes_of_the_previous_one(student, y):
    model = born_again(student, n_generations=3, labels="hard").fit(X, y)
    first = clone(student).fit(X, y)
    second = clone(student).fit(X, first.predict(X))
    third = clone(student).fit(X, second.predict(X))
    np.testing.assert_array_equal(model.predict(X_VAL), third.predict(X_VAL))
    assert (first.predict(X) != y).any(), "else the test is trivial"


@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")  # random labels
@pytest.mark.parametrize("imitation", [1.0, 0.3])
@pytest.mark.parametrize("student", LEARN_SOFT, ids=lambda estimator: type(estimator).__name__)
def test_students_with_teacher_proba_get_hard_labels_as_one_hot_probabilities(student, imitation):
    model = born_again(student, n_generations=2, labels="hard", imitation=imitation).fit(X, Y)
    predicted = baseline_of(student).fit(X, Y).predict(X)
    expected = by_hand(student, np.eye(K)[predicted], imitation=imitation)
    np.testing.assert_array_equal(model.predict_proba(X_VAL), expected.predict_proba(X_VAL))


def test_one_hot_probabilities_equal_predicted_classes_as_labels():
    """At temperature 1 both ways to pass hard labels give the same model."""
    plain = LogisticRegression(solver="newton-cg", tol=1e-10)
    models = [born_again(student, labels="hard").fit(X, Y) for student in (LOGISTIC, plain)]
    one_hot, replaced = (model.predict_proba(X_VAL) for model in models)
    np.testing.assert_allclose(one_hot, replaced, atol=1e-5)
    softened = clone(LOGISTIC).set_params(temperature=3.0)
    proba = born_again(softened, labels="hard").fit(X, Y).predict_proba(X_VAL)
    assert abs(proba - one_hot).max() > 0.1


def test_imitation_none_leaves_the_students_own_after_the_first_generation():
    student = clone(LOGISTIC).set_params(imitation=0.3)
    unset = born_again(student, imitation=None).fit(X, Y)
    explicit = born_again(student, imitation=0.3).fit(X, Y)
    np.testing.assert_array_equal(unset.predict_proba(X), explicit.predict_proba(X))
    assert [fitted.imitation for fitted in unset.estimators_] == [0.0] + [0.3] * 5


def test_imitation_zero_makes_all_generations_alike():
    model = born_again(imitation=0.0).fit(X, Y)
    baseline = baseline_of(LOGISTIC).fit(X, Y).predict_proba(X)
    for fitted in model.estimators_:
        np.testing.assert_allclose(fitted.predict_proba(X), baseline, atol=1e-6)


@pytest.mark.parametrize("labels", ["soft", "hard"])
@pytest.mark.parametrize("cv", [None, 3])
def test_the_order_of_the_classes_does_not_matter(labels, cv):
    order = np.array([2, 0, 1])
    model, other = (born_again(labels=labels, cv=cv).fit(X, y) for y in (Y, order[Y]))
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X)[:, order], atol=1e-6)


@pytest.mark.parametrize(
    ("student", "labels"),
    [(LOGISTIC, "soft"), (LOGISTIC, "hard"), (LogisticRegression(tol=1e-8), "hard")],
)
def test_a_weight_is_a_repetition(student, labels):
    times = np.random.default_rng(1).integers(1, 4, N)
    weighted = born_again(student, labels=labels).fit(X, Y, times)
    repeated = born_again(student, labels=labels).fit(X.repeat(times, axis=0), Y.repeat(times))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)
    metrics = [model.generations_.to_numpy() for model in (weighted, repeated)]
    np.testing.assert_allclose(*metrics, atol=1e-4)


def test_the_constructors_student_is_not_touched():
    student = make_pipeline(StandardScaler(), clone(NETWORK).set_params(random_state=None))
    before = {name: str(value) for name, value in student.get_params().items()}
    model = born_again(student, n_generations=2, random_state=0).fit(X, Y)
    assert {name: str(value) for name, value in student.get_params().items()} == before
    assert not hasattr(student[-1], "classes_")
    assert model.student is student
    assert len({id(fitted) for fitted in [student, *model.estimators_]}) == 3


def test_each_generation_has_a_seed_of_its_own():
    forest = RandomForestClassifier(3)
    first, same = (
        born_again(forest, labels="hard", n_generations=3, random_state=3).fit(X, Y)
        for _ in range(2)
    )
    seeds = [fitted.random_state for fitted in first.estimators_]
    assert len(set(seeds)) == 3
    assert seeds == [fitted.random_state for fitted in same.estimators_]
    np.testing.assert_array_equal(first.predict_proba(X), same.predict_proba(X))
    own = born_again(forest.set_params(random_state=5), labels="hard", random_state=3).fit(X, Y)
    assert {fitted.random_state for fitted in own.estimators_} == {5}


@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_the_ensemble_is_the_mean(labels):
    model = born_again(n_generations=4, labels=labels, ensemble=True).fit(X, NAMES)
    mean = np.mean([fitted.predict_proba(X) for fitted in model.estimators_], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), mean, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.classes_[mean.argmax(axis=1)])
    assert not hasattr(model, "decision_function")
    assert model.best_generation_ == 4


def test_the_metrics_of_each_generation():
    model = born_again(n_generations=3).fit(X, Y, WEIGHT, X_val=X_VAL, y_val=Y_VAL)
    table = model.generations_
    assert table.index.tolist() == [1, 2, 3]
    for part, features, y, weight in (
        ("train", X, Y, WEIGHT),
        ("validation", X_VAL, Y_VAL, np.ones(len(Y_VAL))),
    ):
        for g, fitted in enumerate(model.estimators_, start=1):
            proba, predicted = fitted.predict_proba(features), fitted.predict(features)
            row = table.loc[g]
            expected = {
                "accuracy": accuracy_score(y, predicted, sample_weight=weight),
                "cross_entropy": log_loss(y, proba, sample_weight=weight),
                "uncertainty": uncertainty_degree(proba, sample_weight=weight),
            }
            if g > 1:
                previous = model.estimators_[g - 2].predict(features)
                expected["agreement"] = np.average(predicted == previous, weights=weight)
            for name, value in expected.items():
                np.testing.assert_allclose(row[f"{part}_{name}"], value, err_msg=name)
    assert table["train_agreement"].isna().tolist() == [True, False, False]
    np.testing.assert_array_equal(table["validation_score"], -table["validation_cross_entropy"])
    assert "validation_score" not in born_again(n_generations=1).fit(X, Y).generations_


def test_without_probabilities_there_is_accuracy():
    model = born_again(SVC(), labels="hard", n_generations=3)
    table = model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL).generations_
    assert table[["train_uncertainty", "validation_cross_entropy"]].isna().all(axis=None)
    np.testing.assert_array_equal(table["validation_score"], table["validation_accuracy"])
    assert not hasattr(model, "predict_proba")
    scores = model.decision_function(X)
    np.testing.assert_array_equal(scores, model.estimators_[-1].decision_function(X))


class Scripted:
    """A scorer that returns given scores, one per generation."""

    def __init__(self, scores):
        self.scores = iter(scores)

    def __call__(self, estimator, features, y):
        return next(self.scores)


@pytest.mark.parametrize(
    ("scores", "n_generations", "best"),
    [
        ([1, 2, 3, 4, 5, 6], 6, 6),
        ([1, 3, 2, 2, 9, 9], 4, 2),
        ([5, 5, 5, 9, 9, 9], 3, 1),
        ([1, 1, 2, 1, 1, 9], 5, 3),
        ([-np.inf, -np.inf, -np.inf, 0, 0, 0], 3, 1),
    ],
)
@pytest.mark.parametrize("ensemble", [False, True])
def test_early_stopping_returns_to_the_best(scores, n_generations, best, ensemble):
    model = born_again(early_stopping=True, scoring=Scripted(scores), ensemble=ensemble)
    model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert len(model.estimators_) == len(model.generations_) == n_generations
    assert model.best_generation_ == best
    assert model.generations_["validation_score"].tolist() == scores[:n_generations]
    counted = model.estimators_[(0 if ensemble else best - 1) : best]
    expected = np.mean([fitted.predict_proba(X) for fitted in counted], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-12)


def test_early_stopping_patience():
    model = born_again(early_stopping=True, scoring=Scripted([2, 1, 1, 1, 1, 3]))
    model.set_params(n_iter_no_change=4).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert (len(model.estimators_), model.best_generation_) == (5, 1)


@pytest.mark.parametrize("cv", [None, 3, RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)])
def test_early_stopping_sets_rows_aside(cv):
    """No generation is fitted on validation rows, nor is one in the chain of a fold."""
    numbered = np.column_stack([np.arange(N), X])
    LedgerStudent.fit_args.clear()
    model = born_again(
        LedgerStudent(), n_generations=3, early_stopping=True, cv=cv, validation_fraction=0.25,
        random_state=0,
    ).fit(numbered, Y)  # fmt: skip
    fitted_rows = {row for fit_args in LedgerStudent.fit_args for row in fit_args["X"][:, 0]}
    assert len(fitted_rows) == 90
    held_out = np.setdiff1d(np.arange(N), list(fitted_rows))
    np.testing.assert_array_equal(np.bincount(Y[held_out]), np.bincount(Y) / 4)
    scores = [fitted.score(numbered[held_out], Y[held_out]) for fitted in model.estimators_]
    np.testing.assert_allclose(model.generations_["validation_accuracy"], scores)


def test_out_of_fold_predictions_come_from_chains_fitted_without_the_row():
    """The chain of a fold is fitted without it; the main chain is trained on its predictions."""
    fold = np.arange(N) % 4
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    model = born_again(n_generations=3, cv=splits).fit(X, Y)
    targets = [np.empty((N, K)) for _ in range(2)]
    for train, test in splits:
        chain = born_again(n_generations=2).fit(X[train], Y[train])
        for proba, fitted in zip(targets, chain.estimators_, strict=True):
            proba[test] = fitted.predict_proba(X[test])
    for proba, fitted in zip(targets, model.estimators_[1:], strict=True):
        expected = by_hand(LOGISTIC, proba)
        np.testing.assert_allclose(fitted.predict_proba(X), expected.predict_proba(X), atol=1e-12)


def test_of_several_predicted_classes_of_a_row_the_most_frequent_is_its_target():
    splits = list(RepeatedKFold(n_splits=3, n_repeats=3, random_state=0).split(X))
    votes = np.zeros((N, K))
    for train, test in splits:
        votes[test] += np.eye(K)[baseline_of(LOGISTIC).fit(X[train], Y[train]).predict(X[test])]
    assert (votes.max(axis=1) < 3).any(), "else all folds agree"
    model = born_again(labels="hard", n_generations=2, cv=splits).fit(X, Y)
    expected = by_hand(LOGISTIC, np.eye(K)[votes.argmax(axis=1)])
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-12)


def test_two_generations_with_folds_are_a_teacher_and_a_student():
    student = clone(LOGISTIC).set_params(imitation=0.6)
    model = born_again(student, n_generations=2, imitation=0.6, cv=5).fit(X, Y, WEIGHT)
    pair = TeacherStudentClassifier(student, student, cv=5).fit(X, Y, WEIGHT)
    np.testing.assert_allclose(model.predict_proba(X), pair.predict_proba(X), atol=1e-12)


@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_no_out_of_fold_prediction_contains_the_label_of_its_row(labels):
    """Random labels that the student memorises: only in-sample predictions reproduce them."""
    rng = np.random.default_rng(0)
    noise, random_labels = rng.normal(size=(400, 4)), rng.integers(2, size=400)
    student = SoftTargetClassifier(DecisionTreeRegressor(random_state=0))
    accuracy = {}
    for cv in (None, 5):
        model = born_again(student, n_generations=4, labels=labels, cv=cv).fit(noise, random_labels)
        accuracy[cv] = model.generations_["train_accuracy"].to_numpy()
    np.testing.assert_array_equal(accuracy[None], 1.0)
    assert (accuracy[5][1:] < 0.6).all()


def test_rows_outside_every_test_fold_keep_their_labels():
    splits = [(np.arange(40, N), np.arange(40))]
    model = born_again(n_generations=2, cv=splits).fit(X, Y)
    targets = np.full((N, K), np.nan)
    targets[:40] = baseline_of(LOGISTIC).fit(X[40:], Y[40:]).predict_proba(X[:40])
    expected = by_hand(LOGISTIC, targets).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)
    hard = born_again(LogisticRegression(), labels="hard", n_generations=2, cv=splits).fit(X, Y)
    y = np.concatenate([LogisticRegression().fit(X[40:], Y[40:]).predict(X[:40]), Y[40:]])
    expected = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(hard.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize(
    ("student", "labels"), [(LOGISTIC, "soft"), (LOGISTIC, "hard"), (SVC(), "hard")]
)
def test_rows_without_a_label_are_used_from_the_second_generation_on(student, labels, cv):
    missing = np.arange(N) % 4 == 0
    some = np.where(missing, None, NAMES.astype(object))
    model = born_again(student, n_generations=2, labels=labels, cv=cv).fit(X, some)
    first = clone(student) if isinstance(student, SVC) else baseline_of(student)
    first.fit(X[~missing], NAMES[~missing])
    np.testing.assert_array_equal(model.estimators_[0].predict(X), first.predict(X))
    accuracy = model.generations_["train_accuracy"]
    correct = model.estimators_[1].predict(X[~missing]) == NAMES[~missing]
    np.testing.assert_allclose(accuracy.loc[2], correct.mean())
    if cv is None and student is LOGISTIC:
        q = first.predict_proba(X)
        q = q if labels == "soft" else np.eye(K)[q.argmax(axis=1)]
        expected = by_hand(LOGISTIC, q, some).predict_proba(X)
        np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)


@pytest.mark.parametrize(
    "container",
    [
        X.tolist(),
        csr_array(X),
        pd.DataFrame(X, columns=list("abcde")),
        pl.DataFrame(X, schema=list("abcde")),
    ],
    ids=["list", "sparse", "pandas", "polars"],
)
@pytest.mark.parametrize("cv", [None, 3])
def test_containers(container, cv):
    model = born_again(n_generations=3, cv=cv, early_stopping=True, random_state=0)
    expected = clone(model).fit(X, Y).predict_proba(X)
    model.fit(container, Y, X_val=None)
    np.testing.assert_allclose(model.predict_proba(container), expected, atol=1e-4)
    assert model.n_features_in_ == 5


def test_images():
    torch = pytest.importorskip("torch")
    images = np.random.default_rng(0).normal(size=(40, 1, 6, 6)).astype(np.float32)
    y = np.arange(40) % 2
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(32, 2)
    )
    student = DistilledNeuralClassifier(network, max_epochs=2, random_state=0)
    model = born_again(student, n_generations=2, cv=2).fit(images, y, X_val=images, y_val=y)
    assert model.predict_proba(images).shape == (40, 2)


def test_a_student_with_classes_that_y_lacks():
    student = DistilledLogisticRegression(classes=[0, 1, 2, 3])
    model = born_again(student, n_generations=2).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2, 3])
    assert model.predict_proba(X).shape == (N, 4)


def test_groups_and_weights_are_routed():
    groups = np.arange(N) // 20
    model = born_again(n_generations=2, cv=GroupKFold(3))
    prefixed = clone(model).fit(X, Y, groups=groups)
    with config_context(enable_metadata_routing=True):
        student = clone(LOGISTIC).set_fit_request(sample_weight=True)
        routed = born_again(student, n_generations=2, cv=GroupKFold(3))
        weighted = clone(routed).fit(X, Y, WEIGHT, groups=groups).predict_proba(X)
        plain = clone(routed).fit(X, Y, groups=groups).predict_proba(X)
    np.testing.assert_array_equal(plain, prefixed.predict_proba(X))
    expected = clone(model).fit(X, Y, WEIGHT, groups=groups).predict_proba(X)
    np.testing.assert_array_equal(weighted, expected)


def test_parameters_of_the_students_fit():
    model = born_again(clone(NETWORK).set_params(early_stopping=True), n_generations=2)
    model.fit(X, Y, student__X_val=X_VAL, student__y_val=Y_VAL)
    assert "valid_loss" in model.estimators_[0].history_


def test_a_search_over_it():
    scores = cross_val_score(born_again(PIPE, n_generations=2), X, NAMES, cv=3)
    assert scores.mean() > 0.5
