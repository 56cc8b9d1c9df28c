"""A network that learns numbers from labels and from a teacher's predictions."""

from __future__ import annotations

from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin, clone

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.fitting import all_or_nothing, validated_parameters
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.targets import (
    OutputColumns,
    check_regression_outputs,
    check_regression_target_available,
    check_regression_targets,
)
from sklearn_distill._validation.teacher import check_embedding
from sklearn_distill.students._neural import NeuralStudent, RegressionData
from sklearn_distill.students._neural_stream import (
    check_nothing_beside,
    first_item,
    is_dataset,
    stream_of,
)
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.targets import mean_one


class DistilledNeuralRegressor(MultiOutputMixin, RegressorMixin, NeuralStudent):
    r"""A neural network for regression, taught by labels and by a teacher's predictions.

    Minimises, by mini-batches and over the weights of a network with outputs z(x),

    .. math::

        \frac1n \sum_i s_i \big\{ \tfrac1m \|z_i - (1-λ_i)\,y_i - λ_i\,t_i\|^2
        + μ\,\|A h_i + a - e_i\|^2 \big\},

    where t is the teacher's prediction of the m outputs, :math:`λ_i` is λ if label and teacher
    speak, 0 if the teacher is silent, 1 if the label is missing, and the weights s have mean 1. Up
    to a constant this is the sum of both squared errors with the weights 1 − λ and λ. The last
    term is that of :class:`DistilledNeuralClassifier`.

    Labels should have a size of about 1: scale them, as with
    :class:`~sklearn.compose.TransformedTargetRegressor`.

    Parameters
    ----------
    module : torch.nn.Module, its class or None, default=None
        The network, from features (n, d) or images (n, C, H, W) to one number for each output.
        A class is built with ``module__x`` and, where it takes them, ``n_features`` and
        ``n_outputs``; an instance is copied with its weights. None is
        :class:`sklearn_distill.nets.MLP`.
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Widths of the hidden layers of the default network; empty makes a linear model.
    imitation : float, default=0.5
        λ in [0, 1], the teacher's share.
    embedding_weight : float, default=0.0
        μ ≥ 0, how much ``teacher_embedding`` counts.
    optimizer : {"adam", "adamw", "sgd"} or class, default="adam"
        A class of torch.optim; ``optimizer__x`` are its arguments.
    lr : float, default=1e-3
        Learning rate.
    batch_size : int, default=128
        Rows of a mini-batch. With batch normalisation in the network, a last row that would be
        alone joins the mini-batch before it.
    max_epochs : int, default=20
        Passes over the rows, at most.
    early_stopping : bool, default=False
        Whether to watch the squared error of held-out rows (X_val, or a part of X), stop when it
        falls no more and return to the weights of its minimum.
    validation_fraction : float, default=0.1
        Share of the labelled rows that early stopping sets aside without X_val.
    n_iter_no_change : int, default=10
        Epochs without a lower validation loss after which early stopping stops.
    tol : float, default=0.0
        A validation loss is lower if it is so by more than this.
    lr_schedule : {"cosine"}, callable or None, default=None
        Learning rates by epoch: "cosine" falls to 0 at ``max_epochs``; a callable makes a scheduler
        of torch.optim.lr_scheduler from the optimiser; ReduceLROnPlateau watches the
        validation loss, or where no rows are held out the training loss.
    gradient_clip : float or None, default=None
        Largest Euclidean norm of a mini-batch's gradient.
    augmentation : callable or None, default=None
        ``augmentation(features, generator)`` → features, for each mini-batch of training, as those
        of :mod:`sklearn_distill.augmentation`. The teacher's answers stay with their rows.
    callbacks : list of skorch callbacks or None, default=None
        Further callbacks; they are copied.
    warm_start : bool, default=False
        Whether a repeated fit goes on with the present network and optimiser.
    checkpoint : str, path-like or None, default=None
        A file that holds the state of the training after each epoch. A fit with the same data and
        parameters that finds it goes on where an interrupted one left off; a finished fit removes
        it.
    precision : {"float32", "float64", "bfloat16", "float16"}, default="float32"
        Numbers of the computation; "bfloat16" and "float16" mix them with float32, for a GPU.
    compile : bool, default=False
        Whether torch.compile makes the network faster; on a CPU it seldom does.
    device : str or torch.device, default="auto"
        "auto" is cuda, mps or cpu, the first that is there. Tested on the CPU.
    accelerator : accelerate.Accelerator or None, default=None
        Shares out the mini-batches among its GPUs or machines, and decides on device and precision
        of the training. Tested with one process on the CPU.
    random_state : int, RandomState or None, default=None
        Initial weights, dropout, order of the rows, augmentation and validation rows.
    verbose : int, default=0
        Above 0, show a progress bar over the epochs.
    **skorch_params : dict
        ``module__x``, ``optimizer__x`` and, where X is a Dataset, ``iterator_train__x``: arguments
        of the module's class, the optimiser's and torch's DataLoader.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The net with the trained network, ``net_.module_``.
    history_ : DataFrame
        Losses, learning rates and seconds of each epoch.
    n_taught_rows_ : int
        Rows for which the teacher spoke; not known of a Dataset.
    n_features_in_ : int
        Number of features, of images that of channels.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    References
    ----------
    Lopez-Paz et al. 2016, "Unifying distillation and privileged information", eq. (6); Bayazitov
    2022, "Distillation on multi-domain data".

    Examples
    --------
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> teacher_prediction = np.sin(2 * X[:, 0])  # no labels at all
    >>> student = DistilledNeuralRegressor(lr=0.01, max_epochs=500, random_state=0)
    >>> student.fit(X, teacher_prediction=teacher_prediction).predict([[0.5]]).round(1)
    array([0.8])
    """

    _flat: bool  # whether targets come one-dimensional
    _n_outputs: int

    # sliced by row with X without any set_fit_request
    __metadata_request__fit: ClassVar = {"teacher_prediction": True, "teacher_embedding": True}
    __metadata_request__partial_fit: ClassVar = __metadata_request__fit

    def __init__(
        self,
        module: Any = None,
        *,
        hidden_layer_sizes: Any = (64,),
        imitation: float = 0.5,
        embedding_weight: float = 0.0,
        optimizer: Any = "adam",
        lr: float = 1e-3,
        batch_size: int = 128,
        max_epochs: int = 20,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 0.0,
        lr_schedule: Any = None,
        gradient_clip: float | None = None,
        augmentation: Any = None,
        callbacks: Any = None,
        warm_start: bool = False,
        checkpoint: str | PathLike[str] | None = None,
        precision: str = "float32",
        compile: bool = False,
        device: Any = "auto",
        accelerator: Any = None,
        random_state: Any = None,
        verbose: int = 0,
        **skorch_params: Any,
    ) -> None:
        self.module = module
        self.hidden_layer_sizes = hidden_layer_sizes
        self.imitation = imitation
        self.embedding_weight = embedding_weight
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.lr_schedule = lr_schedule
        self.gradient_clip = gradient_clip
        self.augmentation = augmentation
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.precision = precision
        self.compile = compile
        self.device = device
        self.accelerator = accelerator
        self.random_state = random_state
        self.verbose = verbose
        self._set_skorch_params(skorch_params)

    @all_or_nothing
    @validated_parameters
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        teacher_prediction: Any = None,
        teacher_embedding: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Train the student.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Features. Or, for data larger than memory, a torch Dataset whose items are (x, y,
            teacher's prediction) or (x, y, teacher's prediction, weight), with None for what is
            missing; weights count as they are, and ``iterator_train__x`` are arguments of torch's
            DataLoader.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels. A row of NaN is a missing label, which the teacher must answer for; None
            instead of an array means that all are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows.
        teacher_prediction : array-like of the shape of y, or None
            The teacher's predictions. A row of NaN is a silent teacher.
        teacher_embedding : array-like of shape (n_samples, n_dimensions) or None
            A hidden representation of the teacher; a row of NaN has none. Needs
            ``embedding_weight``.
        X_val, y_val : array-like or None
            Labelled rows for the validation loss. They are not sliced in a cross-validation.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If lengths or outputs differ, a row is NaN in some outputs but not in all or has
            neither label nor prediction (the message names the first such row), the module does
            not give one number an output, or the training diverged: its loss or weights are not
            finite. The estimator is then as it was before.
        ImportError
            If torch or skorch is missing.
        OSError
            If ``checkpoint`` cannot be written, as on a full disk; the last good file stays.

        Warns
        -----
        ConvergenceWarning
            If the training diverged, and early stopping kept the weights of a better epoch.
        """
        self._check_ready()
        if is_dataset(X):
            check_nothing_beside(
                y=y,
                sample_weight=sample_weight,
                teacher_prediction=teacher_prediction,
                teacher_embedding=teacher_embedding,
            )
            return self._fit_dataset(X, X_val, y_val)
        before = self._earlier()
        X, lesson = self._read(
            X, y, sample_weight, teacher_prediction, teacher_embedding, reset=before is None
        )
        return self._train(X, lesson, self._read_validation(X_val, y_val, lesson), before=before)

    @all_or_nothing
    @validated_parameters
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        teacher_prediction: Any = None,
        teacher_embedding: Any = None,
    ) -> Self:
        """Make one pass over these rows, going on from the present weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels, NaN where missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows.
        teacher_prediction, teacher_embedding : array-like or None
            As in :meth:`fit`.

        Returns
        -------
        self
            The estimator.

        Raises
        ------
        ValueError
            As in :meth:`fit`, or if the number of outputs changed.
        """
        self._check_ready()
        before = getattr(self, "_trained", None)
        X, lesson = self._read(
            X, y, sample_weight, teacher_prediction, teacher_embedding, reset=before is None
        )
        return self._train(X, lesson, before=before, n_epochs=1)

    def predict(self, X: Any) -> FloatArray:
        """Predict.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        z = self._scores(X)
        return z.reshape(len(z)) if self._flat else z.reshape(len(z), -1)

    def _fit_dataset(self, dataset: Any, X_val: Any, y_val: Any) -> Self:
        """Train on a Dataset of (x, y, teacher's prediction)."""
        if self.embedding_weight > 0:
            raise ValueError("X is a Dataset, whose items bring no embedding: set it to 0")
        answers = [answer for answer in first_item(dataset)[1:3] if answer is not None]
        if not answers:
            raise ValueError("the Dataset's first item has neither a label nor a prediction")
        flat = np.ndim(answers[0]) == 0
        self._set_outputs(int(np.size(answers[0])), flat, reset=self._earlier() is None)
        reader = clone(self)
        reader._n_outputs = self._n_outputs
        stream = stream_of(
            dataset,
            reader._stream_table,
            self._n_outputs,
            self.precision,
            self._prefixed("iterator_train"),
        )
        self._set_shape(stream.features)
        nothing = np.full((0, self._n_outputs), np.nan)
        lesson = _lesson(nothing, None, np.ones(0), float(self.imitation))
        return self._train_on_stream(stream, lesson, self._read_validation(X_val, y_val, lesson))

    def _stream_table(self, y: NDArray[Any], says: FloatArray, weight: FloatArray) -> FloatArray:
        """Return the loss's table of a mini-batch."""
        silent = np.full(self._n_outputs, np.nan)
        rows = [silent if v is None else np.atleast_1d(v) for v in y]
        labels: OutputColumns = np.array(rows, dtype=np.float64)
        teacher = np.asarray(says.reshape(labels.shape), dtype=np.float64)
        check_regression_target_available(labels, teacher)
        return _lesson(labels, teacher, weight, float(self.imitation)).table

    def _read(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        teacher_prediction: Any,
        teacher_embedding: Any,
        *,
        reset: bool,
    ) -> tuple[NDArray[Any], NeuralTargets]:
        """Return features, losses and tables; set how outputs come and ``n_taught_rows_``."""
        X = self._read_features(X, y, teacher_prediction, reset=reset)
        labels, teacher, flat = check_regression_targets(y, teacher_prediction, len(X))
        self.n_taught_rows_ = 0 if teacher is None else int((~np.isnan(teacher[:, 0])).sum())
        weight = mean_one(check_sample_weight(sample_weight, len(X)))
        embedding = check_embedding(teacher_embedding, len(X), self.embedding_weight)
        lesson = _lesson(labels, teacher, weight, float(self.imitation))
        self._set_outputs(lesson.n_outputs, flat, reset=reset)
        return X, lesson.with_embedding(embedding, self.embedding_weight, weight)

    def _read_features(
        self, X: Any, y: Any, teacher_prediction: Any, *, reset: bool
    ) -> NDArray[Any]:
        if teacher_prediction is None:
            # without a teacher scikit-learn's own errors stand, that of a missing label among them
            return self._read_array(X, y, reset=reset, multi_output=True, y_numeric=True)
        return self._read_array(X, reset=reset)

    def _set_outputs(self, n_outputs: int, flat: bool, *, reset: bool) -> None:
        if not reset and n_outputs != self._n_outputs:
            raise ValueError(
                f"y or teacher_prediction has {n_outputs} outputs, the rows before had "
                f"{self._n_outputs}: give the same outputs, or fit anew without warm_start"
            )
        self._n_outputs, self._flat = n_outputs, flat

    def _read_validation(
        self, X_val: Any, y_val: Any, lesson: NeuralTargets
    ) -> RegressionData | None:
        """Return held-out rows and their table."""
        X_val = self._read_held_out(X_val, y_val)
        if X_val is None:
            return None
        labels, _ = check_regression_outputs("y_val", y_val, len(X_val))
        if labels is None or np.isnan(labels).any() or labels.shape[1] != lesson.n_outputs:
            raise ValueError(
                f"y_val must give a number for each row and each of {lesson.n_outputs} outputs: "
                "the validation loss needs them"
            )
        return X_val, np.column_stack([labels, np.ones(len(labels))])

    def _n_classes(self) -> None:
        return None


def _lesson(
    labels: OutputColumns | None,
    teacher: OutputColumns | None,
    weight: FloatArray,
    imitation: float,
) -> NeuralTargets:
    """Return the mixture m of label and prediction, and the labels alone."""
    from sklearn_distill.nets.losses import SquaredLoss

    given = next(target for target in (labels, teacher) if target is not None)
    y = np.full_like(given, np.nan) if labels is None else labels
    t = np.full_like(given, np.nan) if teacher is None else teacher
    labelled, taught = ~np.isnan(y[:, :1]), ~np.isnan(t[:, :1])
    share = np.where(labelled & taught, imitation, taught & ~labelled)
    y0, t0 = np.where(labelled, y, 0.0), np.where(taught, t, 0.0)
    return NeuralTargets(
        SquaredLoss(),
        np.column_stack([(1 - share) * y0 + share * t0, weight]),
        SquaredLoss(),
        np.column_stack([y0, weight]),
        labelled.ravel(),
        strata=None,
        n_outputs=given.shape[1],
    )
