"""A writer that transformers loads: any causal language model with a chat template, in its own precision."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

from mhdesk.core.generation import GenerationRequest
from mhdesk.engine.prompt import PromptRenderer
from mhdesk.library.hashes import sha256_of_weights
from trainer.errors import BadConfiguration
from trainer.writing.writer import Written

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_WINDOW = 8192
"""Tokens that are read at most; more would only cost memory, since a row is far shorter."""


class TransformersWriter:
    """Runs on a GPU where there is one. Weights are read from safetensors only, and no code of the model's is run."""

    def __init__(self, model: str, folder: Path) -> None:
        """`model` is a folder relative to `folder`, or a hub id.

        Raises:
            BadConfiguration: it is neither.
        """
        place = folder / model
        self._is_folder = place.is_dir()
        if not self._is_folder and not _HUB_ID.fullmatch(model):
            raise BadConfiguration(f"augment.model {model} is neither a folder nor a hub id such as owner/name.")
        self._source = str(place) if self._is_folder else model
        self.made_by = place.resolve().name if self._is_folder else model
        self.identity = {"writer": "transformers", "model": self.made_by}
        if self._is_folder:
            self.identity["weights_sha256"] = sha256_of_weights(place)
        self._loaded: tuple[Any, Any, PromptRenderer] | None = None

    def write(self, request: GenerationRequest) -> Written:
        """One text; the same on the same machine and versions.

        Raises:
            BadConfiguration: the model cannot be loaded.
            BadChatTemplate: it has no chat template that can be used.
        """
        if self._loaded is None:
            self._loaded = self._load()
        model, tokenizer, renderer = self._loaded
        sampling = request.sampling
        window = min(getattr(model.config, "max_position_embeddings", None) or _WINDOW, _WINDOW)
        budget = window - sampling.max_new_tokens
        if budget <= 0:
            raise BadConfiguration(f"augment.most_new_tokens leaves no room in this model's window of {window} tokens.")
        prompt = torch.tensor([renderer.fit(request.messages, budget).token_ids], device=model.device)
        torch.manual_seed(sampling.seed or 0)
        # No repetition penalty, unlike in the app: here it would also count the words of the prompt.
        output = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=True,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            max_new_tokens=sampling.max_new_tokens,
            pad_token_id=tokenizer.eos_token_id,
        )
        written = output[0, prompt.shape[1] :].tolist()
        text = tokenizer.decode(written, skip_special_tokens=True)
        return Written(text, whole=len(written) < sampling.max_new_tokens)

    def close(self) -> None:
        """Let go of the model."""
        self._loaded = None

    def _load(self) -> tuple[Any, Any, PromptRenderer]:
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        place: dict[str, Any] = {"local_files_only": self._is_folder, "trust_remote_code": False}
        device = {"": 0} if torch.cuda.is_available() else "cpu"
        try:
            tokenizer = AutoTokenizer.from_pretrained(self._source, **place)
            model = AutoModelForCausalLM.from_pretrained(
                self._source, use_safetensors=True, dtype="auto", device_map=device, **place
            )
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            raise BadConfiguration(
                f"The model {self.made_by} of augment.model cannot be loaded ({type(error).__name__}). "
                "Please check that it is a language model with safetensors weights."
            ) from None
        return model.eval(), tokenizer, PromptRenderer(tokenizer)
