"""Trust in a teacher, row by row: what every student must do with ``teacher_weight``."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import clone, is_regressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import sklearn_distill as sd

N, K = 60, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
LOGITS = X @ np.random.default_rng(1).normal(size=(3, K)) * 2
PROBA = softmax(LOGITS, axis=1)
CODES = np.array([RNG.choice(K, p=p) for p in PROBA])
CODES[:6] = [0, 1, 2, 0, 1, 2]
S = X @ [1.0, 2.0, -1.0] + 0.1 * RNG.normal(size=N)
Y = S + 0.5 * RNG.normal(size=N)
STD = RNG.uniform(0.5, 2, size=N)
TRUST = RNG.uniform(0, 1, size=N)
TRUSTED = RNG.random(N) < 0.6
TREES = {"max_iter": 3, "min_samples_leaf": 5, "early_stopping": False}
NETWORK = {"max_epochs": 2, "batch_size": 20, "device": "cpu", "random_state": 0, "lr": 0.05}
STUDENTS = [
    sd.DistilledLogisticRegression(0.6, 2.0, tol=1e-10),
    sd.DistilledLogisticRegressionCV(("imitation",), method="grid", grid=2, cv=2, tol=1e-10),
    sd.DistilledNeuralClassifier(imitation=0.6, temperature=2.0, **NETWORK),
    sd.DistilledBoostingClassifier(HistGradientBoostingClassifier(**TREES), imitation=0.6),
    sd.SoftTargetClassifier(
        DecisionTreeRegressor(max_depth=3, random_state=0), imitation=0.6, temperature=2.0
    ),
    sd.PrivilegedLinearRegression(0.6, alpha=0.3),
    sd.PrivilegedLinearRegressionCV(4, imitations=3, noise_ratios=2, cv=2),
    sd.DistilledNeuralRegressor(imitation=0.6, **NETWORK),
    sd.DistilledBoostingRegressor(HistGradientBoostingRegressor(**TREES), imitation=0.6),
    sd.SoftTargetRegressor(Ridge(), imitation=0.6),
]
every_student = pytest.mark.parametrize("student", STUDENTS, ids=lambda one: type(one).__name__)


def labels_of(student):
    return Y if is_regressor(student) else CODES.astype(float)


def teacher_of(student, values=None):
    if is_regressor(student):
        return {"teacher_prediction": S if values is None else values}
    return {"teacher_proba": PROBA if values is None else values}


def where(mask, values):
    """Return the values with NaN in other rows."""
    return np.where(mask.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)


def outputs(student, y, weight=None, rows=slice(None), **teacher):
    fitted = clone(student).fit(
        X[rows],
        y[rows],
        None if weight is None else weight[rows],
        **{name: values[rows] for name, values in teacher.items()},
    )
    return fitted.predict(X) if is_regressor(student) else fitted.predict_proba(X)


def assert_same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@every_student
def test_ones_are_none(student):
    y, teacher = labels_of(student), teacher_of(student)
    y = where(np.arange(N) < 50, y)
    expected = outputs(student, y, **teacher)
    assert_same(outputs(student, y, **teacher, teacher_weight=np.ones(N)), expected)
    assert_same(outputs(student, y, **teacher, teacher_weight=np.ones((N, 1))), expected)


@every_student
def test_zero_is_a_missing_prediction(student):
    y, teacher = labels_of(student), teacher_of(student)
    (name, values), weight = teacher.popitem(), RNG.uniform(0.5, 2, size=N)
    expected = outputs(student, y, weight, **{name: where(TRUSTED, values)})
    found = outputs(student, y, weight, **{name: values}, teacher_weight=TRUSTED.astype(float))
    assert_same(found, expected)


@every_student
def test_zero_leaves_out_a_row_without_a_label(student):
    y, teacher = where(np.arange(N) < 40, labels_of(student)), teacher_of(student)
    kept = np.flatnonzero(TRUSTED | (np.arange(N) < 40))
    trust = np.where(np.arange(N) < 40, 1.0, TRUSTED)
    found = outputs(student, y, **teacher, teacher_weight=trust)
    assert_same(found, outputs(student, y, rows=kept, **teacher))


@every_student
def test_it_multiplies_the_weight_of_a_row_without_a_label(student):
    labelled = np.arange(N) < 40
    y, teacher = where(labelled, labels_of(student)), teacher_of(student)
    trust = np.where(labelled, 1.0, 2 * TRUST)
    weight = RNG.uniform(0.5, 2, size=N)
    found = outputs(student, y, weight, **teacher, teacher_weight=trust)
    assert_same(found, outputs(student, y, weight * np.minimum(trust, 1.0), **teacher))


def test_without_weights_it_is_a_weight_too():
    """Regressors and libraries that get no weight without need get one then."""
    labelled = np.arange(N) < 40
    trust = np.where(labelled, 1.0, TRUST)
    for student in STUDENTS[3:5] + STUDENTS[8:]:
        y, teacher = where(labelled, labels_of(student)), teacher_of(student)
        found = outputs(student, y, **teacher, teacher_weight=trust)
        assert_same(found, outputs(student, y, trust, **teacher))
    neighbours = sd.SoftTargetRegressor(KNeighborsRegressor(), imitation=0.6)
    with pytest.raises(ValueError, match="teacher_weight in rows without a label"):
        outputs(neighbours, where(labelled, Y), teacher_prediction=S, teacher_weight=trust)


@pytest.mark.parametrize(
    "student",
    [one for one in STUDENTS if "imitation" in one.get_params() and not hasattr(one, "cv")],
    ids=lambda one: type(one).__name__,
)
def test_it_multiplies_imitation_up_to_one(student):
    y, teacher = labels_of(student), teacher_of(student)
    is_linear = isinstance(student, sd.PrivilegedLinearRegression)
    if is_linear:  # trust counts in the estimate of σ_s², too
        student = clone(student).set_params(noise_variance=1.0, teacher_noise_variance=0.5)
    found = outputs(student, y, **teacher, teacher_weight=np.full(N, 0.5))
    assert_same(found, outputs(clone(student).set_params(imitation=0.3), y, **teacher))
    if not is_linear:
        found = outputs(student, y, **teacher, teacher_weight=np.full(N, 5.0))
        assert_same(found, outputs(clone(student).set_params(imitation=1.0), y, **teacher))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_weighted_copies(n_classes):
    """At T = 1 a row is LogisticRegression's on its label and on each class."""
    y, proba = CODES % n_classes, softmax(LOGITS[:, :n_classes], axis=1)
    trust = 3 * TRUST
    share = np.minimum(0.6 * trust, 1.0)
    student = sd.DistilledLogisticRegression(0.6, tol=1e-10)
    student.fit(X, y, teacher_proba=proba, teacher_weight=trust)
    copies = np.repeat(np.arange(N), n_classes), np.tile(np.arange(n_classes), N)
    weight = np.concatenate([1 - share, (share[:, None] * proba).ravel()])
    plain = LogisticRegression(tol=1e-10, max_iter=10_000).fit(
        np.concatenate([X, X[copies[0]]]), np.concatenate([y, copies[1]]), weight
    )
    np.testing.assert_allclose(student.coef_, plain.coef_, atol=1e-5)


