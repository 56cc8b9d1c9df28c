"""Laws: each image is changed by itself, as a slow loop over images would; labels keep place."""

import functools
import itertools
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_distill.augmentation import Compose, RandomHorizontalFlip, RandomShift

SHAPE = (200, 3, 6, 10)


def images(dtype=torch.float32):
    """Make images whose pixels all differ, within an image and between."""
    return torch.arange(np.prod(SHAPE)).view(SHAPE).to(dtype)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def find_shift(image, result, down, right):
    """Return the shift, of those allowed, that gives the result with the edge repeated."""
    _, height, width = image.shape
    padded = np.pad(image, ((0, 0), (down, down), (right, right)), mode="edge")
    for d, r in itertools.product(range(-down, down + 1), range(-right, right + 1)):
        if np.array_equal(padded[:, down - d :, right - r :][:, :height, :width], result):
            return d, r
    raise AssertionError("no shift gives this image")


@pytest.mark.parametrize(("fraction", "down", "right"), [(0.2, 1, 2), (0.5, 3, 5), (0.09, 0, 0)])
def test_every_image_is_shifted_by_itself(fraction, down, right):
    before, after = images().numpy(), RandomShift(fraction)(images(), generator()).numpy()
    shifts = [find_shift(a, b, down, right) for a, b in zip(before, after, strict=True)]
    downs, rights = (set(part) for part in zip(*shifts, strict=True))
    assert downs == set(range(-down, down + 1)), "every shift occurs among 200 images"
    assert rights == set(range(-right, right + 1))


def test_all_shifts_are_equally_likely():
    one = torch.arange(5.0).view(1, 1, 5, 1).expand(20000, 1, 5, 1)
    middle = RandomShift(0.4)(one, generator())[:, 0, 2, 0].numpy()
    counts = np.unique(middle, return_counts=True)[1]
    assert len(counts) == 5
    # five standard deviations of a binomial count
    np.testing.assert_allclose(counts, 4000, atol=5 * np.sqrt(20000 * 0.2 * 0.8))


def test_flips_mirror_some_images_whole():
    before, after = images(), RandomHorizontalFlip(0.3)(images(), generator())
    same = (after == before).flatten(1).all(1)
    mirrored = (after == before.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert abs(int(mirrored.sum()) - 60) < 5 * np.sqrt(200 * 0.3 * 0.7)


def test_probabilities_zero_and_one():
    assert torch.equal(RandomHorizontalFlip(0)(images(), generator()), images())
    assert torch.equal(RandomHorizontalFlip(1)(images(), generator()), images().flip(3))
    assert torch.equal(RandomShift(0)(images(), generator()), images())


AUGMENTATIONS = [
    RandomHorizontalFlip(),
    RandomShift(0.4),
    Compose(RandomHorizontalFlip(), RandomShift(0.4)),
]


@pytest.mark.parametrize("augment", AUGMENTATIONS, ids=repr)
class TestEveryAugmentation:
    def test_generator_decides(self, augment):
        state = torch.get_rng_state()
        first = augment(images(), generator(1))
        assert torch.equal(first, augment(images(), generator(1)))
        assert not torch.equal(first, augment(images(), generator(2)))
        assert torch.equal(state, torch.get_rng_state()), "torch's own generator is left alone"

    def test_without_a_generator_torch_decides(self, augment):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            first = augment(images())
            torch.manual_seed(3)
            assert torch.equal(first, augment(images()))

    @pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.float32, torch.float64])
    def test_dtype_is_kept(self, augment, dtype):
        assert augment(images(dtype), generator()).dtype == dtype

    def test_images_are_left_as_they_were(self, augment):
        given = images()
        augment(given, generator())
        assert torch.equal(given, images())

    def test_shape_and_device_are_kept_without_looking_at_values(self, augment):
        """The meta device holds shapes alone; the generator stays on the CPU."""
        result = augment(images().to("meta"), generator())
        assert (result.device.type, result.shape) == ("meta", SHAPE)

    def test_non_contiguous_and_empty_batches(self, augment):
        last = images().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        expected = augment(images(), generator())
        assert torch.equal(augment(last, generator()), expected)
        assert augment(images()[:0], generator()).shape == (0, *SHAPE[1:])

    def test_it_can_be_pickled_cloned_and_read(self, augment):
        copies = (
            pickle.loads(pickle.dumps(augment)),
            clone(augment, safe=False),
            eval(repr(augment)),
        )
        for copy in copies:
            assert torch.equal(copy(images(), generator()), augment(images(), generator()))

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
    @pytest.mark.parametrize("where", ["cpu", "cuda"])
    def test_on_a_gpu(self, augment, where):
        drawn = torch.Generator(where).manual_seed(0)
        result = augment(images().cuda(), drawn)
        assert result.device.type == "cuda"
        drawn.manual_seed(0)
        if where == "cpu":
            assert torch.equal(result.cpu(), augment(images(), drawn))


def test_composition_goes_from_left_to_right():
    double, add = lambda x, g: 2 * x, lambda x, g: x + 1
    assert torch.equal(Compose(double, add)(images(), None), 2 * images() + 1)
    assert torch.equal(Compose()(images(), None), images())


class Transform(torch.nn.Module):
    """As those of torchvision: one argument."""

    def forward(self, images):
        return images + 1


class TransformOfSeveral(torch.nn.Module):
    """As those of torchvision.transforms.v2: any number of inputs."""

    def forward(self, *inputs):
        assert len(inputs) == 1
        return inputs[0] + 1


def add(images, amount=1):
    return images + amount


@pytest.mark.parametrize(
    "augment",
    [
        Transform(),
        TransformOfSeveral(),
        torch.nn.Sequential(Transform()),
        lambda images: images + 1,
        lambda images, amount=1, /: images + amount,
        functools.partial(add, amount=1),
        add,
        torch.positive,  # written in C, without a signature
    ],
)
def test_an_augmentation_of_one_argument_gets_no_generator(augment):
    added = 0 if augment is torch.positive else 1
    assert torch.equal(Compose(augment)(images(), generator()), images() + added)


@pytest.mark.parametrize(
    "augment",
    [
        lambda images, g: torch.rand(1, generator=g),
        lambda images, generator=None: torch.rand(1, generator=generator),
        functools.partial(lambda shift, images, g: shift + torch.rand(1, generator=g), 0),
    ],
)
def test_an_augmentation_of_two_arguments_gets_the_generator(augment):
    drawn = Compose(augment)(images(), generator(3))
    assert torch.equal(drawn, torch.rand(1, generator=generator(3)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RandomHorizontalFlip(1.5), ValueError, r"p must be a number in \[0, 1\]; got 1.5"),
        (lambda: RandomShift(-0.1), ValueError, "fraction must be a number"),
        (lambda: RandomShift(float("nan")), ValueError, "got nan"),
        (lambda: RandomShift("0.4"), ValueError, "got '0.4'"),
        (lambda: Compose([RandomShift()]), TypeError, "must be callables"),
        (lambda: RandomShift()(torch.zeros(5, 784)), ValueError, r"got \(5, 784\)"),
        (lambda: RandomHorizontalFlip()(torch.zeros(5, 784)), ValueError, r"\(n, C, H, W\)"),
    ],
)
def test_errors_say_what_came(make, error, message):
    with pytest.raises(error, match=message):
        make()
