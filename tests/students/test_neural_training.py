"""Training: early stopping, schedules, clipping, interruption, data sets, export."""

import pickle
import shutil
import threading

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from skorch.callbacks import Checkpoint as SkorchCheckpoint
from skorch.callbacks import EarlyStopping as SkorchEarlyStopping

from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor
from sklearn_distill.nets._net import StudentNet

X, Y = load_digits(n_class=4, return_X_y=True)
X, Y = (X[:300] / 16).astype(np.float32), Y[:300]
TEACHER_PROBA = np.eye(4)[Y] * 0.8 + 0.05


def small(**options):
    return DistilledNeuralClassifier(
        **{
            "imitation": 0,
            "hidden_layer_sizes": (8,) if options.get("module") is None else (64,),
            "lr": 0.01,
            "max_epochs": 6,
            "random_state": 0,
        }
        | options
    )


def weights(student):
    return [w.detach().numpy().copy() for w in student.net_.module_.parameters()]


def assert_same_weights(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


class Interrupt(Callback):
    """Fail after an epoch, as Ctrl-C or a full disk would."""

    def __init__(self, after, error):
        self.after = after
        self.error = error

    def on_epoch_begin(self, net, *args, **kwargs):
        if len(net.history) > self.after:
            raise self.error


@pytest.mark.parametrize("outer", [True, False])
def test_early_stopping_restores_the_best_weights(outer):
    held_out = {"X_val": X[200:], "y_val": Y[200:]} if outer else {}
    rows = slice(0, 200) if outer else slice(None)
    student = small(early_stopping=True, n_iter_no_change=3, lr=0.3, max_epochs=60)
    student.fit(X[rows], Y[rows], **held_out)
    history = student.history_
    best = history["valid_loss"].min()
    assert len(history) < 60
    assert len(history) == history["valid_loss"].to_numpy().argmin() + 1 + 3
    if outer:
        proba = student.predict_proba(X[200:])
        np.testing.assert_allclose(-np.log(proba[np.arange(100), Y[200:]]).mean(), best, rtol=1e-5)


def test_held_out_rows_are_labelled_ones_and_not_trained_on():
    y = np.where(np.arange(300) % 2, Y, np.nan)
    student = small(early_stopping=True, validation_fraction=0.2, max_epochs=1, imitation=1.0)
    batches = []

    def record(features, generator):
        batches.append(features.numpy())
        return features

    student.set_params(augmentation=record).fit(X, y, teacher_proba=TEACHER_PROBA)
    assert len(np.concatenate(batches)) == 300 - 30


def test_without_early_stopping_the_validation_loss_is_only_recorded():
    plain = small().fit(X[:200], Y[:200])
    monitored = small().fit(X[:200], Y[:200], X_val=X[200:], y_val=Y[200:])
    assert_same_weights(plain, monitored)
    assert "valid_loss" in monitored.history_
    assert "valid_loss" not in plain.history_


def test_learning_rates():
    cosine = small(lr_schedule="cosine").fit(X, Y)
    expected = 0.01 * (1 + np.cos(np.pi * np.arange(6) / 6)) / 2
    np.testing.assert_allclose(cosine.history_["lr"], expected)
    halving = small(lr_schedule=lambda opt: torch.optim.lr_scheduler.StepLR(opt, 2, gamma=0.5))
    rates = halving.fit(X, Y).history_["lr"]
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025])


@pytest.mark.parametrize("outer", [True, False])
def test_a_plateau_is_of_the_validation_loss_or_else_of_the_training_loss(outer):
    def halve(optimizer):  # at every epoch that is not better by half
        return torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=0.5, patience=0, threshold=0.5
        )

    held_out = {"X_val": X, "y_val": Y} if outer else {}
    history = small(lr_schedule=halve).fit(X, Y, **held_out).history_
    np.testing.assert_allclose(history["lr"], 0.01 * 0.5 ** np.maximum(np.arange(6) - 1, 0))


def test_partial_fit_holds_no_rows_out():
    student = small(early_stopping=True).partial_fit(X, Y)
    assert_same_weights(student, small().partial_fit(X, Y))


