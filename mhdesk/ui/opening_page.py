"""What stands in the conversation before anything is said: what this is, and the question how old someone is.

Both stand where messages will be, so that neither covers the help or the field one types in; both can be left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout

from mhdesk.core.settings import AgeBand
from mhdesk.ui.labels import button, words

AGES = {
    AgeBand.UNDER_13: "Under 13",
    AgeBand.TEEN: "13 to 17",
    AgeBand.ADULT: "18 or older",
    AgeBand.UNKNOWN: "Rather not say",
}
"""The answers, as they are shown."""

_PAD = 16
_GAP = 8


class Aside(QFrame):
    """Something in the conversation that is no message."""

    def fit(self, available: int) -> None:
        """`available` pixels of width are there."""


class WhatThisIs(Aside):
    """Short paragraphs and one button that closes them."""

    read = Signal()

    def __init__(self, heading: str, paragraphs: Sequence[str]) -> None:
        super().__init__()
        self.setObjectName("opening")
        self.setAccessibleName(" ".join((f"{heading}.", *paragraphs)))
        column = QVBoxLayout(self)
        column.setContentsMargins(_PAD, 12, _PAD, 12)
        column.setSpacing(_GAP)
        close = button("OK, close this", "OK, close: what this is")
        close.clicked.connect(self.read)
        top = QHBoxLayout()
        top.addWidget(words(heading, "heading"), 1)
        top.addWidget(close)
        column.addLayout(top)
        for paragraph in paragraphs:
            column.addWidget(words(paragraph))


class AgeQuestion(Aside):
    """The question with its answers side by side, or below each other where there is no room."""

    chosen = Signal(AgeBand)

    def __init__(self, question: str, why: str) -> None:
        super().__init__()
        self.setObjectName("opening")
        self.setAccessibleName(f"{question} {why}")
        self._answers = [button(name, f"{question} {name}") for name in AGES.values()]
        for answer, band in zip(self._answers, AGES, strict=True):
            answer.clicked.connect(lambda _checked=False, it=band: self.chosen.emit(it))
        self._grid = QGridLayout()
        self._grid.setSpacing(_GAP)
        column = QVBoxLayout(self)
        column.setContentsMargins(_PAD, 12, _PAD, 12)
        column.setSpacing(_GAP)
        column.addWidget(words(question, "heading"))
        column.addWidget(words(why))
        column.addLayout(self._grid)
        self._arrange(len(self._answers))

    def fit(self, available: int) -> None:
        """Put as many answers side by side as there is room for."""
        room = available - 2 * _PAD
        self._arrange(next((columns for columns in (4, 2) if self._width_of(columns) <= room), 1))

    def _width_of(self, columns: int) -> int:
        widths = [answer.sizeHint().width() for answer in self._answers]
        return sum(max(widths[column::columns]) + _GAP for column in range(columns))

    def _arrange(self, columns: int) -> None:
        for place, answer in enumerate(self._answers):
            self._grid.addWidget(answer, place // columns, place % columns, Qt.AlignmentFlag.AlignLeft)
        for column in range(len(self._answers)):
            self._grid.setColumnStretch(column, 0)
        self._grid.setColumnStretch(len(self._answers), 1)
