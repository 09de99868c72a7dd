"""The five messages that every build is tried with, answered by the app's own session, in Markdown.

`python -m mhdesk.bench.five_messages [--adapters none NAME…] [--seeds 1 2 3] [--into README.md]` prints what came back,
bad answers too, or puts it between the two marks of a page. What does not depend on the model is shown once.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mhdesk.assembly import build_session
from mhdesk.core.atomic import write_bytes
from mhdesk.core.errors import BadInput, MHDeskError
from mhdesk.core.events import Card, Failed, Finished, Replaced, Screened, SessionEvent, Source, Text
from mhdesk.core.levels import Level
from mhdesk.core.messages import FIVE_MESSAGES
from mhdesk.core.offline import stay_offline
from mhdesk.core.paths import UserPaths
from mhdesk.core.sampling import Sampling
from mhdesk.core.settings import AgeBand
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.library.shelf import Shelf
from mhdesk.safety.helplines import Helplines

BEGIN, END = "<!-- five messages: begin -->", "<!-- five messages: end -->"
"""What stands round the answers in a page."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything one message brought."""

    seed: int
    most_tokens: int
    events: tuple[SessionEvent, ...]

    @property
    def screened(self) -> Screened:
        """How it was read."""
        return next(event for event in self.events if isinstance(event, Screened))

    @property
    def by_model(self) -> bool:
        """Whether the model was asked."""
        return not any(isinstance(event, Text) and event.source is Source.FIXED for event in self.events)


def main(arguments: Sequence[str]) -> int:
    """Ask, and show or write the answers; exit code 0, or 2 with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m mhdesk.bench.five_messages", description=__doc__)
    parser.add_argument("--model", help="a model of the shelf; the one in use if not given")
    parser.add_argument("--adapters", nargs="+", default=["none"], metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--new-tokens", type=int, default=Sampling().max_new_tokens)
    parser.add_argument("--region", default="GB")
    parser.add_argument("--into", type=Path, metavar="PAGE")
    options = parser.parse_args(arguments)
    stay_offline()
    try:
        if options.into:
            _parts_of(options.into)  # a page without marks is said before, not after, minutes of work
        answers = asyncio.run(_ask(options))
        shown = page(answers)
        if options.into:
            before, after = _parts_of(options.into)
            write_bytes(options.into, f"{before}{BEGIN}\n\n{shown}\n{END}{after}".encode())
        else:
            sys.stdout.write(shown)
    except MHDeskError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    return 0


async def _ask(options: argparse.Namespace) -> dict[str, dict[str, list[Turn]]]:
    """Of each message and adapter the turns, one a seed; each in a conversation of its own."""
    paths = UserPaths.from_environment()
    answers: dict[str, dict[str, list[Turn]]] = {message: {} for message in FIVE_MESSAGES}
    for adapter in options.adapters:
        pair = Shelf(paths).pair(options.model, adapter)
        engine = EngineSupervisor(engine_command(), pair.model, pair.adapter)
        session = build_session(
            engine,
            paths,
            helplines=Helplines.load(),
            region=lambda: options.region,
            age_band=lambda: AgeBand.ADULT,
        )
        await engine.start()
        try:
            for message in FIVE_MESSAGES:
                turns = answers[message].setdefault(adapter, [])
                for seed in options.seeds:
                    await session.new_conversation()
                    sampling = Sampling(seed=seed, max_new_tokens=options.new_tokens)
                    events = [event async for event in session.send(message, sampling)]
                    turns.append(Turn(seed, options.new_tokens, tuple(events)))
                    sys.stderr.write(f"{adapter}, seed {seed}: {message[:40]}…\n")
                    if not turns[-1].by_model:
                        break
        finally:
            await engine.close()
    return answers


def page(answers: Mapping[str, Mapping[str, Sequence[Turn]]]) -> str:
    """The answers in Markdown: by message, then by adapter, then by seed."""
    parts = []
    for message, by_adapter in answers.items():
        parts.append(f"### “{message}”\n")
        first = next(iter(by_adapter.values()))[0]
        if not first.by_model:
            parts.append(_fixed(first))
            continue
        if first.screened.level is not Level.NONE:
            parts.append(f"Read as `{first.screened.level.value}`.\n")
        for adapter, turns in by_adapter.items():
            parts.append("Without adapter:\n" if adapter == "none" else f"With the adapter `{adapter}`:\n")
            parts.extend(_numbered(number, turn) for number, turn in enumerate(turns, start=1))
    return "\n".join(parts)


def _fixed(turn: Turn) -> str:
    topics = ", ".join(topic.value for topic in turn.screened.topics)
    card = next((event for event in turn.events if isinstance(event, Card)), None)
    lines = [f"{line.name} ({line.voice or line.text or line.chat})" for line in card.lines] if card else []
    return (
        f"Read as `{turn.screened.level.value}` ({topics}): the model is not asked. "
        f"Card: {', '.join(lines) or 'none'}. Words written for the program:\n\n{_quoted(_words(turn), '')}\n"
    )


def _numbered(number: int, turn: Turn) -> str:
    replaced = next((event for event in turn.events if isinstance(event, Replaced)), None)
    failed = next((event for event in turn.events if isinstance(event, Failed)), None)
    finished = next((event for event in turn.events if isinstance(event, Finished)), None)
    tokens = finished.new_tokens if finished else 0
    words = replaced.text if replaced else _words(turn).rstrip()
    note = ""
    if replaced:
        note = f" *(the gate stopped the model's words: `{', '.join(replaced.reasons)}`)*"
    elif failed:
        note = f" *({failed.sentence})*"
    elif tokens >= turn.most_tokens:
        note = f" *(cut at {tokens} tokens)*"
    return f"{number}. seed {turn.seed}, {tokens} tokens\n\n{_quoted(words + note, '   ')}\n"


def _words(turn: Turn) -> str:
    return "".join(event.text for event in turn.events if isinstance(event, Text))


def _quoted(words: str, indent: str) -> str:
    return "\n".join(f"{indent}> {line}".rstrip() for line in words.split("\n"))


def _parts_of(path: Path) -> tuple[str, str]:
    """What stands before and after the marks of a page.

    Raises:
        BadInput: the page cannot be read, or has no marks.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The page {path} cannot be read. Please check the path.") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInput(f"The page {path} has no place for the answers. Please put {BEGIN} and {END} where they belong.")
    return before, after


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
