"""Every configuration that is shipped, and the values that `train` and `search` refuse."""

import os
from pathlib import Path

import pytest

from trainer.config import load_config
from trainer.encoder import EncoderConfig
from trainer.errors import BadConfiguration
from trainer.learn_stage import SecondStageConfig
from trainer.pipeline_config import PipelineConfig
from trainer.precision import PrecisionConfig
from trainer.safety import SafetyConfig
from trainer.settings.search import SearchSettings
from trainer.settings.train import TrainSettings
from trainer.throughput import ThroughputConfig

CONFIGS = Path(__file__).resolve().parents[2] / "trainer" / "configs"
OTHERS = {
    "precision": PrecisionConfig,
    "safety": SafetyConfig,
    "screen": SecondStageConfig,
    "gate": SecondStageConfig,
    "screen-encoder": EncoderConfig,
    "gate-encoder": EncoderConfig,
    "throughput": ThroughputConfig,
}
OF_THE_PIPELINE = {"smoke", "starter", "colab-t4", "eight-gpus", "two-processes", "real-data"}
GOOD = "name: a\nmodel: m\nwork: w\nsources: {of: [{name: s, path: s.csv, form: answers, licence: MIT}]}\n"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_configuration_can_be_read(path):
    kind = OTHERS.get(path.stem, PipelineConfig)
    assert isinstance(load_config(path, kind), kind)
    assert path.stem in OTHERS.keys() | OF_THE_PIPELINE


def test_one_process_and_two_read_as_many_rows_a_step():
    one, two = (load_config(CONFIGS / f"{name}.yaml", PipelineConfig).train for name in ("starter", "two-processes"))
    assert one.batch_size * one.batches_a_step == two.batch_size * two.batches_a_step
    assert two.processes == 2


def test_no_shipped_configuration_writes_into_the_tree_but_under_build():
    for name in OF_THE_PIPELINE:
        work = load_config(CONFIGS / f"{name}.yaml", PipelineConfig).work
        assert work == "work" or os.path.normpath(CONFIGS / work).startswith(str(CONFIGS.parents[1] / "build"))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TrainSettings, {"base": "int4"}),
        (TrainSettings, {"rank": 0}),
        (TrainSettings, {"targets": ("embed_tokens",)}),
        (TrainSettings, {"learning_rate": 0.0}),
        (TrainSettings, {"schedule": "sawtooth"}),
        (TrainSettings, {"processes": 0}),
        (TrainSettings, {"epochs": 0}),
        (TrainSettings, {"max_tokens": 8}),
        (SearchSettings, {"trials": 0}),
        (SearchSettings, {"ranks": ()}),
        (SearchSettings, {"lowest_learning_rate": 0.1, "highest_learning_rate": 0.01}),
    ],
)
def test_what_makes_no_sense_is_named_in_the_sentence(kind, values):
    with pytest.raises(BadConfiguration, match=list(values)[-1]):
        kind(**values)


def test_an_unknown_key_of_a_section_is_named(tmp_path):
    (tmp_path / "run.yaml").write_text(GOOD + "train: {lerning_rate: 1}\n", encoding="utf-8")
    with pytest.raises(BadConfiguration, match=r"unknown key: train\.lerning_rate"):
        load_config(tmp_path / "run.yaml", PipelineConfig)


def test_a_seed_that_no_library_takes_is_named(tmp_path):
    (tmp_path / "run.yaml").write_text(GOOD + f"seed: {2**64}\n", encoding="utf-8")
    with pytest.raises(BadConfiguration, match="seed is outside what makes sense"):
        load_config(tmp_path / "run.yaml", PipelineConfig)
