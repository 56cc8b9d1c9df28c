import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from sklearn_distill.datasets import load_digits_privileged


def test_privileged_columns_are_the_original_digits() -> None:
    bunch, original = load_digits_privileged(), load_digits()
    np.testing.assert_array_equal(bunch.privileged, original.data)
    np.testing.assert_array_equal(bunch.target, original.target)


def test_regular_columns_are_the_means_of_four_pixels() -> None:
    bunch = load_digits_privileged()
    P = bunch.privileged.reshape(-1, 8, 8)
    quarter = P[:, ::2, ::2] + P[:, ::2, 1::2] + P[:, 1::2, ::2] + P[:, 1::2, 1::2]
    np.testing.assert_array_equal(bunch.data.reshape(-1, 4, 4), quarter / 4)
    assert (bunch.data.min(), bunch.data.max()) == (0, 16)


def test_names_say_row_and_column() -> None:
    bunch = load_digits_privileged(as_frame=True)
    assert bunch.feature_names[6] == "pooled_1_2"
    assert bunch.privileged_names[17] == "pixel_2_1"
    assert list(bunch.frame) == [*bunch.feature_names, *bunch.privileged_names, "target"]
    corner = bunch.frame[["pixel_2_4", "pixel_2_5", "pixel_3_4", "pixel_3_5"]].mean(axis=1)
    pd.testing.assert_series_equal(bunch.frame["pooled_1_2"], corner, check_names=False)


def test_forms_agree() -> None:
    arrays, frames = load_digits_privileged(), load_digits_privileged(as_frame=True)
    for entry in ("data", "privileged", "target"):
        np.testing.assert_array_equal(arrays[entry], frames[entry].to_numpy())
        assert arrays[entry].flags.writeable
    X, y = load_digits_privileged(return_X_y=True)
    np.testing.assert_array_equal(X, arrays.data)
    np.testing.assert_array_equal(y, arrays.target)
    assert arrays.frame is None
    assert arrays.target_names == [str(digit) for digit in range(10)]
