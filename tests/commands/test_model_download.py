"""`models download` as a real process against a hub of ours on this computer."""

import os
import pty
import random
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mhdesk.library.model_folder import read_manifest, verify_model_folder
from mhdesk.library.shelf import Shelf
from tests.hub_server import Fault, Hub, running, wait_for
from tests.tiny_model import make_full_folder

ROOT = Path(__file__).resolve().parents[2]
MODEL = "maker/Tiny-Words"
NAME = "tiny-words"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    folder = make_full_folder(tmp_path_factory.mktemp("hub") / "tiny", hidden_size=256)
    return {path.name: path.read_bytes() for path in folder.iterdir()} | {"LICENSE": b"You may."}


@pytest.fixture
def hub(files) -> Iterator[Hub]:
    with running(Hub(MODEL, dict(files))) as hub:
        yield hub


@pytest.fixture
def variables(hub, paths, tmp_path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("HF_", "HUGGING", "TRANSFORMERS_")) and "PROXY" not in name.upper()
    }
    return kept | {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.endpoint, "HF_HUB_DOWNLOAD_TIMEOUT": "30"}


def call(*words) -> list[str]:
    return [sys.executable, str(ROOT / "runApp.py"), *words]


@pytest.fixture
def download(variables):
    def run(model=MODEL) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            call("models", "download", model),
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in result.stderr
        assert result.stdout == ""
        return result

    return run


def last_sentence(result) -> str:
    assert result.returncode == 2, result.stderr
    return result.stderr.strip().splitlines()[-1]


def test_a_model_comes_after_a_notice_and_stands_on_the_shelf_whole(download, hub, paths):
    result = download()
    assert result.returncode == 0, result.stderr
    said = result.stderr
    assert said.index("It connects to 127.0.0.1") < said.index("installed in")
    assert "Licence: apache-2.0" in said
    folder = Shelf(paths).model_folder(NAME)
    verify_model_folder(folder)
    manifest = read_manifest(folder)
    assert manifest.source == f"{MODEL} at {hub.revision}"
    assert manifest.licence == "apache-2.0"
    assert (folder / "LICENSE").read_bytes() == b"You may."
    assert list(paths.downloads.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "said"), [(401, "HF_TOKEN"), (403, "licence"), (404, "spelling")], ids=["token", "gate", "name"]
)
def test_what_the_hub_denies_is_a_last_sentence_and_leaves_the_shelf_alone(download, hub, paths, status, said):
    codes = {401: {}, 403: {"X-Error-Code": "GatedRepo"}, 404: {"X-Error-Code": "RepoNotFound"}}
    hub.always["api"] = Fault(status=status, headers=codes[status])
    assert said in last_sentence(download())
    assert Shelf(paths).models() == {}


def test_a_name_from_the_list_asks_for_the_makers_model(download, hub):
    assert "HuggingFaceTB/SmolLM2-360M-Instruct" in last_sentence(download("smollm2-360m-instruct"))
    assert hub.asked("HuggingFaceTB/SmolLM2-360M-Instruct")


def test_a_name_that_is_taken_is_refused_before_anything_connects(download, hub, paths, tiny_model):
    paths.ensure()
    (paths.models / NAME).symlink_to(tiny_model)
    assert f"models remove {NAME}" in last_sentence(download())
    assert hub.seen == []


def start(variables, **options) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        call("models", "download", MODEL),
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **options,
    )


def test_ctrl_c_keeps_what_has_come_and_the_next_run_fetches_only_the_rest(download, hub, variables, files, paths):
    size = len(files["model.safetensors"])
    hub.faults["model.safetensors"] = [Fault(stall_at=size // 2)]
    process = start(variables)
    parts = "**/model.safetensors.*.part"
    # What the hub has sent may still wait on the way, so what has come is asked for.
    wait_for(lambda: any(part.stat().st_size >= size // 4 for part in paths.downloads.glob(parts)))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Nothing was lost" in said
    hub.release.set()
    (part,) = paths.downloads.glob(parts)
    kept, sent = part.stat().st_size, hub.sent["model.safetensors"]
    assert kept >= size // 4
    assert download().returncode == 0
    assert hub.sent["model.safetensors"] - sent == size - kept


def test_the_shelf_can_be_looked_at_and_used_while_a_download_waits(hub, variables, paths):
    hub.faults["model.safetensors"] = [Fault(stall_at=1000)]
    process = start(variables)
    try:
        wait_for(lambda: hub.sent.get("model.safetensors", 0) >= 1000)
        for words in (["models", "list"], ["adapters", "none"]):
            assert subprocess.run(call(*words), env=variables, capture_output=True, check=False).returncode == 0
        second = subprocess.run(call("models", "remove", "x"), env=variables, capture_output=True, check=False)
        assert second.returncode == 2
        assert b"already adding or removing" in second.stderr
    finally:
        process.kill()
        process.communicate()
        hub.release.set()


def test_a_terminal_is_asked_first_and_no_downloads_nothing(hub, variables, paths):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        call("models", "download", MODEL), env=variables, stdin=slave, stdout=slave, stderr=slave, close_fds=True
    )
    os.close(slave)
    shown = b""
    try:
        while b"[y/N]" not in shown:
            assert select.select([master], [], [], 60)[0], shown
            shown += os.read(master, 4096)
        os.write(master, b"n\n")
        assert process.wait(60) == 2
    finally:
        process.kill()
        os.close(master)
    assert not hub.asked("resolve")
    assert Shelf(paths).models() == {}


@pytest.mark.parametrize("rounds", [2, pytest.param(30, marks=pytest.mark.long)])
def test_the_shelf_is_whole_after_kill_9_at_random_moments(download, hub, variables, paths, rounds):
    for _ in range(rounds):
        process = start(variables)
        try:
            process.wait(random.uniform(0.3, 9))
        except subprocess.TimeoutExpired:
            if random.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.communicate()
        for name in Shelf(paths).models():
            verify_model_folder(paths.models / name)
            subprocess.run(call("models", "remove", name), env=variables, capture_output=True, check=True)
        assert list(paths.models.glob("[!.]*")) == []
    assert download().returncode == 0
    verify_model_folder(paths.models / NAME)
