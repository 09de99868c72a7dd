"""Lines of Markdown, no longer than those of the project."""

from __future__ import annotations

import textwrap

_WIDTH = 120


def filled(text: str) -> str:
    """A paragraph."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def item(text: str) -> str:
    """An item of a list."""
    return textwrap.fill(
        text, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def row(*cells: object) -> str:
    """A row of a table; what would end a cell is written as another sign."""
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"
