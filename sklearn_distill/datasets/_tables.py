"""Package a DataFrame as the Bunch that every tabular loader returns."""

from typing import Any

import pandas as pd
from sklearn.utils import Bunch


def tabular_bunch(
    frame: pd.DataFrame,
    *,
    target: str,
    groups: dict[str, list[str]],
    as_frame: bool,
    return_X_y: bool,
    **extra: object,
) -> Bunch | tuple[Any, Any]:
    """Return the column groups and the target of a frame, as frames or as arrays.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_columns)
        Table with all columns.
    target : str
        Name of the column to predict.
    groups : dict from str to list of str
        Columns of each entry of the Bunch; one entry is "data".
    as_frame : bool
        Whether to return DataFrames and a Series instead of ndarrays.
    return_X_y : bool
        Whether to return only data and target.
    **extra : object
        Further entries of the Bunch.

    Returns
    -------
    Bunch or (data, target)
        `frame` of the Bunch is None unless `as_frame`.
    """
    tables: dict[str, Any] = {entry: frame[columns] for entry, columns in groups.items()}
    tables["target"] = frame[target]
    if not as_frame:
        # without the copy pandas 3 hands out read-only views
        tables = {entry: table.to_numpy(copy=True) for entry, table in tables.items()}
    if return_X_y:
        return tables["data"], tables["target"]
    return Bunch(**tables, frame=frame if as_frame else None, feature_names=groups["data"], **extra)
