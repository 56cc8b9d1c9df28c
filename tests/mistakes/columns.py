"""Columns and rows of the teacher in another order than the student's."""

from sklearn_distill import ImplausibleTeacherWarning
from tests.mistakes.case import Case, Group

GROUP = Group(
    "Columns and order",
    """
    import numpy as np
    import pandas as pd
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression

    from sklearn_distill import (
        DistilledLogisticRegression,
        PrivilegedLinearRegression,
        TeacherStudentClassifier,
    )
    from sklearn_distill.datasets import make_privileged_regression

    X, y = make_classification(600, 6, random_state=0)
    y = np.array(["ham", "spam"])[y]
    teacher = LogisticRegression().fit(X[:300], y[:300])
    X, y = X[300:], y[300:]
    proba = teacher.predict_proba(X)
    table = pd.DataFrame(proba, columns=teacher.classes_)
    whole = DistilledLogisticRegression(imitation=1.0).fit(X, y, teacher_proba=table)
    numbers = make_privileged_regression(400, 5, random_state=0)
    prediction = numbers.privileged.ravel()
    """,
    (
        Case(
            "One column of a table",
            "A named Series is the probability of the class of its name, whichever of the two "
            "classes that is. Without a name it is the probability of `classes_[1]`.",
            """
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X, y, teacher_proba=table["ham"])
            """,
            right="student.score(X, y) == whole.score(X, y) > 0.9",
        ),
        Case(
            "One column with another name",
            "The name is no class, so it does not tell whose probability this is.",
            """
            score = pd.Series(proba[:, 1], name="score")
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X, y, teacher_proba=score)
            """,
            (ValueError, "none of the classes ['ham', 'spam']"),
            'student.fit(X, y, teacher_proba=score.rename("spam"))',
            "student.score(X, y) == whole.score(X, y)",
        ),
        Case(
            "Columns that are not named after the classes",
            "Columns of a DataFrame are matched to the classes by name.",
            """
            numbered = pd.DataFrame(proba)
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X, y, teacher_proba=numbered)
            """,
            (ValueError, "none of which is named 'ham'"),
            """
            numbered.columns = teacher.classes_
            student.fit(X, y, teacher_proba=numbered)
            """,
            "student.score(X, y) == whole.score(X, y)",
        ),
        Case(
            "Rows in another order",
            "Rows correspond by position. An index that lists the rows of `X` in another order "
            "contradicts this.",
            """
            X_named = pd.DataFrame(X)
            shuffled = table.sample(frac=1, random_state=1)
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X_named, y, teacher_proba=shuffled)
            """,
            (ValueError, "reorder with teacher_proba.loc[X.index]"),
            "student.fit(X_named, y, teacher_proba=shuffled.loc[X_named.index])",
            "student.score(X_named, y) == whole.score(X, y)",
        ),
        Case(
            "Unnamed columns in another order",
            "The columns of an array are the classes in ascending order. If the labels agree "
            "clearly better with another order of the columns, this is announced.",
            """
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X, y, teacher_proba=proba[:, ::-1])
            """,
            (ImplausibleTeacherWarning, "agrees with the labels better with other columns"),
            "student.fit(X, y, teacher_proba=proba)",
            "student.score(X, y) == whole.score(X, y)",
        ),
        Case(
            "The probability of the first class",
            "Of two classes, an array of shape (n,) is the probability of the second.",
            """
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X, y, teacher_proba=proba[:, 0])
            """,
            (ImplausibleTeacherWarning, "agrees with the labels better with other columns"),
            "student.fit(X, y, teacher_proba=proba[:, 1])",
            "student.score(X, y) == whole.score(X, y)",
        ),
        Case(
            "Shuffled rows",
            "Without an index nothing tells the order of the rows. If the labels agree with the "
            "teacher no better than with its rows shuffled, this is announced.",
            """
            shuffled = np.random.default_rng(0).permutation(proba)
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X, y, teacher_proba=shuffled)
            """,
            (ImplausibleTeacherWarning, "rows"),
            "student.fit(X, y, teacher_proba=proba)",
            "student.score(X, y) == whole.score(X, y)",
        ),
        Case(
            "Shuffled rows of a regressor's teacher",
            "The same for numbers: if the predictions vary, but not with the labels, this is "
            "announced.",
            """
            shuffled = np.random.default_rng(0).permutation(prediction)
            student = PrivilegedLinearRegression()
            student.fit(numbers.data, numbers.target, teacher_prediction=shuffled)
            """,
            (ImplausibleTeacherWarning, "correlated with the labels no more than with its rows"),
            "student.fit(numbers.data, numbers.target, teacher_prediction=prediction)",
            "np.linalg.norm(student.coef_ - numbers.coef) < 0.2",
        ),
        Case(
            "More or fewer rows than X",
            "Rows were dropped or added on one side only, here by a selection. Resamplers do the "
            "same.",
            """
            some = X[:, 0] > 0
            student = DistilledLogisticRegression()
            student.fit(X[some], y[some], teacher_proba=proba)
            """,
            (ValueError, "give one row for each row of X"),
            "student.fit(X[some], y[some], teacher_proba=proba[some])",
            "student.n_taught_rows_ == some.sum()",
        ),
        Case(
            "A class that the student has not seen",
            "The classes are the labels in `y` unless the constructor names them.",
            """
            three = table.assign(other=0.0)
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_proba=three)
            """,
            (ValueError, "columns beyond the labels of y: ['other']"),
            """
            student = DistilledLogisticRegression(classes=["ham", "other", "spam"])
            student.fit(X, y, teacher_proba=three)
            """,
            "student.predict_proba(X).shape == (300, 3)",
        ),
        Case(
            "A fitted teacher that lacks a class",
            "The teacher has no probability for a label of `y`.",
            """
            y_three = np.where(X[:, 1] > 1.5, "other", y)
            student = DistilledLogisticRegression()
            model = TeacherStudentClassifier(teacher, student, cv="prefit")
            model.fit(X, y_three)
            """,
            (ValueError, "was not fitted on the classes ['other']"),
            """
            model = TeacherStudentClassifier(LogisticRegression(), student)
            model.fit(X, y_three)
            """,
            "list(model.classes_) == ['ham', 'other', 'spam']",
        ),
    ),
)
