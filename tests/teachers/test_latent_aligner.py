"""LatentAligner: aligned codes are near, missing rows have none, unlinked teachers are refused."""

import pickle

import numpy as np
import pytest
import torch
from scipy.stats import ortho_group
from sklearn.base import clone
from sklearn.datasets import make_blobs

from sklearn_distill import DistilledNeuralClassifier, LatentAligner

N, WIDTH = 120, 6
X, Y = make_blobs(N, n_features=WIDTH, centers=4, cluster_std=1.5, random_state=0)


def teachers(n_teachers=3, seed=0):
    """Return orthogonal maps of one representation."""
    maps = ortho_group.rvs(WIDTH, size=n_teachers, random_state=seed)
    return [X @ one for one in maps]


def partial_teachers(classes=((0, 1, 2), (1, 2, 3), (2, 3, 0))):
    """Return teachers whose representations of some classes are missing."""
    pairs = zip(teachers(len(classes)), classes, strict=True)
    return [np.where(np.isin(Y, of_teacher)[:, None], rows, np.nan) for rows, of_teacher in pairs]


def small(**options):
    defaults = {"n_components": 3, "hidden_layer_sizes": (16,), "max_epochs": 5, "device": "cpu"}
    return LatentAligner(**{**defaults, "random_state": 0, **options})


def distances(codes, y):
    """Return mean squared distances of codes of one row, and of rows of different classes."""
    a, b = codes[:, 0], codes[:, 1]
    between = ((a[:, None] - b) ** 2).sum(-1)
    return np.diag(between).mean(), between[y[:, None] != y].mean()


@pytest.mark.parametrize("anchor", ["first", "each", "student"])
def test_orthogonal_maps_of_one_representation_are_aligned(anchor):
    first, second = teachers(2)
    train, test = np.arange(N) < 80, np.arange(N) >= 80
    aligner = small(anchor=anchor, max_epochs=150, lr=5e-3, batch_size=80)
    given = {"student": X[train]} if anchor == "student" else {}
    aligner.fit([first[train], second[train]], Y[train], **given)
    for rows in (train, test):
        codes = aligner.transform([first[rows], second[rows]])
        same, other = distances(codes, Y[rows])
        assert same < other / 3  # with the student as the anchor 0.59 and 2.47, else 0.15 and 2.2
    unaligned = small(triplet_weight=0, max_epochs=150, lr=5e-3, batch_size=80, anchor=anchor)
    unaligned.fit([first[train], second[train]], Y[train], **given)
    same, other = distances(unaligned.transform([first[test], second[test]]), Y[test])
    assert same > 0.5 * other, "without triplets they are not aligned"


def test_the_order_of_rows_does_not_matter_in_a_full_batch():
    order = np.random.default_rng(0).permutation(N)
    rows = partial_teachers()
    fitted = small(batch_size=N).fit(rows, Y)
    permuted = small(batch_size=N).fit([one[order] for one in rows], Y[order])
    np.testing.assert_allclose(permuted.transform(rows), fitted.transform(rows), atol=1e-3)


def test_the_order_of_teachers_does_not_matter_where_each_is_an_anchor():
    rows = partial_teachers()
    fitted = small(anchor="each").fit(rows, Y)
    permuted = small(anchor="each").fit(rows[::-1], Y)
    expected = fitted.transform(rows)[:, ::-1]
    np.testing.assert_allclose(permuted.transform(rows[::-1]), expected, atol=1e-3)


def test_named_teachers_are_those_of_a_list():
    named = dict(zip("abc", partial_teachers(), strict=True))
    aligner = small().fit(named, Y)
    assert aligner.names_ == ["a", "b", "c"]
    backwards = dict(reversed(named.items()))
    expected = small().fit(partial_teachers(), Y).transform(partial_teachers())
    np.testing.assert_array_equal(aligner.transform(backwards), expected)


def test_rows_without_any_representation_change_nothing():
    missing = np.arange(N) < 40
    rows = teachers(2)
    holey = [np.where(missing[:, None], np.nan, one) for one in rows]
    fitted = small(batch_size=N).fit(holey, Y)
    without = small(batch_size=N).fit([one[~missing] for one in rows], Y[~missing])
    np.testing.assert_allclose(fitted.loss_curve_, without.loss_curve_, rtol=1e-4)
    np.testing.assert_allclose(fitted.transform(rows), without.transform(rows), atol=1e-3)


