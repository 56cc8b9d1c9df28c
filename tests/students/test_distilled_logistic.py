"""The student against scikit-learn and against an independent minimiser of the written formula."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.losses import design
from sklearn_distill.solvers import coarse_to_fine, newton_cholesky, scaled_newton
from tests.helpers import random_problem, written_objective

TIGHT = {"tol": 1e-10}


@pytest.fixture(
    params=[coarse_to_fine, scaled_newton, newton_cholesky],
    ids=["lbfgs", "newton-cg", "newton-cholesky"],
    autouse=True,
)
def every_solver(request, monkeypatch):
    """Run each test with every solver."""
    monkeypatch.setattr(
        "sklearn_distill.students.distilled_logistic.select_minimiser",
        # with a regulariser there is no small objective
        lambda _, objective, **__: request.param if objective.fits_in_cache else coarse_to_fine,
    )
    return request.param


def data(n_classes, n=150, d=6, random_state=0):
    X, y = make_classification(
        n, d, n_informative=d - 1, n_redundant=0, n_classes=n_classes, random_state=random_state
    )
    rng = np.random.default_rng(random_state)
    teacher = softmax(2 * rng.normal(size=(n, n_classes)) + np.eye(n_classes)[y], axis=1)
    return X, y, teacher


def copies(X, y, teacher, imitation, weight=None):
    """K weighted copies of each row: the mixed target as hard labels."""
    n, K = teacher.shape
    mixed = imitation * teacher + (1 - imitation) * np.eye(K)[y]
    if weight is not None:
        mixed = mixed * weight[:, None]
    return np.repeat(X, K, axis=0), np.tile(np.arange(K), n), mixed.ravel()


@pytest.mark.filterwarnings("ignore::sklearn_distill.TeacherMissingWarning")  # the property itself
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("with_teacher", [True, False])
def test_labels_alone_are_logistic_regression(n_classes, C, fit_intercept, with_teacher):
    X, y, teacher = data(n_classes)
    student = DistilledLogisticRegression(
        imitation=0.0 if with_teacher else 0.7, temperature=3.0, C=C, fit_intercept=fit_intercept
    ).set_params(**TIGHT)
    student.fit(X, y, **({"teacher_proba": teacher} if with_teacher else {}))
    plain = LogisticRegression(C=C, fit_intercept=fit_intercept, tol=1e-10, max_iter=10_000)
    plain.fit(X, y)
    np.testing.assert_allclose(student.predict_proba(X), plain.predict_proba(X), atol=1e-5)
    assert student.coef_.shape == plain.coef_.shape
    assert student.intercept_.shape == plain.intercept_.shape


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "class_weight", [None, "balanced", {0: 3.0, 1: 0.5}], ids=["none", "balanced", "dict"]
)
def test_class_weight_is_scikit_learns(n_classes, class_weight):
    X, y, _ = data(n_classes)
    keep = (y != 0) | (np.arange(len(y)) % 3 == 0)
    X, y = X[keep], y[keep]
    student = DistilledLogisticRegression(imitation=0, class_weight=class_weight, **TIGHT).fit(X, y)
    plain = LogisticRegression(class_weight=class_weight, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(student.predict_proba(X), plain.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_sample_weight_is_scikit_learns(n_classes):
    X, y, _ = data(n_classes)
    weight = np.random.default_rng(1).uniform(0, 3, size=len(y))
    student = DistilledLogisticRegression(imitation=0, **TIGHT).fit(X, y, weight)
    plain = LogisticRegression(tol=1e-10, max_iter=10_000).fit(X, y, weight)
    np.testing.assert_allclose(student.predict_proba(X), plain.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("storage", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_is_dense(n_classes, storage):
    X, y, teacher = data(n_classes)
    X = X * (np.abs(X) > 0.5)
    dense = DistilledLogisticRegression(temperature=2.0, **TIGHT).fit(X, y, teacher_proba=teacher)
    student = clone(dense).fit(storage(X), y, teacher_proba=teacher)
    np.testing.assert_allclose(student.coef_, dense.coef_, atol=1e-8)
    np.testing.assert_allclose(student.predict_proba(storage(X)), dense.predict_proba(X), atol=1e-8)


def test_sparse_data_is_never_made_dense(monkeypatch, every_solver):
    if every_solver is newton_cholesky:
        pytest.skip("small data is")
    # a CSR matrix with many stored entries is, a tile of a few MB at a time
    monkeypatch.setattr(design, "DENSE_SHARE", 1.0)
    for kind in (sparse.csr_array, sparse.csc_array):
        for name in ("toarray", "todense", "tocsr", "tocsc"):
            original = getattr(kind, name)

            def guarded(self, *args, original=original, name=name, **kwargs):
                assert self.shape[0] != 150, f"{name} of X"
                return original(self, *args, **kwargs)

            monkeypatch.setattr(kind, name, guarded)
    X, y, teacher = data(3)
    for kind in (sparse.csr_array, sparse.csc_array):
        DistilledLogisticRegression(temperature=2.0).fit(kind(X), y, teacher_proba=teacher)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("imitation", [0.3, 1.0])
@pytest.mark.parametrize("weighted", [True, False])
def test_temperature_one_is_logistic_regression_on_weighted_copies(n_classes, imitation, weighted):
    X, y, teacher = data(n_classes)
    weight = np.random.default_rng(1).uniform(0.1, 3, size=len(y)) if weighted else None
    student = DistilledLogisticRegression(imitation, **TIGHT)
    student.fit(X, y, weight, teacher_proba=teacher)
    X_copies, y_copies, weight_copies = copies(X, y, teacher, imitation, weight)
    plain = LogisticRegression(tol=1e-10, max_iter=10_000).fit(X_copies, y_copies, weight_copies)
    np.testing.assert_allclose(student.predict_proba(X), plain.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("imitation", [0.4, 1.0])
@pytest.mark.parametrize(
    "params",
    [{}, {"t_squared": True}, {"soften_student": False}],
    ids=["soften both", "T²", "teacher only"],
)
def test_student_minimises_the_written_formula(K, imitation, params):
    """An independent minimiser: one penalised column a class (binary: one logit), scipy's BFGS."""
    problem = random_problem(np.random.default_rng(5), n=20, d=2, K=K)
    X, codes, logits, s = (problem[k] for k in ("X", "codes", "teacher_logits", "weight"))
    n_scores = 1 if K == 2 else K
    C = 2.0

    def scores(w, X=X):
        W = w.reshape(n_scores, -1)
        Z = X @ W[:, :-1].T + W[:, -1]
        return np.column_stack([np.zeros(len(X)), Z]) if K == 2 else Z

    def objective(w):
        data = written_objective(
            scores(w), codes, logits, s, imitation=imitation, temperature=2.5, **params
        )
        return C * data + 0.5 * (w.reshape(n_scores, -1)[:, :-1] ** 2).sum()

    found = minimize(objective, np.zeros(n_scores * 3), method="BFGS", options={"gtol": 1e-4})
    student = DistilledLogisticRegression(imitation, 2.5, C=C, **params, **TIGHT)
    student.set_params(classes=list(range(K)))
    y = np.where(codes < 0, np.nan, codes)
    student.fit(X, y, s, teacher_logits=logits)
    expected = softmax(scores(found.x), axis=1)
    np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-4)
    W = np.column_stack([student.coef_, student.intercept_])
    assert objective(W.ravel()) <= found.fun + 1e-9


