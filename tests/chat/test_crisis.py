"""What the program says at level crisis, turn by turn, in every language."""

import itertools
import re

import pytest

from mhdesk.chat.crisis import CrisisReplies
from mhdesk.chat.crisis_texts import load_crisis_texts
from mhdesk.core.levels import Level, Topic, Verdict
from mhdesk.core.settings import AgeBand
from tests.chat.crisis_files import CARD, EMERGENCY, PROGRAM, TAGS

TEXTS = load_crisis_texts()
REPLIES = CrisisReplies(TEXTS)
TURNS = 60
IN_EVERY_LANGUAGE = pytest.mark.parametrize("language", TAGS)
ON_EVERY_TOPIC = pytest.mark.parametrize("topic", list(Topic))


def crisis(topic: Topic, *rules: str, now: bool = False) -> Verdict:
    return Verdict(Level.CRISIS, (topic,), rules, now)


def talk(verdicts: list[Verdict], language: str = "en", age_band: AgeBand = AgeBand.ADULT) -> list[str]:
    said: list[str] = []
    for turn, verdict in enumerate(verdicts):
        said.append(REPLIES.choose(verdict, said, turn, language=language, age_band=age_band))
    return said


def sentences(text: str) -> set[str]:
    return {part.strip() for part in re.split(r"[.?!。？؟।]+", text) if part.strip()}


@IN_EVERY_LANGUAGE
@ON_EVERY_TOPIC
@pytest.mark.parametrize("danger_every", [0, 1, 7])
@pytest.mark.parametrize("age_band", [AgeBand.TEEN, AgeBand.ADULT])
def test_sixty_crisis_turns_never_repeat(language: str, topic: Topic, danger_every: int, age_band: AgeBand) -> None:
    danger = [bool(danger_every) and turn % danger_every == 0 for turn in range(TURNS)]
    said = talk([crisis(topic, "en.rule", now=now) for now in danger], language, age_band)
    assert len(set(said)) == TURNS
    repeated = [both for both in itertools.pairwise(said) if sentences(both[0]) & sentences(both[1])]
    assert not repeated, "a sentence came twice in a row"


@IN_EVERY_LANGUAGE
def test_topics_may_change_in_one_conversation(language: str) -> None:
    said = talk([crisis(list(Topic)[turn % len(Topic)]) for turn in range(90)], language)
    assert len(set(said)) == len(said)


@IN_EVERY_LANGUAGE
@ON_EVERY_TOPIC
def test_after_the_question_come_people_safety_staying_and_more_questions(language: str, topic: Topic) -> None:
    script = TEXTS[language].topics[topic]
    said = talk([crisis(topic)] * 9, language, AgeBand.ADULT) if topic is not Topic.MINOR else []
    stages = (script.first, *(script.people, script.safer, script.stay, script.ask) * 2)
    for reply, stage in zip(said, stages, strict=False):
        assert any(reply.endswith(text) for text in stage)
        assert any(reply.startswith(text) for text in script.acknowledge)


@IN_EVERY_LANGUAGE
@ON_EVERY_TOPIC
def test_no_step_returns_before_all_others_were_said(language: str, topic: Topic) -> None:
    script = TEXTS[language].topics[topic]
    steps = [*script.people, *script.safer, *script.stay, *script.ask]
    said = talk([crisis(topic)] * (len(steps) + 1), language)
    assert all(sum(reply.endswith(step) for reply in said) <= 1 for step in steps)


@IN_EVERY_LANGUAGE
@ON_EVERY_TOPIC
@pytest.mark.parametrize("age_band", [AgeBand.UNKNOWN, AgeBand.TEEN, AgeBand.ADULT])
def test_it_says_early_that_it_is_a_program(language: str, topic: Topic, age_band: AgeBand) -> None:
    replies = talk([crisis(topic)] * 4, language, age_band)
    assert any(PROGRAM[language] in reply.casefold() for reply in replies)


