"""The crisis panel of a narrow window: a strip on top that is never hidden, and opens to show every line."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout

from mhdesk.core.events import HelpLine
from mhdesk.safety.hours import NOT_KNOWN
from mhdesk.ui.contact import Way, open_now, spoken, ways
from mhdesk.ui.crisis_panel import CANNOT_CALL, HelpRoll, clear
from mhdesk.ui.help_line import Present
from mhdesk.ui.labels import CopyButton, button, words
from mhdesk.ui.ports import Region
from mhdesk.ui.region_chooser import RegionChooser


class ShortLine(QFrame):
    """One line of help in one row: who, whether it is open, the first way to reach it, and a button that copies it."""

    copied = Signal(str)

    def __init__(self, line: HelpLine, present: Present) -> None:
        super().__init__()
        self.line = line
        self._opening = present.opening
        urgent = line.kind == "emergency"
        self.setObjectName("urgent" if urgent else "first")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 6, 4)
        row.setSpacing(8)
        who = QVBoxLayout()
        who.setSpacing(0)
        name = words("Emergency" if urgent else line.name, "strong")
        name.setWordWrap(not urgent)
        if urgent:  # where there is too little room the number and its button stay whole
            name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._open = words("", "open")
        who.addWidget(name)
        who.addWidget(self._open)
        row.addLayout(who, 1)
        self._open.hide()
        way: Way | None = next(iter(ways(line)), None)
        if way is not None:
            number = words(way.words, "number" if way.large else "strong", selectable=True)
            number.setWordWrap(not urgent)
            row.addWidget(number)
            copy = CopyButton(way.copied, way.copy_name, "copy")
            copy.copied.connect(self.copied)
            row.addWidget(copy)
        self.show_hour()

    def show_hour(self) -> None:
        """Say whether the line is open by now; of an emergency number nothing is said."""
        opening = NOT_KNOWN if self.line.kind == "emergency" else self._opening(self.line)
        told = open_now(opening)
        self._open.setText(told)
        self._open.setVisible(bool(told))
        self.setAccessibleName(spoken(self.line, opening))


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
        top.addLayout(self._emergency, 3)
        top.addWidget(self.region, 2)
        top.addWidget(self.more)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addLayout(top)
        column.addLayout(self._first)
        column.addWidget(self._roll, 1)
        column.addWidget(self._foot)

    def show_help(self, region: str, emergency: HelpLine, lines: Sequence[HelpLine], present: Present) -> None:
        """Show the lines of a region."""
        self.region.show_region(region)
        others = [line for line in lines if line != emergency]
        clear(self._emergency)
        self._emergency.addWidget(self._short(emergency, present))
        clear(self._first)
        reachable = next((line for line in others if ways(line)), None)
        if reachable is not None:
            self._first.addWidget(self._short(reachable, present))
        self._roll.show_lines([emergency, *others], present)

    def _open(self, wide: bool) -> None:
        self._roll.setVisible(wide)
        self._foot.setVisible(wide)
        self._roll.setMinimumHeight(self.window().height() // 3 if wide else 0)
        self.more.setText("Less" if wide else "More help")
        self.more.setAccessibleName("Show only the first lines of help" if wide else "Show every line of help")

    def _short(self, line: HelpLine, present: Present) -> ShortLine:
        short = ShortLine(line, present)
        short.copied.connect(self.copied)
        return short
