"""``debias`` of DistilledLogisticRegression: the labels decide, unlabelled rows reduce variance."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from sklearn_distill import DistilledLogisticRegression

N_LABELLED, N_UNLABELLED, D = 60, 90, 3
N = N_LABELLED + N_UNLABELLED


def problem(n_classes, seed=0):
    """Return X, y with NaN for missing labels, a teacher's probabilities and weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D))
    scores = X @ rng.normal(size=(D, n_classes))
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1).astype(float)
    y[N_LABELLED:] = np.nan
    q = softmax(scores + rng.normal(size=scores.shape), axis=1)
    return X, y, q, rng.uniform(0.5, 2.0, N)


def written_objective(w, X, y, q, weight, *, rho, C, n_classes):
    """Return the objective as the docstring writes it, and as a user would: K columns or one."""
    n_scores = 1 if n_classes == 2 else n_classes
    W = w.reshape(n_scores, D + 1)
    z = X @ W[:, :-1].T + W[:, -1]
    if n_classes == 2:
        z = np.column_stack([np.zeros(len(z)), z])
    by_q = logsumexp(z, axis=1) - (q * z).sum(axis=1)
    labelled = ~np.isnan(y)
    codes = y[labelled].astype(int)
    by_label = logsumexp(z[labelled], axis=1) - z[labelled, codes]
    n, n_unlabelled = weight[labelled].sum(), weight[~labelled].sum()
    loss = weight[labelled] @ (by_label - rho * by_q[labelled])
    loss += rho * n / n_unlabelled * (weight[~labelled] @ by_q[~labelled])
    return C * loss + 0.5 * (W[:, :-1] ** 2).sum()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("rho", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("solver", ["auto", "lbfgs", "newton-cg"])
def test_it_is_what_an_independent_minimiser_finds(n_classes, rho, solver):
    X, y, q, weight = problem(n_classes)
    student = DistilledLogisticRegression(debias=rho, C=0.7, solver=solver, tol=1e-8, max_iter=500)
    student.fit(X, y, weight, teacher_proba=q)
    n_scores = 1 if n_classes == 2 else n_classes
    found = minimize(
        lambda w: written_objective(w, X, y, q, weight, rho=rho, C=0.7, n_classes=n_classes),
        np.zeros(n_scores * (D + 1)),
        method="BFGS",
        options={"gtol": 1e-4},
    )
    coef = found.x.reshape(n_scores, D + 1)
    np.testing.assert_allclose(student.coef_, coef[:, :-1], atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("rho", [0.3, 1.0])
@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")
def test_whatever_the_teacher_the_labels_decide(n_classes, rho):
    # where the unlabelled rows are the labelled ones, both terms with ρ are the same
    X, y, _, weight = problem(n_classes)
    X, y, weight = X[:N_LABELLED], y[:N_LABELLED], weight[:N_LABELLED]
    any_teacher = np.random.default_rng(1).dirichlet(np.full(n_classes, 0.3), N_LABELLED)
    student = DistilledLogisticRegression(debias=rho, C=2.0, tol=1e-8).fit(
        np.tile(X, (3, 1)),
        np.concatenate([y, np.full(2 * N_LABELLED, np.nan)]),
        np.concatenate([weight, weight, 5 * weight]),
        teacher_proba=np.tile(any_teacher, (3, 1)),
    )
    labels_alone = LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(X, y, weight)
    np.testing.assert_allclose(student.coef_, labels_alone.coef_, atol=1e-5)
    np.testing.assert_allclose(student.predict_proba(X), labels_alone.predict_proba(X), atol=1e-6)


def test_zero_is_the_labels_alone():
    X, y, q, weight = problem(3)
    labelled = slice(N_LABELLED)
    student = DistilledLogisticRegression(debias=0.0, tol=1e-8)
    student.fit(X, y, weight, teacher_proba=q)
    alone = DistilledLogisticRegression(0.0, tol=1e-8)
    alone.fit(X[labelled], y[labelled], weight[labelled])
    np.testing.assert_allclose(student.coef_, alone.coef_, atol=1e-6)


def test_imitation_has_no_effect_and_a_prediction_may_be_missing():
    X, y, q, weight = problem(3)
    q[:20] = np.nan
    fits = [
        DistilledLogisticRegression(imitation, debias=0.5, tol=1e-8).fit(
            X, y, weight, teacher_proba=q
        )
        for imitation in (0.0, 1.0)
    ]
    np.testing.assert_array_equal(fits[0].coef_, fits[1].coef_)
    # the weights of the rows are those of the mixture with the prediction subtracted
    codes = np.where(np.isnan(y), 0, y).astype(int)
    linear = weight[:, None] * np.eye(3)[codes]
    linear[20:N_LABELLED] -= 0.5 * weight[20:N_LABELLED, None] * q[20:N_LABELLED]
    share = 0.5 * weight[20:N_LABELLED].sum() / weight[N_LABELLED:].sum()
    linear[N_LABELLED:] = share * weight[N_LABELLED:, None] * q[N_LABELLED:]
    z = fits[0].decision_function(X)
    gradient = (linear.sum(axis=1)[:, None] * softmax(z, axis=1) - linear).T @ X + fits[0].coef_
    np.testing.assert_allclose(gradient, 0, atol=1e-4)


def test_a_teacher_softened_for_an_unsoftened_student():
    X, y, q, weight = problem(2)
    softened = q ** (1 / 3) / (q ** (1 / 3)).sum(axis=1, keepdims=True)
    by_temperature = DistilledLogisticRegression(
        temperature=3.0, soften_student=False, debias=0.6, tol=1e-8
    ).fit(X, y, weight, teacher_proba=q)
    by_hand = DistilledLogisticRegression(debias=0.6, tol=1e-8)
    by_hand.fit(X, y, weight, teacher_proba=softened)
    np.testing.assert_allclose(by_temperature.coef_, by_hand.coef_, atol=1e-6)


def test_a_good_teacher_reduces_the_variance_and_a_bad_one_does_little_harm():
    # few labels, and a teacher that knows what x does not say
    rng = np.random.default_rng(0)
    losses = {name: [] for name in ("alone", "good", "bad", "bad, plain")}
    for _ in range(30):
        X = rng.normal(size=(2400, D))
        hidden = 4 * rng.normal(size=2400)
        p = 1 / (1 + np.exp(-(X @ [1.0, -1.0, 0.5] + hidden)))
        labels = (rng.uniform(size=2400) < p).astype(float)
        y = np.where(np.arange(2400) < 200, labels, np.nan)
        good, bad = np.column_stack([1 - p, p]), np.full((2400, 2), [0.1, 0.9])
        test, train = slice(1400, 2400), slice(1400)
        for name, student, q in (
            ("alone", DistilledLogisticRegression(debias=0.0), good),
            ("good", DistilledLogisticRegression(debias=0.8), good),
            ("bad", DistilledLogisticRegression(debias=0.8), bad),
            ("bad, plain", DistilledLogisticRegression(0.0), bad),
        ):
            student.fit(X[train], y[train], teacher_proba=q[train])
            losses[name].append(log_loss(labels[test], student.predict_proba(X[test])))
    mean = {name: np.mean(values) for name, values in losses.items()}
    harm = {name: mean[name] - mean["alone"] for name in mean}
    assert harm["good"] < -0.002
    assert harm["bad"] < 0.02 < 0.3 < harm["bad, plain"]


X, Y, Q, _ = problem(3)
PARTIAL = np.where(np.arange(N)[:, None] == 3, [np.nan, np.nan, 0.2], Q)
UNTAUGHT = np.where(np.isnan(Y)[:, None], Q, np.nan)
SURPLUS = np.where(np.arange(N)[:, None] < N_LABELLED, [0, 1, 0], [0, 0, 1])
RARE = np.where(np.isnan(Y), np.nan, np.minimum(np.arange(N), 2))


@pytest.mark.parametrize(
    ("params", "data", "message"),
    [
        ({"temperature": 2.0}, {}, "debias=0.5 with temperature=2.0.*set temperature=1"),
        ({"regularizer": "grabovoy"}, {}, "debias=0.5 with regularizer='grabovoy'"),
        ({"class_weight": "balanced"}, {}, "debias=0.5 with class_weight='balanced'"),
        ({"C": np.inf}, {}, "debias=0.5 with C=inf"),
        ({}, {"teacher_proba": UNTAUGHT}, "no labelled row with a prediction"),
        ({}, {"y": np.nan_to_num(Y)}, "no row without a label"),
        ({}, {"teacher_weight": np.linspace(0, 1, N)}, "debias=0.5 takes no teacher_weight"),
        ({}, {"teacher_proba": PARTIAL}, "debias=0.5 needs predictions for all classes"),
        ({}, {"y": RARE, "teacher_proba": SURPLUS}, r"debias=0.5 has no minimum: .* \[1.0\]"),
        ({"debias": 1.5}, {}, "'debias' parameter of DistilledLogisticRegression must be"),
    ],
)
def test_what_it_cannot_do_is_named(params, data, message):
    student = DistilledLogisticRegression(**{"debias": 0.5} | params)
    arguments = {"y": Y, "teacher_proba": Q} | data
    with pytest.raises(ValueError, match=message):
        student.fit(X, **arguments)
    assert not hasattr(student, "coef_")


def test_chunks_are_refused():
    dask = pytest.importorskip("dask.array", reason="dask is an extra")
    with pytest.raises(ValueError, match=r"debias=0.5 needs .* X is read in chunks"):
        DistilledLogisticRegression(debias=0.5).fit(
            dask.from_array(X, chunks=(50, -1)), Y, teacher_proba=Q
        )
