"""A writer behind an address that speaks the OpenAI chat protocol. The rows go there: the only way out of a stage."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

import httpx2

from mhdesk.core.errors import DownloadFailed
from mhdesk.core.generation import GenerationRequest
from mhdesk.library.hub_connection import Attempts, PassingFault
from trainer.errors import BadConfiguration
from trainer.writing.openai_answer import read_answer, refusal
from trainer.writing.writer import GOES_ON, WriterFailed, Written

KEY = "OPENAI_API_KEY"
WAITS_S = (1, 2, 4, 8, 16, 32)
"""Pauses before further attempts; a server that asks for a longer one gets it, up to two minutes."""
_CONNECT_S = 15.0
_LONGEST_ANSWER = 4 * 1024 * 1024
"""Bytes: far above any answer, far below any memory."""
_ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class OpenAIWriter:
    """One request at a time. The key is read from OPENAI_API_KEY and goes to the named host only."""

    def __init__(
        self,
        address: str,
        model: str,
        timeout_s: float,
        tell: Callable[[str], None],
        waits_s: Sequence[float] = WAITS_S,
    ) -> None:
        """`address` is the base address, such as https://host/v1; `timeout_s` how long one answer may take.

        Raises:
            BadConfiguration: the address is none, or the key cannot be one.
        """
        self._url = _checked(address)
        self._host = self._url.netloc.decode()
        self._timeout_s = timeout_s
        self._tell = tell
        self._waits_s = waits_s
        self._headers = {"user-agent": "MHDesk", "accept-encoding": "identity", **_authorization()}
        self._client: httpx2.Client | None = None
        self.made_by = model
        self.identity = {"writer": "openai", "model": model, "address": str(self._url)}

    def write(self, request: GenerationRequest) -> Written:
        """One text. Whether the seed is heeded is up to the server.

        Raises:
            BadConfiguration: the server will never answer this; the sentence says what to change.
            WriterFailed: it did not answer, however often it was asked.
        """
        sampling = request.sampling
        body = {
            "model": self.made_by,
            "messages": [{"role": turn.role.value, "content": turn.text} for turn in request.messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_new_tokens,
            "seed": sampling.seed,
        }
        attempts = Attempts(self._waits_s, GOES_ON)
        while True:
            try:
                return read_answer(self._asked(body), self._host)
            except PassingFault as fault:
                try:
                    attempts.after(fault, lambda sentence, _: self._tell(f"augment: {sentence}"))
                except DownloadFailed as given_up:
                    raise WriterFailed(given_up.sentence) from None

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _asked(self, body: dict[str, object]) -> bytes:
        client = self._open()
        deadline = time.monotonic() + self._timeout_s
        silence = httpx2.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s))
        try:
            with client.stream("POST", self._url, json=body, headers=self._headers, timeout=silence) as response:
                if not response.is_success:
                    raise refusal(response, self._host, self.made_by)
                read = b""
                for chunk in response.iter_bytes():
                    read += chunk
                    if len(read) > _LONGEST_ANSWER:
                        raise PassingFault(f"{self._host} answered without an end.")
                    if time.monotonic() > deadline:
                        raise httpx2.ReadTimeout("the answer comes too slowly")
                return read
        except httpx2.TimeoutException:
            raise PassingFault(f"{self._host} did not answer within {self._timeout_s:g} seconds.") from None
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError):  # the last of odd host names
            raise BadConfiguration(f"augment.address leads nowhere: {self._url}. Please check it.") from None
        except httpx2.ConnectError:
            raise PassingFault(f"{self._host} could not be reached.") from None
        except (httpx2.TransportError, httpx2.DecodingError):
            raise PassingFault(f"The connection to {self._host} broke off.") from None

    def _open(self) -> httpx2.Client:
        """Tells, before the first request, where the rows go."""
        if self._client is None:
            if self._url.host in _ON_THIS_MACHINE:
                where = f"are sent to a server on this machine, {self._host}; whether they leave it is up to that"
            else:
                unsafe = " without encryption" if self._url.scheme == "http" else ""
                where = f"leave this machine: they are sent to {self._host}{unsafe}"
            self._tell(f"augment: the rows {where}. Press Ctrl+C now if they may not.")
            try:
                self._client = httpx2.Client()
            except (ImportError, ValueError, OSError):
                raise BadConfiguration(
                    "The settings for a proxy or for certificates cannot be used. Please check the variables "
                    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and SSL_CERT_FILE."
                ) from None
        return self._client


def _checked(address: str) -> httpx2.URL:
    wrong = BadConfiguration(
        "augment.address must be a web address such as https://host/v1, without a user or a key in it."
    )
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        raise wrong from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise wrong
    return url.copy_with(path=f"{url.path.rstrip('/')}/chat/completions")


def _authorization() -> dict[str, str]:
    key = os.environ.get(KEY, "").strip()
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise BadConfiguration(f"{KEY} holds characters that no key has. Please copy it again.")
    return {"authorization": f"Bearer {key}"} if key else {}
