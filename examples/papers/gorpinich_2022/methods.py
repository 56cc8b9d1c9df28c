"""The six methods to choose λ and T, by their names in the tables and in ``tune_student``."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)  # no message for each trial

METHODS = {
    "none": "none",
    "naive": "naive",
    "random": "random",
    "gradient": "gradient",
    "hyperopt (TPE)": "tpe",
    "proposed": "linear",
}
