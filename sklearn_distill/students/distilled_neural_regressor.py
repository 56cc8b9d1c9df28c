"""Neural network regressor trained on labels and on a teacher's predictions."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin

from sklearn_distill._typing import FloatArray, TargetLike, TeacherLike
from sklearn_distill._validation.absent_rows import fill_absent
from sklearn_distill._validation.fitting import all_or_nothing, validated_parameters
from sklearn_distill._validation.missing_teacher import check_teacher_used
from sklearn_distill._validation.plausible_prediction import check_plausible_prediction
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.targets import (
    OutputColumns,
    check_regression_outputs,
    check_regression_targets,
)
from sklearn_distill._validation.teacher import check_embedding
from sklearn_distill._validation.teacher_weight import check_some_trust
from sklearn_distill._validation.validation_rows import set_validation_rows_apart
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
    first_item,
    make_stream,
    refuse_whole_items,
    without_losses,
)
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.students._output_units import OutputUnits, in_units
from sklearn_distill.targets import RegressionMixture, mean_one, trusted_weights

if TYPE_CHECKING:
    import torch
    from sklearn.neural_network import MLPRegressor
    from torch.utils.data import Dataset

    from sklearn_distill.nets._live_teacher import LiveTeacher
    from sklearn_distill.nets._multilayer_perceptron import Layers
    from sklearn_distill.nets._predictions import NumberPredictions
    from sklearn_distill.students._neural_live import LivePredictions
    from sklearn_distill.students._neural_training import Trained


class DistilledNeuralRegressor(MultiOutputMixin, RegressorMixin, NeuralStudent):
    r"""Neural network regressor on labels and on a teacher's predictions.

    Minimises, by mini-batches and over the weights of a network with outputs z(x),

    .. math::

        \frac1n \sum_i s_i \big\{ \tfrac1m \|z_i - (1-λ_i)\,y_i - λ_i\,t_i\|^2
        + μ\,\|A h_i + a - e_i\|^2 \big\},

    where t is the teacher's prediction of the m outputs, and the weights s have mean 1. Labels and
    predictions of the teacher are those in units of the labels' standard deviation, see
    ``normalize_y``.
    :math:`λ_i` is λ if both label and prediction are available, 0 if the prediction is missing, and
    1 if the label is missing. Up to a constant this is the sum of both squared errors with the
    weights 1 − λ and λ. The last term is that of :class:`DistilledNeuralClassifier`.

    Parameters
    ----------
    module : torch.nn.Module, its class or None, default=None
        The network, from features (n, d), images (n, C, H, W) or several inputs by name to one
        number for each output. A class is called with ``module__x`` and, if it has such
        parameters, ``n_features`` and ``n_outputs``; an instance is copied with its weights. None
        uses :class:`sklearn_distill.nets.MLP`.
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Widths of the hidden layers of the default network; empty makes a linear model. Must be
        left at the default with a ``module``.
    imitation : float or callable, default=0.5
        λ in [0, 1], the weight of the teacher in rows that have a label, too; or a function of the
        epoch, whose number begins with 1 as in ``history_``.
    normalize_y : bool, default=True
        Whether each output is standardised: mean and standard deviation of the labels (of the
        teacher's predictions without any label) are removed from both, so that
        λ means the same, and undone by ``predict``. Losses are in units of the variance,
        those in ``history_`` included. A warm start keeps both numbers; a Dataset, whose items are
        read one by one, is not standardised.
    teacher : torch.nn.Module, callable, FrozenEstimator or None, default=None
        A live teacher, instead of ``teacher_prediction``: a torch module, which predicts in
        evaluation mode on the student's device and does not change; a function from a tensor of
        features (a dict of them for inputs by name) to predictions; or a fitted estimator in
        :class:`~sklearn.frozen.FrozenEstimator`. With ``augmentation`` or a Dataset of (x, y) it
        predicts each mini-batch as the student sees it, else all rows once. Its
        predictions are in the units of y.
    distillation_loss : callable or None, default=None
        Function that replaces the squared distance to the teacher's prediction: ``f(predictions,
        teacher_predictions, labels, weights)`` → a loss for each row, from tensors of the rows of a
        mini-batch that have a prediction: (n, n_outputs) three times, in the units of
        ``normalize_y``, NaN for a missing label, and s (n,). It gets ``imitation`` if it has such a
        parameter; the losses are multiplied by λ_i and s.
    embedding_weight : float, default=0.0
        μ ≥ 0, the weight of the distance to ``teacher_embedding``.
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
        Dataset.
    early_stopping : bool or "auto", default="auto"
        Whether to monitor the squared error of held-out rows (X_val, or a part of X), stop when it
        no longer decreases and restore the weights of its minimum. If no row has a label, it is
        that of the teacher's predictions.
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
    net_ : skorch.NeuralNet
        The skorch net, with the trained network in ``net_.module_``.
    history_ : DataFrame
        Losses, λ, learning rates and durations in seconds of the epochs. ``label_loss`` and
        ``teacher_loss`` are the mean squared distances to labels and to the teacher's predictions
        during the epoch; not available for a Dataset or ``distillation_loss``. Losses are in the
        units of ``normalize_y``.
    n_taught_rows_ : int
        Number of rows with a teacher's prediction; not available for a Dataset.
    n_features_in_ : int
        Number of features seen during ``fit``; for images, the number of channels. Not available
        for several inputs and with a ``collate_fn``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X has string names.

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

    _flat: bool  # whether y, or else the teacher's prediction, is one-dimensional
    _n_outputs: int
    _units: OutputUnits | None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NeuralStudent._parameter_constraints,
        "normalize_y": ["boolean"],
    }

    # requested by default: meta-estimators slice them by row with X, without set_fit_request
    __metadata_request__partial_fit: ClassVar = {
        "teacher_prediction": True,
        "teacher_embedding": True,
        "teacher_weight": True,
    }
    __metadata_request__fit: ClassVar = {
        **__metadata_request__partial_fit,
        "X_val": True,
        "y_val": True,
    }

    def __init__(
        self,
        module: Any = None,
        *,
        hidden_layer_sizes: Any = (64,),
        imitation: Any = 0.5,
        normalize_y: bool = True,
        teacher: Any = None,
        distillation_loss: Any = None,
        embedding_weight: float = 0.0,
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
        self.normalize_y = normalize_y
        self.teacher = teacher
        self.distillation_loss = distillation_loss
        self.embedding_weight = embedding_weight
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
        teacher_prediction: TeacherLike = None,
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
            whose items are (x, y, teacher's prediction) or (x, y, teacher's prediction, weight),
            with None for a missing value, whose weights are not scaled to mean 1; (x, y) if the
            student has a ``teacher``. ``iterator_train__x`` are arguments of torch's DataLoader.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels. A row of NaN is a missing label; these rows need a teacher's prediction. None
            instead of an array means that all labels are missing.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, for all terms. A row of weight 0 is left out, and its prediction is not
            checked.
        teacher_prediction : array-like of the shape of y, or None
            The teacher's predictions. A row of NaN is a missing prediction. Of several teachers, in
            an array of shape (n_samples, n_teachers, n_outputs), the mean of the available
            predictions is used.
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
            If lengths or outputs differ, a row is NaN in some outputs but not in all or has
            neither label nor prediction (the message names the first such row), every prediction
            is missing at ``imitation=1``, the module does not return one number for each output,
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
            If the predictions are correlated with the labels no more than with their rows shuffled,
            or with the opposite sign, in 50 labelled rows or more.
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0. The items of a Dataset are read in
            the training: there both warnings, and the error at ``imitation=1``, come at the end of
            the first epoch or after 5,000 of its predictions.
        """
        self._check_requirements()
        given = {"y": y, "teacher_prediction": teacher_prediction}
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
            return DistilledNeuralRegressor.fit(
                self,
                **set_validation_rows_apart(
                    validation_rows,
                    X,
                    y,
                    sample_weight,
                    teacher_prediction=teacher_prediction,
                    teacher_embedding=teacher_embedding,
                    teacher_weight=teacher_weight,
                    X_val=X_val,
                    y_val=y_val,
                    sample_weight_val=sample_weight_val,
                ),
            )
        previous = self._previous_training()
        X, targets = self._read_data(
            X, y, sample_weight, teacher_prediction, teacher_embedding, teacher_weight, previous
        )
        held_out = self._read_held_out(X_val, y_val, sample_weight_val, targets)
        return self._train(X, targets, held_out, previous=previous)

    @all_or_nothing
    @validated_parameters
    def partial_fit(
        self,
        X: NetworkInput,
        y: TargetLike = None,
        sample_weight: ArrayLike | None = None,
        *,
        teacher_prediction: TeacherLike = None,
        teacher_embedding: TeacherLike = None,
        teacher_weight: ArrayLike | None = None,
    ) -> Self:
        """Continue training with one pass over these rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dict, list or Dataset} of n_samples rows
            Features as in :meth:`fit`, but no Dataset whose items hold labels or predictions.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels; a row of NaN is a missing label.
        sample_weight : array-like of shape (n_samples,) or None
            Sample weights, for all terms. A row of weight 0 is left out, and its prediction is not
            checked. If all are 0 from the second call on, nothing changes.
        teacher_prediction, teacher_embedding : array-like or None
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
            As in :meth:`fit`, or if the number of outputs changed.

        Warns
        -----
        ImplausibleTeacherWarning
            If the predictions are correlated with the labels no more than with their rows shuffled,
            or with the opposite sign, in 50 labelled rows or more.
        TeacherMissingWarning
            If there is no teacher and ``imitation`` is not 0.
        """
        self._check_requirements()
        given = {"y": y, "teacher_prediction": teacher_prediction}
        refuse_whole_items(X, **given)
        if self._adds_nothing(X, sample_weight):
            return self
        previous = getattr(self, "_trained", None)
        X, targets = self._read_data(
            X, y, sample_weight, teacher_prediction, teacher_embedding, teacher_weight, previous
        )
        return self._train(X, targets, previous=previous, n_epochs=1)

    def predict(self, X: NetworkInput) -> FloatArray:
        """Predict the outputs.

        Parameters
        ----------
        X : {array-like, sparse matrix, dict, list or Dataset} of n_samples rows
            Features as in :meth:`fit`; of a Dataset's items that are tuples, the first elements.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, with the number of dimensions of y in ``fit``.
        """
        z = self._predict_scores(X)
        return self._predictions().predict(z)

    def to_torch(self, *, restore_y: bool = True) -> torch.nn.Module:
        """Return the trained network as a torch module.

        Parameters
        ----------
        restore_y : bool, default=True
            Whether its output is that of ``predict``. False returns the network alone, whose output
            is standardised (see ``normalize_y``) and whose ``state_dict()`` is that of ``module``.

        Returns
        -------
        Module
            A copy on the CPU, in evaluation mode.
        """
        from sklearn_distill.nets._export import plain_network, restored_outputs

        network = plain_network(self.net_.module_, None)
        if self._units is None or not restore_y:
            return network
        return restored_outputs(network, self._units.center, self._units.scale)

    def _perceptron(self, layers: Layers) -> MLPRegressor:
        from sklearn_distill.nets._multilayer_perceptron import perceptron_of_numbers

        if self._units is None:
            return perceptron_of_numbers(layers, 0.0, 1.0)
        return perceptron_of_numbers(layers, self._units.center, self._units.scale)

    def _predictions(self) -> NumberPredictions:
        from sklearn_distill.nets._predictions import NumberPredictions

        if self._units is None:
            return NumberPredictions(self._flat)
        return NumberPredictions(self._flat, self._units.center, self._units.scale)

    def _fit_dataset(
        self, dataset: Dataset[Any], X_val: Any, y_val: Any, sample_weight_val: Any
    ) -> Self:
        """Train on a Dataset of (x, y, teacher's prediction)."""
        self._refuse_moving("needs X as an array")
        if self.distillation_loss is not None:
            raise ValueError("X is a Dataset: distillation_loss needs X as an array")
        if self.embedding_weight > 0:
            raise ValueError(
                f"embedding_weight={self.embedding_weight}, but X is a Dataset, whose items have "
                "no embedding: set embedding_weight=0"
            )
        loader_params = self._params_for("iterator_train")
        dataset = without_losses(dataset, loader_params)
        has_teacher = self.teacher is not None
        item = first_item(dataset, without_teacher=has_teacher)
        targets_of_first = [value for value in item[1:3] if value is not None]
        if not targets_of_first:
            raise ValueError(
                "the Dataset's first item has neither a label nor a prediction: the number of "
                "outputs is read from it, so let the Dataset begin with an item that has one"
            )
        flat = np.ndim(targets_of_first[0]) == 0
        n_outputs = int(np.size(targets_of_first[0]))
        self._set_outputs(n_outputs, flat, reset=self._previous_training() is None)
        if self._previous_training() is None:
            self._units = None
        from sklearn_distill.students._neural_regression_targets import (
            RegressionBatchTable,
            regression_targets,
        )

        imitation = float(self.imitation)
        # without the network and the teacher, as workers of a DataLoader pickle it
        make_table = RegressionBatchTable(n_outputs, imitation, has_teacher, self._units)
        stream = make_stream(
            dataset,
            make_table,
            make_table.observer(),
            feature_collate(self, "the Dataset's x", reset=self._previous_training() is None),
            n_outputs=n_outputs,
            loader_params=loader_params,
            without_teacher=has_teacher,
        )
        self._set_stream_format(stream.features)
        predicted = self._predict_live(stream.features)
        no_labels = np.full((0, n_outputs), np.nan)
        targets = regression_targets(no_labels, None, np.ones(0), imitation, live=has_teacher)
        targets = replace(
            targets,
            metaparameters=self._metaparameters(1),
            teacher=None if predicted is None else predicted.live(n_outputs, units=self._units),
        )
        held_out = self._read_held_out(X_val, y_val, sample_weight_val, targets)
        return self._train_on_stream(stream, targets, held_out)

    def _read_data(
        self,
        X: NetworkInput,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_prediction: TeacherLike,
        teacher_embedding: TeacherLike,
        teacher_weight: ArrayLike | None,
        previous: Trained | None,
    ) -> tuple[Features, NeuralTargets]:
        """Check the arguments of ``fit``; return features and targets, set ``n_taught_rows_``."""
        from sklearn_distill.students._neural_regression_targets import regression_targets

        check_row_order(
            X,
            y,
            sample_weight=sample_weight,
            teacher_prediction=teacher_prediction,
            teacher_embedding=teacher_embedding,
            teacher_weight=teacher_weight,
        )
        features = self._validate_features(
            X, fill_absent(y, sample_weight), teacher_prediction, reset=previous is None
        )
        n_rows = len(features)
        weight = check_sample_weight(sample_weight, n_rows)
        absent = weight == 0
        predicted = self._predict_live(features, teacher_prediction=teacher_prediction)
        teacher_prediction = teacher_prediction if predicted is None else predicted.outputs
        with self._named_teacher():
            labels, predictions, flat, trust = check_regression_targets(
                y,
                teacher_prediction,
                n_rows,
                absent,
                several_teachers=True,
                teacher_weight=teacher_weight,
            )
        embedding = check_embedding(teacher_embedding, n_rows, self.embedding_weight, absent)
        labelled = np.zeros(n_rows, dtype=bool) if labels is None else ~np.isnan(labels[:, 0])
        weight = trusted_weights(weight, labelled, trust)
        check_some_trust(weight)
        absent = weight == 0
        if absent.any():
            features, weight = features[~absent], weight[~absent]
            labels, predictions, embedding, trust = (
                None if values is None else values[~absent]
                for values in (labels, predictions, embedding, trust)
            )
        if previous is None:
            units = OutputUnits.of(labels, predictions, weight) if self.normalize_y else None
            self._units = units
        self.n_taught_rows_ = (
            0 if predictions is None else int((~np.isnan(predictions[:, 0])).sum())
        )
        # mean 1, as the scale of the weights would change the learning rate
        weight = mean_one(weight)
        check_teacher_used(
            0.5 if callable(self.imitation) else self.imitation,
            self.n_taught_rows_,
            embedding=embedding,
            teacher_weight=teacher_weight,
            teacher_prediction=teacher_prediction,
        )
        check_plausible_prediction(labels, predictions)
        live = self._live_teacher(predicted, labels, predictions)

        scaled = [None if y is None else self._in_units(y) for y in (labels, predictions)]
        # callbacks read those of the user
        seen = RegressionMixture.of(labels, predictions, 0.0).labels
        seen = seen[:, 0] if flat else seen

        def at_epoch(epoch: int) -> NeuralTargets:
            values = self._metaparameters(epoch)
            made = regression_targets(
                scaled[0],
                scaled[1],
                weight,
                values["imitation"],
                trust=trust,
                live=live is not None,
                distillation_loss=self.distillation_loss,
            )
            made = made.with_embedding(embedding, self.embedding_weight, weight)
            return replace(made, metaparameters=values, labels=seen, teacher=live)

        targets = at_epoch(self._first_epoch(previous))
        targets = replace(targets, at_epoch=at_epoch) if self._moves() else targets
        self._set_outputs(targets.n_outputs, flat, reset=previous is None)
        return features, targets

    def _in_units(self, y: OutputColumns) -> OutputColumns:
        """Return labels or predictions as the network learns them."""
        return in_units(y, self._units)

    def _live_teacher(
        self,
        predicted: LivePredictions | None,
        labels: OutputColumns | None,
        predictions: OutputColumns | None,
    ) -> LiveTeacher | None:
        """Return the teacher if it predicts each mini-batch, else None."""
        # at λ = 0 its predictions would not count
        labels_alone = labels is not None and not np.isnan(labels).any() and self.imitation == 0
        if predicted is None or self.augmentation is None or labels_alone:
            return None
        assert predictions is not None
        return predicted.live(predictions.shape[1], units=self._units)

    def _validate_features(
        self,
        X: NetworkInput,
        y: TargetLike,
        teacher_prediction: TeacherLike,
        *,
        reset: bool,
    ) -> Features:
        if self.teacher is None and teacher_prediction is None:
            # without a teacher scikit-learn's own errors are raised, as for a missing label
            return read_features(self, X, y, reset=reset, multi_output=True, y_numeric=True)
        return read_features(self, X, reset=reset)

    def _set_outputs(self, n_outputs: int, flat: bool, *, reset: bool) -> None:
        if not reset and n_outputs != self._n_outputs:
            raise ValueError(
                f"y or teacher_prediction has {n_outputs} outputs, but the network was trained on "
                f"{self._n_outputs}: pass the same outputs, or fit anew without warm_start"
            )
        self._n_outputs, self._flat = n_outputs, flat

    def _read_held_out(
        self, X_val: Any, y_val: Any, sample_weight_val: Any, targets: NeuralTargets
    ) -> HeldOut | None:
        """Check the validation set; return its features, the table of the labels, and these."""
        validation_set = self._read_validation_set(X_val, y_val, sample_weight_val)
        if validation_set is None:
            return None
        features, y_val, weight = validation_set
        labels, _ = check_regression_outputs("y_val", y_val, len(features))
        if labels is None or np.isnan(labels).any() or labels.shape[1] != targets.n_outputs:
            raise ValueError(
                f"y_val must give a number for each row and each of {targets.n_outputs} outputs: "
                "the validation loss needs them"
            )
        table = np.column_stack([self._in_units(labels), weight])
        return features, table, labels[:, 0] if self._flat else labels
