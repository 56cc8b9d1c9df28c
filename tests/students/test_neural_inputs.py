"""Structured inputs of the neural students: token ids, several inputs, ragged and sparse rows."""

from collections import UserDict

import numpy as np
import pandas as pd
import pytest
import torch
from accelerate import Accelerator
from scipy import sparse
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback, EpochScoring
from skorch.helper import SliceDataset, SliceDict
from torch import nn
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from sklearn_distill import (
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    GreedyHypergradient,
)
from sklearn_distill.nets import _inputs, hidden_representation

RNG = np.random.default_rng(0)
N = 60
A = RNG.normal(size=(N, 3)).astype(np.float32)
B = RNG.normal(size=(N, 2)).astype(np.float32)
NUMBERS = A[:, 0] + B[:, 1]
Y = (NUMBERS > 0).astype(int)
LOGITS = 2 * NUMBERS + RNG.normal(size=N)
BOTH = {"a": A, "b": B}
DICTS = [{"a": a, "b": b} for a, b in zip(A, B, strict=True)]
WEIGHT = RNG.random(N)
ROWS = [[int(word) for word in RNG.integers(1, 30, size=RNG.integers(2, 7))] for _ in range(N)]
KINDS = pytest.mark.parametrize("kind", ["classifier", "regressor"])


class Two(nn.Module):
    """Reads two tables."""

    def __init__(self, n_outputs=1):
        super().__init__()
        self.body, self.head = nn.Linear(5, 4), nn.Linear(4, n_outputs)

    def forward(self, a, b):
        return self.head(self.body(torch.cat([a, b], 1)).relu())


class Joined(Two):
    """The same network on one table."""

    def forward(self, x):
        return super().forward(x[:, :3], x[:, 3:])


class Bag(nn.Module):
    """Mean of the vectors of words; 0 is padding."""

    def __init__(self, n_outputs=1, n_words=30):
        super().__init__()
        self.embedding = nn.EmbeddingBag(n_words, 4, padding_idx=0, mode="mean")
        self.head = nn.Linear(4, n_outputs)

    def forward(self, input_ids, attention_mask=None):
        return self.head(self.embedding(input_ids))


class Student(nn.Module):
    """As DistilBERT: embeddings of words and positions, a transformer, the first word's scores."""

    def __init__(self, n_words, n_outputs=2, width=16):
        super().__init__()
        self.words, self.positions = nn.Embedding(n_words, width), nn.Embedding(32, width)
        layer = nn.TransformerEncoderLayer(width, 2, 32, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(width, n_outputs)

    def forward(self, input_ids, attention_mask):
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        h = self.words(input_ids) + self.positions(positions)
        h = self.layers(h, src_key_padding_mask=attention_mask == 0)
        return self.head(h[:, 0])


class Seen(nn.Module):
    """Keeps the numbers that it was given."""

    numbers: set

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        Seen.numbers |= set(x.long().unique().tolist())
        return self.linear(x[:, :1].float() * 0)


class Items(Dataset):
    def __init__(self, *columns):
        self.columns = columns

    def __len__(self):
        return len(self.columns[0])

    def __getitem__(self, row):
        return tuple(column[row] for column in self.columns)


class Stream(IterableDataset):
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def new(kind="classifier", module=Two, **options):
    fixed = {"lr": 0.05, "batch_size": 16, "max_epochs": 3, "random_state": 0}
    students = {"classifier": DistilledNeuralClassifier, "regressor": DistilledNeuralRegressor}
    return students[kind](module, **fixed | {"module__n_outputs": 1} | options)


def teacher(kind):
    return {"teacher_logits": LOGITS} if kind == "classifier" else {"teacher_prediction": LOGITS}


def y_of(kind):
    return Y if kind == "classifier" else NUMBERS


def padded(rows):
    ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for row, words in zip(ids, rows, strict=True):
        row[: len(words)] = words
    return ids


def pad(samples):
    return torch.as_tensor(padded(samples))


def pad_dicts(samples):  # as the data collators of transformers
    ids = padded([sample["input_ids"] for sample in samples])
    return UserDict(input_ids=torch.as_tensor(ids), attention_mask=torch.as_tensor(ids > 0).long())


def weights(student):
    return torch.cat([w.detach().ravel() for w in student.net_.module_.parameters()]).numpy()


def assert_equal_students(one, other, **tolerance):
    np.testing.assert_allclose(weights(one), weights(other), **{"rtol": 0, "atol": 0} | tolerance)


# integers


@pytest.mark.parametrize("as_items", [False, True])
def test_integers_reach_the_network_exactly(as_items):
    Seen.numbers = set()
    ids = np.array([[2**24], [2**24 + 1]] * 20)
    y, proba = np.array([0, 1] * 20), np.full((40, 2), 0.5)
    student = DistilledNeuralClassifier(Seen, classes=[0, 1], max_epochs=1, random_state=0)
    if as_items:
        student.fit(Items(ids, y, proba))
    else:
        student.fit(ids, y, teacher_proba=proba)
    assert Seen.numbers == {2**24, 2**24 + 1}
    for X in (ids + 1, (ids + 1).tolist(), pd.DataFrame(ids + 1), (ids + 1).astype(float)):
        Seen.numbers = set()
        student.predict(X)
        assert Seen.numbers == {2**24 + 1, 2**24 + 2}
    Seen.numbers = set()
    student.partial_fit(ids + 2, y, teacher_proba=proba)
    student.fit(ids, y, teacher_proba=proba, X_val=ids + 5, y_val=y)
    assert {2**24 + 3, 2**24 + 6} <= Seen.numbers
    assert student.n_features_in_ == 1
    with pytest.raises(ValueError, match="X has fractions, but the network was fitted on integers"):
        student.predict(ids + 0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64, bool])
