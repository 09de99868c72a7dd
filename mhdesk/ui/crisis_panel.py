"""Help from real people, beside the conversation, whatever state the program is in."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QVBoxLayout

from mhdesk.core.events import HelpLine
from mhdesk.ui.help_line import HelpLineView, Present
from mhdesk.ui.labels import words
from mhdesk.ui.ports import Region
from mhdesk.ui.region_chooser import RegionChooser
from mhdesk.ui.roll import Roll

CANNOT_CALL = "MHDesk cannot call anyone for you. Please use a phone."


class HelpRoll(QScrollArea):
    """The lines of a region below each other."""

    copied = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Lines of help")

    def show_lines(self, lines: Sequence[HelpLine], present: Present) -> None:
        """Replace the lines."""
        roll = Roll("helpRoll")
        column = roll.column
        column.setContentsMargins(2, 0, 6, 0)
        column.setSpacing(4)
        for line in lines:
            view = HelpLineView(line, present)
            view.copied.connect(self.copied)
            column.addWidget(view)
        column.addStretch(1)
        self.setWidget(roll)
        self.verticalScrollBar().setValue(0)


class CrisisPanel(QFrame):
    """The panel of a wide window."""

    copied = Signal(str)
    region_chosen = Signal(str)

    def __init__(self, regions: Sequence[Region]) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAccessibleName("Help from real people")
        self._emergency = QVBoxLayout()
        self._roll = HelpRoll()
        self._roll.copied.connect(self.copied)
        self.region = RegionChooser(regions)
        self.region.chosen.connect(self.region_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 8, 10)
        column.setSpacing(8)
        column.addWidget(words("Help from real people", "heading"))
        column.addWidget(self.region)
        column.addLayout(self._emergency)
        column.addWidget(self._roll, 1)
        column.addWidget(words(CANNOT_CALL, "small"))

    def show_help(self, region: str, emergency: HelpLine, lines: Sequence[HelpLine], present: Present) -> None:
        """Show the lines of a region."""
        self.region.show_region(region)
        clear(self._emergency)
        urgent = HelpLineView(emergency, present)
        urgent.copied.connect(self.copied)
        self._emergency.addWidget(urgent)
        self._roll.show_lines([line for line in lines if line != emergency], present)


def clear(layout: QLayout) -> None:
    """Take every widget out of `layout` and end it."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