@ON_EVERY_TOPIC
def test_it_says_early_that_it_cannot_call_anyone(topic: Topic) -> None:
    assert any("cannot call" in reply for reply in talk([crisis(topic)] * 4))


@pytest.mark.parametrize("language", [tag for tag in TAGS if tag in CARD])
@ON_EVERY_TOPIC
def test_not_every_reply_points_to_the_card_again(language: str, topic: Topic) -> None:
    pointing = [CARD[language] in reply.casefold() for reply in talk([crisis(topic)] * 20, language)]
    assert any(pointing[:2])
    assert sum(pointing) <= 8
    assert not any(all(four) for four in zip(pointing, pointing[1:], pointing[2:], pointing[3:], strict=False))


def test_the_first_reply_asks_directly_and_points_to_the_card() -> None:
    text = REPLIES.choose(crisis(Topic.SUICIDE, "en.suicide.others-better-off"), (), 0)
    assert "are you thinking about ending your life?" in text
    assert "card" in text


@pytest.mark.parametrize(
    "rule", ["en.suicide.act", "en.suicide.named", "es.suicide", "hi-latin.suicide", "conversation.asked-suicide"]
)
def test_what_was_said_plainly_is_not_asked_again(rule: str) -> None:
    text = REPLIES.choose(crisis(Topic.SUICIDE, rule), (), 0)
    assert "are you thinking about ending your life" not in text
    assert "how you would do it" in text
    assert "card" in text


@pytest.mark.parametrize(
    "rule",
    ["learnt.suicide", "learnt.suicide.named", "en.suicide.named/negation", "de.suicide.no-life", "internal-error"],
)
def test_what_was_felt_or_only_hinted_at_is_asked(rule: str) -> None:
    assert "are you thinking about ending your life?" in REPLIES.choose(crisis(Topic.SUICIDE, rule), (), 0)


def test_a_yes_to_the_question_is_met_with_the_next_one() -> None:
    hinted, plain = crisis(Topic.SUICIDE, "en.suicide.farewell"), crisis(Topic.SUICIDE, "conversation.asked-suicide")
    first, second, third = talk([hinted, plain, plain])
    script = TEXTS["en"].topics[Topic.SUICIDE]
    assert first.endswith(script.first)
    assert second.endswith(script.first_plain)
    assert third.endswith(script.people[0])


@pytest.mark.parametrize("topic", [Topic.SUICIDE, Topic.SELF_HARM])
def test_with_means_in_hand_distance_comes_before_questions(topic: Topic) -> None:
    script = TEXTS["en"].topics[topic]
    first, second = talk([crisis(topic, "en.suicide.means", now=True)] * 2)
    assert first.startswith(TEXTS["en"].danger_now)
    assert first.endswith(script.safer[0])
    assert second.endswith(script.first)


def test_danger_that_was_only_felt_is_asked_about() -> None:
    text = REPLIES.choose(crisis(Topic.SUICIDE, "learnt.suicide", now=True), (), 0)
    assert text.startswith(TEXTS["en"].danger_now)
    assert text.endswith(TEXTS["en"].topics[Topic.SUICIDE].first)


@IN_EVERY_LANGUAGE
@ON_EVERY_TOPIC
def test_danger_names_the_emergency_number_first_and_not_in_every_reply(language: str, topic: Topic) -> None:
    opens_with_it = topic in (Topic.MEDICAL, Topic.THIRD_PARTY)
    urgent = TEXTS[language].topics[topic].first if opens_with_it else TEXTS[language].danger_now
    said = talk([crisis(topic, "en.rule", now=True)] * 20, language)
    assert EMERGENCY[language] in said[0].casefold()
    leading = [any(text in reply for text in urgent) for reply in said]
    assert not any(one and other for one, other in itertools.pairwise(leading))
    assert sum(leading) >= 5