def test_a_network_of_floats_reads_a_table_of_integers_as_floats(dtype):
    X = (10 * np.abs(np.hstack([A, B]))).astype(dtype)
    options = {"teacher_logits": LOGITS, "X_val": X[:9], "y_val": Y[:9]}
    one = new(module=Joined).fit(X, Y, **options)
    floats = X.astype(np.float32)
    other = new(module=Joined).fit(floats, Y, **options | {"X_val": floats[:9]})
    assert_equal_students(one, other)
    np.testing.assert_array_equal(one.predict_proba(X), one.predict_proba(floats))
    one.partial_fit(X, Y, teacher_logits=LOGITS)
    other.partial_fit(floats, Y, teacher_logits=LOGITS)
    assert_equal_students(one, other)


def test_an_embedding_reads_token_ids():
    ids = padded(ROWS)
    student = new(module=Bag, scoring="accuracy").fit(
        ids, Y, teacher_logits=LOGITS, X_val=ids, y_val=Y
    )
    assert student.net_.module_.embedding.weight.dtype == torch.float32
    last = student.history_["valid_score"].iloc[-1]
    assert last == student.score(ids, Y), "the net itself reads token ids, too"
    np.testing.assert_array_equal(student.net_.predict(ids), student.predict(ids))
    with pytest.raises(ValueError, match=r"X has integers above 2\*\*63"):
        student.predict(ids.astype(np.uint64) + 2**63)


def test_hidden_representations_of_structured_inputs():
    ids = padded(ROWS)
    student = new(module=Bag).fit(ids, Y, teacher_logits=LOGITS)
    h = hidden_representation(student, ids)
    np.testing.assert_array_equal(
        h, hidden_representation(student.to_torch(), ids, "network.embedding")
    )
    named = hidden_representation(student, {"input_ids": ids})
    np.testing.assert_array_equal(h, named)


# several inputs by name


@KINDS
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"warm_start": True}])
def test_inputs_by_name_are_columns_of_one_table(kind, options):
    y, given = y_of(kind), teacher(kind) | {"sample_weight": WEIGHT * (WEIGHT > 0.2)}
    one = new(kind, **options).fit(BOTH, y, **given)
    other = new(kind, Joined, **options).fit(np.hstack([A, B]), y, **given)
    if options.get("warm_start"):
        one, other = one.fit(BOTH, y, **given), other.fit(np.hstack([A, B]), y, **given)
    one.partial_fit(BOTH, y, **given)
    other.partial_fit(np.hstack([A, B]), y, **given)
    assert_equal_students(one, other)
    assert not hasattr(one, "n_features_in_")
    np.testing.assert_array_equal(one.predict(BOTH), other.predict(np.hstack([A, B])))


