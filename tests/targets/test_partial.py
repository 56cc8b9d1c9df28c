"""Predictions that leave classes unknown: the term of each row, its derivatives, its memory."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from scipy.special import logsumexp

from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design, row_sums
from sklearn_distill.students._problem import LossParams
from sklearn_distill.targets import (
    KnownProba,
    Labels,
    PartialMixture,
    PartialTeachers,
    TargetMixture,
    Teachers,
    known_of_dense,
    stack_targets,
)
from tests.helpers import central_difference, gradient_by_differences

N, D, K = 25, 3, 5
FORMS = [
    {},
    {"soften_student": False},
    {"t_squared": True},
    {"class_weight": np.array([0.5, 3.0, 1.0, 2.0, 0.0])},
    {"regularizer": "continuous_categorical"},
]
every_form = pytest.mark.parametrize("form", FORMS, ids=["", "hard", "T²", "classes", "r"])
both = pytest.mark.parametrize("partial", ["rest", "spread"])


def random_proba(rng, n=N, n_classes=K, M=2):
    """Return (M, n, K) with unknown classes, impossible ones, and missing predictions."""
    proba = rng.dirichlet(np.ones(n_classes), size=(M, n))
    proba[:, ::4, 0] = 0.0
    proba /= proba.sum(axis=2, keepdims=True)
    n_unknown = rng.integers(0, n_classes - 1, size=(M, n))
    unknown = rng.random((M, n, n_classes)).argsort(axis=2) < n_unknown[:, :, None]
    proba[unknown] = np.nan
    proba[0, 3] = np.nan
    proba[:, 4] = np.nan
    return proba


class Problem:
    """Labels, partial teachers with weights, and the objective of a linear student."""

    def __init__(self, partial, form, M=2):
        rng = np.random.default_rng(0)
        self.form, self.partial = form, partial
        self.X = rng.normal(size=(N, D))
        self.proba = random_proba(rng, M=M)
        codes = rng.integers(K, size=N)
        codes[::3] = -1
        codes[3:5] = 0
        self.labels, self.s = Labels(codes, K), rng.uniform(0.5, 2, size=N)
        self.trust = rng.uniform(0, 2, size=(M, N))
        known = known_of_dense(self.proba)
        self.teachers = PartialTeachers(known, partial, self.trust)
        self.W = rng.normal(size=(K, D + 1))

    def mixture(self, imitation=0.4, temperature=2.0):
        return PartialMixture(
            self.labels, self.teachers, self.s, imitation, temperature, **self.form
        )

    def objective(self, targets):
        sums = RowSums(as_design(self.X, True), targets, self.s)
        return SoftTargetObjective(sums, alpha=0.1)

    def written(self, W, imitation=0.4, temperature=2.0):
        """Return the sum of the rows' losses, by the definition."""
        total, Z = 0.0, np.column_stack([self.X, np.ones(N)]) @ W.T
        c = self.form.get("class_weight")
        T_ = temperature if self.form.get("soften_student", True) else 1.0
        tau = T_**2 if self.form.get("t_squared") else 1.0
        for i, z in enumerate(Z):
            y, p = self.labels.codes[i], self.proba[:, i]
            w = np.where(np.isnan(p).all(axis=1), 0.0, self.trust[:, i])
            n_available = (~np.isnan(p).all(axis=1)).sum()
            trust = w.sum() / max(n_available, 1)
            label = (c[y] if c is not None else 1.0) * self.s[i] if y >= 0 else self.s[i]
            lam = min(1.0, imitation * trust) if y >= 0 else 1.0
            if trust == 0:
                lam = 0.0
            if y >= 0:
                total += label * (1 - lam) * (logsumexp(z) - z[y])
            for p_m, w_m in zip(p, w, strict=True):
                if w_m:
                    row_c = np.ones(K) if c is None or y >= 0 else c
                    term = self._term(p_m, z / T_, row_c, temperature)
                    total += label * lam * tau * w_m / w.sum() * term
        return total

    def _term(self, p, u, c, temperature):
        known = ~np.isnan(p)
        M, r = (~known).sum(), 1 - np.nansum(p)
        r = 0.0 if M == 0 or r < 1e-6 else r
        q = np.where(known, np.nan_to_num(p), r / max(M, 1)) ** (1 / temperature)
        q /= q.sum()
        log_g = u - logsumexp(u)
        if self.partial == "spread" or M == 0:
            value, mass = -(c * q) @ log_g, c @ q
        else:
            c_rest = c[~known].mean()
            value = -(c * q)[known] @ log_g[known]
            value -= c_rest * q[~known].sum() * logsumexp(log_g[~known])
            mass = (c * q)[known].sum() + c_rest * q[~known].sum()
        if self.form.get("regularizer"):
            from sklearn_distill.losses.regularizers import make_regularizer

            value += mass * make_regularizer(self.form["regularizer"]).value(u[:, None])[0]
        return value


