"""What scrolls inside a scroll area: as high as its words are at the width there is, and not a line more."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget


class Roll(QWidget):
    """A column of widgets.

    Qt asks for the least height without saying at which width, and words that wrap then answer for a narrow one: the
    column would begin with an empty stretch. This one answers for the width of the area it lies in.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setMinimumWidth(1)
        self.column = QVBoxLayout(self)

    def minimumSizeHint(self) -> QSize:
        """The least size at the width there is."""
        area = self.parentWidget()
        if area is None or not self.column.hasHeightForWidth():
            return QSize(1, self.column.minimumSize().height())
        return QSize(1, self.column.heightForWidth(area.width()))
