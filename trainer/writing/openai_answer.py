"""What a server's answer in the OpenAI chat protocol says: a text, a fault that may pass, or one that will not."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx2

from mhdesk.library.hub_connection import PassingFault
from trainer.errors import BadConfiguration
from trainer.writing.writer import Written

_MAY_PASS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def read_answer(body: bytes, host: str) -> Written:
    """The text of a whole answer.

    Raises:
        PassingFault: it is none; servers that are starting, or proxies before them, answer such things.
    """
    try:
        choice = json.loads(body)["choices"][0]
        text = choice["message"]["content"]
        if text is not None and not isinstance(text, str):
            raise TypeError
        return Written(text or "", whole=choice.get("finish_reason") != "length")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise PassingFault(f"{host} answered with something else than a chat completion.") from None


def refusal(response: httpx2.Response, host: str, model: str) -> Exception:
    """What to raise for a status that is no success. Nothing of the body is told, which may quote the row."""
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return PassingFault(f"{host} asks to slow down.", pause_asked_for(response.headers))
    if status in _MAY_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return PassingFault(f"{host} has a fault of its own (status {status}).", pause_asked_for(response.headers))
    if status in _DENIED:
        return BadConfiguration(f"{host} does not let us in (status {status}). Please check OPENAI_API_KEY.")
    if status == HTTPStatus.NOT_FOUND:
        return BadConfiguration(
            f"{host} has no chat at that address, or no model {model}. Please check augment.address, which often ends "
            "in /v1, and augment.model."
        )
    return BadConfiguration(
        f"{host} refuses the request (status {status}). Please check augment.address, model and most_new_tokens."
    )


def pause_asked_for(headers: httpx2.Headers) -> int:
    """Whole seconds that `Retry-After` asks for, as a number or as a date (RFC 9110, section 10.2.3); 0 if none."""
    named = headers.get("retry-after", "").strip()
    if named.isascii() and named.isdigit():
        return int(named[:9])
    try:
        return max(0, round(parsedate_to_datetime(named).timestamp() - time.time()))
    except (ValueError, TypeError, OverflowError):
        return 0
