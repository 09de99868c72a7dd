import contextlib
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mhdesk.library.json_file import BadJsonFile, read_json_object


def write(tmp_path, content: bytes):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    return path


def test_an_object_is_read(tmp_path):
    assert read_json_object(write(tmp_path, b'{"a": [1, {"b": null}]}')) == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff{}",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
    ids=["empty", "cut short", "not UTF-8", "key twice", "inner key twice", "deep list", "deep object", "long number"],
)
def test_a_damaged_file_is_named(tmp_path, content):
    with pytest.raises(BadJsonFile, match=r"a\.json is missing or damaged"):
        read_json_object(write(tmp_path, content))


@pytest.mark.parametrize("content", [b"[]", b"1", b'"a"', b"null"])
def test_anything_but_an_object_is_refused(tmp_path, content):
    with pytest.raises(BadJsonFile, match=r"a\.json is not what it should be"):
        read_json_object(write(tmp_path, content))


def test_a_file_of_more_bytes_than_allowed_is_refused(tmp_path):
    path = write(tmp_path, b'{"a": 1}')
    assert read_json_object(path, largest_bytes=8) == {"a": 1}
    with pytest.raises(BadJsonFile, match=r"a\.json is too large"):
        read_json_object(path, largest_bytes=7)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(BadJsonFile, match="missing or damaged"):
        read_json_object(tmp_path / "a.json")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_no_bytes_raise_anything_else(tmp_path, content):
    with contextlib.suppress(BadJsonFile):
        read_json_object(write(tmp_path, content))
