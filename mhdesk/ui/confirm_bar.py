"""A question inside the window, instead of a dialog that blocks it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from mhdesk.ui.announce import announce
from mhdesk.ui.labels import button, words


class ConfirmBar(QFrame):
    """Asks one thing. The harmless answer has the focus; Esc gives it."""

    confirmed = Signal()
    declined = Signal()

    def __init__(self, question: str, yes: str, no: str) -> None:
        super().__init__()
        self.setObjectName("confirm")
        self.setAccessibleName(question)
        self._question = question
        self.yes = button(yes)
        self.no = button(no, role="main")
        self.yes.clicked.connect(lambda: self._answer(True))
        self.no.clicked.connect(lambda: self._answer(False))
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.addWidget(words(question))
        column.addLayout(row)
        self.hide()

    def show_question(self) -> None:
        """Ask."""
        self.show()
        self.no.setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self, self._question)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc is the harmless answer."""
        if event.key() == Qt.Key.Key_Escape:
            self._answer(False)
        else:
            super().keyPressEvent(event)

    def _answer(self, yes: bool) -> None:
        self.hide()
        (self.confirmed if yes else self.declined).emit()
