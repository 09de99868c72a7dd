"""Asking a model hub: how a request is opened, which faults may pass, and what is said of those that do not.

huggingface_hub gives the session (proxies, certificates, its offline switch) and the addresses. Its own downloaders are
not used: they begin anew after every stop, wait without a limit when asked to slow down, and say neither. Its way of
naming itself is not used either: it would tell the hub which libraries are installed.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import constants, get_session, get_token
from huggingface_hub.errors import OfflineModeIsEnabled, OIDCError
from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]  # public, loaded late

from mhdesk.core.errors import DownloadFailed

Say = Callable[[str, float | None], None]

LONGEST_WAIT_S = 120
"""A hub that asks for a longer pause is told of, not waited for."""

_MAY_PASS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class PassingFault(Exception):
    """Something that another attempt may not meet. `wait_s` is the pause the hub asked for, 0 if none."""

    def __init__(self, sentence: str, wait_s: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked of the hub for one model.

    url: what to fetch.
    model_id: of the model it belongs to, for sentences.
    token: the user's access token; it goes to the hub's own host and to no other.
    first_byte: where to go on.
    timeout_s: how long the hub may be silent.
    """

    url: str
    model_id: str
    token: str | None
    first_byte: int = 0
    timeout_s: float = constants.HF_HUB_DOWNLOAD_TIMEOUT


def hub_host() -> str:
    """The host that will be connected to, such as huggingface.co."""
    return urlsplit(constants.ENDPOINT).netloc


def model_page(model_id: str) -> str:
    """The model's page at the hub, for people."""
    return f"{constants.ENDPOINT}/{model_id}"


def usable_token(given: str | None) -> str | None:
    """`given`, else the one in HF_TOKEN or saved by `hf auth login`, else none.

    Raises:
        DownloadFailed: it cannot be read, or is none by its looks. The sentence does not show it.
    """
    try:
        token = given or get_token()
    except (OSError, ValueError, httpx2.HTTPError, OIDCError):
        raise DownloadFailed(
            "The saved access token of Hugging Face could not be read. Please run hf auth login again, or set HF_TOKEN."
        ) from None
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise DownloadFailed("The access token in HF_TOKEN holds characters that no token has. Please copy it again.")
    return token or None


@contextmanager
def opened(request: Request) -> Iterator[httpx2.Response]:
    """The hub's answer, its body not read yet. Faults while the body is read come out as the same errors.

    Raises:
        PassingFault: worth another attempt.
        DownloadFailed: with the sentence.
    """
    # Without compression, a byte's place in the file is its place in the body, so that a stopped download can go on.
    headers = {"user-agent": "MHDesk", "accept-encoding": "identity"}
    if request.token:
        headers["authorization"] = f"Bearer {request.token}"  # the session drops it when another host is pointed to
    if request.first_byte:
        headers["range"] = f"bytes={request.first_byte}-"
    try:
        session = get_session()
    except (ImportError, ValueError, OSError):
        raise DownloadFailed(
            "The settings for a proxy or for certificates cannot be used. "
            "Please check the variables HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and SSL_CERT_FILE; SOCKS is not supported."
        ) from None
    host = hub_host()
    try:
        with session.stream("GET", request.url, headers=headers, timeout=request.timeout_s) as response:
            if response.status_code >= 400 and response.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise _refusal(response, request)
            yield response
    except OfflineModeIsEnabled:
        raise DownloadFailed(
            "Downloads are switched off by HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE in the environment. "
            "Please unset it, or add a model from a file with models add."
        ) from None
    except httpx2.TimeoutException:
        raise PassingFault(f"{host} did not answer for {request.timeout_s:.0f} seconds.") from None
    except httpx2.ProxyError:
        raise DownloadFailed(
            f"The proxy did not let MHDesk through to {host}. Please check HTTPS_PROXY, and its user and password."
        ) from None
    except httpx2.ConnectError as error:
        if _distrusted(error):
            raise DownloadFailed(
                f"The secure connection to {host} could not be verified. On a network that reads along, "
                "please point SSL_CERT_FILE to its certificate, or use another network."
            ) from None
        raise PassingFault(
            f"MHDesk could not reach {host}. Please check the internet connection, and the proxy if there is one."
        ) from None
    except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.TooManyRedirects, httpx2.InvalidURL):
        raise DownloadFailed(
            f"The address {constants.ENDPOINT} leads nowhere. Please check HF_ENDPOINT, or unset it."
        ) from None
    except (httpx2.TransportError, httpx2.DecodingError):
        raise PassingFault(f"The connection to {host} broke off.") from None


