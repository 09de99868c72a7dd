"""A backend that speaks from a file: for tests and demonstrations of everything but the model itself.

The file is JSON: `{"load_s": 0.0, "context_tokens": 4096, "refuse": {}, "replies": [{"pieces": ["Hel", "lo."],
"wait_s": 0.01, "then": null}]}`. Replies are given in turn, the last one again and again. `then` makes something go
wrong after the last piece: `die`, `hang`, `garbage`, `oversize`, `wrong_turn`, `print`. `refuse` gives the sentence
for models and adapters of those names.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.errors import AdapterUnusable, EngineError, ModelUnusable
from mhdesk.core.messages import Message
from mhdesk.core.sampling import Sampling
from mhdesk.engine import protocol
from mhdesk.engine.child.backend import UNNUMBERED, Say, Step

_TEMPLATE_SHA256 = hashlib.sha256(b"scripted").hexdigest()


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """Pieces with a wait before each, and what goes wrong afterwards."""

    pieces: tuple[str, ...]
    wait_s: float = 0.0
    then: str | None = None


class ScriptedBackend:
    """Answers from its script, over the real pipe, with real waits."""

    name = "scripted"
    kernel = "scripted"
    cpu = "scripted"

    def __init__(
        self,
        replies: Sequence[ScriptedReply],
        *,
        load_s: float = 0.0,
        context_tokens: int = 4096,
        refuse: Mapping[str, str] | None = None,
    ) -> None:
        if not replies:
            raise ValueError("a script needs at least one reply")
        self._replies = list(replies)
        self._load_s = load_s
        self._context_tokens = context_tokens
        self._refuse = refuse or {}
        self._next = 0
        self._model = ""

    @classmethod
    def from_file(cls, path: Path) -> ScriptedBackend:
        """Read a script; see the module's description."""
        values = json.loads(path.read_text(encoding="utf-8"))
        replies = [ScriptedReply(**{**reply, "pieces": tuple(reply["pieces"])}) for reply in values.pop("replies")]
        return cls(replies, **values)

    def load(
        self, model: Path, adapter: Path | None, threads: int | None, say: Say, context_tokens: int | None = None
    ) -> protocol.Loaded:
        """Take `load_s` seconds in ten steps, or refuse."""
        if model.name in self._refuse:
            raise ModelUnusable(self._refuse[model.name])
        self._take_time(say)
        self._model = model.name
        self._context_tokens = context_tokens or self._context_tokens
        warning = self._refuse.get(adapter.name, "") if adapter else ""
        return self._loaded(None if warning else adapter, warning)

    def use_adapter(self, adapter: Path | None, say: Say) -> protocol.Loaded:
        """Take as long as loading, or refuse."""
        self._take_time(say)
        if adapter is not None and adapter.name in self._refuse:
            raise AdapterUnusable(self._refuse[adapter.name])
        return self._loaded(adapter)

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, should_stop: Callable[[], bool]
    ) -> Iterator[Step]:
        """Say the next reply, word by word."""
        reply = self._replies[min(self._next, len(self._replies) - 1)]
        self._next += 1
        prompt_tokens = sum(len(message.text.split()) for message in messages)
        yield protocol.Started(UNNUMBERED, prompt_tokens, 0, _TEMPLATE_SHA256)
        yield protocol.Progress(UNNUMBERED, "Reading the script…", 1.0)
        said = 0
        for piece in reply.pieces[: sampling.max_new_tokens]:
            time.sleep(reply.wait_s)
            if should_stop():
                yield protocol.Ended(UNNUMBERED, True, said, 0.0, 0.0)
                return
            yield protocol.Token(UNNUMBERED, piece)
            said += 1
        if reply.then is not None:
            _go_wrong(reply.then)
        yield protocol.Ended(UNNUMBERED, False, said, 0.0, 0.0)

    def relieve(self) -> None:
        """A script holds nothing that could be given back."""

    def job(self, name: str, arguments: dict[str, Any], say: Say, should_stop: Callable[[], bool]) -> dict[str, Any]:
        """Count to `steps`, for showing progress."""
        steps = int(arguments.get("steps", 3))
        for step in range(steps):
            if should_stop():
                raise EngineError("The scripted job was stopped.")
            say(f"Step {step + 1} of {steps}…", step / steps)
            time.sleep(self._load_s / steps)
        if name == "fail":
            raise EngineError("The scripted job failed, as its script says.")
        return {"steps": steps}

    def _take_time(self, say: Say) -> None:
        for step in range(10):
            say("Loading the script…", step / 10)
            time.sleep(self._load_s / 10)

    def _loaded(self, adapter: Path | None, warning: str = "") -> protocol.Loaded:
        return protocol.Loaded(
            UNNUMBERED,
            model=self._model,
            adapter=adapter.name if adapter else None,
            context_tokens=self._context_tokens,
            template_sha256=_TEMPLATE_SHA256,
            kernel="scripted",
            threads=1,
            load_s=self._load_s,
            warning=warning,
        )


def _go_wrong(how: str) -> None:
    if how == "die":
        os._exit(3)
    elif how == "hang":
        time.sleep(3600)
    elif how == "print":
        os.write(1, b"a native library prints\n")
    else:
        line = {
            "garbage": b"\x00\xffnot a frame\n",
            "oversize": b'{"v":1,"kind":"token","turn":1,"text":"' + b"x" * protocol.MAX_FRAME_BYTES + b'"}\n',
            "wrong_turn": protocol.encode(protocol.Token(999_999, "words of another turn")),
        }[how]
        os.write(_protocol_descriptor(), line)


def _protocol_descriptor() -> int:
    """The private descriptor of the pipe: the one that is a pipe and neither standard input nor a standard output."""
    standard = {os.fstat(number).st_ino for number in (0, 2)}
    for number in range(3, 64):
        try:
            status = os.fstat(number)
        except OSError:
            continue
        if (status.st_mode & 0o170000) == 0o010000 and status.st_ino not in standard:
            return number
    raise EngineError("There is no pipe to write to.")
