import contextlib
import json
from pathlib import Path

import pytest
from peft import LoraConfig

from mhdesk.library.adapter_configuration import BadAdapter, LoraConfiguration, read_configuration

STARTER = Path(__file__).resolve().parents[2] / "resources" / "adapters" / "starter"


@pytest.fixture
def folder(tmp_path):
    """A folder with the configuration that PEFT writes."""
    LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "up_proj"], task_type="CAUSAL_LM").save_pretrained(
        tmp_path
    )
    return tmp_path


def edit(folder, **changes):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def refuse(folder, reason):
    with pytest.raises(BadAdapter, match=reason):
        read_configuration(folder)


def test_what_peft_writes_is_accepted(folder):
    read = read_configuration(folder)
    assert read.rank == 8
    assert sorted(read.targets) == ["q_proj", "up_proj"]


def test_the_starter_adapters_is_accepted():
    assert read_configuration(STARTER).rank == 8


def test_the_keys_that_plain_lora_needs_are_enough(tmp_path):
    (tmp_path / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "target_modules": ["q_proj"]}'
    )
    assert read_configuration(tmp_path) == LoraConfiguration(4, ("q_proj",))


@pytest.mark.parametrize(
    "change",
    [
        {"use_rslora": True},
        {"init_lora_weights": "gaussian"},
        {"init_lora_weights": False},
        {"lora_dropout": 0},
        {"lora_dropout": 1.0},
        {"lora_alpha": 0.5},
        {"lora_alpha": 10_000},
        {"exclude_modules": []},
        {"modules_to_save": []},
        {"loftq_config": None},
        {"base_model_name_or_path": None},
        {"inference_mode": False},
    ],
)
def test_what_changes_nothing_else_is_accepted(folder, change):
    edit(folder, **change)
    read_configuration(folder)


ODD = [
    {},
    [],
    [[]],
    {"a": {}},
    {"a": [1]},
    "x",
    1,
    0,
    0.5,
    True,
    False,
    float("nan"),
    float("inf"),
    10**400,
    ["lm_head"],
]
KEYS = list(json.loads((STARTER / "adapter_config.json").read_text()))


@pytest.mark.parametrize("key", KEYS)
def test_no_value_of_any_key_raises_anything_else(folder, key):
    original = (folder / "adapter_config.json").read_text()
    for value in [*ODD, None]:
        edit(folder, **{key: value})
        with contextlib.suppress(BadAdapter):
            read_configuration(folder)
        (folder / "adapter_config.json").write_text(original)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (
            "init_lora_weights",
            ["pissa", "pissa_niter_4", "olora", "corda", "eva", "loftq", "mica", "lora_ga", 1, 0, []],
        ),
        ("modules_to_save", [{}, ["lm_head"], "lm_head", False, 0]),
        ("use_dora", [True, 0, 1, "no"]),
        ("use_rslora", [1, "yes", {}]),
        ("use_qalora", [True]),
        ("use_bdlora", [True, {}, {"a": 1}]),
        ("alora_invocation_tokens", [[1], []]),
        ("exclude_modules", [["q_proj"], "q_proj"]),
        ("fan_in_fan_out", [True, 0]),
        ("layers_pattern", ["layers", ["h"]]),
        ("layers_to_transform", [0, [0], []]),
        ("loftq_config", [{"loftq_bits": 4}]),
        ("kasa_config", [{}, {"beta": 1}]),
        ("monteclora_config", [{}]),
        ("arrow_config", [{}]),
        ("corda_config", [{}]),
        ("eva_config", [{}]),
        ("lora_ga_config", [{}]),
        ("velora_config", [{}]),
        ("megatron_config", [{}, {"a": 1}]),
        ("megatron_core", ["os", ""]),
        ("rank_pattern", [{"q_proj": 4}, None]),
        ("alpha_pattern", [{"q_proj": 4}, None]),
        ("auto_mapping", [{"parent_library": "os"}]),
        ("trainable_token_indices", [[1]]),
        ("target_parameters", [["a"]]),
        ("layer_replication", [[[0, 1]]]),
        ("lora_bias", [True]),
        ("bias", ["all", None]),
        ("ensure_weight_tying", [True]),
        ("peft_type", ["IA3", None, ["LORA"]]),
        ("task_type", ["SEQ_CLS", None]),
        ("r", [0, -1, 257, "8", True, 8.0, None]),
        ("lora_alpha", [0, -1, 10_001, float("nan"), float("inf"), "16", True, None]),
        ("lora_dropout", [-0.1, 1.1, float("nan"), "0", None]),
        ("qalora_group_size", [0, "16", None]),
        ("base_model_name_or_path", [1, "x" * 501]),
        ("peft_version", [{}]),
    ],
)
def test_what_asks_for_more_than_a_plain_lora_is_refused_by_its_key(folder, key, values):
    for value in values:
        edit(folder, **{key: value})
        refuse(folder, "rank" if key == "r" else key)


@pytest.mark.parametrize(
    "targets", [None, [], "all-linear", ["embed_tokens"], ["q_proj", 1], [["q_proj"]], {"q_proj": 1}]
)
def test_targets_that_are_no_linears_are_refused(folder, targets):
    edit(folder, target_modules=targets)
    refuse(folder, "parts of the model that MHDesk does not know")


def test_a_target_named_twice_is_refused(folder):
    edit(folder, target_modules=["q_proj", "q_proj"])
    refuse(folder, "twice")


def test_an_unknown_key_is_refused_by_name(folder):
    edit(folder, runtime_config={})
    refuse(folder, "unknown key 'runtime_config'")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"r": 8, "r": 9}'])
def test_a_damaged_configuration_is_named(folder, content):
    (folder / "adapter_config.json").write_text(content)
    refuse(folder, r"adapter_config\.json")
