"""Every file of crisis replies: its form, its counts, and what must not stand in it."""

import json
import logging
import re
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mhdesk.chat.crisis_texts import BadReplies, load_crisis_texts, read_crisis_texts
from mhdesk.core.levels import Topic
from mhdesk.safety.gate import Gate
from mhdesk.safety.languages import LANGUAGES
from tests.chat.crisis_files import EMERGENCY, FILES, FOLDER, PROGRAM, TAGS, UNWANTED, all_texts, raw

AT_LEAST = {"acknowledge": 10, "first": 2, "first_plain": 2, "ask": 4, "people": 4, "safer": 4, "stay": 4}
EACH = pytest.mark.parametrize("path", FILES, ids=TAGS)
SENTENCE_END = re.compile(r"[.!?…。！？؟।]+")
LONGEST_MEAN = 14
LONGEST_MEAN_CHARACTERS = 45


def test_the_languages_are_ones_the_program_knows() -> None:
    assert set(TAGS) <= set(LANGUAGES)
    assert {"en", "es", "fr", "de"} <= set(TAGS)


@EACH
def test_every_file_has_the_form_and_enough_texts(path: Path) -> None:
    texts = read_crisis_texts(path)
    assert len(texts.danger_now) >= 4
    assert len(texts.own_plan) >= 4
    assert len(texts.young_people) >= 4
    assert len(texts.young_safer) >= 2
    for name, parts in raw(path)["topics"].items():
        assert ("first_plain" in parts) == (name in ("suicide", "self_harm")), name
        few = {part: len(found) for part, found in parts.items() if len(found) < AT_LEAST[part]}
        assert not few, f"{name} has too few: {few}"


@EACH
def test_no_text_is_another_or_part_of_another(path: Path) -> None:
    texts = all_texts(path)
    assert len(set(texts)) == len(texts)
    assert not [(one, other) for one in texts for other in texts if one != other and one in other]


@EACH
def test_texts_hold_no_number_address_contract_method_or_shout(path: Path) -> None:
    unwanted = re.compile(UNWANTED[path.stem], re.IGNORECASE)
    for text in all_texts(path):
        assert not re.search(r"\d|[@!！¡]|https?:|www\.", text), text
        assert not any(character >= "\U0001f000" for character in text), text
        assert not unwanted.search(text), text
        assert text == text.strip()


@EACH
def test_sentences_are_short(path: Path) -> None:
    sentences = [part.strip() for text in all_texts(path) for part in SENTENCE_END.split(text) if part.strip(" ”\"'»")]
    if path.stem in ("ja", "zh"):
        assert statistics.mean(map(len, sentences)) <= LONGEST_MEAN_CHARACTERS
    else:
        assert statistics.mean(len(sentence.split()) for sentence in sentences) <= LONGEST_MEAN


@EACH
def test_danger_and_what_must_name_it_name_the_emergency_number(path: Path) -> None:
    texts = read_crisis_texts(path)
    naming = [*texts.danger_now, *texts.topics[Topic.MEDICAL].first, *texts.topics[Topic.THIRD_PARTY].first]
    assert not [text for text in naming if EMERGENCY[path.stem] not in text.casefold()]


@EACH
@pytest.mark.parametrize("topic", list(Topic))
def test_the_first_words_about_people_say_that_this_is_a_program(path: Path, topic: Topic) -> None:
    assert PROGRAM[path.stem] in read_crisis_texts(path).topics[topic].people[0].casefold()


def test_the_gate_would_let_every_english_text_pass() -> None:
    gate = Gate.load()
    stopped = []
    for text in all_texts(FOLDER / "en.json"):
        stream = gate.begin()
        shown = stream.push(text) + stream.flush()
        if stream.stopped or shown != text:
            stopped.append((text, stream.stopped))
    assert not stopped


def test_another_languages_broken_file_is_named_in_the_log_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(FOLDER / "en.json", tmp_path)
    (tmp_path / "fr.json").write_text('{"danger_now": ["a private word"]}')
    (tmp_path / "de.json").write_text("[" * 100_000)
    (tmp_path / "es.json").write_bytes(b"\xff\xfe")
    with caplog.at_level(logging.ERROR):
        assert set(load_crisis_texts(tmp_path)) == {"en"}
    assert "fr.json" in caplog.text
    assert "private" not in caplog.text
    assert len(caplog.records) == 3


def _without_stage(raw: Any) -> None:
    del raw["topics"]["abuse"]["safer"]


def _without_topic(raw: Any) -> None:
    del raw["topics"]["eating"]


def _with_unknown_part(raw: Any) -> None:
    raw["topics"]["abuse"]["extra"] = ["More."]


def _with_empty_part(raw: Any) -> None:
    raw["young"]["safer"] = []


def _with_no_list(raw: Any) -> None:
    raw["danger_now"] = "One text only."


def _with_a_number(raw: Any) -> None:
    raw["topics"]["minor"]["ask"] = [7]


def _without_place_for_the_step(raw: Any) -> None:
    raw["own_plan"] = ["Your plan has a step."]


@pytest.mark.parametrize(
    "spoil",
    [
        _without_stage,
        _without_topic,
        _with_unknown_part,
        _with_empty_part,
        _with_no_list,
        _with_a_number,
        _without_place_for_the_step,
    ],
)
def test_english_that_breaks_the_form_is_an_error(tmp_path: Path, spoil: Callable[[Any], None]) -> None:
    broken = raw(FOLDER / "en.json")
    spoil(broken)
    (tmp_path / "en.json").write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(BadReplies):
        load_crisis_texts(tmp_path)


def test_without_english_there_are_no_replies(tmp_path: Path) -> None:
    shutil.copy(FILES[0], tmp_path / "fr.json")
    with pytest.raises(BadReplies):
        load_crisis_texts(tmp_path)
