"""What a model's licence wants shown beside it."""

from __future__ import annotations


def built_with(licence: str) -> str:
    """For a licence of Meta's the words that it asks for; else nothing."""
    return "Built with Llama" if licence.casefold().replace(" ", "").startswith("llama") else ""
