"""The regression rows of Bayazitov's table: a student taught by a teacher of sines.

Rows x of 100 normal features have the target y = ⟨w, x⟩ + ε, of which ε, of deviation ½, cannot be
predicted: the least squared error is 0.25, and that of the number 0 is 1.25. The student has 300
rows, "Reg-Small", or all 9000, "Reg-Train". Its teacher knows all, or the other 8700, or these as
sin x; the teacher of sines is asked about sin x, f∘φ, or about x itself, "no φ". Every run draws
w, rows, teachers and students anew. 300 rows make 60 steps in the published 20 epochs, after which
the student has learnt little; "200 epochs" trains it for longer.

    python -m examples.papers.bayazitov_2022.table_regression --scale small

The medium and the full scale have the published sizes, and the full one makes more runs. The small
one has 3000 rows instead of 9000.

Bayazitov 2022, "Distillation on multi-domain data", section 3.6. In the author's code the target
does not depend on x, but is a column of noise of its own. And there each prediction is compared
with each label, a column less a row, so that all predictions go to the mean label: the published
1.064 is about the error of the number 0. The rows "y without X" have such a target, and compare
each prediction with its own label. There the least error is 1, that of the number 0, and whatever
a student learns can only harm it; so what "holds" there, too, tells of no knowledge: the mean of
label and answer is a smaller noise to fit than the label. Students start from fresh weights (the
published runs go on with one student).
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
TEACHER = {"hidden_layer_sizes": (256, 128, 64, 64), "batch_size": 64, "max_epochs": 10}
STUDENT = {"hidden_layer_sizes": (32,), "batch_size": 100}


@dataclass(frozen=True)
class Scale:
    """Rows of the small part, of the large one, and to test."""

    small: int
    big: int
    test: int


PUBLISHED_SIZES = Scale(300, 8700, 1000)
SCALES = {"small": Scale(300, 2700, 1000), "medium": PUBLISHED_SIZES, "full": PUBLISHED_SIZES}


@dataclass(frozen=True)
class Setting:
    """What a student has: all training rows or few, epochs, and a target that depends on X."""

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
    """Draw rows and their target; of one seed the rows are the same for both targets."""
    w = np.random.default_rng(seed).standard_normal(N_FEATURES)
    coef = w / np.linalg.norm(w) if depends else np.zeros(N_FEATURES)
    noise = DEVIATION if depends else DEVIATION_WITHOUT_X
    return make_privileged_regression(n_rows, coef=coef, noise=noise, random_state=seed)


class Run:
    """What the rows of the table with one target share in one run; each teacher is made once."""

    def __init__(self, depends, seed, scale, device):
        n_train = scale.small + scale.big
        bunch = draw(depends, n_train + scale.test, seed)
        self.X, self.X_test = np.split(bunch.data, [n_train])
        self.y, self.y_test = np.split(bunch.target, [n_train])
        self.small, self.big = slice(scale.small), slice(scale.small, n_train)
        self.options = {"random_state": seed, "device": device}

    def teacher(self, X, y):
        """Return a teacher that learnt from these rows alone."""
        return DistilledNeuralRegressor(**TEACHER, **self.options).fit(X, y)

    @cached_property
    def of_all(self):
        """A teacher of all training rows."""
        return self.teacher(self.X, self.y)

    @cached_property
    def of_big(self):
        """A teacher of the large part."""
        return self.teacher(self.X[self.big], self.y[self.big])

    @cached_property
    def of_sines(self):
        """A teacher of the sines of the large part."""
        return self.teacher(np.sin(self.X[self.big]), self.y[self.big])


ALONE, ALL, BIG = "no teacher", "Reg-Train", "Reg-Big"
SINES, UNMAPPED = "Reg-Big, sin", "Reg-Big, sin, no φ"
TEACHERS: dict[str, Callable | None] = {
    ALONE: None,
    ALL: lambda run: run.of_all,
    BIG: lambda run: run.of_big,
    SINES: lambda run: make_pipeline(FunctionTransformer(np.sin), run.of_sines),
    UNMAPPED: lambda run: run.of_sines,
}


def methods(setting):
    """Return the teachers that a setting allows."""
    return [ALONE, ALL] if SETTINGS[setting].everything else [ALONE, BIG, SINES, UNMAPPED]


ROWS = [(method, setting) for setting in SETTINGS for method in methods(setting)]
PUBLISHED = {
    (ALONE, "Reg-Train, y without X"): 1.0646,
    (ALL, "Reg-Train, y without X"): 1.0644,
    (ALONE, "Reg-Small, y without X"): 1.0790,
    (BIG, "Reg-Small, y without X"): 1.0753,
    (SINES, "Reg-Small, y without X"): 1.0763,
}
ERROR, OF_TEACHER = "mean_squared_error", "teacher_on_test"


@lru_cache(maxsize=2)
def shared(depends, seed, scale, device):
    """Return what the rows of a seed and a target share."""
    return Run(depends, seed, scale, device)


def compute(row, seed, scale, device):
    """Return the squared error of one student on the test rows, and that of its teacher."""
    method, setting = row[0], SETTINGS[row[1]]
    run, make_teacher = shared(setting.depends, seed, scale, device), TEACHERS[method]
    rows = slice(None) if setting.everything else run.small
    X, y = run.X[rows], run.y[rows]
    found, says = {}, None
    if make_teacher is not None:
        teacher = make_teacher(run)
        says = teacher.predict(X)
        found[OF_TEACHER] = mean_squared_error(run.y_test, teacher.predict(run.X_test))
    student = DistilledNeuralRegressor(**STUDENT, max_epochs=setting.epochs, **run.options)
    student.fit(X, y, teacher_prediction=says)
    found[ERROR] = mean_squared_error(run.y_test, student.predict(run.X_test))
    return found


CLAIMED = [(ALL, ALONE), (BIG, ALONE), (SINES, ALONE), (BIG, SINES), (SINES, UNMAPPED)]
MEAN_LABEL = "there each prediction is compared with each label, and becomes their mean"
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
        ("small", ERROR): f"there are 3000 training rows instead of 9000, and {MEAN_LABEL}",
    },
)

if __name__ == "__main__":
    main(EXPERIMENT)
