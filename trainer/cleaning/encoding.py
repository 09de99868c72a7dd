"""Texts that were read in the wrong encoding, or cut in the middle of a character."""

from __future__ import annotations

from typing import Final

import ftfy
from ftfy import TextFixerConfig
from ftfy.fixes import fix_surrogates

from trainer.cleaning.patterns import compile_pattern

_MENDED: Final = TextFixerConfig(
    unescape_html=False, remove_terminal_escapes=False, fix_latin_ligatures=False, fix_character_width=False,
    uncurl_quotes=False, fix_line_breaks=False, remove_control_chars=False, normalization=None,
)  # fmt: skip
"""Only what a wrong encoding did; how characters look is another matter."""
_LOST_APOSTROPHE: Final = compile_pattern("([a-z])\ufffd(s|t|d|m|re|ve|ll)\\b")


def mend_encoding(text: str) -> str:
    """`text` in the encoding that was meant, without halves of characters and marks of lost ones."""
    whole = fix_surrogates(text).encode("utf-8", "ignore").decode("utf-8")
    mended: str = ftfy.fix_text(whole, _MENDED)
    if "\ufffd" in mended:
        mended = _LOST_APOSTROPHE.sub(r"\1'\2", mended).replace("\ufffd", "")
    return mended
