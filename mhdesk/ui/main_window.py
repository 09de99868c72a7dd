"""The window: conversation on the left, help on the right or on top, and a state that never hides either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QIcon, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from mhdesk.core.events import HelpLine
from mhdesk.ui.composer import Composer
from mhdesk.ui.confirm_bar import ConfirmBar
from mhdesk.ui.conversation_view import ConversationView
from mhdesk.ui.crisis_panel import CrisisPanel
from mhdesk.ui.crisis_strip import CrisisStrip, ShortLine
from mhdesk.ui.help_line import HelpLineView, Present
from mhdesk.ui.labels import words
from mhdesk.ui.model_dialog import ModelDialog
from mhdesk.ui.ports import Region
from mhdesk.ui.status_strip import StatusStrip
from mhdesk.ui.tab_order import next_stop
from mhdesk.ui.toolbar import Toolbar

_NARROW_PX = 720
_PANEL_PX = 350
_SHORT_PX = 440
_USUAL_SIZE = QSize(1080, 740)
_FRAME_OF_SYSTEM = QSize(8, 48)
_QUESTION = "Start a new conversation? The words on this screen will be gone. They are kept nowhere else."


def is_narrow(width: int, scale: float) -> bool:
    """Whether the help goes on top: a window of `width` pixels has no room beside the conversation at this type."""
    return width < _NARROW_PX * max(scale, 1.0)


def is_short(height: int, scale: float) -> bool:
    """Whether a window of `height` pixels has no room for a row of tools."""
    return height < _SHORT_PX * max(scale, 1.0)


class MainWindow(QMainWindow):
    """Puts the parts in their places. `painted` is emitted once, after the first picture of it is on the screen."""

    painted = Signal()
    closed = Signal()
    copied = Signal(str)
    region_chosen = Signal(str)

    def __init__(
        self, *, regions: Sequence[Region], disclaimer: str, connections: Callable[[], int], icon_file: Path
    ) -> None:
        super().__init__()
        self._was_painted = False
        self._scale = 1.0
        self._short = False
        self.setWindowTitle("MHDesk")
        self.setWindowIcon(QIcon(str(icon_file)))
        self.toolbar = Toolbar()
        self.conversation = ConversationView()
        self.models = ModelDialog()
        self.confirm = ConfirmBar(_QUESTION, "Start a new one", "Keep this one")
        self.composer = Composer()
        self.panel = CrisisPanel(regions)
        self.strip = CrisisStrip(regions)
        self.status = StatusStrip(connections)
        self.disclaimer = words(disclaimer, "muted")
        for source in (self.panel, self.strip, self.conversation):
            source.copied.connect(self.copied)
        for source in (self.panel, self.strip):
            source.region_chosen.connect(self.region_chosen)
        self.setCentralWidget(self._arranged())
        left = (self.composer, self.models, self.models.back, self.confirm, self.conversation, self.toolbar)
        self._regions = (*left, self.strip, self.panel, self.status)
        self.setMinimumWidth(400)
        self.resize(_USUAL_SIZE.boundedTo(self.screen().availableSize() - _FRAME_OF_SYSTEM))
        self._place_help()
        self.show_models(False)

    def show_help(
        self, region: str, emergency: HelpLine, lines: Sequence[HelpLine], present: Present, *, guessed: bool
    ) -> None:
        """Show the lines of a region, beside and on top alike; `guessed` asks whether it is the right one."""
        for help_place in (self.panel, self.strip):
            help_place.show_help(region, emergency, lines, present)
            help_place.region.show_guessed(guessed)

    def show_hour(self) -> None:
        """Some time has gone by: lines may have opened or closed."""
        lines: list[HelpLineView | ShortLine] = [*self.findChildren(HelpLineView), *self.findChildren(ShortLine)]
        for line in lines:
            line.show_hour()

    def show_scale(self, scale: float) -> None:
        """The type has another size."""
        self._scale = scale
        self.composer.show_new_type()
        self.conversation.show_new_type()
        self._place_help()

    def show_models(self, shown: bool) -> None:
        """Put the dialog for model and adapter in the place of the conversation, or the conversation back."""
        usual: tuple[QWidget, ...] = (self.conversation, self.composer)
        instead = (self.models, self.models.back)
        leaving, coming = (usual, instead) if shown else (instead, usual)
        for part in leaving:  # first: with all of them there the window would grow, and stay so
            part.hide()
        for part in coming:
            part.show()
        self._home().setFocus(Qt.FocusReason.OtherFocusReason)

    def show_hidden(self) -> None:
        """Out of sight at once; still in the task bar."""
        self.showMinimized()

    def _arranged(self) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        left = self._left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.toolbar)
        left.addWidget(self.strip)
        left.addWidget(self.conversation, 1)
        left.addWidget(self.models, 1)
        left.addWidget(self.confirm)
        self._writing = QHBoxLayout()
        self._writing.addWidget(self.composer, 1)
        self._writing.addWidget(self.models.back, 0, Qt.AlignmentFlag.AlignLeft)
        left.addLayout(self._writing)
        left.addWidget(self.disclaimer)
        middle = QHBoxLayout()
        middle.setSpacing(12)
        middle.addLayout(left, 1)
        middle.addWidget(self.panel)
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 10, 12, 8)
        column.setSpacing(6)
        column.addLayout(middle, 1)
        column.addWidget(self.status)
        return page

    def _place_help(self) -> None:
        narrow = is_narrow(self.width(), self._scale)
        self.panel.setFixedWidth(int(_PANEL_PX * max(1.0, self._scale) ** 0.6))
        self._place_toolbar(is_short(self.height(), self._scale))
        held = QApplication.focusWidget()
        self.panel.setVisible(not narrow)
        self.strip.setVisible(narrow)
        if held is not None and not held.isVisible():
            self._home().setFocus()

    def _home(self) -> QWidget:
        """Where the keyboard belongs when nothing else has it."""
        return self.composer.field if self.models.isHidden() else self.models

    def _place_toolbar(self, short: bool) -> None:
        if short == self._short:
            return
        self._short = short
        self.toolbar.show_compact(short)
        self.status.show_brief(short)
        if short:
            self._left.removeWidget(self.toolbar)
            self._writing.addWidget(self.toolbar)
        else:
            self._writing.removeWidget(self.toolbar)
            self._left.insertWidget(0, self.toolbar)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move the help to where there is room for it."""
        super().resizeEvent(event)
        self._place_help()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell once that the window has been painted: its children are, too, when the timer runs."""
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc stops the reply wherever the focus is, or leaves the dialog that stands in its place."""
        if event.key() == Qt.Key.Key_Escape:
            (self.composer.stop if self.models.isHidden() else self.models.back).click()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Go at once and without a question: whoever closes in a hurry may have to."""
        event.accept()
        self.closed.emit()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go to the next stop in reading order."""
        there = next_stop(self._regions, QApplication.focusWidget(), forward=forward)
        if there is None:
            return False
        there.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
        return True
