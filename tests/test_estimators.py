"""Every public estimator under scikit-learn's own checks and, where it applies, ours."""

from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.multiclass import check_classification_targets

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    GaussianNoise,
    MultiLabelStudent,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    SoftTargetRegressor,
)
from sklearn_distill.checks import parametrize_with_distiller_checks
from sklearn_distill.distillers import (
    BornAgainClassifier,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.students.soft_target import SoftTargetClassifier
from tests.students.boosting_data import (
    extreme,
    extreme_numbers,
    hist,
    hist_numbers,
    light,
    light_numbers,
)

TREE = DecisionTreeRegressor(random_state=0)
BOOSTING = DistilledBoostingClassifier(hist())
INSTALLED = [
    make for library, make in (("lightgbm", light), ("xgboost", extreme)) if find_spec(library)
]
INSTALLED_NUMBERS = [
    make
    for library, make in (("lightgbm", light_numbers), ("xgboost", extreme_numbers))
    if find_spec(library)
]
# leaves of a few rows, as the checks have 60
SMALL_LEAVES = {
    light: {"min_child_samples": 2, "min_child_weight": 0},
    extreme: {"min_child_weight": 0},
    light_numbers: {"min_child_samples": 2},
    extreme_numbers: {},
}
SOFT_TARGETS = [
    kind(one)
    for kind in (SoftTargetClassifier, SoftTargetRegressor)
    for one in (TREE, Ridge(), KNeighborsRegressor())
]

# tight tolerances: one check compares weighted with repeated rows to 1e-7
LOGISTIC = LogisticRegression(solver="newton-cg", tol=1e-10)
DISTILLED = DistilledLogisticRegression(solver="newton-cg", tol=1e-10)
TEACHER_STUDENTS = [
    TeacherStudentClassifier(LOGISTIC, DISTILLED, cv=2),
    TeacherStudentRegressor(LinearRegression(), PrivilegedLinearRegression()),
    # fewer rows than features after those of weight 0 are left out: Ridge iterates on another
    # system of sparse X then, and its default tol leaves a relative difference of 7e-4
    TeacherStudentRegressor(Ridge(tol=1e-10), PrivilegedLinearRegression()),
]
BORN_AGAIN = [
    BornAgainClassifier(DISTILLED, n_generations=2),
    BornAgainClassifier(DISTILLED, n_generations=2, cv=2, ensemble=True),
    BornAgainClassifier(DecisionTreeClassifier(random_state=0), n_generations=2, labels="hard"),
]
# few rows, all in one mini-batch, in which a repeated row is a row of twice the weight; enough
# steps to learn them
TRAINING = {"hidden_layer_sizes": (8,), "lr": 0.03, "max_epochs": 30, "random_state": 0}
NEURAL = [
    kind(precision="float64", batch_size=1000, **TRAINING)
    for kind in (DistilledNeuralClassifier, DistilledNeuralRegressor)
]
# What networks of float32 numbers fail, and why.
FAILED_BY_DEFAULT = {
    "check_sample_weight_equivalence_on_dense_data": "repetitions spread over mini-batches",
    "check_sample_weight_equivalence_on_sparse_data": "repetitions spread over mini-batches",
    "check_methods_subset_invariance": "float32 rounds in the seventh digit, the one compared",
}
# scikit-learn's checks fit students without a teacher.
WITHOUT_TEACHER = pytest.mark.filterwarnings("ignore::sklearn_distill.TeacherMissingWarning")


# a few checks have too few rows for the variances
@pytest.mark.filterwarnings("ignore:.*variance='auto' cannot be estimated")
@pytest.mark.filterwarnings("ignore:.*variance='auto' found a perfect fit")
@WITHOUT_TEACHER
@parametrize_with_checks(
    [
        DistilledLogisticRegression(),
        PrivilegedLinearRegression(),
        PrivilegedLinearRegressionCV(),
        BOOSTING,
        *(DistilledBoostingClassifier(make()) for make in INSTALLED),
        DistilledBoostingRegressor(hist_numbers()),
        *(DistilledBoostingRegressor(make()) for make in INSTALLED_NUMBERS),
        *SOFT_TARGETS,
        *TEACHER_STUDENTS,
        *BORN_AGAIN,
        *NEURAL,
        GaussianNoise(),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@WITHOUT_TEACHER
@parametrize_with_checks(
    [DistilledNeuralClassifier(**TRAINING), DistilledNeuralRegressor(**TRAINING)],
    expected_failed_checks=lambda _: FAILED_BY_DEFAULT,
)
def test_scikit_learn_checks_of_default_networks(estimator, check):
    check(estimator)


class OneLabel(MultiLabelStudent):
    """A student of one label, with its two classes in one dimension, as the checks pass them."""

    def fit(self, X, y=None, sample_weight=None):
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) != 2:
            raise ValueError(f"Only binary classification is supported: {len(classes)} class")
        super().fit(X, codes[:, None], sample_weight)
        self.classes_ = classes
        return self

    def predict(self, X):
        codes = super().predict(X)[:, 0]
        return self.classes_[codes]

    def predict_proba(self, X):
        p = super().predict_proba(X)
        return np.column_stack([1 - p, p])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = tags.target_tags.multi_output = False
        tags.target_tags.single_output = True
        return tags


@WITHOUT_TEACHER
@parametrize_with_checks([OneLabel(DISTILLED)])
def test_a_student_for_each_label(estimator, check):
    check(estimator)


@WITHOUT_TEACHER
@parametrize_with_checks([DistilledNeuralRegressor()])
def test_a_regression_is_learned_at_the_defaults(estimator, check):
    if check.func.__name__ == "check_regressors_train":
        check(estimator)


class SearchAtOneSetting(PrivilegedLinearRegressionCV):
    """The search over one λ: the student that it fits in the end, with the parameter of one."""

    def __init__(self, imitation=0.5, alphas=(0.1,), noise_ratios=(1.0,)):
        super().__init__(alphas, imitations=[imitation], noise_ratios=noise_ratios, cv=2)
        self.imitation = imitation

    def fit(self, X, y=None, sample_weight=None, **params):
        self.imitations = [self.imitation]
        return super().fit(X, y, sample_weight, **params)


@parametrize_with_distiller_checks(
    [
        DistilledLogisticRegression(),
        PrivilegedLinearRegression(),
        SearchAtOneSetting(),
        *SOFT_TARGETS,
        SoftTargetClassifier(make_pipeline("passthrough", TREE), temperature=2.0),
        SoftTargetRegressor(make_pipeline("passthrough", TREE)),
        DistilledBoostingClassifier(hist(min_samples_leaf=1), temperature=2.0),
        DistilledBoostingRegressor(hist_numbers(min_samples_leaf=1)),
    ]
)
def test_students_learn_from_their_teacher(estimator, check):
    """TeacherStudent* is none of these: its fit takes no teacher's answers, it has its own."""
    check(estimator)


# LightGBM has weights in its leaves, and counts rows without them where it makes bins.
COUNTED_ROWS = {"check_repeated_rows_are_weights": "the bins of LightGBM count rows"}


@parametrize_with_distiller_checks(
    [
        kind(make(**SMALL_LEAVES[make]))
        for kind, makers in (
            (DistilledBoostingClassifier, INSTALLED),
            (DistilledBoostingRegressor, INSTALLED_NUMBERS),
        )
        for make in makers
    ],
    expected_failed_checks=lambda student: (
        COUNTED_ROWS if type(student.estimator).__name__.startswith("LGBM") else {}
    ),
)
def test_boosted_students_learn_from_their_teacher(estimator, check):
    check(estimator)
