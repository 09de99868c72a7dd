"""What this program is, in a small window of its own that blocks nothing."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from mhdesk.ui.labels import button, words


class About(QDialog):
    """Shows paragraphs and a Close button."""

    def __init__(self, paragraphs: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("About MHDesk")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(420)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        column.addWidget(words("MHDesk", "heading"))
        for paragraph in paragraphs:
            column.addWidget(words(paragraph, selectable=True))
        close = button("Close")
        close.clicked.connect(self.close)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        close.setFocus()
