"""A disk that is full while a checkpoint is written: the last good file stays."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pooch
import pytest
from skorch.callbacks import Callback

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.datasets._files import DataFile, read_data_file

resource = pytest.importorskip("resource", reason="only POSIX limits the size of files")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 20)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


class Interrupt(Callback):
    """Ctrl-C after some epochs."""

    def on_epoch_begin(self, net, *args, **kwargs):
        if len(net.history) > 2:
            raise KeyboardInterrupt


def student(checkpoint, **options):
    sizes = {"hidden_layer_sizes": (50,), "max_epochs": 4, "random_state": 0}
    return DistilledNeuralClassifier(imitation=0, checkpoint=checkpoint, **sizes, **options)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let writing fail where a file grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_last_checkpoint_stays(tmp_path):
    file = tmp_path / "training.pt"
    with pytest.raises(KeyboardInterrupt):
        student(file, callbacks=[Interrupt()]).fit(X, Y)
    before = file.read_bytes()
    for size in (0, 1000, len(before) - 10):
        resumed = student(file)
        with (
            no_file_beyond(size),
            pytest.raises(OSError, match=r"checkpoint=.* could not be written after epoch 3"),
        ):
            resumed.fit(X, Y)
        assert not hasattr(resumed, "_trained")
        assert file.read_bytes() == before
        assert list(tmp_path.iterdir()) == [file], "what was written in part is gone"
    answers = student(file).fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(answers, student(None).fit(X, Y).predict_proba(X))


def test_a_first_checkpoint_on_a_full_disk(tmp_path):
    file = tmp_path / "training.pt"
    fitted = student(None).fit(X, Y)
    before = dict(vars(fitted)) | {"checkpoint": file}
    with no_file_beyond(0), pytest.raises(OSError, match="could not be written after epoch 1"):
        fitted.set_params(checkpoint=file).fit(X, Y)
    assert vars(fitted) == before
    assert list(tmp_path.iterdir()) == []


def test_a_download_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(
        pooch.HTTPDownloader,
        "__call__",
        lambda self, url, part, manager: part.write(b"0" * 50_000),
    )
    file = DataFile("some/file", "0" * 64, 100_000, origin="https://example.org/file")
    with no_file_beyond(1000), pytest.raises(OSError, match=r"failed: .*too large.*Nothing was"):
        read_data_file(file, data_home=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
