"""Several labels of 0 and 1 a row: networks with one logit for each, and a student for each."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config
from scipy import sparse
from scipy.special import expit, logit
from sklearn import config_context
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.metrics import get_scorer as sklearn_scorer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from torch import nn
from torch.nn import functional

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    GreedyHypergradient,
    ImplausibleTeacherWarning,
    MultiLabelStudent,
    SoftTargetClassifier,
)
from sklearn_distill.metrics import get_scorer

X, Y = make_multilabel_classification(80, 6, n_classes=3, random_state=0)
X = (X / 10).astype(np.float64)
RNG = np.random.default_rng(0)
LOGITS = 2.0 * (2 * Y - 1) + RNG.normal(size=Y.shape)
PROBA = expit(LOGITS)
WEIGHT = RNG.random(80) + 0.1
SOME_Y = np.where(RNG.random(Y.shape) < 0.3, np.nan, Y)
SOME_PROBA = np.where(RNG.random(Y.shape) < 0.3, np.nan, PROBA)
LABELLED = ~np.isnan(SOME_Y).all(axis=1)
EMPTY = np.isnan(SOME_Y).all(axis=1) & np.isnan(SOME_PROBA).all(axis=1)
SOME_Y[EMPTY] = Y[EMPTY]
ONE_STEP = {"optimizer": "sgd", "lr": 0.1, "batch_size": 1000, "max_epochs": 1}


def network(**options):
    fixed = {"precision": "float64", "max_epochs": 5, "lr": 0.05, "random_state": 0}
    return DistilledNeuralClassifier(**fixed | options)


def by_hand(
    module, imitation=0.5, temperature=1.0, tau=1.0, soften=True, y=SOME_Y, proba=SOME_PROBA
):
    """Return the gradient step of torch's own binary cross-entropies."""
    z = module(torch.as_tensor(X))
    total, s = 0.0, torch.as_tensor(WEIGHT / WEIGHT.mean())
    q = expit(logit(proba) / temperature)
    for i, label in np.ndindex(*y.shape):
        has_label, is_taught = not np.isnan(y[i, label]), not np.isnan(q[i, label])
        share = imitation if has_label and is_taught else float(is_taught)
        if has_label:
            target = torch.tensor(y[i, label], dtype=torch.float64)
            total = total + s[i] * (1 - share) * functional.binary_cross_entropy_with_logits(
                z[i, label], target
            )
        if is_taught:
            u = z[i, label] / (temperature if soften else 1.0)
            loss = functional.binary_cross_entropy_with_logits(u, torch.tensor(q[i, label]))
            total = total + s[i] * share * tau * loss
    (total / len(y)).backward()
    with torch.no_grad():
        return [w - 0.1 * w.grad for w in module.parameters()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"imitation": 1.0}, {"imitation": 1.0}),
        ({"temperature": 3.0, "t_squared": True}, {"temperature": 3.0, "tau": 9.0}),
        ({"temperature": 2.0, "soften_student": False}, {"temperature": 2.0, "soften": False}),
    ],
    ids=["T = 1", "λ = 1", "T² = 9", "not softened"],
)
def test_the_loss_is_that_of_torch_for_every_entry(options, expected):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    student = network(module=module, **ONE_STEP, **options)
    student.fit(X, SOME_Y, WEIGHT, teacher_proba=SOME_PROBA)
    found = student.net_.module_.parameters()
    for one, other in zip(found, by_hand(module, **expected), strict=True):
        np.testing.assert_allclose(one.detach(), other, atol=1e-10)


# a student for each label

LABELS = {
    "array": (Y, PROBA),
    "missing": (SOME_Y, SOME_PROBA),
    "objects": (np.where(np.isnan(SOME_Y), None, SOME_Y), SOME_PROBA),
    "frames": (
        pd.DataFrame(Y, columns=list("abc")),
        pd.DataFrame(PROBA[:, ::-1], columns=list("cba")),
    ),
    "sparse": (sparse.csr_array(Y), PROBA),
    "lists of two classes": (Y, [np.column_stack([1 - p, p]) for p in PROBA.T]),
}


def columns(y, proba):
    """Return what a student of two classes is fitted on, for each label."""
    for labels, p in zip(np.asarray(y, dtype=float).T, np.asarray(proba).T, strict=True):
        rows = ~(np.isnan(labels) & np.isnan(p))
        yield rows, labels[rows], p[rows]