DIVERGING = {"optimizer": "sgd", "optimizer__momentum": 0.9, "gradient_clip": None}


def test_a_diverged_training_is_an_error():
    student = small(lr=1e20, **DIVERGING)
    with pytest.raises(ValueError, match=r"diverged in epoch \d: .* Lower lr=1e\+20"):
        student.fit(X, Y)
    assert not hasattr(student, "_trained")
    regressor = DistilledNeuralRegressor(
        imitation=0, max_epochs=1, normalize_y=False, random_state=0
    )
    with pytest.raises(ValueError, match=r"training diverged .* the labels"):
        regressor.fit(X, Y * 1e30)


def test_weights_that_are_not_finite_after_the_last_step_are_an_error():
    """The loss of the only mini-batch is that before the step."""
    with pytest.raises(ValueError, match="weights are not finite"):
        small(lr=1.0, max_epochs=1, batch_size=300, callbacks=[NaNGradients()]).fit(X, Y)


class NaNGradients(Callback):
    """Make the gradients NaN in the epochs after the first ``after``."""

    def __init__(self, after=0):
        self.after = after

    def on_grad_computed(self, net, named_parameters, **kwargs):
        if len(net.history) > self.after:
            for _, weight in named_parameters:
                weight.grad *= float("nan")


class HugeWeights(Callback):
    """Make the weights so large that the scores, products of weights, are infinite."""

    def on_epoch_end(self, net, **kwargs):
        for weight in net.module_.parameters():
            torch.nn.init.constant_(weight, 1e30)


def test_scores_that_are_not_finite_are_an_error():
    student = small(max_epochs=1, callbacks=[HugeWeights()])
    with pytest.raises(ValueError, match=r"training diverged: after 1 epochs .* Lower lr=0.01"):
        student.fit(X, Y)
    assert not hasattr(student, "_trained")


def test_scores_of_validation_rows_must_be_finite_too():
    student = small(max_epochs=1, callbacks=[HugeWeights()])
    with pytest.raises(ValueError, match=r"training diverged: after 1 epochs"):
        student.fit(-np.ones_like(X), Y, X_val=X[:9], y_val=Y[:9])


def test_early_stopping_keeps_the_best_weights_of_a_diverged_training():
    student = small(early_stopping=True, callbacks=[NaNGradients(after=3)])
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 4: .* best epoch's weights"):
        student.fit(X[:200], Y[:200], X_val=X[200:], y_val=Y[200:])
    assert len(student.history_) == 4
    proba = student.predict_proba(X[200:])
    loss = -np.log(proba[np.arange(100), Y[200:]]).mean()
    np.testing.assert_allclose(loss, student.history_["valid_loss"].min(), rtol=1e-5)


def test_a_diverged_epoch_is_not_written_to_the_checkpoint(tmp_path):
    file = tmp_path / "training.pt"
    with pytest.raises(ValueError, match="diverged in epoch 4"):
        small(checkpoint=file, callbacks=[NaNGradients(after=3)]).fit(X, Y)
    resumed = small(checkpoint=file).fit(X, Y)
    assert_same_weights(resumed, small().fit(X, Y))


def test_a_last_batch_of_one_row_is_joined_for_batch_normalisation():
    module = torch.nn.Sequential(
        torch.nn.Linear(64, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 4)
    )
    sizes = []

    def count(features, generator):
        sizes.append(len(features))
        return features

    student = small(module=module, batch_size=50, max_epochs=1, augmentation=count)
    student.fit(X[:101], Y[:101])
    assert sizes == [50, 51]
    sizes.clear()
    small(batch_size=50, max_epochs=1, augmentation=count).fit(X[:101], Y[:101])
    assert sizes == [50, 50, 1]


def test_clipping_bounds_a_step():
    options = {
        "optimizer": "sgd",
        "lr": 1.0,
        "batch_size": 300,
        "max_epochs": 1,
        "warm_start": True,
    }
    student = small(gradient_clip=1e-3, **options).fit(X, Y)
    before = weights(student)
    moved = [b - a for a, b in zip(before, weights(student.fit(X, Y)), strict=True)]
    length = np.sqrt(sum(np.square(step).sum() for step in moved))
    np.testing.assert_allclose(length, 1e-3, rtol=1e-2)


