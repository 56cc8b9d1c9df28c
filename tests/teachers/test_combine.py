"""Combinations of teachers: formulas, missing predictions, and the minimum of the weights."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.exceptions import ConvergenceWarning

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.targets import Teachers, soften
from sklearn_distill.teachers import combine_teachers, learn_teacher_weights

METHODS = ["mean", "geometric", "confidence"]


def random_proba(n=40, M=3, K=4, random_state=0, missing=0.3):
    """Return probabilities (n, M, K), some missing; row 0 has none, row 1 one uniform teacher."""
    rng = np.random.default_rng(random_state)
    p = softmax(2 * rng.normal(size=(n, M, K)), axis=2)
    p[rng.random((n, M)) < missing] = np.nan
    p[:2] = np.nan
    p[1, 1] = 1 / K
    return p


def one_row(p, w, method):
    """Write the formula out for the available predictions of a row."""
    available = ~np.isnan(p[:, 0])
    p, w = p[available], w[available]
    if not w.any():
        return np.full(p.shape[1], np.nan)
    if method == "geometric":
        q = np.prod(p ** (w / w.sum())[:, None], axis=0)
        return q / q.sum()
    if method == "confidence" and len(w) > 1:
        w = w * (1 - entropy(p, axis=1) / np.log(p.shape[1]))
    return w @ p / w.sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.5], [1.0, 0.0, 3.0]])
def test_formulas(method, weights):
    p = random_proba()
    w = np.ones(3) if weights is None else np.array(weights)
    expected = [one_row(row, w, method) for row in p]
    q = combine_teachers(p, method=method, weights=weights)
    np.testing.assert_allclose(q, expected, atol=1e-12)
    assert np.isnan(q[0]).all()


@pytest.mark.parametrize("method", METHODS)
def test_properties(method):
    p = random_proba(missing=0.0)[2:]
    q = combine_teachers(p, method=method)
    np.testing.assert_allclose(q.sum(axis=1), 1)
    same = {"method": method}
    np.testing.assert_allclose(combine_teachers(list(p.transpose(1, 0, 2)), **same), q)
    np.testing.assert_allclose(combine_teachers(p[:, ::-1], **same), q)
    np.testing.assert_allclose(combine_teachers(p[:, :, ::-1], **same), q[:, ::-1])
    np.testing.assert_allclose(combine_teachers(p, weights=[7, 7, 7], **same), q)
    np.testing.assert_allclose(combine_teachers(p, weights=[0, 1, 0], **same), p[:, 1])
    np.testing.assert_allclose(combine_teachers([p[:, 0]] * 3, **same), p[:, 0])
    np.testing.assert_allclose(combine_teachers(p * 1.0009, **same), q)


def test_zeros():
    sure, other = np.array([[1.0, 0.0, 0.0]]), np.array([[0.2, 0.8, 0.0]])
    np.testing.assert_allclose(combine_teachers([sure, other], method="geometric"), sure)
    against = np.array([[0.0, 0.5, 0.5]])
    with pytest.raises(ValueError, match="row 0 has no class to which every teacher gives"):
        combine_teachers([sure, against], method="geometric")
    weighted = combine_teachers([sure, against], method="geometric", weights=[0, 1])
    np.testing.assert_allclose(weighted, against)
    unsure = np.full((1, 3), 1 / 3)
    np.testing.assert_allclose(
        combine_teachers([sure, unsure], method="confidence"), sure, atol=1e-15
    )
    np.testing.assert_allclose(combine_teachers([unsure] * 2, method="confidence"), unsure)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 50.0])
def test_softened_at_the_students_temperature_it_is_the_students_target(temperature):
    """Zeros, missing predictions and weights included: a weight of 2 is a teacher twice."""
    p = random_proba()
    p[2:4] = [[1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.25] * 4]
    with np.errstate(divide="ignore"):
        logits = np.log(p).transpose(1, 2, 0)
        for weights, repeated in ((None, [0, 1, 2]), ([2, 1, 0], [0, 0, 1])):
            q = combine_teachers(p, weights=weights, temperature=temperature)
            expected = Teachers(logits[repeated])
            rows = expected.teacher_mask
            np.testing.assert_array_equal(~np.isnan(q[:, 0]), rows)
            softened = soften(np.log(q[rows].T), temperature)
            np.testing.assert_allclose(softened, expected.soften(temperature)[:, rows], atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")  # random ones
def test_students_of_several_teachers_are_those_of_the_combination_at_their_temperature():
    p = random_proba(n=200)[2:]
    X = np.random.default_rng(1).normal(size=(len(p), 3))
    y = np.arange(len(p)) % 4
    student = DistilledLogisticRegression(0.8, 4.0, tol=1e-10)
    several = student.fit(X, y, teacher_proba=p).predict_proba(X)
    combined = combine_teachers(p, temperature=4.0)
    proba = student.fit(X, y, teacher_proba=combined).predict_proba(X)
    np.testing.assert_allclose(proba, several, atol=1e-8)
    averaged_first = student.fit(X, y, teacher_proba=combine_teachers(p)).predict_proba(X)
    assert np.abs(averaged_first - several).max() > 1e-3


def test_the_geometric_mean_is_the_same_at_any_temperature():
    p = random_proba()
    expected = combine_teachers(p, method="geometric")
    found = combine_teachers(p, method="geometric", temperature=4.0)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_frames_are_aligned():
    p = random_proba(K=2, M=2, missing=0.0)[2:]
    one = pd.DataFrame(p[:, 0], columns=["no", "yes"])
    other = pd.DataFrame(p[:, 1], columns=["no", "yes"])[["yes", "no"]]
    np.testing.assert_allclose(combine_teachers([one, other]), combine_teachers(p))
    with pytest.raises(ValueError, match=r"teacher_proba\[1\] has columns \['a', 'b'\]"):
        combine_teachers([one, other.set_axis(["a", "b"], axis=1)])


@pytest.mark.parametrize(
    ("p", "arguments", "message"),
    [
        (random_proba(), {"method": "median"}, "method must be one of"),
        (random_proba(), {"temperature": 0.0}, r"temperature=0\.0: give the temperature of the"),
        (random_proba(), {"temperature": np.nan}, "temperature=nan"),
        (random_proba(), {"temperature": "hot"}, "temperature='hot'"),
        (random_proba(), {"weights": [1, 2]}, "weights has shape"),
        (random_proba(), {"weights": [1, -1, 1]}, "weights must be finite, 0 or more"),
        (random_proba(), {"weights": [0, 0, 0]}, "weights must be finite, 0 or more and not all 0"),
        (random_proba(), {"weights": [1, np.nan, 0]}, "weights must be finite"),
        (random_proba()[:, 0], {}, r"teacher_proba has shape \(40, 4\)"),
        (random_proba()[:, :, :1], {}, "two classes"),
        ([], {}, "teacher_proba is a list of arrays"),
        ([random_proba()[:, 0], random_proba()[:9, 0]], {}, r"shapes \[\(40, 4\), \(9, 4\)\]"),
        (2 * random_proba(), {}, "teacher_proba: row 1 does not sum to 1"),
    ],
)
def test_wrong_input(p, arguments, message):
    with pytest.raises(ValueError, match=message):
        combine_teachers(p, **arguments)


def cross_entropy(w, p, y, s):
    """Write the objective out, with missing predictions."""
    label_proba = p[np.arange(len(y)), :, y]
    kept = ~np.isnan(label_proba).all(axis=1)
    label_proba, s = label_proba[kept], s[kept]
    available = ~np.isnan(label_proba)
    mixture = np.nan_to_num(label_proba) @ w / (available @ w)
    return -(s @ np.log(mixture)) / s.sum()


def held_out(missing, n=300, M=4, random_state=0):
    """Return teachers from useless to good, labels and sample weights."""
    p = random_proba(n, M, random_state=random_state, missing=missing)
    rng = np.random.default_rng(random_state)
    y = rng.integers(4, size=n)
    skill = np.linspace(0, 0.7, M)[:, None]
    p = (1 - skill) * p + skill * np.eye(4)[y][:, None]
    p[:2] = 1 / 4
    return p, y, rng.uniform(0.5, 2, size=n)


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("random_state", [0, 1])
def test_learnt_weights_are_the_minimum(missing, random_state):
    p, y, s = held_out(missing, random_state=random_state)
    w = learn_teacher_weights(p, y, sample_weight=s)
    found = minimize(
        lambda log_w: cross_entropy(np.exp(log_w), p, y, s),
        np.zeros(4),
        bounds=[(np.log(1e-6), 0)] * 4,
        method="Powell",  # a method of another kind, without derivatives
        options={"xtol": 1e-9, "ftol": 1e-12},
    )
    assert w.sum() == pytest.approx(1)
    assert (w >= 0).all()
    assert cross_entropy(w, p, y, s) <= found.fun + 1e-5


def test_learnt_weights_recover_those_that_made_the_labels():
    rng = np.random.default_rng(0)
    true = np.array([0.6, 0.3, 0.1])
    p = softmax(3 * rng.normal(size=(20_000, 3, 4)), axis=2)
    mixture = combine_teachers(p, weights=true)
    y = (rng.random((len(p), 1)) > mixture.cumsum(axis=1)).sum(axis=1)
    np.testing.assert_allclose(learn_teacher_weights(p, y), true, atol=0.03)


def test_sample_weights_are_repetitions_and_unlabelled_rows_are_ignored():
    p, y, _ = held_out(0.2, n=80)
    times = np.random.default_rng(1).integers(0, 3, size=80)
    rows = np.repeat(np.arange(80), times)
    w = learn_teacher_weights(p, y, sample_weight=times)
    np.testing.assert_allclose(w, learn_teacher_weights(p[rows], y[rows]), atol=1e-3)
    unlabelled = np.where(times > 0, y, np.nan)
    some = learn_teacher_weights(p, unlabelled)
    kept = learn_teacher_weights(p[times > 0], y[times > 0])
    np.testing.assert_allclose(some, kept, atol=1e-3)
    p[5] = np.eye(4)[(y[5] + 1) % 4]  # label of probability 0 for all: no weights change that
    assert np.isfinite(learn_teacher_weights(p, y)).all()


def test_names_of_columns_are_the_classes():
    p, y, _ = held_out(0.0, n=60)
    names = np.array(["d", "a", "c", "b"])
    frames = [pd.DataFrame(p[:, m], columns=names) for m in range(4)]
    w = learn_teacher_weights(p, y)
    np.testing.assert_allclose(learn_teacher_weights(frames, names[y]), w)
    few = y < 2
    with pytest.raises(ValueError, match=r"4 columns, but the classes are \[0, 1\]"):
        learn_teacher_weights(p[few], y[few])
    learn_teacher_weights(p[few], y[few], classes=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="but the columns are"):
        learn_teacher_weights(frames, names[y], classes=["a", "b"])


def test_a_teacher_without_predictions():
    p, y, _ = held_out(0.0, n=60)
    p[:, 2] = np.nan
    with pytest.raises(ValueError, match="teacher 2 has no prediction for any of the 60 rows"):
        learn_teacher_weights(p, y)


def test_too_few_iterations_warn():
    p, y, _ = held_out(0.0)
    with pytest.warns(ConvergenceWarning, match="more than 1 iterations"):
        learn_teacher_weights(p, y, max_iter=1)
