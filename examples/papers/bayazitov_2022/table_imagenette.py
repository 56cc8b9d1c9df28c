"""Distillation across styles on Imagenette: Bayazitov.

The student has few labelled photographs. Its teacher is trained on many others, either unchanged or
in the style of an image (:class:`sklearn_distill.StyleTransfer`). A teacher of images in this style
predicts either for the photographs of the student in this style, f∘φ, or for the photographs
themselves, "no φ". Each run draws a new split of the images, and new teachers and students; the
style transfer of a photograph does not depend on the draw.

    python -m examples.papers.bayazitov_2022.table_imagenette --scale small

The full scale has all images, 1000 of them for the student, and the published networks except for
their kernels. The medium scale has 2100 training images, 300 of them for the student, and 1000 test
images, all of 32 pixels. Its networks have a quarter of the channels; its teacher has two
convolutions less and five epochs more; and its style omits block 4 of VGG-19, whose output for so
small an image has 4×4 pixels. The small scale is the medium one with 1000 training images, again
300 of them for the student, and 500 test images.

Bayazitov 2022, "Distillation on multi-domain data", section 3.5, has images of 200 pixels; here
they have 64. The author's style image is not available; here it is scikit-learn's photograph of a
flower. The step size 0.04 of Adam, the 3 steps and the weights of content and style, 8 and 70, are
those of the author's code, which does not divide the two terms by their size. Students start from
new weights; the published runs continue with one student.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache

import numpy as np
from sklearn.datasets import load_sample_image

from examples.papers.bayazitov_2022.networks import Convolutions
from examples.papers.claims import Claim
from examples.papers.runs import Experiment, kept, main
from sklearn_distill import DistilledNeuralClassifier, StyleTransfer
from sklearn_distill.datasets import fetch_imagenette
from sklearn_distill.metrics import integral_criterion

WIDTHS_OF_TEACHER, WIDTHS_OF_STUDENT = (120, 84), (120,)
STYLE = {"content_weight": 8, "style_weight": 70, "lr": 0.04, "max_iter": 3}


@dataclass(frozen=True)
class Scale:
    """Size of an experiment.

    Parameters
    ----------
    n_images, n_test : int or None
        Number of training and test images; None for all.
    n_small : int
        Number of training images of the student.
    pixels : int
        Height and width of the images, a divisor of 64.
    teacher, student : tuple of int
        Channels of the networks' convolutions.
    teacher_epochs : int
        Epochs of the teachers.
    style_layers : tuple of str
        Layers of VGG-19 whose Gram matrices are the style; the last one is the content layer.
    """

    n_images: int | None
    n_test: int | None
    n_small: int
    pixels: int
    teacher: tuple[int, ...]
    student: tuple[int, ...]
    teacher_epochs: int
    style_layers: tuple[str, ...]


MEDIUM = Scale(
    n_images=2100,
    n_test=1000,
    n_small=300,
    pixels=32,
    teacher=(6, 12, 24),
    student=(6, 12),
    teacher_epochs=15,
    style_layers=("block1_conv1", "block2_conv1", "block3_conv1"),
)
SCALES = {
    "small": replace(MEDIUM, n_images=1000, n_test=500),
    "medium": MEDIUM,
    "full": Scale(
        n_images=None,
        n_test=None,
        n_small=1000,
        pixels=64,
        teacher=(24, 48, 96, 192, 384),
        student=(24, 48),
        teacher_epochs=10,
        style_layers=("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1"),
    ),
}


def downsample(images, pixels):
    """Downsample images by averaging squares of pixels."""
    factor = images.shape[1] // pixels
    squares = images.reshape(len(images), pixels, factor, pixels, factor, 3)
    return squares.mean((2, 4), dtype=np.float32)


@cache
def photographs(subset, n_samples, pixels):
    """Return images (n, pixels, pixels, 3) in [0, 1], and labels."""
    bunch = fetch_imagenette(subset=subset, n_samples=n_samples)
    return downsample(bunch.images, pixels), bunch.target


def style_image():
    """Return the image of a flower, (1, 200, 200, 3) in [0, 1]."""
    flower = load_sample_image("flower.jpg")[None, 13:413, 120:520]
    return downsample(flower / 255, 200)


@kept
def in_style(scale, device):
    """Return the training images in the style."""
    layers = scale.style_layers
    phi = StyleTransfer(style_layers=layers, content_layer=layers[-1], device=device, **STYLE)
    X, _ = photographs("train", scale.n_images, scale.pixels)
    return phi.fit(style_image()).transform(X)


def channels_first(X):
    """Return images with the channels first, as networks expect them."""
    return np.ascontiguousarray(X.transpose(0, 3, 1, 2))


class Run:
    """Data and teachers that the rows of a run share; each teacher is fitted once."""

    def __init__(self, scale, seed, device):
        X, self.y = photographs("train", scale.n_images, scale.pixels)
        X_test, self.y_test = photographs("test", scale.n_test, scale.pixels)
        self.X, self.X_test = channels_first(X), channels_first(X_test)
        order = np.random.default_rng(seed).permutation(len(X))
        self.small, self.big = np.split(order, [scale.n_small])
        self.scale, self.seed, self.device = scale, seed, device

    def network(self, channels, widths, **options):
        """Return an unfitted network."""
        return DistilledNeuralClassifier(
            Convolutions,
            module__channels=channels,
            module__widths=widths,
            module__pixels=self.scale.pixels,
            device=self.device,
            random_state=self.seed,
            **options,
        )

    def fit_teacher(self, X):
        """Fit a teacher on the large part of these images."""
        options = {"batch_size": 64, "max_epochs": self.scale.teacher_epochs}
        teacher = self.network(self.scale.teacher, WIDTHS_OF_TEACHER, imitation=0, **options)
        return teacher.fit(X[self.big], self.y[self.big])

    def fit_student(self, teacher_proba, **options):
        """Fit a student on the small part and the teacher's probabilities for it."""
        options |= {"batch_size": 100, "max_epochs": 20}
        if teacher_proba is None:
            options["imitation"] = 0
        student = self.network(self.scale.student, WIDTHS_OF_STUDENT, **options)
        X, y = self.X[self.small], self.y[self.small]
        return student.fit(X, y, teacher_proba=teacher_proba, X_val=self.X_test, y_val=self.y_test)

    @cached_property
    def styled(self):
        """The training images in the style."""
        return channels_first(in_style(self.scale, self.device))

    @cached_property
    def of_photographs(self):
        """A teacher trained on photographs."""
        return self.fit_teacher(self.X)

    @cached_property
    def of_style(self):
        """A teacher trained on images in the style."""
        return self.fit_teacher(self.styled)


