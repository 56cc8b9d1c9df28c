"""The command line as a new user runs it."""

import os
import re
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import FunctionTransformer

import sklearn_distill
from sklearn_distill.__main__ import main
from sklearn_distill.inspection import distillation_report

N = 400
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
SCORE = X[:, 0] * X[:, 1] + X[:, 2] + RNG.logistic(size=N)
TABLE = pd.DataFrame(X, columns=list("abcd")).assign(
    colour=RNG.choice(["red", "green"], size=N), day="2026-01-31", row=range(N)
)
YES = np.where(SCORE > 0, "yes", "no")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    TABLE.assign(answer=YES).to_csv(path, index=False)
    return path


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices.csv"
    TABLE.assign(price=SCORE).to_csv(path, index=False)
    return path


@pytest.fixture
def _few_fits(monkeypatch):
    students = "sklearn_distill.experiment._students"
    monkeypatch.setattr(f"{students}.IMITATION", [0.5, 1.0])
    monkeypatch.setattr(f"{students}.TEMPERATURE", [1.0, 2.0])
    monkeypatch.setattr(f"{students}.N_TREES", [5])
    monkeypatch.setattr(f"{students}.N_EPOCHS", [2])
    monkeypatch.setattr(f"{students}.LEAF_SIZES", [10])
    monkeypatch.setattr(f"{students}.CS", [1.0])
    monkeypatch.setattr(f"{students}.ALPHAS", [1.0])
    monkeypatch.setattr(
        "sklearn_distill.experiment.run.distillation_report",
        partial(distillation_report, n_repeats=1),
    )


def run(path, target, *arguments):
    """Return the exit status of a run that draws no large figure."""
    figure = str(path.parent / "figure.svg")
    return main(["--data", str(path), "--target", target, "--figure", figure, *arguments])


def values(metric, printed):
    """Return the metric of prior, teacher, baseline and distilled student."""
    line = re.search(rf"^{metric} +([\d. ]+)$", printed, re.MULTILINE)
    return [float(value) for value in line[1].split()]


def raw_rows(path):
    return pd.read_csv(path).sample(frac=1, axis=1, random_state=0)  # in another order


@pytest.mark.parametrize(
    ("arguments", "student", "chosen"),
    [
        ([], "a linear student", "C = "),
        (["--student", "tree"], "a decision tree", "min_samples_leaf = "),
        (["--student", "boosting"], "boosted trees", "max_iter = 5,"),
    ],
)
@pytest.mark.usefixtures("_few_fits")
def test_own_table(arguments, student, chosen, table, tmp_path, capsys):
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
    assert "The teacher was fitted on 200 labelled samples of its own" in printed.out
    assert "distilled student: 100%" in printed.err
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("student", ["linear", "tree", "boosting"])
@pytest.mark.usefixtures("_few_fits")
def test_numbers_to_predict(student, prices, capsys):
    saved, page = prices.with_name("student.skops"), prices.with_name("report.html")
    options = "--student", student, "--save", str(saved), "--html", str(page)
    assert run(prices, "price", *options) == 0
    printed = capsys.readouterr().out
    assert "root_mean_squared_error decides" in printed
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    model = load(saved)
    rows = raw_rows(prices)
    rmse = np.sqrt(np.mean((model.predict(rows) - rows["price"]) ** 2))
    assert rmse < rows["price"].std()
    assert not type(model[-1]).__module__.startswith("sklearn_distill")


@pytest.mark.usefixtures("_few_fits")
def test_a_network_predicts_in_the_unit_of_the_target(prices, capsys):
    pytest.importorskip("skorch", reason="the extra neural is not installed")
    frame = pd.read_csv(prices)
    frame.assign(price=1e4 + 100 * frame["price"]).to_csv(prices, index=False)
    saved = prices.with_name("student.skops")
    assert run(prices, "price", "--student", "network", "--save", str(saved)) == 0
    prior, _, baseline, distilled = values("root_mean_squared_error", capsys.readouterr().out)
    assert max(baseline, distilled) < 1.1 * prior < 1000
    model = load(saved)
    assert type(model[-1]).__name__ == "MLPRegressor"
    rows = raw_rows(prices)
    rmse = np.sqrt(np.mean((model.predict(rows) - rows["price"]) ** 2))
    assert rmse < 1.1 * rows["price"].std()


