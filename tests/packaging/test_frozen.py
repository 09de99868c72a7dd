"""The bundle, built and used as a person without Python or a network would use it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mhdesk.core.paths import program_root
from mhdesk.engine.child.random_model import make_random_model
from tests.conftest import STARTER

pytestmark = [pytest.mark.long, pytest.mark.starter]

BUILD_S = 30 * 60
ANSWER_S = 180
QUIET = "The harbour was quiet today."
CRISIS = "I want to kill myself tonight"


@pytest.fixture(scope="session")
def bundle(starter_home: Path) -> Path:
    """The executable, built once a session with the starter model of the tests, unless MHDESK_TEST_BUNDLE names one."""
    if ready := os.environ.get("MHDESK_TEST_BUNDLE"):
        return Path(ready).resolve()
    command = [sys.executable, "packaging/build.py", "--model", str(starter_home / "models" / STARTER)]
    built = subprocess.run(command, cwd=program_root(), capture_output=True, text=True, timeout=BUILD_S, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    assert built.stdout.startswith("The bundle is ready: ")
    assert len(built.stdout.splitlines()) == 1
    return program_root() / "dist" / "MHDesk" / ("MHDesk.exe" if sys.platform == "win32" else "MHDesk")


@pytest.fixture(scope="session")
def cut_off() -> list[str]:
    """What to put before a command so that it has no network, not even a loopback."""
    prefix = ["unshare", "-rn"]
    try:
        tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no unshare, so the network cannot be taken away")
    if tried.returncode != 0:
        pytest.skip(f"network namespaces are not permitted here: {tried.stderr.strip()}")
    return prefix


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """The environment of a person without Python: nothing of ours, and no user data yet."""
    foreign = ("PYTHON", "VIRTUAL_ENV", "MHDESK_", "HF_", "TRANSFORMERS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MHDESK_HOME": str(tmp_path / "home"),
            "QT_QPA_PLATFORM": "offscreen"}  # fmt: skip


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(bundle: Path, cut_off: list[str], variables: dict[str, str], tmp_path: Path) -> Run:
    """Runs a word of the bundle without a network, far from the source tree."""

    def start(*words: str, lines: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*cut_off, bundle, *words],
            input=lines, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=ANSWER_S, check=False,
        )  # fmt: skip

    return start


def objects(result: subprocess.CompletedProcess[str]) -> list[dict]:
    """Standard output, which must be JSON lines and nothing else."""
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def chat(run: Run, text: str, *words: str) -> list[dict]:
    return objects(run("chat", "--once", text, "--json", "--seed", "1", "--max-tokens", "20", *words))


def test_without_network_or_user_data_it_answers_from_the_model_it_carries(run: Run, tmp_path: Path) -> None:
    events = chat(run, QUIET)
    assert events[0] == {"event": "screened", "level": "none", "topics": []}
    texts = [event for event in events if event["event"] == "text"]
    assert "".join(event["text"] for event in texts).strip()
    assert {event["source"] for event in texts} == {"model"}
    assert events[-1]["event"] == "finished"
    assert events[-1]["state"] in ("done", "stopped")
    assert 0 < events[-1]["new_tokens"] <= 20
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_a_crisis_brings_the_card_and_written_words(run: Run) -> None:
    events = chat(run, CRISIS, "--region", "GB")
    assert [event["level"] for event in events if event["event"] == "screened"] == ["crisis"]
    card = next(event for event in events if event["event"] == "card")
    assert card["region"] == "GB"
    assert any("116 123" in json.dumps(line) for line in card["lines"])
    assert {event["source"] for event in events if event["event"] == "text"} == {"fixed"}


def test_doctor_finds_the_model_and_no_connection(run: Run) -> None:
    (report,) = objects(run("doctor", "--json"))
    assert report["connections"] == 0
    assert report["model"] == STARTER
    assert report["kernel"]
    assert report["refused"] == []


def test_screen_and_gate_answer_a_line_each(run: Run) -> None:
    (screened,) = objects(run("screen", lines=json.dumps({"id": 1, "text": CRISIS}) + "\n"))
    assert (screened["id"], screened["level"]) == (1, "crisis")
    chunks = {"id": "ä", "chunks": ["Rest ", "a little."], "region": "GB"}
    (gated,) = objects(run("gate", lines=json.dumps(chunks, ensure_ascii=False) + "\n"))
    assert gated["id"] == "ä"
    assert gated["final"] == gated["shown"][-1] == "Rest a little."
    assert not gated["tripped"]


@pytest.mark.parametrize("form", ["full", "gguf-q8_0"])
def test_a_model_of_ones_own_is_added_verified_and_removed(run: Run, tmp_path: Path, form: str) -> None:
    config = {"model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
              "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 600, "max_position_embeddings": 512,
              "tie_word_embeddings": True, "rms_norm_eps": 1e-5}  # fmt: skip
    brought = tmp_path / ("words.gguf" if form.startswith("gguf") else "words")
    make_random_model(config, brought, form, 0, lambda *_: None, lambda: False)
    assert "installed in" in run("models", "add", str(brought)).stderr
    assert run("models", "verify", "words").returncode == 0
    listed = {line["model"]: line for line in objects(run("models", "list", "--json"))}
    assert listed.keys() == {STARTER, "words"}
    assert run("models", "remove", "words").returncode == 0
    assert "came with the program" in run("models", "remove", STARTER).stderr


def test_an_adapter_from_others_is_added_and_used(run: Run) -> None:
    assert run("adapters", "add", str(program_root() / "resources" / "adapters" / "starter")).returncode == 0
    assert run("adapters", "use", "starter").returncode == 0
    events = chat(run, QUIET)
    assert events[-1]["event"] == "finished"


def test_a_download_without_a_network_is_one_last_sentence(run: Run) -> None:
    result = run("models", "download", "smollm2-360m-instruct")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.strip().splitlines()[-1].endswith(".")


def test_an_unknown_word_is_refused_in_one_sentence(run: Run) -> None:
    result = run("nonsense")
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr


def test_it_carries_no_training_testing_or_graphics_card_parts(bundle: Path) -> None:
    carried = [path.relative_to(bundle.parent).as_posix() for path in bundle.parent.rglob("*")]
    unwanted = re.compile(
        r"_internal/(trainer|tests|pytest|_pytest|hf_xet|tkinter|libcu|libarrow|(datasets|grpc|optuna|pandas|pyarrow|scipy"
        r"|sklearn|sqlalchemy)\b)|_(cuda|rocm|xpu)\d|libqgtk3"
    )
    assert [path for path in carried if unwanted.search(path)] == []
    assert [path for path in bundle.parent.rglob("*") if path.is_symlink() and not path.exists()] == []
    for plugin in ("platforms/libqxcb", "platforms/libqwayland", "platforms/libqoffscreen", "iconengines/libqsvgicon"):
        assert any(plugin in path for path in carried), plugin


@contextlib.contextmanager
def window(command: list[str | Path], variables: dict[str, str], log: Path) -> Iterator[psutil.Popen]:
    with log.open("w") as errors, psutil.Popen(command, env=variables, stdout=errors, stderr=errors) as process:
        family = []
        try:
            yield process
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                family = [process, *process.children(recursive=True)]
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
def test_the_window_opens_starts_its_engine_and_ends_on_a_signal_leaving_nothing_behind(
    bundle: Path, cut_off: list[str], variables: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "window.log"
    with window([*cut_off, bundle], variables, log) as process:  # unshare becomes the program, so the id stays
        engines = wait_for(lambda: [child for child in process.children() if "--engine-child" in child.cmdline()], 60)
        wait_for(lambda: (tmp_path / "home" / "adapters" / "starter" / "card.json").is_file(), 60)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            assert engines[0].is_running()
            time.sleep(0.5)
        assert [child.pid for child in process.children(recursive=True)] == [engine.pid for engine in engines]
        assert not any(name.startswith("libtorch") for name in mapped_libraries(process.pid))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
        gone, alive = psutil.wait_procs(engines, 10)
        assert (len(gone), alive) == (1, [])
    assert "Traceback" not in log.read_text()


def wait_for(look, seconds):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return found


def mapped_libraries(pid: int) -> set[str]:
    maps = Path(f"/proc/{pid}/maps")
    return {Path(line.split()[-1]).name for line in maps.read_text().splitlines()} if maps.exists() else set()
