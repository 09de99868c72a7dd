"""One JSON object a line, in and out."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from mhdesk.core.errors import BadInput

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Longest line taken from standard input."""


def write_line(values: dict[str, Any]) -> None:
    """Print one object and flush. When the reader has gone, so do we."""
    line = json.dumps(values, ensure_ascii=False)
    try:
        encoded = line.encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can carry
        encoded = json.dumps(values).encode()
    try:
        sys.stdout.buffer.write(encoded + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)


def answer_lines(stream: BinaryIO, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """Answer each line of `stream` in order, its `id` echoed as it came.

    A bad line answers `{"id", "error"}` and the rest go on. Returns the exit code: 2 if any line was bad.
    """
    bad = 0
    for line in _lines(stream):
        identifier: Any = None
        try:
            values = _parse(line)
            identifier = values.get("id")
            write_line({"id": identifier, **answer(values)})
        except BadInput as error:
            bad += 1
            write_line({"id": identifier, "error": error.sentence})
    if bad:
        sys.stderr.write(f"{bad} line{'s' if bad > 1 else ''} could not be used; each was answered with its error.\n")
    return 2 if bad else 0


def string(values: dict[str, Any], key: str, default: str | None = None) -> str:
    """The text at `key`.

    Raises:
        BadInput: it is missing or no text.
    """
    value = values.get(key, default)
    if not isinstance(value, str):
        raise BadInput(f'"{key}" must be a text.')
    return value


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES + 1)
            yield b""
        elif line.strip():
            yield line


def _parse(line: bytes) -> dict[str, Any]:
    if not line:
        raise BadInput(f"A line is longer than {MAX_LINE_BYTES} bytes.")
    try:
        values = json.loads(line.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise BadInput("The line is not JSON in UTF-8.") from None
    if not isinstance(values, dict):
        raise BadInput("The line is not a JSON object.")
    return values


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _no_constant(name: str) -> None:
    raise ValueError(name)
