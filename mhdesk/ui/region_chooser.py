"""Where the person is: a list that one click changes, and a question while the place is only a guess."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from mhdesk.ui.labels import button, words
from mhdesk.ui.ports import Region

_HERE = "Are you here?"
_WHERE = "Please choose your country for its numbers."
ANYWHERE = ""
"""The code of a place that has no lines here: the help that holds everywhere is shown."""


class _Box(QComboBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        # Scrolling past the list must not move anyone to another country.
        event.ignore()


class RegionChooser(QWidget):
    """Emits a code only when a person has chosen, or has said that the guess is right."""

    chosen = Signal(str)

    def __init__(self, regions: Sequence[Region]) -> None:
        super().__init__()
        self.box = _Box()
        self.box.setAccessibleName("Where you are")
        self.box.setAccessibleDescription("The numbers shown are for this place.")
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(4)
        self.box.setMaxVisibleItems(14)
        for region in regions:
            self.box.addItem(region.name, region.code)
        self.box.addItem("Somewhere else", ANYWHERE)
        self.box.activated.connect(lambda place: self.chosen.emit(self.box.itemData(place)))
        self.yes = button("Yes", "Yes, this is where I am", "copy")
        self.yes.clicked.connect(lambda: self.chosen.emit(self.box.currentData()))
        self._question = words(_HERE, "small")
        row = QHBoxLayout()
        row.addWidget(self._question, 1)
        row.addWidget(self.yes)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.box)
        column.addLayout(row)
        self.show_guessed(False)

    def show_region(self, code: str) -> None:
        """Show `code` as the place chosen."""
        place = self.box.findData(code)
        self.box.setCurrentIndex(place if place >= 0 else self.box.findData(ANYWHERE))

    def show_guessed(self, guessed: bool) -> None:
        """Ask whether the place is right, or which it is where there was no guess; or stop asking."""
        nowhere = self.box.currentData() == ANYWHERE
        self._question.setText(_WHERE if nowhere else _HERE)
        self._question.setVisible(guessed)
        self.yes.setVisible(guessed and not nowhere)
