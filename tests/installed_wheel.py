"""Try an installed package as its users will; `make release-check` runs it on the built wheel."""

import subprocess
import sys
from pathlib import Path

from sklearn.utils.estimator_checks import check_estimator

import sklearn_distill

ESTIMATORS = [
    sklearn_distill.DistilledLogisticRegression(imitation=0),
    sklearn_distill.DistilledBoostingRegressor(imitation=0),
    sklearn_distill.PrivilegedLinearRegression(imitation=0),
]


def main() -> None:
    """Check where the package comes from, the demo, and scikit-learn's checks."""
    repository = Path(__file__).parents[1]
    installed = Path(sklearn_distill.__file__)
    assert repository / "sklearn_distill" not in installed.parents, f"{installed} is not the wheel"
    assert "dev" not in sklearn_distill.__version__, "set the version, see RELEASING.md"
    subprocess.run([sys.executable, "-m", "sklearn_distill"], check=True)
    for estimator in ESTIMATORS:
        check_estimator(estimator)


if __name__ == "__main__":
    main()