def test_callbacks_on_mini_batches_change_nothing():
    class BatchCounter(Callback):
        def on_batch_end(self, net, batch=None, training=None, **kwargs):
            self.n_batches_ = getattr(self, "n_batches_", 0) + 1

    plain = small(imitation=0.5, batch_size=64).fit(X, Y, teacher_proba=TEACHER_PROBA)
    counted = small(imitation=0.5, batch_size=64, callbacks=[BatchCounter()]).fit(
        X, Y, teacher_proba=TEACHER_PROBA
    )
    assert_same_weights(plain, counted)
    losses = counted.history_["train_loss"]
    np.testing.assert_allclose(losses, plain.history_["train_loss"], rtol=1e-6)
    counter = next(cb for _, cb in counted.net_.callbacks_ if isinstance(cb, BatchCounter))
    assert counter.n_batches_ == 6 * 5


def test_callbacks_of_skorch():
    def accuracy(net, rows, y):
        return float((net.predict(rows) == y).mean())

    callbacks = [
        LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5),
        EpochScoring(accuracy, name="accuracy", lower_is_better=False, use_caching=False),
        SkorchEarlyStopping(patience=2, threshold=10.0, threshold_mode="abs"),
    ]
    student = small(callbacks=callbacks, max_epochs=9)
    student.fit(X[:200], Y[:200], X_val=X[200:], y_val=Y[200:])
    assert 1 < len(student.history_) < 9, "skorch's early stopping stops and is no interruption"
    assert student.history_["accuracy"].iloc[-1] > student.history_["accuracy"].iloc[0] - 0.1


def test_callbacks_may_predict_and_save(tmp_path):
    class Predict(Callback):
        def on_batch_end(self, net, **kwargs):
            self.predictions_ = net.predict(X[:3])

    save = SkorchCheckpoint(dirname=tmp_path, monitor=None)
    student = small(module__dropout=0.3, callbacks=[Predict()]).fit(X, Y)
    plain = small(module__dropout=0.3, callbacks=[save]).fit(X, Y)
    assert_same_weights(student, plain)
    predict = next(cb for _, cb in student.net_.callbacks_ if isinstance(cb, Predict))
    np.testing.assert_array_equal(predict.predictions_, student.net_.predict(X[:3]))
    labels = student.net_.predict(X.astype(np.float64))
    np.testing.assert_array_equal(labels, student.predict(X))
    saved = torch.load(tmp_path / "params.pt", weights_only=True)
    assert torch.equal(saved["head.bias"], plain.net_.module_.head.bias)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("no more")])
def test_an_interrupted_fit_leaves_the_estimator_unchanged(error):
    student = small(callbacks=[Interrupt(2, error)])
    with pytest.raises(type(error)):
        student.fit(X, Y)
    with pytest.raises(NotFittedError):
        student.predict(X)
    student.set_params(callbacks=None).fit(X, Y)
    before = weights(student)
    student.set_params(callbacks=[Interrupt(7, error)], warm_start=True)
    with pytest.raises(type(error)):
        student.fit(X, Y)
    for one, other in zip(before, weights(student), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"module__dropout": 0.3, "lr_schedule": "cosine", "batch_size": 64},
        {"early_stopping": True, "n_iter_no_change": 2, "optimizer": "sgd", "lr": 0.5},
        {"embedding_weight": 0.5, "optimizer__amsgrad": True},
    ],
    ids=str,
)
def test_a_resumed_training_equals_an_uninterrupted_one_bit_by_bit(tmp_path, options):
    fit_params = {"teacher_proba": TEACHER_PROBA}
    if "embedding_weight" in options:
        fit_params["teacher_embedding"] = X[:, 20:23]
    whole = small(imitation=0.5, **options).fit(X, Y, **fit_params)
    file = tmp_path / "training.pt"
    broken = small(
        imitation=0.5, checkpoint=file, callbacks=[Interrupt(3, KeyboardInterrupt())], **options
    )
    with pytest.raises(KeyboardInterrupt):
        broken.fit(X, Y, **fit_params)
    assert file.exists()
    resumed = small(imitation=0.5, checkpoint=file, **options).fit(X, Y, **fit_params)
    assert_same_weights(resumed, whole)
    losses = [s.history_["train_loss"].tolist() for s in (resumed, whole)]
    assert losses[0] == losses[1]
    assert list(tmp_path.iterdir()) == [], "a finished training leaves no file"


