"""The command `export`: base and adapter as one full-precision model, checked against the pair before it is kept.

An adapter is never merged into 8-bit weights, which would round it away: the base is dequantised first, each value to
the very number that its 8 bits stand for.
"""

from __future__ import annotations

import gc
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from mhdesk.core.errors import ModelUnusable
from mhdesk.engine.child.adapter import load_adapter
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.int8_linear import choose_kernel, speed_up
from mhdesk.engine.prompt import PromptRenderer
from mhdesk.library.adapter_configuration import CONFIGURATION
from mhdesk.library.adapter_tensors import WEIGHTS
from mhdesk.library.admission import LIBRARIES_BYTES
from mhdesk.library.memory_available import memory_available
from mhdesk.library.model_folder import read_manifest
from mhdesk.library.model_source import LICENCE_FILES
from trainer.base_model import base_folder
from trainer.measuring.answers import Pair
from trainer.measuring.logits import Distance, distance, last_logits, prompts
from trainer.measuring.refusals import ExportRefused
from trainer.pipeline_config import PipelineConfig
from trainer.settings.publish import MergedSettings
from trainer.stage import Counts, Job, make_artefact

_MOST_FROM_APP = 0.25
"""Mean difference to the pair as the app runs it, which computes in bfloat16 and may round its inputs to 8 bits as
well: 0.08 was measured of the starter model so, 0.02 without the latter. Weights put back wrongly give about 1."""
_SHARD = "2GB"


def run(config: PipelineConfig, job: Job) -> Path:
    """Merge the adapter that `train` made into the base; returns a folder that `models add` takes.

    Raises:
        BadRows: the adapter is missing.
        BadConfiguration, ShelfError: the base model is missing or cannot be used.
        ExportRefused: the merged weights do not answer as base plus adapter do, or memory is too short.
    """
    adapter = job.needed("train", WEIGHTS).parent
    pair = Pair(base_folder(config.model, job.folder), adapter)
    manifest = read_manifest(pair.model)
    merged = config.publish.merged
    needed = LIBRARIES_BYTES + 5 * manifest.parameters  # 8 bits and, one layer after the other, 32
    if needed > memory_available():
        raise ExportRefused(
            f"Merging needs about {needed / 2**30:.1f} GiB of memory and {memory_available() / 2**30:.1f} GiB are "
            "there. Please close other programs or use a larger machine."
        )
    settings = {"merged": asdict(merged), "base_sha256": manifest.weights_sha256, "kernel": choose_kernel()}
    inputs = [adapter / WEIGHTS, adapter / CONFIGURATION]
    return make_artefact(job, "export", inputs, settings, lambda folder: _make(folder, pair, merged, job))


def _make(folder: Path, pair: Pair, settings: MergedSettings, job: Job) -> Counts:
    job.tell("export: reading the pair as the app runs it")
    as_run = _logits_as_run(pair)
    job.tell("export: merging")
    reference = _merge(folder, pair, getattr(torch, settings.dtype))
    gc.collect()
    job.tell("export: reading what was written")
    written = _logits_of_folder(folder)
    to_pair, to_app = distance(reference, written), distance(reference, as_run)
    _check(to_pair, to_app, settings)
    for path in pair.model.iterdir():
        if LICENCE_FILES.fullmatch(path.name):
            shutil.copyfile(path, folder / path.name)
    job.tell(f"export: logits differ by at most {to_pair.largest:.2g} standard deviations from those of the pair")
    return {
        "merged_to_pair": to_pair.to_json(),
        "pair_to_app": to_app.to_json(),
        "most_difference": settings.most_difference,
    }


def _check(to_pair: Distance, to_app: Distance, settings: MergedSettings) -> None:
    if not to_pair.largest <= settings.most_difference:  # which a value that is no number is not either
        raise ExportRefused(
            f"The merged model's logits differ by up to {to_pair.largest:.3g} standard deviations from those of base "
            f"plus adapter, and {settings.most_difference:g} is allowed (publish.merged.most_difference). Nothing was "
            "exported."
        )
    if not to_app.mean <= _MOST_FROM_APP:
        raise ExportRefused(
            f"The base's full-precision weights do not answer as its 8 bits do (mean difference {to_app.mean:.3g} "
            "standard deviations). Nothing was exported; please verify the model with models verify."
        )


def _logits_as_run(pair: Pair) -> torch.Tensor:
    model, tokenizer = load_base(pair.model)
    speed_up(model, choose_kernel())
    return last_logits(load_adapter(model.eval(), pair.adapter), prompts(PromptRenderer(tokenizer)))


def _merge(folder: Path, pair: Pair, dtype: torch.dtype) -> torch.Tensor:
    """Write the merged model and its tokenizer; gives the logits of base beside adapter, computed in float32."""
    model, tokenizer = load_base(pair.model)
    full: PreTrainedModel = model.dequantize(dtype=torch.float32).float().eval()
    adapted = load_adapter(full, pair.adapter)
    logits = last_logits(adapted, prompts(PromptRenderer(tokenizer)))
    merged = adapted.merge_and_unload().to(dtype)
    # transformers has no way back to the 8-bit format that the weights were read from, and need not have one here.
    merged.save_pretrained(folder, max_shard_size=_SHARD, save_original_format=False)
    tokenizer.save_pretrained(folder)
    return logits


def _logits_of_folder(folder: Path) -> torch.Tensor:
    place: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **place)
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, dtype="auto", **place)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelUnusable("The merged model could not be read back. Nothing was exported.") from error
    return last_logits(model.eval(), prompts(PromptRenderer(tokenizer)))
