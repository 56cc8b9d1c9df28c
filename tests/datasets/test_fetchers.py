"""Laws of every fetcher, on small files made here in the layout."""

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sklearn_distill import datasets
from sklearn_distill.datasets import cifar10, covertype, mnist
from sklearn_distill.datasets._files import DataFile
from sklearn_distill.datasets._jpeg import load_jpeg_archive

Put = Callable[..., DataFile]
FETCHERS = [name for name in datasets.__all__ if name.startswith("fetch_")]
WITH_SPLIT = [n for n in FETCHERS if n not in ("fetch_dogs_vs_cats", "fetch_covertype_sample")]
N_TRAIN, N_TEST = 7, 4


def idx_bytes(values: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{values.ndim}i", 0, 0, 8, values.ndim, *values.shape)
    return header + values.astype(np.uint8).tobytes()


def png(image: np.ndarray) -> bytes:
    """Pillow tells the format by the content, and PNG keeps the pixels."""
    image_module = pytest.importorskip("PIL.Image", reason="pillow is an extra")
    buffer = io.BytesIO()
    image_module.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def pixels() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "train": rng.integers(0, 256, (N_TRAIN, 5, 6), dtype=np.uint8),
        "test": rng.integers(0, 256, (N_TEST, 5, 6), dtype=np.uint8),
    }


@pytest.fixture
def made_mnist(
    tmp_path: Path, put: Put, pixels: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> Path:
    def made(name: str, values: np.ndarray) -> DataFile:
        return put(tmp_path, f"mnist/{name}.gz", idx_bytes(values))

    files = {
        split: (made(f"{split}-images", images), made(f"{split}-labels", np.arange(len(images))))
        for split, images in pixels.items()
    }
    monkeypatch.setattr(mnist, "FILES", files)
    return tmp_path


@pytest.fixture
def made_cifar(
    tmp_path: Path, put: Put, pixels: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> Path:
    arrays: dict[str, np.ndarray] = {"target_names": np.array(["one", "other"])}
    for split, images in pixels.items():
        files = [png(np.dstack([image, image.T.reshape(image.shape), image])) for image in images]
        arrays[f"{split}_jpeg"] = np.frombuffer(b"".join(files), np.uint8)
        arrays[f"{split}_offsets"] = np.cumsum([0, *map(len, files)])
        arrays[f"{split}_y"] = np.arange(len(images), dtype=np.uint8) % 2
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    monkeypatch.setattr(cifar10, "FILE", put(tmp_path, "cifar10/made.npz", buffer.getvalue()))
    return tmp_path


@pytest.fixture(params=["mnist", "cifar10"])
def fetch(request: pytest.FixtureRequest) -> Callable[..., object]:
    folder = request.getfixturevalue("made_mnist" if request.param == "mnist" else "made_cifar")
    fetcher = getattr(datasets, f"fetch_{request.param}")
    return lambda **options: fetcher(data_home=folder, **options)


def test_float_pixels_are_the_bytes_over_255(fetch: Callable) -> None:
    whole, real = fetch(dtype="uint8"), fetch()
    assert whole.data.dtype == np.uint8
    assert real.data.dtype == np.float32
    np.testing.assert_allclose(real.data, whole.data / 255, rtol=1e-6)
    assert real.data.max() <= 1


def test_images_share_the_memory_of_data(fetch: Callable) -> None:
    for dtype in ("uint8", "float32"):
        bunch = fetch(dtype=dtype)
        assert np.shares_memory(bunch.data, bunch.images)
        np.testing.assert_array_equal(bunch.images.reshape(bunch.data.shape), bunch.data)
        assert bunch.data.flags.writeable


def test_all_is_train_then_test(fetch: Callable) -> None:
    parts = [fetch(subset=subset, return_X_y=True) for subset in ("train", "test", "all")]
    assert [len(X) for X, _ in parts] == [N_TRAIN, N_TEST, N_TRAIN + N_TEST]
    for train, test, both in zip(*parts, strict=True):
        np.testing.assert_array_equal(np.concatenate([train, test]), both)


@pytest.mark.parametrize("n_samples", [1, 5, N_TRAIN + 2, 100])
def test_n_samples_takes_the_first_ones(fetch: Callable, n_samples: int) -> None:
    X, y = fetch(subset="all", return_X_y=True)
    X_first, y_first = fetch(subset="all", n_samples=n_samples, return_X_y=True)
    np.testing.assert_array_equal(X_first, X[:n_samples])
    np.testing.assert_array_equal(y_first, y[:n_samples])
    assert y.dtype == np.int64


def test_idx_pixels_keep_their_place(made_mnist: Path, pixels: dict[str, np.ndarray]) -> None:
    bunch = datasets.fetch_mnist(data_home=made_mnist, subset="test", dtype="uint8")
    np.testing.assert_array_equal(bunch.images, pixels["test"])
    assert bunch.target.tolist() == [0, 1, 2, 3]


def test_archive_pixels_keep_their_place(made_cifar: Path, pixels: dict[str, np.ndarray]) -> None:
    bunch = datasets.fetch_cifar10(data_home=made_cifar, subset="test", dtype="uint8")
    assert bunch.images.shape == (N_TEST, 5, 6, 3)
    np.testing.assert_array_equal(bunch.images[..., 0], pixels["test"])
    np.testing.assert_array_equal(
        bunch.images[2, ..., 1], pixels["test"][2].T.reshape(pixels["test"][2].shape)
    )
    assert bunch.target.tolist() == [0, 1, 0, 1]
    assert bunch.target_names == ["one", "other"]


def test_pickled_objects_are_never_loaded(tmp_path: Path, put: Put) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, data_offsets=np.array([None]), data_jpeg=np.zeros(1, np.uint8))
    file = put(tmp_path, "evil.npz", buffer.getvalue())
    pytest.importorskip("PIL", reason="pillow is an extra")
    with pytest.raises(ValueError, match="allow_pickle"):
        load_jpeg_archive(file, ("data",), None, data_home=tmp_path, download_if_missing=False)


def test_missing_pillow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-distill\[images\]"'):
        datasets.fetch_dogs_vs_cats()


@pytest.mark.parametrize("name", WITH_SPLIT)
def test_unknown_subset_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="subset must be one of 'train', 'test', 'all'; got 'val'"):
        getattr(datasets, name)(subset="val")


