"""How the engine process is started: the same program, re-entered by a flag."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from mhdesk.core.paths import program_root

ENGINE_FLAG = "--engine-child"
"""First word that makes the program an engine process; handled before any Qt import."""


def engine_command(*, script: str | None = None) -> Sequence[str]:
    """The command line of a child. `script` names a JSON file for the scripted backend instead of a model.

    A frozen program is its own engine, since `sys.executable -m` would open a second window.
    """
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, str(program_root() / "runApp.py")]
    return [*program, ENGINE_FLAG, *(["--script", script] if script else [])]


def engine_environment() -> dict[str, str]:
    """Our environment with every hub of models switched off."""
    return {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
        "PYTHONUNBUFFERED": "1",
    }
