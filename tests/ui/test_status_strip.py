from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QProgressBar

from mhdesk.core.engine_status import EngineState, EngineStatus
from mhdesk.ui.status_strip import StatusStrip, percent, summary


def test_the_line_is_the_sentence_then_model_and_adapter() -> None:
    ready = EngineStatus(EngineState.READY, "Ready.", model="Small", adapter="Starter")
    assert summary(ready) == "Ready.   Small with Starter"
    assert summary(ready, brief=True) == "Ready."
    assert summary(EngineStatus(EngineState.NO_MODEL, "No model.")) == "No model."


@pytest.mark.parametrize(
    ("state", "progress", "shown"),
    [
        (EngineState.LOADING, 0.42, 42),
        (EngineState.LOADING, None, -1),
        (EngineState.LOADING, 7.0, 100),
        (EngineState.READY, None, None),
    ],
)
def test_progress_is_shown_while_there_is_something_to_wait_for(
    state: EngineState, progress: float | None, shown: int | None
) -> None:
    assert percent(EngineStatus(state, "…", progress)) == shown


def test_it_says_how_many_connections_were_made_and_can_show_a_trouble() -> None:
    strip = StatusStrip(lambda: 0)
    strip.show()
    words = [label.text() for label in strip.findChildren(QLabel)]
    assert "Connections made: 0" in words
    strip.show_trouble("Not saved.")
    assert "Not saved." in [label.text() for label in strip.findChildren(QLabel) if label.isVisible()]
    strip.show_trouble("")
    assert "Not saved." not in [label.text() for label in strip.findChildren(QLabel) if label.isVisible()]


def test_the_bar_goes_when_loading_is_over() -> None:
    strip = StatusStrip(lambda: 0)
    strip.show()
    strip.show_status(EngineStatus(EngineState.LOADING, "Loading", 0.5))
    (bar,) = strip.findChildren(QProgressBar)
    assert bar.isVisible()
    assert bar.value() == 50
    strip.show_status(EngineStatus(EngineState.READY, "Ready."))
    assert not bar.isVisible()
