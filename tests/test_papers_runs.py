"""Runs are stored one by one, and the tables are computed from the stored runs."""

import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from examples.papers import claims, runs
from examples.papers.claims import Claim, gain, verdict
from examples.papers.runs import Experiment, main, read_runs

BASELINE, DISTILLED = ("NA", "small set"), ("distilled", "small set")


class Noise:
    """Compute a run as the sum of a draw shared by the rows of a seed and one of the row."""

    def __init__(self):
        self.calls = []
        self.killed_at = None

    def __call__(self, row, seed, scale, device):
        if len(self.calls) == self.killed_at:
            raise KeyboardInterrupt
        self.calls.append((row, seed))
        shared = np.random.default_rng(seed).normal()
        own = np.random.default_rng([seed, row == DISTILLED]).normal()
        found = {"score": shared + scale * own}
        return found | ({"of_teacher": own} if row == DISTILLED else {})


@pytest.fixture
def noise():
    return Noise()


@pytest.fixture
def experiment(noise, tmp_path):
    return Experiment(
        str(tmp_path / "table.py"),
        rows=[DISTILLED, BASELINE],
        measures=("score", "of_teacher"),
        compute=noise,
        scales={"small": 0.1, "full": 1.0},
        n_runs={"small": 3, "full": 4},
        published={DISTILLED: {"score": 0.5}},
        claims=[Claim(DISTILLED, BASELINE, "score"), Claim(DISTILLED, 0.0, "score")],
    )


def stored(experiment):
    return read_runs(experiment).drop(columns="seconds")


def test_rows_of_a_seed_follow_one_another(experiment, noise):
    main(experiment, [])
    assert noise.calls == [(row, seed) for seed in range(3) for row in (DISTILLED, BASELINE)]


@pytest.mark.parametrize("n_done", range(6))
def test_a_killed_call_is_resumed(experiment, noise, n_done):
    main(experiment, [])
    whole, calls = stored(experiment), noise.calls.copy()
    experiment.file("_runs").unlink()
    noise.calls, noise.killed_at = [], n_done
    with pytest.raises(KeyboardInterrupt):
        main(experiment, [])
    noise.killed_at = None
    main(experiment, [])
    assert noise.calls == calls
    pd.testing.assert_frame_equal(stored(experiment), whole)


def test_an_incomplete_line_loses_only_its_run(experiment, noise):
    main(experiment, [])
    whole, file = stored(experiment), experiment.file("_runs")
    content = file.read_bytes()
    last_line = content.rstrip().rfind(b"\n") + 1
    for end in (last_line + 1, len(content) - 1):
        file.write_bytes(content[:end])
        main(experiment, [])
        assert noise.calls[-1] == noise.calls[5]
        pd.testing.assert_frame_equal(stored(experiment), whole)
    assert len(noise.calls) == 6 + 2


def test_an_incomplete_header(experiment, noise):
    experiment.file("_runs").write_text("scale,se")
    main(experiment, [])
    assert len(noise.calls) == len(read_runs(experiment)) == 6


def test_a_run_of_two_concurrent_calls_counts_once(experiment):
    main(experiment, [])
    whole, file = stored(experiment), experiment.file("_runs")
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines + lines[3:]))
    pd.testing.assert_frame_equal(stored(experiment), whole)


def test_no_run_is_computed_twice(experiment, noise):
    main(experiment, ["--runs", "2"])
    main(experiment, ["--runs", "3"])
    main(experiment, ["--runs", "1"])
    assert sorted(noise.calls) == sorted(
        (row, seed) for seed in range(3) for row in (DISTILLED, BASELINE)
    )


def test_fresh_removes_only_its_scale(experiment, noise):
    for scale in ("small", "full"):
        main(experiment, ["--scale", scale])
    assert len(noise.calls) == 6 + 8
    main(experiment, ["--scale", "small", "--fresh"])
    assert len(noise.calls) == 6 + 8 + 6
    assert stored(experiment).groupby("scale").size().to_dict() == {"small": 6, "full": 8}
    written = pd.read_csv(experiment.file(), keep_default_na=False)
    assert written["scale"].drop_duplicates().tolist() == ["small", "full"]


def test_what_is_kept_is_computed_once_with_the_same_versions(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "__file__", str(tmp_path / "runs.py"))
    monkeypatch.setattr(runs, "memory", runs.memory.__wrapped__)  # asks for the versions again
    calls = []

    @runs.kept
    def teacher(seed):
        calls.append(seed)
        return np.full(2, seed)

    assert not list(tmp_path.iterdir())  # importing a script makes no folder
    for torch, expected in [("1.0", [0]), ("1.1", [0, 0]), ("1.0", [0, 0])]:
        monkeypatch.setattr(runs, "version", lambda name, torch=torch: torch)
        assert teacher(0).tolist() == [0, 0]
        assert calls == expected


@pytest.mark.parametrize("by_name", [True, False])
def test_a_called_script_goes_on_under_its_own_name(by_name, experiment, noise, monkeypatch):
    imported = replace(experiment, compute=Noise())
    module = ModuleType("a_table")
    module.EXPERIMENT = imported
    script = ModuleType("__main__")
    script.__spec__ = ModuleSpec("a_table", None) if by_name else None
    monkeypatch.setitem(sys.modules, "a_table", module)
    monkeypatch.setitem(sys.modules, "__main__", script)
    noise.__module__ = "__main__"
    main(experiment, ["--device", "cpu", "--runs", "1"])
    assert (len(imported.compute.calls), len(noise.calls)) == ((2, 0) if by_name else (0, 2))


