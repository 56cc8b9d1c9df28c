"""The real files, where they are: counts, published statistics and the words of DESCR."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sklearn_distill import datasets

IMAGES = ["fashion_mnist", "mnist", "cifar10", "imagenette", "dogs_vs_cats"]


def fetched(fetch: Callable[..., Any], **options: object) -> Any:
    try:
        return fetch(download_if_missing=False, **options)
    except FileNotFoundError as error:
        pytest.skip(str(error).partition(" Looked at")[0])
    except ImportError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", IMAGES)
def test_images_have_their_shape(name: str) -> None:
    shape = {"cifar10": (32, 32, 3), "imagenette": (64, 64, 3), "dogs_vs_cats": (64, 64, 3)}
    bunch = fetched(getattr(datasets, f"fetch_{name}"), n_samples=300)
    assert bunch.images.shape == (300, *shape.get(name, (28, 28)))
    assert 0 <= bunch.data.min() < 0.05
    assert 0.95 < bunch.data.max() <= 1
    assert set(bunch.target) == set(range(len(bunch.target_names)))
    assert "Source:" in bunch.DESCR
    assert "Licence:" in bunch.DESCR


@pytest.mark.parametrize(
    ("name", "mean", "smallest_class"), [("mnist", 0.1307, 5421), ("fashion_mnist", 0.2860, 6000)]
)
def test_training_pixels_have_the_known_mean(name: str, mean: float, smallest_class: int) -> None:
    X, y = fetched(getattr(datasets, f"fetch_{name}"), dtype="uint8", return_X_y=True)
    assert X.shape == (60000, 784)
    assert X.mean() / 255 == pytest.approx(mean, abs=5e-5)
    assert np.bincount(y).min() == smallest_class


def test_every_prefix_of_cifar10_is_balanced() -> None:
    bunch = fetched(datasets.fetch_cifar10, n_samples=1000)
    assert (np.bincount(bunch.target) == 100).all()
    means = bunch.images.mean(axis=(0, 1, 2))
    # the training set's channel means, known to be .4914 .4822 .4465
    np.testing.assert_allclose(means, [0.4914, 0.4822, 0.4465], atol=0.015)


def test_cats_and_dogs_alternate() -> None:
    _, y = fetched(datasets.fetch_dogs_vs_cats, n_samples=10, return_X_y=True)
    assert y.tolist() == [0, 1] * 5


def test_tweets() -> None:
    train, test = (fetched(datasets.fetch_sentiment140, subset=s) for s in ("train", "test"))
    assert np.bincount(train.target).tolist() == [50000, 50000]
    assert np.bincount(test.target).tolist() == [177, 182]
    assert {type(text) for text in train.data} == {str}
    assert "differ in date" in train.DESCR


def test_adult_has_its_rows_and_types() -> None:
    train, test, both = (
        fetched(datasets.fetch_adult, subset=subset) for subset in ("train", "test", "all")
    )
    assert [len(part.data) for part in (train, test, both)] == [32561, 16281, 48842]
    assert train.data.shape[1] == 14
    assert (train.data.dtypes == "category").sum() == 8
    assert (train.data.dtypes == test.data.dtypes).all()
    assert both.target.value_counts().to_dict() == {"<=50K": 37155, ">50K": 11687}
    assert both.data.isna().any(axis=1).sum() == 48842 - 45222
    assert test.data.index[0] == 0


def test_adult_as_arrays() -> None:
    X, y = fetched(datasets.fetch_adult, subset="test", as_frame=False, return_X_y=True)
    assert X.shape == (16281, 14)
    assert set(y) == {"<=50K", ">50K"}


@pytest.mark.parametrize("as_frame", [False, True])
def test_covertype_sample_is_balanced(as_frame: bool) -> None:
    bunch = fetched(datasets.fetch_covertype_sample, as_frame=as_frame)
    assert bunch.data.shape == (15120, 54)
    assert np.asarray(bunch.data).dtype == np.float32
    assert np.unique(bunch.target, return_counts=True)[1].tolist() == [2160] * 7
    assert (bunch.target.min(), bunch.target.max()) == (1, 7)
    assert (bunch.frame is not None) == as_frame
    # each patch has one wilderness area and one soil type
    indicators = np.asarray(bunch.data)[:, 10:]
    assert (indicators[:, :4].sum(axis=1) == 1).all()
    assert (indicators[:, 4:].sum(axis=1) == 1).all()
