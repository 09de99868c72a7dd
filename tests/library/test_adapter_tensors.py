import json
import pickle

import numpy as np
import pytest

from mhdesk.core.errors import AdapterUnusable
from mhdesk.library.adapter_configuration import BadAdapter, LoraConfiguration
from mhdesk.library.adapter_folder import check_adapter_folder, check_new_adapter
from mhdesk.library.adapter_tensors import WEIGHTS, check_adapter_tensors
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.safetensors_file import TensorPlace, write_tensors
from tests.tiny_model import make_adapter

SHAPE = LlamaShape(
    hidden=8, intermediate=12, layers=2, heads=2, kv_heads=1, head_size=4, vocabulary=10, max_positions=64, tied=True
)
CONFIGURATION = LoraConfiguration(rank=2, targets=("v_proj", "down_proj"))
A, B = (f"base_model.model.model.layers.1.self_attn.v_proj.lora_{half}.weight" for half in "AB")


def usual():
    """The tensors of a right adapter: name to values."""
    made = {}
    for name, (rows, columns) in SHAPE.linears().items():
        if name.endswith(CONFIGURATION.targets):
            made[f"base_model.model.{name}.lora_A.weight"] = np.full((2, columns), 0.5, np.float32)
            made[f"base_model.model.{name}.lora_B.weight"] = np.full((rows, 2), 0.5, np.float32)
    return made


def write(folder, tensors):
    types = {"float32": "F32", "float16": "F16", "int8": "I8", "float64": "F64"}
    places = [TensorPlace(name, types[str(values.dtype)], values.shape) for name, values in tensors.items()]
    write_tensors(folder / WEIGHTS, places, lambda place: [tensors[place.name].tobytes()])
    return folder


def refuse(folder, reason, shape=SHAPE):
    with pytest.raises(BadAdapter, match=reason):
        check_adapter_tensors(folder, shape, CONFIGURATION)


@pytest.mark.parametrize("shape", [SHAPE, None])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_the_two_tensors_of_every_linear_are_accepted(tmp_path, shape, kind):
    write(tmp_path, {name: values.astype(kind) for name, values in usual().items()})
    check_adapter_tensors(tmp_path, shape, CONFIGURATION)


@pytest.mark.parametrize("shape", [SHAPE, None])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({A: None}, f"{A} is missing"),
        ({B: None}, f"{B} is missing"),
        ({A.replace("v_proj", "q_proj"): np.ones((2, 8), np.float32)}, "does not belong"),
        ({A.replace("layers.1", "layers.01"): np.ones((2, 8), np.float32)}, "does not belong"),
        ({A.replace("lora_A", "lora_E"): np.ones((2, 8), np.float32)}, "does not belong"),
        ({A.replace("base_model.model.", ""): np.ones((2, 8), np.float32)}, "does not belong"),
        ({"base_model.model.lm_head.weight": np.ones((2, 8), np.float32)}, "does not belong"),
        ({A.replace(".weight", ".bias"): np.ones(2, np.float32)}, "does not belong"),
        ({A: np.ones((3, 8), np.float32)}, "not of the rank 2"),
        ({B: np.ones((4, 3), np.float32)}, "not of the rank 2"),
        ({A: np.ones(16, np.float32)}, "not of the rank 2"),
        ({A: np.ones((2, 8, 1), np.float32)}, "not of the rank 2"),
        ({A: np.ones((2, 8), np.int8)}, "of the type I8"),
        ({A: np.ones((2, 8), np.float64)}, "of the type F64"),
        ({A: np.full((2, 8), np.nan, np.float32)}, "not finite"),
        ({B: np.full((4, 2), np.inf, np.float32)}, "not finite"),
    ],
)
def test_anything_else_is_refused_with_the_reason(tmp_path, shape, changes, reason):
    tensors = {name: values for name, values in {**usual(), **changes}.items() if values is not None}
    refuse(write(tmp_path, tensors), reason, shape)


@pytest.mark.parametrize("change", [{A: np.ones((2, 9), np.float32)}, {B: np.ones((8, 2), np.float32)}])
def test_an_adapter_for_a_model_of_another_size_is_refused(tmp_path, change):
    refuse(write(tmp_path, {**usual(), **change}), "made for another")


def test_layers_that_the_model_does_not_have_or_that_are_missing_are_refused(tmp_path):
    third = {name.replace("layers.1", "layers.2"): values for name, values in usual().items()}
    refuse(write(tmp_path, {**usual(), **third}), r"layers\.2.* does not belong")
    first = {name: values for name, values in usual().items() if "layers.0" in name}
    refuse(write(tmp_path, first), r"layers\.1.* is missing")


@pytest.mark.parametrize("content", [b"", b"\x80\x02.", bytes(8), pickle.dumps({})])
def test_weights_that_are_none_are_damaged(tmp_path, content):
    (tmp_path / WEIGHTS).write_bytes(content)
    refuse(tmp_path, "missing or damaged")


def test_no_weights_are_missing(tmp_path):
    refuse(tmp_path, "missing or damaged")


@pytest.fixture(scope="module")
def made(tiny_model, tmp_path_factory):
    """An adapter as PEFT writes it, and the shape of its model."""
    folder = make_adapter(tmp_path_factory.mktemp("adapters") / "warm", tiny_model)
    return folder, LlamaShape.from_config(json.loads((tiny_model / "config.json").read_text()))


def test_what_peft_writes_is_accepted(made):
    check_new_adapter(*made)
    check_new_adapter(made[0], None)
    check_adapter_folder(made[0])


@pytest.fixture
def copy(made, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in made[0].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_a_new_adapter_for_another_model_is_refused_in_one_sentence(copy):
    with pytest.raises(AdapterUnusable, match=r"^The adapter copy cannot be used: .*\. The model works without it\.$"):
        check_new_adapter(copy, SHAPE)


@pytest.mark.parametrize("name", ["adapter_model.bin", "training_args.bin", "helper.py"])
def test_a_new_adapter_with_a_pickle_or_code_is_refused(made, copy, name):
    (copy / name).write_bytes(pickle.dumps({}))
    with pytest.raises(AdapterUnusable, match=name):
        check_new_adapter(copy, made[1])


def test_a_new_adapter_whose_weights_are_a_pickle_is_refused_as_one(made, copy):
    (copy / WEIGHTS).write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(AdapterUnusable, match="pickled or packed file under another name"):
        check_new_adapter(copy, made[1])


def test_a_new_adapter_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(AdapterUnusable, match="no adapter folder"):
        check_new_adapter(tmp_path / "nothing", None)