# (teacher and φ, data of the student): the teacher's predictions, and the published measures
SMALL = "small part"
BASELINE, SAME = ("no teacher", SMALL), ("Imagenette", SMALL)
STYLED, UNMAPPED = ("Imagenette, style", SMALL), ("Imagenette, style, no φ", SMALL)
ROWS: dict[tuple[str, str], tuple[Callable | None, tuple[float, float, float] | None]] = {
    BASELINE: (None, (0.363, 3.849, 46.615)),
    SAME: (
        lambda run: run.of_photographs.predict_proba(run.X[run.small]),
        (0.465, 1.876, 26.488),
    ),
    STYLED: (
        lambda run: run.of_style.predict_proba(run.styled[run.small]),
        (0.411, 2.131, 29.476),
    ),
    UNMAPPED: (lambda run: run.of_style.predict_proba(run.X[run.small]), None),
}
MEASURES = ("accuracy", "cross_entropy", "integral_criterion")
PUBLISHED_STD = {  # of accuracy and cross-entropy, over the runs
    BASELINE: (0.017, 0.866),
    SAME: (0.005, 0.066),
    STYLED: (0.008, 0.093),
}


@lru_cache(maxsize=1)
def shared(seed, scale, device):
    """Return the data and the teachers that the rows of a seed share."""
    return Run(scale, seed, device)


def compute(row, seed, scale, device):
    """Return the measures of a student, and its teacher's accuracy on the student's images."""
    run, (predict, _) = shared(seed, scale, device), ROWS[row]
    teacher_proba, found = None, {}
    if predict is not None:
        teacher_proba = predict(run)
        found["teacher_on_student_rows"] = np.mean(teacher_proba.argmax(axis=1) == run.y[run.small])
    student = run.fit_student(teacher_proba)
    losses = student.history_["valid_loss"]
    found["accuracy"] = student.score(run.X_test, run.y_test)
    found["cross_entropy"] = losses.iloc[-1]
    found["integral_criterion"] = integral_criterion(losses)
    return found


CLAIMED = [(SAME, BASELINE), (STYLED, BASELINE), (SAME, STYLED), (STYLED, UNMAPPED)]
SHRUNK = (
    "images have 32 pixels instead of 200, the student has 300 instead of 1000 and starts from "
    "new weights"
)
EXPERIMENT = Experiment(
    __file__,
    rows=list(ROWS),
    measures=(*MEASURES, "teacher_on_student_rows"),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 3, "medium": 5, "full": 3},
    published={
        row: dict(zip(MEASURES, published, strict=True))
        for row, (_, published) in ROWS.items()
        if published
    },
    published_std={
        row: dict(zip(MEASURES, std, strict=False)) for row, std in PUBLISHED_STD.items()
    },
    claims=[
        *(Claim(better, than, "accuracy") for better, than in CLAIMED),
        *(Claim(better, than, "cross_entropy", lower=True) for better, than in CLAIMED),
    ],
    because={
        ("small",): SHRUNK,
        ("medium",): SHRUNK,
        ("full",): "images have 64 pixels instead of 200, and students start from new weights",
    },
)

if __name__ == "__main__":
    main(EXPERIMENT)