@pytest.mark.parametrize(("y", "proba"), LABELS.values(), ids=LABELS.keys())
def test_a_student_for_each_label_is_a_student_of_two_classes(y, proba):
    student = MultiLabelStudent(DistilledLogisticRegression(temperature=2.0))
    student.fit(X, y, WEIGHT, teacher_proba=proba)
    plain = SOME_Y if _has_missing(y) else Y
    plain_proba = SOME_PROBA if plain is SOME_Y else PROBA
    expected = []
    for rows, labels, p in columns(plain, plain_proba):
        one = DistilledLogisticRegression(temperature=2.0, classes=[0, 1])
        one.fit(X[rows], labels, WEIGHT[rows], teacher_proba=p)
        expected.append(one.predict_proba(X)[:, 1])
    np.testing.assert_array_equal(student.predict_proba(X), np.transpose(expected))
    np.testing.assert_array_equal(student.predict(X), np.transpose(expected) > 0.5)
    assert student.score(X, Y) == np.mean((student.predict(X) == Y).all(axis=1))


def _has_missing(y):
    return not sparse.issparse(y) and bool(pd.isna(np.asarray(y)).any())


ESTIMATORS = {
    "logistic": DistilledLogisticRegression(),
    "tree": SoftTargetClassifier(DecisionTreeRegressor(max_depth=2, random_state=0)),
    "boosting": DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=3)),
    "pipeline": make_pipeline(StandardScaler(), DistilledLogisticRegression()),
    "network": network(max_epochs=20, hidden_layer_sizes=(4,)),
}


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS.keys())
def test_every_student_fits_each_label(estimator, routing):
    with config_context(enable_metadata_routing=routing), parallel_config("threading"):
        student = MultiLabelStudent(
            estimator, n_jobs=2 if estimator is ESTIMATORS["tree"] else None
        )
        student.fit(X, SOME_Y, teacher_logits=np.where(np.isnan(SOME_PROBA), np.nan, LOGITS))
        p = student.predict_proba(X)
        search = GridSearchCV(MultiLabelStudent(estimator), {"n_jobs": [None]}, cv=2)
        search.fit(X, Y, teacher_proba=PROBA)
    assert p.shape == Y.shape
    assert np.mean((p > 0.5) == Y) > 0.6
    assert np.isfinite(search.best_score_)


def test_several_teachers_and_validation_rows():
    several = np.stack([PROBA, np.where(np.arange(80)[:, None] < 40, np.nan, 0.5 * PROBA)], axis=1)
    student = MultiLabelStudent(DistilledLogisticRegression()).fit(X, Y, teacher_proba=several)
    neural = network(hidden_layer_sizes=(), max_epochs=1).fit(X, Y, teacher_proba=several)
    for label in range(3):
        two = np.stack([1 - several[..., label], several[..., label]], axis=-1)
        one = DistilledLogisticRegression().fit(X, Y[:, label], teacher_proba=two)
        np.testing.assert_array_equal(student.estimators_[label].coef_, one.coef_)
    assert neural.n_taught_rows_ == 80
    boosting = DistilledBoostingClassifier(
        HistGradientBoostingClassifier(max_iter=50, early_stopping=True, n_iter_no_change=2)
    )
    held_out = {"X_val": X[60:], "y_val": np.where(np.arange(3) == 1, SOME_Y[60:], Y[60:])}
    stopped = MultiLabelStudent(boosting).fit(X[:60], Y[:60], teacher_proba=PROBA[:60], **held_out)
    assert all(one.estimator_.n_iter_ <= 50 for one in stopped.estimators_)


# networks


def test_a_linear_network_is_a_network_of_two_classes_for_each_label():
    module = nn.Linear(6, 3)
    options = ONE_STEP | {"max_epochs": 4, "temperature": 2.0, "regularizer": "grabovoy"}
    student = network(module=module, **options).fit(X, Y, WEIGHT, teacher_logits=LOGITS)
    for label in range(3):
        own = nn.Linear(6, 1)
        with torch.no_grad():
            own.weight[:], own.bias[:] = module.weight[[label]], module.bias[[label]]
        one = network(module=own, **options)
        one.fit(X, Y[:, label], WEIGHT, teacher_logits=LOGITS[:, label])
        found = student.net_.module_.weight.detach()[label]
        np.testing.assert_allclose(found, one.net_.module_.weight.detach()[0], atol=1e-9)


