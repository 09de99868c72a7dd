"""What the engine is doing, in one line; what else went wrong, in another; and how many connections were made."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from mhdesk.core.engine_status import EngineState, EngineStatus
from mhdesk.ui.announce import announce
from mhdesk.ui.labels import button, redress, words

_COUNT_EVERY_MS = 2000
_BAD = frozenset({EngineState.NO_MODEL, EngineState.UNAVAILABLE, EngineState.RESTARTING})
NOT_STARTED = EngineStatus(EngineState.LOADING, "Starting. You can write and see help already.")


def summary(status: EngineStatus, *, brief: bool = False) -> str:
    """The line: the sentence as it is, then what is loaded unless it must be `brief`."""
    names = "" if brief else status.model
    if names and status.adapter:
        names = f"{status.model} with {status.adapter}"
    return f"{status.sentence}   {names}" if names else status.sentence


def percent(status: EngineStatus) -> int | None:
    """Progress of loading from 0 to 100; -1 when its end is not known; None when there is nothing to wait for."""
    if status.state not in (EngineState.LOADING, EngineState.RESTARTING):
        return None
    return -1 if status.progress is None else round(min(max(status.progress, 0.0), 1.0) * 100)


class StatusStrip(QFrame):
    """The line at the bottom of the window."""

    dismissed = Signal()

    def __init__(self, connections: Callable[[], int]) -> None:
        super().__init__()
        self.setObjectName("status")
        self.setAccessibleName("State of the program")
        self._connections_now = connections
        self._brief = False
        self._dot = QFrame()
        self._dot.setObjectName("dot")
        self._sentence = words("", "small")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(120)
        self._bar.setAccessibleName("Progress of loading")
        self._count = words("", "muted")
        self._count.setWordWrap(False)
        self._count.setToolTip("Counted by a guard that refuses every connection to another computer.")
        self._trouble = words("", "warning")
        self._dismiss = button("OK", "Dismiss this message", "quiet")
        self._dismiss.clicked.connect(lambda: self.show_trouble(""))
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._dot)
        line.addWidget(self._sentence, 1)
        line.addWidget(self._bar)
        line.addWidget(self._count, 0, Qt.AlignmentFlag.AlignRight)
        second = QHBoxLayout()
        second.addWidget(self._trouble, 1)
        second.addWidget(self._dismiss)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(2)
        column.addLayout(second)
        column.addLayout(line)
        self._often = QTimer(self, interval=_COUNT_EVERY_MS)
        self._often.timeout.connect(self._show_count)
        self._often.start()
        self.show_trouble("")
        self.show_status(NOT_STARTED)
        self._show_count()

    @property
    def status(self) -> EngineStatus:
        """What is shown."""
        return self._status

    def show_status(self, status: EngineStatus) -> None:
        """Show what the engine is doing."""
        self._status = status
        self._dot.setProperty("state", status.state.value)
        redress(self._dot)
        self._sentence.setText(summary(status, brief=self._brief))
        progress = percent(status)
        self._bar.setVisible(progress is not None)
        if progress is not None:
            self._bar.setRange(0, 0 if progress < 0 else 100)
            self._bar.setValue(max(progress, 0))
        if status.state in _BAD:
            announce(self, status.sentence)

    def show_brief(self, brief: bool) -> None:
        """Leave out what is loaded where there is little room."""
        self._brief = brief
        self.show_status(self._status)

    def show_trouble(self, sentence: str) -> None:
        """A sentence about something other than the engine; empty takes it away."""
        self._trouble.setText(sentence)
        self._trouble.setVisible(bool(sentence))
        self._dismiss.setVisible(bool(sentence))
        if sentence:
            announce(self, sentence)

    def _show_count(self) -> None:
        self._count.setText(f"Connections made: {self._connections_now()}")
