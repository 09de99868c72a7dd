"""The gate: what it stops, what it passes, and that chunks make no difference."""

import dataclasses
import itertools
import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhdesk.safety.gate import HOLD, Gate, GateRules, GateStream
from mhdesk.safety.patterns import BadRules

sys.path.insert(0, str(Path(__file__).parent))
from gate_cases import PASS, STOP

GATE = Gate.load()
TEXTS = [text for _, text in STOP] + PASS
NUMBERS = ["988", "1-800-273-8255", "0800 1111 22", "116 123", "nine eight eight", "８００ ２７３ ８２５５"]
PIECES = st.sampled_from(
    ["call ", "9", "8", "8 ", "1-800", " 273", "-8255", ". ", "\n", "four, seven, eight ", "www", ".", "org ", "you ",
     "should ", "die ", "don't ", "one ", "nine ", "eight ", "\u200b", "٩", "a" * 50, "@", "x", "2019 ",
     "kill yourself", "breathe in for 4 ", "，", "。", "死", "’", "\ud800", "\0"]
)  # fmt: skip


def run(chunks: list[str]) -> tuple[str, GateStream]:
    stream = GATE.begin()
    return "".join(stream.push(chunk) for chunk in chunks) + stream.flush(), stream


def split(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize(("reason", "text"), STOP)
def test_stops_with_the_fitting_reason(reason: str, text: str) -> None:
    for chunks in ([text], list(text)):
        shown, stream = run(chunks)
        assert stream.stopped is not None
        assert reason in stream.stopped.reasons
        assert text.startswith(shown)
        assert stream.fixed_reply


@pytest.mark.parametrize("text", PASS)
def test_passes_untouched(text: str) -> None:
    for chunks in ([text], list(text)):
        shown, stream = run(chunks)
        assert stream.stopped is None
        assert shown == text


@settings(max_examples=300, deadline=None)
@given(
    text=st.lists(st.sampled_from(TEXTS) | PIECES, max_size=8).map("".join),
    cuts=st.lists(st.integers(0, 5000), max_size=20),
)
def test_chunks_make_no_difference(text: str, cuts: list[int]) -> None:
    whole, one = run([text])
    parts, other = run(split(text, cuts))
    assert parts == whole
    assert other.stopped == one.stopped
    assert text.startswith(whole)
    assert one.stopped is not None or whole == text


@settings(max_examples=200, deadline=None)
@given(
    before=st.lists(st.sampled_from(PASS), max_size=3).map(" ".join),
    number=st.sampled_from(NUMBERS),
    cuts=st.lists(st.integers(0, 5000), max_size=10),
)
def test_no_prefix_ever_shows_any_of_a_number(before: str, number: str, cuts: list[int]) -> None:
    text = f"{before} You can call {number} now. They will listen."
    stream = GATE.begin()
    shown = ""
    for chunk in [*split(text, cuts), None]:
        shown += stream.flush() if chunk is None else stream.push(chunk)
        assert len(shown) <= len(before) + len(" You can call ")
    assert stream.stopped is not None


def test_holds_back_little() -> None:
    text = "and so on and on " * 60
    stream = GATE.begin()
    shown = 0
    for index, character in enumerate(text, 1):
        shown += len(stream.push(character))
        assert index - shown <= HOLD
    assert shown + len(stream.flush()) == len(text)


def test_is_deaf_after_a_stop() -> None:
    stream = GATE.begin()
    stream.push("Call 988 now. ")
    assert stream.stopped is not None
    stopped = stream.stopped
    assert stream.push("You are loved. ") == ""
    assert stream.flush() == ""
    assert stream.stopped == stopped


def test_an_inner_error_stops_with_its_own_reply() -> None:
    class Broken:
        def finditer(self, data: bytes) -> None:
            raise RuntimeError("boom")

    rules = GateRules.load()
    broken = dataclasses.replace(rules.reasons[0], found=Broken())
    stream = Gate(dataclasses.replace(rules, reasons=(broken,))).begin()
    assert stream.push("Hello there. How are you?") == ""
    assert stream.stopped is not None
    assert stream.stopped.reasons == ("internal_error",)
    assert stream.fixed_reply == rules.replies["internal_error"]


def test_every_fixed_reply_passes_the_gate_itself() -> None:
    for reason, reply in GateRules.load().replies.items():
        shown, stream = run([reply])
        assert stream.stopped is None, reason
        assert shown == reply


def test_a_long_reply_is_read_in_good_time() -> None:
    text = " ".join(PASS) * 3
    start = time.perf_counter()
    shown, _ = run(list(text))
    assert shown == text
    assert time.perf_counter() - start < 10


def test_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "resources" / "safety" / "gate"
    for file in source.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "replies.json").write_text(json.dumps({"number": "x"}))
    with pytest.raises(BadRules):
        GateRules.load(tmp_path)
