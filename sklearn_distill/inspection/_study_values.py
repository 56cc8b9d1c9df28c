"""Values over λ and T that an Optuna study found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sklearn_distill.inspection._metaparameter_values import NAMES, Settings, full_name

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def study_settings(study: Study, *, as_loss: bool) -> Settings:
    """Return the settings of the finished trials that drew both λ and T.

    Of trials with the same λ and T the best value counts, whatever their other hyperparameters.

    Parameters
    ----------
    study : Study
        A study of one objective.
    as_loss : bool
        Whether the values are negative losses, of which the losses are returned.

    Returns
    -------
    Settings
        Each pair of λ and T once.

    Raises
    ------
    ValueError
        If the study has several objectives, or no finished trial with both λ and T.
    """
    if len(study.directions) != 1:
        raise ValueError(
            f"study has {len(study.directions)} objectives: the plot shows one value for each "
            "setting; pass the values of one of them to from_values"
        )
    finished = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    rows = [
        (*setting, trial.value)
        for trial in finished
        if (setting := setting_of_trial(trial)) is not None
    ]
    if not rows:
        raise ValueError(
            f"study has {len(finished)} finished trials, none of which drew both imitation and "
            "temperature: search both, and let trials end before plotting"
        )
    table = pd.DataFrame(rows, columns=[*NAMES, "value"], dtype=float)
    of_setting = table.groupby(list(NAMES), as_index=False)["value"]
    best = of_setting.max() if study.direction.name == "MAXIMIZE" else of_setting.min()
    lam, T, value = (best[name].to_numpy() for name in best)
    return Settings(lam, T, -value if as_loss else value)


def setting_of_trial(trial: FrozenTrial) -> tuple[float, float] | None:
    """Return (λ, T) of a trial, None if it did not draw both."""
    last_names = {name.split("__")[-1] for name in trial.params}
    if not last_names.issuperset(NAMES):
        return None  # a space may draw them on a condition
    lam, T = (float(trial.params[full_name(trial.params, key, "study")]) for key in NAMES)
    return lam, T