def test_the_table_is_computed_from_the_runs(experiment):
    main(experiment, ["--device", "cpu"])
    runs, table = read_runs(experiment), pd.read_csv(experiment.file(), keep_default_na=False)
    lines = table[["method", "measure"]].itertuples(index=False, name=None)
    assert list(lines) == [("distilled", "score"), ("distilled", "of_teacher"), ("NA", "score")]
    scores = runs.loc[runs["method"] == "distilled", "score"]
    line = table.iloc[0]
    np.testing.assert_allclose(line["mean"], np.mean(scores), rtol=1e-5)
    np.testing.assert_allclose(line["std"], np.std(scores, ddof=1), rtol=1e-5)
    assert (line["runs"], line["published"], line["device"]) == (3, "0.5", "cpu")
    assert line["numpy"] == np.__version__


def test_runs_of_removed_rows_are_ignored(experiment):
    main(experiment, [])
    fewer = Experiment(**{**vars(experiment), "rows": [DISTILLED], "claims": ()})
    main(fewer, [])
    assert set(pd.read_csv(fewer.file())["method"]) == {"distilled"}


def test_only_the_table_is_printed(experiment, capsys):
    main(experiment, [])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("scale small, device ")
    # the rows with their header, then the claims with theirs
    assert len(lines) == 1 + 3 + 3
    assert "(0.5)" in lines[2]


def runs_of(distilled, baseline):
    n = len(distilled)
    rows = [
        pd.DataFrame({"method": name, "setting": "small set", "seed": range(n), "score": values})
        for name, values in (("distilled", distilled), ("NA", baseline))
    ]
    return pd.concat(rows).sample(frac=1, random_state=0)


def test_the_interval_is_that_of_the_paired_t_test():
    distilled, baseline = np.random.default_rng(0).normal(size=(2, 8))
    found = gain(runs_of(distilled, baseline), Claim(DISTILLED, BASELINE, "score"))
    test = stats.ttest_rel(distilled, baseline)
    np.testing.assert_allclose(found["gain"], (distilled - baseline).mean())
    np.testing.assert_allclose((found["low"], found["high"]), test.confidence_interval(0.95))
    one = gain(runs_of(distilled, baseline), Claim(DISTILLED, 0.3, "score"))
    interval = stats.ttest_1samp(distilled - 0.3, 0).confidence_interval(0.95)
    np.testing.assert_allclose((one["low"], one["high"]), interval)


@pytest.mark.parametrize(
    ("shift", "expected", "reverse"),
    [
        (3.0, "holds", "does not hold"),
        (0.0, "undecided", "undecided"),
        (-3.0, "does not hold", "holds"),
    ],
)
def test_a_claim_and_its_reverse(shift, expected, reverse):
    noise = np.linspace(-1, 1, 10)
    table = runs_of(noise + shift, np.zeros(10))
    claims = {
        Claim(DISTILLED, BASELINE, "score"): expected,
        Claim(BASELINE, DISTILLED, "score"): reverse,
        Claim(DISTILLED, BASELINE, "score", lower=True): reverse,
    }
    for claim, expected_verdict in claims.items():
        assert gain(table, claim)["verdict"] == expected_verdict


def test_a_seed_without_its_pair_is_ignored():
    table = runs_of(np.arange(5.0), np.zeros(5))
    claim = Claim(DISTILLED, BASELINE, "score")
    incomplete = table[(table["method"] == "distilled") | (table["seed"] != 4)]
    assert gain(incomplete, claim)["runs"] == 4
    assert gain(incomplete, claim)["gain"] == 1.5


def test_a_single_run_is_undecided():
    found = gain(runs_of([1.0], [0.0]), Claim(DISTILLED, BASELINE, "score"))
    assert (found["gain"], found["verdict"]) == (1.0, "undecided")
    assert verdict(np.nan, np.nan) == "undecided"


@pytest.mark.parametrize(
    ("found", "message"), [({"score": np.nan}, "score=nan"), ({"speed": 1.0}, "speed=1.0")]
)
def test_invalid_measures(experiment, found, message):
    invalid = Experiment(**{**vars(experiment), "compute": lambda *_: found})
    with pytest.raises(ValueError, match=message):
        main(invalid, [])
    assert not invalid.file("_runs").exists()


def test_runs_of_another_table(experiment):
    main(experiment, [])
    other = Experiment(**{**vars(experiment), "measures": ("score",)})
    with pytest.raises(ValueError, match="remove the file"):
        main(other, [])


def test_the_reason_with_the_most_words_is_given(experiment):
    reasons = {("small",): "few", ("small", "score"): "few scores", ("distilled", "score"): "later"}
    explained = Experiment(**{**vars(experiment), "because": reasons})
    assert explained.reason("small", *DISTILLED, "score") == "few scores"  # the first of two
    assert explained.reason("small", *DISTILLED, "of_teacher") == "few"
    assert explained.reason("full", *BASELINE, "score") == ""
    assert experiment.reason("small", *DISTILLED, "score") == ""


def test_at_least_one_run(experiment, capsys):
    with pytest.raises(SystemExit):
        main(experiment, ["--runs", "0"])
    assert "--runs must be at least 1" in capsys.readouterr().err


def test_the_doctests_of_claims_pass():
    import doctest

    assert doctest.testmod(claims) == doctest.TestResults(failed=0, attempted=3)
