import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mhdesk.library.safetensors_file import BadSafetensors, TensorPlace, read_header, write_tensors


def write_raw(path, header, data=b""):
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + data)
    return path


def test_what_is_written_is_read_again_in_its_order_and_aligned(tmp_path):
    path = tmp_path / "m.safetensors"
    tensors = [TensorPlace("b", "I8", (2, 3)), TensorPlace("a", "F32", (2,)), TensorPlace("c", "U8", ())]
    write_tensors(path, tensors, lambda place: {"b": [b"123", b"456"], "a": [b"x" * 8], "c": [b"\0"]}[place.name])
    places = read_header(path)
    assert list(places) == ["b", "a", "c"]
    assert (places["a"].begin, places["a"].end) == (6, 14)
    assert int.from_bytes(path.read_bytes()[:8], "little") % 64 == 56


def test_content_of_another_length_is_refused(tmp_path):
    with pytest.raises(BadSafetensors):
        write_tensors(tmp_path / "m", [TensorPlace("a", "I8", (4,))], lambda place: [b"123"])


ONE = {"a": {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]}}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (ONE, b"123"),
        (ONE, b"12345"),
        ({"a": {"dtype": "I8", "shape": [4], "data_offsets": [0, 400]}}, b"1234"),
        ({"a": {"dtype": "I8", "shape": [-4], "data_offsets": [0, 4]}}, b"1234"),
        ({"a": {"dtype": "I8", "shape": [2], "data_offsets": [0, 4]}}, b"1234"),
        ({"a": {"dtype": "X9", "shape": [4], "data_offsets": [0, 4]}}, b"1234"),
        ({"a": {"dtype": "I8", "shape": "four", "data_offsets": [0, 4]}}, b"1234"),
        ({"a": {"dtype": "I8", "shape": [4], "data_offsets": [4, 0]}}, b"1234"),
        ({"a": 1}, b""),
        ([], b""),
        (b"{not json", b""),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, header, data):
    with pytest.raises(BadSafetensors):
        read_header(write_raw(tmp_path / "m", header, data))


def test_a_header_longer_than_the_file_is_refused(tmp_path):
    (tmp_path / "m").write_bytes((10**12).to_bytes(8, "little") + b"{}")
    with pytest.raises(BadSafetensors):
        read_header(tmp_path / "m")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(tmp_path, content):
    path = tmp_path / "m"
    path.write_bytes(content)
    with contextlib.suppress(BadSafetensors):
        read_header(path)


ENTRY = {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"a": ENTRY, "b": ENTRY}, b"12345678"),
        ({"a": ENTRY, "b": {**ENTRY, "data_offsets": [2, 6]}}, b"12345678"),
        ({"a": ENTRY, "b": {**ENTRY, "data_offsets": [5, 9]}}, b"123456789"),
        ({"a": {**ENTRY, "data_offsets": [0.0, 4.0]}}, b"1234"),
        ({"a": {**ENTRY, "shape": [True, 4]}}, b"1234"),
        ({"a": {**ENTRY, "shape": [4] + [1] * 8}}, b"1234"),
        ({"a": {**ENTRY, "shape": [2**63, 0], "data_offsets": [0, 0]}}, b""),
        ({"a": {**ENTRY, "dtype": ["I8"]}}, b"1234"),
        ({"x" * 501: ENTRY}, b"1234"),
        ({"a": ENTRY, "__metadata__": {"format": 1}}, b"1234"),
        ({"a": ENTRY, "__metadata__": []}, b"1234"),
        (b'{"a": {"dtype": "I8", "shape": [0], "data_offsets": [0, 0]}, "a": 1}', b""),
        (b"[" * 100_000, b""),
    ],
)
def test_tensors_that_share_bytes_or_are_oddly_described_are_refused(tmp_path, header, data):
    with pytest.raises(BadSafetensors):
        read_header(write_raw(tmp_path / "m", header, data))


def test_an_empty_tensor_between_others_is_fine(tmp_path):
    header = {
        "a": ENTRY,
        "b": {**ENTRY, "shape": [0, 9], "data_offsets": [4, 4]},
        "c": {**ENTRY, "data_offsets": [4, 8]},
    }
    assert list(read_header(write_raw(tmp_path / "m", header, b"12345678"))) == ["a", "b", "c"]
