"""Base and adapter as one full-precision model."""

from dataclasses import replace

import pytest
import torch

from mhdesk.library.model_source import SourceKind, inspect_source
from tests.trainer.finished_run import make_run
from trainer.export import run
from trainer.measuring.logits import distance
from trainer.measuring.refusals import ExportRefused
from trainer.settings.publish import MergedSettings, PublishSettings
from trainer.stage import read_manifest


def exporting(config, **merged):
    return replace(config, publish=PublishSettings(merged=MergedSettings(**merged)))


def test_the_merged_model_answers_as_the_pair_does_and_the_manifest_says_how_nearly(tiny_model, tmp_path):
    config, job = make_run(tmp_path, tiny_model)
    folder = run(config, job)
    counts = read_manifest(folder)["counts"]
    assert 0 <= counts["merged_to_pair"]["largest"] < 1e-4
    assert counts["merged_to_pair"]["same_token"] == 1
    assert counts["pair_to_app"]["mean"] < 0.1
    assert counts["most_difference"] == 0.001


def test_it_is_a_full_precision_folder_that_the_app_can_import(tiny_model, tmp_path):
    config, job = make_run(tmp_path, tiny_model)
    source = inspect_source(run(config, job))
    assert source.kind is SourceKind.FULL_PRECISION
    assert {tensor.dtype for tensor in source.tensors.values()} == {"F32"}


def test_bfloat16_is_half_as_large_and_refused_at_the_tolerance_of_float32(tiny_model, tmp_path):
    config, job = make_run(tmp_path, tiny_model)
    with pytest.raises(ExportRefused, match="is allowed"):
        run(exporting(config, dtype="bfloat16"), job)
    assert not job.artefact("export").exists()
    source = inspect_source(run(exporting(config, dtype="bfloat16", most_difference=0.5), job))
    assert {tensor.dtype for tensor in source.tensors.values()} == {"BF16"}


def test_distance_is_told_in_standard_deviations_of_the_reference():
    reference = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
    found = distance(reference, reference + torch.tensor([[0.0, 0.0], [0.0, 3.0]]))
    assert found.largest == pytest.approx(3 / float(reference.std()))
    assert found.mean == pytest.approx(found.largest / 4)
    assert found.same_token == 0.5
