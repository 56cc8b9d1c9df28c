"""Sums over chunks equal the sums over all rows."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.chunks import LocalChunks
from sklearn_distill.losses import ChunkSums, RowSums, as_design
from sklearn_distill.targets import Labels, SoftTargets, TargetMixture, Teachers
from tests.helpers import random_problem

CUTS = [0, 7, 8, 25, 40]


def sums_of(problem, X, **loss_params):
    mixture = TargetMixture(
        Labels(problem["codes"], problem["teacher_logits"].shape[2]),
        Teachers(problem["teacher_logits"].transpose(1, 2, 0)),
        problem["weight"],
        **{"imitation": 0.4} | loss_params,
    )
    return RowSums(as_design(X, True), mixture.targets(), problem["weight"])


def without_linear_form(sums):
    terms = SoftTargets(sums.targets.linear[:, :0], sums.targets.terms)
    return RowSums(sums.design, terms, np.empty(0))


def in_chunks(whole):
    parts = [whole.take(slice(*ends)) for ends in pairwise(CUTS)]
    chunks = LocalChunks([lambda part=part: part for part in parts])
    return ChunkSums(
        chunks.map(without_linear_form),
        chunks,
        np.diff(CUTS),
        whole.n_columns,
        whole.fit_intercept,
        whole.linear_form,
        whole.n_classes,
        whole.regularizers,
        whole.weight_sum,
    )


@pytest.fixture(params=[2, 4])
def problem(request):
    return random_problem(np.random.default_rng(request.param), n=40, K=request.param)


@pytest.fixture(params=[np.asarray, sparse.csr_array])
def pair(request, problem):
    X = request.param(problem["X"])
    whole = sums_of(problem, X, temperature=2.0, regularizer="grabovoy")
    return whole, in_chunks(whole)


def test_every_sum(pair):
    whole, chunks = pair
    rng = np.random.default_rng(0)
    W, V = rng.normal(size=(2, whole.n_scores, whole.n_columns))
    for actual, expected in [
        *zip(chunks.value_and_gradient(W), whole.value_and_gradient(W), strict=True),
        (chunks.hessian_operator(W)(V), whole.hessian_operator(W)(V)),
        (chunks.hessian(W), whole.hessian(W)),
        (chunks.hessian_blocks(W), whole.hessian_blocks(W)),
        *zip(chunks.class_moments(W), whole.class_moments(W), strict=True),
        (chunks.gram_at_zero(), whole.gram_at_zero()),
        (chunks.gram_diagonal_at_zero(), np.diag(whole.gram_at_zero())),
    ]:
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-13)
    for name in ("n_rows", "n_columns", "n_scores", "n_classes", "fit_intercept", "weight_sum"):
        assert getattr(chunks, name) == getattr(whole, name)


@pytest.mark.parametrize("rows", [np.array([0, 6, 7, 8, 24, 39]), np.array([9, 10]), slice(None)])
def test_rows_taken_out_have_the_same_sums(pair, rows):
    whole, chunks = pair
    W = np.random.default_rng(0).normal(size=(whole.n_scores, whole.n_columns))
    taken, expected = chunks.take(rows), whole.take(rows)
    for a, b in zip(taken.value_and_gradient(W), expected.value_and_gradient(W), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(taken.linear_form, expected.linear_form, rtol=1e-12)
    assert taken.weight_sum == pytest.approx(expected.weight_sum)


def test_a_chunk_may_lack_a_term(problem):
    """A chunk without predictions of a teacher has no teacher's term."""
    problem["teacher_logits"][:10] = np.nan
    problem["codes"][:10] = 0
    whole = sums_of(problem, problem["X"], temperature=3.0)
    first = sums_of({name: values[:10] for name, values in problem.items()}, problem["X"][:10])
    assert len(first.targets.terms) < len(whole.targets.terms)
    rest = whole.take(slice(10, 40))
    chunks = LocalChunks([lambda: first, lambda: rest])
    sums = ChunkSums(
        chunks, chunks, np.array([10, 30]), whole.n_columns, True, whole.linear_form,
        whole.n_classes, {None}, whole.weight_sum,
    )  # fmt: skip
    W = np.random.default_rng(1).normal(size=(whole.n_scores, whole.n_columns))
    taken = sums.take(np.arange(40))
    for found in (sums, taken):
        np.testing.assert_allclose(found.value_and_gradient(W)[1], whole.value_and_gradient(W)[1])
