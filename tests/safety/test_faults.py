"""No silence: what happens when the safety layer itself fails."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mhdesk.core.levels import Level, Topic, Verdict
from mhdesk.core.messages import Message, Role
from mhdesk.safety.faults import FaultCounter, safe_assess
from mhdesk.safety.notices import ai_notice, disclaimer


class Broken:
    def assess(self, turns: Sequence[Message], region: str = "") -> Verdict:
        raise RuntimeError(turns[0].text)


def test_a_broken_screen_shows_help_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    counted: list[str] = []
    verdict = safe_assess(Broken(), [Message(Role.USER, "secret words")], "GB", counted.append)
    assert verdict == Verdict(Level.CRISIS, (Topic.SUICIDE,), rules=("internal-error",))
    assert counted == ["screen"]
    assert "secret" not in caplog.text


def test_counts_outlive_the_program(tmp_path: Path) -> None:
    path = tmp_path / "home" / "faults.json"
    counter = FaultCounter(path)
    counter.add("screen")
    counter.add("gate")
    counter.add("screen")
    assert FaultCounter(path).counts() == {"screen": 2, "gate": 1}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"screen": "many", "gate": -1}', "\0"])
def test_a_damaged_file_counts_from_zero(tmp_path: Path, content: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(content)
    assert FaultCounter(path).counts() == {"screen": 0, "gate": 0}


def test_a_failing_disk_is_swallowed(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    counter = FaultCounter(blocked / "faults.json")
    counter.add("gate")
    assert counter.counts()["gate"] == 1


def test_the_notices_say_what_they_must() -> None:
    assert "not a substitute for professional advice" in disclaimer()
    assert "computer program" in ai_notice().lower()
    assert "not a human being" in ai_notice().lower()
