"""Fetch a sample of Covertype."""

import io
import os
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import fetch_covtype
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import DataFile, Folder, read_data_file
from sklearn_distill.datasets._tables import tabular_bunch

FILE = DataFile(
    "tabular/covtype_15120.npz",
    "a4df9806b63671c51f6263b04ec38d64ed93c8607654e6efbedb65fb2bec3d91",
    225_490,
    source=("train.csv of github yingdongo/Kaggle-Forest-Cover-Type-Classification at 46d16877"),
)

N_PER_CLASS = 2160
TARGET = "Cover_Type"
TARGET_NAMES = [
    "Spruce/Fir",
    "Lodgepole Pine",
    "Ponderosa Pine",
    "Cottonwood/Willow",
    "Aspen",
    "Douglas-fir",
    "Krummholz",
]
FEATURE_NAMES = [
    "Elevation",
    "Aspect",
    "Slope",
    "Horizontal_Distance_To_Hydrology",
    "Vertical_Distance_To_Hydrology",
    "Horizontal_Distance_To_Roadways",
    "Hillshade_9am",
    "Hillshade_Noon",
    "Hillshade_3pm",
    "Horizontal_Distance_To_Fire_Points",
    *(f"Wilderness_Area{number}" for number in range(1, 5)),
    *(f"Soil_Type{number}" for number in range(1, 41)),
]

KAGGLE = """\
Source of these rows: Kaggle's competition Forest Cover Type Prediction, copied from github
yingdongo/Kaggle-Forest-Cover-Type-Classification at 46d16877.
Licence: none stated in the repository; CC BY 4.0 at UCI."""
DRAWN = """\
Source of these rows: drawn at random from sklearn.datasets.fetch_covtype, since Kaggle's file was
not found; Kaggle's sample has other rows. Licence: CC BY 4.0 (UCI)."""
DESCR = """\
Covertype, a balanced sample
----------------------------
15120 patches of forest of 30x30 m, 2160 of each of seven cover types; 10 measurements (metres,
degrees, shades 0..255), 4 indicators of the wilderness area and 40 of the soil type.

Warning: the classes are balanced here, in the whole data set (sklearn.datasets.fetch_covtype)
they are far from it.
Data: Blackard and Dean 1999, "Comparative accuracies of artificial neural networks and
discriminant analysis in predicting forest cover types from cartographic variables".
{source}
"""


def fetch_covertype_sample(
    *,
    data_home: Folder = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Fetch a balanced sample of Covertype: 54 features, seven types of forest.

    Kaggle's sample is looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names; that file has no public address. If it is in neither, as many rows
    of each class are drawn from :func:`sklearn.datasets.fetch_covtype`, which downloads 11 MB at
    its first call: other rows of the same forests. ``DESCR`` says which they are.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder to look into first. By default "sklearn_distill" in scikit-learn's data folder,
        looked into last.
    download_if_missing : bool, default=True
        Whether :func:`~sklearn.datasets.fetch_covtype` may download the whole data set.
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
    OSError
        If no file is found and the whole data set is not at hand and cannot, or may not, be
        downloaded; or if a file found is not the right one.

    Examples
    --------
    >>> from sklearn_distill.datasets import fetch_covertype_sample
    >>> X, y = fetch_covertype_sample(return_X_y=True)  # doctest: +SKIP
    """
    try:
        frame, source = _kaggle_sample(data_home), KAGGLE
    except FileNotFoundError as not_found:
        try:
            frame, source = _drawn_sample(data_home, download_if_missing), DRAWN
        except OSError as error:
            if download_if_missing:  # and the download failed
                raise
            raise not_found from error
    return tabular_bunch(
        frame,
        target=TARGET,
        groups={"data": FEATURE_NAMES},
        as_frame=as_frame,
        return_X_y=return_X_y,
        target_names=TARGET_NAMES,
        DESCR=DESCR.format(source=source),
    )


def _kaggle_sample(data_home: Folder) -> pd.DataFrame:
    raw = read_data_file(FILE, data_home=data_home)
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        return _as_frame(archive["X"], archive["y"])


def _drawn_sample(data_home: Folder, download_if_missing: bool) -> pd.DataFrame:
    """Draw `N_PER_CLASS` rows of each class from scikit-learn's data set, always the same ones."""
    folder = None if data_home is None else os.fspath(data_home)
    X, y = fetch_covtype(data_home=folder, download_if_missing=download_if_missing, return_X_y=True)
    rng = np.random.default_rng(0)
    rows = np.concatenate(
        [rng.choice(np.flatnonzero(y == k), N_PER_CLASS, replace=False) for k in np.unique(y)]
    )
    rng.shuffle(rows)
    return _as_frame(X[rows], y[rows])


def _as_frame(X: Any, y: Any) -> pd.DataFrame:
    frame = pd.DataFrame(X.astype(np.float32), columns=FEATURE_NAMES)
    frame[TARGET] = y.astype(np.int64)
    return frame
