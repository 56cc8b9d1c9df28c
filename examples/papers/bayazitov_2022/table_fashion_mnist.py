"""The Fashion-MNIST rows of Bayazitov's table: a student taught across domains.

A student sees few labelled images of clothes; its teacher may know clothes, noisy or blurred
clothes, or digits, and is then asked through a map φ. Every run draws rows, maps, teachers and
students anew.

    python examples/papers/bayazitov_2022/table_fashion_mnist.py --scale small --runs 3

Bayazitov 2022, "Distillation on multi-domain data". Three things are done otherwise than there:
every student starts from fresh weights (the published runs go on with one student), the generated
digits of an object are distinct draws and the teacher's own accuracy on them is measured on other
objects (published: one digit, copied 70 times, copies on both sides of the split), and φ is trained
on the labels that the student has. The rows "φ of all labels" train φ as published, on the labels
of all training images, of which the student may see one in sixty. The loss is the published one,
the labels' cross-entropy plus the teacher's at temperature 1, halved, to which Adam is blind.
"""

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tqdm.auto import tqdm

from sklearn_distill import (
    DistilledNeuralClassifier,
    GaussianNoise,
    RandomConvolution,
    TwoDecoderVAE,
    __version__,
)
from sklearn_distill.datasets import fetch_fashion_mnist, fetch_mnist
from sklearn_distill.metrics import integral_criterion

HERE = Path(__file__).parent
N_SMALL, N_DRAWS, SHARE_OF_OBJECTS = 1000, 70, 59 / 70
TEACHER = {"hidden_layer_sizes": (256, 128, 64, 64), "batch_size": 64}
STUDENT = {"hidden_layer_sizes": (64,), "batch_size": 100, "max_epochs": 20}
# 1000 images make few steps an epoch, and a smaller β names more of their classes
PHI_OF_THE_STUDENTS_LABELS = {"max_epochs": 200, "kl_weight": 0.1}
# the author's code subtracts the divergence twice
PHI_AS_PUBLISHED = {"kl_weight": 2.0, "pairing": "once"}


@dataclass(frozen=True)
class Scale:
    """Training images of each domain, the student's 1000 among them, and epochs."""

    n_images: int
    teacher_epochs: int
    phi_epochs: int


SCALES = {"small": Scale(10_000, 10, 30), "full": Scale(60_000, 10, 50)}


@dataclass(frozen=True)
class Rows:
    """Images and labels of one domain: all, and the places of the large and the small part."""

    X: np.ndarray
    y: np.ndarray
    big: np.ndarray
    small: np.ndarray

    @classmethod
    def draw(cls, bunch, n_images, rng):
        """Draw the images of a run, the small part first."""
        order = rng.permutation(len(bunch.target))[:n_images]
        places = np.arange(n_images)
        X, y = bunch.data[order], bunch.target[order]
        return cls(X, y, big=places[N_SMALL:], small=places[:N_SMALL])


class Run:
    """What the rows of the table share in one run; each teacher and each map is made once."""

    def __init__(self, data, scale, seed, device):
        rng = np.random.default_rng(seed)
        self.fashion = Rows.draw(data["fashion"], scale.n_images, rng)
        self.digits = Rows.draw(data["digits"], scale.n_images, rng)
        self.test = data["test"]
        self.scale, self.seed, self.device = scale, seed, device

    def teacher(self, X, y):
        """Return a teacher that learnt from these images alone."""
        options = {"random_state": self.seed, "device": self.device}
        options["max_epochs"] = self.scale.teacher_epochs
        return DistilledNeuralClassifier(**TEACHER, **options).fit(X, y)

    @cached_property
    def fashion_full(self):
        """A teacher of all clothes."""
        return self.teacher(self.fashion.X, self.fashion.y)

    @cached_property
    def fashion_big(self):
        """A teacher of the large part of the clothes."""
        return self.teacher(self.fashion.X[self.fashion.big], self.fashion.y[self.fashion.big])

    @cached_property
    def digits_big(self):
        """A teacher of digits."""
        return self.teacher(self.digits.X[self.digits.big], self.digits.y[self.digits.big])

    def through(self, phi):
        """Return f∘φ with f trained on the large part as φ shows it."""
        big = self.fashion.big
        phi.fit(self.fashion.X[big])
        mapped = phi.transform(self.fashion.X[big])
        return make_pipeline(phi, self.teacher(mapped, self.fashion.y[big]))

    def vae(self, rows, **options):
        """Return φ from clothes to digits, trained on some clothes and the large part of digits."""
        phi = TwoDecoderVAE(random_state=self.seed, device=self.device, **options)
        big = self.digits.big
        return phi.fit(
            self.fashion.X[rows],
            self.fashion.y[rows],
            X_source=self.digits.X[big],
            y_source=self.digits.y[big],
        )

    @cached_property
    def phi(self):
        """The map that the student's own labels allow."""
        return self.vae(self.fashion.small, **PHI_OF_THE_STUDENTS_LABELS)

    @cached_property
    def phi_of_all_labels(self):
        """The map as published."""
        every = np.arange(len(self.fashion.y))
        return self.vae(every, max_epochs=self.scale.phi_epochs, **PHI_AS_PUBLISHED)

    def generated(self, phi):
        """Return φ and a teacher of generated digits, and its accuracy on other objects' digits."""
        small = self.fashion.small
        n_objects = int(SHARE_OF_OBJECTS * len(small))
        draws = phi.sample(self.fashion.X[small], N_DRAWS, random_state=self.seed)
        y = np.repeat(self.fashion.y[small], N_DRAWS)
        digits = draws.reshape(len(y), -1)
        cut = n_objects * N_DRAWS
        teacher = self.teacher(digits[:cut], y[:cut])
        return make_pipeline(phi, teacher), teacher.score(digits[cut:], y[cut:])


