"""`chat`: the window's own session in a terminal. Saves nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from mhdesk.assembly import build_session
from mhdesk.chat.session import Session
from mhdesk.commands.json_lines import write_line
from mhdesk.core.errors import BadInput, BadMessage
from mhdesk.core.events import Card, Failed, Finished, HelpLine, Replaced, SessionEvent, Text, Window
from mhdesk.core.paths import UserPaths
from mhdesk.core.sampling import Sampling
from mhdesk.core.settings import Settings, load_settings
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.library.shelf import Shelf
from mhdesk.safety.helplines import Helplines
from mhdesk.safety.notices import ai_notice, disclaimer


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """`once` is one message, None for a conversation on standard input."""

    once: str | None
    as_json: bool
    sampling: Sampling
    model: str | None
    adapter: str | None
    region: str | None


def run_chat(options: ChatOptions) -> int:
    """Exit code 0, or 2 if a message could not be sent or answered."""
    return asyncio.run(_chat(options))


async def _chat(options: ChatOptions) -> int:
    paths = UserPaths.from_environment()
    helplines = Helplines.load()
    settings = _settings(options, paths, helplines)
    pair = Shelf(paths).pair(options.model, options.adapter)
    if pair.warning:
        sys.stderr.write(f"{pair.warning}\n")
    supervisor = EngineSupervisor(engine_command(), pair.model, pair.adapter)
    session = build_session(
        supervisor,
        paths,
        helplines=helplines,
        region=lambda: settings.region,
        age_band=lambda: settings.age_band,
        language=lambda: settings.language,
        sampling=options.sampling,
    )
    show = _show_json if options.as_json else _show_plain
    await supervisor.start()
    try:
        if options.once is not None:
            return await _turn(session, options.once, show)
        return await _conversation(session, show, as_json=options.as_json)
    finally:
        await supervisor.close()


def _settings(options: ChatOptions, paths: UserPaths, helplines: Helplines) -> Settings:
    settings = load_settings(paths.settings_file)
    if options.region is None:
        return settings
    code = options.region.upper()
    if code not in {region.code for region in helplines.regions()}:
        raise BadInput(f"There is no region called {options.region}. Use a two-letter country code such as GB.")
    return settings.with_(region=code)


async def _conversation(session: Session, show: Callable[[SessionEvent], None], *, as_json: bool) -> int:
    if not as_json:
        sys.stdout.write(f"{ai_notice()}\n{disclaimer()}\n")
    worst = 0
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    reader = threading.Thread(target=_read_lines, args=(asyncio.get_running_loop(), lines), daemon=True)
    reader.start()
    while True:
        if not as_json and sys.stdin.isatty():
            sys.stdout.write("\nyou> ")
        sys.stdout.flush()
        line = await lines.get()
        if not line:
            return worst
        text = line.decode("utf-8", errors="replace").strip()
        if text:
            worst = max(worst, await _turn(session, text, show))


def _read_lines(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[bytes]) -> None:
    """Lines of standard input, then an empty one. On a thread of its own that Ctrl+C need not wait for.

    Read without Python's buffer, whose lock a thread that is still waiting would hold at the interpreter's end.
    """
    rest = b""
    while chunk := os.read(0, 65_536):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            loop.call_soon_threadsafe(lines.put_nowait, line + b"\n")
    if rest:
        loop.call_soon_threadsafe(lines.put_nowait, rest)
    loop.call_soon_threadsafe(lines.put_nowait, b"")


async def _turn(session: Session, text: str, show: Callable[[SessionEvent], None]) -> int:
    try:
        async with aclosing(session.send(text)) as events:
            async for event in events:
                show(event)
                if isinstance(event, Failed):
                    sys.stderr.write(f"{event.sentence}\n")
                    return 2
    except BadMessage as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    return 0


def _show_json(event: SessionEvent) -> None:
    if not isinstance(event, Window):
        write_line(event.to_json())


def _show_plain(event: SessionEvent) -> None:
    match event:
        case Card():
            lines = "\n".join(f"  {plain_line(line)}" for line in event.lines)
            sys.stdout.write(f"\nPeople you can reach now:\n{lines}\n\n")
        case Text(text=text):
            sys.stdout.write(text)
        case Replaced(text=text):
            sys.stdout.write(f"\n{text}")
        case Failed() | Finished():
            sys.stdout.write("\n")
    sys.stdout.flush()


def plain_line(line: HelpLine) -> str:
    """One line of help in one line of text."""
    ways = [line.voice and f"call {line.voice}", line.text and f"text {line.text}", line.chat and f"chat {line.chat}"]
    details = ", ".join(detail for detail in (line.audience, line.hours, line.cost) if detail)
    return f"{line.name}: {', or '.join(way for way in ways if way)}{f' ({details})' if details else ''}"