@every_student
def test_weights_of_several_teachers_average_them(student):
    """The mean of the weights, over the available predictions, is the trust."""
    first, second = teacher_of(student), teacher_of(student)
    name, values = first.popitem()
    other = second.popitem()[1][::-1] if is_regressor(student) else PROBA[:, ::-1]
    stack = np.stack([values, other], axis=1)
    stack = stack[:, :, None] if is_regressor(student) else stack
    missing = np.arange(N) % 7 == 0
    stack[missing, 1] = np.nan
    weight = RNG.uniform(0, 1, size=(N, 2))
    weight[1] = 0.0
    available = np.where(missing[:, None], [1.0, 0.0], 1.0)
    share = weight * available
    trust = share.sum(axis=1) / available.sum(axis=1)
    share[1] = 1.0  # a mean that is not used
    mean = (share[:, :, None] * np.nan_to_num(stack)).sum(axis=1) / share.sum(axis=1)[:, None]
    mean = mean[:, 0] if is_regressor(student) else mean
    if "temperature" in student.get_params():  # the mean is of softened predictions
        student = clone(student).set_params(temperature=1.0)
    y = labels_of(student)
    found = outputs(student, y, **{name: stack}, teacher_weight=weight)
    assert_same(found, outputs(student, y, **{name: mean}, teacher_weight=trust))


