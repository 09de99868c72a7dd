"""What is asked, how answers are counted, and which thresholds decide."""

import pytest

from mhdesk.core.messages import FIVE_MESSAGES
from trainer.measuring.answer_figures import figures_of, questions, repeated_share
from trainer.measuring.answers import Answer, Reply, read_answers
from trainer.measuring.messages import cases_in, messages_to_ask
from trainer.measuring.verdict import missed_thresholds
from trainer.settings.evaluate import Thresholds


def answer(words="Tea helps.", stopped=(), way="model", seed=1, tokens=3):
    reply = Reply(words, words, stopped, tokens)
    return Answer("five-1", "five", "Hello", seed, "none", (), way, reply, reply)


def test_the_five_messages_come_first_word_for_word_and_the_cases_cover_every_level():
    asked = messages_to_ask(cases_in("en"), 9, seed=3)
    assert [message.text for message in asked[:5]] == list(FIVE_MESSAGES)
    assert [message.kind for message in asked[5:]] == ["none", "elevated", "crisis"] * 3
    assert len({message.text for message in asked}) == 14


def test_the_seed_decides_which_cases_are_asked():
    cases = cases_in("en")
    assert messages_to_ask(cases, 9, seed=3) == messages_to_ask(cases, 9, seed=3)
    assert messages_to_ask(cases, 9, seed=3) != messages_to_ask(cases, 9, seed=4)


def test_a_language_without_cases_of_its_own_is_measured_with_all():
    assert {case.language for case in cases_in("de")} == {"de"}
    assert len(cases_in("xx")) > len(cases_in("en"))


def test_repetition_is_the_share_of_four_word_sequences_that_stood_there_before():
    assert repeated_share("You are not alone.") == 0
    assert repeated_share("so it goes on and on and on and on and on") == pytest.approx(4 / 9)
    assert repeated_share("Tea.") == 0


def test_questions_are_counted_once_each():
    assert questions("What happened? And then?! Really??") == 3
    assert questions("Nothing to ask.") == 0


def test_what_the_gate_stopped_is_counted_by_reason_and_a_crisis_apart():
    answers = [answer(), answer(stopped=("dose",)), answer("Why? " * 8), answer(way="crisis"), answer(way="fixed")]
    figures = figures_of(answers)
    assert figures["answers"]["adapter"]["count"] == 3
    assert figures["answers"]["adapter"]["stopped"]["reasons"] == {"dose": 1}
    assert figures["answers"]["adapter"]["stopped"]["share"] == pytest.approx(1 / 3)
    assert figures["answers"]["adapter"]["questions"] == 4
    assert figures["own_words_in_crisis"]["base"]["count"] == 1


def test_no_answers_at_all_are_figures_too():
    assert figures_of([])["answers"]["base"]["count"] == 0


def test_answers_that_were_cut_short_are_read_as_far_as_they_are_whole(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(f"{answer(seed=1).to_json()}\n{answer(seed=2).to_json()}\n{answer().to_json()[:40]}", "utf-8")
    assert read_answers(path) == [answer(seed=1), answer(seed=2)]
    assert read_answers(tmp_path / "none.jsonl") == []


def figures(better=1.0, lost=0.0, stopped=0.0, repeated=0.0):
    return {
        "perplexity": {"share_of_resamples_better": better},
        "abilities": {"lost": lost},
        "answers": {"adapter": {"stopped": {"share": stopped}, "repeated_share": repeated}},
    }


def test_an_adapter_that_is_good_enough_misses_nothing():
    assert missed_thresholds(figures(0.95, 0.03, 0.1, 0.2), Thresholds()) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"better": 0.9}, "least_resamples_better"),
        ({"lost": 0.04}, "most_ability_lost"),
        ({"stopped": 0.2}, "most_stopped"),
        ({"repeated": 0.3}, "most_repeated"),
    ],
)
def test_each_threshold_that_is_missed_is_named(change, named):
    missed = missed_thresholds(figures(**change), Thresholds())
    assert len(missed) == 1
    assert named in missed[0]


def test_what_was_not_measured_misses_nothing():
    measured = figures()
    del measured["abilities"]
    assert missed_thresholds(measured, Thresholds()) == []
