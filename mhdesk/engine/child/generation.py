"""Our own generation loop: reads the prompt in chunks, draws tokens one by one, can be stopped between any two."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from tokenizers.decoders import DecodeStream
from transformers import (
    LogitsProcessorList,
    PreTrainedModel,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from mhdesk.core.sampling import Sampling
from mhdesk.engine.child.backend import UNNUMBERED
from mhdesk.engine.child.prefix_cache import PrefixCache
from mhdesk.engine.protocol import Ended, Progress, Token
from mhdesk.library.admission import PREFILL_CHUNK


class TokenSampler:
    """Draws the next token from logits with transformers' own warpers and a seeded generator."""

    def __init__(self, sampling: Sampling) -> None:
        self._greedy = sampling.temperature == 0
        self._generator = torch.Generator()
        if sampling.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(sampling.seed)
        self._processors = LogitsProcessorList()
        if sampling.repetition_penalty > 1:
            self._processors.append(RepetitionPenaltyLogitsProcessor(float(sampling.repetition_penalty)))
        if not self._greedy:
            self._processors.append(TemperatureLogitsWarper(float(sampling.temperature)))
            if sampling.top_k:
                self._processors.append(TopKLogitsWarper(sampling.top_k))
            if sampling.top_p < 1:
                self._processors.append(TopPLogitsWarper(float(sampling.top_p)))

    def draw(self, logits: torch.Tensor, reply: Sequence[int], forbidden: Iterable[int] = ()) -> int:
        """`logits` is [vocabulary]; `reply` the tokens drawn so far, to which the repetition penalty applies."""
        scores = logits.float().cpu().unsqueeze(0)
        scores[:, list(forbidden)] = -torch.inf
        scores = self._processors(torch.tensor([list(reply)], dtype=torch.long), scores)
        if self._greedy:
            return int(scores.argmax())
        return int(torch.multinomial(scores.softmax(-1)[0], 1, generator=self._generator))


def generate(
    model: PreTrainedModel,
    decoder: Callable[[DecodeStream, int], str | None],
    prefix: PrefixCache,
    prompt: Sequence[int],
    sampling: Sampling,
    end_tokens: frozenset[int],
    should_stop: Callable[[], bool],
) -> Iterator[Progress | Token | Ended]:
    """Continue `prompt` until an end token, `sampling.max_new_tokens`, or `should_stop`.

    `prefix` must hold the beginning of `prompt` and ends holding prompt and reply. `decoder` takes one step of a
    `DecodeStream`, which holds back incomplete characters.
    """
    began = time.monotonic()
    unread = list(prompt[len(prefix.token_ids) :])
    to_read = len(unread)
    logits: torch.Tensor | None = None
    while unread:
        if should_stop():
            yield Ended(UNNUMBERED, True, 0, time.monotonic() - began, 0.0)
            return
        chunk, unread = unread[:PREFILL_CHUNK], unread[PREFILL_CHUNK:]
        logits = _read(model, prefix, chunk)
        yield Progress(UNNUMBERED, "Reading the conversation…", 1 - len(unread) / to_read)
    prefilled = time.monotonic()
    sampler = TokenSampler(sampling)
    stream = DecodeStream(skip_special_tokens=True)
    reply: list[int] = []
    stopped = False
    while logits is not None and len(reply) < sampling.max_new_tokens:
        if stopped := should_stop():
            break
        token = sampler.draw(logits, reply, end_tokens if len(reply) < sampling.min_new_tokens else ())
        if token in end_tokens:
            break
        reply.append(token)
        text = decoder(stream, token)
        if text:
            yield Token(UNNUMBERED, text)
        if len(reply) < sampling.max_new_tokens:
            logits = _read(model, prefix, [token])
    yield Ended(UNNUMBERED, stopped, len(reply), prefilled - began, time.monotonic() - prefilled)


@torch.inference_mode()
def _read(model: PreTrainedModel, prefix: PrefixCache, token_ids: Sequence[int]) -> torch.Tensor:
    """Run `token_ids` through the model onto the cache; gives the logits [vocabulary] after the last one."""
    output = model(
        input_ids=torch.tensor([list(token_ids)], device=model.device),
        past_key_values=prefix.cache,
        use_cache=True,
        logits_to_keep=1,
    )
    prefix.extend(token_ids)
    logits: torch.Tensor = output.logits[0, -1]
    return logits
