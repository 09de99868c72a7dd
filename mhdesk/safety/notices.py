"""The notices that the law and fairness ask for (sources in the safety protocol): what this program is, and is not."""

from __future__ import annotations

import json
from functools import cache

from mhdesk.core.paths import resources_dir


def disclaimer() -> str:
    """Self-help and support, no substitute for professional advice."""
    return _notices()["disclaimer"]


def ai_notice() -> str:
    """A computer program, no human being, without human emotion (New York General Business Law, article 47)."""
    return _notices()["ai_notice"]


def under_13() -> str:
    """What is said instead of a chat to someone under 13."""
    return _notices()["under_13"]


@cache
def _notices() -> dict[str, str]:
    raw = json.loads((resources_dir() / "notices.json").read_text(encoding="utf-8"))
    return {str(name): str(text) for name, text in raw.items()}
