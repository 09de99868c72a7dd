"""The command line as other programs call it: real processes, their two streams, their exit codes."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mhdesk.core.paths import UserPaths
from tests.tiny_model import make_adapter

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {"none", "elevated", "crisis"}


@pytest.fixture(scope="module")
def home(tiny_model, tmp_path_factory) -> Path:
    """User data with the tiny model and an adapter."""
    home = tmp_path_factory.mktemp("home")
    paths = UserPaths(home)
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    make_adapter(paths.adapters / "warm", tiny_model)
    return home


@pytest.fixture
def run(home, monkeypatch):
    monkeypatch.setenv("MHDESK_HOME", str(home))

    def call(*words: str, given: bytes | str = b"") -> subprocess.CompletedProcess[bytes]:
        data = given.encode() if isinstance(given, str) else given
        command = [sys.executable, str(ROOT / "runApp.py"), *words]
        return subprocess.run(command, input=data, capture_output=True, timeout=120, check=False)

    return call


def lines(result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def one_sentence(result) -> str:
    text = result.stderr.decode()
    assert result.returncode == 2, text
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1, text
    return text


class TestScreen:
    def test_each_line_is_answered_in_order_with_its_id_as_it_came(self, run):
        ids = [1, "a", None, 2.5, {"x": [1]}, True]
        given = "\n".join(json.dumps({"id": identifier, "text": "hello"}) for identifier in ids)
        result = run("screen", given=given)
        assert [line["id"] for line in lines(result)] == ids
        assert result.returncode == 0

    def test_the_schema_is_kept_to_the_letter(self, run):
        answer = lines(run("screen", given='{"id": 7, "text": "I want to kill myself"}'))[0]
        assert list(answer) == ["id", "level", "topics", "ms"]
        assert (answer["level"], answer["topics"]) == ("crisis", ["suicide"])
        explained = lines(run("screen", "--explain", given='{"id": 7, "text": "I want to kill myself"}'))[0]
        assert explained["rules"]

    def test_turns_are_read_in_context_and_the_last_user_turn_decides(self, run):
        turns = [
            {"role": "assistant", "text": "Are you thinking about ending your life?"},
            {"role": "user", "text": "yes"},
        ]
        assert lines(run("screen", given=json.dumps({"id": 1, "turns": turns})))[0]["level"] == "crisis"

    @pytest.mark.parametrize(
        "bad",
        [
            b"not json",
            b"[]",
            b'{"id": 1}',
            b'{"id": 1, "text": 5}',
            b'{"id": 1, "text": "a", "turns": []}',
            b'{"id": 1, "turns": []}',
            b'{"id": 1, "turns": [{"role": "system", "text": "x"}]}',
            b'{"id": 1, "turns": [{"role": "assistant", "text": "x"}]}',
            b'{"id": 1, "text": "a", "region": 4}',
            b'{"id": NaN, "text": "a"}',
            b'{"id": 1e400, "text": "a"}',
            b"\xff\xfe",
            b"[" * 100_000,
        ],
    )
    def test_a_bad_line_is_answered_the_rest_go_on_and_the_exit_is_2(self, run, bad):
        result = run("screen", given=bad + b'\n{"id": "good", "text": "hello"}\n')
        first, second = lines(result)
        assert set(first) == {"id", "error"}
        assert second["level"] in LEVELS
        assert result.returncode == 2

    def test_no_text_whatever_brings_it_down(self, run):
        texts = ["", " ", "\u0000\u0007", "😀" * 50, "‮abc", "مرحبا", "x" * 1_000_000, "a\nb\r\nc", "\ud800"]
        given = "\n".join(json.dumps({"id": number, "text": text}) for number, text in enumerate(texts))
        result = run("screen", given=given)
        assert result.returncode == 0
        assert [line["level"] in LEVELS for line in lines(result)] == [True] * len(texts)

    def test_nothing_in_means_nothing_out(self, run):
        result = run("screen")
        assert (result.returncode, result.stdout) == (0, b"")


class TestGate:
    def test_what_is_shown_is_one_longer_than_the_chunks_and_ends_with_the_final_text(self, run):
        chunks = ["Breathe in ", "for 4, hold ", "for 7, out for 8."]
        answer = lines(run("gate", given=json.dumps({"id": 1, "chunks": chunks, "region": "GB"})))[0]
        assert list(answer) == ["id", "shown", "final", "tripped", "reasons"]
        assert len(answer["shown"]) == 4
        assert answer["shown"][-1] == answer["final"] == "".join(chunks)
        assert (answer["tripped"], answer["reasons"]) == (False, [])

    def test_after_a_stop_every_entry_is_the_fixed_reply(self, run):
        chunks = ["You can ", "call 0", "800 123", " 4567 now.", " And more.", " And more."]
        answer = lines(run("gate", given=json.dumps({"id": 1, "chunks": chunks})))[0]
        assert answer["tripped"]
        assert answer["shown"][-3:] == [answer["final"]] * 3
        assert not any("800" in shown for shown in answer["shown"])

    def test_chunks_that_are_no_texts_are_a_bad_line(self, run):
        result = run("gate", given='{"id": 1, "chunks": ["a", 5]}\n{"id": 2}\n{"id": 3, "chunks": []}')
        assert ["error" in line for line in lines(result)] == [True, True, False]
        assert result.returncode == 2


class TestChat:
    def test_one_turn_is_told_in_events(self, run):
        result = run("chat", "--once", "The harbour was quiet.", "--json", "--seed", "1", "--max-tokens", "30")
        events = lines(result)
        assert result.returncode == 0, result.stderr
        assert events[0] == {"event": "screened", "level": "none", "topics": []}
        assert {event["event"] for event in events[1:-1]} <= {"text", "replaced"}
        assert set(events[-1]) == {
            "event", "state", "prompt_tokens", "new_tokens", "first_token_s", "total_s", "first_kept_turn",
        }  # fmt: skip

    def test_the_same_seed_gives_the_same_words(self, run):
        words = ("chat", "--once", "The harbour was quiet.", "--seed", "1", "--max-tokens", "30")
        assert run(*words).stdout == run(*words).stdout

    def test_a_crisis_brings_the_card_of_the_region_named(self, run):
        result = run("chat", "--once", "I want to end my life", "--json", "--region", "de")
        kinds = [event["event"] for event in lines(result)]
        assert kinds == ["screened", "card", "text", "finished"]
        card = lines(result)[1]
        assert (card["region"], card["topic"]) == ("DE", "suicide")
        assert lines(result)[2]["source"] == "fixed"

    def test_a_conversation_comes_from_standard_input(self, run):
        result = run("chat", "--json", "--max-tokens", "5", given="one stone\n\ntwo stones\n")
        assert [event["event"] for event in lines(result)].count("screened") == 2

    def test_without_json_the_card_is_plain_text(self, run):
        result = run("chat", "--once", "I want to end my life", "--region", "US")
        assert b"988" in result.stdout

    @pytest.mark.parametrize(
        "words",
        [
            ("--once", ""),
            ("--once", "\x07"),
            ("--once", "x" * 100_000),
            ("--once", "hi", "--model", "nonsense"),
            ("--once", "hi", "--adapter", "nonsense"),
            ("--once", "hi", "--region", "Atlantis"),
            ("--once", "hi", "--seed", "-1"),
            ("--once", "hi", "--max-tokens", "0"),
            ("--once", "hi", "--max-tokens", "many"),
            ("--once", "hi", "--max-tokens", "9" * 400),
        ],
    )
    def test_bad_input_is_one_sentence_and_exit_2(self, run, words):
        result = run("chat", *words)
        one_sentence(result)
        assert result.stdout == b""

    def test_without_a_model_the_sentence_says_what_to_run(self, run, tmp_path, monkeypatch):
        monkeypatch.setenv("MHDESK_HOME", str(tmp_path))
        assert "python runApp.py setup" in one_sentence(run("chat", "--once", "hello"))


class TestShelfWords:
    def test_adapters_are_listed_used_and_left(self, run):
        assert lines(run("adapters", "list", "--json"))[0]["in_use"] is False
        assert run("adapters", "use", "warm").returncode == 0
        assert lines(run("adapters", "list", "--json"))[0]["in_use"] is True
        assert run("adapters", "none").returncode == 0
        assert lines(run("adapters", "list", "--json"))[0]["in_use"] is False

    def test_models_are_listed_with_their_licence(self, run):
        model = lines(run("models", "list", "--json"))[0]
        assert (model["model"], model["in_use"], model["licence"]) == ("tiny", True, "Apache-2.0")
        assert b"* tiny" in run("models", "list").stdout

    @pytest.mark.parametrize(
        "words", [("adapters", "use", "x"), ("models", "use", "x"), ("adapters",), ("models", "fly")]
    )
    def test_what_is_not_there_is_one_sentence(self, run, words):
        one_sentence(run(*words))


class TestDoctorAndBench:
    def test_doctor_reports_and_has_connected_to_nothing(self, run):
        report = lines(run("doctor", "--json"))[0]
        assert report["connections"] == 0
        assert report["model"] == "tiny"
        assert report["refused"] == []
        assert report["kernel"] in {"int8pack", "int_mm", "bitsandbytes"}
        assert report["memory_available_bytes"] <= report["memory_bytes"]

    def test_bench_prints_one_line_with_the_named_fields(self, run):
        words = ("--prompt-tokens", "120", "--new-tokens", "8", "--repeats", "2", "--json")
        report = lines(run("bench", *words))[0]
        assert list(report) == [
            "model", "adapter", "prompt_tokens", "new_tokens", "repeats", "load_s", "first_token_s",
            "prefill_tokens_per_s", "decode_tokens_per_s", "second_turn_first_token_s", "peak_rss_bytes", "threads",
            "cpu", "kernel",
        ]  # fmt: skip
        assert abs(report["prompt_tokens"] - 120) <= 3
        assert report["peak_rss_bytes"] > 100_000_000

    @pytest.mark.parametrize("words", [("--repeats", "0"), ("--prompt-tokens", "9999999"), ("--model", "nope")])
    def test_a_bench_that_makes_no_sense_is_one_sentence(self, run, words):
        one_sentence(run("bench", *words))


@pytest.mark.parametrize("words", [("nonsense",), ("chat", "--nonsense"), ("screen", "extra")])
def test_an_unknown_word_is_one_sentence(run, words):
    assert "--help" in one_sentence(run(*words))


def test_help_is_printed_on_a_console_of_another_encoding(run, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    result = run("chat", "--once", "I want to kill myself tonight", "--region", "JP")
    assert result.returncode == 0, result.stderr
    assert "119" in result.stdout.decode("utf-8")


@pytest.mark.parametrize("word", ["screen", "gate", "chat"])
def test_a_closed_standard_input_is_an_empty_one(home, monkeypatch, word):
    monkeypatch.setenv("MHDESK_HOME", str(home))
    command = ["sh", "-c", '"$0" "$1" "$2" --json <&-' if word == "chat" else '"$0" "$1" "$2" <&-']
    result = subprocess.run([*command, sys.executable, str(ROOT / "runApp.py"), word], capture_output=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_ctrl_c_in_a_conversation_ends_it_at_once_with_one_sentence(home, monkeypatch):
    monkeypatch.setenv("MHDESK_HOME", str(home))
    command = [sys.executable, str(ROOT / "runApp.py"), "chat", "--json"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"I want to end my life\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    errors = process.stderr.read().decode()
    assert errors.strip().splitlines() == ["Stopped. Nothing was lost; the same command can be run again."]
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def test_a_reader_that_goes_away_ends_the_program_quietly(home, monkeypatch):
    monkeypatch.setenv("MHDESK_HOME", str(home))
    command = [sys.executable, str(ROOT / "runApp.py"), "screen"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(b'{"id": 1, "text": "x"}\n' * 5000, timeout=60)
    assert process.returncode == 0
    assert b"Traceback" not in errors
