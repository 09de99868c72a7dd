"""The crisis card: the region's lines, put into the conversation at the moment they are needed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from mhdesk.core.events import Card, HelpLine
from mhdesk.core.levels import Topic
from mhdesk.ui.help_line import HelpLineView, Present
from mhdesk.ui.labels import CopyButton, button, words

_SHOWN_AT_FIRST = 2

_HEADINGS = {
    Topic.SUICIDE: "You do not have to carry this alone. These people will listen.",
    Topic.SELF_HARM: "You deserve care. These people will listen and will not judge.",
    Topic.THIRD_PARTY: "Help for the person you are worried about, and for you.",
    Topic.ABUSE: "You have a right to be safe. These people can help you think it through.",
    Topic.VIOLENCE: "Keep everyone safe first. These people can help.",
    Topic.MEDICAL: "Your body needs help now. Please call at once.",
    Topic.PSYCHOSIS: "What you are going through sounds frightening. These people can help.",
    Topic.EATING: "You deserve help with this. These people will listen.",
    Topic.MINOR: "You did right to say something. These people are there for children and teenagers.",
}

_FOR_CHILDREN = ("youth", "child_protection")
_MINOR_ELSEWHERE = "You did right to say something. These people can help."

_ADVICE = {
    Topic.THIRD_PARTY: "You can call for someone else: say who you are worried about and ask what to do. "
    "If they are in danger right now, call the emergency number and stay with them if it is safe.",
    Topic.ABUSE: "Someone may see this screen, and calls can show up in a call list or on a bill. "
    "A friend's phone or a public one leaves no trace on yours.",
    Topic.VIOLENCE: "If someone could be hurt now, move away if you can and call the emergency number.",
    Topic.MEDICAL: "Even if you feel all right: say what was taken or what happened, and when. Stay with someone.",
    Topic.MINOR: "You can also tell an adult you trust: a parent, a teacher, a doctor, a friend's parent.",
}

_TELL_AN_ADULT = _ADVICE[Topic.MINOR]
_ANYONE = "Being near someone helps, too: a friend, a neighbour, anyone you trust."
_FOOT = "MHDesk cannot call or text anyone for you. Please use a phone; a borrowed one is fine."


def heading(card: Card) -> str:
    """The sentence on top: about the other person, about safety, or about the emergency if that comes first."""
    urgent = bool(card.lines) and card.lines[0].kind == "emergency"
    if urgent and card.topic is Topic.THIRD_PARTY:
        return "If they are in danger now, please call the emergency number first."
    if urgent and card.topic is not Topic.MEDICAL:
        return "If you are in danger now, please call the emergency number first."
    if card.topic is Topic.MINOR and not any(line.kind in _FOR_CHILDREN for line in card.lines):
        return _MINOR_ELSEWHERE
    return _HEADINGS[card.topic]


def advice(card: Card, *, young: bool = False) -> str:
    """What to know before calling, fitting the topic; someone `young` is always told of an adult to tell."""
    told = _ADVICE.get(card.topic, _TELL_AN_ADULT if young else _ANYONE)
    return f"{told} {_TELL_AN_ADULT}" if young and told != _TELL_AN_ADULT else told


class CrisisCard(QFrame):
    """Shows a `Card`: the most fitting lines at once, the others behind one button."""

    copied = Signal(str)
    hide_wanted = Signal()

    def __init__(
        self, card: Card, present: Present, what_happens: Callable[[HelpLine], str], *, young: bool = False
    ) -> None:
        super().__init__()
        self.card = card
        self.setObjectName("card")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(f"Help from real people. {heading(card)} {advice(card, young=young)}")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 14, 16, 12)
        self._column.setSpacing(8)
        self._column.addWidget(words(heading(card), "heading"))
        self._column.addWidget(words(advice(card, young=young)))
        if card.topic is Topic.ABUSE:
            self._add_quick_hide()
        self._lines = [HelpLineView(line, present, what_happens(line)) for line in card.lines]
        for place, line in enumerate(self._lines):
            line.copied.connect(self.copied)
            self._column.addWidget(line)
            line.setHidden(place >= _SHOWN_AT_FIRST)
        hidden = len(self._lines) - _SHOWN_AT_FIRST
        self._more = button(f"Show {hidden} more", f"Show {hidden} more lines of help", "copy")
        self._more.clicked.connect(self._show_all)
        foot = QHBoxLayout()
        self._column.addLayout(foot)
        foot.setSpacing(12)
        foot.addWidget(self._more)
        self._more.setHidden(hidden <= 0)
        foot.addWidget(words(_FOOT, "small"), 1)

    def fit(self, available: int) -> None:
        """Take at most `available` pixels of width."""
        self.setFixedWidth(min(available, max(420, 46 * self.fontMetrics().averageCharWidth() * 2)))

    def set_reachable(self, reachable: bool) -> None:
        """A card can always be reached with the Tab key."""

    def spoken(self) -> str:
        """What a screen reader says when the card appears."""
        first = self._lines[0].accessibleName() if self._lines else ""
        return f"{heading(self.card)} {first}"

    def _show_all(self) -> None:
        hidden = [line for line in self._lines if line.isHidden()]
        for line in hidden:
            line.show()
        # Whatever is to be pressed first; a person nearby, say, has nothing to press.
        buttons = [button for line in hidden for button in line.findChildren(CopyButton)]
        if buttons:
            buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)
        self._more.hide()

    def _add_quick_hide(self) -> None:
        row = QHBoxLayout()
        hide = button("Hide this window now", "Hide this window now. It stays in the task bar")
        hide.clicked.connect(self.hide_wanted)
        row.addWidget(hide)
        row.addStretch(1)
        self._column.addLayout(row)
