"""The language the window and the engine process speak: one JSON object a line, UTF-8, over the child's pipes.

Every frame has the protocol version `v`, its `kind`, and the `turn` it belongs to: a number the client counts up for
each request, so that late frames of an old turn can be dropped. Anything else on the pipe is a `ProtocolError`.
"""

from __future__ import annotations

import json
import types
import typing
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from mhdesk.core.errors import ProtocolError

VERSION = 1
MAX_FRAME_BYTES = 8 * 1024 * 1024
"""Longest line either side accepts: far above any conversation that fits a context, far below any memory."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Base of all frames."""

    turn: int
    kind: ClassVar[str] = ""


# --- from the window to the engine ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load(Frame):
    """Load a base model folder and, if given, an adapter folder. Answered by `Progress`…, then `Loaded` or `Failed`.

    `context_tokens` asks for a smaller window than the model's own.
    """

    model: str
    adapter: str | None = None
    threads: int | None = None
    context_tokens: int | None = None
    kind: ClassVar[str] = "load"


@dataclass(frozen=True, slots=True)
class UseAdapter(Frame):
    """Put another adapter folder, or none, beside the base that is loaded. Answered like `Load`.

    After `Failed` the base stands there without any adapter.
    """

    adapter: str | None
    kind: ClassVar[str] = "use_adapter"


@dataclass(frozen=True, slots=True)
class Generate(Frame):
    """Answer `messages` (`{"role", "text"}`). Answered by `Started`, `Token`…, then `Ended`, or `Failed`."""

    messages: list[dict[str, str]]
    sampling: dict[str, Any]
    kind: ClassVar[str] = "generate"


@dataclass(frozen=True, slots=True)
class Cancel(Frame):
    """Stop `turn`, a reply or a job. Always answered by `Cancelled`, after the last other frame of that turn."""

    kind: ClassVar[str] = "cancel"


@dataclass(frozen=True, slots=True)
class Job(Frame):
    """Heavy work on models: `name` and its arguments. Answered by `Progress`…, then `Done` or `Failed`."""

    name: str
    arguments: dict[str, Any]
    kind: ClassVar[str] = "job"


@dataclass(frozen=True, slots=True)
class Measure(Frame):
    """Ask for `Measured`; answered at once, whatever the worker does."""

    kind: ClassVar[str] = "measure"


# --- from the engine to the window ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello(Frame):
    """First frame of a child: its process id, backend, 8-bit kernel, and the processor's features it would use."""

    pid: int
    backend: str
    kernel: str
    cpu: str
    kind: ClassVar[str] = "hello"


@dataclass(frozen=True, slots=True)
class Progress(Frame):
    """Work goes on: `fraction` from 0 to 1, None if not known. A sign of life on any long request."""

    sentence: str
    fraction: float | None = None
    kind: ClassVar[str] = "progress"


@dataclass(frozen=True, slots=True)
class Loaded(Frame):
    """The model stands ready. `context_tokens` is the window used; `kernel` names the 8-bit matrix product.

    `adapter` is what is in use; `warning` says, for the user, why one that `Load` asked for was left out.
    """

    model: str
    adapter: str | None
    context_tokens: int
    template_sha256: str
    kernel: str
    threads: int
    load_s: float
    warning: str = ""
    kind: ClassVar[str] = "loaded"


@dataclass(frozen=True, slots=True)
class Started(Frame):
    """What the model is given: turns before `first_kept_turn` have left the window."""

    prompt_tokens: int
    first_kept_turn: int
    template_sha256: str
    reused_tokens: int = 0
    kind: ClassVar[str] = "started"


@dataclass(frozen=True, slots=True)
class Token(Frame):
    """The next piece of text; never an incomplete character."""

    text: str
    kind: ClassVar[str] = "token"


@dataclass(frozen=True, slots=True)
class Ended(Frame):
    """The reply is complete, or was stopped. Times in seconds, measured in the child."""

    stopped: bool
    new_tokens: int
    prefill_s: float
    decode_s: float
    kind: ClassVar[str] = "ended"


@dataclass(frozen=True, slots=True)
class Cancelled(Frame):
    """Acknowledges `Cancel`: nothing more comes for that turn."""

    kind: ClassVar[str] = "cancelled"


@dataclass(frozen=True, slots=True)
class Done(Frame):
    """A job is finished."""

    result: dict[str, Any]
    kind: ClassVar[str] = "done"


@dataclass(frozen=True, slots=True)
class Measured(Frame):
    """`peak_rss_bytes` is the child's VmHWM, `rss_bytes` its resident memory now."""

    rss_bytes: int
    peak_rss_bytes: int
    connections: int
    kind: ClassVar[str] = "measured"


@dataclass(frozen=True, slots=True)
class Failed(Frame):
    """The request could not be done; `sentence` is for the user."""

    sentence: str
    kind: ClassVar[str] = "failed"


COMMANDS: tuple[type[Frame], ...] = (Load, UseAdapter, Generate, Cancel, Job, Measure)
REPORTS: tuple[type[Frame], ...] = (
    Hello, Progress, Loaded, Started, Token, Ended, Cancelled, Done, Measured, Failed,
)  # fmt: skip


def encode(frame: Frame) -> bytes:
    """One line, newline included.

    Raises:
        ProtocolError: the frame is longer than `MAX_FRAME_BYTES`.
    """
    values = {field.name: getattr(frame, field.name) for field in fields(frame)}
    line = json.dumps({"v": VERSION, "kind": frame.kind, **values}, separators=(",", ":")).encode() + b"\n"
    if len(line) > MAX_FRAME_BYTES:
        raise ProtocolError("That is more text than the engine takes at once. Please start a new conversation.")
    return line


def decode(line: bytes, expected: tuple[type[Frame], ...]) -> Frame:
    """The frame in `line`, which must be one of `expected`.

    Raises:
        ProtocolError: it is anything else. The sentence names the fault and never quotes the line.
    """
    if len(line) > MAX_FRAME_BYTES:
        raise ProtocolError(_sentence("a line was too long"))
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise ProtocolError(_sentence("a line was not JSON")) from None
    if not isinstance(values, dict) or values.pop("v", None) != VERSION:
        raise ProtocolError(_sentence("a line had another protocol version"))
    kind = values.pop("kind", None)
    for frame_type in expected:
        if frame_type.kind == kind:
            return _build(frame_type, values)
    raise ProtocolError(_sentence("a line had an unknown kind"))


def _build(frame_type: type[Frame], values: dict[str, Any]) -> Frame:
    hints = _hints(frame_type)
    if set(values) - set(hints):
        raise ProtocolError(_sentence(f"a {frame_type.kind} line had an unknown field"))
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise ProtocolError(_sentence(f"a {frame_type.kind} line had a wrong {name}"))
    try:
        return frame_type(**values)
    except TypeError:
        raise ProtocolError(_sentence(f"a {frame_type.kind} line lacked a field")) from None


_hint_cache: dict[type[Frame], dict[str, Any]] = {}


def _hints(frame_type: type[Frame]) -> dict[str, Any]:
    if frame_type not in _hint_cache:
        resolved = typing.get_type_hints(frame_type)
        _hint_cache[frame_type] = {field.name: resolved[field.name] for field in fields(frame_type)}
    return _hint_cache[frame_type]


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if isinstance(hint, types.UnionType):
        return any(_fits(value, part) for part in hint.__args__)
    origin = typing.get_origin(hint)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, hint.__args__[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, hint.__args__[1]) for item in value.values())
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _sentence(fault: str) -> str:
    return f"The engine process answered in a way MHDesk does not understand ({fault}); it is being restarted."