@every_student
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.r_[-1.0, np.ones(N - 1)], "teacher_weight: row 0 is -1"),
        (np.r_[1.0, np.nan, np.ones(N - 2)], "teacher_weight: row 1 is nan"),
        (np.r_[1.0, np.inf, np.ones(N - 2)], "teacher_weight: row 1 is inf"),
        (np.ones(N - 1), r"teacher_weight has shape \(59,\)"),
        (np.ones((N, 2)), r"teacher_weight has shape \(60, 2\), but there are 60 rows and 1 t"),
        (0.5, r"teacher_weight has shape \(\).*imitation"),
        (["a"] * N, "teacher_weight must be an array of numbers"),
        (pd.Series(np.ones(N), index=range(N))[::-1], "teacher_weight and X have their rows in"),
    ],
    ids=["negative", "nan", "infinite", "length", "teachers", "scalar", "text", "order"],
)
def test_errors_name_the_argument(student, weight, message):
    features = pd.DataFrame(X, index=range(N)) if isinstance(weight, pd.Series) else X
    with pytest.raises(ValueError, match=message):
        clone(student).fit(
            features, labels_of(student), **teacher_of(student), teacher_weight=weight
        )


@every_student
def test_a_weight_without_a_teacher_is_refused(student):
    if "imitation" in student.get_params():
        student = clone(student).set_params(imitation=0.0)
    with pytest.raises(ValueError, match="teacher_weight is given without teacher_"):
        clone(student).fit(X, labels_of(student), teacher_weight=TRUST)


def test_no_trust_at_all():
    student = sd.DistilledLogisticRegression()
    nothing = {"teacher_proba": PROBA, "teacher_weight": np.zeros(N)}
    message = r"is missing \(NaN\) or has teacher_weight 0 in every row: fitted on the labels"
    with pytest.warns(sd.exceptions.TeacherMissingWarning, match=message):
        student.fit(X, CODES, **nothing)
    with pytest.raises(ValueError, match="teacher_weight is 0 in every row without a label"):
        clone(student).set_params(classes=[0, 1, 2]).fit(X, **nothing)
    with pytest.raises(ValueError, match="teacher_weight 0 in every row, but imitation=1"):
        sd.SoftTargetRegressor(Ridge(), imitation=1.0).fit(
            X, Y, teacher_prediction=S, teacher_weight=np.zeros(N)
        )


def test_a_row_of_weight_zero_is_not_checked():
    trust = np.where(np.arange(N) == 3, np.nan, TRUST)
    weight = np.where(np.arange(N) == 3, 0.0, 1.0)
    for student in (STUDENTS[0], STUDENTS[5]):
        y, teacher = labels_of(student), teacher_of(student)
        clone(student).fit(X, y, weight, **teacher, teacher_weight=trust)


@every_student
@pytest.mark.parametrize("routing", [False, True])
def test_tools_slice_it(student, routing):
    y, teacher = labels_of(student), teacher_of(student)
    params = teacher | {"teacher_weight": TRUST}
    with config_context(enable_metadata_routing=routing):
        result = cross_validate(
            student, X, y, cv=KFold(2), params=params, return_estimator=True, error_score="raise"
        )
    train, _ = next(KFold(2).split(X))
    predict = "predict" if is_regressor(student) else "predict_proba"
    found = getattr(result["estimator"][0], predict)(X)
    assert_same(found, outputs(student, y, rows=train, **params))


def test_through_pipelines_and_searches():
    pipe = make_pipeline(StandardScaler(), sd.DistilledLogisticRegression())
    grid = {"distilledlogisticregression__C": [0.1, 1.0]}
    prefixed = {
        "distilledlogisticregression__teacher_proba": PROBA,
        "distilledlogisticregression__teacher_weight": TRUST,
    }
    plain = GridSearchCV(pipe, grid, cv=KFold(2)).fit(X, CODES, **prefixed)
    with config_context(enable_metadata_routing=True):
        routed = GridSearchCV(pipe, grid, cv=KFold(2)).fit(
            X, CODES, teacher_proba=PROBA, teacher_weight=TRUST
        )
    np.testing.assert_array_equal(plain.predict_proba(X), routed.predict_proba(X))
    untrusted = GridSearchCV(pipe, grid, cv=KFold(2)).fit(
        X, CODES, distilledlogisticregression__teacher_proba=PROBA
    )
    assert abs(plain.predict_proba(X) - untrusted.predict_proba(X)).max() > 1e-3


