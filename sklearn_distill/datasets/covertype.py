"""Fetch a sample of Covertype."""

import io
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import DataFile, Folder, read_data_file
from sklearn_distill.datasets._tables import tabular_bunch

FILE = DataFile(
    "tabular/covtype_15120.npz",
    "a4df9806b63671c51f6263b04ec38d64ed93c8607654e6efbedb65fb2bec3d91",
    225_490,
    source=("train.csv of github yingdongo/Kaggle-Forest-Cover-Type-Classification at 46d16877"),
)

DESCR = """\
Covertype, Kaggle's sample
--------------------------
15120 patches of forest of 30x30 m, 2160 of each of seven cover types; 10 measurements (metres,
degrees, shades 0..255), 4 indicators of the wilderness area and 40 of the soil type.

Warning: the classes are balanced here, in the whole data set (sklearn.datasets.fetch_covtype)
they are far from it.
Source: Blackard and Dean 1999, "Comparative accuracies of artificial neural networks and
discriminant analysis in predicting forest cover types from cartographic variables"; Kaggle's
competition Forest Cover Type Prediction, copied from github
yingdongo/Kaggle-Forest-Cover-Type-Classification at 46d16877.
Licence: none stated in the repository; CC BY 4.0 at UCI.
"""


def fetch_covertype_sample(
    *,
    data_home: Folder = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Fetch a balanced sample of Covertype: 54 features, seven types of forest.

    The file is looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names. It is a converted file without a public address: if it is in
    neither, nothing can be downloaded.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder to look into first. By default "sklearn_distill" in scikit-learn's data folder,
        looked into last.
    download_if_missing : bool, default=True
        Has no effect here: a missing file is an error either way.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return a DataFrame and a Series instead of arrays.

    Returns
    -------
    Bunch or (data, target)
        With the entries

        data : ndarray or DataFrame of shape (15120, 54)
            Features, float32 (whole numbers), 3.3 MB.
        target : ndarray or Series of shape (15120,)
            Cover type, int64, 1..7.
        frame : DataFrame of shape (15120, 55) or None
            Features and target, if `as_frame`.
        feature_names : list of str
            Names of the columns.
        target_names : list of str
            What label k + 1 means.
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
    >>> from sklearn_distill.datasets import fetch_covertype_sample
    >>> X, y = fetch_covertype_sample(return_X_y=True)  # doctest: +SKIP
    """
    raw = read_data_file(FILE, data_home=data_home, download_if_missing=download_if_missing)
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        names, target_names = archive["feature_names"].tolist(), archive["target_names"].tolist()
        frame = pd.DataFrame(archive["X"].astype(np.float32), columns=names)
        frame["Cover_Type"] = archive["y"].astype(np.int64)
    return tabular_bunch(
        frame,
        target="Cover_Type",
        groups={"data": names},
        as_frame=as_frame,
        return_X_y=return_X_y,
        target_names=target_names,
        DESCR=DESCR,
    )