def load(path):
    skops = pytest.importorskip("skops.io", reason="the extra deploy is not installed")
    return skops.load(path, trusted=skops.get_untrusted_types(file=path))


@pytest.mark.usefixtures("_few_fits")
def test_privileged_columns_and_unlabelled_rows(table, capsys, monkeypatch):
    unlabeled = table.with_name("unlabeled.csv")
    TABLE.head(50).to_csv(unlabeled, index=False)
    saved = table.with_name("student.skops")
    options = "--privileged", "b,colour", "--unlabeled", str(unlabeled), "--save", str(saved)
    assert run(table, "answer", *options) == 0
    printed = capsys.readouterr().out
    assert "fitted on the 300 training samples, out of fold" in printed
    assert "trained on 300 samples and 50 unlabelled ones" in printed
    model = load(saved)
    assert model[0].feature_names_in_.tolist() == ["a", "c", "d"]
    assert set(model.predict(raw_rows(table).drop(columns=["b", "colour"]))) == {"yes", "no"}


@pytest.mark.usefixtures("_few_fits")
def test_pure_noise_with_unlabelled_rows_stays_at_the_prior(table, capsys):
    noise = RNG.permutation(YES)
    TABLE.assign(answer=noise).to_csv(table, index=False)
    unlabeled = table.with_name("unlabeled.csv")
    TABLE.to_csv(unlabeled, index=False)  # the same features, test rows included
    assert run(table, "answer", "--unlabeled", str(unlabeled), "--metric", "accuracy") == 0
    printed = capsys.readouterr().out
    assert max(values("accuracy", printed)) < 0.65


@pytest.mark.usefixtures("_few_fits")
def test_a_teacher_from_a_file(table, capsys):
    forest = RandomForestClassifier(20, min_samples_leaf=5, random_state=0)
    forest.fit(TABLE[["d", "c", "a", "b"]], YES)  # in another order, of fewer columns
    skops = pytest.importorskip("skops.io", reason="the extra deploy is not installed")
    skops.dump(forest, table.with_name("teacher.skops"))
    assert run(table, "answer", "--teacher", str(table.with_name("teacher.skops"))) == 0
    assert "distilled from the model teacher.skops" in capsys.readouterr().out
    unlabeled = table.with_name("unlabeled.csv")
    TABLE[["a", "b", "c", "d", "colour"]].to_csv(unlabeled, index=False)
    options = "--teacher", str(table.with_name("teacher.skops")), "--unlabeled", str(unlabeled)
    assert run(table, "answer", *options, "--privileged", "d") == 0
    assert "fitted on samples that are not known here" in capsys.readouterr().out
    unsafe = table.with_name("teacher.joblib")
    joblib.dump(forest, unsafe)
    assert run(table, "answer", "--teacher", str(unsafe)) == 2
    assert "pass --trust if you trust this one" in capsys.readouterr().err
    assert run(table, "answer", "--teacher", str(unsafe), "--trust", "--quiet") == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert printed.err == ""


def test_a_file_of_skops_runs_no_code_without_trust(table, capsys):
    skops = pytest.importorskip("skops.io", reason="the extra deploy is not installed")
    unsafe = table.with_name("teacher.skops")
    skops.dump(FunctionTransformer(os.getcwd), unsafe)
    assert run(table, "answer", "--teacher", str(unsafe)) == 2
    assert "getcwd; pass --trust if you trust the file" in capsys.readouterr().err


