"""Lines of text out of files whose encoding nobody wrote down."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from trainer.errors import BadSource
from trainer.reading.tally import Tally

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_HEAD = 4096
_ESCAPED = re.compile("[\udc80-\udcff]")
_WINDOWS_1252 = {0xDC00 + byte: bytes([byte]).decode("cp1252", errors="replace") for byte in range(0x80, 0x100)}
"""What the decoder makes of a byte that is not UTF-8, to what the byte means in Windows-1252."""


def read_lines(path: Path, tally: Tally) -> Iterator[str]:
    r"""The lines of a file, with their ends (`\n`, `\r\n` or `\r`), one in memory at a time.

    A byte order mark decides. Without one, a file where nearly every other byte is zero is UTF-16, and any other is
    UTF-8, in which a byte that cannot be UTF-8 is taken as Windows-1252: files are pasted together, so this is decided
    byte by byte, and the lines with such bytes are counted.

    Raises:
        BadSource: the file cannot be read.
    """
    try:
        encoding = _encoding(path)
        tally.encodings[encoding] += 1
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        with path.open(encoding=encoding, errors=errors, newline="") as file:
            for line in file:
                if not line.isascii() and _ESCAPED.search(line):
                    tally.guessed_lines += 1
                    yield line.translate(_WINDOWS_1252)
                else:
                    yield line
    except (OSError, UnicodeError):
        raise BadSource(f"The file {path} cannot be read. Please check that it is there and whole.") from None


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    half = len(head) // 2
    even, odd = head[0 : 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
    if half and max(even, odd) > 0.4 * half > 8 * min(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"
