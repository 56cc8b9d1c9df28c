"""Distillation in regression with a teacher of sines: Bayazitov.

Samples x with 100 normal features have the target y = ⟨w, x⟩ + ε, where the noise ε has a standard
deviation of ½: the smallest possible squared error is 0.25, and that of the constant prediction 0
is 1.25. The student has 300 samples, "Reg-Small", or all 9000, "Reg-Train". Its teacher is trained
on all samples, on the other 8700, or on these with features sin x. The teacher of sines predicts
for sin x, f∘φ, or for x itself, "no φ". Each run draws new w, samples, teachers and students. With
300 samples the published 20 epochs have 60 steps, after which the student has learnt little; "200
epochs" trains it for longer.

    python -m examples.papers.bayazitov_2022.table_regression --scale small

The medium and the full scale have the published sizes, and the full scale has more runs. The small
scale has 3000 samples instead of 9000.

The experiment is from Bayazitov 2022, "Distillation on multi-domain data", section 3.6. In the
author's code the target does not depend on x: it is a separate column of noise. Moreover, the code
subtracts a row of labels from a column of predictions, so that each prediction is compared with
each label and all predictions tend to the mean label; the published 1.064 is about the error of the
constant 0.

The rows "y without X" have such a target, and compare each prediction with its own label. The
smallest possible error is 1, that of the constant 0, and fitting anything can only increase it. A
claim that holds for these rows therefore does not show that knowledge is transferred: the mean of
label and prediction has less noise to fit than the label. Students start from new weights; the
published runs continue with one student.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from examples.papers.claims import Claim
from examples.papers.runs import Experiment, main
from sklearn_distill import DistilledNeuralRegressor
from sklearn_distill.datasets import make_privileged_regression

N_FEATURES, DEVIATION, DEVIATION_WITHOUT_X = 100, 0.5, 1.0
TEACHER = {
    "hidden_layer_sizes": (256, 128, 64, 64),
    "batch_size": 64,
    "max_epochs": 10,
    "normalize_y": False,
}
STUDENT = {"hidden_layer_sizes": (32,), "batch_size": 100, "normalize_y": False}


@dataclass(frozen=True)
class Scale:
    """Number of samples of the small part, of the large part and of the test set."""

    small: int
    big: int
    test: int


PUBLISHED_SIZES = Scale(300, 8700, 1000)
SCALES = {"small": Scale(300, 2700, 1000), "medium": PUBLISHED_SIZES, "full": PUBLISHED_SIZES}


@dataclass(frozen=True)
class Setting:
    """Whether a student has all training samples, its epochs, and whether y depends on X."""

    everything: bool = False
    epochs: int = 20
    depends: bool = True


SETTINGS = {
    "Reg-Train": Setting(everything=True),
    "Reg-Small": Setting(),
    "Reg-Small, 200 epochs": Setting(epochs=200),
    "Reg-Train, y without X": Setting(everything=True, depends=False),
    "Reg-Small, y without X": Setting(depends=False),
}


def draw(depends, n_rows, seed):
    """Draw samples and their target; the samples of a seed are the same for both targets."""
    w = np.random.default_rng(seed).standard_normal(N_FEATURES)
    coef = w / np.linalg.norm(w) if depends else np.zeros(N_FEATURES)
    noise = DEVIATION if depends else DEVIATION_WITHOUT_X
    return make_privileged_regression(n_rows, coef=coef, noise=noise, random_state=seed)


class Run:
    """Data and teachers that the rows with one target share; each teacher is fitted once."""

    def __init__(self, depends, seed, scale, device):
        n_train = scale.small + scale.big
        bunch = draw(depends, n_train + scale.test, seed)
        self.X, self.X_test = np.split(bunch.data, [n_train])
        self.y, self.y_test = np.split(bunch.target, [n_train])
        self.small, self.big = slice(scale.small), slice(scale.small, n_train)
        self.options = {"random_state": seed, "device": device}

    def fit_teacher(self, X, y):
        """Fit a teacher on these samples."""
        return DistilledNeuralRegressor(imitation=0, **TEACHER, **self.options).fit(X, y)

    @cached_property
    def of_all(self):
        """A teacher trained on all training samples."""
        return self.fit_teacher(self.X, self.y)

    @cached_property
    def of_big(self):
        """A teacher trained on the large part."""
        return self.fit_teacher(self.X[self.big], self.y[self.big])

    @cached_property
    def of_sines(self):
        """A teacher trained on the sines of the large part."""
        return self.fit_teacher(np.sin(self.X[self.big]), self.y[self.big])


BASELINE, ALL, BIG = "no teacher", "Reg-Train", "Reg-Big"
SINES, UNMAPPED = "Reg-Big, sin", "Reg-Big, sin, no φ"
TEACHERS: dict[str, Callable | None] = {
    BASELINE: None,
    ALL: lambda run: run.of_all,
    BIG: lambda run: run.of_big,
    SINES: lambda run: make_pipeline(FunctionTransformer(np.sin), run.of_sines),
    UNMAPPED: lambda run: run.of_sines,
}


def methods(setting):
    """Return the teachers of a setting."""
    return [BASELINE, ALL] if SETTINGS[setting].everything else [BASELINE, BIG, SINES, UNMAPPED]


ROWS = [(method, setting) for setting in SETTINGS for method in methods(setting)]
PUBLISHED = {
    (BASELINE, "Reg-Train, y without X"): 1.0646,
    (ALL, "Reg-Train, y without X"): 1.0644,
    (BASELINE, "Reg-Small, y without X"): 1.0790,
    (BIG, "Reg-Small, y without X"): 1.0753,
    (SINES, "Reg-Small, y without X"): 1.0763,
}
ERROR, OF_TEACHER = "mean_squared_error", "teacher_on_test"


@lru_cache(maxsize=2)
def shared(depends, seed, scale, device):
    """Return the data and the teachers that the rows of a seed and a target share."""
    return Run(depends, seed, scale, device)


def compute(row, seed, scale, device):
    """Return the squared error of a student on the test set, and that of its teacher."""
    method, setting = row[0], SETTINGS[row[1]]
    run, make_teacher = shared(setting.depends, seed, scale, device), TEACHERS[method]
    rows = slice(None) if setting.everything else run.small
    X, y = run.X[rows], run.y[rows]
    found, prediction = {}, None
    if make_teacher is not None:
        teacher = make_teacher(run)
        prediction = teacher.predict(X)
        found[OF_TEACHER] = mean_squared_error(run.y_test, teacher.predict(run.X_test))
    student = DistilledNeuralRegressor(**STUDENT, max_epochs=setting.epochs, **run.options)
    if prediction is None:
        student.set_params(imitation=0)
    student.fit(X, y, teacher_prediction=prediction)
    found[ERROR] = mean_squared_error(run.y_test, student.predict(run.X_test))
    return found


CLAIMED = [(ALL, BASELINE), (BIG, BASELINE), (SINES, BASELINE), (BIG, SINES), (SINES, UNMAPPED)]
MEAN_LABEL = "in the author's code each prediction is compared with each label"
EXPERIMENT = Experiment(
    __file__,
    rows=ROWS,
    measures=(ERROR, OF_TEACHER),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 3, "medium": 5, "full": 20},
    published={row: {ERROR: value} for row, value in PUBLISHED.items()},
    claims=[
        Claim((better, setting), (than, setting), ERROR, lower=True)
        for setting in SETTINGS
        for better, than in CLAIMED
        if better in methods(setting)
    ],
    because={
        (ERROR,): MEAN_LABEL,
        ("small", ERROR): f"there are 3000 training samples instead of 9000, and {MEAN_LABEL}",
    },
)

if __name__ == "__main__":
    main(EXPERIMENT)
