"""Which other models there are, and how much memory each would need, for a refusal that helps."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mhdesk.core.errors import ShelfError
from mhdesk.library.admission import SMALL_CONTEXT_TOKENS, memory_needed
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.llama_shape import BadShape, LlamaShape
from mhdesk.library.model_folder import MANIFEST, read_manifest


def needs_of_others(models: Path) -> dict[str, int]:
    """Bytes by name, with the small window: models in the folder `models` first, then those of the catalogue."""
    needs: dict[str, int] = {}
    for manifest in sorted(models.glob(f"*/{MANIFEST}")):
        with contextlib.suppress(ShelfError, BadJsonFile, BadShape):
            shape = LlamaShape.from_config(read_json_object(manifest.parent / "config.json"))
            weights = read_manifest(manifest.parent).weights_bytes
            needs[manifest.parent.name] = memory_needed(shape, weights, SMALL_CONTEXT_TOKENS).total
    with contextlib.suppress(ShelfError):
        for model in Catalogue.load().models:
            if model.instruct:
                needs.setdefault(model.name, model.memory_2k_bytes)
    return needs
