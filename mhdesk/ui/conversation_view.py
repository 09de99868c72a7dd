"""The conversation: bubbles and cards below each other, at the bottom only while the person is there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout

from mhdesk.core.events import Card, FinishState, HelpLine, Source
from mhdesk.ui.announce import announce
from mhdesk.ui.bubble import Bubble, Speaker
from mhdesk.ui.crisis_card import CrisisCard
from mhdesk.ui.crisis_panel import clear
from mhdesk.ui.help_line import Present
from mhdesk.ui.labels import button, words
from mhdesk.ui.opening_page import Aside
from mhdesk.ui.roll import Roll

_COALESCE_MS = 40
_NEAR_BOTTOM = 24
_JUMP_GAP = 4
FORGOTTEN = "MHDesk no longer remembers what is above this line. It is still here for you to read."
WAITING = "MHDesk is preparing an answer…"
STOPPED = "Stopped."
STOPPED_EMPTY = "Stopped before anything was written."


class ConversationView(QScrollArea):
    """Shows turns as they happen; knows nothing of who produces them."""

    copied = Signal(str)
    hide_wanted = Signal()
    again = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Bubble | CrisisCard] = []
        self._asides: list[Aside] = []
        self._turn_starts: list[Bubble] = []
        self._reply: Bubble | None = None
        self._unpainted = ""
        self._stuck = True
        self._card: CrisisCard | None = None
        self._current: Bubble | None = None
        self._forgotten: QLabel | None = None
        self._waiting = words(WAITING, "muted")
        self._paint_soon = QTimer(self, singleShot=True, interval=_COALESCE_MS)
        self._paint_soon.timeout.connect(self._paint_text)
        self._fit_soon = QTimer(self, singleShot=True, interval=_COALESCE_MS)
        self._fit_soon.timeout.connect(self._fit_all)
        self.setAccessibleName("Conversation")
        self.setAccessibleDescription("Up and Down go from message to message.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(48)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        roll = Roll("roll")
        self._column = roll.column
        self._column.setContentsMargins(4, 6, 10, 6)
        self._column.setSpacing(10)
        self._column.addStretch(1)
        self._waiting.setParent(roll)
        self._waiting.hide()
        self.setWidget(roll)
        self.jump = button("Newest ↓", "Jump to the newest message", "main")
        self.jump.setParent(self)
        self.jump.hide()
        self.jump.clicked.connect(self.show_newest)
        self.verticalScrollBar().rangeChanged.connect(self._keep_place)
        self.verticalScrollBar().valueChanged.connect(self._note_place)

    @property
    def has_turns(self) -> bool:
        """Whether something has been said."""
        return bool(self._turn_starts)

    def show_notice(self, text: str, more: str = "") -> None:
        """Put the notice that this is a program into the conversation, in bold capitals; `more` in ordinary type."""
        frame = QFrame()
        frame.setObjectName("notice")
        frame.setAccessibleName(f"{text} {more}".strip())
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(16, 12, 16, 12)
        inside.addWidget(words(text.upper(), "capitals", selectable=True))
        if more:
            inside.addWidget(words(more, selectable=True))
        self._column.addWidget(frame)
        if self.has_turns:
            announce(self, f"{text} {more}".strip())

    def show_aside(self, aside: Aside) -> None:
        """Put something into the conversation that is no message and stays until it is answered."""
        self._asides.append(aside)
        self._column.addWidget(aside)
        aside.fit(self._room())

    def take_aside(self, aside: Aside) -> None:
        """Take it away again."""
        if aside in self._asides:
            self._asides.remove(aside)
            self._column.removeWidget(aside)
            aside.hide()
            aside.deleteLater()

    def show_user(self, text: str) -> None:
        """Begin a turn with the person's words, and go to the bottom."""
        self._card = None
        bubble = self._add_bubble(Speaker.YOU)
        bubble.show_text(text)
        self._turn_starts.append(bubble)
        self._reply = None
        self._column.addWidget(self._waiting)
        self._waiting.show()
        self.show_newest()

    def take_back_user(self) -> None:
        """Remove the words just shown: they were not taken and are back where one types."""
        self._stop_waiting()
        bubble = self._turn_starts.pop()
        self._entries.remove(bubble)
        self._current = None
        bubble.hide()
        bubble.deleteLater()

    def show_card(
        self, card: Card, present: Present, what_happens: Callable[[HelpLine], str], *, young: bool = False
    ) -> None:
        """Put a crisis card below what was said; `young` for someone who is not grown up."""
        self._paint_text()
        view = CrisisCard(card, present, what_happens, young=young)
        view.copied.connect(self.copied)
        view.hide_wanted.connect(self.hide_wanted)
        self._add(view, Qt.AlignmentFlag.AlignLeft)
        self._card = view
        self._reply = None
        announce(self, view.spoken(), at_once=True)

    def show_text(self, text: str, source: Source) -> None:
        """Append to the reply; painted a few times a second at most."""
        speaker = Speaker.of(source)
        if self._reply is None or self._reply.speaker is not speaker:
            self._paint_text()
            self._reply = self._add_bubble(speaker)
        self._unpainted += text
        if not self._paint_soon.isActive():
            self._paint_soon.start()

    def show_replaced(self, text: str) -> None:
        """Take away what was shown of this reply; `text` stands in its place."""
        self._unpainted = ""
        self._paint_soon.stop()
        if self._reply is None:
            self._reply = self._add_bubble(Speaker.WRITTEN)
        self._reply.show_speaker(Speaker.WRITTEN)
        self._reply.show_text(text)

    def show_finished(self, state: FinishState) -> None:
        """End the turn."""
        self._stop_waiting()
        self._paint_text()
        if state is FinishState.STOPPED:
            self._reply = self._reply or self._add_bubble(Speaker.MODEL)
            self._reply.show_note(STOPPED if self._reply.text else STOPPED_EMPTY)
        if self._reply is not None:
            announce(self, self._reply.spoken())
        self._reply = None

    def show_failed(self, sentence: str) -> None:
        """End a turn that could not be finished; what was shown of it stays, with `sentence` below."""
        self._paint_text()
        reply = self._reply or self._add_bubble(Speaker.MODEL)
        said = self._turn_starts[-1].text if self._turn_starts else ""
        reply.show_note(sentence, again=said)
        announce(self, reply.spoken(), at_once=True)
        self._reply = None

    def show_forgotten(self, first_kept_turn: int) -> None:
        """Draw the line above turn `first_kept_turn` (from 0): what is before it has left the model's window."""
        if not 0 < first_kept_turn < len(self._turn_starts):
            return
        if self._forgotten is None:
            self._forgotten = words(FORGOTTEN)
            self._forgotten.setObjectName("forgotten")
            self._forgotten.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column.removeWidget(self._forgotten)
        self._column.insertWidget(self._column.indexOf(self._turn_starts[first_kept_turn]), self._forgotten)
        self._forgotten.show()

    def show_empty(self) -> None:
        """Take everything away."""
        self._paint_soon.stop()
        self._unpainted = ""
        self._stop_waiting()
        self._entries, self._turn_starts, self._asides = [], [], []
        self._reply = self._current = self._forgotten = self._card = None
        clear(self._column)
        self._column.addStretch(1)
        self._stuck = True
        self._place_jump()

    def show_newest(self) -> None:
        """Go to the bottom and stay there."""
        self._stuck = True
        self._card = None
        bar = self.verticalScrollBar()
        bar.setValue(bar.maximum())
        self._place_jump()

    def show_new_type(self) -> None:
        """Lay everything out again: the type has another size."""
        self._fit_all()

    # --- growing ---------------------------------------------------------------------------------------------------

    def _add_bubble(self, speaker: Speaker) -> Bubble:
        bubble = Bubble(speaker)
        bubble.copied.connect(self.copied)
        bubble.again.connect(self.again)
        bubble.step.connect(self._step)
        bubble.page.connect(self._page)
        side = Qt.AlignmentFlag.AlignRight if speaker is Speaker.YOU else Qt.AlignmentFlag.AlignLeft
        self._add(bubble, side)
        self._make_current(bubble)
        return bubble

    def _stop_waiting(self) -> None:
        self._column.removeWidget(self._waiting)
        self._waiting.hide()

    def _add(self, entry: Bubble | CrisisCard, side: Qt.AlignmentFlag) -> None:
        self._stop_waiting()
        self._entries.append(entry)
        self._column.addWidget(entry, 0, side)
        entry.fit(self._room())

    def _paint_text(self) -> None:
        self._paint_soon.stop()
        if self._reply is not None and self._unpainted:
            self._reply.show_text(self._reply.text + self._unpainted)
        self._unpainted = ""

    def _room(self) -> int:
        margins = self._column.contentsMargins()
        bar = self.verticalScrollBar().sizeHint().width()
        return max(self.contentsRect().width() - bar - margins.left() - margins.right(), 200)

    def _fit_all(self) -> None:
        for entry in (*self._entries, *self._asides):
            entry.fit(self._room())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the entries out anew, once the width has come to rest."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fit_soon.start()
        self._place_jump()

    # --- place -----------------------------------------------------------------------------------------------------

    def _keep_place(self, _lowest: int, highest: int) -> None:
        if self._stuck and self.has_turns:  # before that what stands here is read from its beginning
            self.verticalScrollBar().setValue(self._lowest_wanted(highest))
        self._place_jump()

    def _lowest_wanted(self, highest: int) -> int:
        """How far down to go by itself: never past the top of a card just shown, whose first line matters most."""
        if self._card is None or self._card.y() == 0:  # not yet laid out: another change of range will follow
            return highest
        return min(highest, max(self._card.y() - self._column.spacing(), 0))

    def _note_place(self, value: int) -> None:
        self._stuck = value >= self.verticalScrollBar().maximum() - _NEAR_BOTTOM
        self._place_jump()

    def _place_jump(self) -> None:
        shown = not self._stuck and self.has_turns
        self.jump.setVisible(shown)
        self.jump.adjustSize()
        below = self.jump.height() + _JUMP_GAP
        # Below what is read, not over it, unless that would leave no room to read: then in the corner.
        margin = below if shown and self.height() > 5 * below else 0
        if margin != self.viewportMargins().bottom():
            self.setViewportMargins(0, 0, 0, margin)
        room = self.viewport().geometry()
        spare = room.width() - self.jump.width()
        self.jump.move(room.left() + (spare // 2 if margin else spare), room.bottom() + margin - self.jump.height())
        self.jump.raise_()

    # --- the keyboard ----------------------------------------------------------------------------------------------

    def _make_current(self, bubble: Bubble) -> None:
        if self._current is not None:
            self._current.set_reachable(False)
        self._current = bubble
        bubble.set_reachable(True)

    def _step(self, steps: int) -> None:
        bubbles = [entry for entry in self._entries if isinstance(entry, Bubble) and entry.text]
        if not bubbles:
            return
        here = bubbles.index(self._current) if self._current in bubbles else len(bubbles)
        there = bubbles[min(max(here + steps, 0), len(bubbles) - 1)]
        self._make_current(there)
        there.body.setFocus(Qt.FocusReason.TabFocusReason)
        self.ensureWidgetVisible(there, 0, 8)

    def _page(self, pages: int) -> None:
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + pages * bar.pageStep())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down go from message to message; the other keys scroll."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and not event.modifiers() and self._entries:
            self._step(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)
