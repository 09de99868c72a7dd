import dataclasses
import struct
import tracemalloc

import gguf
import numpy as np
import pytest

from mhdesk.library.gguf_header import read_gguf_header
from mhdesk.library.gguf_metadata import BadGguf
from mhdesk.library.gguf_tensors import FORMATS
from tests.library.gguf_files import TINY, tiny_tensors, write_gguf


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tiny.gguf"


def refuse(path, reason):
    with pytest.raises(BadGguf, match=reason):
        read_gguf_header(path)


def change(name, value, kind=gguf.GGUFValueType.UINT32):
    """Gives a key of the file another value."""

    def apply(writer):
        writer.kv_data[0].pop(name, None)
        if value is not None:
            writer.kv_data[0][name] = gguf.gguf_writer.GGUFValue(value=value, type=kind)

    return apply


def without(*names):
    return {name: values for name, values in tiny_tensors().items() if name not in names}


def front(*values, tensors=b"", tensor_count=0, value_count=None, version=3):
    """The bytes of a file's front; each value is (key, bytes of type and value)."""
    count = len(values) if value_count is None else value_count
    content = b"GGUF" + struct.pack("<IQQ", version, tensor_count, count)
    return content + b"".join(text(key) + value for key, value in values) + tensors


def text(value):
    return struct.pack("<Q", len(value)) + value


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_what_the_library_wrote_is_read(path, kind):
    header = read_gguf_header(write_gguf(path, kind=kind))
    assert header.shape == TINY
    assert (header.name, header.licence) == ("TinyLlama", "apache-2.0")
    assert (header.tokenizer_model, header.pre_tokenizer, header.chat_template) == ("gpt2", "llama-bpe", "t")
    assert (header.bos_token_id, header.eos_token_id, header.unknown_token_id) == (1, 2, 0)
    assert (header.norm_epsilon, header.rope_base) == (pytest.approx(1e-5), 500_000.0)
    assert header.vocabulary == 40
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    assert set(header.tensors) == set(theirs)
    for name, tensor in header.tensors.items():
        assert tensor.shape == tuple(reversed(theirs[name].shape.tolist()))
        assert tensor.format == theirs[name].tensor_type.name
        assert (tensor.offset, tensor.size) == (theirs[name].data_offset, theirs[name].n_bytes)


def test_the_formats_are_those_that_the_library_turns_into_numbers():
    ours = {number: FORMATS[number] for number in FORMATS}
    theirs = {}
    for kind, (values, size) in gguf.GGML_QUANT_SIZES.items():
        try:
            gguf.quants.dequantize(np.zeros((1, size), np.uint8), kind)
        except NotImplementedError:
            continue
        theirs[int(kind)] = (kind.name, values, size)
    assert ours == theirs


def test_a_head_of_its_own_biases_and_frequencies_are_known(path):
    shape = dataclasses.replace(TINY, tied=False, attention_bias=True)
    tensors = {**tiny_tensors(shape), "rope_freqs.weight": np.ones(8, np.float32)}
    header = read_gguf_header(write_gguf(path, shape=shape, tensors=tensors))
    assert header.shape == shape
    assert header.tensors["rope_freqs.weight"].shape == (8,)


def test_what_may_be_left_out_has_the_usual_value(path):
    names = ("llama.rope.dimension_count", "llama.attention.key_length", "llama.attention.value_length",
             "llama.vocab_size", "llama.rope.freq_base", "tokenizer.chat_template", "general.name",
             "tokenizer.ggml.bos_token_id", "general.license", "tokenizer.ggml.pre")  # fmt: skip
    header = read_gguf_header(write_gguf(path, change=lambda w: [change(name, None)(w) for name in names]))
    assert header.shape == TINY
    assert header.rope_base == 10_000.0
    assert {header.chat_template, header.name, header.bos_token_id, header.licence, header.pre_tokenizer} == {None}


def test_version_2_is_read_and_others_are_refused_with_their_number(path):
    content = write_gguf(path).read_bytes()
    for version in (2, 1, 4):
        path.write_bytes(content[:4] + struct.pack("<I", version) + content[8:])
        if version == 2:
            assert read_gguf_header(path).shape == TINY
        else:
            refuse(path, f"version {version}, and MHDesk reads versions 2 and 3")


def test_a_big_endian_file_is_refused_by_name(path):
    refuse(write_gguf(path, kind="F32", endian="BIG"), "big-endian")


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04" + bytes(100), b"ggml" + bytes(100)])
def test_what_is_no_gguf_is_refused(path, content):
    path.write_bytes(content)
    refuse(path, "not a GGUF file")