def test_rows_without_a_label_are_reconstructed_only():
    y = np.where(np.arange(N) < 40, np.nan, Y)
    rows = teachers(2)
    fitted = [small(batch_size=N, max_epochs=1).fit(rows, labels) for labels in (y, Y)]
    first, second = (aligner.loss_curve_.iloc[0] for aligner in fitted)
    assert first["reconstruction"] == pytest.approx(second["reconstruction"], rel=1e-5)
    assert first["triplet"] != pytest.approx(second["triplet"], rel=1e-5)


def test_missing_rows_have_no_code_and_the_mean_is_of_the_available_codes():
    rows = partial_teachers()
    missing = 5
    for one in rows:
        one[missing] = np.nan
    aligner = small().fit(rows, Y)
    codes, mean = aligner.transform(rows), aligner.transform(rows, combine="mean")
    available = ~np.isnan(np.stack(rows, axis=1)[:, :, 0])
    assert codes.shape == (N, 3, 3)
    assert mean.shape == (N, 3)
    np.testing.assert_array_equal(~np.isnan(codes).any(axis=2), available)
    np.testing.assert_allclose(np.linalg.norm(codes[available], axis=1), 1, atol=1e-5)
    assert np.isnan(mean[missing]).all()
    has_code = available.any(axis=1)
    expected = np.nansum(codes[has_code], axis=1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(mean[has_code], expected, atol=1e-6)
    single = available.sum(axis=1) == 1
    np.testing.assert_allclose(mean[single], np.nansum(codes[single], axis=1), atol=1e-6)


def test_a_teacher_may_have_no_representations_in_transform():
    aligner = small().fit(partial_teachers(), Y)
    first, second, third = partial_teachers()
    codes = aligner.transform([first, second, np.full_like(third, np.nan)])
    assert np.isnan(codes[:, 2]).all()
    np.testing.assert_array_equal(codes[:, 0], aligner.transform(partial_teachers())[:, 0])


@pytest.mark.parametrize("anchor", ["first", "each"])
def test_identical_teachers_need_no_triplets_without_a_margin(anchor):
    aligner = small(margin=0.0, anchor=anchor).fit([X, X], Y)
    assert (aligner.loss_curve_["triplet"] == 0).all()
    assert (small(margin=1.0, anchor=anchor).fit([X, X], Y).loss_curve_["triplet"] > 0).all()


def test_the_loss_falls_and_is_the_sum_of_its_parts():
    curve = small(triplet_weight=2.0, max_epochs=20).fit(partial_teachers(), Y).loss_curve_
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[0]
    np.testing.assert_allclose(curve["loss"], curve["reconstruction"] + 2 * curve["triplet"])
    assert len(curve) == 20


def test_a_seed_makes_the_fit_reproducible_without_the_global_generator():
    state = torch.get_rng_state()
    first, second = (
        small().fit(partial_teachers(), Y).transform(partial_teachers()) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
    other = small(random_state=1).fit(partial_teachers(), Y).transform(partial_teachers())
    assert not np.allclose(first, other, equal_nan=True)


@pytest.mark.parametrize("sizes", [(), (8,), (8, 4)], ids=str)
def test_widths_that_differ(sizes):
    rows = [X, X[:, :2], np.hstack([X, X**2])]
    aligner = small(hidden_layer_sizes=sizes, n_principal=4).fit(rows, Y)
    assert aligner.widths_ == [6, 2, 12]
    assert [encoder[0].in_features for encoder in aligner.module_.encoders] == [4, 2, 4]
    assert aligner.transform(rows).shape == (N, 3, 3)


def test_constant_columns_give_finite_codes():
    flat = np.hstack([X, np.ones((N, 1))])
    assert np.isfinite(small().fit([flat, X], Y).transform([flat, X])).all()


def test_an_anchor_that_is_a_student_links_teachers_without_common_rows():
    low, high = partial_teachers([(0, 1), (2, 3)])
    aligner = small(anchor="student").fit([low, high], Y, student=X)
    assert aligner.transform([low, high]).shape == (N, 2, 3)
    single = small(anchor="student").fit([X], Y, student=X)
    assert single.transform([X]).shape == (N, 1, 3)


def test_a_chain_links_teachers_where_each_is_an_anchor_and_only_there():
    chain = partial_teachers([(0, 1), (1, 2), (2, 3)])
    small(anchor="each").fit(chain, Y)
    with pytest.raises(ValueError, match=r"representations\[2\] is not linked to the anchor, rep"):
        small().fit(chain, Y)
    with pytest.raises(ValueError, match=r"representations\[2\] is not linked to the other"):
        small(anchor="each").fit(partial_teachers([(0, 1), (0, 1), (2, 3)]), Y)


def one_without_rows():
    return [X, np.full_like(X, np.nan)]


def nan_in_part():
    partial = X.copy()
    partial[7, 2] = np.nan
    return [X, partial]


@pytest.mark.parametrize(
    ("rows", "y", "error", "message"),
    [
        (one_without_rows(), Y, ValueError, r"representations\[1\] has 0 rows that are not NaN"),
        (nan_in_part(), Y, ValueError, r"row 7 of representations\[1\] is NaN in part"),
        ([X, X[:-1]], Y, ValueError, r"differ in length \(representations\[0\]: 120, rep"),
        ([X, X[:, 0]], Y, ValueError, r"Expected 2D array"),
        ([X, np.abs(X) * np.inf], Y, ValueError, r"representations\[1\] contains infinity"),
        ([X, X], Y[:-1], ValueError, "y has 119 entries"),
        ([X, X], np.zeros(N), ValueError, "y has 1 classes"),
        ([X, X], np.full(N, np.nan), ValueError, "y has 0 classes"),
        ([X], Y, ValueError, "holds one teacher"),
        ([], Y, ValueError, "representations is empty"),
        (np.stack([X, X]), Y, TypeError, "representations is a ndarray"),
        (partial_teachers([(0, 1, 2, 3), (0,)]), Y, ValueError, "and rows of two classes"),
        (
            {"a": X, "b": partial_teachers([(0,), (9,)])[1]},
            Y,
            ValueError,
            r"representations\['b'\] has 0 rows",
        ),
    ],
)
def test_what_cannot_be_aligned(rows, y, error, message):
    with pytest.raises(error, match=message):
        small().fit(rows, y)


@pytest.mark.parametrize(
    ("options", "student", "message"),
    [
        ({"anchor": "student"}, None, "fit was given no student"),
        ({"anchor": "first"}, X, "fit was given a student"),
        ({"anchor": "student"}, X[:-1], r"differ in length \(student: 119"),
        ({"n_components": 0}, None, "n_components"),
        ({"anchor": "last"}, None, "anchor"),
        ({"margin": -1.0}, None, "margin"),
        ({"hidden_layer_sizes": (0,)}, None, r"hidden_layer_sizes=\(0,\)"),
        ({"lr": 1e30, "max_epochs": 3}, None, "the training diverged"),
    ],
)
def test_parameters_and_student(options, student, message):
    with pytest.raises(ValueError, match=message):
        small(**options).fit([X, X], Y, student=student)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([X, X, X], {}, r"the teachers \[0, 1, 2\], the fit had \[0, 1\]"),
        ({"a": X, "b": X}, {}, r"the teachers \['a', 'b'\]"),
        ([X, X[:, :3]], {}, r"the widths \[6, 3\], the fit had \[6, 6\]"),
        ([X, X], {"combine": "sum"}, "combine='sum'"),
    ],
)
def test_what_cannot_be_transformed(rows, options, message):
    with pytest.raises(ValueError, match=message):
        small().fit([X, X], Y).transform(rows, **options)


