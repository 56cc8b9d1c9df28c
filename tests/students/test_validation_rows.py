"""``validation_rows``: rows of X that are validated on, as if passed as X_val and y_val."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3)) * [1, 10, 100]
Y = (X[:, 0] + RNG.normal(size=80) > 0).astype(int)
P = 1 / (1 + np.exp(-X[:, 0]))
WEIGHT = RNG.uniform(1, 2, size=80)
ROWS = np.arange(80) % 5 == 0
NETWORK = {"max_epochs": 4, "early_stopping": True, "random_state": 0, "device": "cpu"}
STUDENTS = {
    "neural classifier": DistilledNeuralClassifier(**NETWORK),
    "neural regressor": DistilledNeuralRegressor(**NETWORK),
    "boosting classifier": DistilledBoostingClassifier(
        HistGradientBoostingClassifier(max_iter=20, early_stopping=True, random_state=0)
    ),
    "boosting regressor": DistilledBoostingRegressor(
        HistGradientBoostingRegressor(max_iter=20, early_stopping=True, random_state=0)
    ),
}


@pytest.fixture(params=STUDENTS)
def student(request):
    if request.param.startswith("neural"):
        pytest.importorskip("torch", reason="torch is an extra")
    return STUDENTS[request.param]


def teacher(student, rows=slice(None)):
    return {"teacher_proba" if is_classifier(student) else "teacher_prediction": P[rows]}


def output(fitted, of=X):
    return fitted.predict_proba(of) if is_classifier(fitted) else fitted.predict(of)


def test_the_fit_is_that_of_a_validation_set(student):
    fitted = student.fit(X, Y, WEIGHT, **teacher(student), validation_rows=ROWS)
    by_rows = output(fitted)
    fitted = student.fit(
        X[~ROWS],
        Y[~ROWS],
        WEIGHT[~ROWS],
        **teacher(student, ~ROWS),
        X_val=X[ROWS],
        y_val=Y[ROWS],
        sample_weight_val=WEIGHT[ROWS],
    )
    np.testing.assert_array_equal(by_rows, output(fitted))


def test_predictions_of_validation_rows_are_not_used(student):
    by_all = output(student.fit(X, Y, **teacher(student), validation_rows=ROWS))
    ((name, p),) = teacher(student).items()
    without = np.where(ROWS, np.nan, p)
    by_others = output(student.fit(X, Y, **{name: without}, validation_rows=ROWS))
    np.testing.assert_array_equal(by_all, by_others)


def test_a_row_of_weight_0_is_neither_trained_nor_validated_on(student):
    weight = np.where(np.arange(80) < 20, 0.0, WEIGHT)
    y = np.where(weight == 0, 1 - Y, Y)
    given = {"validation_rows": ROWS, **teacher(student)}
    by_weight = output(student.fit(X, y, weight, **given))
    given = {"validation_rows": ROWS[20:], **teacher(student, slice(20, None))}
    left_out = output(student.fit(X[20:], Y[20:], weight[20:], **given))
    # the mean of the weights, by which a network divides, is rounded otherwise
    np.testing.assert_allclose(by_weight, left_out, rtol=1e-5)


@pytest.mark.parametrize("name", ["neural classifier", "boosting classifier"])
def test_other_labels_may_be_missing(name):
    pytest.importorskip("torch", reason="torch is an extra")
    student, rest = STUDENTS[name], np.arange(80) % 5 == 1
    by_nan = student.fit(X, np.where(rest, np.nan, Y), teacher_proba=P, validation_rows=ROWS)
    by_nan = by_nan.predict_proba(X)
    for y in (Y, Y.astype(str)):
        missing = [None if gone else label for label, gone in zip(y, rest, strict=True)]
        by_none = student.fit(X, missing, teacher_proba=P, validation_rows=ROWS).predict_proba(X)
        np.testing.assert_array_equal(by_none, by_nan)


def test_a_pipeline_transforms_them(student):
    name = type(student).__name__.lower()
    model = make_pipeline(StandardScaler(), student)
    given = {f"{name}__{key}": value for key, value in teacher(student).items()}
    model.fit(X, Y, **given, **{f"{name}__validation_rows": ROWS})
    Z = StandardScaler().fit_transform(X)
    alone = student.fit(Z, Y, **teacher(student), validation_rows=ROWS)
    np.testing.assert_array_equal(output(model), output(alone, Z))


def test_a_cross_validation_slices_them(student):
    given = {"validation_rows": ROWS, **teacher(student)}
    assert np.isfinite(cross_val_score(student, X, Y, cv=3, params=given)).all()


def test_a_frame_and_lists(student):
    frame = pd.DataFrame(X, index=range(80, 0, -1), columns=["a", "b", "c"])
    fitted = student.fit(frame, list(Y), **teacher(student), validation_rows=list(ROWS))
    by_frame = output(fitted, frame)
    by_array = output(student.fit(X, Y, **teacher(student), validation_rows=ROWS))
    np.testing.assert_array_equal(by_frame, by_array)


def test_a_sparse_matrix():
    pytest.importorskip("torch", reason="torch is an extra")
    student = STUDENTS["neural classifier"]
    matrix, given = sparse.csr_matrix(X), {"teacher_proba": P, "validation_rows": ROWS}
    by_matrix = student.fit(matrix, Y, **given).predict_proba(matrix)
    np.testing.assert_array_equal(by_matrix, student.fit(X, Y, **given).predict_proba(X))


def test_what_is_wrong(student):
    given = teacher(student)

    def fit(**arguments):
        student.fit(X, Y, **given, **arguments)

    with pytest.raises(ValueError, match=r"pass a boolean array of shape \(80,\)"):
        fit(validation_rows=np.flatnonzero(ROWS))
    with pytest.raises(ValueError, match="is False for all 80 rows"):
        fit(validation_rows=np.zeros(80, dtype=bool))
    with pytest.raises(ValueError, match="is True for all 80 rows"):
        fit(validation_rows=np.ones(80, dtype=bool))
    with pytest.raises(ValueError, match="validation_rows and X_val"):
        fit(validation_rows=ROWS, X_val=X, y_val=Y)
    with pytest.raises(ValueError, match="y_val"):
        student.fit(X, np.where(ROWS, np.nan, Y), **given, validation_rows=ROWS)
    with pytest.raises(ValueError, match="need labels"):
        student.fit(X, None, **given, validation_rows=ROWS)


def test_rows_of_a_teacher_in_another_order_or_number(student):
    ((name, p),) = teacher(student).items()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    reversed_rows = pd.Series(p).iloc[::-1]
    with pytest.raises(ValueError, match=f"{name} and X have their rows in another order"):
        student.fit(frame, Y, **{name: reversed_rows}, validation_rows=ROWS)
    with pytest.raises(ValueError, match=f"{name} has 64 rows and X has 80"):
        student.fit(X, Y, **{name: p[~ROWS]}, validation_rows=ROWS)


def test_several_inputs_and_labels():
    torch = pytest.importorskip("torch", reason="torch is an extra")

    class TwoInputs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(3, 2)

        def forward(self, a, b):
            return self.linear(torch.cat([a, b], dim=1))

    student = DistilledNeuralClassifier(TwoInputs, **NETWORK)
    named = {"a": X[:, :2].astype(np.float32), "b": X[:, 2:].astype(np.float32)}
    labels = np.column_stack([Y, (X[:, 1] > 0).astype(int)])
    by_label = [np.column_stack([1 - P, P])] * 2
    for y, p in ((Y, P), (labels, by_label)):
        student.fit(named, y, teacher_proba=p, validation_rows=torch.tensor(ROWS))
        of_rows = student.predict_proba(named)
        rest = {key: value[~ROWS] for key, value in named.items()}
        held_out = {key: value[ROWS] for key, value in named.items()}
        p = [one[~ROWS] for one in p] if isinstance(p, list) else p[~ROWS]
        student.fit(rest, y[~ROWS], teacher_proba=p, X_val=held_out, y_val=y[ROWS])
        np.testing.assert_array_equal(of_rows, student.predict_proba(named))


def test_not_for_a_dataset():
    torch = pytest.importorskip("torch", reason="torch is an extra")
    dataset = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y), torch.tensor(P))
    with pytest.raises(ValueError, match="pass X_val and y_val"):
        DistilledNeuralClassifier(classes=[0, 1]).fit(dataset, validation_rows=ROWS)
