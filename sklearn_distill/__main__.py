"""Distil from the command line: ``sklearn-distill``, or ``python -m sklearn_distill``."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import sklearn_distill
from sklearn_distill._atomic_file import atomic_file
from sklearn_distill.experiment import (
    STUDENTS,
    ExperimentData,
    Outcome,
    digits_data,
    draw_outcome,
    fashion_mnist_data,
    rehearse,
    run_experiment,
    save_model,
    table_data,
)

DESCRIPTION = """\
Train a small, fast student from a strong teacher, and report whether the teacher helped.

The samples are split into three parts. The teacher is fitted on the first. On the second, the
student is fitted twice: the baseline on the labels alone, and the distilled student on the labels
and the teacher's predictions. Cross-validation chooses a parameter of the student (C, alpha, leaf
size, number of trees or epochs) for both, and for the distilled student the imitation (the weight
of the teacher) and, of classes, the temperature. All models are compared on the third part, a
held-out test set. With --unlabeled or --privileged, teacher and student share the first two parts,
and the student is trained on out-of-fold predictions of the teacher."""

BUILT_IN = {"digits": digits_data, "fashion-mnist": fashion_mnist_data}
ENDINGS = {
    "figure": (".png", ".pdf", ".svg"),
    "html": (".html", ".htm"),
    "save": (".skops", ".onnx"),
}
DEFAULT_FIGURE = "sklearn_distill_report.png"
PLOT = 'needs matplotlib: pip install "sklearn-distill[plot]"'
OF_A_TABLE = {
    "target": None,
    "task": "auto",
    "teacher": "boosting",
    "unlabeled": None,
    "privileged": (),
    "trust": False,
}

EPILOG = """\
examples:
  sklearn-distill                                          scikit-learn's digits, seconds
  sklearn-distill --data fashion-mnist                     minutes
  sklearn-distill --data my.csv --target price_class
  sklearn-distill --data my.csv --target price --student auto --save student.onnx
  sklearn-distill --data my.csv --target kind --privileged lab_value,biopsy --html report.html

exit status: 0, 2 for an argument or a file that cannot be used, 130 after Ctrl-C"""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line.

    Parameters
    ----------
    arguments : list of str or None
        The arguments; None reads those of the process.

    Returns
    -------
    Namespace
        With an attribute for each option.
    """
    parser = argparse.ArgumentParser(
        prog=_program(),
        usage="%(prog)s [--data NAME] [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"sklearn_distill {sklearn_distill.__version__}"
    )
    _add_data(parser)
    _add_models(parser)
    _add_outputs(parser)
    parsed = parser.parse_args(arguments)
    _check_arguments(parser, parsed)
    return parsed


def _program() -> str:
    name = Path(sys.argv[0]).name
    return name if name.startswith("sklearn-distill") else "python -m sklearn_distill"


