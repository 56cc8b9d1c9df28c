"""A file from elsewhere is read as data: whatever is pickled in it does not run."""

import ast
import gzip
import io
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import sklearn_distill
from sklearn_distill import DistilledNeuralClassifier, DistilledNeuralRegressor, datasets, nets
from sklearn_distill.datasets import _files

SOURCES = sorted(Path(sklearn_distill.__file__).parent.rglob("*.py"))
FETCHERS = [name for name in datasets.__all__ if name.startswith("fetch_")]
NETWORKS = {
    "resnet50_imagenet_int8.npz": nets.ResNet50,
    "squeezenet1_1_imagenet_fp16.npz": nets.SqueezeNet,
    "vgg19_to_block4_conv2_q8.npz": nets.VGG19Features,
}
# names of arrays that the readers ask for
KEYS = [
    *("X", "y", "feature_names", "target_names", "fc1000/kernel/q", "fc1000/kernel/scale"),
    *(f"{split}_{part}" for split in ("train", "test") for part in ("jpeg", "offsets", "y")),
]


class Trap:
    """Make a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return Path.mkdir, (self.folder,)


@pytest.fixture
def trap(tmp_path):
    trap = Trap(tmp_path / "sprung")
    yield trap
    assert not trap.folder.exists(), "reading the file ran it"


def packed(trap, kind):
    """Return the trap as a pickle, as arrays of objects, or as a file of torch's."""
    file = io.BytesIO()
    if kind == "pickle":
        return pickle.dumps(trap)
    if kind == "npz":
        np.savez(file, **dict.fromkeys(KEYS, np.array([trap])))
    else:
        torch.save({"identity": trap}, file)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["pickle", "npz", "torch"])
def test_the_trap_is_one(tmp_path, kind):
    trap = Trap(tmp_path / "sprung")
    content = packed(trap, kind)
    if kind == "pickle":
        pickle.loads(content)
    elif kind == "npz":
        np.load(io.BytesIO(content), allow_pickle=True)["X"]
    else:
        torch.load(io.BytesIO(content), weights_only=False)
    assert trap.folder.is_dir()


def put(monkeypatch, folder, content, *, trusted):
    """Let every data file be this one; where it is ``trusted``, as if its sha256 were right."""
    (folder / "file").write_bytes(content)
    monkeypatch.setattr(_files, "_places", lambda file, data_home: {"here": folder / "file"})
    if trusted:
        monkeypatch.setattr(_files, "_unpack", lambda packed, *args, **kwargs: packed.read())


@pytest.mark.parametrize("kind", ["pickle", "npz"])
@pytest.mark.parametrize("name", FETCHERS)
def test_a_data_set_of_another_origin(trap, monkeypatch, tmp_path, name, kind):
    pytest.importorskip("PIL", reason="pillow is an extra")
    for content in (packed(trap, kind), gzip.compress(packed(trap, kind))):
        put(monkeypatch, tmp_path, content, trusted=False)
        with pytest.raises(OSError, match=r"is not the expected .*sha256|truncated or corrupt"):
            getattr(datasets, name)()


@pytest.mark.parametrize("kind", ["pickle", "npz"])
@pytest.mark.parametrize("name", FETCHERS)
def test_a_data_set_whose_sha256_is_right(trap, monkeypatch, tmp_path, name, kind):
    pytest.importorskip("PIL", reason="pillow is an extra")
    put(monkeypatch, tmp_path, packed(trap, kind), trusted=True)
    with pytest.raises((ValueError, KeyError, OSError)):
        getattr(datasets, name)()


@pytest.mark.parametrize("kind", ["pickle", "npz"])
@pytest.mark.parametrize("file", NETWORKS)
def test_weights_of_another_origin(trap, monkeypatch, tmp_path, file, kind):
    network = NETWORKS[file]()
    put(monkeypatch, tmp_path, packed(trap, kind), trusted=False)
    with pytest.raises(OSError, match=r"is not the expected weights/.* the sha256"):
        nets.load_imagenet_weights(network)
    put(monkeypatch, tmp_path, packed(trap, kind), trusted=True)
    with pytest.raises((ValueError, KeyError), match=r"pickle|table"):
        nets.load_imagenet_weights(network)


@pytest.mark.parametrize("kind", ["pickle", "npz", "torch"])
@pytest.mark.parametrize("student", [DistilledNeuralClassifier, DistilledNeuralRegressor])
def test_a_checkpoint_of_another_origin(trap, tmp_path, student, kind):
    file = tmp_path / "training.pt"
    file.write_bytes(packed(trap, kind))
    before = file.read_bytes()
    estimator = student(imitation=0, max_epochs=1, checkpoint=file)
    unfitted = dict(vars(estimator))
    with pytest.raises(ValueError, match=rf"checkpoint='{re.escape(str(file))}' cannot be read"):
        estimator.fit([[0.0], [1.0]], [0, 1])
    assert vars(estimator) == unfitted
    assert file.read_bytes() == before


TRUSTED_BY_USER = {("_teacher.py", "joblib.load(path)")}  # the command line's --trust
# what may read pickles, and the word that tells it not to
READERS = {"load": {"allow_pickle": False, "weights_only": True}, "loads": {}, "read_pickle": {}}


def test_no_source_reads_pickles():
    """``pickle.loads(pickle.dumps(x))`` is a copy, and a memory map holds numbers."""
    for path in SOURCES:
        for call in filter(_reads, ast.walk(ast.parse(path.read_text("utf-8")))):
            words = {word.arg: getattr(word.value, "value", None) for word in call.keywords}
            safe = words.items() & READERS[call.func.attr].items()
            safe = safe or (path.name, ast.unparse(call)) in TRUSTED_BY_USER
            assert safe or words.get("mmap_mode") == "r", f"{path.name}: {ast.unparse(call)}"


def _reads(node):
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    # skops loads the types that it is told to, and its caller compares these with a list
    copied = called and ast.unparse(node).startswith(("pickle.loads(pickle.dumps(", "skops.load("))
    return called and node.func.attr in READERS and not copied
