"""Runs are kept one by one, and the tables say what the runs say."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from examples.papers import claims
from examples.papers.claims import Claim, gain, verdict
from examples.papers.runs import Experiment, main, read_runs

ALONE, TAUGHT = ("NA", "small set"), ("taught", "small set")


class Noise:
    """A run's numbers: a draw that the rows of a seed share, and one of the row's own."""

    def __init__(self):
        self.calls = []
        self.killed_at = None

    def __call__(self, row, seed, scale, device):
        if len(self.calls) == self.killed_at:
            raise KeyboardInterrupt
        self.calls.append((row, seed))
        shared = np.random.default_rng(seed).normal()
        own = np.random.default_rng([seed, row == TAUGHT]).normal()
        found = {"score": shared + scale * own}
        return found | ({"of_teacher": own} if row == TAUGHT else {})


@pytest.fixture
def noise():
    return Noise()


@pytest.fixture
def experiment(noise, tmp_path):
    return Experiment(
        str(tmp_path / "table.py"),
        rows=[TAUGHT, ALONE],
        measures=("score", "of_teacher"),
        compute=noise,
        scales={"small": 0.1, "full": 1.0},
        n_runs={"small": 3, "full": 4},
        published={TAUGHT: {"score": 0.5}},
        claims=[Claim(TAUGHT, ALONE, "score"), Claim(TAUGHT, 0.0, "score")],
    )


def kept(experiment):
    return read_runs(experiment).drop(columns="seconds")


def test_rows_of_a_seed_follow_one_another(experiment, noise):
    main(experiment, [])
    assert noise.calls == [(row, seed) for seed in range(3) for row in (TAUGHT, ALONE)]


@pytest.mark.parametrize("n_done", range(6))
def test_a_killed_call_is_taken_up(experiment, noise, n_done):
    main(experiment, [])
    whole, calls = kept(experiment), noise.calls.copy()
    experiment.file("_runs").unlink()
    noise.calls, noise.killed_at = [], n_done
    with pytest.raises(KeyboardInterrupt):
        main(experiment, [])
    noise.killed_at = None
    main(experiment, [])
    assert noise.calls == calls
    pd.testing.assert_frame_equal(kept(experiment), whole)


def test_a_run_killed_in_writing_loses_itself_alone(experiment, noise):
    main(experiment, [])
    whole, file = kept(experiment), experiment.file("_runs")
    content = file.read_bytes()
    last_line = content.rstrip().rfind(b"\n") + 1
    for end in (last_line + 1, len(content) - 1):
        file.write_bytes(content[:end])
        main(experiment, [])
        assert noise.calls[-1] == noise.calls[5]
        pd.testing.assert_frame_equal(kept(experiment), whole)
    assert len(noise.calls) == 6 + 2


def test_a_torn_head_is_no_run(experiment, noise):
    experiment.file("_runs").write_text("scale,se")
    main(experiment, [])
    assert len(noise.calls) == len(read_runs(experiment)) == 6


def test_a_run_made_by_two_calls_at_once_counts_once(experiment):
    main(experiment, [])
    whole, file = kept(experiment), experiment.file("_runs")
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines + lines[3:]))
    pd.testing.assert_frame_equal(kept(experiment), whole)


def test_nothing_is_made_twice(experiment, noise):
    main(experiment, ["--runs", "2"])
    main(experiment, ["--runs", "3"])
    main(experiment, ["--runs", "1"])
    assert sorted(noise.calls) == sorted(
        (row, seed) for seed in range(3) for row in (TAUGHT, ALONE)
    )


def test_fresh_forgets_its_scale_alone(experiment, noise):
    for scale in ("small", "full"):
        main(experiment, ["--scale", scale])
    assert len(noise.calls) == 6 + 8
    main(experiment, ["--scale", "small", "--fresh"])
    assert len(noise.calls) == 6 + 8 + 6
    assert kept(experiment).groupby("scale").size().to_dict() == {"small": 6, "full": 8}
    written = pd.read_csv(experiment.file(), keep_default_na=False)
    assert written["scale"].drop_duplicates().tolist() == ["small", "full"]


def test_the_table_says_what_the_runs_say(experiment):
    main(experiment, ["--device", "cpu"])
    runs, table = read_runs(experiment), pd.read_csv(experiment.file(), keep_default_na=False)
    lines = table[["method", "measure"]].itertuples(index=False, name=None)
    assert list(lines) == [("taught", "score"), ("taught", "of_teacher"), ("NA", "score")]
    scores = runs.loc[runs["method"] == "taught", "score"]
    line = table.iloc[0]
    np.testing.assert_allclose(line["mean"], np.mean(scores), rtol=1e-5)
    np.testing.assert_allclose(line["std"], np.std(scores, ddof=1), rtol=1e-5)
    assert (line["runs"], line["published"], line["device"]) == (3, "0.5", "cpu")
    assert line["numpy"] == np.__version__


def test_runs_of_rows_that_are_gone_do_not_count(experiment):
    main(experiment, [])
    fewer = Experiment(**{**vars(experiment), "rows": [TAUGHT], "claims": ()})
    main(fewer, [])
    assert set(pd.read_csv(fewer.file())["method"]) == {"taught"}


def test_only_the_table_is_printed(experiment, capsys):
    main(experiment, [])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("scale small, device ")
    # the rows with their head, then the claims with theirs
    assert len(lines) == 1 + 3 + 3
    assert "(0.5)" in lines[2]


def runs_of(taught, alone):
    n = len(taught)
    rows = [
        pd.DataFrame({"method": name, "setting": "small set", "seed": range(n), "score": values})
        for name, values in (("taught", taught), ("NA", alone))
    ]
    return pd.concat(rows).sample(frac=1, random_state=0)


def test_the_interval_is_that_of_the_paired_t_test():
    taught, alone = np.random.default_rng(0).normal(size=(2, 8))
    found = gain(runs_of(taught, alone), Claim(TAUGHT, ALONE, "score"))
    test = stats.ttest_rel(taught, alone)
    np.testing.assert_allclose(found["gain"], (taught - alone).mean())
    np.testing.assert_allclose((found["low"], found["high"]), test.confidence_interval(0.95))
    one = gain(runs_of(taught, alone), Claim(TAUGHT, 0.3, "score"))
    interval = stats.ttest_1samp(taught - 0.3, 0).confidence_interval(0.95)
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
        Claim(TAUGHT, ALONE, "score"): expected,
        Claim(ALONE, TAUGHT, "score"): reverse,
        Claim(TAUGHT, ALONE, "score", lower=True): reverse,
    }
    for claim, judged in claims.items():
        assert gain(table, claim)["verdict"] == judged


def test_a_seed_without_its_pair_does_not_count():
    table = runs_of(np.arange(5.0), np.zeros(5))
    claim = Claim(TAUGHT, ALONE, "score")
    lacking = table[(table["method"] == "taught") | (table["seed"] != 4)]
    assert gain(lacking, claim)["runs"] == 4
    assert gain(lacking, claim)["gain"] == 1.5


def test_one_run_decides_nothing():
    found = gain(runs_of([1.0], [0.0]), Claim(TAUGHT, ALONE, "score"))
    assert (found["gain"], found["verdict"]) == (1.0, "undecided")
    assert verdict(np.nan, np.nan) == "undecided"


@pytest.mark.parametrize(
    ("found", "message"), [({"score": np.nan}, "score=nan"), ({"speed": 1.0}, "speed=1.0")]
)
def test_what_is_no_number_for_a_measure(experiment, found, message):
    strange = Experiment(**{**vars(experiment), "compute": lambda *_: found})
    with pytest.raises(ValueError, match=message):
        main(strange, [])
    assert not strange.file("_runs").exists()


def test_runs_of_another_table(experiment):
    main(experiment, [])
    other = Experiment(**{**vars(experiment), "measures": ("score",)})
    with pytest.raises(ValueError, match="remove the file"):
        main(other, [])


def test_the_reason_of_the_most_words_is_given(experiment):
    reasons = {("small",): "few", ("small", "score"): "few scores", ("taught", "score"): "later"}
    explained = Experiment(**{**vars(experiment), "because": reasons})
    assert explained.reason("small", *TAUGHT, "score") == "few scores"  # the first of two
    assert explained.reason("small", *TAUGHT, "of_teacher") == "few"
    assert explained.reason("full", *ALONE, "score") == ""
    assert experiment.reason("small", *TAUGHT, "score") == ""


def test_at_least_one_run(experiment, capsys):
    with pytest.raises(SystemExit):
        main(experiment, ["--runs", "0"])
    assert "--runs must be at least 1" in capsys.readouterr().err


def test_the_module_s_examples_hold():
    import doctest

    assert doctest.testmod(claims) == doctest.TestResults(failed=0, attempted=2)