def test_predictions_of_a_network():
    student = network().fit(X, SOME_Y, teacher_proba=SOME_PROBA)
    p = student.predict_proba(X)
    assert p.shape == Y.shape
    np.testing.assert_array_equal(student.predict(X), p > 0.5)
    np.testing.assert_allclose(np.exp(student.predict_log_proba(X)), p)
    assert [one.tolist() for one in student.classes_] == [[0, 1]] * 3
    assert student.n_taught_rows_ == (~np.isnan(SOME_PROBA)).any(axis=1).sum()
    module = student.to_torch()
    np.testing.assert_allclose(module(torch.as_tensor(X)).detach(), p, atol=1e-6)
    copy = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(copy.predict_proba(X), p)
    assert student.score(X, Y) == np.mean(((p > 0.5) == Y).all(axis=1))


CHANGED = {
    "weights": {"sample_weight": np.where(np.arange(80) < 40, 0, WEIGHT)},
    "early stopping": {"early_stopping": True, "scoring": "f1_macro"},
    "validation rows": {
        "X_val": X[:30],
        "y_val": SOME_Y[:30],
        "early_stopping": True,
        "n_iter_no_change": 1,
        "lr": 1.0,
    },
    "class weights": {"class_weight": "balanced"},
    "smoothing": {"label_smoothing": 0.2},
    "own loss": {"distillation_loss": lambda z, t, y, w: (z - t).square().mean(1)},
    "moving λ": {"imitation": lambda epoch: 1 / epoch},
    "embedding": {"embedding_weight": 1.0, "teacher_embedding": X[:, :2]},
    "mixup": {"augmentation": lambda x: (x, torch.arange(len(x)).flip(0), 0.7)},
    "warm start": {"warm_start": True},
}


@pytest.mark.parametrize("changes", CHANGED.values(), ids=CHANGED.keys())
def test_networks_of_several_labels_know_what_others_know(changes):
    names = ("sample_weight", "X_val", "y_val", "teacher_embedding")
    given = {name: value for name, value in changes.items() if name in names}
    options = {name: value for name, value in changes.items() if name not in names}
    student = network(**options)
    for _ in range(1 + student.warm_start):
        student.fit(X, Y, teacher_proba=PROBA, **given)
    other = network().fit(X, Y, teacher_proba=PROBA)
    assert not np.array_equal(student.predict_proba(X), other.predict_proba(X))


def test_unlabelled_rows_are_validated_by_the_teacher():
    unknown = np.full(Y.shape, np.nan)
    student = network(early_stopping=True).fit(X, unknown, teacher_proba=PROBA)
    assert student.history_["valid_loss"].notna().all()
    student.fit(X, np.arange(80) % 2, teacher_proba=PROBA[:, 0])
    assert student.classes_.tolist() == [0, 1], "an earlier fit with several labels is forgotten"


def test_a_distilled_network_is_closer_to_its_teacher():
    lengths = {}
    for imitation in (0.0, 1.0):
        student = network(imitation=imitation, max_epochs=40).fit(X, Y, teacher_proba=PROBA)
        lengths[imitation] = np.mean((student.predict_proba(X) - PROBA) ** 2)
    assert lengths[1.0] < lengths[0.0]


# scores


def test_scores_of_entries():
    student = MultiLabelStudent(DistilledLogisticRegression()).fit(X, Y, teacher_proba=PROBA)
    p = student.predict_proba(X)
    known = ~np.isnan(SOME_Y)
    one, z, q = SOME_Y[known], p[known], PROBA
    s, both = np.repeat(WEIGHT, 3)[known.ravel()], np.column_stack([1 - z, z])
    divergence = q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))
    expected = {
        "neg_log_loss": -log_loss(one, both, labels=[0, 1], sample_weight=s),
        "label_accuracy": np.average((z > 0.5) == one, weights=s),
        "neg_teacher_kl_divergence": -np.average(divergence.mean(axis=1), weights=WEIGHT),
    }
    for name, value in expected.items():
        given = {"teacher_proba": PROBA} if "teacher" in name else {}
        for model in (student, _Listing(student)):
            score = get_scorer(name)(model, X, SOME_Y, sample_weight=WEIGHT, **given)
            np.testing.assert_allclose(score, value)


