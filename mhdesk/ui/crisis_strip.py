"""The crisis panel of a narrow window: a strip on top that is never hidden, and opens to show every line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout

from mhdesk.core.events import HelpLine
from mhdesk.ui.contact import Way, spoken, ways
from mhdesk.ui.crisis_panel import CANNOT_CALL, HelpRoll, clear
from mhdesk.ui.labels import CopyButton, button, words
from mhdesk.ui.ports import Region
from mhdesk.ui.region_chooser import RegionChooser


class CrisisStrip(QFrame):
    """The emergency number, the first line, and a button for the rest."""

    copied = Signal(str)
    region_chosen = Signal(str)

    def __init__(self, regions: Sequence[Region]) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setAccessibleName("Help from real people")
        self.region = RegionChooser(regions)
        self.region.chosen.connect(self.region_chosen)
        self.more = button("More help", "Show every line of help")
        self.more.setCheckable(True)
        self.more.toggled.connect(self._open)
        self._emergency = QHBoxLayout()
        self._first = QHBoxLayout()
        self._roll = HelpRoll()
        self._roll.copied.connect(self.copied)
        self._roll.hide()
        self._foot = words(CANNOT_CALL, "small")
        self._foot.hide()
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addLayout(self._emergency, 1)
        top.addWidget(self.region, 1)
        top.addWidget(self.more)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addLayout(top)
        column.addLayout(self._first)
        column.addWidget(self._roll, 1)
        column.addWidget(self._foot)

    def show_help(self, region: str, emergency: HelpLine, lines: Sequence[HelpLine], today: date) -> None:
        """Show the lines of a region."""
        self.region.show_region(region)
        others = [line for line in lines if line != emergency]
        clear(self._emergency)
        self._emergency.addWidget(self._short(emergency, urgent=True))
        clear(self._first)
        if others:
            self._first.addWidget(self._short(others[0], urgent=False))
        self._roll.show_lines([emergency, *others], today)

    def _open(self, wide: bool) -> None:
        self._roll.setVisible(wide)
        self._foot.setVisible(wide)
        self._roll.setMinimumHeight(self.window().height() // 3 if wide else 0)
        self.more.setText("Less" if wide else "More help")
        self.more.setAccessibleName("Show only the first lines of help" if wide else "Show every line of help")

    def _short(self, line: HelpLine, *, urgent: bool) -> QFrame:
        frame = QFrame()
        frame.setObjectName("urgent" if urgent else "first")
        frame.setAccessibleName(spoken(line))
        row = QHBoxLayout(frame)
        row.setContentsMargins(10, 4, 6, 4)
        row.setSpacing(8)
        name = words("Emergency" if urgent else line.name, "strong")
        name.setWordWrap(not urgent)
        row.addWidget(name, 1)
        way: Way | None = next(iter(ways(line)), None)
        if way is not None:
            number = words(way.words, "number" if way.large else "strong", selectable=True)
            number.setWordWrap(not urgent)
            row.addWidget(number)
            copy = CopyButton(way.copied, way.copy_name, "copy")
            copy.copied.connect(self.copied)
            row.addWidget(copy)
        return frame
