"""Callbacks and scorers see what skorch's nets show them: labels, predictions, probabilities."""

import numpy as np
import pytest
import torch
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer, r2_score, roc_auc_score
from skorch.callbacks import BatchScoring, Callback, EpochScoring
from skorch.callbacks import Checkpoint as SkorchCheckpoint
from skorch.callbacks import EarlyStopping as SkorchEarlyStopping
from torch import nn

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 5)).astype(np.float32)
Z = X @ RNG.normal(size=5) + RNG.normal(size=160)
TRAIN, VAL = slice(0, 80), slice(80, 160)
BINARY = np.where(Z > 0, 1, 0)
THREE = np.array(["a", "b", "c"])[np.digitize(Z, [-1, 1])]
OUTPUTS = np.column_stack([Z, -2 * Z])


def fit(y, n_scores, *callbacks, student=DistilledNeuralClassifier, **options):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, n_scores))
    defaults = {"imitation": 0, "lr": 0.05, "max_epochs": 1, "batch_size": 20, "random_state": 0}
    model = student(module, callbacks=list(callbacks), **defaults | options)
    return model.fit(X[TRAIN], y[TRAIN], X_val=X[VAL], y_val=y[VAL])


def truth(name, model, y):
    """Return the score that scikit-learn gives, None where it raises."""
    try:
        return get_scorer(name)(model, X[VAL], y[VAL])
    except (ValueError, TypeError, AttributeError):
        return None


@pytest.mark.filterwarnings("ignore")  # some scorers make no sense for these labels
@pytest.mark.parametrize("caching", [True, False])
@pytest.mark.parametrize(
    ("y", "n_scores", "student"),
    [
        (BINARY, 1, DistilledNeuralClassifier),
        (BINARY, 2, DistilledNeuralClassifier),
        (THREE, 3, DistilledNeuralClassifier),
        (Z, 1, DistilledNeuralRegressor),
        (OUTPUTS, 2, DistilledNeuralRegressor),
    ],
    ids=["one logit", "two logits", "three names", "a number", "two numbers"],
)
def test_each_scorer_gives_what_it_gives_for_the_student(y, n_scores, student, caching):
    plain = fit(y, n_scores, student=student)
    expected = {name: truth(name, plain, y) for name in get_scorer_names()}
    expected = {name: score for name, score in expected.items() if score is not None}
    assert len(expected) > (7 if student is DistilledNeuralRegressor else 20)
    callbacks = [(n, EpochScoring(n, name=n, use_caching=caching)) for n in expected]
    history = fit(y, n_scores, *callbacks, student=student).history_
    scores = {name: history[name].iloc[0] for name in expected}
    assert scores == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_the_net_is_a_classifier_or_a_regressor_of_scikit_learn():
    net = fit(THREE, 3).net_
    assert is_classifier(net)
    assert net.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1, atol=1e-6)
    assert set(net.predict(X)) <= {"a", "b", "c"}
    net = fit(Z, 1, student=DistilledNeuralRegressor).net_
    assert is_regressor(net)
    assert not hasattr(net, "classes_")
    assert net.predict(X).shape == Z.shape


def test_scores_of_training_rows_leave_out_those_without_a_label():
    y = THREE.astype(object)
    y[::2] = None
    teacher = np.eye(3)[np.digitize(Z, [-1, 1])] * 0.7 + 0.1
    seen = []

    def accuracy(net, rows, labels):
        seen.append(labels)
        return (net.predict(rows) == labels).mean()

    callbacks = [
        ("a", EpochScoring(accuracy, name="a", on_train=True)),
        ("b", EpochScoring(accuracy, name="b", on_train=True, use_caching=False)),
        ("c", BatchScoring("accuracy", name="c", on_train=True)),
    ]
    model = DistilledNeuralClassifier(max_epochs=1, callbacks=callbacks, random_state=0)
    history = model.fit(X, y, teacher_proba=teacher).history_
    assert [len(labels) for labels in seen] == [80, 80]
    assert {*seen[0]} == {"a", "b", "c"}
    np.testing.assert_allclose(history["b"].iloc[0], model.score(X[1::2], THREE[1::2]))
    with pytest.raises(ValueError, match="the callback a scores the training rows, but none"):
        model.set_params(classes=["a", "b", "c"]).fit(X, teacher_proba=teacher)