def test_teachers_that_do_not_fit_are_reported_on_one_line(table, capsys):
    models = {
        "is no model for classification": LinearRegression().fit(TABLE[["a"]], SCORE),
        "its classes are 0, 1": LogisticRegression().fit(TABLE[["a"]], SCORE > 0),
        "columns that the table lacks: z": LogisticRegression().fit(
            TABLE[["a"]].rename(columns={"a": "z"}), YES
        ),
        "does not predict rows of this table": LogisticRegression().fit(X, YES),
    }
    models["its classes are 0, 1"].classes_ = np.array([0, 1])
    path = table.with_name("teacher.joblib")
    for message, model in models.items():
        joblib.dump(model, path)
        assert run(table, "answer", "--teacher", str(path), "--trust") == 2
        line = capsys.readouterr().err
        assert message in line
        assert line.count("\n") == 1 or line.startswith("Task")
    path.write_bytes(b"no model")
    assert run(table, "answer", "--teacher", str(path), "--trust") == 2
    assert "not a readable model" in capsys.readouterr().err


@pytest.mark.usefixtures("_few_fits")
def test_imbalance_is_in_the_headline(table, capsys):
    rare = np.where(np.quantile(SCORE, 0.9) < SCORE, "yes", "no")
    TABLE.assign(answer=rare).to_csv(table, index=False)
    assert run(table, "answer", "--quiet", "--teacher", "forest") == 0
    (headline,) = capsys.readouterr().out.splitlines()
    assert headline.endswith("The classes are imbalanced: no 90.0%, yes 10.0%.")


@pytest.mark.usefixtures("_few_fits")
def test_auto_takes_the_student_whose_baseline_is_best(table, capsys):
    # a step of one column: a tree is exact, a linear model is not
    step = np.where(np.abs(TABLE["a"]) < 0.6, "yes", "no")
    TABLE.assign(answer=step).to_csv(table, index=False)
    assert run(table, "answer", "--student", "auto", "--metric", "accuracy") == 0
    printed = capsys.readouterr().out
    assert "table.csv: a linear student" not in printed
    assert "accuracy decides" in printed


@pytest.mark.usefixtures("_few_fits")
def test_an_onnx_file_predicts_rows_of_the_table(table):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("skl2onnx", reason="the extra onnx is not installed")
    missing = np.where(TABLE["b"] > 1, None, TABLE["b"])
    TABLE.assign(answer=YES, b=missing).to_csv(table, index=False)
    path = table.with_name("student.onnx")
    assert run(table, "answer", "--save", str(path), "--quiet") == 0
    session = onnxruntime.InferenceSession(path.read_bytes())
    rows = pd.read_csv(table)
    given = {name: rows[[name]].to_numpy(np.float32) for name in "abcd"}
    given["colour"] = rows[["colour"]].to_numpy(object)
    labels = session.run(["label"], given)[0]
    assert (labels == YES).mean() > 0.6