class _Listing:
    """A model that returns its probabilities as scikit-learn's forests do."""

    def __init__(self, model):
        self.model, self.classes_ = model, model.classes_

    def predict_proba(self, X):
        return [np.column_stack([1 - p, p]) for p in self.model.predict_proba(X).T]


@pytest.mark.parametrize("kind", ["network", "meta"])
def test_scorers_of_scikit_learn(kind):
    y, proba = Y[:, :2], PROBA[:, :2]  # of two labels, which look like two classes
    student = network() if kind == "network" else MultiLabelStudent(DistilledLogisticRegression())
    student.fit(X, y, teacher_proba=proba)
    p = student.predict_proba(X)
    expected = {
        "accuracy": accuracy_score(y, p > 0.5),
        "f1_macro": f1_score(y, p > 0.5, average="macro"),
        "f1_micro": f1_score(y, p > 0.5, average="micro"),
        "roc_auc": roc_auc_score(y, p),
    }
    floats = np.vstack([y, [np.nan, 1.0]])
    for name, value in expected.items():
        assert sklearn_scorer(name)(student, X, y) == value
        assert get_scorer(name)(student, np.vstack([X, X[:1]]), floats) == value
    scores = cross_validate(
        student, X, y, params={"teacher_proba": proba}, cv=2, scoring=get_scorer("neg_log_loss")
    )
    assert np.isfinite(scores["test_score"]).all()
    with pytest.raises(ValueError, match=r"there are 3 labels to score by, .* predicts 2"):
        get_scorer("neg_log_loss")(student, X, Y)


# errors

BAD = {
    "soft": ({"y": PROBA}, r"y has shape \(80, 3\) and the values .* Soft labels are passed as"),
    "classes": ({"y": 2 * Y}, "columns of 0, 1 and NaN if a row may have several"),
    "short y": ({"y": Y[1:]}, "y has 79 rows, X has 80"),
    "columns": ({"teacher_proba": PROBA[:, :2]}, r"shape \(80, 2\), and y \(80, 3\)"),
    "rows": ({"teacher_proba": PROBA[1:]}, r"shape \(79, 3\), and y \(80, 3\)"),
    "no probability": ({"teacher_proba": 2 * PROBA}, "label 0: .*probabilit"),
    "both": ({"teacher_logits": LOGITS}, "pass either teacher_proba or teacher_logits"),
    "names": (
        {"y": pd.DataFrame(Y, columns=list("abc")), "teacher_proba": pd.DataFrame(PROBA)},
        "name the same labels",
    ),
    "nothing": (
        {"y": np.full(Y.shape, np.nan), "teacher_proba": np.where(X[:, :3] > 0.4, np.nan, PROBA)},
        "has neither a label in y nor a teacher's prediction",
    ),
    "y_val": ({"X_val": X, "y_val": Y[:, :2]}, "y_val has 2 labels, and y 3"),
}


@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("kind", ["network", "meta"])
def test_wrong_labels_and_predictions(kind, given, message):
    estimator = DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=2))
    student = network() if kind == "network" else MultiLabelStudent(estimator)
    with pytest.raises(ValueError, match=message):
        student.fit(**{"X": X, "y": Y, "teacher_proba": PROBA} | given)


def test_further_errors_and_warnings():
    with pytest.raises(ValueError, match="estimator LogisticRegression takes no teacher_proba"):
        MultiLabelStudent(LogisticRegression()).fit(X, Y, teacher_proba=PROBA)
    plain = MultiLabelStudent(LogisticRegression()).fit(X[LABELLED], SOME_Y[LABELLED])
    assert plain.predict(X).shape == Y.shape
    assert not hasattr(MultiLabelStudent(RidgeClassifier()), "predict_proba")
    for options in ({"classes": [0, 1]}, {"metaparameter_optimizer": GreedyHypergradient()}):
        with pytest.raises(ValueError, match="with y of several labels, for which it has no mean"):
            network(**options).fit(X, Y, teacher_proba=PROBA)
    with pytest.raises(ValueError, match="it must return one logit for each label"):
        network(module=nn.Linear(6, 1)).fit(X, Y[:, :2], teacher_proba=PROBA[:, :2])
    one_hot = np.eye(3)[np.arange(80) % 3]
    with pytest.warns(UserWarning, match="if these are one-hot encoded classes, pass y.argmax"):
        network(max_epochs=1, imitation=0).fit(X, one_hot)
    module = nn.Sequential(nn.Linear(6, 3), nn.Sigmoid())
    with pytest.warns(UserWarning, match="returns probabilities of the labels"):
        network(module=module, max_epochs=1).fit(X, Y, teacher_proba=PROBA)
    with pytest.warns(ImplausibleTeacherWarning) as caught:
        network(max_epochs=1).fit(X, Y, teacher_proba=1 - PROBA)
    assert str(caught[0].message).startswith("label 0: ")


