"""What the program says at level crisis."""

import json
import re
from pathlib import Path

import pytest

from mhdesk.chat.crisis import BadReplies, CrisisReplies
from mhdesk.core.levels import Level, Topic, Verdict
from mhdesk.core.paths import resources_dir

REPLIES = CrisisReplies.load()
FILE = resources_dir() / "crisis" / "en.json"


def crisis(topic: Topic, *rules: str, now: bool = False) -> Verdict:
    return Verdict(Level.CRISIS, (topic,), rules, now)


def all_texts() -> list[str]:
    raw = json.loads(FILE.read_text(encoding="utf-8"))
    return raw["danger_now"] + [text for parts in raw["topics"].values() for texts in parts.values() for text in texts]


@pytest.mark.parametrize("topic", list(Topic))
def test_forty_crisis_turns_never_repeat(topic: Topic) -> None:
    said: list[str] = []
    for turn in range(40):
        text = REPLIES.choose(crisis(topic, now=turn % 7 == 0), said, turn)
        assert text not in said
        said.append(text)


def test_topics_may_change_in_one_conversation() -> None:
    said: list[str] = []
    for turn in range(90):
        topic = list(Topic)[turn % len(Topic)]
        said.append(REPLIES.choose(crisis(topic), said, turn))
    assert len(set(said)) == len(said)


def test_the_same_step_is_not_given_twice_in_a_row() -> None:
    said: list[str] = []
    for turn in range(12):
        said.append(REPLIES.choose(crisis(Topic.SUICIDE), said, turn))
    endings = [text[-60:] for text in said]
    assert len(set(endings)) == len(endings)


def test_the_first_reply_asks_directly_and_points_to_the_card() -> None:
    text = REPLIES.choose(crisis(Topic.SUICIDE, "en.suicide.others-better-off"), (), 0)
    assert "are you thinking about ending your life?" in text
    assert "card" in text


def test_what_was_said_plainly_is_not_asked_again() -> None:
    text = REPLIES.choose(crisis(Topic.SUICIDE, "en.suicide.act"), (), 0)
    assert "are you thinking about ending your life" not in text
    assert "how you would do it" in text
    assert "card" in text


@pytest.mark.parametrize("topic", list(Topic))
def test_danger_names_the_emergency_number_first(topic: Topic) -> None:
    assert "emergency number" in REPLIES.choose(crisis(topic, now=True), (), 0)


def test_third_party_speaks_of_the_other_person() -> None:
    text = REPLIES.choose(crisis(Topic.THIRD_PARTY), (), 0)
    assert "they are thinking about ending their life" in text
    assert "your life" not in text


def test_abuse_begins_with_the_screen() -> None:
    text = REPLIES.choose(crisis(Topic.ABUSE), (), 0)
    assert "the screen" in text
    assert "clear our talk" in text


def test_a_verdict_without_topic_is_answered_as_suicide() -> None:
    assert REPLIES.choose(Verdict(Level.CRISIS, rules=("internal-error",)), (), 0)


def test_texts_hold_no_number_contract_or_leading_question() -> None:
    for text in all_texts():
        assert not re.search(r"\d", text), text
        unwanted = r"\bpromise|swear to me|you're not (thinking|going)|commit(ted)? suicide|goodbye"
        assert not re.search(unwanted, text, re.I), text


@pytest.mark.parametrize("topic", list(Topic))
def test_it_says_that_it_cannot_call(topic: Topic) -> None:
    said: list[str] = []
    for turn in range(12):
        said.append(REPLIES.choose(crisis(topic), said, turn))
    assert any("cannot call" in text for text in said)


def test_reading_is_easy() -> None:
    """Flesch-Kincaid (1975) over all texts, syllables counted as groups of vowels."""
    texts = " ".join(all_texts())
    sentences = len(re.findall(r"[.!?:]+", texts))
    words = re.findall(r"[A-Za-z']+", texts)
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower())))) for word in words)
    assert 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59 < 6


def test_a_missing_part_is_an_error(tmp_path: Path) -> None:
    raw = json.loads(FILE.read_text(encoding="utf-8"))
    del raw["topics"]["abuse"]["safer"]
    (tmp_path / "en.json").write_text(json.dumps(raw))
    with pytest.raises(BadReplies):
        CrisisReplies.load(tmp_path / "en.json")
