"""The teacher is missing, or arrives as something else."""

from sklearn_distill import TeacherMissingWarning
from tests.mistakes.case import Case, Group

GROUP = Group(
    "The teacher is forgotten",
    """
    import numpy as np
    import pandas as pd
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression

    from sklearn_distill import DistilledLogisticRegression, DistilledLogisticRegressionCV

    X, y = make_classification(600, 6, random_state=0)
    y = np.array(["ham", "spam"])[y]
    teacher = LogisticRegression().fit(X[:300], y[:300])
    X, y = X[300:], y[300:]
    proba = teacher.predict_proba(X)
    """,
    (
        Case(
            "No teacher in `fit`",
            "`imitation` is .5 by default, but without predictions the labels get the full weight.",
            """
            student = DistilledLogisticRegression()
            student.fit(X, y)
            """,
            (TeacherMissingWarning, "fitted on the labels alone"),
            """
            student.fit(X, y, teacher_proba=proba)
            baseline = DistilledLogisticRegression(imitation=0).fit(X, y)  # if this was meant
            """,
            "student.n_taught_rows_ == 300 and baseline.n_taught_rows_ == 0",
        ),
        Case(
            "The teacher as the third argument",
            "The third argument of `fit` is `sample_weight`, as in scikit-learn.",
            """
            student = DistilledLogisticRegression()
            student.fit(X, y, proba)
            """,
            (ValueError, "third argument of fit is sample_weight"),
            "student.fit(X, y, teacher_proba=proba)",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "Predicted labels instead of probabilities",
            "`predict` returns labels, `predict_proba` the probabilities.",
            """
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_proba=teacher.predict(X))
            """,
            (ValueError, "pass the teacher's probabilities or logits, not its labels"),
            "student.fit(X, y, teacher_proba=teacher.predict_proba(X))",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "A teacher that is missing in every row",
            "At `imitation=1` labels count only where the teacher is missing, here everywhere.",
            """
            student = DistilledLogisticRegression(imitation=1.0)
            student.fit(X, y, teacher_proba=np.full((300, 2), np.nan))
            """,
            (ValueError, "is missing (NaN) in every row, but imitation=1"),
            "student.fit(X, y, teacher_proba=proba)",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "A search over λ or T without a teacher",
            "Without predictions the loss is the same for every λ and T.",
            """
            search = DistilledLogisticRegressionCV(("imitation", "temperature"), cv=2)
            search.fit(X, y)
            """,
            (ValueError, "but there is no teacher_proba or teacher_logits"),
            """
            search.fit(X, y, teacher_proba=proba)
            only_C = DistilledLogisticRegressionCV("C", imitation=0, cv=2).fit(X, y)
            """,
            "0 <= search.imitation_ <= 1 and only_C.C_ > 0",
        ),
    ),
)
