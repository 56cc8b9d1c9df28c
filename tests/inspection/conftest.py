import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from sklearn_distill.inspection import distillation_report
from tests.inspection.data import labelled_samples


@pytest.fixture(scope="session")
def case():
    """Test samples, a forest, a student fitted on 20 samples, one on 300."""
    X, y = labelled_samples()
    teacher = RandomForestClassifier(10, random_state=0).fit(X[:300], y[:300])
    baseline = LogisticRegression(C=100).fit(X[:20], y[:20])
    distilled = LogisticRegression().fit(X[:300], y[:300])
    return {
        "teacher": teacher,
        "baseline": baseline,
        "distilled": distilled,
        "X": X[300:],
        "y": y[300:],
        "n_repeats": 2,
    }


@pytest.fixture(scope="session")
def report(case):
    return distillation_report(**case)