@every_form
@both
def test_the_loss_is_the_written_one(partial, form):
    problem = Problem(partial, form)
    objective = problem.objective(problem.mixture().targets())
    value, _ = objective.value_and_gradient(problem.W.ravel())
    penalty = 0.05 * (problem.W[:, :-1] ** 2).sum()
    expected = problem.written(problem.W) / problem.s.sum() + penalty
    assert value == pytest.approx(expected, rel=1e-9)


@every_form
@both
def test_derivatives_are_differences(partial, form):
    problem = Problem(partial, form)
    objective, w = problem.objective(problem.mixture().targets()), problem.W.ravel()
    gradient = objective.value_and_gradient(w)[1]
    found = gradient_by_differences(lambda v: objective.value_and_gradient(v)[0], w)
    np.testing.assert_allclose(gradient, found, atol=1e-7)
    v = np.random.default_rng(1).normal(size=w.shape)
    along = central_difference(lambda t: objective.value_and_gradient(w + t * v)[1], 0, 1e-6)
    np.testing.assert_allclose(objective.hessian_operator(w)(v), along, atol=1e-6)
    np.testing.assert_allclose(objective.hessian(w) @ v, along, atol=1e-6)
    at = {"imitation": 0.4, "temperature": 2.0}
    for name, tangent in (
        ("imitation", problem.mixture().imitation_tangent()),
        ("temperature", problem.mixture().temperature_tangent()),
    ):

        def at_value(t, name=name):
            targets = problem.mixture(**(at | {name: t})).targets()
            return problem.objective(targets).value_and_gradient(w)

        d_value, d_gradient = objective.tangent(w, tangent)
        differences = [
            (high - low) / 2e-5
            for high, low in zip(at_value(at[name] + 1e-5), at_value(at[name] - 1e-5), strict=True)
        ]
        assert d_value == pytest.approx(differences[0], rel=1e-6, abs=1e-8)
        np.testing.assert_allclose(d_gradient, differences[1], atol=1e-7)
        assert objective.tangents_along(w, v, [tangent])[0] == pytest.approx(d_gradient @ v)


def test_large_problems_keep_no_probabilities(monkeypatch):
    problem = Problem("rest", {})
    objective, w = problem.objective(problem.mixture().targets()), problem.W.ravel()
    v = np.random.default_rng(1).normal(size=w.shape)
    expected = objective.hessian_operator(w)(v)
    monkeypatch.setattr(row_sums, "MAX_KEPT_SCORES", 1)
    np.testing.assert_allclose(objective.hessian_operator(w)(v), expected, rtol=1e-12)


@both
@every_form
def test_all_classes_known_is_the_full_teacher(partial, form):
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(K), size=(1, N))
    labels = Labels(np.where(np.arange(N) % 3, rng.integers(K, size=N), -1), K)
    options = {"imitation": 0.4, "temperature": 3.0, **form}
    teachers = PartialTeachers(known_of_dense(proba), partial)
    found = PartialMixture(labels, teachers, np.ones(N), **options)
    full = Teachers(np.log(proba.transpose(0, 2, 1)))
    expected = TargetMixture(labels, full, np.ones(N), **options)
    for one, other in (
        (found.targets(), expected.targets()),
        (found.temperature_tangent().direction, expected.temperature_tangent().direction),
        (found.imitation_tangent().direction, expected.imitation_tangent().direction),
    ):
        np.testing.assert_allclose(one.dense_linear(slice(None)), other.linear, atol=1e-12)
        weights = [t.weight for t in one.terms if t.known is None and abs(t.weight).max() > 1e-12]
        others = [t.weight for t in other.terms if abs(t.weight).max() > 1e-12]
        for weight, its in zip(weights, others, strict=True):
            np.testing.assert_allclose(weight, its, atol=1e-12)
        for term in one.terms:
            assert term.known is None or abs(term.weight).max() < 1e-12
    np.testing.assert_allclose(found.loss_parts(), expected.loss_parts(), atol=1e-12)


