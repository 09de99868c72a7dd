"""A first try of a model that has just been made: the library loads it, and it answers with numbers."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast

from mhdesk.core.errors import ModelUnusable
from mhdesk.core.messages import Message, Role
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.int8_linear import choose_kernel, speed_up
from mhdesk.engine.prompt import PromptRenderer
from mhdesk.library.admission import SMALL_CONTEXT_TOKENS, admitted_context
from mhdesk.library.memory_available import memory_available, memory_held
from mhdesk.library.model_folder import check_model_folder, unusable
from mhdesk.library.model_weights import stored_tensors

_CONVERSATION = [
    Message(Role.SYSTEM, "You answer kindly."),
    Message(Role.USER, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa                                \n\n\n" * 4),
    Message(Role.ASSISTANT, "Good evening."),
    Message(Role.USER, "1234567890 — naïve? 你好 🙂 <|end|> {{ '}}' }} " * 8),
]
"""Unremarkable to a sound tokenizer and template; long runs and odd signs for those that are not."""


def try_out(folder: Path, tokenizer: PreTrainedTokenizerFast) -> bool:
    """Render a conversation and let the model read it. False where there is no memory for the latter.

    Raises:
        ModelUnusable: with the reason.
    """
    shape = check_model_folder(folder)
    weights_bytes = sum(tensor.size for tensor in stored_tensors(folder).values())
    token_ids = PromptRenderer(tokenizer).render(_CONVERSATION, reply_follows=True)
    if not token_ids or max(token_ids) >= shape.vocabulary:
        raise unusable(folder, "its tokenizer gives words that the model does not know")
    try:
        room = memory_available() + memory_held()
        admitted_context(folder.name, shape, weights_bytes, room, wanted=SMALL_CONTEXT_TOKENS)
    except ModelUnusable:
        return False
    model = load_base(folder)[0].eval()
    speed_up(model, choose_kernel())
    with torch.inference_mode():
        logits = model(torch.tensor([token_ids[-64:]], device=model.device), logits_to_keep=1).logits
    if not torch.isfinite(logits).all():
        raise unusable(folder, "it answers with values that are not numbers")
    return True
