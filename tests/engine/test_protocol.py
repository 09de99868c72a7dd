import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhdesk.core.errors import ProtocolError
from mhdesk.engine import protocol


def frames():
    return [
        protocol.Load(1, "/m", None, 2, 1024),
        protocol.UseAdapter(5, None),
        protocol.Generate(2, [{"role": "user", "text": "hi\n🙂"}], {"seed": None}),
        protocol.Cancel(2),
        protocol.Job(3, "import_model", {"a": [1]}),
        protocol.Measure(4),
        protocol.Hello(0, 1, "llama", "int8pack", "AVX2"),
        protocol.Progress(1, "Loading…", 0.5),
        protocol.Loaded(1, "m", None, 4096, "0" * 64, "int_mm", 2, 0.5, "Left out."),
        protocol.Started(2, 10, 0, "0" * 64, 5),
        protocol.Token(2, " word"),
        protocol.Ended(2, False, 3, 0.1, 0.2),
        protocol.Cancelled(2),
        protocol.Done(3, {"x": 1}),
        protocol.Measured(4, 1, 2, 0),
        protocol.Failed(2, "No."),
    ]


@pytest.mark.parametrize("frame", frames(), ids=lambda frame: frame.kind)
def test_every_frame_survives_the_pipe_as_one_line(frame):
    line = protocol.encode(frame)
    assert line.count(b"\n") == 1
    assert protocol.decode(line, protocol.COMMANDS + protocol.REPORTS) == frame


def test_every_kind_of_frame_is_covered_above():
    assert {type(frame) for frame in frames()} == set(protocol.COMMANDS + protocol.REPORTS)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"\x00\xff\n",
        b"[]\n",
        b"null\n",
        b'{"v":2,"kind":"token","turn":1,"text":"x"}\n',
        b'{"kind":"token","turn":1,"text":"x"}\n',
        b'{"v":1,"kind":"nonsense","turn":1}\n',
        b'{"v":1,"kind":"token","turn":1}\n',
        b'{"v":1,"kind":"token","turn":"1","text":"x"}\n',
        b'{"v":1,"kind":"token","turn":true,"text":"x"}\n',
        b'{"v":1,"kind":"token","turn":1,"text":"x","more":1}\n',
        b'{"v":1,"kind":"load","turn":1,"model":"m"}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_anything_else_is_a_protocol_error_that_does_not_quote_the_line(line):
    with pytest.raises(ProtocolError) as caught:
        protocol.decode(line, protocol.REPORTS)
    assert "nonsense" not in caught.value.sentence


def test_a_frame_over_the_limit_is_refused_on_both_sides():
    long = "x" * protocol.MAX_FRAME_BYTES
    with pytest.raises(ProtocolError):
        protocol.encode(protocol.Token(1, long))
    with pytest.raises(ProtocolError):
        protocol.decode(json.dumps({"v": 1, "kind": "token", "turn": 1, "text": long}).encode(), protocol.REPORTS)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_no_bytes_raise_anything_but_a_protocol_error(line):
    with pytest.raises(ProtocolError):
        protocol.decode(line, protocol.REPORTS)
