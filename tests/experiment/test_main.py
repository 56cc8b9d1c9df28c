"""The command line as a new user runs it."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sklearn_distill.__main__ import main


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = np.where(X[:, 0] * X[:, 1] + X[:, 2] + rng.logistic(size=600) > 0, "yes", "no")
    path = tmp_path / "table.csv"
    pd.DataFrame(X, columns=list("abcd")).assign(answer=y).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("arguments", "student", "chosen"),
    [
        ([], "a linear student", "C = "),
        (["--student", "tree"], "a decision tree", "min_samples_leaf = "),
        (["--student", "boosting"], "boosted trees", "max_iter = 5,"),
    ],
)
def test_own_table(arguments, student, chosen, table, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "sklearn_distill.experiment.run.IMITATION", {"imitation": [1.0], "temperature": [1.0, 2.0]}
    )
    monkeypatch.setattr("sklearn_distill.experiment._students.N_TREES", [5])
    figure = tmp_path / "figure.png"
    own = ["--data", str(table), "--target", "answer", "--figure", str(figure)]
    assert main([*own, *arguments]) == 0
    printed = capsys.readouterr()
    assert f"table.csv: {student} distilled from gradient boosting" in printed.out
    assert chosen in printed.out
    assert "Did the teacher help?" in printed.out
    decisions = ("Distillation helps: ", "Do not distil: ", "Undecided: ")
    headlines = [line for line in printed.out.splitlines() if line.startswith(decisions)]
    assert len(headlines) == 1
    assert "The teacher was fitted on 300 labelled samples of its own" in printed.out
    assert "distilled student: 100%" in printed.err
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_the_module_runs_and_prints_its_help():
    result = subprocess.run(
        [sys.executable, "-m", "sklearn_distill", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--data NAME" in result.stdout
    assert "a held-out test set" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere.csv"], "pass the column to predict with --target"),
        (["--target", "y"], "--target is only used with a CSV file"),
        (["--student", "forest"], "invalid choice: 'forest'"),
        (["--figure", "/no/such/folder/x.png"], "there is no folder /no/such/folder"),
    ],
)
def test_invalid_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_an_invalid_file_is_reported_on_one_line(capsys):
    assert main(["--data", "nowhere.csv", "--target", "y"]) == 2
    assert capsys.readouterr().err == "error: --data nowhere.csv: there is no such file\n"


def test_ctrl_c(monkeypatch, capsys, tmp_path):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn_distill.__main__.run_experiment", interrupted)
    assert main(["--figure", str(tmp_path / "x.png")]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


@pytest.mark.slow
def test_digits(tmp_path, capsys):
    assert main(["--figure", str(tmp_path / "x.pdf")]) == 0
    assert "697 test samples" in capsys.readouterr().out
