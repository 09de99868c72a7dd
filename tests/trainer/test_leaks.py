"""Rows that say nearly the same are found, every one of them."""

import itertools
import random

import pytest

from mhdesk.core.messages import Message, Role
from trainer.leaks import NearRows
from trainer.rows import Row


def row(name, question, answer="Yes, of course."):
    turns = (Message(Role.USER, question), Message(Role.ASSISTANT, answer))
    return Row(name, "soup", name, turns, "MIT", True)


def shingles(text):
    words = text.split()
    return set(zip(words, words[1:], words[2:], strict=False))


def similarity(one, other):
    return len(one & other) / len(one | other)


@pytest.mark.parametrize("threshold", [0.3, 0.55, 0.6, 0.8, 1.0])
def test_exactly_the_pairs_at_or_above_the_threshold_are_near(threshold):
    chance = random.Random(20)
    texts = []
    for _ in range(12):
        words = [f"w{chance.randrange(200)}" for _ in range(chance.randrange(5, 60))]
        for _ in range(8):
            texts.append(" ".join(words))
            words[chance.randrange(len(words))] = f"w{chance.randrange(200)}"
    rows = [row(str(place), text, f"a{place} b{place} c{place}") for place, text in enumerate(texts)]
    index = NearRows(rows, threshold)
    expected = {
        (one, other)
        for one, other in itertools.combinations(range(len(texts)), 2)
        if similarity(shingles(texts[one]), shingles(texts[other])) >= threshold
    }
    everyone = {str(place) for place in range(len(texts))}
    found = {
        (one, other)
        for one, other in itertools.combinations(range(len(texts)), 2)
        if index.is_near_any(rows[one], everyone - {str(other)})
    }
    assert found == expected
    assert {frozenset(group) for group in index.joined()} == chains(len(texts), expected)


def chains(count, pairs):
    sets = [{str(place)} for place in range(count)]
    for one, other in pairs:
        first, second = (next(found for found in sets if str(place) in found) for place in (one, other))
        if first is not second:
            sets.remove(second)
            first |= second
    return {frozenset(found) for found in sets}


def test_a_copied_answer_to_another_question_is_near():
    answer = "Warm the soup slowly, stir it now and then, and taste it before you serve it."
    rows = [row("a", "My soup is cold, what now?", answer), row("b", "How is broth warmed?", answer.upper())]
    assert NearRows(rows, 0.6).joined() == [{"a", "b"}]


def test_short_texts_are_near_only_if_they_are_the_same():
    rows = [row("a", "Hi", "a b c"), row("b", "hi!", "d e f"), row("c", "Hi there", "g h i"), row("d", "…", "j k l")]
    rows.append(row("e", "?!", "m n o"))
    assert {frozenset(group) for group in NearRows(rows, 0.6).joined()} == {
        frozenset("ab"), frozenset("c"), frozenset("d"), frozenset("e")
    }  # fmt: skip


def test_signs_that_no_spaces_part_are_compared_one_by_one():
    rows = [row("a", "我的汤现在已经凉了怎么办才好呢", "a b c"), row("b", "我的汤现在已经凉了怎么办才好", "d e f")]
    assert NearRows(rows, 0.6).joined() == [{"a", "b"}]


def test_an_index_of_no_rows_is_near_nothing():
    index = NearRows([], 0.6)
    assert index.joined() == []
    assert not index.is_near_any(row("a", "My soup is cold."), set())
