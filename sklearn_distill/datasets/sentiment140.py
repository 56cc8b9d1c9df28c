"""Fetch Sentiment140."""

import io

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import DataFile, Folder, read_data_file
from sklearn_distill.datasets._options import Subset, splits_of

FILES = {
    "train": DataFile(
        "tweets/sentiment140_100k.csv.gz",
        "bf553df39d7c440fd339464fb8036ef183bb870c7d689e5ae4f373a38d55e597",
        7_368_866,
        source="data/tweets_100k of github geraldzakwan/iykra-sentiment-analysis at 0f8dae78",
    ),
    "test": DataFile(
        "tweets/sentiment140_test.csv.gz",
        "764e637b21846fe6c4dba29260a866b33780c47e34f37575ed4cc6ffd9d7dc26",
        30_711,
        source="twitter_sentiment.csv of github bfkwong/data at 3adec478",
    ),
}

DESCR = """\
Sentiment140, 100000 tweets
---------------------------
Training: 50000 negative and 50000 positive English tweets of 2009, alternating, labelled by the
emoticon they contained (removed). Test: the 359 tweets labelled by hand (177 negative, 182
positive; the 139 neutral ones are left out). Handles are masked as @user.

Warning: the negative training rows are the first 50000 of the original file and the positive
ones look like its last 50000, so the classes differ in date too: a score on held-out training
rows is partly the date's. The hand-labelled test rows are the outside check.
Source: Go, Bhayani and Huang 2009, "Twitter sentiment classification using distant supervision";
copied from github geraldzakwan/iykra-sentiment-analysis at 0f8dae78 (train) and bfkwong/data at
3adec478 (test).
Licence: MIT in the first repository, none stated in the second; Sentiment140 states none.
"""


def fetch_sentiment140(
    *,
    data_home: Folder = None,
    subset: Subset = "train",
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Fetch Sentiment140: tweets, negative or positive.

    The files are looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names. They are converted files without a public address: if they are
    in neither, nothing can be downloaded.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder to look into first. By default "sklearn_distill" in scikit-learn's data folder,
        looked into last.
    subset : {"train", "test", "all"}, default="train"
        100000 rows labelled by emoticon, 359 rows labelled by hand, or both in this order.
    download_if_missing : bool, default=True
        Has no effect here: a missing file is an error either way.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or (data, target)
        With the entries

        data : ndarray of shape (n_samples,)
            Texts, as str objects.
        target : ndarray of shape (n_samples,)
            int64: 0 negative, 1 positive.
        target_names : list of str
            What label k means.
        DESCR : str
            Source, licence, warnings: read the one about dates.

    Raises
    ------
    FileNotFoundError
        If a file is in none of these places.
    OSError
        If a file found is not the right one.

    Examples
    --------
    >>> from sklearn_distill.datasets import fetch_sentiment140
    >>> texts, y = fetch_sentiment140(subset="test", return_X_y=True)  # doctest: +SKIP
    """
    raw = [
        read_data_file(FILES[split], data_home=data_home, download_if_missing=download_if_missing)
        for split in splits_of(subset)
    ]
    # na_filter: a tweet may be the text "NA" or "null"
    frame = pd.concat([pd.read_csv(io.BytesIO(content), na_filter=False) for content in raw])
    texts = frame["text"].to_numpy(dtype=object, copy=True)
    y = frame["y"].to_numpy(dtype=np.int64, copy=True)
    if return_X_y:
        return texts, y
    return Bunch(data=texts, target=y, target_names=["negative", "positive"], DESCR=DESCR)
