"""A child spoken to by hand, byte by byte."""

import subprocess

import pytest

from mhdesk.engine import protocol


@pytest.fixture
def child(script):
    command = script({"pieces": ["a", "b"], "wait_s": 0.01}, {"pieces": ["x"], "then": "print"})
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def say(child, data: bytes) -> None:
    child.stdin.write(data)
    child.stdin.flush()


def hear(child) -> protocol.Frame:
    return protocol.decode(child.stdout.readline(), protocol.REPORTS)


def generate(turn: int) -> bytes:
    return protocol.encode(protocol.Generate(turn, [{"role": "user", "text": "hi"}], {}))


def until(child, kind):
    frames = []
    while not isinstance(frame := hear(child), kind):
        frames.append(frame)
    return frames, frame


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\xfe\n",
        b"{}\n",
        b'{"v":1,"kind":"token","turn":1,"text":"not a command"}\n',
        b"x" * (protocol.MAX_FRAME_BYTES + 5) + b"\n",
        b'{"v":1,"kind":"generate","turn":1,"messages":[{"role":1}],"sampling":{}}\n',
    ],
    ids=["bytes", "empty object", "a report", "oversize", "wrong types"],
)
def test_garbage_is_answered_with_a_sentence_and_the_child_goes_on(child, garbage):
    hear(child)
    say(child, garbage)
    assert isinstance(hear(child), protocol.Failed)
    say(child, generate(7))
    _, ended = until(child, protocol.Ended)
    assert ended.turn == 7


def test_a_role_that_is_none_or_a_setting_out_of_range_fails_that_turn_only(child):
    hear(child)
    say(child, protocol.encode(protocol.Generate(1, [{"role": "wizard", "text": "x"}], {})))
    assert isinstance(hear(child), protocol.Failed)
    say(child, protocol.encode(protocol.Generate(2, [{"role": "user", "text": "x"}], {"temperature": 9})))
    failed = hear(child)
    assert isinstance(failed, protocol.Failed)
    assert "temperature" in failed.sentence
    say(child, generate(3))
    assert until(child, protocol.Ended)[1].turn == 3


def test_commands_out_of_order_are_each_answered_under_their_own_turn(child):
    hear(child)
    say(child, generate(9) + protocol.encode(protocol.Cancel(4)) + protocol.encode(protocol.Measure(2)) + generate(3))
    frames = []
    while sum(isinstance(frame, protocol.Ended) for frame in frames) < 2:
        frames.append(hear(child))
    assert {frame.turn for frame in frames if isinstance(frame, protocol.Cancelled)} == {4}
    assert [frame.turn for frame in frames if isinstance(frame, protocol.Ended)] == [9, 3]
    assert [frame.turn for frame in frames if isinstance(frame, protocol.Measured)] == [2]


def test_nothing_of_a_turn_comes_after_its_cancel_is_acknowledged(child):
    hear(child)
    say(child, generate(1) + protocol.encode(protocol.Cancel(1)) + generate(2))
    _, cancelled = until(child, protocol.Cancelled)
    assert cancelled.turn == 1
    rest, _ = until(child, protocol.Ended)
    assert all(frame.turn == 2 for frame in rest)


def test_what_native_code_prints_reaches_stderr_and_not_the_protocol(child):
    hear(child)
    say(child, generate(1))
    until(child, protocol.Ended)
    say(child, generate(2))
    until(child, protocol.Ended)
    child.stdin.close()
    assert child.stdout.read() == b""
    assert b"a native library prints" in child.stderr.read()
    child.stdin = None


def test_a_broken_pipe_ends_the_child(script):
    process = subprocess.Popen(
        script({"pieces": ["word "] * 10_000, "wait_s": 0.001}), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.close()
    process.stdin.write(generate(1))
    process.stdin.flush()
    assert process.wait(timeout=20) == 0
    process.stdin.close()