def test_a_checkpoint_of_other_data_or_an_invalid_one_is_an_error(tmp_path):
    file = tmp_path / "training.pt"
    with pytest.raises(KeyboardInterrupt):
        small(checkpoint=file, callbacks=[Interrupt(1, KeyboardInterrupt())]).fit(X, Y)
    before = file.read_bytes()
    for student, labels in (
        (small(checkpoint=file), Y[::-1]),
        (small(checkpoint=file, lr=0.02), Y),
    ):
        with pytest.raises(ValueError, match=r"checkpoint=.* with other data or parameters"):
            student.fit(X, labels)
    assert file.read_bytes() == before
    file.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"checkpoint=.* cannot be read"):
        small(checkpoint=file).fit(X, Y)


@pytest.mark.parametrize("compiled", [(True, False), (False, True)], ids=str)
def test_a_checkpoint_fits_a_compiled_network_too(tmp_path, compiled, monkeypatch):
    # only the wrapper, which needs no compiler
    monkeypatch.setattr(
        torch,
        "compile",
        lambda module, **_: torch._dynamo.OptimizedModule(module, torch._dynamo.disable()),
    )
    file = tmp_path / "training.pt"
    first, then = compiled
    broken = small(checkpoint=file, compile=first, callbacks=[Interrupt(3, KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        broken.fit(X, Y)
    resumed = small(checkpoint=file, compile=then).fit(X, Y)
    assert_same_weights(resumed, small().fit(X, Y))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"lr_schedule": "cosine"}, {"lr_schedule": "cosine", "max_epochs": 9}),
        (
            {"module": torch.nn.Linear(64, 4)},
            {"module": torch.nn.Sequential(torch.nn.Linear(64, 4))},
        ),
    ],
    ids=["a cosine that ends elsewhere", "other layers"],
)
def test_a_checkpoint_of_another_training_is_an_error(tmp_path, first, then):
    file = tmp_path / "training.pt"
    with pytest.raises(KeyboardInterrupt):
        small(checkpoint=file, callbacks=[Interrupt(1, KeyboardInterrupt())], **first).fit(X, Y)
    with pytest.raises(ValueError, match=r"checkpoint=.* with other data or parameters"):
        small(checkpoint=file, **then).fit(X, Y)


def test_a_resumed_training_may_have_more_epochs(tmp_path):
    file = tmp_path / "training.pt"
    with pytest.raises(KeyboardInterrupt):
        small(checkpoint=file, callbacks=[Interrupt(3, KeyboardInterrupt())]).fit(X, Y)
    longer = small(checkpoint=file, max_epochs=9).fit(X, Y)
    assert_same_weights(longer, small(max_epochs=9).fit(X, Y))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"optimizer": "sgd", "optimizer__momentum": 0.9}, {"optimizer": "adam"}),
        ({"precision": "float64"}, {"precision": "float32"}),
        ({"precision": "float32"}, {"precision": "float64"}),
    ],
    ids=str,
)
def test_a_warm_start_may_change_optimizer_and_precision(first, then):
    student = small(max_epochs=30, **first).fit(X, Y)
    loss = student.history_["train_loss"].iloc[-1]
    student.__dict__.pop("optimizer__momentum", None)
    student.set_params(warm_start=True, max_epochs=3, **then).fit(X, Y)
    assert student.history_["train_loss"].iloc[-1] < loss


def test_a_checkpoint_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("owned",))

    file = tmp_path / "training.pt"
    torch.save({"identity": Evil()}, file)
    with pytest.raises(ValueError, match="cannot be read"):
        small(checkpoint=file).fit(X, Y)


