"""What networks are given."""

from tests.mistakes.case import Case, Group

GROUP = Group(
    "Networks",
    """
    import numpy as np
    import torch
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    from sklearn_distill import DistilledNeuralClassifier

    X, y = make_classification(600, 6, n_informative=4, n_classes=3, random_state=0)
    X = X.astype(np.float32)
    teacher = LogisticRegression().fit(X[:300], y[:300])
    X, y = X[300:], y[300:]
    logits = teacher.decision_function(X)
    """,
    (
        Case(
            "A DataLoader",
            "The student makes its own loader from a Dataset.",
            """
            proba = torch.tensor(teacher.predict_proba(X))
            dataset = TensorDataset(torch.tensor(X), torch.tensor(y), proba)
            student = DistilledNeuralClassifier(classes=[0, 1, 2], max_epochs=2)
            student.fit(DataLoader(dataset, batch_size=32))
            """,
            (TypeError, "its Dataset (loader.dataset)"),
            "student.set_params(batch_size=32).fit(dataset)",
            "student.predict_proba(X).shape == (300, 3)",
        ),
        Case(
            "A dict of inputs in a search",
            "scikit-learn takes the keys of a dict for its samples.",
            """
            class TwoInputs(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.left, self.right = nn.Linear(2, 3), nn.Linear(4, 3)

                def forward(self, left, right):
                    return self.left(left) + self.right(right)


            inputs = {"left": X[:, :2], "right": X[:, 2:]}
            student = DistilledNeuralClassifier(TwoInputs(), max_epochs=2)
            search = GridSearchCV(student, {"imitation": [0.2, 0.8]}, cv=2)
            search.fit(inputs, y, teacher_logits=logits)
            """,
            (ValueError, "inconsistent numbers of samples"),
            """
            from skorch.helper import SliceDict

            search.fit(SliceDict(**inputs), y, teacher_logits=logits)
            """,
            "search.best_estimator_.n_taught_rows_ == 300",
        ),
        Case(
            "Sequences of different lengths",
            "Pad them to one shape, with a value that the module ignores.",
            """
            ragged = [X[i, : 3 + i % 3] for i in range(300)]
            student = DistilledNeuralClassifier(max_epochs=2)
            student.fit(ragged, y, teacher_logits=logits)
            """,
            (ValueError, "torch.nn.utils.rnn.pad_sequence"),
            """
            rows = [torch.tensor(row) for row in ragged]
            padded = nn.utils.rnn.pad_sequence(rows, batch_first=True)
            student.fit(padded, y, teacher_logits=logits)
            """,
            "padded.shape == (300, 5)",
        ),
        Case(
            "A module that returns more than scores",
            "The first output is not taken by guess.",
            """
            class WithFeatures(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.layer = nn.Linear(6, 3)

                def forward(self, x):
                    return self.layer(x), x


            student = DistilledNeuralClassifier(WithFeatures(), max_epochs=2)
            student.fit(X, y, teacher_logits=logits)
            """,
            (TypeError, "it must return a tensor of scores"),
            """
            class Scores(WithFeatures):
                def forward(self, x):
                    return super().forward(x)[0]


            student = DistilledNeuralClassifier(Scores(), max_epochs=2)
            student.fit(X, y, teacher_logits=logits)
            """,
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "A module that ends in a softmax",
            "A student's module returns logits; skorch's classifier expects probabilities.",
            """
            network = nn.Sequential(nn.Linear(6, 3), nn.Softmax(dim=1))
            student = DistilledNeuralClassifier(network, max_epochs=2)
            student.fit(X, y, teacher_logits=logits)
            """,
            (UserWarning, "let it return logits"),
            """
            student = DistilledNeuralClassifier(nn.Linear(6, 3), max_epochs=2)
            student.fit(X, y, teacher_logits=logits)
            """,
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "A module with another number of outputs",
            "It needs one output for each class.",
            """
            student = DistilledNeuralClassifier(nn.Linear(6, 2), max_epochs=2)
            student.fit(X, y, teacher_logits=logits)
            """,
            (ValueError, "one logit for each class"),
            """
            student = DistilledNeuralClassifier(nn.Linear(6, 3), max_epochs=2)
            student.fit(X, y, teacher_logits=logits)
            """,
            "student.n_taught_rows_ == 300",
        ),
        Case(
            "Networks with one logit",
            "Of two classes, logits of shape (n, 1) are log-odds of the second, and need no other "
            "column.",
            """
            log_odds = torch.tensor(logits[:, 1:2] - logits[:, :1]).bfloat16()
            student = DistilledNeuralClassifier(imitation=1.0, max_epochs=2)
            student.fit(X, (y == 1).astype(int), teacher_logits=log_odds)
            """,
            right="student.n_taught_rows_ == 300",
        ),
        Case(
            "Augmentations of one argument",
            "Those of torchvision take a batch and no generator.",
            """
            student = DistilledNeuralClassifier(augmentation=nn.Dropout(0.1), max_epochs=2)
            student.fit(X, y, teacher_logits=logits)
            """,
            right="student.n_taught_rows_ == 300",
        ),
        Case(
            "Another architecture on a warm start",
            "The weights of one network do not fit into another.",
            """
            student = DistilledNeuralClassifier(warm_start=True, max_epochs=2)
            student.fit(X, y, teacher_logits=logits)
            student.set_params(hidden_layer_sizes=(16,))
            student.fit(X, y, teacher_logits=logits)
            """,
            (ValueError, "train a new network by fit with warm_start=False"),
            "student.set_params(warm_start=False).fit(X, y, teacher_logits=logits)",
            "max(len(p) for p in student.net_.module_.parameters()) == 16",
        ),
    ),
)
