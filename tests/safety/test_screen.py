"""The screen on sentences of our own, in conversations, and on hostile input. Floors are per group."""

import json
import time
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhdesk.core.levels import NOTHING_FOUND, Level, Topic, Verdict
from mhdesk.core.messages import Message, Role
from mhdesk.core.paths import resources_dir
from mhdesk.safety.patterns import BadRules
from mhdesk.safety.rules import ScreenRules
from mhdesk.safety.screen import Screen

SCREEN = Screen.load()
CASES = [json.loads(line) for line in (Path(__file__).parent / "screen_cases.jsonl").read_text("utf-8").splitlines()]
GROUPS = sorted({case["group"] for case in CASES})
FLOORS = {
    "explicit": 0.97, "capitals": 0.97, "obfuscated": 0.90, "slang": 0.85, "plan_means": 0.84, "implicit": 0.73,
    "psychosis": 0.71, "buried": 0.86, "negated_at_risk": 0.86, "returning": 0.86, "grief_risk": 0.86,
    "none": 0.95, "idiom": 0.96, "distress": 1.0, "lang-none": 0.95,
}  # fmt: skip


def say(*texts: str) -> Verdict:
    """Turns in order; those beginning with "> " are the app's."""
    turns = [Message(Role.ASSISTANT, text[2:]) if text.startswith("> ") else Message(Role.USER, text) for text in texts]
    return SCREEN.assess(turns)


@pytest.mark.parametrize("group", GROUPS)
def test_reaches_the_floor_of_the_group(group: str) -> None:
    found = defaultdict(list)
    for case in (case for case in CASES if case["group"] == group):
        verdict = say(case["text"])
        right = verdict.level.value == case["level"] and ("topic" not in case or case["topic"] in verdict.topics)
        found[right].append(case["text"])
    share = len(found[True]) / (len(found[True]) + len(found[False]))
    assert share >= FLOORS.get(group, 0.85), found[False]


@pytest.mark.parametrize("text", [case["text"] for case in CASES if case["level"] == "none"])
def test_shows_no_false_card(text: str) -> None:
    assert say(text).level is not Level.CRISIS


def test_the_sentences_the_project_was_asked_for() -> None:
    hopeless = say("I'm feeling hopeless and don't see any point in living anymore.")
    assert (hopeless.level, hopeless.topics[0]) == (Level.CRISIS, Topic.SUICIDE)
    friend = say("My friend told me they're feeling suicidal. What can I do to help them?")
    assert (friend.level, friend.topics[0]) == (Level.CRISIS, Topic.THIRD_PARTY)


@pytest.mark.parametrize("answer", ["yes", "Yeah.", "sometimes", "i guess so", "every day", "maybe", "sí", "はい"])
def test_a_yes_to_the_apps_own_question_is_crisis(answer: str) -> None:
    verdict = say("things are bad", "> Are you thinking about ending your life?", answer)
    assert (verdict.level, verdict.topics[0]) == (Level.CRISIS, Topic.SUICIDE)
    assert verdict.rules[0].startswith("conversation.")


def test_a_no_to_it_is_watched() -> None:
    assert say("bad day", "> Are you having thoughts of suicide?", "no, nothing like that").level is Level.ELEVATED


def test_a_yes_about_means_is_danger() -> None:
    verdict = say("i want to die", "> Do you have pills or something else near you?", "yes, right here")
    assert verdict.level is Level.CRISIS
    assert verdict.danger_now


def test_a_yes_to_anything_else_is_nothing() -> None:
    assert say("hello", "> Would you like a breathing exercise?", "yes please").level is Level.NONE


def test_the_assistant_alone_raises_nothing() -> None:
    assert say("> Are you thinking about suicide?") == NOTHING_FOUND
    assert say("I like tea", "> Some people want to die.", "I went for a walk").level is Level.NONE
    assert SCREEN.assess([]) == NOTHING_FOUND


def test_what_was_said_before_is_remembered() -> None:
    assert say("I want to kill myself", "> I am here.", "I'm going to do it tonight").danger_now
    assert say("I want to kill myself", "> I am here.", "thank you, I had some soup").level is Level.ELEVATED


def test_a_sentence_may_go_on_in_the_next_message() -> None:
    assert say("i just really want to", "die").level is Level.CRISIS


