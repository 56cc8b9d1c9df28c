"""Run a distillation experiment from the command line: ``python -m sklearn_distill``."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from sklearn_distill.demo import (
    STUDENTS,
    DemoData,
    Outcome,
    digits_data,
    draw_outcome,
    fashion_mnist_data,
    run_experiment,
    table_data,
)

DESCRIPTION = """\
Train a small, fast student from a strong teacher, and report whether the teacher helped.

The samples are split into three parts. The teacher is fitted on the first. On the second, the
student is fitted twice: the baseline on the labels alone, and the distilled student on the labels
and the teacher's predicted probabilities. Cross-validation chooses a parameter of the student
(C, leaf size or number of trees) for both, and for the distilled student the imitation (the
weight of the teacher) and the temperature. All models are compared on the third part,
a held-out test set."""

FIGURE_FORMATS = (".png", ".pdf", ".svg")

EPILOG = """\
examples:
  python -m sklearn_distill                                scikit-learn's digits, seconds
  python -m sklearn_distill --data fashion-mnist           minutes
  python -m sklearn_distill --data my.csv --target price_class
  python -m sklearn_distill --student boosting             boosted trees instead, a minute"""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line.

    Parameters
    ----------
    arguments : list of str or None
        The arguments; None reads those of the process.

    Returns
    -------
    Namespace
        With the attributes data, target, student, figure and random_state.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_distill",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data",
        default="digits",
        metavar="NAME",
        help="digits (default), fashion-mnist, or the path of a CSV file with a header, whose "
        "columns of dates, identifiers and no values are left out",
    )
    parser.add_argument("--target", metavar="COLUMN", help="the target column of the CSV file")
    parser.add_argument(
        "--student",
        default="linear",
        choices=STUDENTS,
        help="logistic regression (default), decision tree or boosted trees",
    )
    parser.add_argument(
        "--figure",
        default="sklearn_distill_report.png",
        metavar="PATH",
        help="where to save the figure (default: %(default)s)",
    )
    parser.add_argument(
        "--random-state",
        type=int,
        default=0,
        metavar="N",
        help="random seed (default: %(default)s)",
    )
    parsed = parser.parse_args(arguments)
    _check_arguments(parser, parsed)
    return parsed


def _check_arguments(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> None:
    built_in = parsed.data in ("digits", "fashion-mnist")
    if built_in and parsed.target is not None:
        parser.error(f"--target is only used with a CSV file, not with --data {parsed.data}")
    if not built_in and parsed.target is None:
        parser.error(f"--data {parsed.data}: pass the column to predict with --target COLUMN")
    if Path(parsed.figure).suffix not in FIGURE_FORMATS:
        parser.error(f"--figure {parsed.figure}: it must end in {', '.join(FIGURE_FORMATS)}")
    if not Path(parsed.figure).absolute().parent.is_dir():
        parser.error(f"--figure {parsed.figure}: there is no folder {Path(parsed.figure).parent}")


def load_data(parsed: argparse.Namespace) -> DemoData:
    """Load the data that the command line selects.

    Parameters
    ----------
    parsed : Namespace
        From :func:`parse_arguments`.

    Returns
    -------
    DemoData
        The data, its split, teacher and student.
    """
    if parsed.data == "digits":
        return digits_data(parsed.random_state, parsed.student)
    if parsed.data == "fashion-mnist":
        return fashion_mnist_data(parsed.random_state, parsed.student)
    return table_data(parsed.data, parsed.target, parsed.random_state, parsed.student)


def describe(outcome: Outcome) -> str:
    """Return the text that the demo prints.

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
        f"\n{outcome.data.name}\n{outcome.report}\n\n"
        f"Chosen by cross-validation: {chosen}.\n"
        f"{_describe_speed(outcome)}"
    )


def _describe_speed(outcome: Outcome) -> str:
    speed = outcome.report.table["rows_per_second"]
    ratio = speed["distilled"] / speed["teacher"]
    if ratio < 2:
        return "The distilled student predicts hardly faster than the teacher."
    return f"The distilled student predicts {ratio:.0f} times as fast as the teacher."


def main(arguments: list[str] | None = None) -> int:
    """Run the demo.

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
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        outcome = run_experiment(load_data(parsed), parsed.random_state)
        print(describe(outcome))
        draw_outcome(outcome, parsed.figure)
        print(f"Figure: {parsed.figure}")
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted: nothing was saved", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
