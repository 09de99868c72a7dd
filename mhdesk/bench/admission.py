"""Whether the memory that admission predicts is the memory that is used: each model in a child, its window filled.

`python -m mhdesk.bench.admission MODEL… [--contexts 2048 4096] [--adapter A]` prints one JSON line a measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from mhdesk.bench.child_talk import ChildTalk, conversation
from mhdesk.commands.json_lines import write_line
from mhdesk.core.errors import MHDeskError
from mhdesk.core.offline import stay_offline
from mhdesk.core.paths import UserPaths
from mhdesk.library.adapter_tensors import WEIGHTS
from mhdesk.library.admission import CONTEXT_TOKENS, SMALL_CONTEXT_TOKENS, memory_needed
from mhdesk.library.model_folder import check_model_folder, read_manifest
from mhdesk.library.shelf import Shelf

_NEW_TOKENS = 16
_MARGIN_TOKENS = 8
"""The filler's length is known to a few tokens only, and a prompt that is too long would be cut in half."""


def main(arguments: Sequence[str]) -> int:
    """Measure; exit code 0, or 2 with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m mhdesk.bench.admission", description=__doc__)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--contexts", type=int, nargs="+", default=[SMALL_CONTEXT_TOKENS, CONTEXT_TOKENS])
    parser.add_argument("--adapter", default="none")
    options = parser.parse_args(arguments)
    stay_offline()
    try:
        for model in options.models:
            for context in options.contexts:
                write_line(asyncio.run(_measured(model, options.adapter, context)))
    except MHDeskError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    return 0


async def _measured(model: str, adapter: str, context: int) -> dict[str, Any]:
    pair = Shelf(UserPaths.from_environment()).pair(model, adapter)
    assert pair.model is not None  # noqa: S101  it was named, and naming what is not there raises
    shape = check_model_folder(pair.model)
    adapter_bytes = (pair.adapter / WEIGHTS).stat().st_size if pair.adapter else 0
    need = memory_needed(shape, read_manifest(pair.model).weights_bytes, context, adapter_bytes)
    talk = await ChildTalk.begin()
    try:
        libraries = (await talk.measure()).rss_bytes
        loaded = await talk.load(pair.model, pair.adapter, context)
        after_load = await talk.measure()
        words = await talk.words_for(loaded.context_tokens - _NEW_TOKENS - _MARGIN_TOKENS)
        reply = await talk.ask(conversation(1, words), _NEW_TOKENS)
        measured = await talk.measure()
    finally:
        await talk.end()
    return {
        "model": model,
        "adapter": adapter,
        "context_tokens": loaded.context_tokens,
        "prompt_tokens": reply.started.prompt_tokens,
        "predicted_bytes": need.total,
        "peak_rss_bytes": measured.peak_rss_bytes,
        "predicted_over_measured": round(need.total / measured.peak_rss_bytes, 3),
        "libraries_rss_bytes": libraries,
        "loaded_peak_rss_bytes": after_load.peak_rss_bytes,
        "prefill_s": round(reply.ended.prefill_s, 1),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