def test_an_attempt_under_way_is_an_emergency_of_the_body() -> None:
    verdict = Verdict(Level.CRISIS, (Topic.SUICIDE, Topic.MEDICAL), ("en.suicide.attempt",), danger_now=True)
    assert REPLIES.choose(verdict, (), 0).endswith(TEXTS["en"].topics[Topic.MEDICAL].first)


def test_third_party_speaks_of_the_other_person_also_in_danger() -> None:
    for now in (False, True):
        replies = talk([crisis(Topic.THIRD_PARTY, now=now)] * 6)
        assert "they are thinking about ending their life" in replies[0]
        assert not any("your life" in reply or reply.startswith(TEXTS["en"].danger_now) for reply in replies)


def test_abuse_begins_with_the_screen() -> None:
    text = REPLIES.choose(crisis(Topic.ABUSE), (), 0)
    assert "the screen" in text
    assert "clear our talk" in text


@IN_EVERY_LANGUAGE
@ON_EVERY_TOPIC
@pytest.mark.parametrize("age_band", [AgeBand.UNDER_13, AgeBand.TEEN])
def test_someone_young_is_pointed_to_an_adult_before_the_lines(language: str, topic: Topic, age_band: AgeBand) -> None:
    texts = TEXTS[language]
    replies = talk([crisis(topic)] * 8, language, age_band)
    assert replies[1].endswith(texts.young_people)
    assert replies[3].endswith(texts.topics[topic].people)
    assert any(reply.endswith(texts.young_safer) for reply in replies)


def test_an_adult_is_not_sent_to_school_but_a_child_of_unknown_age_is_told_of_adults() -> None:
    young = TEXTS["en"].young_people + TEXTS["en"].young_safer
    assert not any(reply.endswith(young) for reply in talk([crisis(Topic.SUICIDE)] * TURNS))
    child = Verdict(Level.CRISIS, (Topic.ABUSE, Topic.MINOR))
    assert any(reply.endswith(young) for reply in talk([child] * 3, age_band=AgeBand.UNKNOWN))


def test_a_step_of_the_own_plan_follows_the_people_and_comes_once_a_round() -> None:
    said: list[str] = []
    for turn in range(10):
        steps = ["Call Kim {now}.", "Walk to the lake.", "Listen to the blue record."]
        step = next((step for step in steps if not any(step.rstrip(".") in text for text in said)), None)
        said.append(REPLIES.choose(crisis(Topic.SUICIDE), said, turn, own_step=step))
    where = [turn for turn, text in enumerate(said) if re.search("Kim {now}|the lake|blue record", text)]
    assert where == [2, 6]
    assert "“Call Kim {now}”" in said[2]


@pytest.mark.parametrize(
    "topics", [(Topic.THIRD_PARTY,), (Topic.MEDICAL,), (Topic.SUICIDE, Topic.ABUSE), (Topic.SELF_HARM, Topic.MINOR)]
)
def test_the_own_plan_is_left_out_where_it_may_name_the_wrong_person(topics: tuple[Topic, ...]) -> None:
    said: list[str] = []
    for turn in range(12):
        said.append(REPLIES.choose(Verdict(Level.CRISIS, topics), said, turn, own_step="Ring Sam"))
    assert not any("Sam" in text for text in said)


def test_a_verdict_without_topic_is_answered_as_suicide() -> None:
    text = REPLIES.choose(Verdict(Level.CRISIS, rules=("internal-error",)), (), 0)
    assert text.endswith(TEXTS["en"].topics[Topic.SUICIDE].first)


def test_a_language_without_texts_is_answered_in_english() -> None:
    replies = CrisisReplies({"en": TEXTS["en"]})
    assert replies.choose(crisis(Topic.ABUSE), (), 0, language="fr") == REPLIES.choose(crisis(Topic.ABUSE), (), 0)


def test_even_when_all_was_said_there_is_an_answer() -> None:
    said = talk([crisis(Topic.MINOR)] * 600)
    assert len(set(said)) == 600