def test_a_missing_file_and_a_folder_cannot_be_read(tmp_path):
    refuse(tmp_path / "nothing.gguf", "cannot be read")
    refuse(tmp_path, "cannot be read")


@pytest.mark.parametrize("architecture", ["gemma2", "qwen2", "llama4", "x" * 500])
def test_another_architecture_is_refused_by_name(path, architecture):
    refuse(write_gguf(path, architecture=architecture), f"'{architecture[:30]}.*Llama models only")


STRING, FLOAT, BOOL, SIGNED = (gguf.GGUFValueType[name] for name in ("STRING", "FLOAT32", "BOOL", "INT32"))


@pytest.mark.parametrize(
    ("name", "value", "kind", "reason"),
    [
        ("llama.expert_count", 8, None, "mixture of several expert models"),
        ("split.count", 3, None, "one part of a model split"),
        ("llama.rope.scaling.type", "yarn", STRING, "stretches its context"),
        ("llama.rope.scale_linear", 4.0, FLOAT, "stretches its context"),
        ("llama.embedding_length", None, None, "no usable llama.embedding_length"),
        ("llama.embedding_length", 0, None, "sizes are not those of a Llama"),
        ("llama.embedding_length", 65, None, "is not as large as its header says"),
        ("llama.embedding_length", -64, SIGNED, "no usable llama.embedding_length"),
        ("llama.embedding_length", "64", STRING, "no usable llama.embedding_length"),
        ("llama.embedding_length", 64.0, FLOAT, "no usable llama.embedding_length"),
        ("llama.block_count", 3, None, "blk.2.* is missing"),
        ("llama.block_count", 1, None, "blk.1.*no Llama model has"),
        ("llama.block_count", 2**31, None, "sizes are not those of a Llama"),
        ("llama.attention.head_count", 0, None, "sizes are not those of a Llama"),
        ("llama.attention.head_count_kv", 3, None, "sizes are not those of a Llama"),
        ("llama.attention.key_length", 32, None, "value_length is not its head size"),
        ("llama.rope.dimension_count", 8, None, "rope.dimension_count is not its head size"),
        ("llama.context_length", 0, None, "sizes are not those of a Llama"),
        ("llama.vocab_size", 41, None, "two different sizes"),
        ("llama.attention.layer_norm_rms_epsilon", float("nan"), FLOAT, "rms_epsilon"),
        ("llama.attention.layer_norm_rms_epsilon", 0.0, FLOAT, "rms_epsilon"),
        ("llama.attention.layer_norm_rms_epsilon", None, None, "rms_epsilon"),
        ("llama.rope.freq_base", float("inf"), FLOAT, "freq_base"),
        ("tokenizer.ggml.eos_token_id", 40, None, "eos_token_id is not in its vocabulary"),
        ("tokenizer.ggml.eot_token_id", 2**32 - 1, None, "eot_token_id is not in its vocabulary"),
        ("tokenizer.ggml.model", "no_vocab", STRING, "no tokenizer"),
        ("tokenizer.ggml.tokens", None, None, "no vocabulary"),
        ("tokenizer.ggml.tokens", 5, None, "no vocabulary"),
        ("tokenizer.ggml.merges", 5, None, "not a list of texts"),
        ("tokenizer.chat_template", 5, None, "chat_template is not a text"),
        ("general.architecture", 5, None, "architecture is not a text"),
        ("general.alignment", 48, None, "not a power of two"),
        ("general.alignment", 0, None, "not a power of two"),
        ("general.alignment", 2**17, None, "not a power of two"),
    ],
)  # fmt: skip
def test_a_value_that_fits_no_llama_is_refused_with_the_reason(path, name, value, kind, reason):
    refuse(write_gguf(path, change=change(name, value, kind or gguf.GGUFValueType.UINT32)), reason)


def test_lists_that_do_not_fit_the_vocabulary_are_refused(path):
    def shorter(writer):
        writer.kv_data[0].pop("tokenizer.ggml.token_type")
        writer.add_token_types([1] * 39)

    refuse(write_gguf(path, change=shorter), "token_type does not fit its vocabulary")


@pytest.mark.parametrize(
    "name", ["token_embd.weight", "output_norm.weight", "blk.1.ffn_down.weight", "blk.0.attn_k.weight"]
)
def test_a_missing_tensor_is_named(path, name):
    refuse(write_gguf(path, tensors=without(name)), f"the tensor {name} is missing")


