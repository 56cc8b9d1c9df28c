"""The display of an Optuna study: its finished trials, by value and direction."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection, QuadMesh

from sklearn_distill.inspection import MetaparameterDisplay

optuna = pytest.importorskip("optuna", reason="the extra search is not installed")
from optuna.distributions import FloatDistribution  # noqa: E402
from optuna.trial import TrialState, create_trial  # noqa: E402

SPACE = {"imitation": FloatDistribution(0, 1), "temperature": FloatDistribution(1, 8)}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def trial(imitation, temperature, value, prefix="", state=TrialState.COMPLETE):
    params = {"imitation": imitation, "temperature": temperature}
    params = {prefix + name: number for name, number in params.items() if number is not None}
    drawn = {prefix + name: distribution for name, distribution in SPACE.items()}
    return create_trial(
        params=params,
        distributions={name: drawn[name] for name in params},
        value=value,
        state=state,
    )


def study_of(*trials, direction="maximize"):
    study = optuna.create_study(direction=direction)
    study.add_trials(trials)
    return study


GRID = [trial(0.0, 1.0, -3.0), trial(1.0, 1.0, -2.0), trial(0.0, 4.0, -1.0), trial(1.0, 4.0, -4.0)]


def test_a_grid_is_cells_and_the_best_trial_a_star():
    display = MetaparameterDisplay.from_study(study_of(*GRID), scoring="neg_log_loss")
    assert isinstance(display.surface_, QuadMesh)
    assert display.settings_.grid.to_numpy().tolist() == [[3.0, 1.0], [2.0, 4.0]]
    assert display.best == (0.0, 4.0)
    assert display.colorbar_.ax.get_ylabel() == "cross-validated log loss"


def test_values_keep_their_sign_and_have_the_name_of_the_objective():
    display = MetaparameterDisplay.from_study(study_of(*GRID, direction="minimize"))
    assert display.settings_.grid.to_numpy().tolist() == [[-3.0, -1.0], [-2.0, -4.0]]
    assert display.best == (1.0, 4.0)
    assert display.colorbar_.ax.get_ylabel() == "objective"


@pytest.mark.parametrize(("direction", "best"), [("maximize", 0.7), ("minimize", 0.6)])
def test_of_equal_settings_the_best_counts(direction, best):
    study = study_of(
        trial(0.5, 2.0, 0.6, "student__"), trial(0.5, 2.0, 0.7, "student__"), direction=direction
    )
    display = MetaparameterDisplay.from_study(study)
    assert display.settings_.values.tolist() == [best]


def test_trials_without_a_result_for_both_are_left_out():
    study = study_of(
        trial(0.5, 2.0, 0.5),
        trial(0.2, 3.0, 0.6, state=TrialState.PRUNED),
        trial(0.3, 3.0, None, state=TrialState.FAIL),
        trial(0.4, None, 0.9),
    )
    display = MetaparameterDisplay.from_study(study, ax=plt.figure().subplots())
    assert isinstance(display.surface_, PathCollection)
    assert display.settings_.imitation.tolist() == [0.5]
    assert display.best is None, "the best trial has no temperature"


@pytest.mark.parametrize(
    ("study", "message"),
    [
        (study_of(), "study has 0 finished trials"),
        (study_of(trial(0.4, None, 0.9)), "study has 1 finished trials, none of which drew both"),
        (optuna.create_study(directions=["minimize", "maximize"]), "study has 2 objectives"),
    ],
    ids=["no trial", "no temperature", "two objectives"],
)
def test_studies_that_cannot_be_shown(study, message):
    with pytest.raises(ValueError, match=message):
        MetaparameterDisplay.from_study(study)


def test_the_study_of_an_objective():
    from sklearn_distill import DistilledLogisticRegression
    from sklearn_distill.datasets import make_teacher_probabilities
    from sklearn_distill.search import distillation_objective

    data = make_teacher_probabilities(60, random_state=0)
    objective = distillation_objective(
        DistilledLogisticRegression(),
        data.data,
        data.target,
        SPACE,
        cv=2,
        scoring="neg_log_loss",
        params={"teacher_proba": data.teacher_proba},
    )
    study = study_of()
    study.optimize(objective, n_trials=3)
    display = MetaparameterDisplay.from_study(study, scoring="neg_log_loss")
    assert np.min(display.settings_.values) == -study.best_value > 0
