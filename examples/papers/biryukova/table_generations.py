"""Six generations of hard and of soft students on Dogs vs. Cats: Biryukova.

    python -m examples.papers.biryukova.table_generations --scale small

Generation 0 is a student of the teacher, as in ``table_students``. Each later generation is trained
on the predictions of the generation before for the training images, without labels. The labels of
the validation images determine the epoch whose weights are kept. Each generation starts from
different weights, which the hard and the soft student of a generation share. ``growth`` is the
degree of uncertainty minus that of generation 0.

``BornAgainClassifier`` with ``first_teacher_proba`` fits such a sequence, too. Here the generations
are fitted one by one, since each is a row, and the hard and the soft one of a number share their
initial weights. The scales are those of ``table_students``; a seed of the full one would take 51
days of a core.
"""

from functools import lru_cache

from sklearn.metrics import accuracy_score

from examples.papers.biryukova.data import draw
from examples.papers.biryukova.estimators import dog_proba, fit_student, untrained_student
from examples.papers.biryukova.scales import BECAUSE, SCALES
from examples.papers.claims import Claim
from examples.papers.runs import Experiment, main
from sklearn_distill.metrics import uncertainty_degree

N_GENERATIONS = 6
NUMBERS = range(N_GENERATIONS + 1)
PUBLISHED = {  # of accuracy and uncertainty on test, by generation
    "hard": (
        (0.95440, 0.95760, 0.94880, 0.94773, 0.94293, 0.93600, 0.93520),
        (0.00713, 0.00600, 0.00515, 0.00668, 0.00575, 0.00895, 0.00561),
    ),
    "soft": (
        (0.96320, 0.96320, 0.95733, 0.95093, 0.95307, 0.94507, 0.94587),
        (0.00403, 0.00454, 0.00935, 0.01272, 0.01576, 0.01856, 0.02268),
    ),
}


def row_of(method, number):
    """Return the row of a generation."""
    return method, f"generation {number}"


ROWS = {row_of(method, number): (method, number) for method in PUBLISHED for number in NUMBERS}


@lru_cache(maxsize=len(ROWS))
def generation(method, number, seed, scale, device):
    """Fit a generation on the predictions of the one before, and generation 0 on the teacher's."""
    data = draw(seed, scale, device)
    if number == 0:
        proba = data.teacher_proba
    else:
        proba = dog_proba(generation(method, number - 1, seed, scale, device), data.X)
    student = untrained_student(scale, device, len(NUMBERS) * seed + number)
    return fit_student(student, data, proba, method)


def compute(row, seed, scale, device):
    """Return the measures of a generation on the test images."""
    method, number = ROWS[row]
    X_test, y_test = draw(seed, scale, device).test
    p, p_first = (
        dog_proba(generation(method, g, seed, scale, device), X_test) for g in (number, 0)
    )
    return {
        "accuracy": accuracy_score(y_test, p > 0.5),
        "uncertainty": uncertainty_degree(p),
        "growth": uncertainty_degree(p) - uncertainty_degree(p_first),
    }


def claims():
    """Claim that uncertainty grows over soft and over hard generations, and more over soft ones."""
    hard, soft = (row_of(method, N_GENERATIONS) for method in ("hard", "soft"))
    yield Claim(soft, 0.0, "growth")
    yield Claim(hard, 0.0, "growth")
    yield Claim(soft, hard, "growth")
    yield Claim(soft, hard, "accuracy")
    for method, last in (("hard", hard), ("soft", soft)):
        yield Claim(row_of(method, 0), last, "accuracy")


def published():
    """Return the published values by row; the growth of generation 0 is 0 by definition."""
    return {
        row_of(method, number): {"accuracy": accuracy[number], "uncertainty": uncertainty[number]}
        | ({"growth": round(uncertainty[number] - uncertainty[0], 5)} if number else {})
        for method, (accuracy, uncertainty) in PUBLISHED.items()
        for number in NUMBERS
    }


EXPERIMENT = Experiment(
    __file__,
    rows=list(ROWS),
    measures=("accuracy", "uncertainty", "growth"),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 2, "medium": 5, "large": 3, "full": 3},
    published=published(),
    claims=list(claims()),
    because=BECAUSE,
)

if __name__ == "__main__":
    main(EXPERIMENT)
