"""Fetch Adult."""

import io
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import DataFile, Folder, read_data_file
from sklearn_distill.datasets._options import Subset, splits_of
from sklearn_distill.datasets._tables import tabular_bunch

FILE = DataFile(
    "tabular/adult.csv.gz",
    "d4c2fae911e5769dd0735cc0cdfa35c4a52bf12186a1f1497bf4654ef9cf4d80",
    5_554_297,
    source="adult-train.csv and adult-test.csv of github jbrownlee/Datasets at d20fcb64",
)

CATEGORICAL = (
    "workclass",
    "education",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native-country",
    "class",
)

DESCR = """\
Adult
-----
32561 training and 16281 test persons of the US census of 1994, 6 numeric and 8 categorical
features; the class is whether the yearly income is above 50000 dollars (24 % of the rows).
Unknown workclass, occupation or native country ("?" in the file) is missing (NaN).

Warning: fnlwgt is a weight of the census, not a property of the person; race, sex and native
country are features.
Source: Kohavi 1996, "Scaling up the accuracy of naive-Bayes classifiers: a decision-tree
hybrid"; UCI, copied from github jbrownlee/Datasets at d20fcb64.
Licence: none stated in the repository; CC BY 4.0 at UCI.
"""


def fetch_adult(
    *,
    data_home: Folder = None,
    subset: Subset = "train",
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = True,
) -> Bunch | tuple[Any, Any]:
    """Fetch Adult: income above 50K or not, 14 features, 8 of them categorical.

    The file is looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names. It is a converted file without a public address: if it is in
    neither, nothing can be downloaded.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder to look into first. By default "sklearn_distill" in scikit-learn's data folder,
        looked into last.
    subset : {"train", "test", "all"}, default="train"
        32561 training rows, 16281 test rows, or both in this order.
    download_if_missing : bool, default=True
        Has no effect here: a missing file is an error either way.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a DataFrame and a Series; if False, arrays of objects, as numbers and strings mix.

    Returns
    -------
    Bunch or (data, target)
        With the entries

        data : DataFrame or ndarray of shape (n_samples, 14)
            6 columns int64, 8 of dtype category, the same categories in every subset; a missing
            value is NaN.
        target : Series or ndarray of shape (n_samples,)
            Labels "<=50K" and ">50K".
        frame : DataFrame of shape (n_samples, 15) or None
            Features and target, if `as_frame`.
        feature_names : list of str
            Names of the columns.
        target_names : list of str
            The two labels, in the order of their codes.
        DESCR : str
            Source, licence and warnings.

    Raises
    ------
    FileNotFoundError
        If the file is in none of these places.
    OSError
        If a file found is not the right one.

    Examples
    --------
    >>> from sklearn_distill.datasets import fetch_adult
    >>> X, y = fetch_adult(subset="test", return_X_y=True)  # doctest: +SKIP
    """
    splits = splits_of(subset)
    raw = read_data_file(FILE, data_home=data_home, download_if_missing=download_if_missing)
    frame = _read_frame(raw, splits)
    return tabular_bunch(
        frame,
        target="class",
        groups={"data": frame.columns.drop("class").tolist()},
        as_frame=as_frame,
        return_X_y=return_X_y,
        target_names=["<=50K", ">50K"],
        DESCR=DESCR,
    )


def _read_frame(raw: bytes, splits: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.read_csv(
        io.BytesIO(raw),
        dtype=dict.fromkeys(CATEGORICAL, "category"),
        na_values="?",
        keep_default_na=False,
    )
    chosen = frame["part"].isin(splits)
    return frame.loc[chosen].drop(columns="part").reset_index(drop=True)
