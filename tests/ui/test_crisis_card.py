from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from mhdesk.core.events import Card, HelpLine
from mhdesk.core.levels import Topic
from mhdesk.ui.crisis_card import CrisisCard, advice, heading
from tests.ui.conftest import PRESENT

EMERGENCY = HelpLine(
    "Emergency services", "Life in danger", voice="112", kind="emergency", source_copy_date="2026-09-01"
)
TALK = HelpLine("Someone to talk to", "Anyone", voice="116 123", hours="24/7", source_copy_date="2026-09-01")
TEXT = HelpLine("Someone to write to", "Anyone", text="HOME to 741741", evidence="unconfirmed")


def shown(card: CrisisCard) -> str:
    return "\n".join(label.text() for label in card.findChildren(QLabel) if label.isVisibleTo(card))


def build(topic: Topic, *lines: HelpLine) -> CrisisCard:
    return CrisisCard(Card("DE", topic, lines), PRESENT, lambda line: f"What happens at {line.name}.")


def test_it_shows_who_the_number_the_hours_and_what_happens() -> None:
    words = shown(build(Topic.SUICIDE, TALK, TEXT))
    assert "Someone to talk to" in words
    assert "116 123" in words
    assert "Day and night" in words
    assert "What happens at Someone to talk to." in words
    assert "Text HOME to 741741" in words
    assert "could not confirm" in words


def test_one_press_copies_the_number() -> None:
    card = build(Topic.SUICIDE, TALK)
    copied: list[str] = []
    card.copied.connect(copied.append)
    (button,) = (b for b in card.findChildren(QPushButton) if b.text() == "Copy")
    button.click()
    assert copied == ["116 123"]
    assert button.text() == "Copied"


def test_danger_puts_the_emergency_number_into_the_heading() -> None:
    assert "emergency number first" in heading(Card("DE", Topic.SUICIDE, (EMERGENCY, TALK)))
    assert "emergency number first" not in heading(Card("DE", Topic.SUICIDE, (TALK, EMERGENCY)))
    assert heading(Card("DE", Topic.THIRD_PARTY, (EMERGENCY,))).startswith("If they are in danger")


def test_a_worry_about_someone_else_speaks_about_that_person() -> None:
    card = Card("DE", Topic.THIRD_PARTY, (TALK,))
    assert "the person you are worried about" in heading(card)
    assert "call for someone else" in advice(card)


def test_a_child_is_not_told_of_lines_for_children_where_there_are_none() -> None:
    child = HelpLine("For children", "Children", voice="116 111", kind="youth")
    assert "for children" in heading(Card("DE", Topic.MINOR, (child, TALK)))
    assert "for children" not in heading(Card("AE", Topic.MINOR, (TALK,)))


def test_someone_young_is_told_of_an_adult_whatever_the_topic() -> None:
    for topic in Topic:
        assert advice(Card("DE", topic, (TALK,)), young=True).count("an adult you trust") == 1


def test_abuse_warns_about_the_screen_and_offers_to_hide_the_window() -> None:
    card = build(Topic.ABUSE, TALK)
    assert "Someone may see this screen" in shown(card)
    hidden: list[bool] = []
    card.hide_wanted.connect(lambda: hidden.append(True))
    next(b for b in card.findChildren(QPushButton) if b.text().startswith("Hide")).click()
    assert hidden == [True]


def test_more_than_two_lines_wait_behind_one_button() -> None:
    third = HelpLine("A third", "Anyone", voice="3333")
    card = build(Topic.SUICIDE, TALK, TEXT, third)
    assert "3333" not in shown(card)
    next(b for b in card.findChildren(QPushButton) if b.text() == "Show 1 more").click()
    assert "3333" in shown(card)


def test_what_waits_may_have_nothing_to_press() -> None:
    near = HelpLine("Someone near you", "A person you trust", kind="guidance")
    card = build(Topic.SUICIDE, TALK, EMERGENCY, near)
    more = next(b for b in card.findChildren(QPushButton) if b.text() == "Show 1 more")
    more.click()
    assert "Someone near you" in shown(card)
    assert more.isHidden()


@pytest.mark.parametrize("topic", list(Topic))
def test_every_topic_has_a_heading_and_advice(topic: Topic) -> None:
    card = Card("DE", topic, (TALK,))
    assert heading(card)
    assert advice(card)
    assert heading(Card("", topic, ()))


def test_making_a_card_never_opens_a_window_of_its_own() -> None:
    before = QApplication.topLevelWidgets()
    card = build(Topic.SUICIDE, TALK, TEXT, EMERGENCY)
    opened = [widget for widget in QApplication.topLevelWidgets() if widget not in before and widget.isVisible()]
    assert opened == []
    assert card.isHidden() or not card.isVisible()
