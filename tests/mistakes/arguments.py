"""What goes into which argument."""

from sklearn_distill import ImplausibleTeacherWarning
from tests.mistakes.case import Case, Group

GROUP = Group(
    "What goes where",
    """
    import numpy as np
    from scipy import sparse
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.svm import SVR
    from sklearn.tree import DecisionTreeRegressor

    from sklearn_distill import (
        DistilledLogisticRegression,
        SoftTargetClassifier,
        TeacherStudentClassifier,
    )
    from sklearn_distill.teachers import combine_teachers

    X, y = make_classification(600, 6, n_informative=4, n_classes=3, random_state=0)
    teacher = LogisticRegression().fit(X[:300], y[:300])
    second_teacher = LogisticRegression(C=0.01).fit(X[:150], y[:150])
    X, y = X[300:], y[300:]
    proba, second_proba = teacher.predict_proba(X), second_teacher.predict_proba(X)
    """,
    (
        Case(
            "Soft labels as `y`",
            "`y` holds labels. Soft labels are a teacher without labels.",
            """
            student = DistilledLogisticRegression()
            student.fit(X, proba)
            """,
            (ValueError, "Soft labels are passed as teacher_proba="),
            """
            student = DistilledLogisticRegression(classes=[0, 1, 2])
            student.fit(X, teacher_proba=proba)
            """,
            "student.score(X, teacher.predict(X)) > 0.9",
        ),
        Case(
            "The probability of the second class as `y`",
            "A continuous `y` is a regression target; of two classes, `teacher_proba` may have the "
            "probability of the second alone.",
            """
            smoothed = 0.8 * (y == 1) + 0.1
            student = SoftTargetClassifier(DecisionTreeRegressor(max_depth=3))
            student.fit(X, np.where(X[:, 0] > 0, smoothed, 0.5))
            """,
            (ValueError, "Soft labels are passed as teacher_proba="),
            """
            student = SoftTargetClassifier(DecisionTreeRegressor(max_depth=3), classes=[0, 1])
            student.fit(X, teacher_proba=np.where(X[:, 0] > 0, smoothed, 0.5))
            """,
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "Label smoothing",
            "Smoothed labels are soft labels, too. A teacher of equal probabilities does the same: "
            "its λ is the mass that is spread.",
            """
            student = DistilledLogisticRegression(classes=[0, 1, 2], tol=1e-8)
            student.fit(X, teacher_proba=0.8 * np.eye(3)[y] + 0.2 / 3)
            expected = student.coef_
            student = DistilledLogisticRegression(imitation=0.2, tol=1e-8)
            student.fit(X, y, teacher_proba=np.full((300, 3), 1 / 3))
            """,
            right="np.allclose(student.coef_, expected, atol=1e-6)",
        ),
        Case(
            "Logits as `teacher_proba`",
            "Logits may be negative and have any sum.",
            """
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_proba=teacher.decision_function(X))
            """,
            (ValueError, "if these are logits, pass them as teacher_logits="),
            "student.fit(X, y, teacher_logits=teacher.decision_function(X))",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "Probabilities as `teacher_logits`",
            "Logits are any numbers; rows that are distributions are hardly meant as logits.",
            """
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X, y, teacher_logits=proba)
            """,
            (ImplausibleTeacherWarning, "pass them as teacher_proba="),
            "student.fit(X, y, teacher_proba=proba)",
            "student.score(X, teacher.predict(X)) > 0.9",
        ),
        Case(
            "A list of teachers",
            "Arrays of several teachers are stacked along the second axis, or combined into one.",
            """
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_proba=[proba, second_proba])
            """,
            (ValueError, "list of 2 teachers"),
            """
            both = np.stack([proba, second_proba], axis=1)
            student.fit(X, y, teacher_proba=both)
            weighted = combine_teachers(both, weights=[0.8, 0.2])
            student.fit(X, y, teacher_proba=weighted)
            """,
            "both.shape == (300, 2, 3) and weighted.shape == (300, 3)",
        ),
        Case(
            "Several teachers, averaged before they are softened",
            "Above T = 1 the order matters: of an array of several teachers each is softened, "
            "then averaged; `combine_teachers` does the same if it knows T.",
            """
            both = np.stack([proba, second_proba], axis=1)
            student = DistilledLogisticRegression(imitation=1.0, temperature=4.0, tol=1e-8)
            expected = student.fit(X, y, teacher_proba=both).predict_proba(X)
            student.fit(X, y, teacher_proba=combine_teachers(both, temperature=4.0))
            """,
            right="np.allclose(student.predict_proba(X), expected, atol=1e-6)",
        ),
        Case(
            "A sparse teacher",
            "Any regressor is fitted on a dense target. To the students that read a sparse matrix, "
            "an entry that is not stored is unknown.",
            """
            student = SoftTargetClassifier(DecisionTreeRegressor(max_depth=3))
            student.fit(X, y, teacher_proba=sparse.csr_array(proba))
            """,
            (ValueError, "pass teacher_proba.toarray()"),
            "student.fit(X, y, teacher_proba=sparse.csr_array(proba).toarray())",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "`teacher_proba` for an estimator that fits its own teacher",
            "`TeacherStudentClassifier` makes the predictions itself.",
            """
            model = TeacherStudentClassifier(LogisticRegression(), DistilledLogisticRegression())
            model.fit(X, y, teacher_proba=proba)
            """,
            (TypeError, "makes the teacher's predictions itself and takes no teacher_proba"),
            """
            model.fit(X, y)
            student = DistilledLogisticRegression().fit(X, y, teacher_proba=proba)
            """,
            "model.score(X, y) > 0.6 and student.n_taught_rows_ == 300",
        ),
        Case(
            "A regressor of one output",
            "`SoftTargetClassifier` fits one output for each of three or more classes.",
            """
            student = SoftTargetClassifier(SVR())
            student.fit(X, y, teacher_proba=proba)
            """,
            (ValueError, "MultiOutputRegressor"),
            """
            student = SoftTargetClassifier(MultiOutputRegressor(SVR()))
            student.fit(X, y, teacher_proba=proba)
            """,
            "student.predict_proba(X).shape == (300, 3)",
        ),
        Case(
            "Several labels per sample",
            "A student has one label per sample; of several labels each gets its own student.",
            """
            labels = np.column_stack([y == 0, X[:, 0] > 0]).astype(int)
            student = DistilledLogisticRegression()
            student.fit(X, labels, teacher_proba=np.column_stack([proba[:, 0], X[:, 0] > 0]))
            """,
            (ValueError, "labels have one dimension"),
            """
            students = [
                DistilledLogisticRegression().fit(X, label, teacher_proba=p)
                for label, p in zip(labels.T, [proba[:, 0], X[:, 0] > 0])
            ]
            """,
            "all(one.n_taught_rows_ == 300 for one in students)",
        ),
    ),
)
