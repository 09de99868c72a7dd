"""`models add|verify|remove` and `adapters add|remove` as real processes, killed at random moments too."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from mhdesk.core.paths import UserPaths
from mhdesk.library.shelf import Shelf
from tests.tiny_model import make_adapter, make_full_folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return make_full_folder(tmp_path_factory.mktemp("brought") / "Tiny Words")


@pytest.fixture
def command(paths):
    """Runs a command to its end; gives exit code and what it said on standard error."""

    def run(*words) -> tuple[int, str]:
        call = [sys.executable, str(ROOT / "runApp.py"), *map(str, words)]
        result = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)
        assert "Traceback" not in result.stderr
        assert result.stdout == ""
        return result.returncode, result.stderr

    return run


def listed(paths):
    call = [sys.executable, str(ROOT / "runApp.py"), "models", "list", "--json"]
    result = subprocess.run(call, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_model_is_added_verified_talked_with_and_removed(command, paths, full):
    code, said = command("models", "add", full)
    assert code == 0
    assert "full-precision folder" in said
    assert "Licence: not stated" in said
    assert [line["model"] for line in listed(paths)] == ["tiny-words"]
    assert command("models", "verify", "tiny-words")[0] == 0
    call = [sys.executable, str(ROOT / "runApp.py"), "chat", "--once", "Good evening", "--max-tokens", "4"]
    assert subprocess.run(call, capture_output=True, timeout=120, check=False).returncode in (0, 2)
    assert command("models", "remove", "tiny-words")[0] == 0
    assert listed(paths) == []


def test_a_damaged_byte_is_found_by_verify(command, paths, full):
    command("models", "add", full)
    weights = paths.models / "tiny-words" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1000] ^= 1
    weights.write_bytes(content)
    code, said = command("models", "verify", "tiny-words")
    assert code == 2
    assert "not the ones that were installed" in said


def test_a_zip_of_a_model_is_added_and_nothing_unpacked_is_left(command, paths, full, tmp_path):
    with zipfile.ZipFile(tmp_path / "words.zip", "w") as archive:
        for path in full.iterdir():
            archive.write(path, path.name)
    assert command("models", "add", tmp_path / "words.zip")[0] == 0
    assert list(Shelf(paths).models()) == ["words"]
    assert not list(paths.downloads.glob("**/*.*"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nothing", None),
        ("model.gguf", b"GGUF\3\0\0\0" + b"\xff" * 64),
        ("model.bin", b"\x80\x02}q\x00."),
        ("model.zip", b"PK\x03\x04 and no more"),
        ("empty.gguf", b""),
    ],
)
def test_what_is_no_model_is_one_sentence_and_exit_2(command, paths, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, said = command("models", "add", tmp_path / name)
    assert code == 2
    assert len(said.strip().splitlines()) == 1
    assert Shelf(paths).models() == {}


def test_an_adapter_is_added_used_and_removed(command, paths, tiny_model, tmp_path):
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    adapter = make_adapter(tmp_path / "warm", tiny_model)
    (adapter / "card.json").unlink()
    code, said = command("adapters", "add", adapter)
    assert code == 0
    assert "adapters use warm --unmeasured" in said
    assert command("adapters", "use", "warm")[0] == 2
    assert command("adapters", "use", "warm", "--unmeasured")[0] == 0
    assert Shelf(paths).pair().adapter == paths.adapters / "warm"
    assert command("adapters", "remove", "warm")[0] == 0
    assert Shelf(paths).pair().adapter is None


def kill_at(seconds: float, *words) -> None:
    """Start a command, and `kill -9` it, its child with it every other time, after so many seconds."""
    call = [sys.executable, str(ROOT / "runApp.py"), *map(str, words)]
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        if random.random() < 0.5:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def check_whole(paths: UserPaths, command) -> None:
    """Every listed model and adapter can be used, and nothing half-made has a name of its own."""
    shelf = Shelf(paths)
    for name in shelf.models():
        assert command("models", "verify", name)[0] == 0
    for name in shelf.adapters():
        shelf.use_adapter(name)
    visible = [path for root in (paths.models, paths.adapters) for path in root.glob("[!.]*")]
    assert {path.name for path in visible} == {*shelf.models(), *shelf.adapters()}


@pytest.mark.parametrize("rounds", [2, pytest.param(30, marks=pytest.mark.long)])
def test_the_shelf_is_whole_after_kill_9_at_random_moments(command, paths, full, tiny_model, tmp_path, rounds):
    adapter = make_adapter(tmp_path / "warm", tiny_model)
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    began = time.monotonic()
    assert command("models", "add", full)[0] == 0
    add_s = time.monotonic() - began
    command("models", "remove", "tiny-words")
    for _ in range(rounds):
        kill_at(random.uniform(0.3, add_s), "models", "add", full)
        check_whole(paths, command)
        kill_at(random.uniform(0.1, 1.5), "adapters", "add", adapter)
        check_whole(paths, command)
        kill_at(random.uniform(0.1, 1.5), "models", "remove", "tiny-words")
        kill_at(random.uniform(0.1, 1.5), "adapters", "remove", "warm")
        check_whole(paths, command)
    if "tiny-words" not in Shelf(paths).models():
        assert command("models", "add", full)[0] == 0
    check_whole(paths, command)
