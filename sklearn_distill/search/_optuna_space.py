"""What a study may choose: distributions by parameter name, or a function of the trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn_distill._optional import import_optuna

KINDS = ("FloatDistribution", "IntDistribution", "CategoricalDistribution")


def check_space(space: Any, estimator: Any) -> None:
    """Require a function, or distributions of parameters that the estimator has.

    Parameters
    ----------
    space : dict of str to optuna distribution, or callable
        What came.
    estimator : estimator
        Whose parameters they are.

    Raises
    ------
    TypeError
        If it is neither, or a value is no distribution.
    ValueError
        If the dictionary is empty or the estimator has no such parameter.
    """
    if callable(space):
        return
    if not isinstance(space, Mapping):
        raise TypeError(
            f"space is a {type(space).__name__}: give a dict of parameter names and "
            "optuna.distributions, or a function from a trial to a dict of parameters"
        )
    unknown = sorted(set(space) - set(estimator.get_params()))
    if unknown or not space:
        raise ValueError(
            f"space names {unknown or 'nothing'}: its keys are parameters of "
            f"{type(estimator).__name__}, see get_params()"
        )
    for name, distribution in space.items():
        _check_distribution(name, distribution)


def suggest(trial: Any, space: Any) -> dict[str, Any]:
    """Return a trial's parameters.

    Parameters
    ----------
    trial : Trial, FrozenTrial or FixedTrial
        Whoever chooses, or has chosen.
    space : dict of str to optuna distribution, or callable
        Checked.

    Returns
    -------
    dict
        For ``set_params``.

    Raises
    ------
    TypeError
        If the function returns no dictionary.
    """
    if not callable(space):
        return {name: _draw(trial, name, distribution) for name, distribution in space.items()}
    chosen = space(trial)
    if not isinstance(chosen, Mapping):
        raise TypeError(
            f"space returned a {type(chosen).__name__}: it returns a dict of the estimator's "
            "parameters"
        )
    return dict(chosen)


def _draw(trial: Any, name: str, distribution: Any) -> Any:
    distributions = import_optuna("distillation_objective").distributions
    if isinstance(distribution, distributions.CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    whole = isinstance(distribution, distributions.IntDistribution)
    draw = trial.suggest_int if whole else trial.suggest_float
    return draw(
        name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
    )


def _check_distribution(name: str, distribution: Any) -> None:
    distributions = import_optuna("distillation_objective").distributions
    if not isinstance(distribution, tuple(getattr(distributions, kind) for kind in KINDS)):
        raise TypeError(
            f"space[{name!r}] is a {type(distribution).__name__}: give one of "
            f"optuna.distributions' {', '.join(KINDS)}"
        )
