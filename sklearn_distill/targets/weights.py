"""Row weights: sample weight times class weight."""

from sklearn_distill._typing import FloatArray
from sklearn_distill.targets.labels import Labels
from sklearn_distill.targets.teachers import Teachers


def row_weights(
    sample_weight: FloatArray,
    class_weight: FloatArray | None,
    labels: Labels,
    teachers: Teachers | None,
) -> FloatArray:
    r"""Return :math:`s_i` = sample weight × class weight.

    A labelled row has the class weight of its label. A row without a label has the class weight
    expected under the teacher's probabilities p at temperature 1,
    :math:`\sum_k p_{ik}\,\mathrm{class\_weight}_k`.
    The weight multiplies both terms of the row's loss.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,)
        Nonnegative weights of the samples.
    class_weight : ndarray of shape (n_classes,) or None
        Weight of each class; None for 1.
    labels : Labels
        The rows' labels, some of which may be missing.
    teachers : Teachers or None
        Source of the class probabilities of rows without a label.

    Returns
    -------
    ndarray of shape (n_rows,)
        Row weights s.

    Examples
    --------
    >>> import numpy as np
    >>> labels = Labels(np.array([0, -1]), n_classes=2)
    >>> teachers = Teachers(np.log([[[0.5, 0.25], [0.5, 0.75]]]))
    >>> row_weights(np.ones(2), np.array([1.0, 5.0]), labels, teachers)
    array([1., 4.])
    """
    if class_weight is None:
        return sample_weight
    s = sample_weight * class_weight[labels.codes]
    missing = ~labels.present
    if missing.any() and teachers is not None:
        s[missing] = sample_weight[missing] * (class_weight @ teachers.soften(1.0)[:, missing])
    return s


def mean_one(weight: FloatArray, row_weight: FloatArray | None = None) -> FloatArray:
    """Scale weights to mean 1, so that they do not act as a learning rate.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Nonnegative weights to be scaled.
    row_weight : ndarray of shape (n_rows,) or None
        Weights whose mean becomes 1, such as ``weight`` times class weights; None for ``weight``.

    Returns
    -------
    ndarray of shape (n_rows,)
        ``weight`` divided by that mean.

    Examples
    --------
    >>> import numpy as np
    >>> mean_one(np.array([1.0, 3.0]))
    array([0.5, 1.5])
    """
    scaled: FloatArray = weight / (weight if row_weight is None else row_weight).mean()
    return scaled
