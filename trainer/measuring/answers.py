"""Answers of base and adapter to the same messages, side by side, from the app's own screen, engine and gate.

The engine runs as in the app, in a process of its own. The session that leads a turn belongs to `mhdesk.chat`, which a
trainer may not import; a first turn needs little of it, and a test compares with `python runApp.py chat --once`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_bytes
from mhdesk.core.errors import AdapterUnusable
from mhdesk.core.generation import GenerationRequest, ModelFinished, ModelText
from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.core.system_prompts import system_prompt
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.safety.gate import Gate
from mhdesk.safety.screen import Screen
from trainer.measuring.messages import Asked


@dataclass(frozen=True, slots=True)
class Reply:
    """`words` as the model wrote them, up to where the gate stopped; `shown` what a person would have read."""

    words: str
    shown: str
    stopped: tuple[str, ...]
    """Reasons of the gate; none where it let everything pass."""
    new_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one message at one seed."""

    id: str
    kind: str
    message: str
    seed: int
    level: str
    """As the screen read it."""
    topics: tuple[str, ...]
    way: str
    """`model`; or `crisis`, where the app's own words answer and the model is asked here only, for reading; or `fixed`,
    where it is told what this program is."""
    base: Reply | None
    adapter: Reply | None

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Answer:
        """The inverse of `to_json`.

        Raises:
            ValueError, KeyError, TypeError: it is no such line.
        """
        values: dict[str, Any] = json.loads(line)
        for name in ("base", "adapter"):
            values[name] = _reply(values[name])
        return cls(**{**values, "topics": tuple(values["topics"])})


@dataclass(frozen=True, slots=True)
class Pair:
    """Folders of a base model and of an adapter for it."""

    model: Path
    adapter: Path


@dataclass(frozen=True, slots=True)
class Manner:
    """How both are asked."""

    seeds: Sequence[int]
    """One answer a message and seed."""
    new_tokens: int
    """At most."""
    language: str
    """Of the system prompt, as of the rows that were learnt from."""


def collect_answers(
    pair: Pair, asked: Sequence[Asked], manner: Manner, kept: Path, tell: Callable[[str], None]
) -> list[Answer]:
    """Every answer in order; each is written to `kept` as it comes, and what stands there is not asked again.

    Raises:
        EngineError: the engine could not be used.
        AdapterUnusable: it would not have the adapter.
        OSError, StorageError: the disk would not take it.
    """
    done = {(answer.id, answer.seed): answer for answer in read_answers(kept)}
    _write(kept, done.values())  # without a line that a kill has cut
    wanted = [(message, seed) for message in asked for seed in manner.seeds]
    missing = [(message, seed) for message, seed in wanted if (message.id, seed) not in done]
    if missing:
        asyncio.run(_collect(pair, missing, manner, done, kept, lambda count: tell(f"{count} of {len(wanted)}")))
    answers = [done[message.id, seed] for message, seed in wanted]
    _write(kept, answers)  # those of a run that was stopped may stand in the order of that run
    return answers


def read_answers(path: Path) -> list[Answer]:
    """The whole lines of a file that may have been cut short; none if it is not there."""
    found = []
    try:
        with path.open(encoding="utf-8") as file:  # not splitlines: a model may write other signs that part lines
            for line in file:
                found.append(Answer.from_json(line))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return found


def _write(path: Path, answers: Iterable[Answer]) -> None:
    """All at once: they took minutes or hours to make."""
    write_bytes(path, "".join(f"{answer.to_json()}\n" for answer in answers).encode())


async def _collect(
    pair: Pair,
    missing: Sequence[tuple[Asked, int]],
    manner: Manner,
    done: dict[tuple[str, int], Answer],
    kept: Path,
    tell: Callable[[int], None],
) -> None:
    screen, gate = Screen.load(), Gate.load()
    engine = EngineSupervisor(engine_command(), pair.model, None)
    try:
        for message, seed in missing:
            verdict = screen.assess([Message(Role.USER, message.text)])
            way = "crisis" if verdict.level is Level.CRISIS else "model"
            if way == "model" and screen.asks_what_this_is(message.text):
                way = "fixed"
            request = GenerationRequest(
                (system_prompt(verdict.level, manner.language), Message(Role.USER, message.text)),
                Sampling(max_new_tokens=manner.new_tokens, seed=seed),
            )
            replies = [
                await _reply_of(engine, gate, pair.model, adapter, request) if way != "fixed" else None
                for adapter in (None, pair.adapter)
            ]
            topics = tuple(topic.value for topic in verdict.topics)
            answer = Answer(
                message.id, message.kind, message.text, seed, verdict.level.value, topics, way, replies[0], replies[1]
            )
            done[answer.id, answer.seed] = answer
            with kept.open("a", encoding="utf-8") as file:
                file.write(f"{answer.to_json()}\n")
            tell(len(done))
    finally:
        await engine.close()


async def _reply_of(
    engine: EngineSupervisor, gate: Gate, model: Path, adapter: Path | None, request: GenerationRequest
) -> Reply:
    loaded = await engine.use(model, adapter)  # at every message, since it empties the cache: answers stand alone
    if adapter is not None and (loaded is None or loaded.adapter is None):
        raise AdapterUnusable(loaded.warning if loaded else f"The adapter {adapter.name} could not be loaded.")
    stream = gate.begin()
    words = shown = ""
    pieces = new_tokens = 0
    async with aclosing(engine.generate(request)) as events:
        async for event in events:
            match event:
                case ModelText(text=text):
                    pieces += 1
                    words += text
                    shown += stream.push(text)
                case ModelFinished():
                    new_tokens = event.new_tokens
                    shown += stream.flush()
            if stream.stopped is not None:
                break
    reasons = stream.stopped.reasons if stream.stopped else ()
    return Reply(words, stream.fixed_reply or shown, reasons, new_tokens or pieces)


def _reply(values: dict[str, Any] | None) -> Reply | None:
    return Reply(**{**values, "stopped": tuple(values["stopped"])}) if values is not None else None
