"""Figures of a report as SVG, the same bytes for the same numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

_SETTINGS: Final = {"svg.hashsalt": "mhdesk", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 9}
_NO_DATES: Final = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_BINS: Final = 40


def bars(counts: Mapping[str, int], title: str) -> str:
    """One bar a name, in the order given. Returns an `<svg>` element."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(8, 0.8 + 0.25 * max(1, len(counts))), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(list(counts)[::-1], list(counts.values())[::-1], color="#4a7a8c")
        axes.set_title(title)
        axes.set_xlabel("rows")
        return _svg(figure)


def lengths(before: Sequence[int], after: Sequence[int], title: str, longest: int) -> str:
    """How long texts are, before and after.

    Args:
        before: characters.
        after: characters.
        title: of the figure.
        longest: characters; what is longer stands in the last bin.
    """
    edges = [longest * place / _BINS for place in range(_BINS + 1)]
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(8, 2.6), layout="constrained")
        axes = figure.add_subplot()
        for values, label, colour in ((before, "before", "#c9b27c"), (after, "after", "#4a7a8c")):
            axes.hist([min(value, longest) for value in values], edges, label=label, color=colour, alpha=0.75)
        axes.set_title(title)
        axes.set_xlabel("characters")
        axes.set_ylabel("rows")
        axes.legend(loc="upper right")
        return _svg(figure)


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_DATES)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
