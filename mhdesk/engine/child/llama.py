"""The backend with a model: a Llama in 8 bits by bitsandbytes, an adapter by PEFT, both from safetensors only."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
from tokenizers.decoders import DecodeStream
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from mhdesk.core.errors import AdapterUnusable, EngineError
from mhdesk.core.messages import Message
from mhdesk.core.sampling import Sampling
from mhdesk.engine.child.adapter import load_adapter, remove_adapter
from mhdesk.engine.child.backend import UNNUMBERED, Say, Step
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.generation import generate
from mhdesk.engine.child.int8_linear import choose_kernel, speed_up
from mhdesk.engine.child.prefix_cache import PrefixCache
from mhdesk.engine.child.pressure import give_memory_back, memory_is_short, watched, window_for_now
from mhdesk.engine.prompt import PromptRenderer, PromptTooLong
from mhdesk.engine.protocol import Loaded, Started
from mhdesk.library.adapter_folder import check_adapter_folder
from mhdesk.library.adapter_tensors import WEIGHTS
from mhdesk.library.admission import CONTEXT_TOKENS, admitted_context
from mhdesk.library.alternatives import needs_of_others
from mhdesk.library.llama_shape import LlamaShape
from mhdesk.library.memory_available import memory_available, memory_held
from mhdesk.library.model_folder import check_model_folder, read_manifest

_NOT_READY = "No model is loaded yet. Please wait until the engine is ready."


class LlamaBackend:
    """See `backend.Backend`."""

    name = "llama"

    def __init__(self) -> None:
        self.kernel = choose_kernel()
        self.cpu = torch.backends.cpu.get_cpu_capability()
        self._base: PreTrainedModel | None = None

    def load(
        self, model: Path, adapter: Path | None, threads: int | None, say: Say, context_tokens: int | None = None
    ) -> Loaded:
        """Load the folders, which are checked first."""
        began = time.monotonic()
        self._base = None
        say("Checking the model…", 0.05)
        self._shape = check_model_folder(model)
        self._context = _admitted(model, self._shape, adapter, context_tokens)
        torch.set_num_threads(threads or psutil.cpu_count(logical=False) or os.cpu_count() or 1)
        say("Loading the model…", 0.2)
        base, self._tokenizer = load_base(model)
        speed_up(base, self.kernel)
        self._renderer = PromptRenderer(self._tokenizer)
        self._end_tokens = _end_tokens(base, self._tokenizer)
        self._name = model.name
        self._base = base.eval()
        warning = "" if context_tokens else _told_of_short_window(self._context, self._shape)
        try:
            self._put_beside(self._base, adapter, say)
        except AdapterUnusable as error:  # the model is useful without it
            adapter, warning = None, f"{error.sentence} {warning}".strip()
        return self._loaded(adapter, began, warning)

    def use_adapter(self, adapter: Path | None, say: Say) -> Loaded:
        """Change the adapter. One that is refused leaves the base without any."""
        began = time.monotonic()
        if self._base is None:
            raise EngineError(_NOT_READY)
        self._put_beside(self._base, adapter, say)
        return self._loaded(adapter, began)

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, should_stop: Callable[[], bool]
    ) -> Iterator[Step]:
        """Render, read what is new, and draw tokens."""
        if self._base is None:
            raise EngineError(_NOT_READY)
        window = self._window_now()
        try:
            fitted = self._renderer.fit(messages, window - sampling.max_new_tokens)
        except PromptTooLong:
            if window < self._context:
                raise MemoryError from None
            raise EngineError(
                f"The setting max_new_tokens ({sampling.max_new_tokens}) leaves no room in this model's window "
                f"of {self._context} tokens. Please choose a smaller number."
            ) from None
        reused = self._prefix.keep_common(fitted.token_ids)
        prompt_tokens = len(fitted.token_ids)
        yield Started(UNNUMBERED, prompt_tokens, fitted.first_kept_turn, self._renderer.template_sha256, reused)
        ask = watched(should_stop)
        try:
            yield from generate(
                self._model, self._decode, self._prefix, fitted.token_ids, sampling, self._end_tokens, ask
            )
        except BaseException:
            self._forget()  # half a step may have reached the cache
            raise

    def relieve(self) -> None:
        """Give the cache back if memory is short; the next reply reads the conversation again."""
        if self._base is not None and self._prefix.token_ids and memory_is_short():
            self._forget()

    def job(self, name: str, arguments: dict[str, Any], say: Say, should_stop: Callable[[], bool]) -> dict[str, Any]:
        """`import_model` and `random_model`: see the modules that are imported here when they are wanted."""
        target = Path(arguments["target"])
        if name == "import_model":
            from mhdesk.engine.child.convert import ManifestFacts, import_model

            facts = ManifestFacts(**arguments["facts"])
            known_id = arguments.get("known_id", "")
            return import_model(Path(arguments["source"]), target, facts, say, should_stop, known_id)
        if name == "random_model":
            from mhdesk.engine.child.random_model import make_random_model

            form, seed = arguments["form"], arguments["seed"]
            return make_random_model(arguments["config"], target, form, seed, say, should_stop)
        raise EngineError(f"The engine knows no job called {name}.")

    def _window_now(self) -> int:
        """The window in tokens that memory allows at this moment: less than was admitted when it has become short."""
        self.relieve()
        return window_for_now(self._shape, self._context, self._shape.cache_bytes(len(self._prefix.token_ids)))

    def _forget(self) -> None:
        self._prefix.forget()
        give_memory_back()

    def _put_beside(self, base: PreTrainedModel, adapter: Path | None, say: Say) -> None:
        """Leave `adapter`, or none, beside `base`; none if it is refused. What was read before is forgotten."""
        remove_adapter(base)
        self._model = base
        self._prefix = PrefixCache(base)
        if adapter is not None:
            say("Loading the adapter…", 0.8)
            check_adapter_folder(adapter)
            self._model = load_adapter(base, adapter)

    def _loaded(self, adapter: Path | None, began: float, warning: str = "") -> Loaded:
        return Loaded(
            UNNUMBERED,
            model=self._name,
            adapter=adapter.name if adapter else None,
            context_tokens=self._context,
            template_sha256=self._renderer.template_sha256,
            kernel=self.kernel,
            threads=torch.get_num_threads(),
            load_s=time.monotonic() - began,
            warning=warning,
        )

    def _decode(self, stream: DecodeStream, token: int) -> str | None:
        return stream.step(self._tokenizer.backend_tokenizer, token)


def _told_of_short_window(window: int, shape: LlamaShape) -> str:
    if window >= min(CONTEXT_TOKENS, shape.max_positions):
        return ""
    return "Memory is tight, so the model reads less of a long conversation at once."


def _admitted(model: Path, shape: LlamaShape, adapter: Path | None, wanted: int | None) -> int:
    """The window in tokens that there is memory for; what this process holds already counts as there.

    Raises:
        ModelUnusable: the model is too large for now.
    """
    return admitted_context(
        model.name,
        shape,
        read_manifest(model).weights_bytes,
        memory_available() + memory_held(),
        adapter_bytes=(adapter / WEIGHTS).stat().st_size if adapter and (adapter / WEIGHTS).exists() else 0,
        wanted=wanted,
        others=needs_of_others(model.parent),
    )


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    configured = model.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*listed, tokenizer.eos_token_id] if token is not None)
