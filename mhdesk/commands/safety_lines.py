"""`screen` and `gate`: the app's own safety functions over lines of JSON."""

from __future__ import annotations

import sys
import time
from typing import Any

from mhdesk.commands.json_lines import answer_lines, string
from mhdesk.core.errors import BadInput
from mhdesk.core.messages import Message, Role
from mhdesk.core.paths import UserPaths
from mhdesk.safety.faults import FaultCounter, safe_assess
from mhdesk.safety.gate import Gate
from mhdesk.safety.screen import Screen


def run_screen(*, explain: bool) -> int:
    """`{"id","text"}` or `{"id","turns"}` in; `{"id","level","topics","ms"}` out, with `rules` on `explain`."""
    screen = Screen.load()
    faults = FaultCounter(UserPaths.from_environment().fault_counts_file)

    def answer(values: dict[str, Any]) -> dict[str, Any]:
        turns = _turns(values)
        region = string(values, "region", "")
        began = time.perf_counter()
        verdict = safe_assess(screen, turns, region, faults.add)
        result: dict[str, Any] = {
            "level": verdict.level.value,
            "topics": [topic.value for topic in verdict.topics],
            "ms": round((time.perf_counter() - began) * 1000, 3),
        }
        return {**result, "rules": list(verdict.rules)} if explain else result

    return answer_lines(sys.stdin.buffer, answer)


def run_gate() -> int:
    """`{"id","chunks","region"}` in; `{"id","shown","final","tripped","reasons"}` out."""
    gate = Gate.load()
    faults = FaultCounter(UserPaths.from_environment().fault_counts_file)

    def answer(values: dict[str, Any]) -> dict[str, Any]:
        chunks = values.get("chunks")
        if not isinstance(chunks, list) or not all(isinstance(chunk, str) for chunk in chunks):
            raise BadInput('"chunks" must be a list of texts.')
        string(values, "region", "")
        stream = gate.begin()
        released = ""
        shown: list[str] = []
        for chunk in chunks:
            released += stream.push(chunk)
            shown.append(stream.fixed_reply if stream.stopped else released)
        released += stream.flush()
        final = stream.fixed_reply if stream.stopped else released
        reasons = list(stream.stopped.reasons) if stream.stopped else []
        if "internal_error" in reasons:
            faults.add("gate")
        return {
            "shown": [*shown, final],
            "final": final,
            "tripped": stream.stopped is not None,
            "reasons": reasons,
        }

    return answer_lines(sys.stdin.buffer, answer)


def _turns(values: dict[str, Any]) -> list[Message]:
    if ("text" in values) == ("turns" in values):
        raise BadInput('Give either "text" or "turns".')
    if "text" in values:
        return [Message(Role.USER, string(values, "text"))]
    turns = values["turns"]
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise BadInput('"turns" must be a list of objects with "role" and "text".')
    messages = []
    for turn in turns:
        role = turn.get("role")
        if role not in (Role.USER.value, Role.ASSISTANT.value):
            raise BadInput('A turn\'s "role" must be "user" or "assistant".')
        messages.append(Message(Role(role), string(turn, "text")))
    if not any(message.role is Role.USER for message in messages):
        raise BadInput('"turns" has no turn of the user.')
    return messages