def test_a_full_disk_leaves_the_last_complete_checkpoint(tmp_path, monkeypatch):
    file, save, calls = tmp_path / "training.pt", torch.save, []

    def full_after_two(state, opened):
        calls.append(opened)
        if len(calls) > 2:
            opened.write(b"half of it")
            raise OSError(28, "No space left on device")
        save(state, opened)

    monkeypatch.setattr(torch, "save", full_after_two)
    with pytest.raises(OSError, match="No space left"):
        small(checkpoint=file).fit(X, Y)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["training.pt"]
    resumed = small(checkpoint=file).fit(X, Y)
    assert_same_weights(resumed, small().fit(X, Y))


def test_augmentation_keeps_teacher_rows_with_their_samples(monkeypatch):
    numbered = np.column_stack([np.arange(300), np.zeros(300)]).astype(np.float32)
    teacher_proba = np.column_stack([1 - np.arange(300) / 300, np.arange(300) / 300])
    features, tables, drawn = [], [], []
    get_loss = StudentNet.get_loss

    def keep(net, y_pred, table, X=None, training=False):
        tables.append(table[:, 1].numpy())
        return get_loss(net, y_pred, table, X, training)

    monkeypatch.setattr(StudentNet, "get_loss", keep)

    def jitter(rows, generator):
        features.append(rows[:, 0].numpy())
        drawn.append(torch.rand(1, generator=generator).item())
        return rows / 300

    student = small(augmentation=jitter, imitation=1.0, max_epochs=2)
    student.fit(numbered, (np.arange(300) > 150).astype(int), teacher_proba=teacher_proba)
    rows = np.concatenate(features)
    np.testing.assert_allclose(np.concatenate(tables), rows / 300, atol=1e-6)
    assert len(set(drawn)) == 6
    assert not np.array_equal(rows[:300], rows[300:]), "each pass has an order of its own"


def test_an_augmentation_of_one_argument_is_reproducible():
    def jitter(features):
        return features + 0.1 * torch.rand_like(features)

    with_jitter = small(augmentation=jitter).fit(X, Y)
    assert_same_weights(with_jitter, small(augmentation=jitter).fit(X, Y))
    assert not np.array_equal(weights(with_jitter)[0], weights(small().fit(X, Y))[0])
    same = small(augmentation=lambda features, generator: jitter(features)).fit(X, Y)
    assert_same_weights(with_jitter, same)


def test_an_accelerator_trains_the_same_network():
    accelerate = pytest.importorskip("accelerate", reason="accelerate is not installed")
    options = {"batch_size": 300, "early_stopping": True, "optimizer": "sgd", "lr": 0.3}
    accelerator = accelerate.Accelerator(cpu=True)
    plain = small(imitation=0.5, **options).fit(X, Y, teacher_proba=TEACHER_PROBA)
    shared = small(imitation=0.5, accelerator=accelerator, **options).fit(
        X, Y, teacher_proba=TEACHER_PROBA
    )
    np.testing.assert_allclose(shared.predict_proba(X), plain.predict_proba(X), atol=1e-5)
    again = pickle.loads(pickle.dumps(shared))
    np.testing.assert_array_equal(again.predict_proba(X), shared.predict_proba(X))
    assert len(shared.history_) == 6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's own, about the machine
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_network_is_trained_the_same():
    plain = small(imitation=0.5, max_epochs=2).fit(X, Y, teacher_proba=TEACHER_PROBA)
    compiled = small(imitation=0.5, max_epochs=2, compile=True).fit(
        X, Y, teacher_proba=TEACHER_PROBA
    )
    np.testing.assert_allclose(compiled.predict_proba(X), plain.predict_proba(X), atol=1e-4)


