"""Sums over blocks are those over all rows at once."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.chunks import LocalChunks
from sklearn_distill.losses import ChunkSums, RowSums, as_design
from sklearn_distill.targets import Labels, SoftTargets, TargetMixture, Teachers
from tests.helpers import random_problem

CUTS = [0, 7, 8, 25, 40]


def sums_of(problem, X, **setting):
    mixture = TargetMixture(
        Labels(problem["codes"], problem["teacher_logits"].shape[2]),
        Teachers(problem["teacher_logits"].transpose(1, 2, 0)),
        problem["weight"],
        **{"imitation": 0.4} | setting,
    )
    return RowSums(as_design(X, True), mixture.targets(), problem["weight"])


def light(sums):
    terms = SoftTargets(sums.targets.linear[:, :0], sums.targets.terms)
    return RowSums(sums.design, terms, np.empty(0))


def in_blocks(whole):
    pieces = [whole.take(slice(*ends)) for ends in pairwise(CUTS)]
    blocks = LocalChunks([lambda piece=piece: piece for piece in pieces])
    return ChunkSums(
        blocks.map(light),
        blocks,
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
    return whole, in_blocks(whole)


def test_every_sum(pair):
    whole, blocks = pair
    rng = np.random.default_rng(0)
    W, V = rng.normal(size=(2, whole.n_scores, whole.n_columns))
    for one, other in [
        *zip(blocks.value_and_gradient(W), whole.value_and_gradient(W), strict=True),
        (blocks.hessian_operator(W)(V), whole.hessian_operator(W)(V)),
        (blocks.hessian(W), whole.hessian(W)),
        (blocks.hessian_blocks(W), whole.hessian_blocks(W)),
        (blocks.gram_at_zero(), whole.gram_at_zero()),
    ]:
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
    for name in ("n_rows", "n_columns", "n_scores", "n_classes", "fit_intercept", "weight_sum"):
        assert getattr(blocks, name) == getattr(whole, name)


@pytest.mark.parametrize("rows", [np.array([0, 6, 7, 8, 24, 39]), np.array([9, 10]), slice(None)])
def test_rows_taken_out_are_those(pair, rows):
    whole, blocks = pair
    W = np.random.default_rng(0).normal(size=(whole.n_scores, whole.n_columns))
    one, other = blocks.take(rows), whole.take(rows)
    for a, b in zip(one.value_and_gradient(W), other.value_and_gradient(W), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(one.linear_form, other.linear_form, rtol=1e-12)
    assert one.weight_sum == pytest.approx(other.weight_sum)


def test_a_block_may_lack_a_term(problem):
    """Where no teacher speaks in a block, it has no teacher's term."""
    problem["teacher_logits"][:10] = np.nan
    problem["codes"][:10] = 0
    whole = sums_of(problem, problem["X"], temperature=3.0)
    first = sums_of({name: values[:10] for name, values in problem.items()}, problem["X"][:10])
    assert len(first.targets.terms) < len(whole.targets.terms)
    rest = whole.take(slice(10, 40))
    blocks = LocalChunks([lambda: first, lambda: rest])
    sums = ChunkSums(
        blocks, blocks, np.array([10, 30]), whole.n_columns, True, whole.linear_form,
        whole.n_classes, {None}, whole.weight_sum,
    )  # fmt: skip
    W = np.random.default_rng(1).normal(size=(whole.n_scores, whole.n_columns))
    taken = sums.take(np.arange(40))
    for one in (sums, taken):
        np.testing.assert_allclose(one.value_and_gradient(W)[1], whole.value_and_gradient(W)[1])