def test_a_tensor_of_another_size_is_named(path):
    tensors = {**tiny_tensors(), "blk.1.attn_q.weight": np.ones((64, 32), np.float32)}
    refuse(write_gguf(path, tensors=tensors), r"blk\.1\.attn_q\.weight is not as large")


@pytest.mark.parametrize("name", ["blk.0.ffn_gate_exps.weight", "blk.2.attn_q.weight", "evil\n"])
def test_a_tensor_that_no_llama_has_is_named(path, name):
    refuse(write_gguf(path, tensors={**tiny_tensors(), name: np.ones(4, np.float32)}), "no Llama model has")


def test_a_format_that_cannot_be_read_is_named_with_what_to_choose(path):
    def add(writer):
        writer.add_tensor("blk.9.x", np.ones((1, 4), np.int8))

    refuse(write_gguf(path, change=add), r"GGUF type 24\); please choose a file such as Q8_0")


def entry(name, dimensions, kind=0, offset=0):
    return text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, offset)


LLAMA = (b"general.architecture", struct.pack("<I", 8) + text(b"llama"))


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ([entry(b"a", (4,)), entry(b"a", (4,), offset=32)], "lists a tensor twice"),
        ([entry(b"a", (4,)), entry(b"b", (4,))], "overlap"),
        ([entry(b"a", (16,)), entry(b"b", (4,), offset=32)], "overlap"),
        ([entry(b"a", (4,), offset=2)], "impossible shape or place"),
        ([entry(b"a", (0,))], "impossible shape or place"),
        ([entry(b"a", (2**32, 2**32))], "impossible shape or place"),
        ([entry(b"a", (33,), kind=8)], "impossible shape or place"),
        ([entry(b"a", (2**40,))], "cut short"),
        ([entry(b"a", (4,), offset=2**63)], "cut short"),
        ([entry(b"a", (4,), kind=4)], "GGUF type 4"),
        ([entry(b"a", ())], "impossible dimensions"),
        ([entry(b"a", (1,) * 5)], "impossible dimensions"),
        ([entry(b"a\xff", (4,))], "not UTF-8"),
    ],
)
def test_tensors_that_cannot_lie_in_the_file_are_refused(path, tensors, reason):
    path.write_bytes(front(LLAMA, tensors=b"".join(tensors), tensor_count=len(tensors)) + bytes(256))
    refuse(path, reason)


def array(kind, count, content=b""):
    return struct.pack("<IIQ", 9, kind, count) + content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (front(LLAMA, LLAMA), "gives 'general.architecture' twice"),
        (front(value_count=10_001), "more entries than any model has"),
        (front(tensor_count=20_001), "more entries than any model has"),
        (front(value_count=9_999), "cut short"),
        (front((b"k" * 2000, b"")), "longer than any model needs"),
        (front((b"a", struct.pack("<IQ", 8, 2**62))), "cut short"),
        (front((b"tokenizer.chat_template", struct.pack("<IQ", 8, 2**25))), "longer than any model needs"),
        (front((b"a", array(4, 2**62))), "cut short"),
        (front((b"a", array(8, 2_000_001))), "more texts than any vocabulary"),
        (front((b"a", array(8, 1_000, bytes(80)))), "cut short"),
        (front((b"a", array(9, 1, array(4, 0)))), "list of an unknown type"),
        (front((b"a", array(13, 1))), "list of an unknown type"),
        (front((b"a", struct.pack("<I", 13))), "unknown type"),
        (front((b"a", struct.pack("<IB", 7, 2))), "neither true nor false"),
        (front((b"general.name", struct.pack("<I", 8) + text(b"\xff"))), "not UTF-8"),
    ],
)
def test_a_front_that_lies_is_refused_without_taking_memory(path, content, reason):
    path.write_bytes(content)
    tracemalloc.start()
    refuse(path, reason)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_large_vocabulary_takes_little_memory(path):
    shape = dataclasses.replace(TINY, vocabulary=128_256)
    write_gguf(path, shape=shape, kind="Q4_0")
    tracemalloc.start()
    assert read_gguf_header(path).vocabulary == 128_256
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_file_cut_anywhere_is_refused(path):
    content = write_gguf(path, kind="Q4_0").read_bytes()
    for length in [*range(0, 3000, 7), *range(3000, len(content), 997)]:
        path.write_bytes(content[:length])
        refuse(path, "cut short|not a GGUF file")
