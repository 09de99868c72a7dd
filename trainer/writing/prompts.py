"""What a writer is asked, in a form that any chat template takes: only person and supporter in turns.

The prompts are the trainer's own and stand beside this module, since the app never uses them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.core.system_prompts import system_prompt

PROMPTS = Path(__file__).resolve().parent / "prompts.json"


def ask_paraphrase(text: str) -> tuple[Message, ...]:
    """For the person's message in other words; two examples come first, since small models do what they are shown."""
    prompts = _prompts()["paraphrase"]
    shown = [turn for pair in prompts["examples"] for turn in _asked_and_answered(prompts["ask"], *pair)]
    return (*shown, Message(Role.USER, f"{prompts['ask']}\n\n{text}"))


def ask_next_turn(turns: Sequence[Message]) -> tuple[Message, ...]:
    """For what the person says next. The sides are exchanged, so that the writer speaks for the person."""
    exchanged = {Role.USER: Role.ASSISTANT, Role.ASSISTANT: Role.USER}
    opening = Message(Role.USER, _prompts()["follow-up"]["open"])
    return (opening, *(Message(exchanged[turn.role], turn.text) for turn in turns))


def ask_reply(turns: Sequence[Message], level: Level, language: str) -> tuple[Message, ...]:
    """For the supporter's reply to the last turn: as the app asks, so that the row reads like what it is for."""
    return (system_prompt(level, language), *turns)


def _asked_and_answered(ask: str, text: str, paraphrase: str) -> list[Message]:
    return [Message(Role.USER, f"{ask}\n\n{text}"), Message(Role.ASSISTANT, paraphrase)]


@cache
def _prompts() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(PROMPTS.read_text(encoding="utf-8"))
    return values
