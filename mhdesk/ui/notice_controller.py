"""When notices are shown, and what an answer to the question of age changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal

from mhdesk.core.settings import AgeBand
from mhdesk.safety.notices import Notices, Reminder, was_away
from mhdesk.ui.announce import announce
from mhdesk.ui.main_window import MainWindow
from mhdesk.ui.opening_page import AgeQuestion, WhatThisIs
from mhdesk.ui.preferences import Preferences

_LOOK_EVERY_MS = 30_000
_MINORS = (AgeBand.UNDER_13, AgeBand.TEEN)


class NoticeController(QObject):
    """Looks at the clock twice a minute and before each message.

    A reminder is shown only in a conversation that goes on: in a window left alone notices would pile up unread, and
    whoever comes back sees a due one before their next message. The day of last use is noted only once what this is
    has been closed, so that it comes again for whoever left before reading it.
    """

    changed = Signal()
    """The age band has another value: lines have another order now."""

    def __init__(
        self,
        *,
        window: MainWindow,
        notices: Notices,
        preferences: Preferences,
        keep: Callable[[dict[str, object]], None],
        now: Callable[[], datetime],
    ) -> None:
        """`keep` saves settings and says so if it cannot; `now` gives the moment, with a time zone."""
        super().__init__(window)
        self._window = window
        self._notices = notices
        self._preferences = preferences
        self._keep = keep
        self._now = now
        self._reminder = Reminder(now)
        self._said_since = False
        self._page: WhatThisIs | None = None
        self._question: AgeQuestion | None = None
        self._page_due = was_away(preferences.now.last_used, now().date())
        self._age_asked = preferences.now.age_band is not AgeBand.UNKNOWN
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self.look_at_clock)
        window.painted.connect(self._note_use)
        window.toolbar.age_chosen.connect(self.choose_age)
        self._show_age()
        self.begin()
        self._clock.start()

    @property
    def is_minor(self) -> bool:
        """Whether someone has said to be under 18."""
        return self._preferences.now.age_band in _MINORS

    def begin(self) -> None:
        """A conversation begins: the notice, and whatever has not been read or answered yet."""
        view = self._window.conversation
        view.show_notice(self._notices.ai_notice)
        self._reminder.shown()
        self._said_since = False
        self._page = self._question = None
        if self._page_due:
            self._show_page()
        if not self._age_asked:
            self._question = AgeQuestion(self._notices.age_question, self._notices.age_why)
            self._question.chosen.connect(self.choose_age)
            view.show_aside(self._question)

    def before_message(self) -> None:
        """Something is about to be said."""
        self._said_since = True
        self.look_at_clock()
        if self._page is None and was_away(self._preferences.now.last_used, self._now().date()):
            self._page_due = True
            self._show_page()
        self._note_use()

    def look_at_clock(self) -> None:
        """Show what is due by now."""
        self._window.show_hour()
        if self._said_since and self._reminder.is_due():
            more = self._notices.break_reminder if self.is_minor else ""
            self._window.conversation.show_notice(self._notices.ai_notice, more)
            self._reminder.shown()
            self._said_since = False

    def choose_age(self, band: AgeBand) -> None:
        """Put the answer into force and save it. Whoever would rather not say is not asked again in this run."""
        self._age_asked = True
        if self._question is not None:
            self._window.conversation.take_aside(self._question)
            self._question = None
            self._window.composer.field.setFocus()
        self._keep({"age_band": band})
        self._show_age()
        self.changed.emit()

    def close(self) -> None:
        """Look at the clock no more."""
        self._clock.stop()

    def _show_age(self) -> None:
        band = self._preferences.now.age_band
        self._window.toolbar.show_age(band)
        told = self._notices.under_13_short if band is AgeBand.UNDER_13 else ""
        self._window.composer.show_notice(told)
        if told:
            announce(self._window, told)

    def _show_page(self) -> None:
        paragraphs = (*self._notices.what_this_is, self._notices.what_is_kept)
        self._page = WhatThisIs(self._notices.what_this_is_heading, paragraphs)
        self._page.read.connect(self._close_page)
        self._window.conversation.show_aside(self._page)

    def _close_page(self) -> None:
        self._page_due = False
        if self._page is not None:
            self._window.conversation.take_aside(self._page)
            self._page = None
        self._window.composer.field.setFocus()
        self._note_use()

    def _note_use(self) -> None:
        """Save the day, once a day, unless what this is still waits to be read."""
        today = self._now().date().isoformat()
        if not self._page_due and self._preferences.now.last_used != today:
            self._keep({"last_used": today})
