"""The whole way from dialogues to an adapter that the app talks with, by the commands a person would type."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "trainer" / "configs" / "smoke.yaml"
MADE = ["sources", "clean", "augment", "split", "render", "train", "measured", "evaluate", "card"]
"""The artefacts. `publish` leaves none, and `evaluate` two."""


def run(home, *command):
    environment = os.environ | {"MHDESK_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def places(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke")
    home = folder / "home"
    shutil.copytree(tiny_model, home / "models" / "tiny")
    data = ROOT / "trainer" / "data"
    text = SMOKE.read_text("utf-8").replace("../../build/trainer/smoke", str(folder / "work"))
    (folder / "smoke.yaml").write_text(text.replace("../data", str(data)), encoding="utf-8")
    return folder, home


def test_one_command_makes_an_adapter_that_the_app_answers_with_and_the_next_makes_nothing_anew(places):
    folder, home = places
    first = run(home, "-m", "trainer", "all", "--config", folder / "smoke.yaml", "--preview", "2")
    assert first.returncode == 0, first.stderr
    assert [line.split(":")[0] for line in first.stderr.splitlines() if ": done in" in line] == MADE
    again = run(home, "-m", "trainer", "all", "--config", folder / "smoke.yaml")
    assert again.returncode == 0, again.stderr
    assert [line.split(":")[0] for line in again.stderr.splitlines() if ": done before" in line] == MADE
    with_it, without = (answer(home, adapter) for adapter in ("smoke", "none"))
    assert with_it
    assert with_it != without, "an adapter that does not fit is left out, and the answer comes all the same"


def answer(home, adapter):
    """What the app says, by the adapter of this name, at one seed."""
    said = run(
        home, "runApp.py", "chat", "--once", "The soup was cold.", "--json", "--model", "tiny", "--adapter", adapter,
        "--max-tokens", "8", "--seed", "1",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    events = [json.loads(line) for line in said.stdout.splitlines()]
    assert events[-1]["event"] == "finished"
    assert events[-1]["new_tokens"] > 0
    return [event["text"] for event in events if event["event"] in ("text", "replaced")]
