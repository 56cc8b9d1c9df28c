"""The six ways to λ and T, as the tables name them and as ``tune_student`` does."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of each trial

METHODS = {
    "none": "none",
    "naive": "naive",
    "random": "random",
    "gradient": "gradient",
    "hyperopt (TPE)": "tpe",
    "proposed": "linear",
}
