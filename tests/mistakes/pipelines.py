"""Arguments of fit that hold features or predictions, behind other steps."""

from tests.mistakes.case import Case, Group

GROUP = Group(
    "Pipelines and extra sets",
    """
    import numpy as np
    import pandas as pd
    from sklearn import config_context
    from sklearn.datasets import make_classification
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import StandardScaler

    from sklearn_distill import (
        DistilledLogisticRegression,
        DistilledNeuralClassifier,
        TeacherStudentClassifier,
    )

    X, y = make_classification(1600, 10, n_informative=6, n_classes=3, random_state=0)
    X = 50 * X + 200
    X_train, y_train, X_more, y_more = X[:200], y[:200], X[200:1000], y[200:1000]
    X_test, y_test = X[1000:], y[1000:]
    teacher = LogisticRegression(max_iter=1000)
    """,
    (
        Case(
            "`teacher_proba` of a pipeline",
            "A pipeline passes an argument to the step that its name begins with.",
            """
            proba = LogisticRegression(max_iter=1000).fit(X_more, y_more).predict_proba(X_train)
            pipeline = make_pipeline(StandardScaler(), DistilledLogisticRegression())
            pipeline.fit(X_train, y_train, teacher_proba=proba)
            """,
            (ValueError, "stepname__parameter"),
            """
            student = "distilledlogisticregression"
            pipeline.fit(X_train, y_train, **{f"{student}__teacher_proba": proba})
            """,
            "pipeline[-1].n_taught_rows_ == 200",
        ),
        Case(
            "`X_unlabeled` of a pipeline",
            "The earlier steps transform `X` only. Enable metadata routing and name the argument "
            "in `transform_input`; in a cross-validation pass a tuple of one, `(X_more,)`.",
            """
            model = TeacherStudentClassifier(teacher, DistilledLogisticRegression(imitation=1.0))
            pipeline = Pipeline([("scale", StandardScaler()), ("distil", model)])
            pipeline.fit(X_train, y_train, distil__X_unlabeled=X_more)
            """,
            (UserWarning, "X_unlabeled lies far outside the range of X"),
            """
            with config_context(enable_metadata_routing=True):
                pipeline.set_params(transform_input=["X_unlabeled"])
                pipeline.fit(X_train, y_train, X_unlabeled=X_more)

            scaler = StandardScaler().fit(X_train)  # the same by hand
            model.fit(scaler.transform(X_train), y_train, X_unlabeled=scaler.transform(X_more))
            """,
            "pipeline.score(X_test, y_test) == model.score(scaler.transform(X_test), y_test)",
        ),
        Case(
            "`X_val` of a pipeline",
            "Early stopping would watch samples that are not scaled.",
            """
            student = DistilledNeuralClassifier(
                imitation=0,
                early_stopping=True,
                max_epochs=20,
                random_state=0,
            )
            pipeline = Pipeline([("scale", StandardScaler()), ("net", student)])
            pipeline.fit(X_train, y_train, net__X_val=X_more, net__y_val=y_more)
            """,
            (UserWarning, "X_val lies far outside the range of X"),
            """
            with config_context(enable_metadata_routing=True):
                pipeline.set_params(transform_input=["X_val"])
                pipeline.fit(X_train, y_train, X_val=X_more, y_val=y_more)

            scaler = StandardScaler().fit(X_train)  # the same by hand
            X_val = scaler.transform(X_more)
            student.fit(scaler.transform(X_train), y_train, X_val=X_val, y_val=y_more)
            """,
            "pipeline.score(X_test, y_test) == student.score(scaler.transform(X_test), y_test)",
        ),
        Case(
            "Unlabelled samples in a cross-validation",
            "scikit-learn slices each array that is as long as `X`, but never a tuple of one.",
            """
            model = TeacherStudentClassifier(
                make_pipeline(StandardScaler(), teacher), DistilledLogisticRegression()
            )
            scores = cross_validate(
                model,
                X_train / 50,
                y_train,
                cv=4,
                params={"X_unlabeled": (X_more[:200] / 50,)},
                return_estimator=True,
            )
            """,
            right="all(m.student_.n_taught_rows_ == 150 + 200 for m in scores['estimator'])",
        ),
        Case(
            "Raw text",
            "Teacher and student may be pipelines that begin with a vectorizer; `X` is then a list "
            "or Series of texts.",
            """
            texts = [f"topic{label} word{i % 7}" for i, label in enumerate(y_train)]
            model = TeacherStudentClassifier(
                make_pipeline(CountVectorizer(), MultinomialNB()),
                make_pipeline(TfidfVectorizer(), DistilledLogisticRegression()),
            )
            model.fit(texts, y_train)
            """,
            right="model.score(texts, y_train) > 0.95",
        ),
        Case(
            "A frame with further columns",
            "In a frame with others, `predict` finds its columns by name, in any order.",
            """
            frame = pd.DataFrame(X_train, columns=list("abcdefghij"))
            model = TeacherStudentClassifier(
                make_pipeline(StandardScaler(), teacher),
                make_pipeline(StandardScaler(), DistilledLogisticRegression()),
                privileged_features=["i", "j"],
            )
            model.fit(frame, y_train)
            later = pd.DataFrame(X_test, columns=list("abcdefghij"))[list("jhgfedcba")]
            """,
            right="np.array_equal(model.predict(later), model.predict(later[list('abcdefgh')]))",
        ),
        Case(
            "`predict` without the privileged columns in their place",
            "By position, `predict` takes all columns or the regular ones.",
            """
            model = TeacherStudentClassifier(
                make_pipeline(StandardScaler(), teacher),
                make_pipeline(StandardScaler(), DistilledLogisticRegression()),
                privileged_features=[8, 9],
            )
            model.fit(X_train, y_train)
            model.predict(X_test[:, :5])
            """,
            (ValueError, "or the 8 regular ones without the privileged ones"),
            "model.predict(X_test[:, :8])",
            "model.score(X_test[:, :8], y_test) == model.score(X_test, y_test)",
        ),
    ),
)
