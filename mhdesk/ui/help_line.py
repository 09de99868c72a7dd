"""One line of help as a widget: who, the number in large type, a button that copies it, and what to expect."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from mhdesk.core.events import HelpLine
from mhdesk.ui.contact import Way, breakable, doubt, facts, is_weak, spoken, ways
from mhdesk.ui.labels import CopyButton, words

_TOP = Qt.AlignmentFlag.AlignTop
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class HelpLineView(QFrame):
    """Shows one `HelpLine`. The emergency number is dressed as urgent; `happens` says what to expect of the line."""

    copied = Signal(str)

    def __init__(self, line: HelpLine, today: date, happens: str = "") -> None:
        super().__init__()
        self.line = line
        self._column = QVBoxLayout(self)
        self.setAccessibleName(spoken(line))
        if line.kind == "emergency":
            self._show_urgent()
        else:
            self._show_calm(happens)
        question = doubt(line, today)
        if question:
            self._column.addWidget(words(question, "warning" if is_weak(line) else "hint"))

    def _show_urgent(self) -> None:
        self.setObjectName("urgent")
        self._column.setContentsMargins(12, 6, 10, 8)
        self._column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(words(self.line.name, "strong"), 1)
        for way in ways(self.line)[:1]:
            number = words(way.words, "number", selectable=True)
            number.setWordWrap(False)
            row.addWidget(number, 0, _MIDDLE)
            row.addWidget(self._copy(way), 0, _MIDDLE)
        self._column.addLayout(row)
        self._column.addWidget(words(self.line.audience, "small"))

    def _show_calm(self, happens: str) -> None:
        self.setObjectName("line")
        self._column.setContentsMargins(2, 8, 2, 8)
        self._column.setSpacing(3)
        self._column.addWidget(words(self.line.name, "strong"))
        if self.line.audience:
            self._column.addWidget(words(self.line.audience, "small"))
        for way in ways(self.line):
            row = QHBoxLayout()
            row.addWidget(words(breakable(way.words), "number" if way.large else "", selectable=True), 1)
            row.addWidget(self._copy(way), 0, _TOP)
            self._column.addLayout(row)
        for text in (facts(self.line), happens):
            if text:
                self._column.addWidget(words(text, "small"))

    def _copy(self, way: Way) -> CopyButton:
        button = CopyButton(way.copied, way.copy_name, "copy")
        button.copied.connect(self.copied)
        return button
