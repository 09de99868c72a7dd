"""Train a LoRA adapter on an 8-bit base: rendered dialogues in, PEFT's files and a card out.

An accelerate loop rather than TRL's SFTTrainer: rendering and masking are the app's own, and what remains of a trainer
is the twenty lines of `_fit`. It runs on one processor or GPU as it is, and on several under `accelerate launch`.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from peft import LoraConfig, get_peft_model
from transformers import get_cosine_schedule_with_warmup

from mhdesk.core.errors import ShelfError
from mhdesk.core.paths import UserPaths
from mhdesk.engine.child.adapter import load_adapter
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.int8_linear import choose_kernel, speed_up
from mhdesk.engine.prompt import PromptRenderer, TrainingExample
from mhdesk.library.adapter_folder import AdapterCard, check_adapter_folder, write_card
from mhdesk.library.hashes import sha256_of_file, sha256_of_weights
from mhdesk.library.model_folder import check_model_folder, read_manifest
from mhdesk.library.replace_folder import replace_folder
from trainer.config import TrainingConfig
from trainer.dialogues import read_dialogues, split_dialogues
from trainer.errors import BadConfiguration, TrainingStopped
from trainer.examples import batches, collate, render_dialogues
from trainer.perplexity import losses_by_dialogue, perplexity, share_of_resamples_better

log = logging.getLogger(__name__)


def train(config: TrainingConfig, folder: Path) -> Path:
    """Train, measure and write the adapter; paths in `config` are relative to `folder`. Returns the adapter's folder.

    Raises:
        BadInput: configuration or dialogues cannot be used.
        ShelfError: the base model cannot be used.
        TrainingStopped: the loss is no longer a number; nothing is written.
    """
    base = _base_folder(config, folder)
    manifest = read_manifest(base)
    paths = [folder / path for path in config.dialogues]
    training, held_out = split_dialogues(read_dialogues(paths), config.held_out_share)
    model, tokenizer = load_base(base)
    renderer = PromptRenderer(tokenizer)
    padding = int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id)
    examples = render_dialogues(training, renderer, config.max_tokens)
    unseen = render_dialogues(held_out, renderer, config.max_tokens)
    if config.base == "bf16":
        model = model.dequantize()
    else:
        speed_up(model, choose_kernel())
    began = time.monotonic()
    accelerator = Accelerator(gradient_accumulation_steps=config.gradient_accumulation)
    set_seed(config.seed)
    adapted = get_peft_model(
        model,
        LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=config.dropout,
            target_modules=list(config.targets),
            task_type="CAUSAL_LM",
        ),
    )
    curve = _fit(adapted, examples, padding, config, accelerator)
    unfinished = folder / f"{config.output}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    accelerator.unwrap_model(adapted).save_pretrained(unfinished, save_embedding_layers=False)
    (unfinished / "README.md").unlink(missing_ok=True)  # PEFT's empty template; the card says what is known
    _name_base(unfinished, manifest.id)
    check_adapter_folder(unfinished)
    evaluation = _evaluate(base, unfinished, unseen, padding)
    evaluation["training"] = {
        "dialogues": len(training),
        "tokens_learnt_from": sum(sum(example.is_target) for example in examples),
        "loss_curve": curve,
        "seconds": round(time.monotonic() - began, 1),
        "settings": {"rank": config.rank, "alpha": config.alpha, "learning_rate": config.learning_rate,
                     "epochs": config.epochs, "batch_size": config.batch_size, "base": config.base,
                     "gradient_accumulation": config.gradient_accumulation, "seed": config.seed},
    }  # fmt: skip
    card = AdapterCard(
        base_id=manifest.id,
        base_sha256=manifest.weights_sha256,
        template_sha256=renderer.template_sha256,
        adapter_sha256=sha256_of_weights(unfinished),
        data=[{"file": path.name, "sha256": sha256_of_file(path), "licence": "Apache-2.0"} for path in paths],
        evaluation=evaluation,
        created=datetime.now(UTC).strftime("%Y-%m-%d"),
    )
    write_card(unfinished, card)
    target = folder / config.output
    replace_folder(unfinished, target)
    return target


def _base_folder(config: TrainingConfig, folder: Path) -> Path:
    for candidate in (folder / config.model, UserPaths.from_environment().models / config.model):
        if candidate.is_dir():
            check_model_folder(candidate)
            return candidate
    raise BadConfiguration(
        f"The base model {config.model} is neither a folder nor installed. Please run python runApp.py setup first."
    )


def _fit(
    model: Any, examples: list[TrainingExample], padding: int, config: TrainingConfig, accelerator: Accelerator
) -> list[float]:
    """Train in place; returns the mean loss of every epoch."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=0.01)
    a_epoch = math.ceil(len(examples) / config.batch_size)
    steps = math.ceil(a_epoch / config.gradient_accumulation) * config.epochs
    schedule = get_cosine_schedule_with_warmup(optimizer, int(steps * config.warmup_share), steps)
    model, optimizer, schedule = accelerator.prepare(model, optimizer, schedule)
    model.train()
    curve: list[float] = []
    for epoch in range(config.epochs):
        total = 0.0
        for number, batch in enumerate(batches(examples, config.batch_size, config.seed + epoch), start=1):
            inputs = {name: tensor.to(accelerator.device) for name, tensor in collate(batch, padding).items()}
            with accelerator.accumulate(model):
                loss = model(**inputs).loss
                if not torch.isfinite(loss):
                    raise TrainingStopped(
                        "The loss is no longer a number. Please lower the learning rate; no adapter was written."
                    )
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            total += float(loss.detach())
            mean = total / number
            sys.stderr.write(f"\repoch {epoch + 1}/{config.epochs}  batch {number}/{a_epoch}  loss {mean:.3f}  ")
        sys.stderr.write("\n")
        curve.append(round(total / a_epoch, 4))
    return curve


def _evaluate(base: Path, adapter: Path, unseen: list[TrainingExample], padding: int) -> dict[str, Any]:
    """Base against base plus adapter on held-out dialogues, loaded as the app loads them."""
    model, _ = load_base(base)
    speed_up(model, choose_kernel())
    before = losses_by_dialogue(model.eval(), unseen, padding)
    adapted = load_adapter(model, adapter)
    after = losses_by_dialogue(adapted.eval(), unseen, padding)
    return {
        "held_out_perplexity_base": perplexity(before).to_json(),
        "held_out_perplexity_adapter": perplexity(after).to_json(),
        "share_of_resamples_better": share_of_resamples_better(before, after),
    }


def _name_base(folder: Path, base_id: str) -> None:
    """PEFT writes the path of the base on this machine; what belongs there is its name."""
    path = folder / "adapter_config.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ShelfError("PEFT wrote no usable adapter configuration.") from error
    values["base_model_name_or_path"] = base_id
    path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
