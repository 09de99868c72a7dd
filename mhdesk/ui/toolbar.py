"""The few things one can do to the window itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton

from mhdesk.core.settings import AgeBand, Looks
from mhdesk.ui.labels import button
from mhdesk.ui.opening_page import AGES

_C = TypeVar("_C", Looks, AgeBand)
_LOOKS = {Looks.SYSTEM: "As the system", Looks.LIGHT: "Light", Looks.DARK: "Dark"}


class Toolbar(QFrame):
    """New conversation, hide, and a menu with the rest. Shortcuts work wherever the focus is."""

    new_wanted = Signal()
    hide_wanted = Signal()
    looks_chosen = Signal(Looks)
    age_chosen = Signal(AgeBand)
    text_size_wanted = Signal(int)
    models_wanted = Signal()
    about_wanted = Signal()
    leave_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Tools")
        self.new = button("New conversation")
        self.new.setToolTip("Start again with an empty conversation (Ctrl+N)")
        self.new.clicked.connect(self.new_wanted)
        self.hide_window = button("Hide window", "Hide this window now. It stays in the task bar")
        self.hide_window.setToolTip("Hide this window now (Ctrl+H). It stays in the task bar.")
        self.hide_window.clicked.connect(self.hide_wanted)
        self.menu_button = QToolButton()
        self.menu_button.setText("Menu")
        self.menu_button.setAccessibleName("Menu")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setFocusPolicy(self.new.focusPolicy())
        self.menu_button.setMenu(self._menu())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.new)
        row.addStretch(1)
        row.addWidget(self.hide_window)
        row.addWidget(self.menu_button)

    def show_compact(self, compact: bool) -> None:
        """Leave only the menu, which holds the rest, or show everything."""
        self.new.setVisible(not compact)
        self.hide_window.setVisible(not compact)

    def show_looks(self, looks: Looks) -> None:
        """Mark the choice in force."""
        self._looks[looks].setChecked(True)

    def show_age(self, band: AgeBand) -> None:
        """Mark the age band in force."""
        self._ages[band].setChecked(True)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        self._add(menu, "New conversation", "Ctrl+N", self.new_wanted.emit)
        menu.addSeparator()
        self._add(menu, "Larger text", "Ctrl++", lambda: self.text_size_wanted.emit(1)).setShortcuts(
            [QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")]
        )
        self._add(menu, "Smaller text", "Ctrl+-", lambda: self.text_size_wanted.emit(-1))
        self._add(menu, "Normal text", "Ctrl+0", lambda: self.text_size_wanted.emit(0))
        self._looks = self._add_choices(menu.addMenu("Looks"), _LOOKS, self.looks_chosen.emit)
        self._ages = self._add_choices(menu.addMenu("Your age"), AGES, self.age_chosen.emit)
        menu.addSeparator()
        self._add(menu, "&Model and adapter…", "Ctrl+Shift+M", self.models_wanted.emit)
        menu.addSeparator()
        self._add(menu, "Hide window", "Ctrl+H", self.hide_wanted.emit)
        self._add(menu, "About MHDesk", "", self.about_wanted.emit)
        self._add(menu, "Close", "Ctrl+Q", self.leave_wanted.emit)
        return menu

    def _add_choices(self, menu: QMenu, names: Mapping[_C, str], chosen: Callable[[_C], None]) -> dict[_C, QAction]:
        """One action a choice, of which one is marked."""
        group = QActionGroup(self)
        actions: dict[_C, QAction] = {}
        for choice, name in names.items():
            action = self._add(menu, name, "", partial(self._choose, chosen, choice))
            action.setCheckable(True)
            group.addAction(action)
            actions[choice] = action
        return actions

    @staticmethod
    def _choose(chosen: Callable[[_C], None], choice: _C, _checked: bool = False) -> None:
        chosen(choice)

    def _add(self, menu: QMenu, name: str, keys: str, do: Callable[..., object]) -> QAction:
        action = QAction(name, self)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(do)
        menu.addAction(action)
        self.addAction(action)
        return action