def test_infinite_temperature_is_label_smoothing():
    """T → ∞ with T' = 1: the teacher's prediction becomes uniform."""
    X, y, teacher = data(3)
    student = DistilledLogisticRegression(0.3, 1e9, soften_student=False, **TIGHT)
    student.fit(X, y, teacher_proba=teacher)
    smoothed = DistilledLogisticRegression(0.3, **TIGHT)
    smoothed.fit(X, y, teacher_proba=np.full_like(teacher, 1 / 3))
    np.testing.assert_allclose(student.coef_, smoothed.coef_, atol=1e-6)


def test_infinite_temperature_is_weaker_labels():
    """T → ∞ with T' = T and τ = 1: the teacher's term vanishes, C becomes C(1−λ)."""
    X, y, teacher = data(3)
    student = DistilledLogisticRegression(0.3, 1e9, **TIGHT).fit(X, y, teacher_proba=teacher)
    plain = LogisticRegression(C=0.7, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(student.predict_proba(X), plain.predict_proba(X), atol=1e-5)


def test_infinite_temperature_squared_is_logit_matching():
    """T → ∞ with τ = T²: (λ/2K)‖z̄ − v̄‖², centred logits."""
    X, y, teacher = data(3)
    v = np.log(teacher)
    v = v - v.mean(axis=1, keepdims=True)
    student = DistilledLogisticRegression(1.0, 1e4, t_squared=True, C=1e3, **TIGHT)
    student.fit(X, y, teacher_proba=teacher)
    A = np.column_stack([X, np.ones(len(X))])
    ridge = np.diag([1.0] * X.shape[1] + [0.0]) * 3 / 1e3
    expected = np.linalg.solve(A.T @ A + ridge, A.T @ v)
    np.testing.assert_allclose(student.coef_, expected[:-1].T, atol=1e-3)


def test_several_teachers_are_their_mean():
    X, y, teacher = data(3)
    other = np.roll(teacher, 1, axis=0)
    both = np.stack([teacher, other], axis=1)
    student = DistilledLogisticRegression(**TIGHT).fit(X, y, teacher_proba=both)
    mean = DistilledLogisticRegression(**TIGHT).fit(X, y, teacher_proba=(teacher + other) / 2)
    np.testing.assert_allclose(student.coef_, mean.coef_, atol=1e-8)


def test_logits_are_log_probabilities_up_to_a_shift():
    X, y, teacher = data(3)
    shift = np.random.default_rng(0).normal(size=(len(y), 1))
    by_proba = DistilledLogisticRegression(temperature=2.0, **TIGHT)
    by_proba.fit(X, y, teacher_proba=teacher)
    by_logits = clone(by_proba).fit(X, y, teacher_logits=np.log(teacher) + shift)
    np.testing.assert_allclose(by_logits.coef_, by_proba.coef_, atol=1e-8)


def test_one_column_is_the_second_of_two_classes():
    X, y, teacher = data(2)
    whole = DistilledLogisticRegression(temperature=2.0, **TIGHT).fit(X, y, teacher_proba=teacher)
    second = clone(whole).fit(X, y, teacher_proba=teacher[:, 1])
    log_odds = clone(whole).fit(X, y, teacher_logits=np.log(teacher[:, 1] / teacher[:, 0]))
    np.testing.assert_allclose(second.coef_, whole.coef_, atol=1e-8)
    np.testing.assert_allclose(log_odds.coef_, whole.coef_, atol=1e-8)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_a_certain_teacher_is_a_label(temperature):
    """Exact zeros among the probabilities are -inf logits; at T = 1 hard predictions are labels."""
    X, y, _ = data(3)
    certain = np.eye(3)[y]
    student = DistilledLogisticRegression(1.0, temperature, soften_student=False, **TIGHT)
    student.fit(X, y, teacher_proba=certain)
    plain = DistilledLogisticRegression(imitation=0, **TIGHT).fit(X, y)
    np.testing.assert_allclose(student.coef_, plain.coef_, atol=1e-7)


class TestMissingLabels:
    def fit(self, y, **arguments):
        X, _, teacher = data(3)
        student = DistilledLogisticRegression(0.5, 2.0, **TIGHT, **arguments)
        return student.fit(X, y, teacher_proba=teacher)

    def test_every_spelling_of_missing(self):
        _, y, _ = data(3)
        as_float = y.astype(float)
        as_float[::4] = np.nan
        as_object = y.astype(object)
        as_object[::4] = None
        as_nullable = pd.Series(as_object, dtype="Int64")
        expected = self.fit(as_float)
        for spelling in (as_object, as_nullable, pd.Series(as_float)):
            np.testing.assert_allclose(self.fit(spelling).coef_, expected.coef_, atol=1e-10)

    def test_strings(self):
        _, y, _ = data(3)
        names = np.array(["a", "b", "c"], dtype=object)[y]
        names[::4] = None
        student = self.fit(names)
        assert student.classes_.tolist() == ["a", "b", "c"]
        series = self.fit(pd.Series(names, dtype="string"))
        np.testing.assert_allclose(series.coef_, student.coef_, atol=1e-10)

    def test_objects_without_a_missing_one_are_the_same_labels(self):
        """A fold may have no missing label although the full data has some."""
        _, y, _ = data(3)
        student = self.fit(y.astype(object))
        assert student.classes_.tolist() == [0, 1, 2]
        np.testing.assert_array_equal(student.coef_, self.fit(y).coef_)

    @pytest.mark.parametrize(
        "labels",
        [
            np.array([-128, 0, 127], np.int8),
            np.array([0, 250, 255], np.uint8),
            np.array([5, 7, 8], np.int32),
            np.array([-(2**62), 0, 2**62]),
            np.array([2**63, 2**63 + 1, 2**63 + 2], np.uint64),
            np.array([False, True]),
        ],
        ids=lambda labels: labels.dtype.name,
    )
    def test_whole_numbers_of_any_size(self, labels):
        X, codes, teacher = data(len(labels), n=400)
        student = DistilledLogisticRegression(0.5).fit(X, labels[codes], teacher_proba=teacher)
        same = DistilledLogisticRegression(0.5).fit(X, codes, teacher_proba=teacher)
        np.testing.assert_array_equal(student.classes_, labels)
        assert student.classes_.dtype == labels.dtype
        np.testing.assert_array_equal(student.coef_, same.coef_)

    def test_minus_one_is_a_label(self):
        _, y, _ = data(3)
        assert self.fit(y - 1).classes_.tolist() == [-1, 0, 1]

    def test_no_labels_at_all(self):
        X, y, teacher = data(3)
        none = self.fit(None, classes=[0, 1, 2])
        pure = DistilledLogisticRegression(1.0, 2.0, **TIGHT).fit(X, y, teacher_proba=teacher)
        np.testing.assert_allclose(none.coef_, pure.coef_, atol=1e-8)
        frame = pd.DataFrame(teacher, columns=["x", "y", "z"])
        named = DistilledLogisticRegression(0.5, 2.0, **TIGHT).fit(X, teacher_proba=frame)
        assert named.classes_.tolist() == ["x", "y", "z"]
        np.testing.assert_allclose(named.coef_, pure.coef_, atol=1e-8)

    @pytest.mark.parametrize(
        "loss_params",
        [
            {"temperature": 1.0},
            {"temperature": 2.5, "t_squared": True},
            {"temperature": 2.5, "soften_student": False, "regularizer": "grabovoy"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_an_unlabelled_row_is_one_copy_for_each_class(self, n_classes, loss_params):
        """A copy is certain of its class k and has the weight s q_k c_k, at any T."""
        X, y, teacher = data(n_classes)
        y, unlabelled = y.astype(float), np.arange(len(y)) % 4 == 0
        y[unlabelled] = np.nan
        s = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
        c = np.array([1.0, 2.0, 5.0])[:n_classes]
        student = DistilledLogisticRegression(
            0.5, class_weight=dict(enumerate(c)), **loss_params, **TIGHT
        ).fit(X, y, s, teacher_proba=teacher)
        q = softmax(np.log(teacher[unlabelled]) / loss_params["temperature"], axis=1)
        n, labelled = len(q), ~unlabelled
        copied = DistilledLogisticRegression(0.5, **loss_params, **TIGHT)
        copied.fit(
            np.concatenate([X[labelled], np.repeat(X[unlabelled], n_classes, axis=0)]),
            np.concatenate([y[labelled], np.full(n * n_classes, np.nan)]),
            np.concatenate(
                [s[labelled] * c[y[labelled].astype(int)], (s[unlabelled, None] * q * c).ravel()]
            ),
            teacher_proba=np.concatenate([teacher[labelled], np.tile(np.eye(n_classes), (n, 1))]),
        )
        np.testing.assert_allclose(student.coef_, copied.coef_, atol=1e-6)
        np.testing.assert_allclose(student.intercept_, copied.intercept_, atol=1e-6)

    @pytest.mark.parametrize("n_classes", [2, 3])
    @pytest.mark.parametrize("balanced", [True, False])
    def test_class_weight_without_labels_is_scikit_learns_on_weighted_copies(
        self, n_classes, balanced
    ):
        X, _, teacher = data(n_classes)
        class_weight = {0: 1.0, 1: 12.0}
        by_class = class_weight | dict.fromkeys(range(2, n_classes), 1.0)
        if balanced:
            mass = teacher.sum(axis=0)
            by_class = dict(enumerate(mass.sum() / (n_classes * mass)))
        student = DistilledLogisticRegression(
            classes=range(n_classes),
            class_weight="balanced" if balanced else class_weight,
            **TIGHT,
        ).fit(X, teacher_proba=teacher)
        plain = LogisticRegression(class_weight=by_class, tol=1e-10, max_iter=10_000)
        plain.fit(
            np.repeat(X, n_classes, axis=0), np.tile(range(n_classes), len(X)), teacher.ravel()
        )
        np.testing.assert_allclose(student.predict_proba(X), plain.predict_proba(X), atol=1e-5)

    def test_class_weight_moves_the_odds_of_a_constant_teacher(self):
        student = DistilledLogisticRegression(classes=[0, 1], class_weight={0: 1, 1: 9}, **TIGHT)
        student.fit(np.zeros((200, 1)), teacher_proba=np.full(200, 0.1))
        np.testing.assert_allclose(student.predict_proba([[0.0]]), [[0.5, 0.5]], atol=1e-8)

    def test_balanced_counts_the_expected_class_of_a_missing_label(self):
        """A few labels among soft labels do not decide on the weights alone."""
        X = np.random.default_rng(0).normal(size=(500, 2))
        q = 1 / (1 + np.exp(-(2 * X[:, 0] - 3)))
        y = np.full(500, np.nan)
        student = DistilledLogisticRegression(classes=[0, 1], class_weight="balanced", **TIGHT)
        student.fit(X, teacher_proba=q)
        np.testing.assert_allclose(student.intercept_, -0.921573, atol=1e-5)
        y[:3] = [0, 0, 1]
        student.fit(X, y, teacher_proba=q)
        np.testing.assert_allclose(student.intercept_, -0.9, atol=0.05)


class TestClasses:
    def test_a_class_that_only_the_teacher_predicts(self):
        X, y, teacher = data(3)
        seen = y != 2
        student = DistilledLogisticRegression(classes=[0, 1, 2])
        student.fit(X[seen], y[seen], teacher_proba=teacher[seen])
        assert student.classes_.tolist() == [0, 1, 2]
        assert student.predict_proba(X)[:, 2].mean() > 0.01

    @pytest.mark.parametrize("n_seen", [1, 2, 3])
    def test_a_class_without_mass_has_probability_zero(self, n_seen):
        X, y, _ = data(4)
        seen = y < n_seen
        student = DistilledLogisticRegression(imitation=0, classes=[0, 1, 2, 3], **TIGHT).fit(
            X[seen], y[seen]
        )
        proba = student.predict_proba(X)
        assert (proba[:, n_seen:] == 0).all()
        assert np.isneginf(student.intercept_[n_seen:]).all()
        if n_seen > 1:
            plain = LogisticRegression(tol=1e-10, max_iter=10_000).fit(X[seen], y[seen])
            np.testing.assert_allclose(proba[:, :n_seen], plain.predict_proba(X), atol=1e-5)
        np.testing.assert_array_equal(student.to_sklearn().predict_proba(X), proba)

    @pytest.mark.parametrize("only", [0, 1])
    def test_one_of_two_classes(self, only):
        X, y, _ = data(2)
        student = DistilledLogisticRegression(imitation=0, classes=[0, 1]).fit(
            X[y == only], y[y == only]
        )
        np.testing.assert_array_equal(student.predict_proba(X)[:, only], 1.0)
        assert (student.predict(X) == only).all()

    def test_permuted_columns_of_a_frame(self):
        X, y, teacher = data(3)
        names = np.array(["ant", "bee", "cat"])
        frame = pd.DataFrame(teacher, columns=names)
        plain = DistilledLogisticRegression(**TIGHT).fit(X, names[y], teacher_proba=teacher)
        mixed = DistilledLogisticRegression(**TIGHT)
        mixed.fit(X, names[y], teacher_proba=frame[["cat", "ant", "bee"]])
        np.testing.assert_allclose(mixed.coef_, plain.coef_, atol=1e-10)

    def test_polars_and_text_names_of_integer_classes(self):
        polars = pytest.importorskip("polars")
        X, y, teacher = data(3)
        plain = DistilledLogisticRegression(**TIGHT).fit(X, y, teacher_proba=teacher)
        frame = polars.DataFrame({str(k): teacher[:, k] for k in (2, 0, 1)})
        named = DistilledLogisticRegression(**TIGHT).fit(X, y, teacher_proba=frame)
        np.testing.assert_allclose(named.coef_, plain.coef_, atol=1e-10)


class TestInputs:
    def test_float32_stays(self):
        X, y, teacher = data(3)
        student = DistilledLogisticRegression(temperature=2.0).fit(
            X.astype(np.float32), y, teacher_proba=teacher.astype(np.float32)
        )
        exact = DistilledLogisticRegression(temperature=2.0).fit(X, y, teacher_proba=teacher)
        assert student.coef_.dtype == np.float32
        np.testing.assert_allclose(student.predict_proba(X), exact.predict_proba(X), atol=1e-3)

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_inputs_are_read_only_and_unchanged(self, order, tmp_path):
        X, y, teacher = data(3)
        plain = DistilledLogisticRegression(temperature=2.0, **TIGHT)
        plain.fit(X, y, teacher_proba=teacher)
        np.save(tmp_path / "X.npy", np.asarray(X, order=order))
        np.save(tmp_path / "S.npy", teacher)
        mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "XS"]
        student = clone(plain).fit(mapped[0], y, teacher_proba=mapped[1])
        np.testing.assert_allclose(student.coef_, plain.coef_, atol=1e-8)

    def test_lists(self):
        X, y, teacher = data(2)
        DistilledLogisticRegression().fit(X.tolist(), y.tolist(), teacher_proba=teacher.tolist())

    def test_frames_keep_their_names(self):
        X, y, teacher = data(2)
        frame = pd.DataFrame(X, columns=list("abcdef"))
        student = DistilledLogisticRegression().fit(frame, y, teacher_proba=teacher)
        assert student.feature_names_in_.tolist() == list("abcdef")
        assert student.to_sklearn().feature_names_in_.tolist() == list("abcdef")

    @pytest.mark.parametrize("dtype", ["Float64", "float64", "object"])
    def test_missing_values_of_a_frame_are_missing_predictions(self, dtype):
        X, y, teacher = data(3)
        teacher[:5] = np.nan
        plain = DistilledLogisticRegression().fit(X, y, teacher_proba=teacher)
        frame = pd.DataFrame(teacher, dtype=dtype)
        if dtype == "object":
            frame[:5] = pd.NA
        student = DistilledLogisticRegression().fit(X, y, teacher_proba=frame)
        np.testing.assert_array_equal(student.coef_, plain.coef_)


def test_rows_with_a_prediction_are_counted():
    X, y, teacher = data(3)
    assert DistilledLogisticRegression(imitation=0).fit(X, y).n_taught_rows_ == 0
    teacher[::3] = np.nan
    assert DistilledLogisticRegression().fit(X, y, teacher_proba=teacher).n_taught_rows_ == 100


def test_to_sklearn_predicts_the_same_without_this_package():
    for n_classes in (2, 3):
        X, y, teacher = data(n_classes)
        names = np.array(["ant", "bee", "cat"])[y]
        student = DistilledLogisticRegression(temperature=2.0).fit(X, names, teacher_proba=teacher)
        pickled = pickle.dumps(student.to_sklearn())
        assert b"sklearn_distill" not in pickled
        plain = pickle.loads(pickled)
        assert type(plain) is LogisticRegression
        np.testing.assert_allclose(plain.predict_proba(X), student.predict_proba(X), rtol=1e-12)
        np.testing.assert_array_equal(plain.predict(X), student.predict(X))


def test_predictions_agree_with_each_other():
    for n_classes in (2, 3):
        X, y, teacher = data(n_classes)
        student = DistilledLogisticRegression().fit(X, y, teacher_proba=teacher)
        proba = student.predict_proba(X)
        np.testing.assert_allclose(np.exp(student.predict_log_proba(X)), proba, rtol=1e-12)
        np.testing.assert_array_equal(student.classes_[proba.argmax(axis=1)], student.predict(X))


def test_warm_start_continues():
    X, y, teacher = data(3)
    student = DistilledLogisticRegression(warm_start=True, temperature=2.0, tol=1e-8)
    student.fit(X, y, teacher_proba=teacher)
    assert student.n_iter_[0] > 2
    coef = student.coef_
    student.fit(X, y, teacher_proba=teacher)
    assert student.n_iter_[0] == 0
    np.testing.assert_allclose(student.coef_, coef, atol=1e-12)
    student.set_params(temperature=2.1).fit(X, y, teacher_proba=teacher)
    cold = clone(student).fit(X, y, teacher_proba=teacher)
    assert student.n_iter_[0] < cold.n_iter_[0]
    np.testing.assert_allclose(student.coef_, cold.coef_, atol=1e-5)
    fewer = y < 2  # another number of classes: a cold start, not an error
    student.set_params(imitation=0).fit(X[fewer], y[fewer])


@pytest.mark.parametrize(
    ("before", "after"), [((3, 3), (4, 2)), ((2, 3), (3, 3)), ((4, 3), (3, 3))]
)
def test_warm_start_of_another_shape_is_a_cold_start(before, after):
    rng = np.random.default_rng(0)
    student = DistilledLogisticRegression(imitation=0, warm_start=True)
    for n_classes, n_features in (before, after):
        X, y = rng.normal(size=(60, n_features)), np.arange(60) % n_classes
        student.fit(X, y)
    cold = clone(student).fit(X, y)
    np.testing.assert_array_equal(student.coef_, cold.coef_)


def test_no_convergence_is_a_warning():
    X, y, teacher = data(3)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        DistilledLogisticRegression(max_iter=1, tol=1e-9).fit(X, y, teacher_proba=teacher)


def test_verbose_shows_a_bar(capsys):
    X, y, teacher = data(3)
    DistilledLogisticRegression(verbose=1).fit(X, y, teacher_proba=teacher)
    assert "DistilledLogisticRegression" in capsys.readouterr().err
    DistilledLogisticRegression().fit(X, y, teacher_proba=teacher)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("regularizer", ["grabovoy", "continuous_categorical"])
def test_regularisers_change_the_student_through_the_teachers_rows_only(regularizer):
    X, y, teacher = data(3)
    plain = DistilledLogisticRegression(temperature=2.0, **TIGHT)
    plain.fit(X, y, teacher_proba=teacher)
    regularised = clone(plain).set_params(regularizer=regularizer)
    regularised.fit(X, y, teacher_proba=teacher)
    assert np.abs(regularised.coef_ - plain.coef_).max() > 1e-3
    labels_only, unregularised = (
        clone(student).set_params(imitation=0).fit(X, y) for student in (regularised, plain)
    )
    np.testing.assert_allclose(labels_only.coef_, unregularised.coef_, atol=1e-10)


def test_class_weight_of_a_class_that_a_fold_lacks():
    X, y, _ = data(2)
    weight = {0: 1.0, 1: 3.0}
    expected = DistilledLogisticRegression(imitation=0, class_weight=weight).fit(X, y)
    student = DistilledLogisticRegression(imitation=0, class_weight=weight | {2: 5.0}).fit(X, y)
    np.testing.assert_array_equal(student.coef_, expected.coef_)
    with pytest.raises(ValueError, match=r"class_weight has keys \['l'\], but the classes are"):
        DistilledLogisticRegression(imitation=0, class_weight={0: 1.0, "l": 3.0}).fit(X, y)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_no_iteration_is_the_initial_point_and_a_warning(container):
    """As scikit-learn's LogisticRegression with max_iter=0."""
    X, y, teacher = data(3)
    student = DistilledLogisticRegression(max_iter=0)
    with pytest.warns(ConvergenceWarning, match="stopped after 0 iterations"):
        student.fit(container(X), y, teacher_proba=teacher)
    assert not student.coef_.any()
    np.testing.assert_allclose(student.predict_proba(X), 1 / 3)
    student.set_params(max_iter=100, warm_start=True).fit(X, y, teacher_proba=teacher)
    assert student.score(X, y) > 1 / 2