def test_a_failed_fit_leaves_the_aligner_as_it_was():
    aligner = small().fit([X, X], Y)
    before = aligner.transform([X, X])
    with pytest.raises(ValueError, match="not linked"):
        aligner.fit(partial_teachers([(0, 1), (2, 3)]), Y)
    np.testing.assert_array_equal(aligner.transform([X, X]), before)


def test_it_is_an_estimator():
    aligner = small(anchor="each", margin=0.5).fit(partial_teachers(), Y)
    copy = clone(aligner)
    assert copy.get_params() == aligner.get_params()
    assert not hasattr(copy, "module_")
    loaded = pickle.loads(pickle.dumps(aligner))
    np.testing.assert_array_equal(
        loaded.transform(partial_teachers()), aligner.transform(partial_teachers())
    )


def test_string_labels_and_a_bar(capsys):
    names = np.array(["ant", "bee", "cow", "dog"])[Y]
    aligner = small(verbose=1).fit(partial_teachers(), names)
    assert aligner.classes_.tolist() == ["ant", "bee", "cow", "dog"]
    assert "LatentAligner" in capsys.readouterr().err
    expected = small().fit(partial_teachers(), Y).transform(partial_teachers())
    np.testing.assert_array_equal(aligner.transform(partial_teachers()), expected)


def test_a_student_is_trained_towards_the_mean_code():
    rows = partial_teachers()
    code = small(anchor="each").fit(rows, Y).transform(rows, combine="mean")
    student = DistilledNeuralClassifier(embedding_weight=0.5, max_epochs=3, random_state=0)
    student.fit(X, Y, teacher_embedding=code)
    baseline = DistilledNeuralClassifier(imitation=0, max_epochs=3, random_state=0).fit(X, Y)
    assert not np.allclose(student.predict_proba(X), baseline.predict_proba(X))
