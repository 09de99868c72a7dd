"""One utterance in the conversation: who speaks, the words, a Copy button, and a sentence below if needed."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from mhdesk.core.events import Source
from mhdesk.ui.labels import CopyButton, button, redress, words
from mhdesk.ui.markdown import QuietText

_PAD = 14
_WIDEST_EM = 40
_SHARE = 0.9


class Speaker(Enum):
    """Who is heard, as the style sheet names them, and as people read it."""

    YOU = ("you", "You")
    MODEL = ("model", "MHDesk")
    WRITTEN = ("written", "Written for MHDesk")

    @classmethod
    def of(cls, source: Source) -> Speaker:
        """The speaker of a reply."""
        return cls.WRITTEN if source is Source.FIXED else cls.MODEL


class _Words(QuietText):
    """The words of a bubble. Up and Down go from message to message, Page Up and Page Down scroll the conversation."""

    step = Signal(int)
    page = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() == Qt.KeyboardModifier.NoModifier:
            steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
            pages = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
            if event.key() in steps:
                self.step.emit(steps[Qt.Key(event.key())])
                return
            if event.key() in pages:
                self.page.emit(pages[Qt.Key(event.key())])
                return
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class Bubble(QFrame):
    """Shows what one speaker said. The person's words are shown as typed, a reply as Markdown."""

    copied = Signal(str)
    step = Signal(int)
    page = Signal(int)
    again = Signal(str)

    def __init__(self, speaker: Speaker) -> None:
        super().__init__()
        self.setObjectName("bubble")
        self.text = ""
        self._width = 0
        self._who = words("", "muted")
        self._who.setWordWrap(False)
        self._copy = CopyButton("", "Copy this message", "quiet")
        self._copy.copied.connect(self.copied)
        self.body = _Words()
        self.body.step.connect(self.step)
        self.body.page.connect(self.page)
        self._note = words("", "warning")
        self._note.hide()
        top = QHBoxLayout()
        top.addWidget(self._who)
        top.addStretch(1)
        top.addWidget(self._copy)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(_PAD, 6, _PAD - 4, 10)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self.body)
        column.addWidget(self._note)
        self.show_speaker(speaker)

    def show_speaker(self, speaker: Speaker) -> None:
        """Say who speaks."""
        self.speaker = speaker
        name, shown = speaker.value
        self.setProperty("speaker", name)
        self._who.setText(shown)
        for widget in (self, self._who, self.body):
            redress(widget)
        self._name()

    def show_text(self, text: str) -> None:
        """Replace the words."""
        self.text = text
        if self.speaker is Speaker.YOU:
            self.body.show_plain(text)
        else:
            self.body.show_markdown(text)
        self.body.setVisible(bool(text))
        self._copy.setVisible(bool(text))
        self._copy.show_content(text)
        self._name()
        if self._width:
            self.fit(self._width)

    def show_note(self, sentence: str, *, again: str = "") -> None:
        """Put a sentence below the words; `again` offers to put those words back where one types."""
        self._note.setText(sentence)
        self._note.setVisible(bool(sentence))
        self._name()
        if again:
            retry = button("Put my words back", "Put my words back into the message field", "quiet")
            retry.clicked.connect(lambda: self.again.emit(again))
            self._column.addWidget(retry)
        if self._width:
            self.fit(self._width)

    def fit(self, available: int) -> None:
        """Take at most nine tenths of `available` pixels, and no more than is comfortable to read."""
        self._width = available
        widest = min(int(available * _SHARE), _WIDEST_EM * self.fontMetrics().averageCharWidth() * 2)
        inner = widest - 2 * _PAD
        used = self.body.fit(inner, shrink=self.speaker is Speaker.YOU)
        top = self._who.sizeHint().width() + self._copy.sizeHint().width() + 3 * _PAD
        self.setFixedWidth(max(used, min(top, inner)) + 2 * _PAD)

    def set_reachable(self, reachable: bool) -> None:
        """Whether the Tab key stops here; the arrows move between messages."""
        focus = Qt.FocusPolicy.StrongFocus if reachable else Qt.FocusPolicy.ClickFocus
        self.body.setFocusPolicy(focus)
        self._copy.setFocusPolicy(focus)

    def spoken(self) -> str:
        """The bubble as a screen reader should say it."""
        note = f" {self._note.text()}" if not self._note.isHidden() else ""
        return f"{self.speaker.value[1]}: {self.body.toPlainText()}{note}"

    def _name(self) -> None:
        self.setAccessibleName(self.spoken())
        yours = self.speaker is Speaker.YOU
        self.body.setAccessibleName("Your message" if yours else f"Reply. {self.speaker.value[1]}")
        self.body.setAccessibleDescription("Up and Down go to the message before and after.")
        whose = "your message" if yours else "this reply"
        self._copy.setAccessibleName(f"Copy {whose}")
        self._copy.setToolTip(f"Copy {whose}")
