"""The learnt stage from sentences to a file, at a small size, and the benchmark over it."""

import json

import numpy as np
import pytest

from mhdesk.safety.clauses import read_clauses
from mhdesk.safety.ngrams import read_ngrams
from mhdesk.safety.patterns import BadRules
from mhdesk.safety.second_stage import SecondStage
from trainer.config import load_config
from trainer.errors import BadConfiguration, BadSentences
from trainer.learn_stage import SecondStageConfig, learn_stage, unseen_odds_file
from trainer.stage_texts import read_texts

DANGER = ["the pills are counted", "i counted every pill", "pills are on the table tonight", "tonight i take the pills"]
HARMLESS = ["the soup was good", "we had soup tonight", "the table is new", "my dog sleeps on the sofa"]


def sentences(folder, rounds=6):
    lines = []
    for number in range(rounds):
        lines += [f"= crisis | suicide | plan | danger-{number}", *(f"{line} number {number}" for line in DANGER)]
        lines += [f"= none | | everyday | calm-{number}", *(f"{line} number {number}" for line in HARMLESS)]
    (folder / "en.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage")
    sentences(folder)
    config = SecondStageConfig("screen", ("*.txt",), "made/screen.safetensors", folds=3, false_share=0.1)
    return folder, learn_stage(config, folder, lambda line: None)


def odds(path, text):
    stage = SecondStage.load(path)
    windows, found = stage.odds(read_ngrams(read_clauses(text).data))
    return {name: float(found[:, place].max()) for place, name in enumerate(stage.outputs)} if len(windows) else {}


def test_what_is_dangerous_gets_higher_odds_and_its_topic(learnt):
    _, path = learnt
    danger, calm = odds(path, "I counted the pills"), odds(path, "soup with the dog")
    assert danger["crisis"] > 0 > calm["crisis"]
    assert danger["suicide"] > calm["suicide"]
    assert danger["suicide"] > danger["abuse"]


def test_what_people_say_in_ordinary_dialogues_counts_as_harmless_to_the_screen_and_the_replies_to_the_gate(tmp_path):
    sentences(tmp_path)
    turns = [{"role": "user", "text": "mostly the mornings"}, {"role": "assistant", "text": "What are they like?"}]
    lines = [{"id": "1", "topic": "sleep", "turns": turns}, {"id": "2", "topic": "emptiness", "turns": turns}]
    (tmp_path / "talk.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    asked, _ = read_texts("screen", ["talk.jsonl"], tmp_path)
    assert [(text.text, text.mark, text.family) for text in asked] == [("mostly the mornings", "none", "1")]
    replies, _ = read_texts("gate", ["talk.jsonl"], tmp_path)
    assert [(text.text, text.mark) for text in replies] == [("What are they like?", "pass")] * 2


def test_one_sentence_weighs_as_much_in_a_long_letter_as_alone(learnt):
    _, path = learnt
    alone = odds(path, "I counted every pill.")["crisis"]
    buried = odds(path, "We had soup. " * 20 + "I counted every pill. " + "The table is new. " * 20)["crisis"]
    assert buried > alone - 0.5


def test_the_card_says_what_it_was_made_from(learnt):
    _, path = learnt
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert card["texts"] == {"crisis": 24, "none": 24}
    assert set(card["sources"]) == {"en.txt"}
    assert np.load(unseen_odds_file(path)).shape == (48, 2)
    assert card["unseen_families"]["en none"]["raised"] <= 0.2


def test_the_same_sentences_give_the_same_bytes(learnt, tmp_path):
    _, path = learnt
    sentences(tmp_path)
    config = SecondStageConfig("screen", ("*.txt",), "made/screen.safetensors", folds=3, false_share=0.1)
    assert learn_stage(config, tmp_path, lambda line: None).read_bytes() == path.read_bytes()


def test_a_damaged_file_is_refused(learnt, tmp_path):
    (tmp_path / "cut.safetensors").write_bytes(learnt[1].read_bytes()[:-50])
    for name in ("cut", "gone"):
        with pytest.raises(BadRules):
            SecondStage.load(tmp_path / f"{name}.safetensors")


def test_no_sentences_is_said(tmp_path):
    with pytest.raises(BadConfiguration, match="No file of sentences"):
        learn_stage(SecondStageConfig("gate", ("*.txt",), "x.safetensors"), tmp_path, lambda line: None)
    (tmp_path / "bad.yaml").write_text("kind: dentist\nsentences: [a]\noutput: b\n")
    with pytest.raises(BadConfiguration, match="kind"):
        load_config(tmp_path / "bad.yaml", SecondStageConfig)


def test_a_language_of_which_all_is_harmless_is_told_in_a_sentence(tmp_path):
    sentences(tmp_path)
    (tmp_path / "de.txt").write_text("= none | | everyday | ruhig\ndie suppe war gut", encoding="utf-8")
    with pytest.raises(BadSentences, match="harmless"):
        learn_stage(SecondStageConfig("screen", ("*.txt",), "made.safetensors", folds=3), tmp_path, lambda line: None)
    assert not (tmp_path / "made.safetensors").exists()
