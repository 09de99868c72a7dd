import json
import shutil
from pathlib import Path

import pytest

from mhdesk.core.errors import AdapterUnusable
from mhdesk.library.adapter_folder import check_adapter_folder, read_card

STARTER = Path(__file__).resolve().parents[2] / "resources" / "adapters" / "starter"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(STARTER, tmp_path / "warm")


def test_the_starter_adapter_is_accepted_and_its_card_read(folder):
    check_adapter_folder(folder)
    assert read_card(folder).base_id == "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.mark.parametrize(
    "change",
    [
        {"base_id": 5},
        {"base_id": "line\nline"},
        {"base_id": "\x1b[2J"},
        {"base_id": "x" * 201},
        {"created": None},
        {"base_sha256": "g" * 64},
        {"adapter_sha256": "0" * 63},
        {"template_sha256": ["0" * 64]},
        {"data": {}},
        {"data": ["a"]},
        {"evaluation": "good"},
        {"evaluation": []},
        {"more": 1},
    ],
)
def test_a_card_that_says_something_else_than_it_should_is_damaged(folder, change):
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, **change}))
    with pytest.raises(AdapterUnusable, match=r"card\.json is (missing or )?damaged"):
        read_card(folder)


def test_a_configuration_or_weights_that_cannot_be_read_are_named(folder):
    (folder / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(AdapterUnusable, match=r"its weights, adapter_model\.safetensors, are missing or damaged"):
        check_adapter_folder(folder)
    (folder / "adapter_config.json").unlink()
    with pytest.raises(AdapterUnusable, match=r"adapter_config\.json is missing"):
        check_adapter_folder(folder)
