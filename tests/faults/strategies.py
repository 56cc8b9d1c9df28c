"""What may come into ``fit``: hypothesis chooses the kinds, a seed the numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.utils import _safe_indexing

from tests.faults import makers

# of each part what fit must take where all parts are such, and what it may refuse
KINDS: dict[str, tuple[str, str]] = {
    "features": (
        "normal/normal/constant/zero/a constant column/repeated columns/whole numbers/"
        "of many sizes",
        "with NaN/with inf/no column/one-dimensional",
    ),
    "table": ("float64/float64/float32/int8/list/frame/csr/object", ""),
    "weight": ("none/none/ones/random/tiny/huge/some zero", "zero/negative/NaN/short"),
}
OF_CLASSES = KINDS | {
    "codes": ("random/random/one row a class/a class alone", "one class"),
    "labels": (
        "int/bool/uint8/float/str/object of int/object of str/Int64/category/list",
        "fraction/strings and numbers/two columns/complex/date",
    ),
    "missing": ("none/none/some", "all/infinite/y is None"),
    "argument": ("none/teacher_proba/teacher_proba/teacher_logits", ""),
    "teacher_proba": (
        "spread/spread/certain/uniform/rounded/a class without mass",
        "negative/no distribution",
    ),
    "teacher_logits": ("small/large/with -inf", "with +inf/all -inf"),
    "silence": ("none/none/some", "all/in part"),
    "shape": ("as it must be/as it must be/several/frame", "flat/wide/short/scalar"),
}
OF_NUMBERS = KINDS | {
    "y": ("normal/normal/constant/large/some missing", "all missing/NaN/inf/words/short"),
    "teacher": ("none/normal/normal/constant/some missing", "all missing/NaN/inf/words/short"),
    "outputs": ("flat/flat/one column/two columns", ""),
}


@dataclass
class FitData:
    """What fit is given."""

    X: Any
    y: Any
    answers: dict[str, Any] = field(default_factory=dict)
    sample_weight: Any = None

    def fit(self, student: Any) -> Any:
        return student.fit(self.X, self.y, sample_weight=self.sample_weight, **self.answers)

    def present(self) -> Any:
        """Return X without the rows of weight 0, which may be NaN where they are left out."""
        if np.ndim(self.sample_weight) == 0:
            return self.X
        return _safe_indexing(self.X, np.flatnonzero(np.asarray(self.sample_weight) > 0))


@st.composite
def kinds(draw: st.DrawFn, of: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Draw a kind of each part: most of them right, none to two of them perhaps not."""
    faulty = draw(st.just(frozenset()) | st.sets(st.sampled_from(sorted(of)), max_size=2))
    return {
        part: draw(
            st.sampled_from((f"{right}/{wrong}" if wrong and part in faulty else right).split("/"))
        )
        for part, (right, wrong) in of.items()
    }


@st.composite
def class_data(
    draw: st.DrawFn, *, with_teacher: bool = True, max_classes: int = 6, max_rows: int = 30
) -> FitData:
    """Draw X, labels and weights for a classifier, and a teacher if ``with_teacher``."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(kinds(OF_CLASSES))
    K = 2 if kind["labels"] == "bool" else draw(st.integers(2, max_classes))
    n = K if kind["codes"] == "one row a class" else draw(st.integers(K, max(max_rows, K)))
    codes = makers.codes_of(rng, n, K, kind["codes"])
    X = makers.features(rng, n, draw(st.integers(1, 4)), kind["features"], kind["table"])
    y = makers.labels(rng, codes, kind["labels"], kind["missing"])
    weight = makers.weights(rng, n, kind["weight"])
    return FitData(X, y, teacher_for(rng, codes, kind) if with_teacher else {}, weight)


def teacher_for(
    rng: np.random.Generator, codes: makers.Array, kind: dict[str, str]
) -> dict[str, Any]:
    """Return what a teacher says of rows with these labels."""
    argument = kind["argument"]
    if argument == "none":
        return {}
    shown = np.unique(codes)
    K = max(2, len(shown))
    make = makers.probabilities if argument == "teacher_proba" else makers.logits
    answers = makers.with_missing(rng, make(rng, len(codes), K, kind[argument]), kind["silence"])
    names = np.asarray(makers.LABELS[kind["labels"]](np.resize(shown, K))).tolist()
    return {argument: makers.shaped(rng, answers, names, kind["shape"])}


@st.composite
def regression_data(draw: st.DrawFn, *, with_teacher: bool = True, max_rows: int = 30) -> FitData:
    """Draw X, targets and weights for a regressor, and a teacher if ``with_teacher``."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(kinds(OF_NUMBERS))
    n, d = draw(st.integers(1, max_rows)), draw(st.integers(1, 4))
    X = makers.features(rng, n, d, kind["features"], kind["table"])
    m = 2 if kind["outputs"] == "two columns" else 1
    answers = {}
    if with_teacher and kind["teacher"] != "none":
        answers["teacher_prediction"] = _flat(makers.numbers(rng, n, m, kind["teacher"]), kind)
    y = _flat(makers.numbers(rng, n, m, kind["y"]), kind)
    return FitData(X, y, answers, makers.weights(rng, n, kind["weight"]))


def _flat(Y: makers.Array, kind: dict[str, str]) -> makers.Array:
    return Y[:, 0] if kind["outputs"] == "flat" else Y


def powers(low: int, high: int) -> st.SearchStrategy[float]:
    """Return powers of ten between these exponents."""
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


def imitations() -> st.SearchStrategy[float]:
    return st.sampled_from((0.0, 0.5, 1.0)) | st.floats(0, 1)


def holds(law: Callable[..., None], n_examples: int, **strategies: st.SearchStrategy[Any]) -> None:
    """Try a law on examples, the same in each run."""
    quiet = settings(
        max_examples=n_examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    quiet(given(**strategies)(law))()
