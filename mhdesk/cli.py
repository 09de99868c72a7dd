"""The program without a window: one of the two composition roots. Free of torch and of Qt.

Order: words parsed → offline from here on, except for `setup` → the word's module imported and run. What each word
reads and prints is kept stable (see `resources/docs/architecture.md`): other programs call it.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from mhdesk import __version__
from mhdesk.core.errors import MHDeskError
from mhdesk.core.offline import count_connections, stay_offline
from mhdesk.core.paths import PROGRAM

CONNECTING = frozenset({("setup", ""), ("models", "download")})
"""The words and actions that may connect; everything else is refused a network."""


class _OneSentenceParser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{message[:1].upper()}{message[1:].rstrip('.')}. See: {self.prog} --help\n")
        sys.exit(2)


def main(arguments: Sequence[str]) -> int:
    """Run one word. Exit code 0, or 2 with one plain sentence on standard error."""
    _prepare_streams()
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    if (options.word, getattr(options, "action", "")) in CONNECTING:
        count_connections()
    else:
        stay_offline()
    try:
        return _run(options)
    except MHDeskError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    except BrokenPipeError:
        os._exit(0)  # whoever read has gone; flushing at the end would only fail again
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Nothing was lost; the same command can be run again.\n")
        return 130


def _prepare_streams() -> None:
    """UTF-8 in every terminal, and an empty input where there is none: help must be printed whatever the console is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - it lives as long as the program


def _run(options: argparse.Namespace) -> int:
    match options.word:
        case "setup":
            from mhdesk.commands.setup import run_setup

            return run_setup()
        case "chat":
            return _chat(options)
        case "screen":
            from mhdesk.commands.safety_lines import run_screen

            return run_screen(explain=options.explain)
        case "gate":
            from mhdesk.commands.safety_lines import run_gate

            return run_gate()
        case "doctor":
            from mhdesk.commands.doctor import run_doctor

            return run_doctor(as_json=options.json)
        case "bench":
            return _bench(options)
        case _:
            return _shelf(options)


def _chat(options: argparse.Namespace) -> int:
    from mhdesk.commands.chat import ChatOptions, run_chat
    from mhdesk.core.sampling import Sampling

    defaults = Sampling()
    sampling = Sampling(
        seed=options.seed,
        max_new_tokens=defaults.max_new_tokens if options.max_tokens is None else options.max_tokens,
    )
    return run_chat(ChatOptions(options.once, options.json, sampling, options.model, options.adapter, options.region))


def _bench(options: argparse.Namespace) -> int:
    from mhdesk.commands.json_lines import write_line
    from mhdesk.core.paths import UserPaths
    from mhdesk.library.shelf import Shelf

    if options.window:
        from mhdesk.ui.start_bench import measure_start

        write_line(measure_start())
        return 0
    from mhdesk.bench.engine import BenchOptions, run_bench

    wanted = BenchOptions(options.prompt_tokens, options.new_tokens, options.repeats)
    pair = Shelf(UserPaths.from_environment()).pair(options.model, options.adapter)
    write_line(run_bench(pair, wanted, _progress))
    return 0


def _progress(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _shelf(options: argparse.Namespace) -> int:
    if options.action in ("list", "use", "none"):
        from mhdesk.commands import shelf

        match (options.word, options.action):
            case ("models", "list"):
                return shelf.list_models(as_json=options.json)
            case ("models", "use"):
                return shelf.use_model(options.name)
            case ("adapters", "list"):
                return shelf.list_adapters(as_json=options.json)
            case (_, "none"):
                return shelf.use_no_adapter()
            case _:
                return shelf.use_adapter(options.name, unmeasured=options.unmeasured)
    if options.word == "adapters":
        from mhdesk.commands import adapter_changes

        return adapter_changes.add(options.path) if options.action == "add" else adapter_changes.remove(options.name)
    from mhdesk.commands import model_changes

    match options.action:
        case "add":
            return model_changes.add_model(options.path)
        case "download":
            return model_changes.download_model(options.id)
        case "verify":
            return model_changes.verify_model(options.name)
        case _:
            return model_changes.remove(options.name)


def _parser() -> argparse.ArgumentParser:
    parser = _OneSentenceParser(
        prog=PROGRAM,
        description="MHDesk: offline self-help and emotional support. Without a word it opens its window.",
    )
    parser.add_argument("--version", action="version", version=f"MHDesk {__version__}")
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD", parser_class=_OneSentenceParser)
    words.add_parser("setup", help="do everything the first start needs, then stop")
    chat = words.add_parser("chat", help="talk in the terminal; nothing is saved")
    chat.add_argument("--once", metavar="TEXT", help="one message; without it, a conversation on standard input")
    chat.add_argument("--json", action="store_true", help="print events, one JSON object a line")
    chat.add_argument("--seed", type=int, metavar="N")
    chat.add_argument("--max-tokens", type=int, metavar="N")
    chat.add_argument("--model", metavar="M")
    chat.add_argument("--adapter", metavar="A", help="an adapter's name, or none")
    chat.add_argument("--region", metavar="CC", help="two-letter country code for helplines")
    screen = words.add_parser("screen", help="read lines of JSON and say how the screen reads them")
    screen.add_argument("--explain", action="store_true", help="name the rules that decided")
    words.add_parser("gate", help="read lines of JSON and say what the gate would show")
    doctor = words.add_parser("doctor", help="what this machine has, and what would be refused")
    doctor.add_argument("--json", action="store_true")
    bench = words.add_parser("bench", help="measure time and memory of a model")
    bench.add_argument("--model", metavar="M")
    bench.add_argument("--adapter", metavar="A")
    bench.add_argument("--prompt-tokens", type=int, default=256, metavar="N")
    bench.add_argument("--new-tokens", type=int, default=64, metavar="N")
    bench.add_argument("--repeats", type=int, default=3, metavar="N")
    bench.add_argument("--window", action="store_true", help="measure the window's start instead")
    bench.add_argument("--json", action="store_true", help="one line of JSON, which is also what is printed without it")
    _add_shelf_words(words)
    return parser


def _add_shelf_words(words: argparse._SubParsersAction[_OneSentenceParser]) -> None:
    for word, noun in (("models", "model"), ("adapters", "adapter")):
        actions = words.add_parser(word, help=f"list, choose, add and remove {noun}s").add_subparsers(
            dest="action", required=True, metavar="ACTION", parser_class=_OneSentenceParser
        )
        listing = actions.add_parser("list", help=f"the installed {noun}s")
        listing.add_argument("--json", action="store_true")
        use = actions.add_parser("use", help=f"choose the {noun} to work with")
        use.add_argument("name")
        remove = actions.add_parser("remove", help=f"take a {noun} off the shelf")
        remove.add_argument("name")
        add = actions.add_parser("add", help=f"put a {noun} of your own on the shelf")
        add.add_argument("path", type=Path, metavar="PATH")
        if word == "adapters":
            use.add_argument("--unmeasured", action="store_true", help="even if nobody has measured what it does")
            actions.add_parser("none", help="work without an adapter")
        else:
            download = actions.add_parser("download", help="bring a model from a hub; this connects")
            download.add_argument("id", metavar="ID", help="OWNER/NAME, or a name from MHDesk's list")
            verify = actions.add_parser("verify", help="read every byte of a model and compare it")
            verify.add_argument("name")
