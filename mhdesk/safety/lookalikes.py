"""Characters that stand in for others: look-alike letters, leetspeak, and the few emoji that carry a meaning."""

from __future__ import annotations

from typing import Final

_CYRILLIC_AND_GREEK: Final = {
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ё": "e", "һ": "h", "н": "h", "і": "i", "ї": "i", "ј": "j",
    "к": "k", "ӏ": "l", "м": "m", "п": "n", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s", "т": "t", "и": "u",
    "ц": "u", "ѵ": "v", "ѡ": "w", "ԝ": "w", "х": "x", "у": "y", "ʏ": "y", "з": "3", "α": "a", "β": "b", "ϲ": "c",
    "σ": "o", "δ": "d", "ε": "e", "η": "n", "ι": "i", "κ": "k", "μ": "u", "ν": "v", "ο": "o", "ρ": "p", "τ": "t",
    "υ": "u", "ω": "w", "χ": "x", "γ": "y", "ζ": "z", "ѐ": "e", "ԍ": "g", "ғ": "f", "я": "r", "ѝ": "u", "й": "u",
}  # fmt: skip
HOMOGLYPHS: Final[dict[int, str]] = {ord(key): value for key, value in _CYRILLIC_AND_GREEK.items()}
"""Cyrillic and Greek letters that are read as Latin ones when they stand inside a Latin word."""

_LATIN_VARIANTS: Final = {
    "ᴀ": "a", "ʙ": "b", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ꜰ": "f", "ɢ": "g", "ʜ": "h", "ɪ": "i", "ᴊ": "j", "ᴋ": "k",
    "ʟ": "l", "ᴍ": "m", "ɴ": "n", "ᴏ": "o", "ᴘ": "p", "ǫ": "q", "ʀ": "r", "ꜱ": "s", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v",
    "ᴡ": "w", "ʏ": "y", "ᴢ": "z", "ɑ": "a", "ɡ": "g", "ı": "i", "ɩ": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h",
    "ŧ": "t", "ƙ": "k", "ĸ": "k", "ƚ": "l", "ɨ": "i", "ɗ": "d", "ɓ": "b", "ʋ": "v", "œ": "oe", "æ": "ae",
}  # fmt: skip

_MARKS: Final = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "ʼ": "'", "´": "'", "`": "'", "′": "'", "＇": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‹": '"', "›": '"', "「": '"', "」": '"', "『": '"',
    "』": '"', "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": " - ", "―": " - ", "−": "-", "﹘": "-", "⁃": "-",
    "…": "... ", "。": ". ", "、": ", ", "،": ", ", "؟": "? ", "؛": "; ", "।": ". ", "॥": ". ", "·": ".", "•": ".",
    "ـ": "",
}  # fmt: skip
_DIGIT_SIGNS: Final = {
    **{first + index: str(1 + index) for first in (0x2776, 0x2780, 0x278A, 0x1369, 0x3021) for index in range(9)},
    0x277F: "10", 0x2789: "10", 0x2793: "10", 0x24FF: "0", 0x1F10B: "0", 0x1F10C: "0",
    **{0x2680 + index: str(1 + index) for index in range(6)},
}  # fmt: skip
"""White on black, in sans-serif circles, Ethiopic, Suzhou signs, dice: NFKC leaves them, and they are no decimals."""
STRAIGHTENED: Final[dict[int, str]] = {
    **{ord(key): value for key, value in (_MARKS | _LATIN_VARIANTS).items()}, **_DIGIT_SIGNS
}  # fmt: skip
"""Typographic marks, odd Latin letters and signs for digits, as a plain keyboard has them."""

EMOJI: Final[dict[int, str]] = {
    **{ord(key): f" {value} " for key, value in {
        "🔪": "knife", "🗡": "knife", "🔫": "gun", "💊": "pills", "🪢": "noose", "⚰": "coffin", "🪦": "grave",
        "🩸": "blood", "🪒": "razor", "🔟": "10",
    }.items()},
    **{0x1F150 + index: chr(97 + index) for index in range(26)},
    **{0x1F170 + index: chr(97 + index) for index in range(26)},
    **{0x1F1E6 + index: chr(97 + index) for index in range(26)},
}  # fmt: skip
"""Emoji that say something of means, and letters drawn as signs, which NFKC leaves alone."""

LEET: Final[dict[str, str]] = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "9": "g", "@": "a", "$": "s", "!": "i", "|": "l",
    "€": "e", "+": "t", "£": "l",
}  # fmt: skip
"""Signs that stand for letters between letters."""
