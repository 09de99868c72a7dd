"""What the model is told before a conversation. Training uses the same words as the app."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.core.paths import resources_dir


def system_prompt(level: Level, language: str = "en") -> Message:
    """The system message for a turn of `level`. A crisis turn never reaches the model; those after it are gentle."""
    prompts = _prompts(language)
    return Message(Role.SYSTEM, prompts["none" if level is Level.NONE else "elevated"])


@cache
def _prompts(language: str) -> Mapping[str, str]:
    folder = resources_dir() / "prompts"
    path = folder / f"{language.split('-')[0].lower()}.json"
    values: dict[str, str] = json.loads((path if path.is_file() else folder / "en.json").read_text(encoding="utf-8"))
    return values