def test_what_cannot_be_saved_is_said_before_the_work(table, capsys, monkeypatch):
    pytest.importorskip("skl2onnx", reason="the extra onnx is not installed")
    monkeypatch.setattr("sklearn_distill.__main__.run_experiment", None)
    TABLE.assign(answer=YES, colour=[None, "red"] * (N // 2)).to_csv(table, index=False)
    assert run(table, "answer", "--student", "tree", "--save", str(table.with_name("x.onnx"))) == 2
    assert "cannot be saved in this format; .skops may do" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("metric", "message"),
    [("beauty", "unknown; pass one of log_loss, "), ("f1", "it does not suit this target")],
)
def test_invalid_metrics(table, capsys, monkeypatch, metric, message):
    monkeypatch.setattr("sklearn_distill.__main__.run_experiment", None)
    assert run(table, "answer", "--metric", metric) == 2
    assert f"error: --metric {metric}: {message}" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"sklearn_distill {sklearn_distill.__version__}\n"


def test_the_entry_point_is_main():
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert pyproject["project"]["scripts"] == {"sklearn-distill": "sklearn_distill.__main__:main"}


def test_without_matplotlib_there_is_no_figure_and_that_is_said_first(monkeypatch, capsys, caplog):
    monkeypatch.setattr("sklearn_distill.__main__.find_spec", lambda name: None)
    for option, path in {"--figure": "x.png", "--html": "x.html"}.items():
        with pytest.raises(SystemExit) as exit_:
            main([option, path])
        assert exit_.value.code == 2
        assert f"{option} {path} needs matplotlib: pip install" in capsys.readouterr().err
    with caplog.at_level("INFO"):
        main(["--data", "nowhere.csv", "--target", "y"])
    assert "No figure: it needs matplotlib" in caplog.text


def test_a_folder_that_cannot_be_written_to(monkeypatch, capsys, tmp_path):
    def refused(**where):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sklearn_distill.__main__.tempfile.TemporaryFile", refused)
    with pytest.raises(SystemExit):
        main(["--save", str(tmp_path / "x.skops")])
    message = "x.skops: the folder cannot be written to (Permission denied)"
    assert message in capsys.readouterr().err


def test_the_module_runs_and_prints_its_help():
    result = subprocess.run(
        [sys.executable, "-m", "sklearn_distill", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--data NAME" in result.stdout
    assert "held-out test set" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere.csv"], "pass the column to predict with --target"),
        (["--target", "y"], "--target is only used with a table"),
        (["--student", "forest"], "invalid choice: 'forest'"),
        (["--privileged", "a"], "--privileged is only used with a table"),
        (["--task", "regression"], "--task is only used with a table"),
        (["--data", "x.csv", "--target", "y", "--privileged", "x, y"], "this is the target"),
        (["--figure", "x.gif"], "--figure x.gif: it must end in .png, .pdf, .svg"),
        (["--html", "x.png"], "--html x.png: it must end in .html"),
        (["--save", "x.pkl"], "--save x.pkl: it must end in .skops, .onnx"),
        (["--figure", "/no/such/folder/x.png"], "there is no folder /no/such/folder"),
    ],
)
def test_invalid_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--privileged", "e"], "--privileged e: --data has no such column"),
        (["--privileged", "row"], "--privileged row: this column is left out"),
        (["--privileged", "a,b,c,d,colour"], "--privileged: no column is left for the student"),
        (["--teacher", "tree"], "--teacher tree: there is no such file; pass boosting, forest or"),
        (["--unlabeled", "no.csv"], "--unlabeled no.csv: there is no such file"),
        (["--task", "regression"], "--target answer: its values are not numbers, such as"),
    ],
)
def test_what_the_table_does_not_have(arguments, message, table, capsys):
    assert run(table, "answer", *arguments) == 2
    assert f"error: {message}" in capsys.readouterr().err


def test_an_invalid_file_is_reported_on_one_line(capsys):
    assert main(["--data", "nowhere.csv", "--target", "y"]) == 2
    assert capsys.readouterr().err == "error: --data nowhere.csv: there is no such file\n"


def test_ctrl_c(monkeypatch, capsys, tmp_path):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn_distill.__main__.run_experiment", interrupted)
    assert main(["--figure", str(tmp_path / "x.png")]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


@pytest.mark.usefixtures("_few_fits")
def test_ctrl_c_after_the_work_names_what_was_saved(monkeypatch, capsys, table):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn_distill.__main__.draw_outcome", interrupted)
    page = table.with_name("report.html")
    assert run(table, "answer", "--html", str(page)) == 130
    assert capsys.readouterr().err.endswith(f"interrupted; saved: Report: {page}\n")
    assert not table.with_name("figure.svg").exists()


@pytest.mark.slow
def test_digits(tmp_path, capsys):
    assert main(["--figure", str(tmp_path / "x.pdf")]) == 0
    assert "697 test samples" in capsys.readouterr().out