NAMED = {
    "SliceDict": SliceDict(**BOTH),
    "BatchEncoding": UserDict(a=A.tolist(), b=B.tolist()),
    "tensors": {"a": torch.as_tensor(A), "b": torch.as_tensor(B)},
    "frames": {"a": pd.DataFrame(A), "b": pd.DataFrame(B)},
    "sparse": {"a": A, "b": sparse.csr_array(B)},
    "other order": {"b": B, "a": A},
}


@pytest.mark.parametrize("X", NAMED.values(), ids=NAMED.keys())
def test_kinds_of_named_inputs(X):
    expected = new().fit(BOTH, Y, teacher_logits=LOGITS)
    student = new().fit(X, Y, teacher_logits=LOGITS)
    assert_equal_students(student, expected)
    np.testing.assert_array_equal(student.predict_proba(BOTH), expected.predict_proba(X))


def test_named_inputs_beside_everything_else(tmp_path):
    """Validation rows, an embedding, callbacks' scores, a checkpoint, moving λ and T."""
    embedding = np.where(np.arange(N)[:, None] % 3 == 0, np.nan, A)
    given = {"teacher_logits": LOGITS, "teacher_embedding": embedding}
    held_out = {"X_val": BOTH, "y_val": Y}
    options = {
        "embedding_weight": 0.5,
        "scoring": "neg_log_loss",
        "early_stopping": True,
        "checkpoint": tmp_path / "file.pt",
        "augmentation": lambda x: {name: 2 * part for name, part in x.items()},
    }
    student = new(**options).fit(BOTH, Y, **given, **held_out)
    options["augmentation"] = lambda x: 2 * x
    X = np.hstack([A, B])
    other = new(module=Joined, **options).fit(X, Y, **given, X_val=X, y_val=Y)
    assert_equal_students(student, other)
    for optimizer in (GreedyHypergradient(), GreedyHypergradient(gradient="finite_difference")):
        one = new(metaparameter_optimizer=optimizer).fit(BOTH, Y, teacher_logits=LOGITS, **held_out)
        other = new(module=Joined, metaparameter_optimizer=optimizer).fit(
            X, Y, teacher_logits=LOGITS, X_val=X, y_val=Y
        )
        assert one.imitation_ == other.imitation_
        assert_equal_students(one, other)


class Stop(Callback):
    """Interrupt the second epoch, once."""

    is_over = False

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2 and not Stop.is_over:
            Stop.is_over = True
            raise InterruptedError


STRUCTURED = {
    "named": (Two, BOTH, {}),
    "ragged": (Bag, ROWS, {"collate_fn": pad}),
    "sparse": (Joined, sparse.csr_matrix(np.hstack([A, B])), {}),
    "features alone": (Joined, SliceDataset(Items(np.hstack([A, B]))), {}),
}


@pytest.mark.parametrize(("module", "X", "options"), STRUCTURED.values(), ids=STRUCTURED.keys())
def test_a_checkpoint_knows_structured_inputs(module, X, options, tmp_path):
    Stop.is_over = False
    options = options | {"checkpoint": tmp_path / "file.pt", "callbacks": [Stop()]}
    student = new(module=module, **options)
    with pytest.raises(InterruptedError):
        student.fit(X, Y, teacher_logits=LOGITS)
    assert (tmp_path / "file.pt").exists()
    with pytest.raises(ValueError, match=r"other data or parameters \(data\)"):
        student.fit(changed(X), Y, teacher_logits=LOGITS)
    student.fit(X, Y, teacher_logits=LOGITS)
    del options["checkpoint"]
    assert_equal_students(student, new(module=module, **options).fit(X, Y, teacher_logits=LOGITS))