@pytest.mark.parametrize("options", [{"dtype": "float64"}, {"n_samples": 0}, {"n_samples": -3}])
def test_bad_image_option_is_named(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        datasets.fetch_mnist(**options)


@pytest.mark.parametrize("name", [n for n in FETCHERS if n != "fetch_fashion_mnist"])
def test_missing_file_is_told_with_its_layout(name: str, nowhere: Path, tmp_path: Path) -> None:
    if name in ("fetch_cifar10", "fetch_imagenette", "fetch_dogs_vs_cats"):
        pytest.importorskip("PIL", reason="pillow is an extra")
    with pytest.raises(FileNotFoundError, match=r"was not found\. Looked at") as raised:
        getattr(datasets, name)(data_home=tmp_path, download_if_missing=False)
    assert "SKLEARN_DISTILL_DATA" in str(raised.value)
    assert str(tmp_path) in str(raised.value)


def test_covertype_is_drawn_from_the_whole_data_set_without_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch_covtype(**options: object) -> tuple[np.ndarray, np.ndarray]:
        asked.append(options)
        y = np.tile(np.arange(1, 8, dtype=np.int32), 2500)
        return np.repeat(np.arange(len(y), dtype=float)[:, None], 54, axis=1), y

    monkeypatch.delenv("SKLEARN_DISTILL_DATA", raising=False)
    monkeypatch.setattr(covertype, "fetch_covtype", fetch_covtype)
    first, again = (
        datasets.fetch_covertype_sample(data_home=tmp_path, as_frame=True) for _ in range(2)
    )
    assert asked[0] == {"data_home": str(tmp_path), "download_if_missing": True, "return_X_y": True}
    assert first.target.value_counts().to_dict() == dict.fromkeys(range(1, 8), 2160)
    assert first.data["Elevation"].is_unique
    np.testing.assert_array_equal(first.target, (first.data["Soil_Type40"] % 7) + 1)
    assert first.frame.equals(again.frame)
    assert "fetch_covtype, since" in first.DESCR
