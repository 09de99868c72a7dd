from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel

from mhdesk.safety.helplines import Helplines
from mhdesk.ui.region_chooser import ANYWHERE, RegionChooser


@pytest.fixture
def chooser(book: Helplines) -> RegionChooser:
    return RegionChooser(book.regions())


def asked(chooser: RegionChooser) -> list[str]:
    return [label.text() for label in chooser.findChildren(QLabel) if label.isVisibleTo(chooser)]


def test_a_guess_is_asked_about_and_one_click_confirms_it(chooser: RegionChooser) -> None:
    chosen: list[str] = []
    chooser.chosen.connect(chosen.append)
    chooser.show_region("GB")
    chooser.show_guessed(True)
    assert asked(chooser) == ["Are you here?"]
    chooser.yes.click()
    assert chosen == ["GB"]
    chooser.show_guessed(False)
    assert asked(chooser) == []


def test_without_a_guess_the_country_is_asked_for_and_nothing_can_be_confirmed(chooser: RegionChooser) -> None:
    chooser.show_region(ANYWHERE)
    chooser.show_guessed(True)
    assert asked(chooser) == ["Please choose your country for its numbers."]
    assert not chooser.yes.isVisibleTo(chooser)
