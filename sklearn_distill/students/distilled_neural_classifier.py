"""Neural network classifier trained on labels and on a teacher's probabilities."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import FloatArray, TargetLike, TeacherLike
from sklearn_distill._validation.absent_rows import fill_absent
from sklearn_distill._validation.extra_sets import name_validation_set_in_errors
from sklearn_distill._validation.fitting import (
    HasMethods,
    Interval,
    StrOptions,
    all_or_nothing,
    validated_parameters,
)
from sklearn_distill._validation.label_matrix import check_label_matrix, is_label_matrix
from sklearn_distill._validation.labels import check_classes, check_labels, refuse_soft_labels
from sklearn_distill._validation.missing_teacher import check_teacher_used
from sklearn_distill._validation.numbers import list_values
from sklearn_distill._validation.partial_teacher import Partial
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.teacher import check_embedding
from sklearn_distill._validation.validation_rows import set_validation_rows_apart
from sklearn_distill.losses.regularizers import REGULARIZER_NAMES
from sklearn_distill.students._neural import HeldOut, NeuralStudent
from sklearn_distill.students._neural_inputs import (
    Features,
    NetworkInput,
    feature_collate,
    holds_features_alone,
    is_dataset,
    read_features,
)
from sklearn_distill.students._neural_stream import (
    check_no_other_data,
    make_stream,
    refuse_whole_items,
    without_losses,
)
from sklearn_distill.students._neural_targets import NeuralTargets, Triplets
from sklearn_distill.students._problem import LossParams, TrainingTargets, drop_absent
from sklearn_distill.targets import Labels, TargetMixture

if TYPE_CHECKING:
    import torch
    from sklearn.neural_network import MLPClassifier
    from torch.utils.data import Dataset

    from sklearn_distill.nets._live_teacher import LiveTeacher
    from sklearn_distill.nets._multilayer_perceptron import Layers
    from sklearn_distill.nets._predictions import ClassPredictions, LabelPredictions
    from sklearn_distill.students._neural_class_targets import BatchTable
    from sklearn_distill.students._neural_live import LivePredictions
    from sklearn_distill.students._neural_live_targets import LiveBatchTable
    from sklearn_distill.students._neural_training import Trained


class DistilledNeuralClassifier(ClassifierMixin, NeuralStudent):
    r"""Neural network classifier on labels and on a teacher's probabilities.

    Minimises, by mini-batches and over the weights of a network with scores z(x),

    .. math::

        \frac1n \sum_i s_i \big\{ (1-λ_i)\,CE(y_i, \mathrm{softmax}\,z_i)
        + λ_i\,τ\,[CE(q_i, \mathrm{softmax}(z_i/T')) + r(z_i/T')]
        + μ\,\|A h_i + a - e_i\|^2 \big\},

    where q is the teacher's prediction softened by T, and the weights s have mean 1.
    :math:`λ_i` is λ if both label and prediction are available, 0 if the prediction is missing, and
    1 if the label is missing. The last term is the squared distance between the teacher's embedding
    e and a linear map, trained with the network, of the student's last hidden representation h. The
    network is trained by a skorch net, the attribute ``net_``.

    With y of shape (n_samples, n_labels), each label has a logit :math:`z_l`, and the loss is the
    sum over the labels of that of two classes with the log-odds :math:`z_l`; λ, labels and
    predictions are those of each entry.

    Parameters
    ----------
    module : torch.nn.Module, its class or None, default=None
        The network, from features (n, d), images (n, C, H, W) or several inputs by name to one
        logit for each class; for two classes also to a single one, the log-odds of the second. A
        class is called with ``module__x`` and, if it has such parameters, ``n_features`` and
        ``n_outputs``; an instance is copied with its weights. None uses
        :class:`sklearn_distill.nets.MLP`.
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Widths of the hidden layers of the default network; empty makes a linear model. Must be
        left at the default with a ``module``.
    imitation : float or callable, default=0.5
        λ in [0, 1], the weight of the teacher in rows that have a label, too; or a function of the
        epoch, whose number begins with 1 as in ``history_``.
    temperature : float or callable, default=1.0
        T > 0, by which logits are divided in the teacher's term, or a function of the epoch;
        predictions are always made at temperature 1.
    soften_student : bool, default=True
        Whether the student's logits are divided by T too (T' = T), or only the teacher's (T' = 1).
    t_squared : bool, default=False
        Whether the teacher's term is multiplied by τ = T². Needs ``soften_student=True``.
    regularizer : {None, "grabovoy", "continuous_categorical"}, default=None
        r, as in :class:`DistilledLogisticRegression`.
    partial : {"rest", "spread"}, default="rest"
        What becomes of classes that ``teacher_proba`` leaves unknown in a row, as in
        :class:`DistilledLogisticRegression`.
    teacher : torch.nn.Module, callable, FrozenEstimator or None, default=None
        A live teacher, instead of ``teacher_proba``: a torch module, which predicts in evaluation
        mode on the student's device and does not change; a function from a tensor of features (a
        dict of them for inputs by name) to predictions; or a fitted estimator in
        :class:`~sklearn.frozen.FrozenEstimator`. With ``augmentation`` or a Dataset of (x, y) it
        predicts each mini-batch as the student sees it, else all rows once. Not for y of
        several labels. It returns logits or, if no number is negative and each row sums to 1,
        probabilities, in the order of ``classes_``; an estimator's columns are aligned by its
        classes.
    distillation_loss : callable or None, default=None
        Function that replaces the term τ[…] of the teacher: ``f(scores, teacher_logits, labels,
        weights)`` → a loss for each row, from tensors of the rows of a mini-batch that have a
        prediction: (n, n_classes) twice, class codes (n,) with -1 for a missing label, and s (n,).
        It gets ``temperature`` and ``imitation`` if it has such parameters; the losses are
        multiplied by λ_i and s. The logits of several teachers are those of their mean, softened.
    label_smoothing : float, default=0.0
        ε in [0, 1): the share of a label's weight that is divided among all classes in training.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in :class:`DistilledLogisticRegression`.
    classes : array-like of shape (n_classes,) or None, default=None
        All classes in ascending order, for y that does not contain them all. None uses the labels
        of y or, if it has fewer than two, the names of the teacher's columns.
    embedding_weight : float, default=0.0
        μ ≥ 0, the weight of the distance to ``teacher_embedding``.
    embedding_margin : float or None, default=None
        None for the squared distance. A margin δ > 0 replaces it by a triplet loss,
        :math:`\mathrm{mean}_j \max(0, δ + \|a_i - e_i\|^2 - \|a_i - e_j\|^2)` with
        :math:`a_i = A h_i + a` and the teacher's embeddings of the samples j of other classes in
        the mini-batch. Samples without a label are in no triplet.
    embedding_layer : str, dict or None, default=None
        Name of the layer (in ``module.named_modules()``) whose output h is mapped to
        ``teacher_embedding``, or a dict of several names with the number of columns of
        ``teacher_embedding`` that each approximates. Feature maps and sequences are averaged over
        their positions. None is the input of the last linear layer that the network calls.
    optimizer : {"adam", "adamw", "sgd"} or class, default="adam"
        Optimiser: a class of torch.optim or one of these names; ``optimizer__x`` are its arguments.
    lr : float or "auto", default="auto"
        Learning rate of the optimiser, positive. "auto" is 1e-3, or 5e-3 with
        ``max_epochs="auto"``, Adam and the default network.
    batch_size : int or "auto", default="auto"
        Number of rows in a mini-batch. If the network has batch normalisation, a last mini-batch
        of a single row is joined to the one before it. Not used with a ``batch_sampler``. "auto" is
        128, or with ``max_epochs="auto"`` at most an eighth of the rows and at least 16.
    collate_fn : callable or None, default=None
        Function from a list of samples to the network's input, arrays or tensors, or a mapping of
        them by name: for sequences of different lengths, texts or other samples that are no rows
        of one array. ``fit`` and the predictions call it for each mini-batch.
    max_epochs : int or "auto", default="auto"
        Maximum number of passes over the rows; 0 keeps the initial weights, with a
        ConvergenceWarning. "auto" makes half as many steps as there are rows, but 250 to 2,000
        and at least 20 passes, and chooses those of ``lr``, ``batch_size``, ``lr_schedule`` and
        ``early_stopping`` that are "auto" too. It is 20, and they are as with a number, for a
        Dataset and with ``metaparameter_optimizer``.
    early_stopping : bool or "auto", default="auto"
        Whether to monitor the label cross-entropy of held-out rows (X_val, or a part of X), stop
        when it no longer decreases and restore the weights of its minimum. If no row has a label,
        it is the cross-entropy with the teacher's predictions at T.
        "auto" is False, or with ``max_epochs="auto"`` True if there are X_val or 2,000 rows to
        choose from.
    validation_fraction : float, default=0.1
        Share of the labelled rows that early stopping holds out if there is no X_val; of all rows
        if none has a label.
    n_iter_no_change : int, default=10
        Number of epochs without a lower validation loss after which early stopping ends training.
    tol : float, default=0.0
        A validation loss is lower if it improves by more than ``tol``; likewise a higher score.
    scoring : str, callable or None, default=None
        A scikit-learn scorer, or a callable of (net, X, y), of the validation rows: the column
        ``valid_score`` of ``history_``, and what early stopping monitors. The net has ``predict``
        and, for classes, ``predict_proba`` and ``classes_``. None monitors the validation loss.
    lr_schedule : {"auto", "cosine"}, callable or None, default="auto"
        Learning rates of the epochs. "cosine" decreases to 0 at ``max_epochs``; "auto" is None, or
        with ``max_epochs="auto"`` the cosine; a callable returns
        a scheduler of torch.optim.lr_scheduler for the optimiser it is given. OneCycleLR, CyclicLR
        and what a callable of (optimizer, n_steps) returns, with the number of all steps, change it
        after each step instead. ReduceLROnPlateau monitors the validation loss or, if no rows are
        held out, the training loss.
    gradient_clip : float or None, default=None
        Maximum Euclidean norm of a mini-batch's gradient; None for no clipping.
    augmentation : callable or None, default=None
        ``augmentation(features, generator)`` or ``augmentation(features)`` → features, for each
        mini-batch of training, such as those of :mod:`sklearn_distill.augmentation`, whose
        description has the rule for the two signatures. The teacher's predictions are those of the
        original rows, unless ``teacher`` predicts the augmented ones. If it returns
        (features, permutation, weight), as mixup does, labels and predictions are mixed too: the
        loss of row i is w_i that of its own targets plus 1 - w_i that of row permutation[i]. The
        weight is a number or one for each row.
    metaparameter_optimizer : object or None, default=None
        Optimises λ and T while the weights are trained, on the loss of held-out labels (X_val, or
        ``validation_fraction`` of X): :class:`~sklearn_distill.GreedyHypergradient` or
        :class:`~sklearn_distill.LinearTrajectory`.
    callbacks : list of skorch callbacks or None, default=None
        Additional callbacks or pairs (name, callback), which are copied. Their parameters are
        ``callbacks__name__x``, where the name of a callback without one is that of its class;
        ``callbacks__name`` replaces a callback, None switches it off.
    warm_start : bool, default=False
        Whether a repeated fit continues with the network and optimiser of the previous one, whose
        ``module``, ``module__x`` and ``hidden_layer_sizes`` must be the same.
    checkpoint : str, path-like or None, default=None
        File for the state of the training after each epoch. A fit with the same data and
        parameters resumes an interrupted one from this file; a finished fit removes it. A file of
        other data or parameters is an error: functions are compared by their code and arguments, a
        Dataset by its length and 32 of its items. Clones, which searches, cross-validation and
        meta-estimators fit, have a file each: ``name.pt`` becomes ``name-<hash>.pt``.
    precision : {"float32", "float64", "bfloat16", "float16"}, default="float32"
        Precision of the computation; "bfloat16" and "float16" are mixed with float32, for a GPU.
    compile : bool, default=False
        Whether to compile the network with torch.compile, which is seldom faster on a CPU.
    device : str or torch.device, default="auto"
        Device of the network; "auto" is the first that is available of cuda, mps and cpu. Tested
        on the CPU.
    accelerator : accelerate.Accelerator or None, default=None
        Distributes each mini-batch over its processes, on several GPUs or machines, and determines
        device and precision of the training. Its ``gradient_accumulation_steps`` mini-batches make
        one step, that of their union. The student is that of one process. Tested on the CPU.
    random_state : int, RandomState or None, default=None
        Seed of the initial weights, dropout, order of the rows, augmentation and validation rows.
    verbose : int, default=0
        Above 0, show a progress bar over the epochs.
    **skorch_params : dict
        ``module__x``, ``optimizer__x`` and, if X is a Dataset, ``iterator_train__x``: arguments of
        the module's class, the optimiser and torch's DataLoader. ``iterator_train__collate_fn``
        makes the (x, y, teacher) or (x, y, teacher, weight) of a mini-batch from its items.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        Class labels, in ascending order; [0, 1] for each of several labels.
    net_ : skorch.NeuralNet
        The skorch net, with the trained network in ``net_.module_``.
    history_ : DataFrame
        Losses, λ, T, learning rates and durations in seconds of the epochs. ``label_loss`` and
        ``teacher_loss`` are the means of the label's cross-entropy and of KL(q, softmax(z/T')) + r
        during the epoch; not available for a Dataset whose items hold labels, several labels or
        ``metaparameter_optimizer``.
    imitation_, temperature_ : float
        λ and T at the end of a training with ``metaparameter_optimizer``.
    metaparameter_history_ : DataFrame
        λ and T after each step of a training with ``metaparameter_optimizer``, and whether the step
        was "computed" by a hypergradient, "predicted" or "held".
    n_taught_rows_ : int
        Number of rows with a teacher's prediction; not available for a Dataset.
    n_features_in_ : int
        Number of features seen during ``fit``; for images, the number of channels. Not available
        for several inputs and with a ``collate_fn``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

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

    classes_: Any
    _n_labels: int  # of a fit with several labels, else 0

    # requested by default: meta-estimators slice them by row with X, without set_fit_request
    __metadata_request__partial_fit: ClassVar = {
        "teacher_proba": True,
        "teacher_logits": True,
        "teacher_embedding": True,
        "teacher_weight": True,
    }
    __metadata_request__fit: ClassVar = {
        **__metadata_request__partial_fit,
        "X_val": True,
        "y_val": True,
    }

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NeuralStudent._parameter_constraints,
        # T² is finite
        "temperature": [Interval(Real, 1e-100, 1e100, closed="both"), callable],
        "soften_student": ["boolean"],
        "t_squared": ["boolean"],
        "regularizer": [StrOptions(set(REGULARIZER_NAMES)), None],
        "partial": [StrOptions({"rest", "spread"})],
        "embedding_margin": [Interval(Real, 0, None, closed="neither"), None],
        "metaparameter_optimizer": [HasMethods("start"), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "classes": ["array-like", None],
    }

    def __init__(
        self,
        module: Any = None,
        *,
        hidden_layer_sizes: Any = (64,),
        imitation: Any = 0.5,
        temperature: Any = 1.0,
        soften_student: bool = True,
        t_squared: bool = False,
        regularizer: str | None = None,
        partial: Partial = "rest",
        teacher: Any = None,
        distillation_loss: Any = None,
        label_smoothing: float = 0.0,
        class_weight: dict[Any, float] | str | None = None,
        classes: Any = None,
        embedding_weight: float = 0.0,
        embedding_margin: float | None = None,
        embedding_layer: str | dict[str, int] | None = None,
        optimizer: Any = "adam",
        lr: float | str = "auto",
        batch_size: int | str = "auto",
        collate_fn: Any = None,
        max_epochs: int | str = "auto",
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 0.0,
        scoring: Any = None,
        lr_schedule: Any = "auto",
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
        self.partial = partial
        self.teacher = teacher
        self.distillation_loss = distillation_loss
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.classes = classes
        self.embedding_weight = embedding_weight
        self.embedding_margin = embedding_margin
        self.embedding_layer = embedding_layer
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.collate_fn = collate_fn
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.scoring = scoring
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
        X: NetworkInput,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_proba: TeacherLike = None,
        teacher_logits: TeacherLike = None,
        teacher_embedding: TeacherLike = None,
        teacher_weight: ArrayLike | None = None,
        X_val: NetworkInput | tuple[NetworkInput] | None = None,
        y_val: TargetLike | tuple[TargetLike] = None,
        sample_weight_val: ArrayLike | tuple[ArrayLike] | None = None,
        validation_rows: ArrayLike | None = None,
    ) -> Self:
        """Train the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, dict, list or Dataset} of n_samples rows
            Features: an array (n_samples, n_features), images (n_samples, channels, height,
            width), a sparse matrix, of which mini-batches become dense, a mapping of arrays,
            which are keyword arguments of the module's ``forward``, or samples for ``collate_fn``.
            Integers stay integers if the module reads them, as an embedding does; the default
            network and linear layers read floats.

            For data larger than memory, a torch Dataset by number whose items are the features
            alone (skorch's SliceDataset), beside y and the teacher's predictions as arrays; or one
            whose items are (x, y, teacher's probabilities) or (x, y, teacher's probabilities,
            weight), with None for a missing value; (x, y) if the student has a ``teacher``. The
            latter needs the parameter ``classes``, and its weights are not scaled to mean 1.
            ``iterator_train__x`` are arguments of torch's DataLoader.
        y : array-like of shape (n_samples,) or (n_samples, n_labels), or None
            Labels. NaN, None and pd.NA are missing labels; these rows need a teacher's
            prediction. None instead of an array means that all labels are missing. Columns of 0,
            1 and NaN are several labels, of which each row needs one entry or prediction.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, for all terms. A row of weight 0 is left out, and its prediction is not
            checked.
        teacher_proba : array-like, DataFrame, sparse matrix or None
            The teacher's probabilities: (n_samples, n_classes) in the order of ``classes_``, a
            DataFrame whose column names are the labels, (n_samples,) for the second of two
            classes, or for the one that a Series is named after, or (n_samples, n_teachers,
            n_classes): the teachers are softened by T, then averaged (combine_teachers has
            weights). A row of NaN is a missing prediction, and NaN for some classes an unknown
            probability. A sparse matrix (n_samples, n_classes) is never made dense: what is not
            stored is unknown, a stored 0 is impossible, a row without an entry is missing.
            Of several labels, the probability of each, (n_samples, n_labels) or (n_samples,
            n_teachers, n_labels), any entry of which may be NaN; or a list of n_labels arrays
            (n_samples, 2).
        teacher_logits : array-like or DataFrame or None
            Logits instead of probabilities; -inf is a probability of exactly zero.
        teacher_embedding : array-like of shape (n_samples, n_dimensions) or None
            A hidden representation of the teacher; a row of NaN is missing. Needs
            ``embedding_weight``.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            How far the teacher is trusted in each row: weights w, finite and 0 or more. Beside a
            label the teacher has the share min(1, λ·w); without a label, the row's weight is
            multiplied by min(1, w). 0 is a missing prediction, and leaves out a row without a
            label. With a weight for each of several teachers, these are averaged with them, and w
            is their mean over the available predictions. Not for a
            Dataset.
        X_val, y_val, sample_weight_val : array-like or None
            Labelled rows, with their weights, for the validation loss, or tuples of one, ``(V,)``.
            A Pipeline transforms ``X_val`` with ``transform_input=["X_val"]`` only. scikit-learn's
            tools slice an array of as many rows as X; the entry of a tuple is never sliced.
        validation_rows : array-like of bool of shape (n_samples,) or None
            Rows of X that take the place of ``X_val`` and ``y_val``: they are validated on, and not
            trained on. A Pipeline transforms them with X, and scikit-learn's tools slice the array.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError
            If a teacher's output does not match X and the classes or is not a distribution (the
            message names the first such row), a row has neither a label nor a teacher's
            prediction, every prediction is missing at ``imitation=1``, the module does not return
            one score for each class or has other inputs than X, parameters contradict each other,
            or the training diverged: its loss or weights are not finite. The estimator is then
            unchanged.
        TypeError
            If ``teacher`` is an estimator that is not frozen, or cannot predict.
        ImportError
            If torch or skorch is missing.
        OSError
            If ``checkpoint`` cannot be written, as on a full disk; the last complete file remains.

        Warns
        -----
        ConvergenceWarning
            If the training diverged, and early stopping kept the weights of a better epoch.
        UserWarning
            If more than half of the values of a column of ``X_val`` are farther from the range of
            X's column than this range is wide (not for fewer than 20 rows).
        ImplausibleTeacherWarning
            If the teacher agrees with the labels no better than with its rows shuffled, better with
            its columns exchanged, or ``teacher_logits`` look like probabilities (see the guide on
            soft labels).
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0. The items of a Dataset are read in
            the training: there both warnings, and the error at ``imitation=1``, come at the end of
            the first epoch or after 5,000 of its predictions.
        """
        self._check_requirements()
        given = {"y": y, "teacher_proba": teacher_proba, "teacher_logits": teacher_logits}
        if is_dataset(X) and not holds_features_alone(X, **given):
            check_no_other_data(
                **given,
                sample_weight=sample_weight,
                teacher_embedding=teacher_embedding,
                teacher_weight=teacher_weight,
            )
            if validation_rows is not None:
                raise ValueError("validation_rows with a Dataset as X: pass X_val and y_val")
            return self._fit_dataset(X, X_val, y_val, sample_weight_val)
        if validation_rows is not None:
            # not that of a subclass, which called this one
            return DistilledNeuralClassifier.fit(
                self,
                **set_validation_rows_apart(
                    validation_rows,
                    X,
                    y,
                    sample_weight,
                    teacher_proba=teacher_proba,
                    teacher_logits=teacher_logits,
                    teacher_embedding=teacher_embedding,
                    teacher_weight=teacher_weight,
                    X_val=X_val,
                    y_val=y_val,
                    sample_weight_val=sample_weight_val,
                ),
            )
        previous = self._previous_training()
        previous_classes = np.asarray(getattr(self, "classes_", ()))
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
            teacher_embedding=teacher_embedding,
            teacher_weight=teacher_weight,
        )
        X = self._validate_features(
            X, y, sample_weight, teacher_proba, teacher_logits, reset=previous is None
        )
        predicted = self._predict_live_classes(X, y, teacher_proba, teacher_logits)
        teacher = teacher_proba, teacher_logits, teacher_embedding, teacher_weight
        X, targets = self._read_targets(
            X, y, sample_weight, *teacher, self.classes, previous, predicted
        )
        if previous is not None:
            _check_same_classes(self.classes_, previous_classes)
        held_out = self._read_held_out(X_val, y_val, sample_weight_val, targets)
        return self._train(X, targets, held_out, previous=previous)

    @all_or_nothing
    @validated_parameters
    def partial_fit(
        self,
        X: NetworkInput,
        y: TargetLike = None,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_proba: TeacherLike = None,
        teacher_logits: TeacherLike = None,
        teacher_embedding: TeacherLike = None,
        teacher_weight: ArrayLike | None = None,
    ) -> Self:
        """Continue training with one pass over these rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dict, list or Dataset} of n_samples rows
            Features as in :meth:`fit`, but no Dataset whose items hold labels or predictions.
        y : array-like of shape (n_samples,) or None
            Labels, some or all of them missing.
        classes : array-like of shape (n_classes,) or None
            All classes, for the first call; None uses the parameter ``classes``, or those of y.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, for all terms. A row of weight 0 is left out, and its prediction is not
            checked. If all are 0 from the second call on, nothing changes.
        teacher_proba, teacher_logits, teacher_embedding : array-like, DataFrame or None
            The teacher's outputs, as in :meth:`fit`.
        teacher_weight : array-like of shape (n_samples,) or (n_samples, n_teachers), or None
            Trust in the teacher in each row, as in :meth:`fit`.

        Returns
        -------
        self
            The estimator.

        Raises
        ------
        ValueError
            As in :meth:`fit`, or if ``classes`` are not those of the first call.

        Warns
        -----
        ImplausibleTeacherWarning
            If the teacher agrees with the labels no better than with its rows shuffled, better with
            its columns exchanged, or ``teacher_logits`` look like probabilities (see the guide on
            soft labels).
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0.
        """
        self._check_requirements()
        given = {"y": y, "teacher_proba": teacher_proba, "teacher_logits": teacher_logits}
        refuse_whole_items(X, **given)
        if self._adds_nothing(X, sample_weight):
            return self
        previous = getattr(self, "_trained", None)
        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
            teacher_embedding=teacher_embedding,
            teacher_weight=teacher_weight,
        )
        X = self._validate_features(
            X, y, sample_weight, teacher_proba, teacher_logits, reset=previous is None
        )
        classes = self._partial_fit_classes(classes)
        predicted = self._predict_live_classes(X, y, teacher_proba, teacher_logits)
        teacher = teacher_proba, teacher_logits, teacher_embedding, teacher_weight
        X, targets = self._read_targets(X, y, sample_weight, *teacher, classes, previous, predicted)
        return self._train(X, targets, previous=previous, n_epochs=1)

    def predict_proba(self, X: NetworkInput) -> FloatArray:
        """Return the probabilities softmax(z) at temperature 1.

        Parameters
        ----------
        X : {array-like, sparse matrix, dict, list or Dataset} of n_samples rows
            Features as in :meth:`fit`; of a Dataset's items that are tuples, the first elements.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Probabilities in the order of ``classes_``; of several labels, that of each.
        """
        z = self._predict_scores(X)
        return self._predictions().predict_proba(z)

    def predict_log_proba(self, X: NetworkInput) -> FloatArray:
        """Return the logarithms of the probabilities, without rounding them first.

        Parameters
        ----------
        X : {array-like, sparse matrix, dict, list or Dataset} of n_samples rows
            Features as in :meth:`fit`; of a Dataset's items that are tuples, the first elements.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Log-probabilities in the order of ``classes_``, which can be passed to another student
            as ``teacher_logits``; of several labels, that of each.
        """
        z = self._predict_scores(X)
        return self._predictions().predict_log_proba(z)

    def predict(self, X: NetworkInput) -> NDArray[Any]:
        """Return the most probable class of each row, or which labels it has.

        Parameters
        ----------
        X : {array-like, sparse matrix, dict, list or Dataset} of n_samples rows
            Features as in :meth:`fit`; of a Dataset's items that are tuples, the first elements.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels from ``classes_``; of several labels, 1 for those that a row has.
        """
        z = self._predict_scores(X)
        return self._predictions().predict(z)

    def to_torch(self, *, probabilities: bool = True) -> torch.nn.Module:
        """Return the trained network as a torch module.

        Parameters
        ----------
        probabilities : bool, default=True
            Whether its output is that of ``predict_proba``. False returns the network alone, whose
            output are logits and whose ``state_dict()`` is that of ``module``.

        Returns
        -------
        Module
            A copy on the CPU, in evaluation mode.
        """
        from sklearn_distill.nets._export import LabelProbabilities, plain_network

        if probabilities and self._n_labels:
            return LabelProbabilities(plain_network(self.net_.module_, None)).eval()
        return plain_network(self.net_.module_, len(self.classes_) if probabilities else None)

    def _perceptron(self, layers: Layers) -> MLPClassifier:
        from sklearn_distill.nets._multilayer_perceptron import (
            perceptron_of_classes,
            perceptron_of_labels,
        )

        if self._n_labels:
            return perceptron_of_labels(layers)
        return perceptron_of_classes(layers, self.classes_.copy())

    def _fit_dataset(
        self, dataset: Dataset[Any], X_val: Any, y_val: Any, sample_weight_val: Any
    ) -> Self:
        """Train on a Dataset of (x, y, teacher's probabilities)."""
        loader_params = self._params_for("iterator_train")
        dataset = without_losses(dataset, loader_params)
        self._refuse_moving("needs X as an array")
        classes = check_classes(self.classes)
        if self.metaparameter_optimizer is not None:
            raise ValueError("X is a Dataset: metaparameter_optimizer needs X as an array")
        if self.distillation_loss is not None:
            raise ValueError("X is a Dataset: distillation_loss needs X as an array")
        if classes is None or self.class_weight is not None or self.embedding_weight > 0:
            raise ValueError(
                "X is a Dataset, which fit reads one mini-batch at a time: pass classes=[...], and "
                "leave out class_weight (pass weights in the items) and embedding_weight"
            )
        if self._previous_training() is not None:
            _check_same_classes(classes, self.classes_)
        self.classes_, self._n_labels = classes, 0
        make_table, targets = self._streaming_targets()
        stream = make_stream(
            dataset,
            make_table,
            make_table.observer(),
            feature_collate(self, "the Dataset's x", reset=self._previous_training() is None),
            n_outputs=len(classes),
            loader_params=loader_params,
            without_teacher=self.teacher is not None,
        )
        self._set_stream_format(stream.features)
        predicted = self._predict_live(stream.features)
        held_out = self._read_held_out(X_val, y_val, sample_weight_val)
        targets = replace(
            targets,
            metaparameters=self._metaparameters(1),
            teacher=None if predicted is None else predicted.live(len(classes), classes),
        )
        return self._train_on_stream(stream, targets, held_out)

    def _streaming_targets(self) -> tuple[BatchTable | LiveBatchTable, NeuralTargets]:
        """Return what makes the table of a mini-batch of a Dataset, and the losses."""
        from sklearn_distill.students._neural_class_targets import BatchTable, streaming_targets
        from sklearn_distill.students._neural_live_targets import (
            LiveBatchTable,
            live_streaming_targets,
        )

        params, smoothing = LossParams.of(self), float(self.label_smoothing)
        if self.teacher is None:
            made = streaming_targets(len(self.classes_), params)
            return BatchTable(self.classes_, params, smoothing), made
        made = live_streaming_targets(len(self.classes_), params)
        return LiveBatchTable(self.classes_, params, smoothing), made

    def _validate_features(
        self,
        X: NetworkInput,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        *,
        reset: bool,
    ) -> Features:
        teachers = (self.teacher, teacher_proba, teacher_logits)
        if all(one is None for one in teachers) and not is_label_matrix(y):
            # without a teacher scikit-learn's own errors are raised, as for a missing label
            refuse_soft_labels(y)
            return read_features(self, X, fill_absent(y, sample_weight), reset=reset)
        return read_features(self, X, reset=reset)

    def _read_targets(
        self,
        X: Features,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        teacher_embedding: TeacherLike,
        teacher_weight: ArrayLike | None,
        classes: ArrayLike | None,
        previous: Trained | None,
        predicted: LivePredictions | None,
    ) -> tuple[Features, NeuralTargets]:
        """Check the arguments of ``fit``; set ``classes_`` and ``n_taught_rows_``.

        Features and targets are returned without the rows of weight 0.
        """
        if is_label_matrix(y):
            teacher = teacher_proba, teacher_logits, teacher_embedding, teacher_weight
            return self._read_multi_label(X, y, sample_weight, *teacher, previous)
        self._n_labels = 0
        if predicted is not None:
            teacher_proba, teacher_logits = predicted.class_params()
        with self._named_teacher():
            targets = TrainingTargets.read(
                self,
                len(X),
                y,
                sample_weight,
                teacher_proba,
                teacher_logits,
                classes,
                teacher_weight=teacher_weight,
            )
        weight = targets.sample_weight
        embedding = check_embedding(teacher_embedding, len(X), self.embedding_weight, weight == 0)
        embedding = None if embedding is None else embedding[weight > 0]
        X, targets = drop_absent(X, targets)
        # mean 1, as the scale of the weights would change the learning rate
        targets = targets.with_mean_weight_one()
        self.classes_, self.n_taught_rows_ = targets.classes, targets.n_taught_rows
        targets.warn_if_implausible(teacher_proba, None if predicted is None else "teacher")
        live = self._live_teacher(predicted, targets)
        if self.metaparameter_optimizer is not None:
            self._check_tunable(targets)
            return X, self._tunable_targets(targets, live)
        check_teacher_used(
            0.5 if callable(self.imitation) else self.imitation,
            self.n_taught_rows_,
            embedding=embedding,
            teacher_weight=teacher_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
        )
        if self.distillation_loss is not None:
            self._check_custom_loss()
        triplets = self._triplets(targets.labels)

        def at_epoch(epoch: int) -> NeuralTargets:
            neural_targets = self._targets_at(epoch, targets, live)
            return neural_targets.with_embedding(
                embedding, self.embedding_weight, targets.weight, triplets
            )

        first = at_epoch(self._first_epoch(previous))
        return X, replace(first, at_epoch=at_epoch) if self._moves() else first

    def _read_multi_label(
        self,
        X: Features,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        teacher_embedding: TeacherLike,
        teacher_weight: ArrayLike | None,
        previous: Trained | None,
    ) -> tuple[Features, NeuralTargets]:
        """Check the arguments of ``fit`` for several labels, as :meth:`_read_targets`."""
        from sklearn_distill.students._neural_multi_label import (
            MultiLabelTargets,
            multi_label_targets,
        )

        for name in ("classes", "metaparameter_optimizer", "embedding_margin"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} with y of several labels, for which it has no "
                    "meaning: leave it out"
                )
        targets, weight = MultiLabelTargets.read(
            y,
            len(X),
            sample_weight,
            teacher_proba,
            teacher_logits,
            teacher_weight,
            self.class_weight,
        )
        embedding = check_embedding(teacher_embedding, len(X), self.embedding_weight, weight == 0)
        if (weight == 0).any():
            X = X[weight > 0]
            embedding = None if embedding is None else embedding[weight > 0]
        self._n_labels, self.n_taught_rows_ = targets.n_labels, int(targets.taught.sum())
        self.classes_ = self._predictions().classes
        check_teacher_used(
            0.5 if callable(self.imitation) else self.imitation,
            self.n_taught_rows_,
            embedding=embedding,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
        )
        if self.distillation_loss is not None:
            self._check_custom_loss()

        def at_epoch(epoch: int) -> NeuralTargets:
            values = self._metaparameters(epoch)
            loss_params = LossParams.of(self, **values)
            made = multi_label_targets(
                targets, loss_params, self.distillation_loss, float(self.label_smoothing)
            )
            made = made.with_embedding(embedding, self.embedding_weight, targets.weight)
            return replace(made, metaparameters=values)

        first = at_epoch(self._first_epoch(previous))
        return X, replace(first, at_epoch=at_epoch) if self._moves() else first

    def _triplets(self, labels: Labels) -> Triplets | None:
        """Return what a triplet loss of embeddings needs; None for the squared distance."""
        if self.embedding_margin is None:
            return None
        if self.embedding_weight == 0:
            raise ValueError(
                f"embedding_margin={self.embedding_margin!r} has no effect with "
                "embedding_weight=0: set both, or leave embedding_margin=None"
            )
        return Triplets(self.embedding_margin, np.where(labels.present, labels.codes, -1))

    def _targets_at(
        self, epoch: int, targets: TrainingTargets, live: LiveTeacher | None
    ) -> NeuralTargets:
        """Return the targets at λ and T of an epoch."""
        from sklearn_distill.students._neural_class_targets import custom_targets, static_targets
        from sklearn_distill.students._neural_live_targets import live_targets, without_predictions

        values, smoothing = self._metaparameters(epoch), float(self.label_smoothing)
        loss_params = LossParams.of(self, **values)
        if self.distillation_loss is not None:
            made = custom_targets(targets, loss_params, self.distillation_loss, smoothing)
            made = made if live is None else without_predictions(made, first=True)
        else:
            make = static_targets if live is None else live_targets
            made = make(targets, loss_params, smoothing)
        return replace(made, metaparameters=values, teacher=live)

    def _tunable_targets(self, targets: TrainingTargets, live: LiveTeacher | None) -> NeuralTargets:
        """Return the targets of a training that changes λ and T after each step."""
        from sklearn_distill.students._neural_class_targets import tunable_targets
        from sklearn_distill.students._neural_live_targets import without_predictions

        made = tunable_targets(targets, LossParams.of(self))
        made = made if live is None else without_predictions(made, first=False)
        return replace(made, metaparameters=self._metaparameters(1), teacher=live)

    def _predict_live_classes(
        self, X: Features, y: TargetLike, teacher_proba: TeacherLike, teacher_logits: TeacherLike
    ) -> LivePredictions | None:
        """Return a live teacher's predictions of the rows of ``fit``; None without one."""
        if self.teacher is not None and is_label_matrix(y):
            raise ValueError(
                "the parameter teacher with y of several labels, whose probabilities cannot be "
                "told from logits: pass its predictions as teacher_proba or teacher_logits"
            )
        return self._predict_live(X, teacher_proba=teacher_proba, teacher_logits=teacher_logits)

    def _live_teacher(
        self, predicted: LivePredictions | None, targets: TrainingTargets
    ) -> LiveTeacher | None:
        """Return the teacher if it predicts each mini-batch, else None."""
        # at λ = 0 its predictions would not count
        labels_alone = targets.labels.present.all() and self.imitation == 0
        tuned = self.metaparameter_optimizer is not None
        if predicted is None or self.augmentation is None or (labels_alone and not tuned):
            return None
        return predicted.live(len(targets.classes), targets.classes)

    def _check_custom_loss(self) -> None:
        """Require the defaults of the parameters that only the built-in teacher's term reads."""
        defaults = {"soften_student": True, "t_squared": False, "regularizer": None}
        for name, default in defaults.items():
            if getattr(self, name) != default:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} has no effect on distillation_loss, which "
                    f"replaces the teacher's term: leave it at {default!r}"
                )

    def _check_tunable(self, targets: TrainingTargets) -> None:
        """Require a prediction, and parameters with which hypergradients are implemented."""
        if not targets.n_taught_rows:
            missing = "neither teacher_proba nor teacher_logits is given"
            raise ValueError(
                "metaparameter_optimizer optimises the weight and the temperature of a teacher, "
                f"but {missing if targets.teachers is None else 'every prediction is missing'}: "
                "pass one of them, or leave out metaparameter_optimizer"
            )
        # the net for hypergradients calls no gradient callbacks, which clip, and its loss has no
        # embedding term
        supported = {
            "gradient_clip": self.gradient_clip is None,
            "embedding_weight": self.embedding_weight == 0,
            "imitation": not callable(self.imitation),
            "temperature": not callable(self.temperature),
            "label_smoothing": self.label_smoothing == 0,
            "distillation_loss": self.distillation_loss is None,
            "accelerator": self.accelerator is None,
            "compile": not self.compile,  # its backward pass runs once a step only
            "precision": self.precision in {"float32", "float64"},
        }
        for name, is_supported in supported.items():
            if not is_supported:
                raise ValueError(
                    f"metaparameter_optimizer with {name}={getattr(self, name)!r}: hypergradients "
                    "do not support it; leave one of the two out"
                )

    @property
    def metaparameter_history_(self) -> pd.DataFrame:
        """Values of λ and T after each step of the training, and how they were obtained."""
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

    def _read_held_out(
        self,
        X_val: Any,
        y_val: Any,
        sample_weight_val: Any,
        targets: NeuralTargets | None = None,
    ) -> HeldOut | None:
        """Check the validation set; return its features, the table of the labels, and these."""
        validation_set = self._read_validation_set(X_val, y_val, sample_weight_val)
        if validation_set is None:
            return None
        features, y_val, weight = validation_set
        if self._n_labels:
            return self._held_out_labels(features, y_val, weight)
        with name_validation_set_in_errors():
            _, labels = check_labels(y_val, len(features), self.classes_, None)
        if not labels.present.all():
            raise ValueError(
                f"row {int(np.argmin(labels.present))} of y_val has no label: the validation loss "
                "needs one for each row"
            )
        from sklearn_distill.nets.losses import target_table
        from sklearn_distill.nets.sparse_losses import (
            SparseTargetLoss,
            label_targets,
            sparse_table,
        )
        from sklearn_distill.students._neural_class_targets import labels_of_codes

        if targets is not None and isinstance(targets.label_loss, SparseTargetLoss):
            table = sparse_table(label_targets(labels, weight))
        else:
            table = target_table(TargetMixture(labels, None, weight, imitation=0.0).targets())
        return features, table, labels_of_codes(labels, self.classes_)

    def _held_out_labels(self, features: Features, y_val: Any, weight: FloatArray) -> HeldOut:
        """Return validation rows of several labels, some entries of which may be missing."""
        from sklearn_distill.students._neural_multi_label import as_integers, label_table

        with name_validation_set_in_errors():
            labels = check_label_matrix(y_val, len(features), "y_val")
            if labels.shape[1] != self._n_labels:
                raise ValueError(f"y_val has {labels.shape[1]} labels, and y {self._n_labels}")
            if np.isnan(labels).all():
                raise ValueError("y_val has no label: the validation loss needs some")
        return features, label_table(labels, weight), as_integers(labels)

    def _partial_fit_classes(self, classes: ArrayLike | None) -> Any:
        """Return the classes of the first call; later calls may repeat them."""
        first_classes = getattr(self, "classes_", None)
        if first_classes is None or self._n_labels:
            return self.classes if classes is None else np.unique(classes)
        if classes is not None and not np.array_equal(np.unique(classes), first_classes):
            raise ValueError(
                f"classes={list_values(np.unique(classes))} are not those of the first call to "
                f"partial_fit, {list_values(first_classes)}: leave them out, or fit anew"
            )
        return first_classes

    def _predictions(self) -> ClassPredictions | LabelPredictions:
        from sklearn_distill.nets._predictions import ClassPredictions, LabelPredictions

        return (
            LabelPredictions(self._n_labels) if self._n_labels else ClassPredictions(self.classes_)
        )


def _check_same_classes(classes: NDArray[Any], previous_classes: NDArray[Any]) -> None:
    if not np.array_equal(classes, previous_classes):
        raise ValueError(
            f"warm_start=True with the classes {list_values(classes)}, but the network was trained "
            f"on {list_values(previous_classes)}: set warm_start=False, or pass all classes as "
            "classes="
        )