@pytest.mark.parametrize(
    "text",
    [
        "i have counted my tablets and i dont want to be here tomorrow",
        "got my dad's gun out of the safe and i want to die",
        "I'm going to hang myself",
        "ich will nicht mehr leben, die tabletten liegen hier",
        "je vais me tuer",
        "今晚我不想活了",
    ],
)
def test_means_a_time_or_an_intent_beside_a_crisis_put_the_emergency_number_first(text: str) -> None:
    verdict = say(text)
    assert (verdict.level, verdict.danger_now) == (Level.CRISIS, True)


def test_thoughts_like_that_point_at_the_sentence_before() -> None:
    asked = "> Sometimes people think about ending their life. Are you having thoughts like that?"
    assert say("a rotten year", asked, "Yes.").level is Level.CRISIS
    assert say("a rotten year", asked, "No.").level is Level.ELEVATED
    assert say("ok", "> Many people dread exams. Do you feel like that too?", "yes").level is Level.NONE


@pytest.mark.parametrize(
    "text",
    [
        "I'm not in danger until Thursday",
        "i told my counsellor im fine and not thinking about it. that was a lie",
        "I was done with wanting to die. Then the layoffs. It's back and louder.",
        "Took far too many of my blood pressure pills.",
    ],
)
def test_denials_that_end_what_is_back_and_too_many_tablets_are_crisis(text: str) -> None:
    assert say(text).level is Level.CRISIS


@pytest.mark.parametrize("text", ["I want to die", "I feel suicidal", "ich will nicht mehr leben", "我不想活了"])
def test_a_wish_alone_is_not_danger_now(text: str) -> None:
    verdict = say(text)
    assert (verdict.level, verdict.danger_now) == (Level.CRISIS, False)


@pytest.mark.parametrize(
    "text", ["what shall i cook tonight", "my tablets make me tired", "morgen abend gehe ich ins kino"]
)
def test_words_of_means_or_time_alone_say_nothing(text: str) -> None:
    assert say(text).level is Level.NONE


def test_plan_means_and_attempt_are_danger_now() -> None:
    for text in ("I have the pills ready next to me", "I swallowed a whole bottle of pills", "He stopped breathing"):
        verdict = say(text)
        assert verdict.level is Level.CRISIS, text
        assert verdict.danger_now, text


def test_a_modifier_lowers_but_never_hides_plan_or_means() -> None:
    assert say("I am not suicidal at all").level is Level.ELEVATED
    assert say("Years ago I had the pills ready next to me").level is Level.ELEVATED


def test_the_verdict_names_its_rules() -> None:
    assert "en.suicide.named/negation" in say("I am not suicidal").rules


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=300))
def test_never_raises(text: str) -> None:
    say(text)


@pytest.mark.parametrize("text", ["", " ", "\0", "\ud800", "‮" * 50, "'", "*" * 99, "?!"])
def test_nothing_is_nothing(text: str) -> None:
    assert say(text) == NOTHING_FOUND


@pytest.mark.parametrize(
    "unit",
    ["a", "i want to ", "kill myself not ", "i ", "死", "मरना ", "' ", "\u0301\u0316", "no ", "k i l l ", "x1y2"],
)
def test_hostile_text_is_read_in_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    start = time.perf_counter()
    say(text)
    assert time.perf_counter() - start < 3, "the aim is 1 s on the reference machine; test machines may be slower"


def test_a_megabyte_does_not_raise() -> None:
    assert say("tea and cake. " * 70_000 + "I want to die.").level is Level.CRISIS


def test_rules_load_fast_enough_for_the_window() -> None:
    start = time.perf_counter()
    ScreenRules.load()
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    "line",
    [
        "surprise: 1", "rules: [{id: x.y, means: A test., topics: [suicide], patterns: ['('] }]",
        "rules: [{id: x.y, means: A test., topics: [sadness], patterns: [a] }]",
        "rules: [{id: x.y, means: A test., patern: [a]}]", "rules: [{id: x.y, topics: [suicide], patterns: [a] }]",
        "rules: [{id: x.y, means: A test., topics: [suicide], patterns: ['{nobody} here'] }]",
        "rules: [{id: x.y, means: A test., topics: [suicide], patterns: ['(a)?'] }]",
    ],
)  # fmt: skip
def test_a_slip_in_a_rule_file_is_an_error(tmp_path: Path, line: str) -> None:
    source = resources_dir() / "safety"
    (tmp_path / "screen").mkdir()
    for name in ("conversation.yaml", "spelling.yaml"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    (tmp_path / "screen" / "xx.yaml").write_text(f"language: xx\n{line}\n", encoding="utf-8")
    with pytest.raises(BadRules):
        ScreenRules.load(tmp_path)