def test_progress_bar(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    small(verbose=1, max_epochs=2).fit(X, Y, X_val=X, y_val=Y)
    shown = capsys.readouterr().err
    assert "DistilledNeuralClassifier: 100%" in shown
    assert "valid_loss" in shown
    small().fit(X, Y)
    assert capsys.readouterr() == ("", "")
    student = small(verbose=1, max_epochs=2, warm_start=True).fit(X, Y)
    capsys.readouterr()
    student.fit(X, Y)
    assert "2/2" in capsys.readouterr().err
    student.partial_fit(X, Y)
    assert "1/1" in capsys.readouterr().err


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_two_threads_give_the_same_as_one(dropout):
    """Dropout uses one generator, which all threads of a process share."""
    sequential, parallel = (
        [small(random_state=seed, module__dropout=dropout) for seed in (0, 1)] for _ in range(2)
    )
    for student in sequential:
        student.fit(X, Y)
    threads = [threading.Thread(target=s.fit, args=(X, Y)) for s in parallel]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(sequential, parallel, strict=True):
        assert_same_weights(one, other)


@pytest.mark.parametrize("routing", [False, True])
def test_searches_slice_the_teacher(routing):
    """The student of a fold is the one fitted directly on the rows of the fold."""
    cv = KFold(3, shuffle=True, random_state=0)
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(small(), {"imitation": [0.2, 0.9]}, cv=cv, refit=False)
        search.fit(X, Y, teacher_proba=TEACHER_PROBA)
        argument = "teacher_proba" if routing else "distilledneuralclassifier__teacher_proba"
        scores = cross_validate(
            make_pipeline("passthrough", small(imitation=0.9)),
            X,
            Y,
            cv=cv,
            params={argument: TEACHER_PROBA},
        )["test_score"]
    for k, (train, test) in enumerate(cv.split(X)):
        by_hand = small(imitation=0.9).fit(X[train], Y[train], teacher_proba=TEACHER_PROBA[train])
        expected = by_hand.score(X[test], Y[test])
        assert search.cv_results_[f"split{k}_test_score"][1] == expected
        assert scores[k] == expected


def test_two_processes_give_the_same_as_one():
    grid, scores = {"imitation": [0.2, 0.9]}, []
    for n_jobs in (1, 2):
        search = GridSearchCV(small(max_epochs=2), grid, cv=2, n_jobs=n_jobs)
        scores.append(search.fit(X, Y, teacher_proba=TEACHER_PROBA).cv_results_["mean_test_score"])
    np.testing.assert_array_equal(*scores)


def test_export_to_torch():
    student = small(imitation=0.5, embedding_weight=0.5).fit(X, Y, teacher_embedding=X[:, :2])
    module = student.to_torch()
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.tensor(X)), student.predict_proba(X), atol=1e-6)
    assert {p.shape for p in module.parameters()} <= {w.shape for w in weights(student)}
    regressor = DistilledNeuralRegressor(imitation=0, max_epochs=2, random_state=0).fit(X, Y)
    with torch.no_grad():
        predictions = regressor.to_torch()(torch.tensor(X)).ravel()
    np.testing.assert_allclose(predictions, regressor.predict(X), atol=1e-6)