def test_labels_in_every_hook():
    class Reader(Callback):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            assert y.tolist() == THREE[TRAIN].tolist()
            self.shape, self.seen = X.shape, []

        def on_batch_begin(self, net, batch=None, training=None, **kwargs):
            self.seen.append(batch[1])

        def on_grad_computed(self, net, named_parameters, batch=None, **kwargs):
            assert batch[1].tolist() == self.seen[-1].tolist()

        def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
            assert dataset_valid.y.tolist() == THREE[VAL].tolist()

    reader = fit(THREE, 3, Reader()).net_.callbacks_[-1][1]
    assert reader.shape == (80, 5)
    assert sorted(np.concatenate(reader.seen[:4])) == sorted(THREE[TRAIN])


class Rows(torch.utils.data.Dataset):
    """The training rows, some labels missing."""

    def __len__(self):
        return 80

    def __getitem__(self, row):
        return X[row], None if row % 4 == 0 else THREE[row], np.full(3, 1 / 3)


def test_a_dataset_has_labels_too():
    scoring = [("a", EpochScoring("accuracy", name="a", on_train=True, lower_is_better=False))]
    model = DistilledNeuralClassifier(
        nn.Linear(5, 3), classes=["a", "b", "c"], max_epochs=1, callbacks=scoring, random_state=0
    )
    assert 0 < model.fit(Rows()).history_["a"].iloc[0] < 1


def test_the_best_epochs_are_marked_as_in_skorch(tmp_path):
    stop = SkorchEarlyStopping("auc", lower_is_better=False, load_best=True, patience=100)
    auc = EpochScoring("roc_auc", name="auc", lower_is_better=False)
    keep = SkorchCheckpoint(dirname=tmp_path, load_best=True)  # of valid_loss_best
    model = fit(BINARY, 2, keep, max_epochs=8, lr=0.5)
    history = model.history_
    assert history["valid_loss"].idxmin() < 8, "or the last epoch is the best anyway"
    np.testing.assert_allclose(
        -get_scorer("neg_log_loss")(model, X[VAL], BINARY[VAL]), history["valid_loss"].min(), 1e-5
    )
    for name in ("train_loss", "valid_loss"):
        expected = history[name] < history[name].cummin().shift(fill_value=np.inf)
        assert history[name + "_best"].tolist() == expected.tolist()
    model = fit(BINARY, 2, auc, stop, max_epochs=8, lr=0.5)
    best = roc_auc_score(BINARY[VAL], model.predict_proba(X[VAL])[:, 1])
    np.testing.assert_allclose(best, model.history_["auc"].max(), atol=1e-6)


def area(model, X, y):
    return roc_auc_score(y, model.predict_proba(X)[:, 1]) + 0 * X.sum()


SCORINGS = ["roc_auc", make_scorer(roc_auc_score, response_method="predict_proba"), area]


@pytest.mark.parametrize("scoring", SCORINGS)
def test_early_stopping_of_any_score(scoring):
    model = fit(BINARY, 2, scoring=scoring, early_stopping=True, max_epochs=30, lr=0.2)
    history = model.history_["valid_score"]
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    np.testing.assert_allclose(scorer(model, X[VAL], BINARY[VAL]), history.max(), rtol=1e-5)
    assert history.idxmax() < len(history), "or the last epoch is the best anyway"
    assert len(history) == min(30, history.idxmax() + 10)
    losses = fit(BINARY, 2, early_stopping=True, max_epochs=30, lr=0.2).history_["valid_loss"]
    assert losses.idxmin() != history.idxmax()


def test_a_score_is_only_recorded_without_early_stopping():
    scored = fit(OUTPUTS, 2, student=DistilledNeuralRegressor, scoring="r2")
    expected = r2_score(OUTPUTS[VAL], scored.predict(X[VAL]))
    np.testing.assert_allclose(scored.history_["valid_score"], [expected], rtol=1e-5)
    held_out = DistilledNeuralClassifier(
        imitation=0, scoring="accuracy", early_stopping=True, max_epochs=2, random_state=0
    ).fit(X, BINARY)
    assert held_out.history_["valid_score"].between(0, 1).all()


@pytest.mark.parametrize(
    ("scoring", "message"),
    [("accuracy", "scoring='accuracy' needs validation rows"), ("acuracy", "'scoring' parameter")],
)
def test_errors_of_scoring(scoring, message):
    model = DistilledNeuralClassifier(imitation=0, scoring=scoring, max_epochs=1)
    with pytest.raises(ValueError, match=message):
        model.fit(X, BINARY)
