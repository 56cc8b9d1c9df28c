"""Six generations of hard and of soft students on Dogs vs. Cats, as Biryukova raised them.

    python -m examples.papers.biryukova.table_generations --scale small

Generation 0 is a student of the teacher, as in ``table_students``; each later one hears the
generation before on the training images, and no label. Labels of validation images choose the epoch
whose weights are kept. All generations begin from other weights, hard and soft ones of a number
from the same. ``growth`` is the uncertainty less that of generation 0.

``BornAgainClassifier`` raises such a line too, but its first generation hears labels, and that of
the thesis the probabilities of a teacher, so the line is drawn by hand here. Scales are those of
``table_students``.
"""

from functools import lru_cache

from sklearn.metrics import accuracy_score

from examples.papers.biryukova.estimators import dog, taught, untrained_student
from examples.papers.biryukova.lessons import draw
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


def row_of(way, number):
    """Return a generation's row."""
    return way, f"generation {number}"


ROWS = {row_of(way, number): (way, number) for way in PUBLISHED for number in NUMBERS}


@lru_cache(maxsize=len(ROWS))
def generation(way, number, seed, scale, device):
    """Fit a generation, taught by the one before, or the first one, 0, by the teacher."""
    lesson = draw(seed, scale, device)
    if number == 0:
        said = lesson.teacher_proba
    else:
        said = dog(generation(way, number - 1, seed, scale, device), lesson.X)
    student = untrained_student(scale, device, len(NUMBERS) * seed + number)
    return taught(student, lesson, said, way)


def compute(row, seed, scale, device):
    """Return what a generation reaches on the test images."""
    way, number = ROWS[row]
    X_test, y_test = draw(seed, scale, device).test
    p, of_first = (dog(generation(way, g, seed, scale, device), X_test) for g in (number, 0))
    return {
        "accuracy": accuracy_score(y_test, p > 0.5),
        "uncertainty": uncertainty_degree(p),
        "growth": uncertainty_degree(p) - uncertainty_degree(of_first),
    }


def claims():
    """Return that uncertainty grows, over soft generations, over hard ones, and over which more."""
    hard, soft = (row_of(way, N_GENERATIONS) for way in ("hard", "soft"))
    yield Claim(soft, 0.0, "growth")
    yield Claim(hard, 0.0, "growth")
    yield Claim(soft, hard, "growth")
    yield Claim(soft, hard, "accuracy")
    for way, last in (("hard", hard), ("soft", soft)):
        yield Claim(row_of(way, 0), last, "accuracy")


def published():
    """Return the thesis's figures by row."""
    return {
        row_of(way, number): {
            "accuracy": accuracy[number],
            "uncertainty": uncertainty[number],
            "growth": round(uncertainty[number] - uncertainty[0], 5),
        }
        for way, (accuracy, uncertainty) in PUBLISHED.items()
        for number in NUMBERS
    }


EXPERIMENT = Experiment(
    __file__,
    rows=list(ROWS),
    measures=("accuracy", "uncertainty", "growth"),
    compute=compute,
    scales=SCALES,
    n_runs={"small": 2, "medium": 5, "full": 3},
    published=published(),
    claims=list(claims()),
    because=BECAUSE,
)

if __name__ == "__main__":
    main(EXPERIMENT)
