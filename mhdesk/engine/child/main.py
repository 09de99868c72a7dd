"""The engine process: claims the pipe, goes offline, answers commands until its parent is gone."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from mhdesk.core.errors import MHDeskError
from mhdesk.core.offline import connections_made, stay_offline
from mhdesk.engine import protocol
from mhdesk.engine.child.backend import Backend
from mhdesk.engine.child.memory import memory_of_this_process
from mhdesk.engine.child.pipe import claim_standard_output, read_line
from mhdesk.engine.child.worker import Worker

log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> NoReturn:
    """Run until standard input ends, which it does however the parent ends."""
    writer = claim_standard_output(sys.stdout)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="engine: %(levelname)s %(name)s: %(message)s")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it tells of kernels it would like to download
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the window decides what ends
    stay_offline()
    backend = _backend(arguments)
    worker = Worker(backend, writer.send)
    writer.send(protocol.Hello(0, os.getpid(), backend.name, backend.kernel, backend.cpu))
    while (line := read_line(sys.stdin.buffer)) is not None:
        try:
            command = protocol.decode(line, protocol.COMMANDS)
        except MHDeskError as error:
            log.warning("a command was refused")
            writer.send(protocol.Failed(0, error.sentence))
            continue
        match command:
            case protocol.Cancel():
                worker.cancel(command.turn)
            case protocol.Measure():
                memory = memory_of_this_process()
                writer.send(
                    protocol.Measured(command.turn, memory.rss_bytes, memory.peak_rss_bytes, connections_made())
                )
            case _:
                worker.submit(command)
    os._exit(0)  # the worker may be deep in a matrix product, and nobody waits for it any more


def _backend(arguments: Sequence[str]) -> Backend:
    parser = argparse.ArgumentParser(prog="MHDesk engine", add_help=False)
    parser.add_argument("--script", type=Path)
    script = parser.parse_args(arguments).script
    if script is not None:
        from mhdesk.engine.child.scripted import ScriptedBackend

        return ScriptedBackend.from_file(script)
    from mhdesk.engine.child.llama import LlamaBackend

    return LlamaBackend()
