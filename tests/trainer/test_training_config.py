from pathlib import Path

import pytest

from trainer.config import TrainingConfig, load_config
from trainer.errors import BadConfiguration

CONFIGS = Path(__file__).resolve().parents[2] / "trainer" / "configs"
GOOD = "name: a\nmodel: m\ndialogues: [d.jsonl]\noutput: out\n"


def load(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_configuration_can_be_read(path):
    assert isinstance(load_config(path), TrainingConfig)


def test_defaults_stand_for_what_is_not_said(tmp_path):
    config = load(tmp_path, GOOD + "learning_rate: 1.0e-3\nepochs: 2\n")
    assert (config.learning_rate, config.epochs, config.batch_size) == (0.001, 2, 4)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (GOOD + "lerning_rate: 1\n", "lerning_rate"),
        ("name: a\n", "model"),
        (GOOD + "epochs: 0\n", "epochs"),
        (GOOD + "epochs: three\n", "epochs"),
        (GOOD + "epochs: true\n", "epochs"),
        (GOOD + "learning_rate: 5\n", "learning_rate"),
        (GOOD + "base: int4\n", "base"),
        (GOOD.replace("[d.jsonl]", "d.jsonl"), "dialogues"),
        (GOOD.replace("[d.jsonl]", "[]"), "dialogues"),
        ("- a list\n", "keys"),
        ("a: [unclosed", "YAML"),
    ],
)
def test_what_is_wrong_is_named_in_the_sentence(tmp_path, text, named):
    with pytest.raises(BadConfiguration, match=named):
        load(tmp_path, text)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(BadConfiguration, match="cannot be read"):
        load_config(tmp_path / "nothing.yaml")
