"""One line of help as a widget: who, the number in large type, a button that copies it, and what to expect."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from mhdesk.core.events import HelpLine
from mhdesk.ui.contact import doubt, facts, spoken, ways, what_happens
from mhdesk.ui.labels import CopyButton, words


class HelpLineView(QFrame):
    """Shows one `HelpLine`. The emergency number is dressed as urgent; `explain` adds what happens when you call."""

    copied = Signal(str)

    def __init__(self, line: HelpLine, today: date, *, explain: bool) -> None:
        super().__init__()
        self.line = line
        urgent = line.kind == "emergency"
        self.setObjectName("urgent" if urgent else "line")
        self.setAccessibleName(spoken(line))
        column = QVBoxLayout(self)
        column.setContentsMargins(12 if urgent else 2, 8, 12 if urgent else 2, 8)
        column.setSpacing(3)
        column.addWidget(words(line.name, "strong"))
        if line.audience:
            column.addWidget(words(line.audience, "small"))
        for way in ways(line):
            row = QHBoxLayout()
            label = words(way.words, "number" if way.large else "", selectable=True)
            row.addWidget(label, 1)
            copy = CopyButton(way.copied, way.copy_name)
            copy.copied.connect(self.copied)
            row.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
            column.addLayout(row)
        for text, role in (
            (facts(line), "small"),
            (what_happens(line) if explain else "", "small"),
            ("" if urgent else doubt(line, today), "warning"),
        ):
            if text:
                column.addWidget(words(text, role))
