import collections
import io
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhdesk.library.pickle_signs import looks_pickled
from mhdesk.library.safetensors_file import TensorPlace, write_tensors

ROOT = Path(__file__).resolve().parents[2]


class Runs:
    """What would run a command when unpickled."""

    def __reduce__(self):
        return (os.system, ("true",))


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"))
    return buffer.getvalue()


def numpy_objects() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


HARMFUL = {
    **{f"protocol {n}": pickle.dumps(Runs(), protocol=n) for n in range(6)},
    **{f"weights, protocol {n}": pickle.dumps(collections.OrderedDict(a=1), protocol=n) for n in range(6)},
    "data, protocol 2": pickle.dumps({"a": [1, 2]}, protocol=2),
    "no protocol mark": pickle.dumps(Runs(), protocol=4)[2:],
    "cut after its call": pickle.dumps(Runs(), protocol=0)[:-1],
    "instance": b"(S'true'\nios\nsystem\n.",
    "torch, old": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.",
    "torch": zipped(),
    "tar": tarred(),
    "numpy": numpy_objects(),
}


@pytest.mark.parametrize("name", ["weights.safetensors", "README.md", "tokenizer.model", "merges.txt"])
@pytest.mark.parametrize("content", HARMFUL.values(), ids=HARMFUL.keys())
def test_a_pickle_or_archive_is_told_under_any_name(name, content):
    assert looks_pickled(name, content[:65536], len(content))


TEXTS = [
    b"",
    b"N. B. this is a text.",
    b"0.1.2\n",
    b"conda\nnumpy\nRequests\n",
    b"import\nthis\n",
    b"copyright\n2024\nReserved.",
    b"Version 2\nReleased.",
    b"Please read\nthis.",
    b"S'mores' are sweet\n",
    b"]\n.",
    b"I am here\n.",
    b'{"a": 1}',
    b"\x0a\x0e\x0a\x05<unk>\x15\0\0\0\0",
    b"\x89PNG\r\n\x1a\n",
    b"GGUF\x03\0\0\0",
    b"#version: 0.2\ni n\nt h\n",
]


@pytest.mark.parametrize("content", TEXTS)
def test_a_text_that_begins_with_a_pickles_letters_is_none(content):
    assert not looks_pickled("README", content, len(content))


def test_none_of_this_projects_own_texts_looks_pickled():
    for path in ROOT.glob("**/*.md"):
        if ".venv" not in path.parts:
            assert not looks_pickled(path.name, path.read_bytes()[:65536], path.stat().st_size), path


@pytest.mark.parametrize("mark", range(2, 6))
def test_weights_whose_header_length_reads_like_a_protocol_mark_are_none(tmp_path, mark):
    length = mark * 256 + 0x80
    header = b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'.ljust(length)
    content = length.to_bytes(8, "little") + header
    assert content[:2] == bytes([0x80, mark])
    assert not looks_pickled("model.safetensors", content, len(content))
    assert looks_pickled("model.other", content, len(content))


def test_real_weights_are_none(tmp_path):
    path = tmp_path / "m.safetensors"
    write_tensors(path, [TensorPlace("a", "I8", (4,))], lambda place: [b"\x80\x02.."])
    assert not looks_pickled(path.name, path.read_bytes(), path.stat().st_size)


@given(st.binary(max_size=400))
def test_no_bytes_raise(content):
    assert looks_pickled("a", content, len(content)) in (True, False)


@given(st.text(alphabet=st.sampled_from("cios\n(tRb.S'VIaefglpu0123 x")).map(str.encode))
def test_nothing_made_of_a_pickles_letters_raises(content):
    assert looks_pickled("a", content, len(content)) in (True, False)
