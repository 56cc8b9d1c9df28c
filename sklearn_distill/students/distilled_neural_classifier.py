"""A network that learns classes from labels and from a teacher's probabilities."""

from __future__ import annotations

from numbers import Real
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.fitting import (
    HasMethods,
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.labels import check_classes, check_labels
from sklearn_distill._validation.teacher import check_embedding
from sklearn_distill.losses.regularizers import REGULARIZER_NAMES
from sklearn_distill.students._neural import NeuralStudent, RegressionData, about_validation
from sklearn_distill.students._neural_stream import check_nothing_beside, is_dataset, stream_of
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.targets import TargetMixture


class DistilledNeuralClassifier(ClassifierMixin, NeuralStudent):
    r"""A neural network taught by labels and by a teacher.

    Minimises, by mini-batches and over the weights of a network with scores z(x),

    .. math::

        \frac1n \sum_i s_i \big\{ (1-λ_i)\,CE(y_i, \mathrm{softmax}\,z_i)
        + λ_i\,τ\,[CE(q_i, \mathrm{softmax}(z_i/T')) + r(z_i/T')]
        + μ\,\|A h_i + a - e_i\|^2 \big\},

    where q is the teacher's answer softened by T, :math:`λ_i` is λ if label and teacher speak, 0 if
    the teacher is silent, 1 if the label is missing, and the weights s have mean 1. The last term
    draws the student's last hidden representation h, through a linear map that is learned with it,
    to the teacher's embedding e. The network is trained by a skorch net, which ``net_`` holds.

    Parameters
    ----------
    module : torch.nn.Module, its class or None, default=None
        The network, from features (n, d) or images (n, C, H, W) to one logit for each class; for
        two classes also to a single one, the log-odds of the second. A class is built with
        ``module__x`` and, where it takes them, ``n_features`` and ``n_outputs``; an instance is
        copied with its weights. None is :class:`sklearn_distill.nets.MLP`.
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Widths of the hidden layers of the default network; empty makes a linear model.
    imitation : float, default=0.5
        λ in [0, 1], the teacher's share.
    temperature : float, default=1.0
        T > 0, by which logits are divided in the teacher's term; predictions are made at 1.
    soften_student : bool, default=True
        Whether the student's logits are divided by T too (T' = T), or only the teacher's (T' = 1).
    t_squared : bool, default=False
        Whether the teacher's term is multiplied by τ = T². Needs ``soften_student=True``.
    regularizer : {None, "grabovoy", "continuous_categorical"}, default=None
        r, as in :class:`DistilledLogisticRegression`.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, for both terms.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, where y does not show them all.
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
        Whether to watch the label cross-entropy of held-out rows (X_val, or a part of X), stop
        when it falls no more and return to the weights of its minimum.
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
    metaparameter_optimizer : object or None, default=None
        Moves λ and T while the weights are trained, by the loss of held-out labels (X_val, or
        ``validation_fraction`` of X): :class:`~sklearn_distill.GreedyHypergradient` or
        :class:`~sklearn_distill.LinearTrajectory`.
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
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    net_ : skorch.NeuralNet
        The net with the trained network, ``net_.module_``.
    history_ : DataFrame
        Losses, learning rates and seconds of each epoch.
    imitation_, temperature_ : float
        λ and T at the end of a training that moved them.
    metaparameter_history_ : DataFrame
        λ and T after each step of a training that moved them, and whether the step was
        "computed" by a hypergradient, "predicted" or "held".
    n_taught_rows_ : int
        Rows for which a teacher spoke; not known of a Dataset.
    n_features_in_ : int
        Number of features, of images that of channels.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has string names.

    References
    ----------
    Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network"; Lopez-Paz et
    al. 2016, "Unifying distillation and privileged information", eq. (6); Grabovoy and Strijov
    2022, "Probabilistic interpretation of the distillation problem", eq. (17).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher_proba = RandomForestClassifier(random_state=0).fit(X, y).predict_proba(X)
    >>> student = DistilledNeuralClassifier(temperature=2.0, lr=0.01, random_state=0)
    >>> student.fit(X, y, teacher_proba=teacher_proba).predict(X[[0, 50]])
    array([0, 1])
    """

    classes_: NDArray[Any]

    # sliced by row with X without any set_fit_request
    __metadata_request__fit: ClassVar = {
        "teacher_proba": True,
        "teacher_logits": True,
        "teacher_embedding": True,
    }
    __metadata_request__partial_fit: ClassVar = __metadata_request__fit

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NeuralStudent._parameter_constraints,
        "temperature": [Interval(Real, 1e-100, 1e100, closed="both")],  # T² is finite
        "soften_student": ["boolean"],
        "t_squared": ["boolean"],
        "regularizer": [StrOptions(set(REGULARIZER_NAMES)), None],
        "metaparameter_optimizer": [HasMethods("start"), None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "classes": ["array-like", None],
    }

    def __init__(
        self,
        module: Any = None,
        *,
        hidden_layer_sizes: Any = (64,),
        imitation: float = 0.5,
        temperature: float = 1.0,
        soften_student: bool = True,
        t_squared: bool = False,
        regularizer: str | None = None,
        class_weight: dict[Any, float] | str | None = None,
        classes: Any = None,
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
        metaparameter_optimizer: Any = None,
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
        self.temperature = temperature
        self.soften_student = soften_student
        self.t_squared = t_squared
        self.regularizer = regularizer
        self.class_weight = class_weight
        self.classes = classes
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
        self.metaparameter_optimizer = metaparameter_optimizer
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
        teacher_proba: Any = None,
        teacher_logits: Any = None,
        teacher_embedding: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Train the student.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Features. Or, for data larger than memory, a torch Dataset whose items are (x, y,
            teacher's probabilities) or (x, y, teacher's probabilities, weight), with None for
            what is missing; ``classes`` must then be given, weights count as they are, and
            ``iterator_train__x`` are arguments of torch's DataLoader.
        y : array-like of shape (n_samples,) or None
            Labels. NaN, None and pd.NA are missing labels, which a teacher must answer for; None
            instead of an array means that all are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows, for all terms.
        teacher_proba : array-like or DataFrame or None
            The teacher's probabilities: (n_samples, n_classes) in the order of ``classes_``, a
            DataFrame whose column names are the labels, (n_samples,) for the second of two
            classes, or (n_samples, n_teachers, n_classes). A row of NaN is a silent teacher.
        teacher_logits : array-like or DataFrame or None
            Logits instead of probabilities; -inf is a probability of exactly zero.
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
            If a teacher's output does not fit to X and the classes or is no distribution (the
            message names the first such row), a row has neither label nor teacher, the module
            does not give one score a class, parameters contradict each other, or the training
            diverged: its loss or weights are not finite. The estimator is then as it was before.
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
                teacher_proba=teacher_proba,
                teacher_logits=teacher_logits,
                teacher_embedding=teacher_embedding,
            )
            return self._fit_dataset(X, X_val, y_val)
        before, known = self._earlier(), np.asarray(getattr(self, "classes_", ()))
        X = self._read_features(X, y, teacher_proba, teacher_logits, reset=before is None)
        lesson = self._read_lesson(
            X, y, sample_weight, teacher_proba, teacher_logits, teacher_embedding, self.classes
        )
        if before is not None:
            _check_same_classes(self.classes_, known)
        return self._train(X, lesson, self._read_validation(X_val, y_val), before=before)

    @all_or_nothing
    @validated_parameters
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        classes: Any = None,
        sample_weight: Any = None,
        *,
        teacher_proba: Any = None,
        teacher_logits: Any = None,
        teacher_embedding: Any = None,
    ) -> Self:
        """Make one pass over these rows, going on from the present weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Features.
        y : array-like of shape (n_samples,) or None
            Labels, some or all of them missing.
        classes : array-like of shape (n_classes,) or None
            All classes, for the first call; None takes the constructor's, or those of y.
        sample_weight : array-like of shape (n_samples,) or None
            Weights of the rows.
        teacher_proba, teacher_logits, teacher_embedding : array-like, DataFrame or None
            As in :meth:`fit`.

        Returns
        -------
        self
            The estimator.

        Raises
        ------
        ValueError
            As in :meth:`fit`, or if ``classes`` are not those of the first call.
        """
        self._check_ready()
        before = getattr(self, "_trained", None)
        X = self._read_features(X, y, teacher_proba, teacher_logits, reset=before is None)
        classes = self._classes_so_far(classes)
        lesson = self._read_lesson(
            X, y, sample_weight, teacher_proba, teacher_logits, teacher_embedding, classes
        )
        return self._train(X, lesson, before=before, n_epochs=1)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probabilities softmax(z) at temperature 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``.
        """
        z = self._scores(X)
        if self._is_one_logit(z):
            return np.stack([expit(-z.ravel()), expit(z.ravel())], axis=1)
        return np.asarray(softmax(z, axis=1))

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithms of the probabilities, without rounding them first.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of ``classes_``; ``teacher_logits`` for a next student.
        """
        z = self._scores(X)
        if self._is_one_logit(z):
            return np.stack([log_expit(-z.ravel()), log_expit(z.ravel())], axis=1)
        return np.asarray(log_softmax(z, axis=1))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, channels, height, width)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        codes = self.predict_log_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[codes])

    def _fit_dataset(self, dataset: Any, X_val: Any, y_val: Any) -> Self:
        """Train on a Dataset of (x, y, teacher's probabilities)."""
        from sklearn_distill.students._neural_class_targets import BatchTable, streaming_targets

        classes = check_classes(self.classes)
        if self.metaparameter_optimizer is not None:
            raise ValueError("X is a Dataset: metaparameter_optimizer needs X as an array")
        if classes is None or self.class_weight is not None or self.embedding_weight > 0:
            raise ValueError(
                "X is a Dataset, of which fit sees a mini-batch at a time: say classes=[...], and "
                "leave out class_weight (weigh the items) and embedding_weight"
            )
        if self._earlier() is not None:
            _check_same_classes(classes, self.classes_)
        self.classes_, setting, options = (
            classes,
            LossParams.of(self),
            self._prefixed("iterator_train"),
        )
        table = BatchTable(classes, setting)
        stream = stream_of(dataset, table, len(classes), self.precision, options)
        self._set_shape(stream.features)
        held_out = self._read_validation(X_val, y_val)
        return self._train_on_stream(stream, streaming_targets(len(classes), setting), held_out)

    def _read_features(
        self, X: Any, y: Any, teacher_proba: Any, teacher_logits: Any, *, reset: bool
    ) -> NDArray[Any]:
        if teacher_proba is None and teacher_logits is None:
            # without a teacher scikit-learn's own errors stand, that of a missing label among them
            return self._read_array(X, y, reset=reset)
        return self._read_array(X, reset=reset)

    def _read_lesson(
        self,
        X: NDArray[Any],
        y: Any,
        sample_weight: Any,
        teacher_proba: Any,
        teacher_logits: Any,
        teacher_embedding: Any,
        classes: Any,
    ) -> NeuralTargets:
        """Return losses and tables; set ``classes_`` and ``n_taught_rows_``."""
        from sklearn_distill.students._neural_class_targets import static_targets, tunable_targets

        lesson = TrainingTargets.read(
            self, len(X), y, sample_weight, teacher_proba, teacher_logits, classes
        ).with_mean_weight_one()
        self.classes_, self.n_taught_rows_ = lesson.classes, lesson.n_taught_rows
        embedding = check_embedding(teacher_embedding, len(X), self.embedding_weight)
        if self.metaparameter_optimizer is not None:
            self._check_movable(lesson)
            return tunable_targets(lesson, LossParams.of(self))
        neural = static_targets(lesson, LossParams.of(self))
        return neural.with_embedding(embedding, self.embedding_weight, lesson.weight)

    def _check_movable(self, lesson: TrainingTargets) -> None:
        """Require a teacher, and options with which a training's step has an exact derivative."""
        if lesson.teachers is None:
            raise ValueError(
                "metaparameter_optimizer moves the weight and the temperature of a teacher, and "
                "neither teacher_proba nor teacher_logits is given; give one, or leave it out"
            )
        known = {
            "gradient_clip": self.gradient_clip is None,
            "embedding_weight": self.embedding_weight == 0,
            "accelerator": self.accelerator is None,
            "precision": self.precision in {"float32", "float64"},
        }
        for name, fits in known.items():
            if not fits:
                raise ValueError(
                    f"metaparameter_optimizer with {name}={getattr(self, name)!r}: hypergradients "
                    "are not known with it; leave one of the two out"
                )

    @property
    def metaparameter_history_(self) -> pd.DataFrame:
        """Values of λ and T after each step of the training, and where they came from."""
        check_is_fitted(self)
        if self.metaparameter_optimizer is None:
            raise AttributeError("metaparameter_history_ needs a metaparameter_optimizer in fit")
        return pd.DataFrame(self.net_.schedule_history_).set_index("step")

    @property
    def imitation_(self) -> float:
        """Imitation λ at the end of the training."""
        return float(self.metaparameter_history_["imitation"].iloc[-1])

    @property
    def temperature_(self) -> float:
        """Temperature T at the end of the training."""
        return float(self.metaparameter_history_["temperature"].iloc[-1])

    def _read_validation(self, X_val: Any, y_val: Any) -> RegressionData | None:
        """Return held-out rows and their table."""
        X_val = self._read_held_out(X_val, y_val)
        if X_val is None:
            return None
        with about_validation():
            _, labels = check_labels(y_val, len(X_val), self.classes_, None)
        if not labels.present.all():
            raise ValueError(
                f"row {int(np.argmin(labels.present))} of y_val has no label: the validation loss "
                "needs one for each row"
            )
        from sklearn_distill.nets.losses import target_table

        alone = TargetMixture(labels, None, np.ones(len(X_val)), imitation=0.0)
        return X_val, target_table(alone.targets())

    def _classes_so_far(self, classes: Any) -> Any:
        """Return the classes of the first call, which later ones may repeat."""
        known = getattr(self, "classes_", None)
        if known is None:
            return self.classes if classes is None else np.unique(classes)
        if classes is not None and not np.array_equal(np.unique(classes), known):
            raise ValueError(
                f"classes={np.unique(classes).tolist()} are not those of the first call to "
                f"partial_fit, {known.tolist()}: leave them out, or fit anew"
            )
        return known

    def _is_one_logit(self, z: FloatArray) -> bool:
        return z.ndim == 1 or z.shape[1] == 1

    def _n_classes(self) -> int:
        return len(self.classes_)


def _check_same_classes(classes: NDArray[Any], known: NDArray[Any]) -> None:
    if not np.array_equal(classes, known):
        raise ValueError(
            f"warm_start=True with the classes {classes.tolist()}, where the network knows "
            f"{known.tolist()}: set warm_start=False, or name all in classes"
        )
