"""What the user guide says of the papers' experiments agrees with their stored runs."""

import re
from pathlib import Path

import pytest

from examples.papers import guides
from examples.papers.biryukova.table_generations import PUBLISHED
from examples.papers.claims import DOES_NOT, HOLDS, Claim, gain
from examples.papers.guides import ALL, BOTH, CODE, KNOWN, LABELS, MEAN, STACKED
from examples.papers.runs import read_runs
from examples.papers.sedova_2022 import table_cifar10

DOCS = Path(__file__).parents[1] / "docs" / "user_guide"


@pytest.fixture(scope="module")
def runs():
    return guides.shown_runs(table_cifar10.EXPERIMENT)[1]


def test_the_page_on_latent_spaces_has_the_stored_results():
    page = guides.GUIDE.read_text("utf-8")
    assert guides.BEGIN in page
    assert guides.with_results(page) == page


@pytest.mark.parametrize(
    ("code", "mean"), [((CODE, KNOWN), (MEAN, KNOWN)), ((CODE, ALL), (MEAN, ALL))]
)
def test_the_code_adds_less_than_a_tenth_of_what_the_probabilities_add(runs, code, mean):
    of_code = gain(runs, Claim(code, mean, "cross_entropy", lower=True))
    of_mean = gain(runs, Claim(mean, LABELS, "cross_entropy", lower=True))
    assert of_code["verdict"] == of_mean["verdict"] == HOLDS
    assert of_code["gain"] < of_mean["gain"] / 10


def test_the_accuracy_increases_by_one_to_two_points(runs):
    pairs = [
        ((CODE, KNOWN), (MEAN, KNOWN)),
        ((CODE, ALL), (MEAN, ALL)),
        ((BOTH, ALL), (STACKED, ALL)),
    ]
    gains = [gain(runs, Claim(code, mean, "accuracy")) for code, mean in pairs]
    assert all(0.005 <= found["gain"] <= 0.02 and found["low"] > 0 for found in gains)


def test_with_fewer_samples_the_increase_is_not_distinguishable_from_0():
    runs = read_runs(table_cifar10.EXPERIMENT)
    claim = Claim((CODE, KNOWN), (MEAN, KNOWN), "accuracy")
    found = gain(runs[runs["scale"] == "medium"], claim)
    assert found["low"] < 0 < found["high"]


def test_a_logistic_regression_on_the_layers_adds_more_than_the_code(runs):
    for measure, lower in (("accuracy", False), ("cross_entropy", True)):
        claim = Claim((CODE, ALL), (STACKED, ALL), measure, lower)
        assert gain(runs, claim)["verdict"] == DOES_NOT


def test_the_page_on_generations_quotes_the_published_uncertainties():
    page = (DOCS / "generations.md").read_text("utf-8")
    sentence = re.search(r"With ResNets, Biryukova reports that .*?\.(?=\s)", page, re.DOTALL)[0]
    numbers = [float(number) for number in re.findall(r"\.\d+", sentence)]
    soft, hard = (PUBLISHED[name][1][1:] for name in ("soft", "hard"))
    assert numbers[:2] == [round(soft[0], 4), round(soft[-1], 4)]
    low, high = numbers[2:]
    assert low <= min(hard)
    assert max(hard) <= high