def test_through_an_optuna_objective():
    optuna = pytest.importorskip("optuna")
    params = {"teacher_proba": PROBA, "teacher_weight": TRUST}
    objective = sd.search.distillation_objective(
        sd.DistilledLogisticRegression(),
        X,
        CODES,
        {"C": optuna.distributions.FloatDistribution(0.1, 1)},
        cv=KFold(2),
        scoring="neg_log_loss",
        params=params,
    )
    expected = cross_validate(
        sd.DistilledLogisticRegression(C=0.5),
        X,
        CODES,
        cv=KFold(2),
        scoring="neg_log_loss",
        params=params,
    )
    found = objective(optuna.trial.FixedTrial({"C": 0.5}))
    assert found == pytest.approx(expected["test_score"].mean())


@pytest.mark.parametrize("routing", [False, True])
def test_a_teacher_student_estimator_passes_it_on(routing):
    model = sd.TeacherStudentClassifier(
        GaussianNB(), sd.DistilledLogisticRegression(tol=1e-9), cv=2, random_state=0
    )
    name = "teacher_weight" if routing else "student__teacher_weight"
    extra = RNG.normal(size=(10, 3))
    with config_context(enable_metadata_routing=routing):
        ones = clone(model).fit(X, CODES, X_unlabeled=(extra,), **{name: np.ones(N)})
        none = clone(model).fit(X, CODES, X_unlabeled=(extra,))
        trusted = clone(model).fit(X, CODES, X_unlabeled=(extra,), **{name: TRUST})
    np.testing.assert_allclose(ones.student_.coef_, none.student_.coef_, atol=1e-6)
    assert abs(trusted.student_.coef_ - none.student_.coef_).max() > 1e-3


def test_generations_trust_each_other_by_row():
    """The first generation is fitted on labels alone, and has no teacher."""
    born_again = sd.BornAgainClassifier(
        sd.DistilledLogisticRegression(tol=1e-9), n_generations=2, random_state=0
    )
    plain = clone(born_again).fit(X, CODES).predict_proba(X)
    ones = clone(born_again).fit(X, CODES, student__teacher_weight=np.ones(N))
    np.testing.assert_allclose(ones.predict_proba(X), plain, atol=1e-6)
    trusted = clone(born_again).fit(X, CODES, student__teacher_weight=TRUST)
    assert abs(trusted.predict_proba(X) - plain).max() > 1e-4


@pytest.mark.parametrize("with_std", [False, True])
@pytest.mark.parametrize("solver", ["gram", "tsqr"])
def test_least_squares_and_covariance_are_those_of_the_definition(solver, with_std):
    """Weights 1 − λ_i and λ_i ρ r_i; the covariance is that of independent errors."""
    y = where(np.arange(N) < 40, Y)
    labelled, weight = np.arange(N) < 40, RNG.uniform(0.5, 2, size=N)
    trust = np.where(labelled, TRUST, 1.0)  # that of others is a weight, tested above
    trust[:5] = [0.0, 1.0, 0.0, 1.0, 0.5]
    params = {"noise_variance": 1.0, "teacher_noise_variance": 0.25, "solver": solver}
    student = sd.PrivilegedLinearRegression(0.7, **params)
    teacher = {"teacher_prediction": S} | ({"teacher_std": STD} if with_std else {})
    student.fit(X, y, weight, **teacher, teacher_weight=trust)
    rho, r = 4.0, np.ones(N)
    if with_std:
        unit = student.statistics_.teacher_variances.median
        r = unit / STD**2
    share = np.where(labelled, 0.7 * trust, 1.0)
    c_y, c_s = labelled * (1 - share), rho * r * share
    design = np.column_stack([X, np.ones(N)])
    inverse = np.linalg.inv(design.T * (weight * (c_y + c_s)) @ design)
    right = design.T @ (weight * (c_y * np.nan_to_num(y) + c_s * S))
    expected = inverse @ right
    np.testing.assert_allclose(student.coef_, expected[:3], rtol=1e-8)
    np.testing.assert_allclose(student.intercept_, expected[3], rtol=1e-7, atol=1e-9)
    middle = design.T * (weight * (c_y**2 + c_s**2 / (rho * r))) @ design
    np.testing.assert_allclose(
        student.coef_covariance_, (inverse @ middle @ inverse)[:3, :3], rtol=1e-6
    )


