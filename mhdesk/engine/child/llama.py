"""The backend with a model: a Llama in 8 bits by bitsandbytes, an adapter by PEFT, both from safetensors only."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
import transformers
from peft import PeftModel
from tokenizers.decoders import DecodeStream
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from mhdesk.core.errors import AdapterUnusable, EngineError, ModelUnusable
from mhdesk.core.messages import Message
from mhdesk.core.paths import PROGRAM
from mhdesk.core.sampling import Sampling
from mhdesk.engine.child.backend import LoadedModel, PromptReady, Say, Step
from mhdesk.engine.child.generation import generate
from mhdesk.engine.child.int8_linear import choose_kernel, speed_up
from mhdesk.engine.child.memory import memory_of_this_process
from mhdesk.engine.child.prefix_cache import PrefixCache
from mhdesk.engine.prompt import PromptRenderer, PromptTooLong
from mhdesk.library.adapter_folder import check_adapter_folder
from mhdesk.library.admission import CONTEXT_TOKENS, refusal
from mhdesk.library.model_folder import check_model_folder, read_manifest

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
warnings.filterwarnings("ignore", message="MatMul8bitLt")
warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing")  # peft asks transformers by the old name


class LlamaBackend:
    """See `backend.Backend`."""

    name = "llama"

    def __init__(self) -> None:
        self.kernel = choose_kernel()
        self.cpu = torch.backends.cpu.get_cpu_capability()
        self._model: PreTrainedModel | None = None

    def load(self, model: Path, adapter: Path | None, threads: int | None, say: Say) -> LoadedModel:
        """Load the folders, which are checked first."""
        began = time.monotonic()
        self._model = None
        say("Checking the model…", 0.05)
        check_model_folder(model)
        too_large = refusal(model, read_manifest(model).weights_bytes, memory_of_this_process().rss_bytes)
        if too_large:
            raise ModelUnusable(too_large)
        torch.set_num_threads(threads or psutil.cpu_count(logical=False) or os.cpu_count() or 1)
        say("Loading the model…", 0.2)
        self._model, self._tokenizer = load_base(model)
        speed_up(self._model, self.kernel)
        if adapter is not None:
            say("Loading the adapter…", 0.8)
            try:
                check_adapter_folder(adapter)
                self._model = load_adapter(self._model, adapter)
            except AdapterUnusable as error:  # the model is useful without it; PEFT may have wrapped half of it
                say(error.sentence, None)
                adapter = None
                self._model, self._tokenizer = load_base(model)
                speed_up(self._model, self.kernel)
        self._model.eval()
        self._renderer = PromptRenderer(self._tokenizer)
        self._end_tokens = _end_tokens(self._model, self._tokenizer)
        self._context = min(CONTEXT_TOKENS, int(self._model.config.max_position_embeddings))
        self._prefix = PrefixCache(self._model)
        return LoadedModel(
            model=model.name,
            adapter=adapter.name if adapter else None,
            context_tokens=self._context,
            template_sha256=self._renderer.template_sha256,
            kernel=self.kernel,
            threads=torch.get_num_threads(),
            load_s=time.monotonic() - began,
        )

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, should_stop: Callable[[], bool]
    ) -> Iterator[Step]:
        """Render, read what is new, and draw tokens."""
        if self._model is None:
            raise EngineError("No model is loaded yet. Please wait until the engine is ready.")
        try:
            fitted = self._renderer.fit(messages, self._context - sampling.max_new_tokens)
        except PromptTooLong:
            raise EngineError(
                f"The setting max_new_tokens ({sampling.max_new_tokens}) leaves no room in this model's window "
                f"of {self._context} tokens. Please choose a smaller number."
            ) from None
        reused = self._prefix.keep_common(fitted.token_ids)
        yield PromptReady(len(fitted.token_ids), fitted.first_kept_turn, self._renderer.template_sha256, reused)
        try:
            yield from generate(
                self._model, self._decode, self._prefix, fitted.token_ids, sampling, self._end_tokens, should_stop
            )
        except BaseException:
            self._prefix.forget()  # half a step may have reached the cache
            raise

    def job(self, name: str, arguments: dict[str, Any], say: Say) -> dict[str, Any]:
        """`import_gguf`: see `convert.import_gguf`."""
        if name != "import_gguf":
            raise EngineError(f"The engine knows no job called {name}.")
        from mhdesk.engine.child.convert import import_gguf

        return import_gguf(Path(arguments["source"]), Path(arguments["target"]), arguments["facts"], say)

    def _decode(self, stream: DecodeStream, token: int) -> str | None:
        return stream.step(self._tokenizer.backend_tokenizer, token)


def load_base(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load an 8-bit folder that `check_model_folder` has accepted, onto the GPU if there is one.

    Raises:
        ModelUnusable: the libraries would not have it.
    """
    place = {"": 0} if torch.cuda.is_available() else "cpu"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.bfloat16,
            device_map=place,
            attn_implementation="sdpa",
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise ModelUnusable(
            f"The model {folder.name} could not be loaded; its files may be damaged. Please run {PROGRAM} setup again."
        ) from error
    return model, tokenizer


def load_adapter(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Put the adapter in `folder` beside the weights of `model`; never merged into int8 weights, which would round.

    Raises:
        AdapterUnusable: PEFT would not have it.
    """
    try:
        adapted: PreTrainedModel = PeftModel.from_pretrained(
            model, str(folder), is_trainable=False, autocast_adapter_dtype=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise AdapterUnusable(
            f"The adapter {folder.name} does not fit this model or is damaged. The model works without it."
        ) from error
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:  # and nothing else: the scales of the 8-bit rows stay in float32
            parameter.data = parameter.data.to(model.dtype)
    return adapted


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    configured = model.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*listed, tokenizer.eos_token_id] if token is not None)
