"""Missing labels and predictions, masks, weights of 0 and class weights."""

from tests.mistakes.case import Case, Group

GROUP = Group(
    "Missing and masked",
    """
    import numpy as np
    import pandas as pd
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression

    from sklearn_distill import DistilledLogisticRegression

    X, y = make_classification(600, 6, n_informative=4, n_classes=3, random_state=0)
    teacher = LogisticRegression().fit(X[:300], y[:300])
    X, y = X[300:], y[300:]
    proba = teacher.predict_proba(X)
    """,
    (
        Case(
            "Missing in some classes",
            "A missing prediction is NaN in every class. A language model that lists the most "
            "probable labels only gives no probability to the others: a log-probability of −∞.",
            """
            logprobs = pd.DataFrame(np.log(proba))
            logprobs[logprobs < np.log(0.05)] = np.nan
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_logits=logprobs)
            """,
            (ValueError, "has NaN for some classes only"),
            "student.fit(X, y, teacher_logits=logprobs.fillna(-np.inf))",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "A refused row",
            "A row of −∞ only is no distribution; a row of NaN is a missing prediction.",
            """
            logprobs = pd.DataFrame(np.log(proba))
            logprobs.loc[3] = -np.inf
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_logits=logprobs)
            """,
            (ValueError, "row 3 has no finite logit"),
            """
            logprobs.loc[3] = np.nan
            student.fit(X, y, teacher_logits=logprobs)
            """,
            "student.n_taught_rows_ == 299",
        ),
        Case(
            "Neither a label nor a prediction",
            "Such a row says nothing: leave it out, or give it weight 0.",
            """
            some = np.where(np.arange(300)[:, np.newaxis] < 10, np.nan, proba)
            student = DistilledLogisticRegression(classes=[0, 1, 2])
            student.fit(X, teacher_proba=some)
            """,
            (ValueError, "neither a label in y nor a teacher's prediction"),
            """
            student.fit(X, teacher_proba=some, sample_weight=np.arange(300) >= 10)
            coef = student.coef_
            student.fit(X[10:], teacher_proba=some[10:])
            """,
            "np.allclose(student.coef_, coef, atol=1e-6)",
        ),
        Case(
            "A label of −1",
            "−1 is a label like any other. A missing label is NaN, None or pd.NA.",
            """
            y_some = np.where(np.arange(300) < 100, -1, y)
            student = DistilledLogisticRegression()
            student.fit(X, y_some, teacher_proba=proba)
            """,
            (ValueError, "the classes are [-1, 0, 1, 2]"),
            "student.fit(X, np.where(y_some == -1, np.nan, y_some), teacher_proba=proba)",
            "list(student.classes_) == [0, 1, 2]",
        ),
        Case(
            "No labels, and no names of classes",
            "Columns of an array have no names. Those of a DataFrame do, and `classes=` names the "
            "classes in any case.",
            """
            student = DistilledLogisticRegression()
            student.fit(X, teacher_proba=proba)
            """,
            (ValueError, "the teacher's columns have no names: pass classes=[...]"),
            """
            student = DistilledLogisticRegression(classes=teacher.classes_)
            student.fit(X, teacher_proba=proba)
            """,
            "list(student.classes_) == [0, 1, 2]",
        ),
        Case(
            "A masked array",
            "A masked label, and a row that is masked in every class, are missing.",
            """
            mask = np.repeat(np.arange(300)[:, np.newaxis] < 100, 3, axis=1)
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_proba=np.ma.masked_array(proba, mask))
            """,
            right="student.n_taught_rows_ == 200",
        ),
        Case(
            "Masked features or weights",
            "Neither may be missing.",
            """
            student = DistilledLogisticRegression()
            student.fit(np.ma.masked_greater(X, 3.0), y, teacher_proba=proba)
            """,
            (ValueError, "X is a masked array"),
            "student.fit(np.minimum(X, 3.0), y, teacher_proba=proba)",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "Balanced class weights without labels",
            '`class_weight="balanced"` counts the teacher\'s probabilities where labels are '
            "missing, as scikit-learn does on weighted copies of the samples.",
            """
            rows = np.random.default_rng(0).normal(size=(500, 2))
            p = 1 / (1 + np.exp(3 - 2 * rows[:, 0]))
            student = DistilledLogisticRegression(classes=[0, 1], class_weight="balanced")
            student.set_params(tol=1e-8).fit(rows, teacher_proba=p)

            mass = np.array([np.sum(1 - p), np.sum(p)])
            balanced = np.concatenate([(1 - p) / mass[0], p / mass[1]]) * 250
            copies = LogisticRegression(tol=1e-8, max_iter=1000).fit(
                np.vstack([rows, rows]), np.repeat([0, 1], 500), sample_weight=balanced
            )
            """,
            right="np.allclose(student.coef_, copies.coef_, atol=1e-5) "
            "and abs(student.intercept_[0] + 0.92) < 0.005",
        ),
        Case(
            "Class weights by name without labels",
            "A sample without a label counts as one copy for each class, weighted by the "
            "teacher's probability times the class weight.",
            """
            student = DistilledLogisticRegression(classes=[0, 1], class_weight={0: 1, 1: 9})
            student.fit(np.zeros((200, 1)), teacher_proba=np.tile([0.9, 0.1], (200, 1)))
            """,
            right="np.allclose(student.predict_proba([[0.0]]), 0.5, atol=1e-5)",
        ),
    ),
)
