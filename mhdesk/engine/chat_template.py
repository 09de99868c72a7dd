"""A model's chat template: a program by whoever made the model, run as one that nobody has looked at.

It renders what transformers renders, but walks the template's syntax tree itself (`mhdesk.engine.template`) with an
allow-list and a budget, since Jinja as such can be made to hang, to fill the memory, and at times to run Python.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from jinja2 import TemplateError

from mhdesk.core.errors import ModelUnusable
from mhdesk.engine.template.interpreter import Interpreter
from mhdesk.engine.template.reading import check_key, items_of
from mhdesk.engine.template.source import parse
from mhdesk.engine.template.values import Function, Namespace, Value
from mhdesk.engine.template.work import Refused, Work

PINNED_DATE = "26 Jul 2024"
"""Llama-3.2's template inserts today's date unless it is given one; a date that moves would change every prefix."""

_PINNED_DAY = date(2024, 7, 26)

_DATE_FORMAT = re.compile(r"(?:[^%]|%-?[a-zA-Z%]){0,100}")

_STEPS = 300_000
_STEPS_A_MESSAGE = 3_000
_CHARACTERS_A_STEP = 2
"""The heaviest templates of well-known models take some hundred steps a message, and as many more as its text is long
if they search it; a step is about a microsecond."""

_CHARACTERS = 200_000
_TIMES_WHAT_WAS_SAID = 4

_LONGEST_RANGE = 100_000
"""Jinja's own limit."""


class BadChatTemplate(ModelUnusable):
    """The model's chat template is not one, or does what it may not do. The sentence never holds what was said."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The model cannot be used: its chat template {reason}. Please choose another model.")


class ChatTemplate:
    """Attribute `sha256`: of the template's text in UTF-8, as written on adapter cards."""

    def __init__(self, text: str, special_tokens: Mapping[str, str] = MappingProxyType({})) -> None:
        """`special_tokens` are variables of the template: `bos_token`, `eos_token` and their like.

        Raises:
            BadChatTemplate: it is too long, cannot be read, or uses what is not on the allow-list.
        """
        try:
            self._tree = parse(text)
        except Refused as error:
            raise BadChatTemplate(str(error)) from error
        self.sha256 = hashlib.sha256(text.encode()).hexdigest()
        self._special_tokens = dict(special_tokens)

    def render(self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool) -> str:
        """The conversation as text; with `add_generation_prompt` it ends where the model's words begin.

        Raises:
            BadChatTemplate: it costs too much, grows too long, or the template does not take this conversation.
        """
        variables = {
            **_FUNCTIONS,
            **self._special_tokens,
            "date_string": PINNED_DATE,
            "tools": None,
            "documents": None,
            "messages": [dict(message) for message in messages],
            "add_generation_prompt": add_generation_prompt,
        }
        said = sum(len(text) for message in messages for text in message.values())
        work = Work(_STEPS + _STEPS_A_MESSAGE * len(messages) + said // _CHARACTERS_A_STEP)
        try:
            return Interpreter(work).render(self._tree, variables, _CHARACTERS + _TIMES_WHAT_WAS_SAID * said)
        except Refused as error:
            raise BadChatTemplate(str(error)) from error
        except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
            raise BadChatTemplate("fails on this conversation") from error


def _range(work: Work, /, *bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > _LONGEST_RANGE:
        raise Refused("counts further than a conversation needs")
    return numbers


def _dict(work: Work, pairs: Value = (), /, **named: Value) -> dict[str, Value]:
    made = {}
    for key, value in items_of(work, pairs.items() if isinstance(pairs, dict) else pairs):
        check_key(key)
        made[key] = value
    return {**made, **named}


def _namespace(work: Work, pairs: Value = (), /, **named: Value) -> Namespace:
    return Namespace(_dict(work, pairs, **named))


def _raise_exception(work: Work, message: Value, /) -> Value:
    raise Refused("does not take a conversation of this form")  # what it says might quote the conversation


def _date(work: Work, pattern: str, /) -> str:
    if not _DATE_FORMAT.fullmatch(pattern):
        raise Refused("asks for the date in a way that is not allowed")
    return _PINNED_DAY.strftime(pattern)


_FUNCTIONS = {
    "range": Function(_range),
    "dict": Function(_dict),
    "namespace": Function(_namespace),
    "raise_exception": Function(_raise_exception),
    "strftime_now": Function(_date),
}
