"""Words and buttons of the window, made the same way everywhere."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

_COPIED_MS = 2000


def words(text: str, role: str = "", *, selectable: bool = False) -> QLabel:
    """A label that wraps, reads `text` as plain words, and is dressed by `role`."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    if role:
        label.setProperty("role", role)
    if selectable:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def button(text: str, accessible_name: str = "", role: str = "") -> QPushButton:
    """A push button that Return and Space press, with a name for screen readers."""
    made = QPushButton(text)
    made.setAutoDefault(True)
    made.setAccessibleName(accessible_name or text)
    made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    if role:
        made.setProperty("role", role)
    return made


def redress(widget: QWidget) -> None:
    """Have the style sheet read again after a property that it selects by has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class CopyButton(QPushButton):
    """Copies something when pressed, and says so for two seconds."""

    copied = Signal(str)

    def __init__(self, content: str, accessible_name: str, role: str = "") -> None:
        super().__init__("Copy")
        self._content = content
        self._back = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._back.timeout.connect(lambda: self.setText("Copy"))
        self.setAutoDefault(True)
        self.setAccessibleName(accessible_name)
        self.setToolTip(accessible_name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if role:
            self.setProperty("role", role)
        self.clicked.connect(self._copy)

    def show_content(self, content: str) -> None:
        """Change what will be copied."""
        self._content = content

    def _copy(self) -> None:
        self.setText("Copied")
        self._back.start()
        self.copied.emit(self._content)
