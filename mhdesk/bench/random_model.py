"""`python -m mhdesk.bench.random_model`: a model of random weights in the shape of a real one, to measure with.

Prints progress on standard error and one line of JSON on standard output: `path, form, parameters, bytes, seconds`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mhdesk.commands.json_lines import write_line
from mhdesk.core.errors import BadInput, MHDeskError
from mhdesk.core.offline import stay_offline
from mhdesk.engine.client.jobs import run_job
from mhdesk.engine.client.launch import engine_command
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.json_file import BadJsonFile, read_json_object

FORMS = ("full", "gguf-f16", "gguf-q8_0", "gguf-q4_0")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message[:1].upper()}{message[1:].rstrip('.')}. See: {self.prog} --help")


def main(arguments: Sequence[str]) -> int:
    """Exit code 0, or 2 with one plain sentence on standard error."""
    stay_offline()
    try:
        options = _parser().parse_args(arguments)
        job = {
            "config": _config_of(options.shape),
            "target": str(Path(options.target).absolute()),
            "form": options.form,
            "seed": options.seed,
        }
        write_line(asyncio.run(run_job(engine_command(), "random_model", job, _progress)))
    except MHDeskError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. The same command can be run again.\n")
        return 130
    return 0


def _config_of(shape: str) -> Mapping[str, Any]:
    if not shape.endswith(".json"):
        return Catalogue.load().find(shape).config
    try:
        return read_json_object(Path(shape))
    except BadJsonFile as error:
        raise BadInput(f"The shape cannot be read: {error}. Please name a model's config.json.") from None


def _progress(sentence: str, fraction: float | None) -> None:
    sys.stderr.write(f"{sentence}\n" if fraction is None else f"{sentence} {fraction:.0%}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m mhdesk.bench.random_model", description="Make a model of random weights.")
    parser.add_argument("shape", metavar="SHAPE", help="a known model's name, or a path to a config.json")
    parser.add_argument("target", metavar="TARGET", help="the folder to make, or for GGUF the file")
    parser.add_argument("--form", choices=FORMS, required=True)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same values")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
