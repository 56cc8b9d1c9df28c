"""Percentages, votes and counts, and the precision of probabilities."""

from tests.mistakes.case import Case, Group

GROUP = Group(
    "Scales",
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
            "Percentages",
            "Rows sum to 100.",
            """
            percent = (100 * proba).round(2)
            student = DistilledLogisticRegression()
            student.fit(X, y, teacher_proba=percent)
            """,
            (ValueError, "these are percentages: divide by 100"),
            "student.fit(X, y, teacher_proba=percent / 100)",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "Percentages of one class",
            "Of two classes, one dimension is the probability of the second.",
            """
            percent = pd.Series(100 * proba[:, 1])
            student = DistilledLogisticRegression(classes=[0, 1])
            student.fit(X, teacher_proba=percent)
            """,
            (ValueError, "divided by 100 if they are percentages"),
            "student.fit(X, teacher_proba=percent / 100)",
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "Votes and counts",
            "Rows sum to the number of votes. Their shares are probabilities, and the number of "
            "votes is a sample weight: a sample with more votes counts more, and one without any "
            "is absent.",
            """
            rng = np.random.default_rng(0)
            votes = rng.multinomial(rng.integers(0, 8, 300), [0.5, 0.3, 0.2])
            student = DistilledLogisticRegression(classes=[0, 1, 2])
            student.fit(X, teacher_proba=votes)
            """,
            (ValueError, "normalise votes and counts by P / P.sum(1, keepdims=True)"),
            """
            n_votes = votes.sum(axis=1)
            with np.errstate(invalid="ignore"):
                shares = votes / n_votes[:, np.newaxis]  # 0 / 0 is NaN, a missing prediction
            student.fit(X, teacher_proba=shares, sample_weight=n_votes)
            """,
            "student.n_taught_rows_ == (n_votes > 0).sum() < 300",
        ),
        Case(
            "Successes of a number of trials",
            "The share of successes is the probability of the second class, and the number of "
            "trials is the sample weight. This is the binomial likelihood of the counts.",
            """
            rng = np.random.default_rng(0)
            trials = rng.integers(0, 40, 300)
            successes = rng.binomial(trials, 0.3)
            with np.errstate(invalid="ignore"):
                share = successes / trials
            student = DistilledLogisticRegression(classes=[0, 1], tol=1e-8)
            student.fit(X, teacher_proba=share, sample_weight=trials)
            copies = LogisticRegression(tol=1e-8, max_iter=1000).fit(
                np.vstack([X, X]),
                np.repeat([1, 0], 300),
                sample_weight=np.concatenate([successes, trials - successes]),
            )
            """,
            right="np.allclose(student.coef_, copies.coef_, atol=1e-5)",
        ),
        Case(
            "Rounded probabilities",
            "Rows that sum to 1 within .02 are normalised, such as percentages with two decimals, "
            "float16 and bfloat16.",
            """
            student = DistilledLogisticRegression().fit(X, y, teacher_proba=proba)
            expected = student.predict_proba(X)
            student.fit(X, y, teacher_proba=proba.astype(np.float16))
            """,
            right="np.allclose(student.predict_proba(X), expected, atol=1e-3)",
        ),
        Case(
            "Log-probabilities",
            "Logarithms of probabilities are logits; they need no exponential.",
            """
            student = DistilledLogisticRegression(tol=1e-8).fit(X, y, teacher_proba=proba)
            expected = student.predict_proba(X)
            student.fit(X, y, teacher_logits=teacher.predict_log_proba(X))
            """,
            right="np.allclose(student.predict_proba(X), expected, atol=1e-6)",
        ),
    ),
)
