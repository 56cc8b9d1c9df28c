"""The decision rule: each case has its headline."""

import math
from dataclasses import replace

import numpy as np
import pytest

from sklearn_distill.inspection import distillation_report
from sklearn_distill.inspection._decision import Evidence, decide
from sklearn_distill.inspection.intervals import Difference

HELPS = Evidence(
    metric="log_loss",
    direction=-1,
    values={"prior": 0.6, "teacher": 0.241, "baseline": 0.38, "distilled": 0.318},
    student="distilled",
    gain=Difference(-0.062, -0.081, -0.044),
    teacher=Difference(-0.139, -0.16, -0.12),
    better_than_prior=frozenset({"teacher", "baseline", "distilled"}),
    n_samples=500,
    judge_is_teacher=False,
    gap_closed=0.446,
    speed=93.2,
)
WORSE_TEACHER = Difference(0.023, 0.011, 0.035)
UNDECIDED = Difference(-0.01, -0.03, 0.01)


def test_helps():
    assert decide(HELPS) == (
        "distil",
        "Distillation helps: -0.062 log loss (-0.081 … -0.044); 93 times as fast as the teacher; "
        "45 % of the gap to the teacher closed.",
    )


def test_helps_by_a_metric_of_which_more_is_better():
    gain = Difference(0.031, 0.012, 0.05)
    evidence = replace(HELPS, metric="accuracy", direction=1, gain=gain, teacher=gain)
    assert decide(evidence)[1].startswith("Distillation helps: +0.031 accuracy (+0.012 … +0.050)")
    assert decide(replace(evidence, direction=-1))[0] == "do not distil"


def test_a_worse_teacher():
    evidence = replace(
        HELPS, gain=UNDECIDED, teacher=WORSE_TEACHER, values=HELPS.values | {"baseline": 0.218}
    )
    assert decide(evidence) == (
        "do not distil",
        "Do not distil: the teacher is worse than the student's baseline (log loss 0.241 against "
        "0.218).",
    )
    contrary = decide(replace(evidence, contrary=("accuracy",)))[1]
    assert contrary.endswith("against 0.218), although better in accuracy.")


def test_a_worse_teacher_may_help():
    evidence = replace(HELPS, teacher=WORSE_TEACHER, gap_closed=math.nan)
    decision, headline = decide(evidence)
    assert decision == "distil"
    assert "although the teacher itself is worse than the baseline" in headline


def test_hurts():
    evidence = replace(
        HELPS, gain=Difference(0.046, 0.026, 0.063), contrary=("accuracy", "roc_auc")
    )
    assert decide(evidence) == (
        "do not distil",
        "Do not distil: distillation hurts, +0.046 log loss (+0.026 … +0.063), although better "
        "in accuracy and roc auc.",
    )


def test_undecided_says_how_many_samples_would_decide():
    # the half width 0.02 has to shrink to 0.01: four times the samples
    assert decide(replace(HELPS, gain=UNDECIDED)) == (
        "undecided",
        "Undecided: -0.010 log loss (-0.030 … +0.010); about 2,000 test samples would decide a "
        "difference of this size.",
    )
    none = replace(HELPS, gain=Difference(0.0, 0.0, 0.0), teacher=UNDECIDED)
    assert decide(none)[1].endswith(
        "the teacher is not shown to be better than the baseline either."
    )
    assert decide(replace(HELPS, gain=HELPS.gain.with_zero()))[0] == "undecided"


def test_no_model_is_better_than_the_prior():
    decision, headline = decide(replace(HELPS, better_than_prior=frozenset()))
    assert decision == "do not distil"
    assert "no model is shown to be better than the prior" in headline
    assert "prior 0.600, teacher 0.241, baseline 0.380, distilled 0.318" in headline
    student = decide(replace(HELPS, better_than_prior=frozenset({"teacher"})))[1]
    assert student.endswith("the student is not shown to be better than the prior.")


@pytest.mark.parametrize(
    ("speed", "words"),
    [
        (math.nan, None),
        (0.4, "slower than the teacher"),
        (1.4, "about as fast as the teacher"),
        (2.34, "2.3 times as fast"),
        (93.2, "93 times as fast"),
    ],
)
def test_speed(speed, words):
    headline = decide(replace(HELPS, speed=speed))[1]
    assert (words in headline) if words else ("fast" not in headline)


class Stored:
    """Probabilities of the second of two classes, by the number of the sample."""

    def __init__(self, p):
        self.p, self.classes_ = p, np.array([0, 1])

    def predict_proba(self, X):
        p = self.p[np.asarray(X)[:, 0]]
        return np.column_stack([1 - p, p])


def models(n, share, noise, seed=0):
    """Return labels, and models whose log-odds are the true ones and noise."""
    rng = np.random.default_rng(seed)
    z = np.log(share / (1 - share)) + rng.normal(size=n) * noise["signal"]
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    return y, {
        name: Stored(1 / (1 + np.exp(-(z + scale * rng.normal(size=n)))))
        for name, scale in noise.items()
        if name != "signal"
    }


def report(y, given):
    return distillation_report(**given, X=np.arange(len(y))[:, None], y=y, n_repeats=1)


def test_the_majority_case():
    """5,000 rows, 94 % of one class, and nothing in X that says which."""
    noise = {"signal": 0.0, "teacher": 0.6, "baseline": 0.1, "distilled": 0.2}
    outcome = report(*models(5000, 0.06, noise))
    assert outcome.decision == "do not distil"
    assert "no model is shown to be better than the prior" in outcome.headline


def test_the_teacher_worse_case():
    noise = {"signal": 1.5, "teacher": 1.5, "baseline": 0.3, "distilled": 0.3}
    outcome = report(*models(2000, 0.5, noise))
    assert outcome.decision == "do not distil"
    assert "the teacher is worse than the student's baseline" in outcome.headline


def test_the_helpful_case():
    noise = {"signal": 1.5, "teacher": 0.1, "baseline": 1.2, "distilled": 0.4}
    outcome = report(*models(2000, 0.5, noise))
    assert outcome.decision == "distil"
    row = outcome.did_the_teacher_help.loc["log_loss"]
    assert f"{row['difference']:+.3f} log loss" in outcome.headline


def test_equal_students_are_called_different_in_less_than_one_report_of_twenty():
    noise = {"signal": 1.5, "teacher": 0.1, "baseline": 0.8, "distilled": 0.8}
    verdicts = [
        report(*models(60, 0.5, noise, seed)).did_the_teacher_help.loc["log_loss", "verdict"]
        for seed in range(80)
    ]
    assert verdicts.count("undecided") >= 72  # 76, and two standard errors of 80 reports
