"""A picture of token ids that a person can read: what is a token, and on which the loss counts."""

from __future__ import annotations

import textwrap
from typing import Any

from trainer.examples import Examples

_WIDTH = 116
_LEGEND = (
    "Tokens are parted by |. The loss counts on [those in brackets]: the supporter's words and what ends them.\n"
    "⏎ is a line break, · a space, ▯ a part of a letter.\n"
)


def picture_of(examples: Examples, names: list[str], tokenizer: Any) -> str:
    """The first rows, as many as there are names.

    Args:
        examples: all rows.
        names: ids of the first of them.
        tokenizer: of the model; its `decode` gives a token's text.
    """
    parts = [_LEGEND]
    for index, name in enumerate(names):
        ids, is_target = examples.row(index)
        tokens = [_shown(str(tokenizer.decode([token]))) for token in ids.tolist()]
        marked = [f"[{token}]" if target else f"{token}|" for token, target in zip(tokens, is_target, strict=True)]
        parts.append(f"--- {name}: {len(ids)} tokens, the loss counts on {int(is_target.sum())}\n{_lines(marked)}\n")
    return "\n".join(parts)


def _shown(token: str) -> str:
    """A token on one line and without marks that would turn or hide what follows."""
    visible = token.replace("\n", "⏎").replace(" ", "·").replace("\ufffd", "▯")
    return "".join(letter if letter.isprintable() else f"<{ord(letter):x}>" for letter in visible)


def _lines(marked: list[str]) -> str:
    lines, line = [], ""
    for token in marked:
        if line and len(line) + len(token) > _WIDTH:
            lines.append(line)
            line = ""
        line += token
    return textwrap.indent("\n".join([*lines, line]), "    ")