def test_weights_load_without_the_estimator(tmp_path):
    student = small().fit(X, Y)
    torch.save(student.to_torch().state_dict(), tmp_path / "weights.pt")
    module = small().fit(X, Y[::-1]).to_torch()
    module.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.tensor(X)), student.predict_proba(X), atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_export_to_onnx(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    student = small().fit(X, Y)
    assert student.to_onnx(tmp_path / "student.onnx") < 1e-6
    session = onnxruntime.InferenceSession(tmp_path / "student.onnx")
    for rows in (X, X[:1]):
        (proba,) = session.run(None, {"X": rows})
        np.testing.assert_allclose(proba, student.predict_proba(rows), atol=1e-6)


class PartialData(torch.utils.data.Dataset):
    """The data above, one row at a time, with missing labels and missing predictions."""

    def __init__(self, predictions, weight=None):
        self.predictions = predictions
        self.weight = weight

    def __len__(self):
        return len(X)

    def __getitem__(self, row):
        label = None if row % 3 == 0 else Y[row]
        prediction = None if row % 3 == 1 else self.predictions[row]
        item = (X[row], label, prediction)
        return item if self.weight is None else (*item, self.weight[row])


@pytest.mark.parametrize(
    "options", [{}, {"temperature": 2.0, "t_squared": True}, {"regularizer": "grabovoy"}], ids=str
)
def test_a_dataset_is_the_same_data(options):
    options |= {"batch_size": 300, "classes": [0, 1, 2, 3], "optimizer": "sgd", "lr": 0.3}
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=300)
    weight /= weight.mean()
    y = np.where(np.arange(300) % 3 == 0, np.nan, Y)
    teacher_proba = np.where(np.arange(300)[:, None] % 3 == 1, np.nan, TEACHER_PROBA)
    whole = small(imitation=0.5, **options).fit(
        X, y, weight, teacher_proba=teacher_proba, X_val=X, y_val=Y
    )
    streamed = small(imitation=0.5, **options).fit(
        PartialData(TEACHER_PROBA, weight), X_val=X, y_val=Y
    )
    np.testing.assert_allclose(streamed.predict_proba(X), whole.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(
        streamed.history_[["train_loss", "valid_loss"]],
        whole.history_[["train_loss", "valid_loss"]],
        rtol=1e-4,
    )


def test_a_warm_start_continues_with_a_dataset():
    options = {"batch_size": 300, "classes": [0, 1, 2, 3], "max_epochs": 2}
    warm = (
        small(warm_start=True, **options)
        .fit(PartialData(TEACHER_PROBA))
        .fit(PartialData(TEACHER_PROBA))
    )
    assert_same_weights(warm, small(**options | {"max_epochs": 4}).fit(PartialData(TEACHER_PROBA)))
    with pytest.raises(ValueError, match="warm_start=True with the classes"):
        warm.set_params(classes=[0, 1, 2, 3, 4]).fit(PartialData(TEACHER_PROBA))


def test_a_dataset_for_regression():
    options = {"batch_size": 300, "max_epochs": 3, "normalize_y": False, "random_state": 0}
    y = np.where(np.arange(300) % 3 == 0, np.nan, Y)
    predictions = np.where(np.arange(300) % 3 == 1, np.nan, Y + 0.5)
    whole = DistilledNeuralRegressor(**options).fit(X, y, teacher_prediction=predictions)
    streamed = DistilledNeuralRegressor(**options).fit(PartialData(Y + 0.5))
    np.testing.assert_allclose(streamed.predict(X), whole.predict(X), atol=1e-5)


def test_a_dataset_read_by_workers_and_in_its_own_order():
    class Endless(torch.utils.data.IterableDataset):
        def __iter__(self):
            yield from zip(X, Y, TEACHER_PROBA, strict=True)

    options = {"classes": [0, 1, 2, 3], "max_epochs": 8}
    student = small(imitation=0.5, **options).fit(Endless())
    assert student.score(X, Y) > 0.8
    workers = small(imitation=0.5, iterator_train__num_workers=1, **options).fit(
        PartialData(TEACHER_PROBA)
    )
    assert_same_weights(workers, small(imitation=0.5, **options).fit(PartialData(TEACHER_PROBA)))


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        ({}, {}, r"pass classes=\["),
        ({"classes": [0, 1, 2, 3]}, {"y": Y}, "leave out y"),
        ({"classes": [0, 1, 2, 3], "early_stopping": True}, {}, "needs X_val and y_val"),
        ({"classes": [0, 1, 2, 3], "embedding_weight": 1.0}, {}, "embedding_weight"),
    ],
)
def test_requirements_of_a_dataset(options, given, message):
    with pytest.raises(ValueError, match=message):
        small(**options).fit(PartialData(TEACHER_PROBA), **given)


def test_items_of_a_dataset_are_checked():
    pairs = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    with pytest.raises(ValueError, match="the Dataset yields items of 2 elements"):
        small(imitation=0.5, classes=[0, 1, 2, 3]).fit(pairs)


@pytest.mark.parametrize(
    "options", [{}, {"lr_schedule": "cosine"}, {"early_stopping": True}], ids=str
)
def test_no_epoch_keeps_the_initial_weights_and_warns(options):
    """As skorch does, which does not warn."""
    with pytest.warns(ConvergenceWarning, match="max_epochs=0: the network keeps its initial"):
        student = small(max_epochs=0, **options).fit(X, Y)
    assert_same_weights(student, pickle.loads(pickle.dumps(student)))
    assert student.history_.empty
    with pytest.warns(ConvergenceWarning):
        frozen = small(max_epochs=0, lr=100.0, **options).fit(X, Y)
    assert_same_weights(student, frozen)
    student.set_params(max_epochs=3, warm_start=True).fit(X, Y)
    assert student.set_params(max_epochs=0).fit(X, Y).history_.index.tolist() == [1, 2, 3]
