"""Teachers that leave classes unknown, such as top-k predictions, for each student."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import sklearn_distill as sd
from sklearn_distill.losses import ScoreLoss
from sklearn_distill.search._cv_loss import CrossValidatedLoss
from sklearn_distill.search._space import Space
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.targets import label_weights
from tests.helpers import central_difference
from tests.targets.test_partial import Problem, both, every_form, top_k

N, K = 80, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
PROBA = softmax(X @ RNG.normal(size=(3, K)), axis=1)
CODES = np.array([RNG.choice(K, p=p) for p in PROBA])
CODES[: 2 * K] = np.tile(np.arange(K), 2)
TOP = np.where(PROBA.argsort(axis=1).argsort(axis=1) >= 2, PROBA, np.nan)  # the three largest
NETWORK = {"max_epochs": 3, "batch_size": 20, "device": "cpu", "random_state": 0, "lr": 0.05}
TREES = HistGradientBoostingClassifier(max_iter=5, early_stopping=False)
LINEAR = sd.DistilledLogisticRegression(0.7, 2.0, tol=1e-9)
STUDENTS = [
    LINEAR,
    sd.DistilledLogisticRegressionCV(("imitation",), method="grid", grid=2, cv=2, tol=1e-9),
    sd.DistilledNeuralClassifier(imitation=0.7, temperature=2.0, **NETWORK),
    sd.DistilledBoostingClassifier(TREES, imitation=0.7, temperature=2.0),
]
every_student = pytest.mark.parametrize("student", STUDENTS, ids=lambda one: type(one).__name__)


def stored(proba, container=sparse.csr_array):
    """Return what is not NaN as a sparse matrix, zeros included."""
    rows, columns = np.nonzero(~np.isnan(proba))
    return container((proba[rows, columns], (rows, columns)), shape=proba.shape)


def predicted(student, teacher, y=CODES, rows=slice(None), **params):
    student = clone(student).set_params(**params)
    return student.fit(X[rows], y[rows], teacher_proba=teacher[rows]).predict_proba(X)


@every_student
@both
def test_sparse_is_nan(student, partial):
    expected = predicted(student, TOP, partial=partial)
    for container in (sparse.csr_array, sparse.csc_matrix):
        found = predicted(student, stored(TOP, container), partial=partial)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert abs(expected - predicted(student, PROBA)).max() > 1e-3


@every_student
@both
def test_all_classes_known_is_the_full_teacher(student, partial):
    found = predicted(student, stored(PROBA), partial=partial)
    np.testing.assert_allclose(found, predicted(student, PROBA), atol=1e-5)


@every_student
def test_one_unknown_class_is_known(student):
    """Its probability is the rest."""
    one_unknown = np.where(PROBA.argsort(axis=1).argsort(axis=1) >= 1, PROBA, np.nan)
    expected = predicted(student, PROBA)
    for partial in ("rest", "spread"):
        found = predicted(student, stored(one_unknown), partial=partial)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@every_student
def test_a_row_without_entries_is_a_missing_prediction(student):
    some = np.where(np.arange(N)[:, None] % 3 > 0, TOP, np.nan)
    expected = predicted(student, some)
    found = clone(student).fit(X, CODES, teacher_proba=stored(some))
    np.testing.assert_allclose(found.predict_proba(X), expected, atol=1e-6)
    assert found.n_taught_rows_ == (~np.isnan(some).all(axis=1)).sum()


@every_student
def test_without_a_label(student):
    y = np.where(np.arange(N) < 40, CODES, np.nan)
    expected = predicted(student, TOP, y)
    found = clone(student).fit(X, y, teacher_proba=stored(TOP), teacher_weight=np.ones(N))
    np.testing.assert_allclose(found.predict_proba(X), expected, atol=1e-5)
    if not isinstance(student, sd.DistilledLogisticRegressionCV):
        alone = clone(student).set_params(classes=np.arange(K))
        assert alone.fit(X, teacher_proba=stored(TOP)).predict_proba(X).shape == (N, K)


def test_a_search_without_any_label_needs_all_classes():
    search = sd.DistilledLogisticRegressionCV("temperature", cv=2, classes=np.arange(K))
    with pytest.raises(ValueError, match=r"y has no labels.*leave classes unknown"):
        search.fit(X, teacher_proba=stored(TOP))


def written(w, partial, y=CODES):
    """Return the objective of LINEAR on TOP."""
    W = w.reshape(K, 4)
    z = X @ W[:, :3].T + W[:, 3]
    u, known = z / 2.0, ~np.isnan(TOP)
    rest = 1 - np.nansum(TOP, axis=1)
    q = np.where(known, np.nan_to_num(TOP), (rest / 2)[:, None]) ** 0.5
    q /= q.sum(axis=1, keepdims=True)
    log_g = u - logsumexp(u, axis=1, keepdims=True)
    loss = -(np.where(known, q, 0) * log_g).sum(axis=1)
    if partial == "rest":
        of_unknown = logsumexp(np.where(known, -np.inf, log_g), axis=1)
        loss -= np.where(known, 0, q).sum(axis=1) * of_unknown
    else:
        loss -= (np.where(known, 0, q) * log_g).sum(axis=1)
    label = logsumexp(z, axis=1) - z[np.arange(N), y]
    return (0.3 * label + 0.7 * loss).sum() + 0.5 * (W[:, :3] ** 2).sum()


@both
def test_a_linear_student_minimises_the_written_formula(partial):
    student = clone(LINEAR).set_params(partial=partial).fit(X, CODES, teacher_proba=TOP)
    w = np.column_stack([student.coef_, student.intercept_]).ravel()
    found = minimize(written, w + 0.05, args=(partial,), method="BFGS", options={"gtol": 1e-6})
    assert written(w, partial) <= found.fun + 1e-7
    assert student.solver_ == ("newton-cg" if partial == "rest" else "newton-cholesky")


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_every_solver_finds_it(solver):
    expected = predicted(LINEAR, TOP)
    np.testing.assert_allclose(predicted(LINEAR, TOP, solver=solver), expected, atol=1e-6)


def test_wide_data():
    wide = np.random.default_rng(0).normal(size=(N, 300)) + X @ np.ones((3, 300))
    student = clone(LINEAR).fit(wide, CODES, teacher_proba=stored(TOP))
    assert student.solver_ == "row-space"
    plain = clone(LINEAR).set_params(solver="newton-cg").fit(wide, CODES, teacher_proba=TOP)
    np.testing.assert_allclose(student.predict_proba(wide), plain.predict_proba(wide), atol=1e-5)


@both
def test_the_hypergradient_is_a_finite_difference(partial):
    names, values = (
        ("imitation", "temperature", "C"),
        {"imitation": 0.4, "temperature": 2.0, "C": 0.7},
    )
    params = values | {"tol": 1e-11, "max_iter": 1000, "partial": partial}
    search = sd.DistilledLogisticRegressionCV(names, cv=3, **params)
    teacher, trust = stored(TOP), RNG.uniform(0, 3, size=N)

    def cv_loss_at(changed):
        other = clone(search).set_params(**changed)
        targets = TrainingTargets.read(other, N, CODES, None, teacher, None, teacher_weight=trust)
        space = Space.of(names, LossParams.of(other), None)
        folds = other._make_folds(X, targets, {}, weighted=False)
        return CrossValidatedLoss(folds, space, None, lambda evaluation: None)

    def loss_at(name, value):
        cv_loss = cv_loss_at({name: value})
        return cv_loss.evaluate(cv_loss.space.start_coordinates, "test").loss

    cv_loss = cv_loss_at({})
    evaluation = cv_loss.evaluate(cv_loss.space.start_coordinates, "test", gradient=True)
    expected = [
        central_difference(lambda t, name=name: loss_at(name, t), values[name], 1e-4)
        for name in names
    ]
    np.testing.assert_allclose(
        evaluation.gradient / evaluation.jacobian, expected, rtol=1e-4, atol=1e-8
    )


@both
@every_form
def test_networks_have_the_same_loss_and_gradient(partial, form):
    torch = pytest.importorskip("torch")
    from sklearn_distill.nets.sparse_losses import SparseTargetLoss, sparse_table

    problem = Problem(partial, form)
    targets = problem.mixture().targets()
    loss, table = SparseTargetLoss.of(targets), torch.tensor(sparse_table(targets))
    assert table.shape[1] == loss.n_columns
    W = torch.tensor(problem.W, requires_grad=True)
    design = torch.tensor(np.column_stack([problem.X, np.ones(len(problem.X))]))
    value = loss(design @ W.T, table)
    value.backward()
    objective = problem.objective(targets)
    objective.alpha = 0.0
    expected, gradient = objective.value_and_gradient(problem.W.ravel())
    scale = problem.s.sum() / len(problem.X)
    assert value.item() == pytest.approx(expected * scale, rel=1e-9)
    np.testing.assert_allclose(W.grad.numpy().ravel(), gradient * scale, atol=1e-9)
    doubled = loss(design @ W.T, loss.weigh(table, torch.full((len(table),), 2.0)))
    assert doubled.item() == pytest.approx(2 * value.item())


def test_networks_stop_early_smooth_and_follow_schedules():
    student = STUDENTS[2]
    for params in (
        {"early_stopping": True},
        {"label_smoothing": 0.1},
        {"temperature": lambda epoch: 1.0 + epoch},
        {"augmentation": mixed},
    ):
        found = predicted(student, stored(PROBA), **params)
        np.testing.assert_allclose(found, predicted(student, PROBA, **params), atol=1e-5)
    held_out = {"X_val": (X[:20],), "y_val": (CODES[:20],)}
    with_set = clone(student).set_params(early_stopping=True)
    with_set.fit(X, CODES, teacher_proba=stored(TOP), **held_out)
    assert with_set.history_["teacher_loss"].iloc[-1] >= 0
    first = clone(student).partial_fit(X, CODES, teacher_proba=stored(TOP))
    assert first.predict_proba(X).shape == (N, K)


def mixed(batch):
    import torch

    order = torch.arange(len(batch) - 1, -1, -1)
    return 0.7 * batch + 0.3 * batch[order], order, torch.tensor(0.7)


@every_form
@pytest.mark.parametrize("M", [1, 2])
def test_networks_that_tune_have_the_same_loss_and_exact_derivatives(M, form):
    torch = pytest.importorskip("torch")
    from sklearn_distill.nets.partial_mixture_loss import PartialMixtureLoss, partial_mixture_table
    from sklearn_distill.nets.sparse_losses import SparseTargetLoss, sparse_table

    problem = Problem("rest", form, M=M)
    n_classes, at = problem.labels.n_classes, {"imitation": 0.4, "temperature": 2.0}
    loss = PartialMixtureLoss(n_classes, M, **form)
    weight = label_weights(problem.s, form.get("class_weight"), problem.labels)
    table = torch.tensor(partial_mixture_table(problem.labels, problem.teachers, weight))
    z = torch.tensor(2 * np.random.default_rng(1).normal(size=(len(weight), n_classes)))
    found = loss.residuals(z, table, **at, mixed=True)
    targets = problem.mixture(**at).targets()
    leaf = z.clone().requires_grad_()
    expected = SparseTargetLoss.of(targets)(leaf, torch.tensor(sparse_table(targets)))
    expected.backward()
    torch.testing.assert_close(found.loss, expected.detach())
    torch.testing.assert_close(found.scores, leaf.grad)
    gradient = loss.metaparameter_gradient(z, table, **at)
    for (name, value), mixed, derivative in zip(at.items(), found.mixed, gradient, strict=True):
        residuals = [
            loss.residuals(z, table, **at | {name: value + step}) for step in (1e-5, -1e-5)
        ]
        difference = (residuals[0].scores - residuals[1].scores) / 2e-5
        np.testing.assert_allclose(mixed, difference, rtol=1e-6, atol=1e-9)
        of_loss = float(residuals[0].loss - residuals[1].loss) / 2e-5
        assert derivative == pytest.approx(of_loss, rel=1e-6, abs=1e-9)


def test_networks_refuse_what_they_cannot_read():
    student = clone(STUDENTS[2])
    student.set_params(metaparameter_optimizer=sd.GreedyHypergradient())
    student.fit(X, CODES, teacher_proba=TOP)
    with pytest.raises(ValueError, match="metaparameter_optimizer needs a dense teacher_proba"):
        student.fit(X, CODES, teacher_proba=stored(TOP))
    custom = clone(STUDENTS[2])
    custom.set_params(distillation_loss=lambda scores, logits, labels, weights: scores.sum(1))
    with pytest.raises(ValueError, match="needs predictions for all classes"):
        custom.fit(X, CODES, teacher_proba=TOP)
    # an array whose unknown classes are spread has predictions for all
    custom.set_params(partial="spread").fit(X, CODES, teacher_proba=TOP)


@both
@pytest.mark.parametrize("weighted", [False, True])
def test_boosting_has_the_gradient_of_the_row_and_the_curvature_of_p(partial, weighted):
    problem = Problem(partial, {"t_squared": True})
    targets = problem.mixture().targets()
    loss = ScoreLoss(targets, problem.s if weighted else None)
    z = np.random.default_rng(1).normal(size=(5, 25))
    g, h = np.empty_like(z), np.empty_like(z)
    loss.derivatives(z, g, h)
    total = loss._weight_sum
    for k in range(5):
        unit = np.zeros((5, 1))
        unit[k] = 1
        slope = central_difference(lambda t, unit=unit: loss.mean(z + t * unit), 0, 1e-6)
        assert g[k].sum() / total == pytest.approx(slope, abs=1e-7)
    assert (h >= 0).all()
    p, soft = softmax(z, axis=0), softmax(z / 2.0, axis=0)
    label, teacher = (term.weight for term in targets.terms[:2])
    np.testing.assert_allclose(h, label * p * (1 - p) + teacher / 4 * soft * (1 - soft))
    start = loss.start()
    assert np.isfinite(start).all()


def test_any_regressor_gets_an_even_rest():
    spread = np.where(np.isnan(TOP), ((1 - np.nansum(TOP, axis=1)) / 2)[:, None], TOP)
    student = sd.SoftTargetClassifier(DecisionTreeRegressor(max_depth=3, random_state=0))
    found = clone(student).fit(X, CODES, teacher_proba=TOP)
    expected = clone(student).fit(X, CODES, teacher_proba=spread)
    np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X), atol=1e-12)
    with pytest.raises(ValueError, match=r"is a sparse.*read by DistilledLogisticRegression"):
        student.fit(X, CODES, teacher_proba=stored(TOP))


@both
def test_two_classes(partial):
    """One of them determines the other."""
    y, proba = CODES % 2, PROBA[:, :2] / PROBA[:, :2].sum(axis=1, keepdims=True)
    one = np.where(np.arange(2) == (np.arange(N) % 2)[:, None], proba, np.nan)
    for student in (LINEAR, STUDENTS[2], STUDENTS[3]):
        expected = clone(student).fit(X, y, teacher_proba=proba).predict_proba(X)
        for teacher in (one, stored(one)):
            found = clone(student).set_params(partial=partial).fit(X, y, teacher_proba=teacher)
            np.testing.assert_allclose(found.predict_proba(X), expected, atol=1e-5)


@both
def test_a_stored_zero_is_impossible(partial):
    proba = np.column_stack([np.zeros(N), PROBA[:, 1:] / PROBA[:, 1:].sum(axis=1, keepdims=True)])
    proba[::2, 3:] = np.nan
    y = np.where(CODES == 0, 1, CODES)
    student = clone(LINEAR).set_params(partial=partial, classes=np.arange(K))
    student.fit(X, y, teacher_proba=stored(proba))
    assert (student.predict_proba(X)[:, 0] == 0).all()
    assert np.isneginf(student.intercept_[0])


def test_column_names_and_several_teachers():
    frame = pd.DataFrame(TOP[:, ::-1], columns=range(K - 1, -1, -1))
    np.testing.assert_allclose(predicted(LINEAR, frame.to_numpy()[:, ::-1]), predicted(LINEAR, TOP))
    named = clone(LINEAR).fit(X, CODES, teacher_proba=frame)
    np.testing.assert_allclose(named.predict_proba(X), predicted(LINEAR, TOP), atol=1e-8)
    twice = np.stack([TOP, TOP], axis=1)
    np.testing.assert_allclose(predicted(LINEAR, twice), predicted(LINEAR, TOP), atol=1e-6)


@pytest.mark.parametrize("routing", [False, True])
def test_tools_slice_sparse_teachers(routing):
    params = {"teacher_proba": stored(TOP), "teacher_weight": np.linspace(0, 1, N)}
    with config_context(enable_metadata_routing=routing):
        result = cross_validate(
            LINEAR, X, CODES, cv=KFold(2), params=params, return_estimator=True, error_score="raise"
        )
    train, _ = next(KFold(2).split(X))
    student = clone(LINEAR).fit(
        X[train], CODES[train], **{name: values[train] for name, values in params.items()}
    )
    np.testing.assert_allclose(result["estimator"][0].coef_, student.coef_)
    pipe = make_pipeline(StandardScaler(), LINEAR)
    search = GridSearchCV(
        pipe, {"distilledlogisticregression__partial": ["rest", "spread"]}, cv=KFold(2)
    )
    search.fit(X, CODES, distilledlogisticregression__teacher_proba=sparse.coo_matrix(stored(TOP)))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@both
def test_chunks(partial):
    da = pytest.importorskip("dask.array")
    expected = predicted(LINEAR, TOP, partial=partial)
    student = clone(LINEAR).set_params(partial=partial)
    for teacher in (TOP, sparse.coo_array(stored(TOP))):
        student.fit(da.from_array(X, (30, 3)), da.from_array(CODES, 30), teacher_proba=teacher)
        np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-6)


def replaced(row, values):
    proba = PROBA.copy()
    proba[row] = values
    return proba


@every_student
@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (replaced(3, [0.9, 0.9, np.nan, np.nan, 0]), "row 3 sums to more than 1 in its known"),
        (stored(replaced(3, [0.9, 0.9, np.nan, np.nan, 0])), "teacher_proba: row 3 sums to 1.8"),
        (stored(replaced(4, [0.1, 0.1, 0.1, 0.1, 0])), "teacher_proba: row 4 sums to 0.4"),
        (stored(replaced(2, [-0.1, 0.9, np.nan, 0, 0])), "teacher_proba: row 2 has the entry -0.1"),
        (sparse.csr_array(replaced(5, np.nan)), "teacher_proba: row 5 has the entry nan"),
        (stored(replaced(6, [np.inf, 0, 0, 0, 0])), "teacher_proba: row 6 has the entry"),
        (stored(PROBA[:-1]), "sparse csr_array of shape .79, 5., X has 80 rows"),
        (stored(PROBA[:, :4]), "teacher_proba has 4 columns, but the classes are"),
    ],
    ids=["nan", "above", "below", "negative", "stored", "infinite", "rows", "columns"],
)
def test_errors_name_the_row(student, teacher, message):
    with pytest.raises(ValueError, match=message):
        clone(student).fit(X, CODES, teacher_proba=teacher)


def test_logits_and_datasets_are_complete():
    with pytest.raises(ValueError, match=r"NaN for some classes only.*np\.exp of log-prob"):
        clone(LINEAR).fit(X, CODES, teacher_logits=np.log(TOP))
    with pytest.raises(ValueError, match="teacher_logits is a sparse"):
        clone(LINEAR).fit(X, CODES, teacher_logits=stored(TOP))
    torch = pytest.importorskip("torch")
    dataset = torch.utils.data.TensorDataset(*map(torch.tensor, (X, CODES, TOP)))
    student = clone(STUDENTS[2]).set_params(classes=np.arange(K))
    with pytest.raises(ValueError, match="NaN for some classes only"):
        student.fit(dataset)
    with pytest.raises(ValueError, match="partial"):
        sd.DistilledLogisticRegression(partial="none").fit(X, CODES, teacher_proba=TOP)


def test_the_plausible_order_is_checked():
    n = 400
    features = np.random.default_rng(0).normal(size=(n, 3))
    proba = softmax(4 * features @ np.random.default_rng(1).normal(size=(3, K)), axis=1)
    y = np.array([np.random.default_rng(i).choice(K, p=p) for i, p in enumerate(proba)])
    top = np.where(proba.argsort(axis=1).argsort(axis=1) >= 2, proba, np.nan)
    clone(LINEAR).fit(features, y, teacher_proba=stored(top))
    with pytest.warns(sd.exceptions.ImplausibleTeacherWarning, match="rows shuffled"):
        clone(LINEAR).fit(features, y, teacher_proba=stored(top)[::-1])


def test_memory_of_targets():
    """A few numbers for each stored probability, in the linear student and in a network."""
    n, n_classes, k = 4_000, 1_000, 10
    proba = top_k(n, n_classes, k)
    size = proba.data.nbytes + proba.indices.nbytes + proba.indptr.nbytes
    y = np.random.default_rng(1).integers(n_classes, size=n)
    y[:n_classes] = np.arange(n_classes)
    student = sd.DistilledLogisticRegression(classes=np.arange(n_classes))

    def read():
        return TrainingTargets.read(student, n, y, None, proba, None)

    params = LossParams(0.5, 2.0, 1.0)
    read()
    tracemalloc.start()
    targets = read()
    soft_targets = targets.mixture(params).targets()
    del targets
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert soft_targets.nbytes < 3 * size
    assert kept < 3 * size
    assert peak < 8 * size < 0.4 * n * n_classes * 8
    pytest.importorskip("torch")
    from sklearn_distill.nets.sparse_losses import sparse_table

    assert sparse_table(soft_targets).astype(np.float32).nbytes < 2 * size
