"""Every public estimator under scikit-learn's own checks and ours."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression


@parametrize_with_checks([DistilledLogisticRegression(), PrivilegedLinearRegression()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