def changed(X):
    if isinstance(X, dict):
        return {"a": X["a"], "b": X["b"] + 1}
    if isinstance(X, SliceDataset):
        return SliceDataset(Items(X.dataset.columns[0] + 1))
    return [[1, *row[1:]] for row in X] if isinstance(X, list) else 2 * X


@pytest.mark.parametrize("caching", [False, True])
def test_callbacks_score_structured_inputs(caching):
    for module, X, options in STRUCTURED.values():
        score = EpochScoring("accuracy", use_caching=caching, name="score", lower_is_better=False)
        on_train = EpochScoring("accuracy", use_caching=caching, on_train=True, name="trained")
        student = new(module=module, callbacks=[score, ("trained", on_train)], **options)
        student.fit(X, Y, teacher_logits=LOGITS, X_val=X, y_val=Y)
        assert student.history_["score"].iloc[-1] == student.score(X, Y)
        assert student.history_["trained"].notna().all()


@pytest.mark.parametrize("steps", [1, 2])
def test_an_accelerator_reads_structured_inputs(steps):
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=steps)
    for module, X, options in STRUCTURED.values():
        options = options | {"batch_size": 20}
        own = options | {"accelerator": accelerator, "batch_size": 20 // steps}
        student = new(module=module, **own).fit(X, Y, teacher_logits=LOGITS, X_val=X, y_val=Y)
        other = new(module=module, **options).fit(X, Y, teacher_logits=LOGITS)
        assert_equal_students(student, other, atol=1e-6)


# sequences of different lengths


def objects(rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


RAGGED = {
    "lists": (ROWS, pad),
    "objects": (objects(ROWS), pad),
    "Series": (pd.Series(ROWS), pad),
    "tensors": ([torch.tensor(row) for row in ROWS], pad),
    "Dataset": (SliceDataset(Items(ROWS)), pad),
    "named": ({"input_ids": ROWS}, pad_dicts),
    "texts": ([" ".join(map(str, row)) for row in ROWS], None),
}


def tokenize(texts):
    return pad([[int(word) for word in text.split()] for text in texts])


@KINDS
@pytest.mark.parametrize(("X", "collate"), RAGGED.values(), ids=RAGGED.keys())
def test_a_collate_fn_makes_mini_batches(X, collate, kind):
    student = new(kind, Bag, collate_fn=collate or tokenize)
    student.fit(X, y_of(kind), X_val=X, y_val=y_of(kind), **teacher(kind))
    ids = padded(ROWS)
    expected = new(kind, Bag).fit(ids, y_of(kind), X_val=ids, y_val=y_of(kind), **teacher(kind))
    assert_equal_students(student, expected, atol=1e-6)  # the padding differs by mini-batch
    np.testing.assert_allclose(student.predict(X), expected.predict(ids), atol=1e-6)
    assert not hasattr(student, "n_features_in_")


def test_items_of_a_dataset_with_a_collate_fn():
    dataset = Items(ROWS, Y, [[p, 1 - p] for p in 1 / (1 + np.exp(LOGITS))])
    student = new(module=Bag, classes=[0, 1], collate_fn=pad).fit(dataset)
    np.testing.assert_array_equal(student.predict(dataset), student.predict(ROWS))
    whole = new(module=Bag, classes=[0, 1], iterator_train__collate_fn=collate_items)
    whole.fit(dataset)
    assert_equal_students(student, whole)
    np.testing.assert_array_equal(student.predict(dataset), whole.predict(dataset))


def collate_items(items):
    x, y, proba = zip(*items, strict=True)
    return pad(x), torch.tensor(y), np.array(proba)


# sparse rows


@KINDS
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_sparse_rows_become_dense_by_mini_batch(kind, form, monkeypatch):
    X = np.hstack([A, B]) * (RNG.random((N, 5)) > 0.5)
    sizes = []

    def take(rows, numbers, wrapped=_inputs.CsrRows.take):
        sizes.append(len(numbers))
        return wrapped(rows, numbers)

    monkeypatch.setattr(_inputs.CsrRows, "take", take)
    for name in ("VALIDATION_BATCH", "N_CHECKED"):
        monkeypatch.setattr(f"sklearn_distill.students._neural_training.{name}", 8)
    given = teacher(kind) | {"sample_weight": WEIGHT * (WEIGHT > 0.2)}
    for module in (None, Joined):
        options = {"module": module, "early_stopping": True}
        options |= {} if module else {"module__n_outputs": 1}
        student, other = (new(kind, **options) for _ in range(2))
        if module is None:
            for one in (student, other):
                one.__dict__.pop("module__n_outputs")
        student.fit(form(X), y_of(kind), **given)
        other.fit(X, y_of(kind), **given)
        assert_equal_students(student, other)
        np.testing.assert_array_equal(student.predict(form(X)), other.predict(X))
        np.testing.assert_array_equal(student.predict(X), other.predict(form(X)))
        assert student.n_features_in_ == 5
    assert max(sizes) <= 16


# Datasets


def predictions(student, X):
    return student.predict_proba(X) if hasattr(student, "predict_proba") else student.predict(X)


@KINDS
def test_datasets_of_features_are_read_as_arrays(kind):
    X, y = np.hstack([A, B]), y_of(kind)
    dataset = TensorDataset(torch.as_tensor(X), torch.as_tensor(y))
    features = SliceDataset(dataset)
    given = teacher(kind) | {"sample_weight": WEIGHT}
    options = {"module": Joined, "early_stopping": True}
    student = new(kind, **options).fit(features, y, **given)
    other = new(kind, **options).fit(X, y, **given)
    student.partial_fit(features, y, **given)
    other.partial_fit(X, y, **given)
    assert_equal_students(student, other)
    expected = predictions(other, X)
    for data in (features, dataset, Items(X), Items(X, y, y, y), Stream(list(X)), Stream(dataset)):
        np.testing.assert_array_equal(predictions(student, data), expected)
    assert student.score(features, y) == other.score(X, y)


@KINDS
def test_items_with_inputs_by_name(kind):
    y, proba = y_of(kind), 1 / (1 + np.exp(-LOGITS))
    told = np.column_stack([1 - proba, proba]) if kind == "classifier" else LOGITS
    options = {"classes": [0, 1]} if kind == "classifier" else {}
    student = new(kind, **options).fit(Items(DICTS, y, told), X_val=BOTH, y_val=y)
    other = new(kind, Joined, **options).fit(Items(np.hstack([A, B]), y, told))
    assert_equal_students(student, other)
    expected = predictions(student, BOTH)
    np.testing.assert_array_equal(predictions(student, Items(DICTS, y, told)), expected)
    with pytest.raises(ValueError, match=r"lacks the inputs \['b'\], on which"):
        student.predict(SliceDataset(Items([{"a": a} for a in A])))


@KINDS
def test_searches_slice_datasets_and_named_inputs(kind):
    y, params = y_of(kind), teacher(kind)
    X = np.hstack([A, B])
    structured = {
        "array": (Joined, X),
        "SliceDict": (Two, SliceDict(**BOTH)),
        "SliceDataset": (Joined, SliceDataset(Items(X, y))),
        "SliceDataset of dicts": (
            Two,
            SliceDataset(Items([{"a": a, "b": b} for a, b in zip(A, B, strict=True)])),
        ),
        "sparse": (Joined, sparse.csr_matrix(X)),
    }
    found = {}
    for name, (module, data) in structured.items():
        student = new(kind, module, max_epochs=1)
        search = GridSearchCV(student, {"imitation": [0.2, 0.9]}, cv=2, error_score="raise")
        search.fit(data, y, **params)
        scores = cross_validate(student, data, y, cv=2, params=params, error_score="raise")
        made = cross_val_predict(student, data, y, cv=2, params=params)
        found[name] = [*search.cv_results_["mean_test_score"], *scores["test_score"], *made]
    for name, values in found.items():
        np.testing.assert_array_equal(values, found["array"], err_msg=name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a single core
def test_workers_read_features():
    X = np.hstack([A, B])
    features = SliceDataset(Items(X))
    expected = new(module=Joined).fit(X, Y, teacher_logits=LOGITS)
    student = new(module=Joined, iterator_train__num_workers=2)
    student.fit(features, Y, teacher_logits=LOGITS)
    assert_equal_students(student, expected)
    state = torch.get_rng_state()
    np.testing.assert_array_equal(student.predict(features), expected.predict(X))
    assert torch.equal(torch.get_rng_state(), state)


# texts


VOCABULARY = {"[pad]": 0, "[cls]": 1, **{f"w{i}": i + 2 for i in range(20)}}


def encode(texts, key=dict):
    rows = [[1, *(VOCABULARY[word] for word in text.split())] for text in texts]
    ids = padded(rows)
    return key(input_ids=ids, attention_mask=(ids > 0).astype(np.int64))


def texts_of_two_topics(n=80):
    rng = np.random.default_rng(1)
    y = rng.integers(2, size=n)
    lengths = rng.integers(3, 9, size=n)
    texts = [
        " ".join(f"w{w}" for w in rng.integers(10 * label, 10 * label + 10, size=length))
        for label, length in zip(y, lengths, strict=True)
    ]
    return texts, y, np.where(y == 1, 3.0, -3.0)


@pytest.mark.parametrize("key", [dict, UserDict, SliceDict])
def test_a_transformer_learns_from_strings_through_a_tokenizer(key):
    texts, y, logits = texts_of_two_topics()
    student = DistilledNeuralClassifier(
        Student, module__n_words=22, lr=0.01, batch_size=16, max_epochs=8, random_state=0
    )
    tokenizer = FunctionTransformer(encode, kw_args={"key": key})
    pipeline = make_pipeline(tokenizer, student)
    given = {"distilledneuralclassifier__teacher_logits": logits}
    pipeline.fit(texts[:60], y[:60], **{name: v[:60] for name, v in given.items()})
    assert pipeline.score(texts[60:], y[60:]) > 0.9
    proba = pipeline.predict_proba(texts[60:])
    one_by_one = np.vstack([pipeline.predict_proba([text]) for text in texts[60:]])
    np.testing.assert_allclose(one_by_one, proba, atol=1e-5)  # padded to other lengths
    pipeline.set_params(distilledneuralclassifier__max_epochs=1)
    grid = {"distilledneuralclassifier__imitation": [0.1, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise")
    search.fit(texts, y, **given)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# export


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.slow
def test_exported_networks_take_the_same_inputs(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    texts, y, logits = texts_of_two_topics(30)
    X, later = encode(texts), encode([text + " w0 w3 w1" for text in texts])
    student = DistilledNeuralClassifier(Student, module__n_words=22, random_state=0, max_epochs=1)
    student.fit(X, y, teacher_logits=logits)
    assert student.to_onnx(tmp_path / "student.onnx", X) < 1e-5
    with pytest.raises(ValueError, match="X=None: which values"):
        student.to_onnx(tmp_path / "student.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "student.onnx")
    module = student.to_torch()
    for data in (X, later):
        expected = student.predict_proba(data)
        (found,) = session.run(None, data)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        tensors = {name: torch.as_tensor(part) for name, part in data.items()}
        np.testing.assert_allclose(module(**tensors).detach(), expected, atol=1e-6)
    ids = padded(ROWS)
    bag = new(module=Bag).fit(ids, Y, teacher_logits=LOGITS)
    assert bag.to_onnx(tmp_path / "bag.onnx", ids) < 1e-5
    (found,) = onnxruntime.InferenceSession(tmp_path / "bag.onnx").run(None, {"X": ids})
    np.testing.assert_allclose(found, bag.predict_proba(ids), atol=1e-5)


# errors


class Output:
    def __init__(self, logits):
        self.logits = logits


class Logits(Two):
    def forward(self, a, b):
        return Output(super().forward(a, b))


WRONG = {
    "unequal lengths": ({"a": A, "b": B[1:]}, "inputs of different lengths {'a': 60, 'b': 59}"),
    "unknown name": (
        {**BOTH, "c": A},
        r"has the inputs \['c'\], which the forward of module Two",
    ),
    "missing name": (
        {"a": A},
        r"lacks the inputs \['b'\], which the forward of .* needs",
    ),
    "no names": ({}, r"X is a dict with the keys \[\]: they must be the names"),
    "number as key": ({1: A}, r"the keys \[1\]: they must be the names"),
    "no rows": ({"a": A[:0], "b": B[:0]}, r"Found array with 0 sample\(s\)"),
    "a number": ({"a": A, "b": 3}, r"X\['b'\] is a int: it must have one row for each sample"),
    "NaN": ({"a": A, "b": B * np.nan}, r"X\['b'\] has values that are NaN or infinite"),
    "text": ({"a": A, "b": ["x"] * N}, r"X\['b'\] holds values of <U1"),
    "ragged": ({"a": A, "b": ROWS}, r"X\['b'\] holds rows of different lengths: pad them"),
    "masked": ({"a": A, "b": np.ma.masked_less(B, 0)}, r"X\['b'\] is a masked array"),
    "short labels": ({"a": A[1:], "b": B[1:]}, "has 60"),
}


@pytest.mark.parametrize(("X", "message"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("given", [{"teacher_logits": LOGITS}, {}], ids=["taught", "alone"])
def test_wrong_named_inputs(X, message, given):
    options = {} if given else {"imitation": 0}
    with pytest.raises(ValueError, match=message):
        new(**options).fit(X, Y, **given)


def test_predictions_need_the_inputs_of_fit():
    student = new().fit(BOTH, Y, teacher_logits=LOGITS)
    for X, message in (
        ({"a": A}, r"X lacks the inputs \['b'\], on which DistilledNeuralClassifier was fitted"),
        ({**BOTH, "c": A}, r"X has the inputs \['c'\], on which .* was not fitted: leave them out"),
        ({"a": A[:, :2], "b": B}, r"X\['a'\] has rows of shape \(2,\), but .* \(3,\)"),
        (
            np.hstack([A, B]),
            r"X is an array, but .* on inputs by the names \['a', 'b'\]",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            student.predict(X)
        with pytest.raises(ValueError, match=message.replace("X", "X(_val)?", 1)):
            student.fit(BOTH, Y, teacher_logits=LOGITS, X_val=X, y_val=Y)
    with pytest.raises(ValueError, match=r"X is inputs by the names .* was fitted on an array"):
        new(module=Joined).fit(np.hstack([A, B]), Y, teacher_logits=LOGITS).predict(BOTH)
    with pytest.raises(ValueError, match="requires y to be passed"):
        new(imitation=0).fit(BOTH)
    with pytest.raises(TypeError, match="it must return a tensor of scores, its logits"):
        new(module=Logits).fit(BOTH, Y, teacher_logits=LOGITS)


def test_wrong_collate_functions_and_samples():
    for collate, message in (
        (lambda samples: pad(samples)[1:], r"returned a tensor of shape .* for .* samples"),
        (lambda samples: samples, "holds rows of different lengths"),
        (lambda samples: ["a"] * len(samples), "holds values of <U1"),
    ):
        with pytest.raises(ValueError, match=message):
            new(module=Bag, collate_fn=collate).fit(ROWS, Y, teacher_logits=LOGITS)
    with pytest.raises(ValueError, match=r"samples of the shapes .* pass collate_fn="):
        new(module=Bag).fit(SliceDataset(Items(ROWS)), Y, teacher_logits=LOGITS)
    with pytest.raises(ValueError, match="iterator_train__sampler needs a Dataset whose items are"):
        new(module=Joined, iterator_train__sampler=range(N)).fit(
            SliceDataset(Items(np.hstack([A, B]))), Y, teacher_logits=LOGITS
        )
    whole = Items(A, Y, LOGITS)
    with pytest.raises(ValueError, match="leave out y, or pass the features alone as skorch"):
        new(module=Joined).fit(whole, Y)
    with pytest.raises(ValueError, match=r"has the names \['a'\] in one sample, but \['b'\]"):
        new().fit(SliceDataset(Items([{"a": A[0]}, {"b": B[0]}])), [0, 1], teacher_logits=[1.0, 2])
