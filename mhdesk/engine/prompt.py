"""The one renderer of prompts: app, trainer and evaluation share it, so that an adapter meets what it was trained on.

It needs nothing but a tokenizer with a chat template, and imports no model runtime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mhdesk.core.messages import Message, Role
from mhdesk.engine.chat_template import BadChatTemplate, ChatTemplate
from mhdesk.engine.control_tokens import ControlTokens

TURNS_DROPPED_AT_ONCE = 4
"""Old turns leave the window in groups, so that the part the prefix cache can reuse does not change at every turn."""

_SHORTENED = "\n[…]\n"


class ChatTokenizer(Protocol):
    """The part of a `transformers` tokenizer that is used here."""

    chat_template: Any
    eos_token_id: Any
    special_tokens_map: dict[str, str]
    added_tokens_decoder: dict[int, Any]

    def __call__(self, text: str, *, add_special_tokens: bool) -> Mapping[str, Any]:
        """Token ids of `text`, as `input_ids`."""
        ...


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """`token_ids` of what the model is given; user turns before `first_kept_turn` (counted from 0) are left out."""

    token_ids: list[int]
    first_kept_turn: int


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """`token_ids` and `is_target`, of equal length: true where the loss counts."""

    token_ids: list[int]
    is_target: list[bool]


class PromptTooLong(ValueError):
    """Not even the system prompt fits the window."""


class PromptRenderer:
    """Renders conversations with the tokenizer's own chat template.

    Only the template writes control tokens: where a message spells one (`<|im_end|>`), it stays a row of letters.

    Raises:
        BadChatTemplate: the tokenizer has no chat template, or one that is not to be run; `render` and what builds on
            it raise it where the template fails on a conversation or does too much.
    """

    def __init__(self, tokenizer: ChatTokenizer) -> None:
        self._tokenizer = tokenizer
        text = tokenizer.chat_template
        if not isinstance(text, str) or not text:
            raise BadChatTemplate("is missing")
        self._template = ChatTemplate(text, tokenizer.special_tokens_map)
        self.template_sha256 = self._template.sha256
        added = tokenizer.added_tokens_decoder.values()
        self._control_tokens = ControlTokens(
            [token.content for token in added if token.special or token.content in text], self._encode
        )

    def render(self, messages: Sequence[Message], *, reply_follows: bool) -> list[int]:
        """Token ids of `messages`; with `reply_follows` they end where the supporter's words begin."""
        texts = self._control_tokens.mark([message.text for message in messages])
        rendered = self._template.render(
            [{"role": message.role.value, "content": text} for message, text in zip(messages, texts, strict=True)],
            add_generation_prompt=reply_follows,
        )
        return self._control_tokens.encode(rendered)

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def fit(self, messages: Sequence[Message], budget: int) -> FittedPrompt:
        """The prompt for the next reply in at most `budget` tokens.

        The system prompt and the newest turns stay; the oldest turns leave in groups. If the newest message alone is
        too long, its middle is left out.

        Raises:
            PromptTooLong: the budget cannot even hold the system prompt.
        """
        system = [message for message in messages[:1] if message.role is Role.SYSTEM]
        spoken = list(messages[len(system) :])
        starts = [index for index, message in enumerate(spoken) if message.role is Role.USER]
        for turn in _window_starts(len(starts)):
            token_ids = self.render([*system, *spoken[starts[turn] :]], reply_follows=True)
            if len(token_ids) <= budget:
                return FittedPrompt(token_ids, turn)
        newest = spoken[starts[-1]].text
        room = budget - len(self.render([*system, Message(Role.USER, _SHORTENED)], reply_follows=True))
        if room <= 0:
            raise PromptTooLong(f"{budget} tokens cannot hold the system prompt")
        kept = min(len(newest), room * 4)
        while True:
            half = kept // 2
            shortened = Message(Role.USER, newest[:half] + _SHORTENED + newest[len(newest) - half :])
            token_ids = self.render([*system, shortened], reply_follows=True)
            if len(token_ids) <= budget:
                return FittedPrompt(token_ids, len(starts) - 1)
            kept = kept * 3 // 4

    def training_example(self, messages: Sequence[Message]) -> TrainingExample:
        """A conversation for training: the loss counts on the supporter's words and the token that ends them.

        Raises:
            ValueError: the template renders a longer conversation differently from its beginning.
        """
        token_ids = self.render(messages, reply_follows=False)
        is_target = [False] * len(token_ids)
        for index, message in enumerate(messages):
            if message.role is not Role.ASSISTANT:
                continue
            begin = self.render(messages[:index], reply_follows=True)
            end = self.render(messages[: index + 1], reply_follows=False)
            if token_ids[: len(begin)] != begin or token_ids[: len(end)] != end:
                raise ValueError("the chat template does not render a conversation's beginning as it stands")
            last = len(end)
            while last > len(begin) and token_ids[last - 1] != self._tokenizer.eos_token_id:
                last -= 1
            for position in range(len(begin), last):
                is_target[position] = True
        return TrainingExample(token_ids, is_target)


def _window_starts(turns: int) -> list[int]:
    """First turns to try, widest window first: multiples of the group size, then the newest turn alone."""
    grouped = list(range(0, turns, TURNS_DROPPED_AT_ONCE))
    rest = list(range(grouped[-1] + 1, turns)) if grouped else []
    return grouped + rest
