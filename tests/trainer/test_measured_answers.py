"""What is asked, how answers are counted, and which thresholds decide."""

import os
import re
from dataclasses import replace

import pytest

from mhdesk.core.messages import FIVE_MESSAGES
from tests.namespaces import in_namespace
from trainer.measuring.against_base import stopped_above_base
from trainer.measuring.answer_figures import figures_of, questions, repeated_share
from trainer.measuring.answers import Answer, Manner, Pair, Reply, collect_answers, read_answers
from trainer.measuring.messages import Asked, cases_in, messages_to_ask
from trainer.measuring.verdict import missed_thresholds
from trainer.settings.evaluate import Thresholds


def answer(words="Tea helps.", stopped=(), way="model", seed=1, tokens=3, name="five-1", base_stopped=None):
    reply = Reply(words, words, stopped, tokens)
    base = reply if base_stopped is None else replace(reply, stopped=base_stopped)
    return Answer(name, "five", "Hello", seed, "none", (), way, base, reply)


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


def test_kept_answers_are_put_in_order_at_once_and_never_written_into(tmp_path):
    path, link = tmp_path / "answers.jsonl", tmp_path / "as it was"
    path.write_text(f"{answer(seed=2).to_json()}\n{answer(seed=1).to_json()}\n{answer().to_json()[:40]}", "utf-8")
    os.link(path, link)
    before = link.read_bytes()
    manner = Manner((1, 2), 8, "en")
    asked = [Asked("five-1", "five", "Hello")]
    assert collect_answers(Pair(tmp_path, tmp_path), asked, manner, path, lambda line: None) == read_answers(path)
    assert [one.seed for one in read_answers(path)] == [1, 2]
    assert link.read_bytes() == before, "a kill at any moment leaves one of the two"


def test_both_are_asked_under_the_system_prompt_of_the_rows_language(tiny_model, tmp_path):
    result = in_namespace(
        """
        import json, shutil, subprocess, sys
        from pathlib import Path
        from mhdesk.core.levels import Level
        from mhdesk.core.paths import resources_dir
        from tests.tiny_model import make_adapter
        from trainer.measuring.answers import Manner, Pair, collect_answers
        from trainer.measuring.messages import Asked
        here, model = Path(sys.argv[1]), Path(sys.argv[2])
        prompts = resources_dir() / "prompts"
        english = (prompts / "en.json").read_text("utf-8")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", prompts], check=True)
        (prompts / "en.json").write_text(english, "utf-8")
        (prompts / "de.json").write_text('{"none": "Du bist ein Programm.", "elevated": "Du bist ein Programm."}')
        pair = Pair(model, make_adapter(here / "adapter", model))
        for language in ("en", "de"):
            asked = [Asked("case-001", "none", "The soup was cold.")]
            kept = here / f"{language}.jsonl"
            collect_answers(pair, asked, Manner((1,), 8, language), kept, lambda line: None)
        """,
        str(tmp_path),
        str(tiny_model),
    )
    assert result.returncode == 0, result.stderr
    english, german = (read_answers(tmp_path / f"{language}.jsonl")[0] for language in ("en", "de"))
    assert english.base.words != german.base.words
    assert english.adapter.words != german.adapter.words


def test_how_much_more_the_gate_stops_of_the_adapter_is_told_paired_and_with_an_interval():
    worse = [answer(name=f"case-{n}", stopped=("dose",), base_stopped=()) for n in range(6)]
    alike = [answer(name=f"case-{n}", seed=seed) for n in range(6, 20) for seed in (1, 2, 3)]
    better = [answer(way="crisis", name=f"case-{n}", base_stopped=("method",)) for n in range(20, 24)]
    above = stopped_above_base([*worse, *alike, *better, answer(way="fixed")])
    assert above["answers"]["difference"] == pytest.approx(6 / 48)
    low, high = above["answers"]["interval"]
    assert 0 < low < 6 / 48 < high
    assert above["own_words_in_crisis"] == {"difference": -1.0, "interval": [-1.0, -1.0]}
    assert stopped_above_base([])["answers"] == {"difference": 0.0, "interval": [0.0, 0.0]}


def figures(better=1.0, lost=0.0, stopped=0.0, repeated=0.0, above=0.0, in_crisis=0.0, ratio=(0.9, 0.8, 0.99)):
    return {
        "stopped_above_base": {
            "answers": {"difference": above, "interval": [above - 0.1, above + 0.1]},
            "own_words_in_crisis": {"difference": in_crisis, "interval": [in_crisis, in_crisis]},
        },
        "synthetic": {"ratio": ratio[0], "ratio_interval": list(ratio[1:])},
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
        ({"above": 0.02}, r"2\.0 points more of its answers .*-8\.0 to 12\.0.*most_stopped_above_base"),
        ({"in_crisis": 0.02}, "most_crisis_stopped_above_base"),
        ({"ratio": (0.98, 0.95, 1.01)}, r"0\.980 times .*0\.950 to 1\.010.*compare_synthetic"),
    ],
)
def test_each_threshold_that_is_missed_is_named(change, named):
    missed = missed_thresholds(figures(**change), Thresholds())
    assert len(missed) == 1
    assert re.search(named, missed[0])


def test_what_was_not_measured_misses_nothing():
    measured = figures()
    del measured["abilities"], measured["synthetic"]
    assert missed_thresholds(measured, Thresholds()) == []