def _add_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data",
        default="digits",
        metavar="NAME",
        help="digits (default), fashion-mnist, or the path of a CSV file with a header or of a "
        "Parquet file, whose columns of dates, identifiers, one value and no values are left out",
    )
    group.add_argument("--target", metavar="COLUMN", help="the column of the table to predict")
    group.add_argument(
        "--task",
        default="auto",
        choices=("auto", "classification", "regression"),
        help="default: found out from the column",
    )
    group.add_argument(
        "--unlabeled",
        metavar="PATH",
        help="a CSV or Parquet file of rows without a target; the student is trained on the "
        "teacher's predictions of them, too",
    )
    group.add_argument(
        "--privileged",
        type=_columns,
        default=(),
        metavar="COLUMNS",
        help="columns that only the teacher uses, separated by commas",
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("models")
    group.add_argument(
        "--teacher",
        default="boosting",
        metavar="NAME",
        help="boosting (default), forest, or the path of a fitted model (.skops; with --trust also "
        "of joblib), which must have been fitted on other rows than those of the table",
    )
    group.add_argument(
        "--trust",
        action="store_true",
        help="load the teacher from a file of joblib, or with types that skops does not know: "
        "such a file can run any code",
    )
    group.add_argument(
        "--student",
        default="linear",
        choices=STUDENTS,
        help="a linear model (default), a decision tree, boosted trees or a neural network; auto "
        "takes the one of the first three whose baseline is best in cross-validation",
    )
    group.add_argument(
        "--metric",
        metavar="NAME",
        help="the metric that chooses and decides, such as accuracy or roc_auc (default: log_loss, "
        "or root_mean_squared_error)",
    )
    group.add_argument(
        "--random-state",
        type=int,
        default=0,
        metavar="N",
        help="random seed (default: %(default)s)",
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--figure", metavar="PATH", help=f"where to save the figure (default: {DEFAULT_FIGURE})"
    )
    group.add_argument("--html", metavar="PATH", help="where to save the report as one HTML page")
    group.add_argument(
        "--save",
        metavar="PATH",
        help="where to save the distilled student, which takes rows as the table has them: .skops "
        "or .onnx",
    )
    group.add_argument(
        "--quiet", action="store_true", help="print the first line of the report, no progress"
    )


def _columns(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _check_arguments(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> None:
    if parsed.data in BUILT_IN:
        given = [name for name, default in OF_A_TABLE.items() if getattr(parsed, name) != default]
        if given:
            parser.error(f"--{given[0]} is only used with a table, not with --data {parsed.data}")
    elif parsed.target is None:
        parser.error(f"--data {parsed.data}: pass the column to predict with --target COLUMN")
    if parsed.target in parsed.privileged:
        parser.error(f"--privileged {parsed.target}: this is the target")
    for option in ENDINGS:
        path = getattr(parsed, option)
        if path is not None:
            _check_output(parser, option, path)


def _check_output(parser: argparse.ArgumentParser, option: str, path: str) -> None:
    """End with a message if a file cannot be written: now, not after the work."""
    said = f"--{option} {path}"
    if Path(path).suffix not in ENDINGS[option]:
        parser.error(f"{said}: it must end in {', '.join(ENDINGS[option])}")
    if option != "save" and find_spec("matplotlib") is None:
        parser.error(f"{said} {PLOT}")
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        parser.error(f"{said}: there is no folder {Path(path).parent}")
    if Path(path).is_dir():
        parser.error(f"{said}: this is a folder")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        parser.error(f"{said}: the folder cannot be written to ({error.strerror})")


def _default_figure(parsed: argparse.Namespace) -> str | None:
    """Return where the figure goes that was not asked for; None, with a word, if it cannot."""
    if find_spec("matplotlib") is None:
        why = PLOT
    elif not _can_write():
        why = "cannot be written here; pass --figure PATH"
    else:
        return DEFAULT_FIGURE
    logging.getLogger(__name__).info("No figure: it %s", why)
    return None


def _can_write() -> bool:
    try:
        tempfile.TemporaryFile(dir=".").close()
    except OSError:
        return False
    return True


def load_data(parsed: argparse.Namespace) -> ExperimentData:
    """Load the data that the command line selects.

    Parameters
    ----------
    parsed : Namespace
        From :func:`parse_arguments`.

    Returns
    -------
    ExperimentData
        The data, its split, teacher and students.
    """
    if parsed.data in BUILT_IN:
        return BUILT_IN[parsed.data](parsed.random_state, parsed.student, parsed.metric)
    return table_data(
        parsed.data,
        parsed.target,
        parsed.random_state,
        task=parsed.task,
        teacher=parsed.teacher,
        student=parsed.student,
        metric=parsed.metric,
        unlabeled=parsed.unlabeled,
        privileged=parsed.privileged,
        trust=parsed.trust,
        indicators=not (parsed.save or "").endswith(".onnx"),
    )


def describe(outcome: Outcome) -> str:
    """Return the text that is printed.

    Parameters
    ----------
    outcome : Outcome
        The result of the experiment.

    Returns
    -------
    str
        The report, the chosen parameters and the speed-up.
    """
    chosen = ", ".join(f"{name} = {value:g}" for name, value in sorted(outcome.chosen.items()))
    return (
        f"\n{outcome.title}\n{outcome.report}\n\n"
        f"Chosen by cross-validation: {chosen}.\n"
        f"{_describe_speed(outcome)}"
    )


def _describe_speed(outcome: Outcome) -> str:
    speed = outcome.report.table["rows_per_second"]
    ratio = speed["distilled"] / speed["teacher"]
    if ratio < 2:
        return "The distilled student predicts hardly faster than the teacher."
    return f"The distilled student predicts {ratio:.0f} times as fast as the teacher."


def _save(outcome: Outcome, parsed: argparse.Namespace, saved: list[str]) -> None:
    """Write the files that were asked for; list each when it is complete."""
    if parsed.save is not None:
        save_model(outcome.model, parsed.save, outcome.data.part("student")[0])
        saved.append(f"Model: {parsed.save}")
    if parsed.html is not None:
        page = outcome.report.to_html().encode()
        with atomic_file(parsed.html) as file:
            file.write(page)
        saved.append(f"Report: {parsed.html}")
    if parsed.figure is not None:
        draw_outcome(outcome, parsed.figure)
        saved.append(f"Figure: {parsed.figure}")


def _run(parsed: argparse.Namespace, saved: list[str]) -> None:
    if parsed.figure is None:
        parsed.figure = _default_figure(parsed)
    data = load_data(parsed)
    rehearse(data, parsed.save)
    outcome = run_experiment(data, parsed.random_state, progress=not parsed.quiet)
    print(outcome.report.headline if parsed.quiet else describe(outcome))
    _save(outcome, parsed, saved)
    if not parsed.quiet:
        print("\n".join(saved))


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : list of str or None
        The arguments; None reads those of the process.

    Returns
    -------
    int
        Exit status: 0, 2 for invalid input, 130 after Ctrl-C.
    """
    parsed = parse_arguments(arguments)
    level = logging.WARNING if parsed.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(message)s")
    saved: list[str] = []
    try:
        _run(parsed, saved)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = "; saved: " + ", ".join(saved) if saved else ": nothing was saved"
        print(f"\ninterrupted{kept}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
