"""From figures to an adapter's folder, and from there to the app."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mhdesk.core.atomic import write_json
from mhdesk.core.paths import UserPaths
from mhdesk.library.adapter_folder import read_card
from mhdesk.library.hashes import sha256_of_weights
from mhdesk.library.model_folder import read_manifest
from mhdesk.library.shelf import Shelf
from tests.tiny_model import make_tiny_model
from tests.trainer.finished_run import make_run
from trainer import card, publish
from trainer.errors import BadConfiguration, BadRows
from trainer.measuring.answers import Answer, Reply
from trainer.measuring.refusals import NotPublished
from trainer.settings.clean import CleanSettings
from trainer.settings.publish import PublishSettings
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.stage import make_artefact

ROOT = Path(__file__).resolve().parents[2]


def share(value):
    return {"share": value, "interval": [max(0, value - 0.1), value + 0.1]}


def evaluation(missed=()):
    side = {
        "count": 9,
        "stopped": {**share(0.1), "reasons": {"dose": 1}},
        "median_tokens": 30,
        "repeated_share": 0.02,
        "questions": 1.5,
        "with_a_question": 0.8,
        "empty": 0.0,
    }
    own = {"count": 3, "stopped": {**share(0.0), "reasons": {}}}
    value = {"value": 21.5, "low": 20.0, "high": 23.0, "tokens": 44, "dialogues": 4}
    return {
        "perplexity": {"base": value, "adapter": {**value, "value": 17.25}, "share_of_resamples_better": 1.0},
        "abilities": {
            "items": 6, "base": share(0.5), "adapter": share(0.45), "lost": 0.05, "lost_interval": [-0.1, 0.2],
            "only_base_right": 2, "only_adapter_right": 1, "mcnemar_p": 1.0,
        },
        "screen": {"crisis_messages": 800, "reach_no_model": 0.9, "interval": [0.88, 0.92]},
        "answers": {"base": side, "adapter": side},
        "stopped_above_base": {
            "answers": {"difference": -0.25, "interval": [-0.4, -0.1]},
            "own_words_in_crisis": {"difference": 0.0, "interval": [-0.1, 0.1]},
        },
        "synthetic": {"perplexity_without": {**value, "value": 18.5}, "ratio": 0.932, "ratio_interval": [0.9, 0.97]},
        "own_words_in_crisis": {"base": own, "adapter": own},
        "engine": {"template_sha256": "0" * 64},
        "missed": list(missed),
        "passed": not missed,
    }  # fmt: skip


def measured(folder: Path, model: Path, missed=()):
    """A run with the figures above, as `evaluate` would leave them."""
    config, job = make_run(folder, model)
    reply = Reply("The boats lie still.\n| and a bar \x1b", "The boats lie still.", ("dose",), 5)
    answer = Answer("five-1", "five", "I feel so anxious.", 1, "none", (), "model", reply, replace(reply, stopped=()))

    def make(unfinished):
        figures = evaluation(missed)
        figures["engine"]["template_sha256"] = read_manifest(model).template_sha256
        write_json(unfinished / "evaluation.json", figures)
        lines = [answer, replace(answer, id="five-2", message="I see no point.", way="crisis", level="crisis")]
        (unfinished / "answers.jsonl").write_text("".join(f"{line.to_json()}\n" for line in lines), "utf-8")
        return {}

    read = [job.artefact("split") / "test.jsonl", job.artefact("train") / "adapter_model.safetensors"]
    make_artefact(job, "evaluate", read, {"missed": list(missed)}, make)
    return config, job


@pytest.fixture
def home(paths: UserPaths, tiny_model):
    """The app's data directory with the tiny model."""
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    return paths


