"""What several tests share: the tiny model, scripts for the scripted backend, a place for user data."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mhdesk.core.paths import UserPaths
from tests.tiny_model import make_tiny_model

STARTER = "smollm2-135m-instruct"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An 8-bit folder of a tiny Llama. Read-only by agreement: copy it to change it."""
    return make_tiny_model(tmp_path_factory.mktemp("shelf") / "models" / "tiny")


@pytest.fixture(scope="session")
def starter_home() -> Path:
    """User data with the starter model, made by set-up."""
    home = Path(os.environ.get("MHDESK_TEST_HOME", ""))
    if not (home / "models" / STARTER / "mhdesk.json").is_file():
        pytest.fail("The starter model is not set up; python tests/run.py does it.")
    return home


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UserPaths:
    """An empty place for user data, named by MHDESK_HOME."""
    monkeypatch.setenv("MHDESK_HOME", str(tmp_path / "home"))
    return UserPaths.from_environment()


@pytest.fixture
def script(tmp_path: Path):
    """Writes a script for the scripted backend and gives the command that runs it."""
    from mhdesk.engine.client.launch import engine_command

    def write(*replies: dict, **options) -> list[str]:
        path = tmp_path / "script.json"
        path.write_text(json.dumps({"replies": list(replies), **options}), encoding="utf-8")
        return list(engine_command(script=str(path)))

    return write
