"""`doctor`: what this machine has, what the program would do on it, and what it would refuse."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from typing import Any

import psutil

from mhdesk import __version__
from mhdesk.commands.json_lines import write_line
from mhdesk.core.errors import MHDeskError
from mhdesk.core.offline import connections_made, connections_refused
from mhdesk.core.paths import UserPaths
from mhdesk.engine import protocol
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.process import EngineProcess
from mhdesk.library.adapter_folder import check_adapter_folder, check_fits, read_card
from mhdesk.library.admission import admitted_context
from mhdesk.library.alternatives import needs_of_others
from mhdesk.library.memory_available import memory_available
from mhdesk.library.model_folder import check_model_folder, read_manifest
from mhdesk.library.shelf import Pair, Shelf
from mhdesk.safety.faults import FaultCounter


def run_doctor(*, as_json: bool) -> int:
    """Print the report. Exit code 0 even where it has bad news: the news is the answer."""
    report = asyncio.run(_report())
    if as_json:
        write_line(report)
        return 0
    for name, value in report.items():
        shown = "; ".join(map(str, value)) if isinstance(value, list) else value
        sys.stdout.write(f"{name.replace('_', ' ')}: {shown if shown not in ('', None) else 'none'}\n")
    return 0


async def _report() -> dict[str, Any]:
    paths = UserPaths.from_environment()
    shelf = Shelf(paths)
    pair = _pair(shelf)
    hello, connections, trouble = await _ask_engine()
    refused = [*_refusals(shelf), *([pair.warning] if pair.warning else []), *([trouble] if trouble else [])]
    memory = psutil.virtual_memory()
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "memory_bytes": memory.total,
        "memory_available_bytes": memory_available(),
        "cpu": platform.processor() or platform.machine(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "cpu_features": hello.cpu if hello else None,
        "kernel": hello.kernel if hello else None,
        "model": pair.model.name if pair.model else None,
        "adapter": pair.adapter.name if pair.adapter else None,
        "data_directory": str(paths.home),
        "connections": connections_made() + connections,
        "connections_refused": connections_refused(),
        "safety_faults": FaultCounter(paths.fault_counts_file).counts(),
        "refused": refused,
    }


def _pair(shelf: Shelf) -> Pair:
    try:
        return shelf.pair()
    except MHDeskError as error:
        return Pair(None, None, error.sentence)


async def _ask_engine() -> tuple[protocol.Hello | None, int, str]:
    """A fresh child's introduction, the connections it has made, and what was wrong with it."""
    try:
        process = await EngineProcess.start(engine_command())
        try:
            hello = await process.receive()
            await process.send(protocol.Measure(1))
            measured = await process.receive()
        finally:
            await process.end()
    except MHDeskError as error:
        return None, 0, error.sentence
    if isinstance(hello, protocol.Hello) and isinstance(measured, protocol.Measured):
        return hello, measured.connections, ""
    return None, 0, "The engine process did not introduce itself."


def _refusals(shelf: Shelf) -> list[str]:
    sentences = []
    for folder in shelf.models().values():
        try:
            shape = check_model_folder(folder)
            weights = read_manifest(folder).weights_bytes
            admitted_context(folder.name, shape, weights, memory_available(), others=needs_of_others(folder.parent))
        except MHDeskError as error:
            sentences.append(error.sentence)
    manifests = shelf.manifests()
    bases = {manifest.weights_sha256: manifest for manifest in manifests.values()}
    for folder in shelf.adapters().values():
        try:
            check_adapter_folder(folder)
            card = read_card(folder)
            check_fits(folder, card, bases.get(card.base_sha256) or next(iter(manifests.values())))
        except MHDeskError as error:
            sentences.append(error.sentence)
        except StopIteration:
            sentences.append(f"The adapter {folder.name} has no model to work with.")
    return sentences
