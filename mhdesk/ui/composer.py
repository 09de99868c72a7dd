"""Where the person types. Return sends, Shift+Return breaks the line, Esc stops the reply. Nothing typed is lost."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextOption
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout

from mhdesk.core.errors import BadMessage
from mhdesk.core.messages import MAX_MESSAGE_CHARS, sendable
from mhdesk.ui.announce import announce
from mhdesk.ui.labels import button, words

_MOST_LINES = 6
_PLACEHOLDER = "Write what is on your mind…"
STILL_WRITING = "MHDesk is still writing. Press Esc to stop it, or wait a moment; your words stay here."
ON_CLIPBOARD = "What you copied is still on the clipboard."


def too_long(typed: int, pasted: str) -> str:
    """The sentence for a paste that would make a message of `typed` characters too long; empty if it fits."""
    if typed + len(pasted) <= MAX_MESSAGE_CHARS:
        return ""
    try:
        sendable(" " * typed + pasted)
    except BadMessage as refusal:
        return f"{refusal.sentence} {ON_CLIPBOARD}"
    return ""


class _Field(QPlainTextEdit):
    sent = Signal()
    stopped = Signal()
    refused = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.textCursor().insertBlock()
                self.ensureCursorVisible()
            else:
                self.sent.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.stopped.emit()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        # Qt lays out a million characters in one paragraph for half a minute; none of that could be sent anyway.
        kept = self.document().characterCount() - 1 - len(self.textCursor().selectedText())
        sentence = too_long(kept, source.text())
        if sentence:
            self.refused.emit(sentence)
        else:
            self.textCursor().insertText(source.text())
            self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText()


class Composer(QFrame):
    """The field with its two buttons and a line for hints."""

    sent = Signal(str)
    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self.setObjectName("composer")
        self.field = _Field()
        self.field.setAccessibleName("Your message")
        self.field.setAccessibleDescription("Return sends. Shift and Return begin a new line. Escape stops a reply.")
        self.field.setPlaceholderText(_PLACEHOLDER)
        self.field.setTabChangesFocus(True)
        self.field.setFrameShape(QFrame.Shape.NoFrame)
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.field.document().setDefaultTextOption(option)
        self.field.sent.connect(self._send)
        self.field.stopped.connect(self._stop)
        self.field.refused.connect(self.show_hint)
        self.field.textChanged.connect(self._grow)
        self.send = button("Send", "Send your message", "main")
        self.send.clicked.connect(self._send)
        self.stop = button("Stop", "Stop the reply")
        self.stop.clicked.connect(self._stop)
        self.stop.hide()
        self._notice = words("", "strong")
        self._notice.hide()
        self._hint = words("", "warning")
        self._hint.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self.send, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(4)
        column.addWidget(self._notice)
        column.addLayout(row)
        column.addWidget(self._hint)
        self._grow()

    @property
    def text(self) -> str:
        """What is typed."""
        return self.field.toPlainText()

    def show_busy(self, busy: bool) -> None:
        """Whether a reply is being written: then there is something to stop."""
        self._busy = busy
        # The two take turns in one place; hiding the button that has the focus would drop the focus somewhere else.
        if self.send.hasFocus() or self.stop.hasFocus():
            self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.stop.setVisible(busy)
        self.send.setVisible(not busy)
        if not busy:
            self.show_hint("")

    def show_hint(self, sentence: str) -> None:
        """A sentence below the field; empty takes it away."""
        self._hint.setText(sentence)
        self._hint.setVisible(bool(sentence))
        if sentence:
            announce(self, sentence)

    def show_notice(self, sentence: str) -> None:
        """A sentence that stays above the field, in place of the invitation to write; empty takes it away."""
        self._notice.setText(sentence)
        self._notice.setVisible(bool(sentence))
        self.field.setPlaceholderText("" if sentence else _PLACEHOLDER)
        self.field.setAccessibleName(f"Your message. {sentence}" if sentence else "Your message")

    def show_taken(self) -> None:
        """What was typed has become a message."""
        self.field.clear()
        self.show_hint("")

    def show_put_back(self, text: str) -> None:
        """Put `text` back before whatever has been typed since."""
        since = self.text
        self.field.setPlainText(f"{text}\n{since}" if since and since != text else text)
        self.field.moveCursor(self.field.textCursor().MoveOperation.End)
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_new_type(self) -> None:
        """Take the height that the new size of type needs."""
        self._grow()

    def _send(self) -> None:
        self.sent.emit(self.text)

    def _stop(self) -> None:
        if self._busy:
            self.stop_wanted.emit()

    def _grow(self) -> None:
        if not self._busy and not self._hint.isHidden():
            self.show_hint("")
        document = self.field.document()
        lines = min(max(int(document.size().height()), 1), _MOST_LINES)
        room = 2 * (int(document.documentMargin()) + 5)
        self.field.setFixedHeight(lines * self.field.fontMetrics().lineSpacing() + room)