def test_a_rest_below_a_millionth_is_rounding():
    """At T = 4 a rest of 6e-8 would have the probability .36 of 999 classes."""
    for rest, expected in ((6e-8, 0.0), (1e-5, None)):
        proba = np.full((1, 1, 1000), np.nan)
        proba[0, 0, 0] = 1 - rest
        (known,) = known_of_dense(proba)
        q, q_rest = known.soften(4.0)
        if expected == 0.0:
            assert (q[0], q_rest[0]) == (1.0, 0.0)
        else:
            assert q_rest[0] > 0.1
        assert q[0] + q_rest[0] == pytest.approx(1.0)


@both
def test_rows_and_classes_are_taken(partial):
    problem = Problem(partial, {})
    targets = problem.mixture().targets()
    parts = [targets.take(np.arange(10)), targets.take(slice(10, None))]
    assert parts[0].nbytes < targets.nbytes
    stacked = stack_targets(parts)
    one, other = (
        problem.objective(t).value_and_gradient(problem.W.ravel()) for t in (stacked, targets)
    )
    np.testing.assert_allclose(one[1], other[1], atol=1e-12)
    mass = problem.mixture(temperature=1.0).targets().class_mass()
    dense = problem.teachers.soften(1.0)
    share = np.where(problem.labels.present, np.minimum(0.4 * problem.teachers.trust, 1.0), 1.0)
    share = np.where(problem.teachers.teacher_mask, share, 0.0)
    expected = dense @ (share * problem.s)
    expected += problem.labels.one_hot((1 - share) * problem.s).sum(axis=1)
    np.testing.assert_allclose(mass, expected, rtol=1e-10)


@both
def test_a_class_that_is_impossible_everywhere_has_no_mass(partial):
    proba = np.random.default_rng(0).dirichlet(np.ones(K - 1), size=(1, N))
    proba = np.concatenate([np.zeros((1, N, 1)), proba], axis=2)
    proba[0, ::2, 2:4] = np.nan
    teachers = PartialTeachers(known_of_dense(proba), partial)
    labels = Labels(np.full(N, 1), K)
    mixture = PartialMixture(labels, teachers, np.ones(N), imitation=0.5, temperature=3.0)
    mass = mixture.targets().class_mass()
    assert mass[0] == 0
    assert (mass[1:] > 0.1).all()
    kept = mixture.targets().keep_classes(mass > 0)
    assert kept.n_classes == K - 1


def top_k(n, n_classes, k, seed=0):
    """Return the k largest probabilities of each row as a csr_array."""
    rng = np.random.default_rng(seed)
    indices = np.sort(rng.random((n, n_classes)).argsort(axis=1)[:, :k], axis=1)
    data = rng.dirichlet(np.ones(k + 1), size=n)[:, :k]
    indptr = np.arange(0, n * k + 1, k)
    return sparse.csr_array(
        (data.ravel(), indices.ravel().astype(np.int32), indptr.astype(np.int32)),
        shape=(n, n_classes),
    )


@both
def test_targets_are_a_small_multiple_of_the_sparse_teacher(partial):
    n, n_classes, k = 5_000, 1_000, 10
    proba = top_k(n, n_classes, k)
    size = proba.data.nbytes + proba.indices.nbytes + proba.indptr.nbytes
    labels = Labels(np.random.default_rng(1).integers(n_classes, size=n), n_classes)
    params = LossParams(0.5, 2.0, 1.0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    teachers = PartialTeachers((KnownProba.of(proba.copy()),), partial)
    targets = params.mixture(labels, teachers, np.ones(n)).targets()
    del teachers
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert targets.nbytes < 3 * size
    assert after - before < 3 * size


def test_entropies_are_the_least_teachers_losses():
    """At the student that gives the unknown classes what the teacher does."""
    problem = Problem("rest", {}, M=1)
    parts = problem.mixture().loss_parts()
    (known,) = problem.teachers.known
    q, q_rest = known.soften(2.0)
    for i in range(N):
        row = slice(*known.log_proba.indptr[i : i + 2])
        entropy = -(q[row] * np.log(np.maximum(q[row], 1e-300))).sum()
        entropy -= q_rest[i] * np.log(np.maximum(q_rest[i], 1e-300))
        assert parts[i, 3] == pytest.approx(parts[i, 2] * entropy, abs=1e-12)
