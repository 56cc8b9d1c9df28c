"""Folds that validate on labelled rows only, for scikit-learn's tools and ours."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
)

from sklearn_distill import DistilledLogisticRegression, DistilledLogisticRegressionCV
from sklearn_distill._validation.splits import labelled_splits, with_unlabelled
from sklearn_distill.model_selection import LabeledKFold

N = 60
X = np.arange(N, dtype=float)[:, None]
CODES = np.arange(N) % 3
LABELLED = np.arange(N) % 2 == 0
GROUPS = np.arange(N) // 4
MISSING = [
    np.where(LABELLED, CODES, np.nan),
    np.where(LABELLED, np.array(["a", "b", "c"])[CODES], None),
    np.where(LABELLED, CODES, None),
    pd.Series(np.where(LABELLED, CODES, pd.NA), dtype="Int64"),
    np.ma.masked_array(CODES, mask=~LABELLED),
]


def folds(y, groups=None, n_splits=5, **options):
    return list(LabeledKFold(n_splits, **options).split(X, y, groups))


def same(folds, others):
    assert len(folds) == len(others)
    for fold, other in zip(folds, others, strict=True):
        for rows, other_rows in zip(fold, other, strict=True):
            assert_array_equal(rows, other_rows)


@pytest.mark.parametrize("y", MISSING, ids=["nan", "None", "object", "Int64", "masked"])
def test_labelled_rows_validate_once_and_all_others_train(y):
    unlabelled = set(np.flatnonzero(~LABELLED))
    tested = []
    for train, test in folds(y):
        assert set(train) | set(test) == set(range(N))
        assert not set(train) & set(test)
        assert unlabelled <= set(train)
        assert_array_equal(np.bincount(CODES[test]), [2, 2, 2])
        tested.extend(test)
    assert_array_equal(np.sort(tested), np.flatnonzero(LABELLED))


def test_without_a_label_these_are_the_plain_folds():
    plain = list(KFold(5).split(X))
    for y in (None, np.full(N, np.nan), [None] * N):
        same(folds(y), plain)
    same(
        folds(None, shuffle=True, random_state=1),
        list(KFold(5, shuffle=True, random_state=1).split(X)),
    )


@pytest.mark.parametrize("shuffled", [{}, {"shuffle": True, "random_state": 3}])
def test_with_all_labels_these_are_scikit_learns_folds(shuffled):
    numbers = np.linspace(0, 1, N)
    same(folds(CODES, **shuffled), list(StratifiedKFold(5, **shuffled).split(X, CODES)))
    same(folds(numbers, **shuffled), list(KFold(5, **shuffled).split(X)))
    same(folds(CODES, stratify=False, **shuffled), list(KFold(5, **shuffled).split(X)))
    by_group = list(StratifiedGroupKFold(5, **shuffled).split(X, CODES, GROUPS))
    same(folds(CODES, GROUPS, **shuffled), by_group)
    by_group = list(GroupKFold(5, **shuffled).split(X, groups=GROUPS))
    same(folds(numbers, GROUPS, **shuffled), by_group)
    same(folds(None, GROUPS, **shuffled), by_group)


@pytest.mark.parametrize("y", [MISSING[0], np.where(LABELLED, X[:, 0] / 7, np.nan)])
def test_no_group_is_on_both_sides(y):
    seen = set()
    for train, test in folds(y, GROUPS):
        assert not set(GROUPS[train]) & set(GROUPS[test])
        assert LABELLED[test].all()
        assert set(np.flatnonzero(~np.isin(GROUPS, GROUPS[test]))) == set(train)
        seen |= set(GROUPS[test])
    assert seen == set(GROUPS[LABELLED])


def test_these_are_the_folds_of_the_search_of_the_package():
    y = np.where(LABELLED, CODES, -1)
    for groups in (None, GROUPS):
        params = {} if groups is None else {"groups": groups}
        cv = StratifiedKFold(5) if groups is None else StratifiedGroupKFold(5)
        splits = labelled_splits(cv, X, y, LABELLED, params, is_class=True)
        same(folds(MISSING[0], groups), with_unlabelled(splits, LABELLED, groups))


def test_the_search_of_the_package_takes_them():
    features, codes = make_classification(N, 4, n_informative=3, n_redundant=0, random_state=0)
    y = np.where(LABELLED, codes, np.nan)
    teacher = np.clip(codes * 0.6 + 0.2, 0, 1)
    search = DistilledLogisticRegressionCV(("imitation",), method="grid", grid=3)
    by_int, by_splitter = (
        clone(search).set_params(cv=cv).fit(features, y, teacher_proba=teacher)
        for cv in (5, LabeledKFold(5))
    )
    assert_array_equal(by_int.scores_, by_splitter.scores_)


@pytest.mark.parametrize("container", [list, pd.DataFrame, sparse.csr_array, np.asarray])
def test_any_kind_of_samples(container):
    samples = container(X.tolist()) if container is list else container(X)
    same(list(LabeledKFold(5).split(samples, MISSING[0])), folds(MISSING[0]))


@pytest.mark.filterwarnings("ignore:The least populated class")  # the case
def test_a_class_with_one_label_validates_in_one_fold():
    y = np.where(np.arange(N) < 40, 0.0, 1.0)
    y[0] = 2
    y[30:50] = np.nan
    tested = [set(y[test]) for _, test in folds(y)]
    trained = [set(y[train][~np.isnan(y[train])]) for train, _ in folds(y)]
    assert [2.0 in one for one in tested].count(True) == 1
    assert [2.0 in test != 2.0 in train for test, train in zip(tested, trained, strict=True)]


def test_a_rare_class_is_warned_of_as_by_scikit_learn():
    y = np.where(np.arange(N) < 2, 1.0, 0.0)
    with pytest.warns(UserWarning, match="least populated class"):
        folds(y)


@pytest.mark.parametrize(
    ("y", "groups", "message"),
    [
        (np.where(np.arange(N) < 3, 0.0, np.nan), None, r"n_splits=5, but only 3 of 60 rows"),
        (np.where(np.arange(N) < 6, CODES, np.nan), None, "no class has as many.*stratify=False"),
        (
            MISSING[0],
            np.arange(N) % 4,
            "30 of 60 rows that can be .* fewer groups",
        ),
        (MISSING[0][:-1], None, "y has 59 rows and X has 60"),
        (MISSING[0], GROUPS[:-1], "groups has 59 rows and X has 60"),
    ],
)
def test_errors_say_what_is_too_few(y, groups, message):
    with pytest.raises(ValueError, match=message):
        folds(y, groups)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_splits": 1}, "n_splits=1"),
        ({"random_state": 0}, "random_state"),
        ({"stratify": "yes"}, "stratify='yes'"),
    ],
)
def test_wrong_parameters_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        LabeledKFold(**options)


def test_it_is_a_splitter_of_scikit_learn():
    cv = LabeledKFold(3, shuffle=True, random_state=0)
    assert repr(cv) == "LabeledKFold(n_splits=3, random_state=0, shuffle=True, stratify=True)"
    assert cv.get_n_splits() == 3
    same(list(cv.split(X, CODES)), list(cv.split(X, CODES)))


def test_cross_validation_trains_on_the_unlabelled_rows_of_other_groups():
    features, codes = make_classification(N, 4, n_informative=3, n_redundant=0, random_state=0)
    y = np.where(LABELLED, codes, np.nan)
    teacher = np.clip(codes * 0.6 + 0.2, 0, 1)
    student, cv = DistilledLogisticRegression(), LabeledKFold(3)
    by_hand = [
        student.fit(features[train], y[train], teacher_proba=teacher[train]).score(
            features[test], y[test]
        )
        for train, test in cv.split(features, y, GROUPS)
    ]
    params = {"teacher_proba": teacher, "groups": GROUPS}
    with config_context(enable_metadata_routing=True):  # groups need no request
        scores = cross_val_score(student, features, y, cv=cv, params=params, error_score="raise")
    assert_array_equal(scores, by_hand)