def test_other_settings_from_the_same_statistics():
    student = sd.PrivilegedLinearRegression(0.2, alpha=0.1)
    student.fit(X, Y, teacher_prediction=S, teacher_weight=TRUST)
    anew = clone(student).set_params(imitation=0.9)
    anew.fit(X, Y, teacher_prediction=S, teacher_weight=TRUST)
    student.set_params(imitation=0.9).solve()
    np.testing.assert_allclose(student.coef_, anew.coef_, rtol=1e-9)
    streamed = clone(anew).set_params(noise_variance=1.0, teacher_noise_variance=1.0)
    for rows in (slice(0, 20), slice(20, N)):
        streamed.partial_fit(
            X[rows], Y[rows], teacher_prediction=S[rows], teacher_weight=TRUST[rows]
        )
    streamed.set_params(**anew.get_params()).solve()
    np.testing.assert_allclose(streamed.coef_, anew.coef_, rtol=1e-9)
    np.testing.assert_allclose(
        streamed.teacher_noise_variance_, anew.teacher_noise_variance_, rtol=1e-9
    )


def test_least_squares_refuse_more_than_one_beside_a_label():
    """The weights that the message names are those of the definition."""
    trust, known = 3 * TRUST, {"noise_variance": 1.0, "teacher_noise_variance": 0.5}
    student = sd.PrivilegedLinearRegression(1.0, **known)
    student.fit(X, Y, teacher_prediction=S, teacher_weight=np.minimum(1, 0.6 * trust))
    share = np.minimum(1, 0.6 * trust)
    target, weight = (1 - share) * Y + 2 * share * S, 1 + share
    plain = LinearRegression().fit(X, target / weight, weight)
    np.testing.assert_allclose(student.coef_, plain.coef_, rtol=1e-9)
    for student in (STUDENTS[5], STUDENTS[6]):
        with pytest.raises(
            ValueError, match=r"row 4 is 1\.5; least squares need weights of at most"
        ):
            clone(student).fit(
                X,
                Y,
                teacher_prediction=S,
                teacher_weight=np.where(np.arange(N) == 4, 1.5, 1.0),
            )


@pytest.mark.parametrize("student", [STUDENTS[0], STUDENTS[5], STUDENTS[6]], ids=str)
def test_chunks(student):
    da = pytest.importorskip("dask.array")
    y, teacher = labels_of(student), teacher_of(student) | {"teacher_weight": TRUST}
    if is_regressor(student):
        teacher["teacher_std"] = STD
    expected = outputs(student, y, **teacher)
    for blocks in ({}, {name: da.from_array(one, 25) for name, one in teacher.items()}):
        found = clone(student).fit(
            da.from_array(X, (25, 3)), da.from_array(y, 25), **(teacher | blocks)
        )
        predict = found.predict if is_regressor(student) else found.predict_proba
        np.testing.assert_allclose(predict(X), expected, rtol=1e-5, atol=1e-6)
        if isinstance(student, sd.DistilledLogisticRegressionCV):
            break


@pytest.mark.parametrize("student", [STUDENTS[2], STUDENTS[7]], ids=lambda one: type(one).__name__)
def test_networks_take_it_in_every_way(student):
    y, teacher = labels_of(student), teacher_of(student) | {"teacher_weight": TRUST}
    first = {} if is_regressor(student) else {"classes": [0, 1, 2]}
    by_part = clone(student).partial_fit(X, y, **first, **teacher)
    distrusted = clone(student).partial_fit(
        X, y, **first, **teacher | {"teacher_weight": np.full(N, 1e-9)}
    )
    assert abs(by_part.predict(X) - distrusted.predict(X)).max() > 1e-4
    moving = clone(student).set_params(imitation=lambda epoch: 0.6)
    assert_same(outputs(moving, y, **teacher), outputs(student, y, **teacher))
    torch = pytest.importorskip("torch")
    dataset = torch.utils.data.TensorDataset(torch.tensor(X, dtype=torch.float32))
    with pytest.raises(ValueError, match="leave out teacher_weight"):
        clone(student).fit(dataset, teacher_weight=TRUST)


def test_a_custom_loss_is_weighted():
    def cross_entropy(scores, teacher_logits, labels, weights, temperature):
        q = (teacher_logits / temperature).softmax(1)
        return -(q * (scores / temperature).log_softmax(1)).sum(1)

    student = STUDENTS[2]
    teacher = {"teacher_proba": PROBA, "teacher_weight": TRUST}
    custom = clone(student).set_params(distillation_loss=cross_entropy)
    found = outputs(custom, CODES, **teacher)
    np.testing.assert_allclose(found, outputs(student, CODES, **teacher), atol=1e-5)
