"""Six methods of choosing λ and T, and the account of their cost."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
)
from sklearn_distill.search.tune_student import tune_student

RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(2, 50, 3))
Y, Y_VAL = ((rows[:, 0] + RNG.normal(size=50) > 0).astype(int) for rows in (X, X_VAL))
TEACHER_PROBA = 1 / (1 + np.exp(-2 * X[:, 0]))
STUDENT = DistilledNeuralClassifier(
    hidden_layer_sizes=(), optimizer="sgd", lr=0.5, batch_size=20, max_epochs=8, random_state=0
)


def tuned(method, **options):
    data = {"X_val": X_VAL, "y_val": Y_VAL, "teacher_proba": TEACHER_PROBA}
    return tune_student(STUDENT, X, Y, method=method, random_state=0, **data, **options)


@pytest.mark.parametrize(
    ("method", "options", "n_training", "n_hypergradients"),
    [
        ("none", {}, 24, 0),
        ("naive", {}, 24, 0),
        ("random", {}, 24, 0),
        ("gradient", {}, 24, 24),
        ("linear", {"gradient_steps": 3, "predicted_steps": 5}, 24, 9),
        ("tpe", {"n_trials": 3}, 72, 0),
    ],
)
def test_the_account(method, options, n_training, n_hypergradients):
    if method == "tpe":
        pytest.importorskip("optuna", reason="the extra search is not installed")
    result = tuned(method, **options)
    assert result.method == method
    assert (result.n_training_steps, result.n_hypergradient_steps) == (n_training, n_hypergradients)
    assert 0 <= result.imitation <= 1
    assert 0.1 <= result.temperature <= 10
    log_proba = result.student.predict_log_proba(X_VAL)
    np.testing.assert_allclose(result.validation_loss, -log_proba[np.arange(50), Y_VAL].mean())
    again = tuned(method, **options)
    np.testing.assert_array_equal(
        again.student.predict_proba(X_VAL), result.student.predict_proba(X_VAL)
    )


def test_metaparameters_of_each_method():
    baseline = clone(STUDENT).set_params(imitation=0).fit(X, Y).predict_proba(X_VAL)
    np.testing.assert_allclose(tuned("none").student.predict_proba(X_VAL), baseline)
    assert (tuned("naive").imitation, tuned("naive").temperature) == (0.5, 1.0)
    starts = [tuned("random"), tuned("gradient", lr=1e-9), tuned("linear", lr=1e-9)]
    for values in zip(*((start.imitation, start.temperature) for start in starts), strict=True):
        np.testing.assert_allclose(values, values[0], rtol=1e-6)


def test_tpe_keeps_the_best_of_its_students():
    pytest.importorskip("optuna", reason="the extra search is not installed")
    losses = [tuned("tpe", n_trials=n).validation_loss for n in (1, 4)]
    assert losses[1] <= losses[0]


def test_an_unknown_method():
    with pytest.raises(ValueError, match="method must be one of"):
        tuned("hyperopt")


def gorpinich(rng, n):
    """Draw the paper's synthetic set: the teacher's features, the student's features, labels."""
    x = rng.normal(size=(n, 2))
    y = (x[:, 0] * x[:, 1] + rng.normal(size=n) / 2 > 0).astype(int)
    quadrant = (x[:, 0] > 0) & (x[:, 1] > 0)
    return np.column_stack([x, quadrant]), np.column_stack([x, np.sign(x[:, 0] * x[:, 1])]), y


@pytest.fixture(scope="module")
def accuracies():
    """Test accuracies of ten draws of the set, by method."""
    found = {method: [] for method in ("none", "gradient", "linear")}
    for run in range(10):
        rng = np.random.default_rng(run)
        X_teacher, _, y_teacher = gorpinich(rng, 200)
        X_of_teacher, X, y = gorpinich(rng, 15)
        _, X_val, y_val = gorpinich(rng, 15)
        _, X_test, y_test = gorpinich(rng, 200)
        teacher = LogisticRegression(C=1e6).fit(X_teacher, y_teacher)
        student = DistilledNeuralClassifier(
            hidden_layer_sizes=(),
            optimizer="sgd",
            lr=1.0,
            max_epochs=2000,
            classes=[0, 1],
            random_state=run,
        )
        for method, scores in found.items():
            result = tune_student(
                student,
                X,
                y,
                method=method,
                X_val=X_val,
                y_val=y_val,
                teacher_logits=teacher.predict_log_proba(X_of_teacher),
                validation_temperature=0.1,
                random_state=run,
            )
            scores.append(result.student.score(X_test, y_test))
    return {method: np.array(scores) for method, scores in found.items()}


@pytest.mark.slow
def test_the_teacher_improves_students_of_gorpinichs_synthetic_set(accuracies):
    """With the student's own features and a separate validation set of 15 samples."""
    assert 0.55 < accuracies["none"].mean() < 0.7
    for method in ("gradient", "linear"):
        gain = accuracies[method] - accuracies["none"]
        assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(len(gain))
        assert accuracies[method].mean() > 0.72


@pytest.mark.parametrize("student", [DistilledBoostingClassifier(), DistilledNeuralRegressor()])
def test_another_student_is_refused(student):
    with pytest.raises(TypeError, match=r"trains a DistilledNeuralClassifier.*GridSearchCV"):
        tune_student(student, X, Y, method="naive", X_val=X_VAL, y_val=Y_VAL)
