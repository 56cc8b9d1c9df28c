"""What distillation_report returns: two tables that print themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from sklearn_distill.inspection.report_display import ReportDisplay

_FORMATS = {"n_parameters": ",.0f", "n_bytes": ",.0f", "predict_us_per_row": ",.2f"}


@dataclass(frozen=True, eq=False, repr=False)
class DistillationReport:
    """Numbers of a teacher and of a student without and with it.

    Parameters
    ----------
    table : DataFrame
        Rows "teacher", "student alone", "student distilled"; columns as in
        :func:`distillation_report`.
    did_the_teacher_help : DataFrame
        By metric the difference distilled − alone, the ends low and high of its interval, and
        the verdict "helps", "hurts" or "undecided".
    n_rows : int
        Number of test rows.
    classes : list
        Classes that occur in y or that a model knows.
    n_bootstrap : int
        Number of resamples behind the intervals.
    confidence_level : float
        Level of the intervals.
    teacher_saw : str or None
        The user's words on which rows the teacher was fitted.
    """

    table: pd.DataFrame
    did_the_teacher_help: pd.DataFrame
    n_rows: int
    classes: list[Any]
    n_bootstrap: int
    confidence_level: float
    teacher_saw: str | None = None

    def plot(
        self, metric: str = "accuracy", *, cost: str = "predict_us_per_row", ax: Any = None
    ) -> ReportDisplay:
        """Draw a metric against prediction time or size, one point a model.

        Parameters
        ----------
        metric : str, default="accuracy"
            Column of ``table``.
        cost : {"predict_us_per_row", "n_parameters", "n_bytes"}, default="predict_us_per_row"
            Another.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ReportDisplay
            The drawing, with the interval of the teacher's help.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``table`` has no such columns.
        """
        return ReportDisplay.from_report(self, metric=metric, cost=cost, ax=ax)

    @property
    def _heading(self) -> str:
        saw = f" The teacher saw {self.teacher_saw}." if self.teacher_saw else ""
        return f"{self.n_rows} test rows, {len(self.classes)} classes.{saw}"

    @property
    def _question(self) -> str:
        return (
            "Did the teacher help? Distilled − alone, "
            f"{100 * self.confidence_level:g} % intervals of {self.n_bootstrap} paired "
            "resamples of the test rows"
        )

    def _texts(self) -> pd.DataFrame:
        """Return the main table as text, models across: it fits a terminal."""
        rows = {
            str(column): [_text(value, _FORMATS.get(str(column), ".4f")) for value in values]
            for column, values in self.table.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.table.index))

    def _help_texts(self) -> pd.DataFrame:
        help_ = self.did_the_teacher_help
        texts = {c: [_text(v, "+.4f") for v in help_[c]] for c in ("difference", "low", "high")}
        frame = pd.DataFrame(texts, index=help_.index).rename_axis(None)
        return frame.assign(verdict=help_["verdict"].tolist())

    def __str__(self) -> str:
        tables = self._texts().to_string(), self._help_texts().to_string()
        return f"{self._heading}\n\n{tables[0]}\n\n{self._question}\n\n{tables[1]}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        tables = self._texts().to_html(), self._help_texts().to_html()
        heading, question = escape(self._heading), escape(self._question)
        return f"<p>{heading}</p>{tables[0]}<p>{question}</p>{tables[1]}"


def _text(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)
