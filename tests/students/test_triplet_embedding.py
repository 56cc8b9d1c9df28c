"""The triplet loss of a teacher's embedding: its formula, its rows, and what it is used for."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.nets._embedding import (
    TripletEmbeddingLoss,
    embedding_table,
    triplet_columns,
)

N, D, K = 40, 3, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4)).astype(np.float32)
Y = RNG.integers(K, size=N)
E = np.eye(K)[Y] + 0.1 * RNG.normal(size=(N, K))


def small(**options):
    return DistilledNeuralClassifier(
        **{"hidden_layer_sizes": (6,), "imitation": 0.0, "random_state": 0, "max_epochs": 3}
        | {"embedding_weight": 1.0, "precision": "float64"}
        | options
    )


class Zero(nn.Module):
    """No loss of the scores."""

    def forward(self, scores, table):
        return scores.sum() * 0


def loss_of(a, e, codes, weight, margin):
    table = np.column_stack([e, triplet_columns(e, codes), np.ones(len(e))])
    table[:, -1] = embedding_table(e, weight)[:, -1]
    table[:, :D] = np.nan_to_num(table[:, :D])
    loss = TripletEmbeddingLoss(Zero(), 2.0, D, margin)
    return float(loss((torch.tensor(a), torch.tensor(a)), torch.tensor(table)))


def by_hand(a, e, codes, weight, margin):
    """The formula, sample by sample."""
    total = 0.0
    known = ~np.isnan(e).any(axis=1)
    for i in range(len(a)):
        negatives = [j for j in range(len(a)) if known[j] and codes[j] not in {-1, codes[i]}]
        if codes[i] == -1 or not known[i] or not negatives:
            continue
        near = ((a[i] - e[i]) ** 2).sum()
        excess = [max(0.0, margin + near - ((a[i] - e[j]) ** 2).sum()) for j in negatives]
        total += weight[i] * np.mean(excess)
    return 2.0 * total / len(a)


@pytest.mark.parametrize("margin", [0.2, 1.0, 10.0])
def test_the_written_formula(margin):
    a, e = RNG.normal(size=(2, N, D))
    codes, weight = RNG.integers(-1, K, size=N), RNG.uniform(0.5, 2, size=N)
    e[::7] = np.nan
    found = loss_of(a, e, codes, weight, margin)
    assert found == pytest.approx(by_hand(a, e, codes, weight, margin), rel=1e-12)
    assert found > 0


def test_one_class_has_no_triplet():
    a, e = RNG.normal(size=(2, N, D))
    assert loss_of(a, e, np.zeros(N, int), np.ones(N), 1.0) == 0


def test_samples_without_label_or_embedding_do_not_matter():
    y, e = Y.astype(float), E.copy()
    e[30:] = np.nan
    options = {"batch_size": N, "imitation": 0.5}
    teacher = RNG.normal(size=(N, K))
    y[:10] = np.nan
    first = small(embedding_margin=1.0, **options)
    first.fit(X, y, teacher_logits=teacher, teacher_embedding=e)
    other = e.copy()
    other[:10] += 5  # no label, no triplet
    second = small(embedding_margin=1.0, **options)
    second.fit(X, y, teacher_logits=teacher, teacher_embedding=other)
    np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(X), rtol=1e-8)
    other[10:30] += 5
    third = small(embedding_margin=1.0, **options)
    third.fit(X, y, teacher_logits=teacher, teacher_embedding=other)
    assert not np.allclose(first.predict_proba(X), third.predict_proba(X))


def test_the_student_comes_nearer_to_its_own_code_than_to_others():
    """By the margin, where it can: the codes of three classes are far apart."""
    student = small(embedding_margin=0.5, max_epochs=300, lr=0.02, batch_size=N, imitation=0.0)
    student.set_params(embedding_weight=10.0)
    centres = 2 * np.eye(K)
    separable = (np.eye(K)[Y] @ RNG.normal(size=(K, 4))).astype(np.float32) + 0.05 * X
    student.fit(separable, Y, teacher_embedding=centres[Y])
    projection = student.net_.projection_
    hidden = torch.tensor(separable, dtype=torch.float64)
    with torch.inference_mode():
        h = student.net_.module_.body(hidden)
        a = projection([h]).numpy()
    distance = ((a[:, None] - centres) ** 2).sum(axis=2)
    own = distance[np.arange(N), Y]
    distance[np.arange(N), Y] = np.inf
    assert (distance.min(axis=1) > own + 0.4).mean() > 0.95


@pytest.mark.parametrize("options", [{}, {"embedding_margin": 1.0}, {"embedding_margin": 3.0}])
def test_the_margin_matters(options):
    found = small(**options).fit(X, Y, teacher_embedding=E).predict_proba(X)
    other = small(embedding_margin=2.0).fit(X, Y, teacher_embedding=E).predict_proba(X)
    assert not np.allclose(found, other)


def test_a_margin_without_a_weight_and_with_several_labels():
    with pytest.raises(ValueError, match=r"embedding_margin=1\.0 has no effect with embedding_"):
        small(embedding_margin=1.0, embedding_weight=0.0).fit(X, Y)
    with pytest.raises(ValueError, match=r"embedding_margin=1\.0 with y of several labels"):
        small(embedding_margin=1.0).fit(X, np.eye(K)[Y], teacher_embedding=E)
    with pytest.raises(ValueError, match="embedding_margin"):
        small(embedding_margin=0.0).fit(X, Y, teacher_embedding=E)
