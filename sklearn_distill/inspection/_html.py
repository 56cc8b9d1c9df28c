"""A self-contained HTML page of a report."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import Any

from sklearn_distill.inspection._drawing import new_figure

_STYLE = (
    "body{font-family:sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.2em .6em;text-align:right}"
    "img{max-width:100%}strong{font-size:1.2em}"
)


def html_page(body: str, plot: Callable[..., Any]) -> str:
    """Return a page with a figure, which is stored in the page.

    Parameters
    ----------
    body : str
        HTML of the headline and the tables.
    plot : callable
        ``plot(ax=axes)`` plots on two Axes.

    Returns
    -------
    str
        The page.
    """
    figure, axes = new_figure()
    plot(ax=axes)
    image = BytesIO()
    figure.savefig(image, format="png", dpi=150)
    source = b64encode(image.getvalue()).decode("ascii")
    alt = "Differences of the metrics with intervals, and quality against cost"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Distillation report</title><style>{_STYLE}</style></head><body>"
        f'{body}<p><img alt="{alt}" src="data:image/png;base64,{source}"></p></body></html>\n'
    )
