"""Keeping control tokens in people's words from becoming control tokens of the conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
"""Around a control token that somebody wrote, on its way through the template; Unicode gives these two no meaning."""


class ControlTokens:
    """`encode` gives the token ids of a text by itself, control tokens among them, and adds none of its own."""

    def __init__(self, tokens: Sequence[str], encode: Callable[[str], list[int]]) -> None:
        spelled = [token for token in tokens if token and not token.isspace()]
        longest_first = "|".join(map(re.escape, sorted(spelled, key=len, reverse=True))) or "(?!)"
        self._token = re.compile(longest_first)
        self._marked = re.compile(f"{_OPEN}({longest_first}){_CLOSE}|[{_OPEN}{_CLOSE}]")
        self._encode = encode
        self._newline = encode("\n")

    def mark(self, texts: Sequence[str]) -> list[str]:
        """`texts` with marks around the control tokens they spell; as they are where none spells any."""
        if not any(self._token.search(text) for text in texts):
            return list(texts)
        unforged = [text.replace(_OPEN, "").replace(_CLOSE, "") for text in texts]
        return [self._token.sub(rf"{_OPEN}\g<0>{_CLOSE}", text) for text in unforged]

    def encode(self, rendered: str) -> list[int]:
        """Token ids of what a template made of marked texts. What is marked is cut in two, so that it is no token.

        A mark left alone, where a template has cut a text, is taken out and still parts what stood around it.
        """
        pieces = [piece or "" for piece in self._marked.split(rendered)]
        token_ids = self._encode(pieces[0])
        for place, piece in enumerate(pieces[1:], start=1):
            for part in self._harmless(piece) if place % 2 else [piece]:
                token_ids += self._encode_inside(part) if part else []
        return token_ids

    def _harmless(self, token: str) -> list[str]:
        for cut in range(1, len(token)):
            parts = [token[:cut], token[cut:]]
            if not any(self._token.search(part) for part in parts):
                return parts
        return []  # a token of one letter, or made of such: it is left out

    def _encode_inside(self, text: str) -> list[int]:
        """SentencePiece puts a space before what it takes for the beginning of a text; after a newline it does not."""
        token_ids = self._encode(f"\n{text}")
        if token_ids[: len(self._newline)] == self._newline:
            return token_ids[len(self._newline) :]
        return self._encode(text)
