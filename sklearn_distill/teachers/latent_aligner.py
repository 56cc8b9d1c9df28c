"""One latent space for the hidden representations of several teachers."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from sklearn_distill._doc_link import DocLink
from sklearn_distill._optional import import_torch
from sklearn_distill._typing import ArrayLike, FloatArray, IntArray
from sklearn_distill._validation.fitting import (
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.numbers import check_hidden_layer_sizes
from sklearn_distill._validation.random_state import draw_seed
from sklearn_distill.teachers._latent_codes import mean_code, principal_axes
from sklearn_distill.teachers._latent_rows import (
    Representations,
    RepresentationsLike,
    check_representations,
    check_some_rows,
    check_triplet_labels,
    linked_pairs,
)

if TYPE_CHECKING:
    from sklearn_distill.teachers._latent_space import AlignmentData, LatentSpace


class LatentAligner(DocLink, BaseEstimator):
    r"""Align teachers' hidden representations in one latent space.

    The representations may differ in width, and each teacher may lack that of some rows. Each is
    standardised and projected onto its principal axes, x; then an encoder :math:`f_m` into the unit
    sphere of :math:`R^d` and a decoder :math:`g_m` are learnt for each teacher m, to minimise

    .. math::

        \sum_m \mathrm{mean}_i \frac{\|g_m(f_m(x_{im})) - x_{im}\|^2}{w_m}
        + α\,\mathrm{mean}\,\max\big(0,\ δ + \|f_a(x_{ia}) - f_m(x_{im})\|^2
        - \|f_a(x_{ia}) - f_m(x_{jm})\|^2\big),

    where :math:`w_m` is the width of :math:`x_m`, and the second mean is over all triplets within
    a mini-batch: a row i that the anchor a and another teacher m both have, and a row j of another
    class that m has. Minimising it brings a teacher's code of a row nearer to the anchor's code of
    the same row than its codes of rows of other classes.

    A student can be trained towards the mean code of the teachers that have a row:
    ``fit(X, y, teacher_embedding=aligner.transform(representations, combine="mean"))``, with
    ``embedding_weight`` above 0.

    Parameters
    ----------
    n_components : int, default=32
        d, the number of dimensions of the latent space.
    n_principal : int, default=64
        Largest number of principal axes of each representation.
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Widths of the encoders' hidden layers; the decoders have them in reverse. Empty makes
        linear maps.
    margin : float, default=1.0
        δ ≥ 0. Squared distances on the sphere are in [0, 4].
    triplet_weight : float, default=1.0
        α ≥ 0; 0 learns an autoencoder for each teacher, without alignment.
    anchor : {"first", "each", "student"}, default="first"
        The codes that are the anchors of the triplets: those of the first teacher; of each teacher
        in turn, so that teachers without a row in common with the first are linked to it by others;
        or of a student, whose representation is then passed to ``fit``. The student's codes are not
        returned by ``transform``.
    lr : float, default=1e-3
        Learning rate of Adam.
    batch_size : int, default=256
        Rows of a mini-batch.
    max_epochs : int, default=50
        Passes over the rows.
    device : str or torch.device, default="auto"
        Where to train: "auto" is the first available of cuda, mps and cpu. Tested on the CPU.
    random_state : int, RandomState or None, default=None
        Seeds the initial weights and the order of the rows; torch's global generator is not used.
    verbose : int, default=0
        Above 0, show a progress bar over the epochs.

    Attributes
    ----------
    names_ : list
        Keys of the teachers, or their positions.
    classes_ : ndarray of shape (n_classes,)
        Class labels in ascending order.
    widths_ : list of int
        Width of each teacher's representation.
    loss_curve_ : DataFrame
        Columns "loss", "reconstruction" and "triplet", a row for each epoch.
    module_ : torch.nn.Module
        Encoders and decoders, on the CPU; the student's, if it was the anchor, come first.

    See Also
    --------
    sklearn_distill.nets.hidden_representation : Read a representation off a network.
    combine_teachers : Combine the probabilities of several teachers.

    References
    ----------
    Sedova, Gorpinich, Bakhteev and Strijov 2022, "Distillation with the shared latent space of
    models"; Schroff, Kalenichenko and Philbin 2015, "FaceNet: a unified embedding for face
    recognition and clustering", eq. (3).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> wide, narrow = X[:, [0, 1, 2]], X[:, [2, 3]].copy()
    >>> narrow[y == 0] = np.nan  # a teacher without the first class
    >>> aligner = LatentAligner(n_components=2, random_state=0).fit([wide, narrow], y)
    >>> aligner.transform([wide, narrow]).shape
    (150, 2, 2)
    >>> aligner.transform([wide, narrow], combine="mean").shape
    (150, 2)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_principal": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "margin": [Interval(Real, 0, None, closed="left")],
        "triplet_weight": [Interval(Real, 0, None, closed="left")],
        "anchor": [StrOptions({"first", "each", "student"})],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "device": "no_validation",
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    names_: list[Any]
    classes_: NDArray[Any]
    widths_: list[int]
    loss_curve_: pd.DataFrame
    module_: LatentSpace

    def __init__(
        self,
        n_components: int = 32,
        *,
        n_principal: int = 64,
        hidden_layer_sizes: Any = (64,),
        margin: float = 1.0,
        triplet_weight: float = 1.0,
        anchor: str = "first",
        lr: float = 1e-3,
        batch_size: int = 256,
        max_epochs: int = 50,
        device: Any = "auto",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.n_principal = n_principal
        self.hidden_layer_sizes = hidden_layer_sizes
        self.margin = margin
        self.triplet_weight = triplet_weight
        self.anchor = anchor
        self.lr = lr
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        representations: RepresentationsLike,
        y: ArrayLike,
        *,
        student: ArrayLike | None = None,
    ) -> Self:
        """Learn the shared space.

        Parameters
        ----------
        representations : list or dict of array-like, each of shape (n_samples, width)
            Each teacher's representation of the same rows; a row of NaN where it has none.
        y : array-like of shape (n_samples,)
            Labels. Rows without one (NaN, None, pd.NA) are reconstructed and give no triplets.
        student : array-like of shape (n_samples, width) or None, default=None
            The student's representation of the same rows, required by ``anchor="student"``.

        Returns
        -------
        self
            The fitted aligner.

        Raises
        ------
        ValueError
            If arrays differ in length or have rows that are NaN in part, a teacher has fewer than
            two rows, y has fewer than two classes, a teacher has no triplets with the anchor (with
            ``anchor="each"``: is not linked to the first by any chain of such teachers), or the
            training diverged. The aligner then keeps the state before the call.
        ImportError
            If torch is missing.
        """
        import_torch("LatentAligner")
        checked = self._check(representations, student)
        classes, codes = check_triplet_labels(y, checked.n_rows)
        pairs = linked_pairs(checked, codes, self._anchors(checked))
        seed = draw_seed(check_random_state(self.random_state))
        n_students = int(student is not None)
        self.names_ = checked.names[n_students:]
        self.widths_ = [array.shape[1] for array in checked.arrays[n_students:]]
        self.classes_ = classes
        self._n_students = n_students
        self._axes = [principal_axes(array, self.n_principal, seed) for array in checked.arrays]
        self._train(_alignment_data(self._project(checked), checked, codes, pairs), seed)
        return self

    def transform(
        self, representations: RepresentationsLike, *, combine: str | None = None
    ) -> FloatArray:
        """Return codes in the shared space.

        Parameters
        ----------
        representations : list or dict of array-like, each of shape (n_samples, width)
            Representations of the teachers of the fit; a row of NaN where a teacher has none.
        combine : {"mean"} or None, default=None
            "mean" returns one code a row: the mean of the available codes, rescaled to length 1.

        Returns
        -------
        ndarray of shape (n_samples, n_teachers, n_components) or (n_samples, n_components)
            Codes of length 1, NaN where a teacher has no representation, or with "mean" none has.

        Raises
        ------
        ValueError
            If these are not the teachers of the fit, or ``combine`` is unknown.
        """
        check_is_fitted(self)
        if combine not in {None, "mean"}:
            raise ValueError(f"combine={combine!r}: give 'mean' or None")
        checked = self._check_same_teachers(check_representations(representations))
        # the encoder of a student, if it was the anchor, comes before those of the teachers
        positions = range(self._n_students, self._n_students + len(checked.arrays))
        codes = [self._encode(m, array) for m, array in zip(positions, checked.arrays, strict=True)]
        stacked = np.stack(codes, axis=1)
        return stacked if combine is None else mean_code(stacked)

    def _check(
        self, representations: RepresentationsLike, student: ArrayLike | None
    ) -> Representations:
        if (student is not None) != (self.anchor == "student"):
            raise ValueError(
                f"anchor={self.anchor!r}, and fit was given "
                f"{'no' if student is None else 'a'} student: a student's representation goes with "
                "anchor='student'"
            )
        checked = check_representations(representations, student=student)
        if len(checked.arrays) < 2:
            raise ValueError(
                "representations holds one teacher: two are needed, or one and a student "
                "(anchor='student')"
            )
        check_some_rows(checked)
        return checked

    def _anchors(self, checked: Representations) -> list[int]:
        # check_representations puts a student first, so 0 is the student or the first teacher
        return list(range(len(checked.arrays))) if self.anchor == "each" else [0]

    def _project(self, checked: Representations) -> list[FloatArray]:
        """Return each model's principal components, 0 where it has no representation."""
        projected = []
        for axes, array, rows in zip(self._axes, checked.arrays, checked.available, strict=True):
            # 0, not NaN: a masked NaN in the loss would still give NaN gradients
            x = np.zeros((len(array), axes[-1].n_components_), dtype=np.float32)
            x[rows] = axes.transform(array[rows])
            projected.append(x)
        return projected

    def _train(self, data: AlignmentData, seed: int) -> None:
        from sklearn_distill.nets.device import resolve_device
        from sklearn_distill.teachers._latent_space import LatentSpace, train_latent_space

        device = resolve_device(self.device)
        widths = [array.shape[1] for array in data.representations]
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        space = LatentSpace(widths, self.n_components, hidden, seed).to(device)
        epochs = train_latent_space(
            space,
            data.to(device),
            margin=self.margin,
            triplet_weight=self.triplet_weight,
            lr=self.lr,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            seed=seed,
        )
        bar = tqdm(epochs, "LatentAligner", self.max_epochs, unit="epoch", disable=not self.verbose)
        curve = pd.DataFrame(list(bar), columns=["reconstruction", "triplet"])
        loss = curve["reconstruction"] + self.triplet_weight * curve["triplet"]
        if not np.isfinite(loss.iloc[-1]):  # NaN weights stay NaN until the last epoch
            raise ValueError(f"the training diverged: its loss is not finite. Lower lr={self.lr}")
        curve.insert(0, "loss", loss)
        self.loss_curve_, self.module_ = curve, space.cpu().eval()

    def _check_same_teachers(self, checked: Representations) -> Representations:
        """Return the teachers in the order of the fit."""
        if set(checked.names) != set(self.names_):
            raise ValueError(
                f"representations has the teachers {checked.names}, the fit had {self.names_}: "
                "give the same, with rows of NaN for a teacher without representations"
            )
        arrays = [checked.arrays[checked.names.index(name)] for name in self.names_]
        widths = [array.shape[1] for array in arrays]
        if widths != self.widths_:
            raise ValueError(
                f"representations has the widths {widths}, the fit had {self.widths_}: give the "
                "same layers"
            )
        return Representations(list(self.names_), arrays)

    def _encode(self, m: int, array: FloatArray) -> FloatArray:
        """Return the codes of model m, NaN where it has no representation."""
        import torch

        available = ~np.isnan(array[:, 0])
        codes = np.full((len(array), self.n_components), np.nan)
        if available.any():  # the pipeline raises an error for an array without rows
            x = torch.as_tensor(self._axes[m].transform(array[available]), dtype=torch.float32)
            with torch.no_grad():
                codes[available] = self.module_.encode_one(m, x).numpy()
        return codes


def _alignment_data(
    projected: list[FloatArray],
    checked: Representations,
    codes: IntArray,
    pairs: list[tuple[int, int]],
) -> AlignmentData:
    import torch

    from sklearn_distill.teachers._latent_space import AlignmentData

    return AlignmentData(
        [torch.as_tensor(x) for x in projected],
        torch.as_tensor(checked.available),
        torch.as_tensor(codes, dtype=torch.long),
        pairs,
    )
