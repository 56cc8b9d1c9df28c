"""Row weights: sample weight times class weight."""

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.targets.labels import Labels
from sklearn_distill.targets.teachers import WeightedTeachers


def row_weights(
    sample_weight: FloatArray,
    class_weight: FloatArray | None,
    labels: Labels,
    teachers: WeightedTeachers | None,
) -> FloatArray:
    r"""Return :math:`s_i` = sample weight × class weight, of which the objective is a mean.

    A labelled row has the class weight of its label, in both terms of its loss. A row without a
    label has the weight of its K weighted copies under the teacher's probabilities p at
    temperature 1, :math:`\sum_k p_{ik}\,\mathrm{class\_weight}_k`; which class this weight falls
    on is up to :class:`~sklearn_distill.targets.TargetMixture`.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,)
        Nonnegative weights of the samples.
    class_weight : ndarray of shape (n_classes,) or None
        Weight of each class; None for 1.
    labels : Labels
        The rows' labels, some of which may be missing.
    teachers : WeightedTeachers or None
        Source of the class probabilities of rows without a label.

    Returns
    -------
    ndarray of shape (n_rows,)
        Row weights s.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.targets import Teachers
    >>> labels = Labels(np.array([0, -1]), n_classes=2)
    >>> teachers = Teachers(np.log([[[0.5, 0.25], [0.5, 0.75]]]))
    >>> row_weights(np.ones(2), np.array([1.0, 5.0]), labels, teachers)
    array([1., 4.])
    """
    s = label_weights(sample_weight, class_weight, labels)
    missing = np.flatnonzero(~labels.present)
    if class_weight is not None and teachers is not None and len(missing):
        s[missing] *= teachers.take(missing).expected_weight(class_weight)
    return s


def label_weights(
    sample_weight: FloatArray, class_weight: FloatArray | None, labels: Labels
) -> FloatArray:
    """Return sample weight × class weight of the label; the sample weight without a label.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_rows,)
        Nonnegative weights of the samples.
    class_weight : ndarray of shape (n_classes,) or None
        Weight of each class; None for 1.
    labels : Labels
        The rows' labels, some of which may be missing.

    Returns
    -------
    ndarray of shape (n_rows,)
        The weights.

    Examples
    --------
    >>> import numpy as np
    >>> labels = Labels(np.array([1, -1]), n_classes=2)
    >>> label_weights(np.ones(2), np.array([1.0, 5.0]), labels)
    array([5., 1.])
    """
    if class_weight is None:
        return sample_weight
    return np.where(labels.present, sample_weight * class_weight[labels.codes], sample_weight)


def expected_class_mass(
    labels: Labels, teachers: WeightedTeachers | None, sample_weight: FloatArray
) -> FloatArray:
    """Return the weight of each class: of its labels, and expected where a label is missing.

    Parameters
    ----------
    labels : Labels
        The rows' labels, some of which may be missing.
    teachers : WeightedTeachers or None
        A row without a label adds their probabilities at temperature 1, times its weight.
    sample_weight : ndarray of shape (n_rows,)
        Nonnegative weights of the samples.

    Returns
    -------
    ndarray of shape (n_classes,)
        The sums over the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.targets import Teachers
    >>> labels = Labels(np.array([0, -1]), n_classes=2)
    >>> teachers = Teachers(np.log([[[0.5, 0.25], [0.5, 0.75]]]))
    >>> expected_class_mass(labels, teachers, np.ones(2))
    array([1.25, 0.75])
    """
    mass: FloatArray = labels.one_hot(sample_weight).sum(axis=1)
    missing = np.flatnonzero(~labels.present)
    if teachers is not None and len(missing):
        mass += teachers.take(missing).class_mass(sample_weight[missing])
    return mass


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
