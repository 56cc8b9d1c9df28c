"""A variational autoencoder with a decoder for each of two domains."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data
from tqdm.auto import tqdm

from sklearn_distill._doc_link import DocLink
from sklearn_distill._optional import import_torch
from sklearn_distill._typing import ArrayLike, TargetLike
from sklearn_distill._validation.extra_sets import entry_of_single
from sklearn_distill._validation.fitting import (
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.random_state import draw_seed
from sklearn_distill.mappings._pairs import Pairs, read_pairs
from sklearn_distill.nets.device import resolve_device

if TYPE_CHECKING:
    from torch import Generator

    from sklearn_distill.mappings._vae import TrainingConfig, TwoDecoderNetwork

_PIPELINE_HINT = (
    ". Earlier steps of a Pipeline transform X alone: enable metadata routing and set "
    "Pipeline(..., transform_input=['X_source']) if they scale the pixels"
)


class TwoDecoderVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, DocLink, BaseEstimator):
    r"""Map images of a target domain to a source domain by a variational autoencoder.

    One encoder reads a target-domain image x and gives q(z|x) = N(μ(x), diag σ²(x)); decoder 1
    maps z to an image of the source domain, decoder 2 to one of the target domain. Adam trains them
    on pairs of images, x and x_s, to minimise the mean of

    .. math::

        -E\log p_1(x_s \mid z_1) - E\log p_2(x \mid z_2) + β\,KL(q(z \mid x) \,\|\, N(0, I)),

    where z₁ and z₂ are drawn independently of q and p is Bernoulli, pixel by pixel. The map φ(x) is
    the output of decoder 1 for z = μ(x); ``make_pipeline(phi, teacher)`` predicts for the target
    domain with a teacher of the source domain.

    Parameters
    ----------
    n_components : int, default=64
        Dimensions of the latent z.
    hidden_size : int, default=200
        Width of the one hidden layer (LeakyReLU) of encoder and decoders.
    kl_weight : float, default=1.0
        Weight β ≥ 0 of the Kullback-Leibler term.
    pairing : {"epoch", "once"}, default="epoch"
        With labels, each x is paired with a random source image of its label, drawn anew in each
        epoch or once. Drawn anew, decoder 1 is trained on the whole source domain even if there are
        few target images.
    lr : float, default=1e-3
        Learning rate of Adam.
    lr_schedule : {"cosine"}, callable or None, default=None
        Schedule by epoch: "cosine" decays to 0 at ``max_epochs``; a callable takes the optimiser
        and returns a scheduler of torch.optim.lr_scheduler; ReduceLROnPlateau monitors the training
        loss.
    batch_size : int, default=64
        Rows of a mini-batch.
    max_epochs : int, default=50
        Passes over the target images.
    device : str or torch.device, default="auto"
        "auto" is the first available of cuda, mps and cpu. Tested on the CPU.
    random_state : int, RandomState or None, default=None
        Seeds the initial weights, the pairs, the order of the rows and the noise of z.
    verbose : int, default=0
        Above 0, show a progress bar over the epochs.

    Attributes
    ----------
    network_ : torch.nn.Module
        The trained network, on the CPU.
    loss_curve_ : list of float
        Mean loss of each epoch, in nats per image.
    n_features_in_ : int
        Number of pixels of a target-domain image.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    References
    ----------
    Bayazitov 2022, "Distillation on multi-domain data", section 3.2: Fashion-MNIST to MNIST, 50
    epochs, pairs drawn once. The author's code subtracts the divergence for each decoder, which is
    ``kl_weight=2``, and clips the decoders' probabilities to [0.01, 0.99], which is not done here.
    Kingma and Welling 2014, "Auto-encoding variational Bayes".

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> phi = TwoDecoderVAE(max_epochs=2, random_state=0)
    >>> phi.fit(1 - X, y, X_source=X, y_source=y).transform(1 - X).shape
    (1797, 64)
    """

    network_: TwoDecoderNetwork
    loss_curve_: list[float]
    _n_features_out: int

    # sliced with X, where they are as long, without any set_fit_request
    __metadata_request__fit: ClassVar = {"X_source": True, "y_source": True}

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "kl_weight": [Interval(Real, 0, None, closed="left")],
        "pairing": [StrOptions({"epoch", "once"})],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions({"cosine"}), callable, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "device": "no_validation",
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int = 64,
        *,
        hidden_size: int = 200,
        kl_weight: float = 1.0,
        pairing: str = "epoch",
        lr: float = 1e-3,
        lr_schedule: Any = None,
        batch_size: int = 64,
        max_epochs: int = 50,
        device: Any = "auto",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.hidden_size = hidden_size
        self.kl_weight = kl_weight
        self.pairing = pairing
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        X: ArrayLike,
        y: TargetLike = None,
        *,
        X_source: ArrayLike | tuple[ArrayLike],
        y_source: TargetLike | tuple[TargetLike] = None,
    ) -> Self:
        """Train on pairs of images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images of the target domain, flat, pixels in [0, 1].
        y : array-like of shape (n_samples,) or None
            Labels of the rows of X.
        X_source : array-like of shape (n_source, n_source_features)
            Images of the source domain, flat, pixels in [0, 1], or a tuple of one, ``(S,)``.
            scikit-learn's tools slice an array of as many rows as X; the entry of a tuple is never
            sliced. Earlier steps of a Pipeline do not transform it: set
            ``transform_input=["X_source"]`` where they should.
        y_source : array-like of shape (n_source,) or None
            Labels of the rows of X_source, or a tuple of one. Without y and y_source, row i of
            X_source is paired with row i of X.

        Returns
        -------
        self
            The fitted map.

        Raises
        ------
        ValueError
            If pixels are not in [0, 1], labels are given for one domain only, the source domain
            lacks a label, lengths differ, or the training diverges. The estimator then
            keeps its previous state.
        TypeError
            If ``lr_schedule`` does not return a scheduler.
        ImportError
            If torch is missing.
        """
        import_torch(type(self).__name__)
        target = _check_pixels("X", validate_data(self, X, dtype=np.float32))
        X_source = entry_of_single("X_source", X_source)
        y_source = entry_of_single("y_source", y_source)
        source = check_array(X_source, dtype=np.float32, input_name="X_source")
        source = _check_pixels("X_source", source, hint=_PIPELINE_HINT)
        pairs = read_pairs(len(target), len(source), y, y_source)
        random_state = check_random_state(self.random_state)
        config = self._training_config(random_state)
        self.network_ = self._new_network(target.shape[1], source.shape[1], config.generator)
        self._n_features_out = source.shape[1]
        partners = self._partners(pairs, random_state)
        from sklearn_distill.mappings._vae import train

        self.loss_curve_ = train(self.network_, target, source, partners, self._epochs(), config)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return φ(x), the image of the source domain that decoder 1 gives for z = μ(x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images of the target domain.

        Returns
        -------
        ndarray of shape (n_samples, n_source_features)
            Images of the source domain, pixels in (0, 1).
        """
        return self._means("to_source", X)

    def reconstruct(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the image of the target domain that decoder 2 gives for z = μ(x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images of the target domain.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Images of the target domain, pixels in (0, 1).
        """
        return self._means("to_target", X)

    def sample(
        self, X: ArrayLike, n_draws: int = 1, random_state: int | RandomState | None = None
    ) -> NDArray[np.float32]:
        """Return several images of the source domain for each row: z is drawn from q(z|x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Images of the target domain.
        n_draws : int, default=1
            Images for each row.
        random_state : int, RandomState or None, default=None
            Seed or generator of the draws of z.

        Returns
        -------
        ndarray of shape (n_samples, n_draws, n_source_features)
            Images of the source domain, pixels in (0, 1).
        """
        check_scalar(n_draws, "n_draws", Integral, min_val=1)
        X = self._read(X)
        from sklearn_distill.mappings._vae import decode_draws

        generator = _generator(check_random_state(random_state))
        return decode_draws(self.network_, X, n_draws, generator, resolve_device(self.device))

    def _means(self, decoder: str, X: Any) -> NDArray[np.float32]:
        X = self._read(X)
        from sklearn_distill.mappings._vae import decode_means

        return decode_means(self.network_, decoder, X, resolve_device(self.device))

    def _read(self, X: Any) -> NDArray[np.float32]:
        check_is_fitted(self)
        return _check_pixels("X", validate_data(self, X, dtype=np.float32, reset=False))

    def _training_config(self, random_state: RandomState) -> TrainingConfig:
        from sklearn_distill.mappings._vae import TrainingConfig

        return TrainingConfig(
            lr=self.lr,
            lr_schedule=self.lr_schedule,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            kl_weight=self.kl_weight,
            device=resolve_device(self.device),
            generator=_generator(random_state),
        )

    def _new_network(self, n_target: int, n_source: int, generator: Generator) -> TwoDecoderNetwork:
        from sklearn_distill.mappings._vae import TwoDecoderNetwork

        return TwoDecoderNetwork(n_target, n_source, self.hidden_size, self.n_components, generator)

    def _partners(self, pairs: Pairs, random_state: RandomState) -> Callable[[], NDArray[np.intp]]:
        """Return the function that gives the source row of each target row, once per epoch."""
        if self.pairing == "epoch":
            return lambda: pairs.draw(random_state)
        drawn = pairs.draw(random_state)
        return lambda: drawn

    def _epochs(self) -> Iterable[int]:
        bar: Iterable[int] = tqdm(
            range(self.max_epochs), "TwoDecoderVAE", unit="epoch", disable=not self.verbose
        )
        return bar

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _generator(random_state: RandomState) -> Generator:
    """Return a torch generator seeded by a random state."""
    seed = draw_seed(random_state)
    generator: Generator = import_torch("TwoDecoderVAE").Generator()
    return generator.manual_seed(seed)


def _check_pixels(name: str, X: NDArray[Any], hint: str = "") -> NDArray[np.float32]:
    low, high = X.min(), X.max()
    if low < 0 or high > 1:
        raise ValueError(
            f"{name} has pixels from {low:g} to {high:g}, and the pixels of TwoDecoderVAE are "
            f"probabilities: scale them to [0, 1], as by dividing by 255{hint}"
        )
    return np.asarray(X)