def dilated(X):
    """Convolve as the author's code does: corners and centre of 3×3, spread to 5×5."""
    images = X.reshape(-1, 28, 28)
    taps = [(0, 0), (0, 4), (2, 2), (4, 0), (4, 4)]
    return sum(images[:, i : i + 24, j : j + 24] for i, j in taps).reshape(len(X), -1)


@dataclass(frozen=True)
class Line:
    """One row of the table: the student's images, how to make its teacher, what was published."""

    student: str
    teacher: str
    phi: str
    published: tuple[float, float, float] | None
    make_teacher: Callable[[Run], object] | None


def lines():
    """Return the rows of the table."""
    small, big, digits = "Fashion small", "Fashion big", "MNIST big"

    def noisy(run):
        return run.through(GaussianNoise(0.1, random_state=run.seed))

    def convolved(run):
        return run.through(RandomConvolution(random_state=run.seed))

    def as_in_the_code(run):
        return run.through(FunctionTransformer(dilated))

    def mapped(run):
        return make_pipeline(run.phi, run.digits_big)

    def mapped_by_all(run):
        return make_pipeline(run.phi_of_all_labels, run.digits_big)

    return [
        Line("Fashion full", "–", "–", (0.878, 0.384, 7.151), None),
        Line(
            "Fashion full", "Fashion full", "–", (0.885, 0.329, 6.520), lambda run: run.fashion_full
        ),
        Line(small, "–", "–", (0.798, 0.666, 12.978), None),
        Line(small, big, "–", (0.813, 0.570, 11.484), lambda run: run.fashion_big),
        Line(small, big, "noise", (0.810, 0.565, 11.362), noisy),
        Line(small, big, "random convolution", None, convolved),
        Line(small, big, "dilation, the author's kernel", (0.816, 0.561, 11.330), as_in_the_code),
        Line(small, digits, "VAE", None, mapped),
        Line(small, digits, "VAE, φ of all labels", (0.810, 0.629, 12.657), mapped_by_all),
        Line(small, digits, "–", (0.520, 1.257, 24.642), lambda run: run.digits_big),
        Line(small, "generated MNIST", "VAE", None, lambda run: run.generated(run.phi)),
        Line(
            small,
            "generated MNIST",
            "VAE, φ of all labels",
            (0.803, 0.600, 12.019),
            lambda run: run.generated(run.phi_of_all_labels),
        ),
    ]


def measure(line, run):
    """Return what one student of a line reaches, and what its teacher knows."""
    rows = slice(None) if line.student == "Fashion full" else run.fashion.small
    X, y = run.fashion.X[rows], run.fashion.y[rows]
    found, says = {}, None
    if line.make_teacher is not None:
        teacher = line.make_teacher(run)
        if isinstance(teacher, tuple):
            teacher, found["generated_accuracy"] = teacher
        says = teacher.predict_proba(X)
        found["teacher_on_student_rows"] = np.mean(says.argmax(axis=1) == y)
        found["teacher_on_test"] = teacher.score(*run.test)
    student = DistilledNeuralClassifier(**STUDENT, random_state=run.seed, device=run.device)
    X_test, y_test = run.test
    student.fit(X, y, teacher_proba=says, X_val=X_test, y_val=y_test)
    losses = student.history_["valid_loss"]
    found["accuracy"] = student.score(X_test, y_test)
    found["cross_entropy"] = losses.iloc[-1]
    found["integral_criterion"] = integral_criterion(losses)
    return found


def experiment(scale, n_runs, device):
    """Return one row for each line and run."""
    fashion, digits = fetch_fashion_mnist(), fetch_mnist()
    test = fetch_fashion_mnist(subset="test", return_X_y=True)
    data = {"fashion": fashion, "digits": digits, "test": test}
    table = lines()
    records = []
    with tqdm(total=n_runs * len(table), unit="student") as bar:
        for seed in range(n_runs):
            run = Run(data, scale, seed, device)
            for place, line in enumerate(table):
                begin = time.perf_counter()
                found = measure(line, run)
                seconds = time.perf_counter() - begin
                records.append({"line": place, "run": seed, "seconds": seconds} | found)
                bar.update()
    return pd.DataFrame(records)


def summary(records, n_runs):
    """Return the table: means and standard deviations over the runs beside what was published."""
    table = pd.DataFrame([vars(line) for line in lines()]).drop(columns="make_teacher")
    names = ("accuracy", "cross_entropy", "integral_criterion")
    published = table.pop("published")
    by_line = records.groupby("line")
    for place, name in enumerate(names):
        table[f"published_{name}"] = [row[place] if row else np.nan for row in published]
        table[name] = by_line[name].mean()
        table[f"{name}_std"] = by_line[name].std(ddof=1) if n_runs > 1 else np.nan
    for name in ("teacher_on_student_rows", "teacher_on_test", "generated_accuracy", "seconds"):
        table[name] = by_line[name].mean()
    table["runs"] = n_runs
    return table


def versions():
    """Return what the figures depend on."""
    return (
        f"sklearn_distill {__version__}, Python {platform.python_version()}, numpy "
        f"{np.__version__}, scikit-learn {sklearn.__version__}, torch {torch.__version__}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    records = experiment(SCALES[options.scale], options.runs, options.device)
    table = summary(records, options.runs).assign(scale=options.scale, versions=versions())
    target = HERE / f"table_fashion_mnist_{options.scale}.csv"
    table.to_csv(target, index=False, float_format="%.4f")
    shown = table.drop(columns=["scale", "versions"])
    print(shown.to_string(index=False, float_format="{:.3f}".format, na_rep="–"))
    print(f"written to {target}")


if __name__ == "__main__":
    main()
