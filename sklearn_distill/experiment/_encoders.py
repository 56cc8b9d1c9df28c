"""Transformers of a table with text and missing values; each selects its columns by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler


def ordinal_codes(features: pd.DataFrame) -> Any:
    """Return a transformer for trees, to which a missing value is a value.

    Parameters
    ----------
    features : DataFrame
        Table with the columns to use. Further columns of other tables are ignored.

    Returns
    -------
    transformer
        Unfitted.
    """
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=200,
    )
    number, text = _by_type(features)
    parts: list[tuple[Any, list[Any]]] = [(codes, text), ("passthrough", number)]
    return make_column_transformer(*_not_empty(parts))


def one_hot(features: pd.DataFrame, sparse: bool = True, indicators: bool = True) -> Any:
    """Return a transformer for linear models and networks: standardised numbers, one-hot texts.

    Parameters
    ----------
    features : DataFrame
        Table with the columns to use. Further columns of other tables are ignored.
    sparse : bool
        Whether the result may be sparse.
    indicators : bool
        Whether a column of numbers with missing ones gets a second one that tells where.

    Returns
    -------
    transformer
        Unfitted.
    """
    numbers = make_pipeline(SimpleImputer(add_indicator=indicators), StandardScaler())
    texts = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=sparse
    )
    number, text = _by_type(features)
    return make_column_transformer(*_not_empty([(numbers, number), (texts, text)]))


def _by_type(features: pd.DataFrame) -> tuple[list[Any], list[Any]]:
    number = features.select_dtypes(np.number).columns
    return number.tolist(), features.columns.drop(number).tolist()


def _not_empty(parts: list[tuple[Any, list[Any]]]) -> list[tuple[Any, list[Any]]]:
    return [(transformer, names) for transformer, names in parts if names]
