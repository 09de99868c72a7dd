import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mhdesk.library.safetensors_file import BadSafetensors, TensorPlace, write_tensors
from mhdesk.library.tensor_values import BLOCK_BYTES, BadValues, check_finite


def write(tmp_path, *tensors):
    """A file of (name, type, values as their bytes' array)."""
    path = tmp_path / "m.safetensors"
    places = []
    for name, dtype, values in tensors:
        size = values.nbytes // {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}.get(dtype, 1)
        places.append(TensorPlace(name, dtype, (size,)))
    content = {name: values.tobytes() for name, _, values in tensors}
    write_tensors(path, places, lambda place: [content[place.name]])
    return path


FINITE = {
    "F64": np.array([0.0, -1e308, 5e-324]),
    "F32": np.array([0.0, -3e38, 1e-45], np.float32),
    "F16": np.array([0.0, -65504, 6e-8], np.float16),
    "BF16": np.array([0x0000, 0x7F7F, 0xFF7F, 0x0001, 0x8000], np.uint16),
    "F8_E5M2": np.array([0x00, 0x7B, 0xFB], np.uint8),
    "F8_E4M3": np.array([0x00, 0x7E, 0xFE], np.uint8),
    "I8": np.array([-128, 127], np.int8),
    "U8": np.array([255], np.uint8),
}
NOT_FINITE = {
    "F64": [np.nan, np.inf, -np.inf],
    "F32": [np.nan, np.inf, -np.inf],
    "F16": [np.nan, np.inf, -np.inf],
    "BF16": [0x7F80, 0xFF80, 0x7FC0, 0xFF81],
    "F8_E5M2": [0x7C, 0xFC, 0x7F],
    "F8_E4M3": [0x7F, 0xFF],
}


def test_finite_values_of_all_types_are_accepted(tmp_path):
    check_finite(write(tmp_path, *((f"tensor {dtype}", dtype, values) for dtype, values in FINITE.items())))


@pytest.mark.parametrize(("dtype", "value"), [(dtype, value) for dtype in NOT_FINITE for value in NOT_FINITE[dtype]])
def test_one_value_that_is_no_finite_number_is_found_and_its_tensor_named(tmp_path, dtype, value):
    values = np.concatenate([FINITE[dtype], np.array([value], FINITE[dtype].dtype), FINITE[dtype]])
    path = write(tmp_path, ("fine", "F32", FINITE["F32"]), ("a.weight", dtype, values))
    with pytest.raises(BadValues, match=r"'a\.weight' holds values that are not finite"):
        check_finite(path)


@pytest.mark.parametrize("at", [0, BLOCK_BYTES // 4 - 1, BLOCK_BYTES // 4, BLOCK_BYTES // 2 + 1])
def test_a_value_is_found_in_whichever_block_it_lies(tmp_path, at):
    values = np.zeros(BLOCK_BYTES // 2 + 2, np.float32)
    values[at] = np.nan
    with pytest.raises(BadValues):
        check_finite(write(tmp_path, ("a", "F32", values)))


def test_a_large_file_takes_little_memory(tmp_path):
    path = write(tmp_path, ("a", "BF16", np.zeros(16 * 2**20, np.uint16)))
    tracemalloc.start()
    check_finite(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * BLOCK_BYTES


@pytest.mark.parametrize(
    ("scales", "reason"),
    [
        ([1.0, -0.5], "negative"),
        ([1.0, 2e6], "too large"),
        ([1.0, np.nan], "no numbers"),
        ([1.0, np.inf], "too large"),
        ([0.0, 0.0], "all zero"),
    ],
)
def test_scales_that_no_model_has_are_refused(tmp_path, scales, reason):
    with pytest.raises(BadValues, match=reason):
        check_finite(write(tmp_path, ("a.SCB", "F32", np.array(scales, np.float32))))


def test_a_row_of_zeros_may_have_the_scale_zero(tmp_path):
    check_finite(write(tmp_path, ("a.SCB", "F32", np.array([0.0, 1e6, 3.5], np.float32))))


def test_scales_of_another_type_are_refused(tmp_path):
    with pytest.raises(BadValues, match="not in 32 bits"):
        check_finite(write(tmp_path, ("a.SCB", "F16", np.ones(2, np.float16))))


def test_an_eight_bit_folder_of_ours_is_accepted(tiny_model):
    check_finite(tiny_model / "model.safetensors")


def test_a_file_that_is_none_is_refused_as_such(tmp_path):
    (tmp_path / "m").write_bytes(b"nothing")
    with pytest.raises(BadSafetensors):
        check_finite(tmp_path / "m")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["F64", "F32", "F16"]), st.binary(max_size=80))
def test_any_bits_are_judged_as_numpy_judges_them(tmp_path, dtype, bits):
    width = int(dtype[1:]) // 8
    values = np.frombuffer(bits[: len(bits) // width * width], dtype=f"<f{width}")
    path = write(tmp_path, ("a", dtype, values))
    if np.isfinite(values).all():
        check_finite(path)
    else:
        with pytest.raises(BadValues):
            check_finite(path)