def app(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "runApp.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)


def test_the_card_says_what_the_app_checks_and_where_the_data_is_from(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    folder = card.run(config, job)
    found = read_card(folder)
    assert found.base_sha256 == read_manifest(tiny_model).weights_sha256
    assert found.adapter_sha256 == sha256_of_weights(folder)
    assert found.data == [
        {"source": "harbour", "origin": "a shelf", "licence": "CC-BY-NC-4.0", "commercial": False,
         "rows": {"training": 6, "validation": 2, "test": 4}, "synthetic": 1}
    ]  # fmt: skip
    assert found.evaluation["passed"] is True
    assert found.evaluation["training"]["settings"]["rank"] == config.train.rank


def test_the_model_card_has_a_head_that_the_hub_reads(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    _, head, _ = (card.run(config, job) / "README.md").read_text("utf-8").split("---\n", 2)
    values = yaml.safe_load(head)
    assert values["library_name"] == "peft"
    assert values["base_model"] == read_manifest(tiny_model).id
    assert values["license"] == "cc-by-nc-4.0"
    assert values["language"] == ["en"]
    assert "non-commercial-data" in values["tags"]


@pytest.mark.parametrize(
    "told",
    [
        "not a substitute for professional advice",
        "Data that may not be used commercially is in it: harbour.",
        "1 of 12 rows (8.3%) were written by a language model",
        "| clean | dropped, no guidance | 1 |",
        "21.50 (20.00 to 23.00) | 17.25",
        "### “I feel so anxious.”",
        "base, stopped by the gate (dose):",
        "> The boats lie still.",
        "rank 8",
        "Loss by step, validation: 3.250 (4).",
        "Answers that the gate stops: -25.0 points (-40.0 to -10.0) against the base",
        "without the synthetic rows has a perplexity of 18.50; that of this one is 0.932 times as high",
        "nobody is shown",
        "No clinician has judged",
    ],
)
def test_the_model_card_tells_what_a_reader_must_know(tiny_model, tmp_path, told):
    config, job = measured(tmp_path, tiny_model)
    text = (card.run(config, job) / "README.md").read_text("utf-8")
    assert told in " ".join(text.split()) or told in text
    assert "\x1b" not in text


def test_a_card_that_is_made_again_is_the_same_to_the_byte(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    before = {path.name: path.read_bytes() for path in card.run(config, job).iterdir() if path.name != "manifest.json"}
    shutil.rmtree(job.artefact("card"))
    after = {path.name: path.read_bytes() for path in card.run(config, job).iterdir() if path.name != "manifest.json"}
    assert before == after


def test_figures_of_another_adapter_make_no_card(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    path = job.artefact("train") / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["outputs"]["adapter_model.safetensors"] = "f" * 64
    path.write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(BadRows, match="evaluate was run on something else than train has left"):
        card.run(config, job)


def test_a_configuration_that_was_changed_since_changes_nothing_of_what_the_card_says(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    before = (card.run(config, job) / "README.md").read_bytes()
    other = SourcesSettings((SourceSettings("meadow", "meadow.jsonl", "dialogues", "MIT"),))
    train = replace(config.train, rank=64, learning_rate=1.0)
    changed = replace(config, sources=other, train=train, clean=CleanSettings(language="de"), seed=99)
    shutil.rmtree(job.artefact("card"))
    folder = card.run(changed, job)
    assert (folder / "README.md").read_bytes() == before
    assert read_card(folder).data[0]["commercial"] is False
    assert read_card(folder).evaluation["training"]["settings"]["rank"] == config.train.rank


def test_an_evaluation_of_an_earlier_version_makes_no_card(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    path = job.artefact("evaluate") / "evaluation.json"
    figures = json.loads(path.read_text("utf-8"))
    del figures["stopped_above_base"]
    write_json(path, figures)
    with pytest.raises(BadRows, match="earlier version"):
        card.run(config, job)


def test_synthetic_rows_that_were_compared_with_nothing_are_told_as_such(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    assert "Whether they help was not measured" not in (card.run(config, job) / "README.md").read_text("utf-8")
    path = job.artefact("evaluate") / "evaluation.json"
    figures = json.loads(path.read_text("utf-8"))
    del figures["synthetic"]
    write_json(path, figures)
    text = (card.run(config, job) / "README.md").read_text("utf-8")
    assert "were written by a language model. Whether they help was not measured." in " ".join(text.split())


def test_a_source_whose_rows_forbid_commercial_use_is_told_as_such_whatever_its_manifest_says(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    path = job.artefact("sources") / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('"commercial": false', '"commercial": true'), "utf-8")
    assert read_card(card.run(config, job)).data[0]["commercial"] is False


@pytest.mark.parametrize(("changed", "named"), [("clean", "split"), ("split", "render"), ("sources", "clean")])
def test_a_stage_that_was_run_again_alone_makes_no_card(tiny_model, tmp_path, changed, named):
    config, job = measured(tmp_path, tiny_model)
    path = job.artefact(changed) / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["outputs"] = dict.fromkeys(manifest["outputs"], "f" * 64)
    path.write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(BadRows, match=f"{named} was run on something else than {changed} has left"):
        card.run(config, job)


def test_another_base_than_the_adapter_was_learnt_on_makes_no_card(tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    other = make_tiny_model(tmp_path / "other", seed=5)
    with pytest.raises(BadRows, match="learnt on another base model"):
        card.run(replace(config, model=str(other)), job)


def test_the_app_takes_what_is_published_to_it_and_a_second_time_in_its_place(home, tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    card.run(config, job)
    for _ in range(2):
        target = publish.run(config, job)
    assert target == home.adapters / "harbour-talk"
    assert (target / "README.md").is_file()
    Shelf(home).use_adapter("harbour-talk")
    assert Shelf(home).pair().adapter == target
    assert [path.name for path in home.adapters.iterdir() if path.name != ".unfinished"] == ["harbour-talk"]


@pytest.mark.parametrize(("to", "path"), [("folder", "out/talk"), ("zip", "out/talk.zip")])
def test_adapters_add_takes_what_is_published_to_a_folder_or_zip(home, tiny_model, tmp_path, to, path):
    config, job = measured(tmp_path, tiny_model)
    config = replace(config, publish=PublishSettings(to=to, path=path))
    card.run(config, job)
    target = publish.run(config, job)
    before = target.read_bytes() if to == "zip" else b""
    assert publish.run(config, job) == target
    assert not before or target.read_bytes() == before
    added = app("adapters", "add", str(target))
    assert added.returncode == 0, added.stderr
    assert app("adapters", "use", "talk").returncode == 0
    assert Shelf(home).pair().adapter == home.adapters / "talk"


def test_an_adapter_that_missed_a_threshold_is_published_only_if_that_is_asked_for(home, tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model, missed=["the gate stopped too much (most_stopped)"])
    card.run(config, job)
    with pytest.raises(NotPublished, match="most_stopped"):
        publish.run(config, job)
    assert not list(home.adapters.glob("*"))
    knowing = replace(config, publish=PublishSettings(below_thresholds=True))
    card.run(knowing, job)
    assert "**It missed" in (publish.run(knowing, job) / "README.md").read_text("utf-8")


def test_an_adapter_for_a_base_that_is_not_installed_is_one_sentence(paths, tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    card.run(config, job)
    with pytest.raises(BadConfiguration, match="tests/tiny, which is not installed"):
        publish.run(config, job)
    assert not list(paths.adapters.glob("*"))


def test_what_somebody_else_put_there_is_not_replaced(home, tiny_model, tmp_path):
    config, job = measured(tmp_path, tiny_model)
    card.run(config, job)
    (home.adapters / "harbour-talk").mkdir()
    with pytest.raises(BadConfiguration, match="has not put there"):
        publish.run(config, job)
    (tmp_path / "letter.zip").write_text("Dear Ann", encoding="utf-8")
    with pytest.raises(BadConfiguration, match="has not put there"):
        publish.run(replace(config, publish=PublishSettings(to="zip", path="letter.zip")), job)
    assert (tmp_path / "letter.zip").read_text("utf-8") == "Dear Ann"


@pytest.mark.parametrize("licence", ["", "  "])
def test_a_source_without_a_licence_is_refused(licence):
    with pytest.raises(BadConfiguration, match="The source harbour has no licence"):
        SourceSettings("harbour", "harbour.jsonl", "dialogues", licence)


def test_a_place_without_a_path_and_a_path_without_a_place_are_refused():
    for settings in ({"to": "zip"}, {"to": "app", "path": "somewhere"}, {"to": "cloud"}):
        with pytest.raises(BadConfiguration):
            PublishSettings(**settings)
