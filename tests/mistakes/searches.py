"""Searches, cross-validations and their folds."""

from sklearn_distill import WorseTeacherWarning
from tests.mistakes.case import Case, Group

GROUP = Group(
    "Searches and folds",
    """
    import numpy as np
    from sklearn import config_context
    from sklearn.datasets import make_classification
    from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    from sklearn_distill import (
        DistilledLogisticRegression,
        SoftTargetClassifier,
        TeacherStudentClassifier,
    )
    from sklearn_distill.metrics import get_scorer
    from sklearn_distill.model_selection import LabeledKFold

    X, y = make_classification(300, 6, n_informative=4, random_state=0)
    y = np.array(["a", "b"], dtype=object)[y]
    y_rare = y.copy()
    y_rare[0] = "rare"
    teacher = LogisticRegression().fit(X, y_rare)
    proba = teacher.predict_proba(X)
    """,
    (
        Case(
            "A class that is missing in a training fold",
            "The student of a fold has the classes of the fold's labels; name them, so that all "
            "folds have the same.",
            """
            student = DistilledLogisticRegression()
            cross_val_score(
                student,
                X,
                y_rare,
                cv=KFold(3),
                params={"teacher_proba": proba},
                error_score="raise",
            )
            """,
            (ValueError, "pass classes=[...] to its constructor"),
            """
            student = DistilledLogisticRegression(classes=["a", "b", "rare"])
            params = {"teacher_proba": proba}
            scores = cross_val_score(student, X, y_rare, cv=KFold(3), params=params)
            """,
            "np.isfinite(scores).all()",
        ),
        Case(
            "A class that is missing in a validation fold",
            "scikit-learn's `neg_log_loss` takes the classes from the labels of the fold. A search "
            "then compares NaN, and its best candidate is the first. `get_scorer` takes the "
            "classes from the student.",
            """
            student = DistilledLogisticRegression(classes=["a", "b", "rare"])
            params = {"teacher_proba": proba}
            options = {"cv": KFold(3), "params": params, "error_score": "raise"}
            cross_val_score(student, X, y_rare, scoring="neg_log_loss", **options)
            """,
            (ValueError, "y_true"),
            """
            scorer = get_scorer("neg_log_loss")
            scores = cross_val_score(student, X, y_rare, scoring=scorer, **options)
            """,
            "np.isfinite(scores).all()",
        ),
        Case(
            "Missing labels in a cross-validation",
            "A sample without a label trains the student, but cannot validate it.",
            """
            some = y.copy()
            some[60:] = None
            student = DistilledLogisticRegression(classes=["a", "b", "rare"])
            params = {"teacher_proba": proba}
            cross_val_score(student, X, some, cv=5, params=params)
            """,
            (TypeError, "not supported between instances of"),
            """
            scores = cross_val_score(student, X, some, cv=LabeledKFold(5), params=params)
            """,
            "np.isfinite(scores).all()",
        ),
        Case(
            "A scorer that judges by the teacher, without metadata routing",
            "Without routing, scikit-learn passes a scorer nothing but samples and labels.",
            """
            student = DistilledLogisticRegression(classes=["a", "b", "rare"])
            scorer = get_scorer("neg_teacher_cross_entropy")
            params = {"teacher_proba": proba}
            cross_val_score(student, X, scoring=scorer, params=params, error_score="raise")
            """,
            (ValueError, "set_config(enable_metadata_routing=True)"),
            """
            with config_context(enable_metadata_routing=True):
                scores = cross_val_score(student, X, scoring=scorer, params=params)
            """,
            "np.isfinite(scores).all()",
        ),
        Case(
            "A search over λ without labels",
            "Where no sample has a label, the teacher has the full weight at any λ.",
            """
            from sklearn_distill import DistilledLogisticRegressionCV

            search = DistilledLogisticRegressionCV(classes=["a", "b", "rare"])
            search.fit(X, teacher_proba=proba)
            """,
            (ValueError, "metaparameters=('temperature', 'C')"),
            """
            search.set_params(metaparameters=("temperature", "C")).fit(X, teacher_proba=proba)
            """,
            "search.best_score_ < 0",
        ),
        Case(
            "A class that the teacher of a fold has not seen",
            "As in `cross_val_predict`, its probability is 0 there. Use folds that all have the "
            "class, or a fitted teacher.",
            """
            student = DistilledLogisticRegression()
            model = TeacherStudentClassifier(LogisticRegression(), student, cv=KFold(3))
            model.fit(X, y_rare)
            """,
            (UserWarning, "is not fitted on the classes ['rare'] in fold 1 of 3"),
            """
            model.set_params(teacher=teacher, cv="prefit")
            model.fit(X, y_rare)
            """,
            "list(model.classes_) == ['a', 'b', 'rare']",
        ),
        Case(
            "A teacher that predicts worse than the student",
            "Strong models overfit few labels, and naive Bayes is overconfident. Let the estimator "
            "compare the teacher with the student without it, on samples that neither was fitted "
            "on.",
            """
            student = DistilledLogisticRegression()
            model = TeacherStudentClassifier(
                DecisionTreeClassifier(random_state=0), student, check_teacher=True
            )
            model.fit(X, y)
            """,
            (WorseTeacherWarning, "predicts worse than the student does without it"),
            """
            model.set_params(teacher=RandomForestClassifier(min_samples_leaf=5, random_state=0))
            model.fit(X, y)
            """,
            "not model.teacher_check_.is_worse",
        ),
        Case(
            "Folds by groups inside a search",
            "A search passes groups to its own splitter. They reach the inner one by routing.",
            """
            groups = np.arange(300) // 10
            folds, student = GroupKFold(3), DistilledLogisticRegression()
            model = TeacherStudentClassifier(LogisticRegression(), student, cv=folds)
            search = GridSearchCV(model, {"student__C": [0.1, 1]}, cv=folds, error_score="raise")
            search.fit(X, y, groups=groups)
            """,
            (ValueError, "needs groups, which it did not get"),
            """
            with config_context(enable_metadata_routing=True):
                search.fit(X, y, groups=groups)
            """,
            "search.best_score_ > 0.7",
        ),
        Case(
            "A misspelt argument of `fit`",
            "An argument that nobody takes is an error, never ignored.",
            """
            model = TeacherStudentClassifier(LogisticRegression(), DistilledLogisticRegression())
            model.fit(X, y, X_unlabelled=X)
            """,
            (ValueError, "X_unlabelled"),
            "model.fit(X, y, X_unlabeled=X)",
            "model.student_.n_taught_rows_ == 600",
        ),
        Case(
            "An ensemble that slices no predictions",
            "`BaggingClassifier` passes predictions on with metadata routing only.",
            """
            proba_b = LogisticRegression().fit(X, y).predict_proba(X)[:, 1]
            tree = SoftTargetClassifier(DecisionTreeRegressor(max_depth=3))
            bag = BaggingClassifier(tree, n_estimators=5, random_state=0)
            bag.fit(X, y, teacher_proba=proba_b)
            """,
            (ValueError, "enable_metadata_routing=True"),
            """
            with config_context(enable_metadata_routing=True):
                bag.fit(X, y, teacher_proba=proba_b)
            """,
            "bag.score(X, y) > 0.8",
        ),
        Case(
            "An ensemble that encodes labels",
            "`BaggingClassifier` and `VotingClassifier` fit on 0, …, K−1 instead of the labels.",
            """
            tree = SoftTargetClassifier(DecisionTreeRegressor(max_depth=3), classes=["a", "b"])
            bag = BaggingClassifier(tree, n_estimators=5, random_state=0)
            proba_b = LogisticRegression().fit(X, y).predict_proba(X)[:, 1]
            with config_context(enable_metadata_routing=True):
                bag.fit(X, y, teacher_proba=proba_b)
            """,
            (ValueError, "it encodes y as 0, …, K−1: pass classes=range(2)"),
            """
            bag.set_params(estimator__classes=range(2))
            with config_context(enable_metadata_routing=True):
                bag.fit(X, y, teacher_proba=proba_b)
            """,
            "list(bag.classes_) == ['a', 'b'] and bag.score(X, y) > 0.8",
        ),
    ),
)