TRUST = np.random.default_rng(1).uniform(0, 1.5, len(X))
BOTH_KINDS = pytest.mark.parametrize(
    "student",
    [MultiLabelStudent(DistilledLogisticRegression()), network()],
    ids=["each", "network"],
)


@BOTH_KINDS
def test_trust_of_one_is_none_and_of_none_is_a_missing_prediction(student):
    fit_args = {"sample_weight": WEIGHT}
    plain = student.fit(X, Y, **fit_args, teacher_proba=PROBA).predict_proba(X)
    trusted = student.fit(X, Y, **fit_args, teacher_proba=PROBA, teacher_weight=np.ones(len(X)))
    np.testing.assert_allclose(trusted.predict_proba(X), plain, atol=1e-12)
    mask = TRUST > 0.7
    missing = np.where(mask[:, None], PROBA, np.nan)
    expected = student.fit(X, Y, **fit_args, teacher_proba=missing).predict_proba(X)
    student.fit(X, Y, **fit_args, teacher_proba=PROBA, teacher_weight=mask.astype(float))
    np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-12)


def test_trust_is_that_of_the_student_of_each_label():
    student = MultiLabelStudent(DistilledLogisticRegression())
    student.fit(X, SOME_Y, WEIGHT, teacher_proba=SOME_PROBA, teacher_weight=TRUST)
    for label, found in enumerate(student.estimators_):
        rows = ~(np.isnan(SOME_Y[:, label]) & np.isnan(SOME_PROBA[:, label]))
        alone = DistilledLogisticRegression(classes=[0, 1]).fit(
            X[rows],
            SOME_Y[rows, label],
            WEIGHT[rows],
            teacher_proba=SOME_PROBA[rows, label],
            teacher_weight=TRUST[rows],
        )
        np.testing.assert_allclose(found.coef_, alone.coef_, atol=1e-12)


def test_a_step_of_a_network_has_the_trust_of_each_row():
    """λ of a row is min(1, λw): one fit with two values is a step for each, of its rows."""
    trust = np.where(np.arange(len(X)) % 2, 0.5, 1.6)
    student = network(**ONE_STEP, hidden_layer_sizes=())
    student.fit(X, Y, teacher_proba=PROBA, teacher_weight=trust)
    start = network(**ONE_STEP | {"lr": 1e-300}, hidden_layer_sizes=())
    W, b = start.fit(X, Y, teacher_proba=PROBA).to_torch(probabilities=False).parameters()
    z = torch.as_tensor(X) @ W.detach().T + b.detach()
    share = torch.as_tensor(np.minimum(1, 0.5 * trust))[:, None]
    target = (1 - share) * torch.as_tensor(Y) + share * torch.as_tensor(PROBA)
    gradient = (torch.sigmoid(z) - target).T @ torch.as_tensor(X) / len(X)
    step = next(iter(student.to_torch(probabilities=False).parameters())).detach() - W.detach()
    np.testing.assert_allclose(step, -0.1 * gradient, atol=1e-12)


@BOTH_KINDS
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"teacher_weight": TRUST}, "teacher_weight is given without teacher_proba"),
        ({"teacher_proba": PROBA, "teacher_weight": -TRUST}, "teacher_weight"),
        ({"teacher_proba": PROBA, "teacher_weight": TRUST[1:]}, "teacher_weight has shape"),
    ],
)
def test_wrong_trust(student, given, message):
    with pytest.raises(ValueError, match=message):
        student.fit(X, Y, **given)
