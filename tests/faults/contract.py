"""What holds of any estimator, whatever it was given."""

import re
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sklearn_distill import TeacherMissingWarning

# what the splitters of scikit-learn say of a class with fewer rows than folds
OF_SPLITTERS = "The least populated class in y has only"
# its own errors of X and y name neither
OF_SKLEARN = (
    "Input contains NaN",
    "boolean value of NA is ambiguous",  # scikit-learn 1.6 says so of pd.NA in y
    "inconsistent numbers of samples",
    "Unknown label type",
    "Complex data not supported",
    "Sample weights",
    "sample(s)",
    "feature(s)",
    "n_splits=",
    "Expected 2D array",
    "at least one array or dtype is required",
)


def fitted_or_refused(student: Any, data: Any, *, documented: str = "^$") -> bool:
    """Fit; return whether that was possible, and else require an error that names an argument.

    No warning may come but ConvergenceWarning, that of a missing teacher and the one that the
    docstring announces.
    """
    before = dict(vars(student))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", TeacherMissingWarning)
        warnings.filterwarnings("ignore", documented)
        refusal = _refusal(student, data)
    if refusal is None:
        check_is_fitted(student)
        return True
    if not names_an_argument(student, str(refusal)):
        raise AssertionError("the error names no argument") from refusal
    assert vars(student) == before, "a refused fit leaves no trace"
    return False


def _refusal(student: Any, data: Any) -> Exception | None:
    try:
        data.fit(student)
    except (ValueError, TypeError) as error:
        return error
    return None


def names_an_argument(student: Any, message: str) -> bool:
    names = {"X", "y", "sample_weight", "teacher_proba", "teacher_logits", "teacher_prediction"}
    parameters = {name.rpartition("__")[2] for name in student.get_params()}
    named = set(re.findall(r"\w+", message)) & (names | parameters)
    return bool(named) or any(phrase in message for phrase in OF_SKLEARN)


def predicts_probabilities(student: Any, X: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        P = student.predict_proba(X)
        predicted = student.predict(X)
    assert P.shape[1] == len(student.classes_)
    assert np.isfinite(P).all()
    assert (P >= 0).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=len(student.classes_) * 1e-6)
    assert np.isin(predicted, student.classes_).all()


def predicts_numbers(student: Any, X: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(student.predict(X)).all()
