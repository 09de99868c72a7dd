"""One line of help as a widget: who, the number in large type, a button that copies it, and what to expect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from mhdesk.core.events import HelpLine
from mhdesk.safety.hours import Opening, OpenState
from mhdesk.ui.contact import Way, breakable, doubt, facts, is_weak, spoken, ways
from mhdesk.ui.labels import CopyButton, redress, words

_TOP = Qt.AlignmentFlag.AlignTop
_ROLES = {OpenState.OPEN: "open", OpenState.CLOSED: "closed", OpenState.UNKNOWN: "small"}
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Present:
    """What the words of a line depend on besides the line: the day, and a question whether it is open by now."""

    today: date
    opening: Callable[[HelpLine], Opening]


class HelpLineView(QFrame):
    """Shows one `HelpLine`. The emergency number is dressed as urgent; `happens` says what to expect of the line."""

    copied = Signal(str)

    def __init__(self, line: HelpLine, present: Present, happens: str = "") -> None:
        super().__init__()
        self.line = line
        self._opening = present.opening
        self._column = QVBoxLayout(self)
        self._known = words("", "small")
        self._known.setParent(self)  # before it is shown, lest it be a window of its own
        self._known.hide()
        if line.kind == "emergency":
            self._show_urgent()
        else:
            self._show_calm(happens)
        self.show_hour()
        question = doubt(line, present.today)
        if question:
            self._column.addWidget(words(question, "warning" if is_weak(line) else "hint"))

    def show_hour(self) -> None:
        """Say whether the line is open by now. Emergency numbers always answer, and nothing is said of them."""
        if self.line.kind == "emergency":
            self.setAccessibleName(spoken(self.line))
            return
        opening = self._opening(self.line)
        known = facts(self.line, opening)
        self._known.setText(known)
        self._known.setVisible(bool(known))
        self._known.setProperty("role", _ROLES[opening.state])
        redress(self._known)
        self.setAccessibleName(spoken(self.line, opening))

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
        self._column.addWidget(self._known)
        if happens:
            self._column.addWidget(words(happens, "small"))

    def _copy(self, way: Way) -> CopyButton:
        button = CopyButton(way.copied, way.copy_name, "copy")
        button.copied.connect(self.copied)
        return button
