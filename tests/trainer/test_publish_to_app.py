"""From an adapter's folder to the app, which takes it."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mhdesk.core.paths import UserPaths
from mhdesk.library.shelf import Shelf
from tests.trainer.measured_run import measured
from trainer import card, publish
from trainer.errors import BadConfiguration
from trainer.measuring.refusals import NotPublished
from trainer.settings.publish import PublishSettings
from trainer.settings.sources import SourceSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(paths: UserPaths, tiny_model):
    """The app's data directory with the tiny model."""
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    return paths


def app(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "runApp.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)


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