@dataclass(slots=True)
class Attempts:
    """Attempts in a row without progress, each after a longer wait. `closing` ends the sentence of the last one."""

    waits_s: Sequence[float]
    closing: str
    failed: int = 0

    def after(self, fault: PassingFault, say: Say) -> None:
        """Wait for the next attempt.

        Raises:
            DownloadFailed: that was the last one, or the hub asked for a long pause.
        """
        if fault.wait_s > LONGEST_WAIT_S:
            minutes = -(-fault.wait_s // 60)
            raise DownloadFailed(f"{fault.sentence} Please try again in {minutes} minutes. {self.closing}")
        if self.failed == len(self.waits_s):
            raise DownloadFailed(f"{fault.sentence} {self.closing}")
        wait = max(self.waits_s[self.failed], fault.wait_s)
        self.failed += 1
        say(f"{fault.sentence} Next attempt in {wait:.0f} s…", None)
        time.sleep(wait)


def _refusal(response: httpx2.Response, request: Request) -> Exception:
    """What to raise for an answer that is none."""
    status, host, model = response.status_code, hub_host(), request.model_id
    page = model_page(model)
    if status < 500 and status not in _MAY_PASS and response.url.netloc.decode() != host:
        # A server that the hub points to knows no accounts; the next attempt gets a new link from the hub.
        return PassingFault(f"{response.url.host}, which {host} points to, did not give the file (status {status}).")
    if status in _DENIED and request.token is None:
        return DownloadFailed(
            f"{host} does not give {model} without a sign-in. Please check the spelling. If it is right, open {page} "
            f"with an account there and accept the licence, make an access token at {constants.ENDPOINT}/settings/"
            "tokens, and set it as HF_TOKEN or save it with hf auth login."
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return DownloadFailed(
            f"{host} did not accept the access token. Please make a new one at {constants.ENDPOINT}/settings/tokens, "
            f"and set it as HF_TOKEN or save it with hf auth login. The model's page is {page}."
        )
    if status == HTTPStatus.FORBIDDEN:
        return DownloadFailed(
            f"{host} does not give {model} to this account yet. Please open {page}, accept the licence there, "
            "and try again once access is granted. The access token must be allowed to read such models."
        )
    if status == HTTPStatus.NOT_FOUND:
        return DownloadFailed(
            f"{host} knows no model {model}, or no longer all of it. "
            "Please check the spelling, owner/name, and try again."
        )
    if status in _MAY_PASS:
        return PassingFault(f"{host} asks MHDesk to slow down.", _pause_asked_for(response))
    if status >= 500:
        return PassingFault(f"{host} has a fault of its own (status {status}).")
    return DownloadFailed(f"{host} refused to give {model} (status {status}). Please look at {page}.")


def _pause_asked_for(response: httpx2.Response) -> int:
    """Seconds, 0 if none is named; one more than said, since the hub rounds."""
    limits = parse_ratelimit_headers(response.headers)
    if limits is not None and limits.remaining == 0:
        return limits.reset_in_seconds + 1
    named = response.headers.get("retry-after", "").strip()
    return int(named) + 1 if named.isascii() and named.isdigit() else 0


def _distrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
