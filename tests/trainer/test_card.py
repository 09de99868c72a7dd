"""From figures to an adapter's folder with a model card."""

import json
import shutil
from dataclasses import replace

import pytest
import yaml

from mhdesk.core.atomic import write_json
from mhdesk.library.adapter_folder import read_card
from mhdesk.library.hashes import sha256_of_weights
from mhdesk.library.model_folder import read_manifest
from tests.tiny_model import make_tiny_model
from tests.trainer.measured_run import measured
from trainer import card
from trainer.errors import BadRows
from trainer.settings.clean import CleanSettings
from trainer.settings.sources import SourceSettings, SourcesSettings


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
