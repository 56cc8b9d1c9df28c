"""Load scikit-learn's digits with the full image as privileged information."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

from sklearn_distill.datasets._tables import tabular_bunch

DESCR = """\
Digits with privileged information
----------------------------------
scikit-learn's 1797 handwritten digits. Privileged, there in training only: the 8x8 image (64
columns). Regular: the same image averaged over blocks of 2x2 pixels, 4x4 (16 columns). Both in
the units of the original, 0..16, without rescaling.

Source: sklearn.datasets.load_digits (UCI, Alpaydin and Kaynak 1998); the construction follows
experiment 5 of Lopez-Paz et al. 2016, there MNIST at 28x28 and 7x7.
Licence: CC BY 4.0 at UCI.
"""


def load_digits_privileged(
    *, return_X_y: bool = False, as_frame: bool = False
) -> Bunch | tuple[Any, Any]:
    r"""Load digits at 4×4 pixels, with their 8×8 images as privileged information.

    With P the 8×8 image, the regular one is
    :math:`X_{rc} = \tfrac14 (P_{2r,2c} + P_{2r,2c+1} + P_{2r+1,2c} + P_{2r+1,2c+1})`.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)``, without the privileged columns, instead of a Bunch.
    as_frame : bool, default=False
        Return DataFrames and a Series instead of arrays.

    Returns
    -------
    Bunch or (data, target)
        With the entries

        data : ndarray or DataFrame of shape (1797, 16)
            Regular columns, multiples of 1/4 in [0, 16], row by row.
        privileged : ndarray or DataFrame of shape (1797, 64)
            Privileged columns, whole numbers in [0, 16], row by row.
        target : ndarray or Series of shape (1797,)
            Digits from 0 to 9.
        frame : DataFrame of shape (1797, 81) or None
            Regular columns, privileged columns, "target", if `as_frame`.
        feature_names, privileged_names : list of str
            Names "pooled_r_c" and "pixel_r_c" by row and column.
        target_names : list of str
            What label k means.
        DESCR : str
            Source, licence and construction.

    References
    ----------
    Lopez-Paz, Bottou, Schölkopf and Vapnik 2016, "Unifying distillation and privileged
    information", ICLR, arXiv 1511.03643.

    Examples
    --------
    An estimator that takes both kinds of columns takes them side by side:

    >>> import numpy as np
    >>> from sklearn_distill.datasets import load_digits_privileged
    >>> digits = load_digits_privileged()
    >>> X = np.hstack([digits.data, digits.privileged])
    >>> X.shape, digits.data.shape[1]
    ((1797, 80), 16)
    """
    digits = load_digits()
    columns = {"data": _names("pooled", 4), "privileged": _names("pixel", 8)}
    frame = pd.DataFrame(_pool(digits.images).reshape(-1, 16), columns=columns["data"])
    frame[columns["privileged"]] = digits.data
    frame["target"] = digits.target
    return tabular_bunch(
        frame,
        target="target",
        groups=columns,
        as_frame=as_frame,
        return_X_y=return_X_y,
        privileged_names=columns["privileged"],
        target_names=[str(digit) for digit in digits.target_names],
        DESCR=DESCR,
    )


def _pool(images: NDArray[np.float64]) -> NDArray[np.float64]:
    n, height, width = images.shape
    blocks = images.reshape(n, height // 2, 2, width // 2, 2)
    pooled: NDArray[np.float64] = blocks.mean(axis=(2, 4))
    return pooled


def _names(prefix: str, side: int) -> list[str]:
    return [f"{prefix}_{row}_{column}" for row in range(side) for column in range(side)]
