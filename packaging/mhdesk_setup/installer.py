"""Runs pip and watches it: short progress, a full log, one sentence when it fails."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from mhdesk_setup.environment import clean_environment
from mhdesk_setup.progress import Progress
from mhdesk_setup.sentences import AGAIN, SetUpError, explain_output

_TICK_SECONDS = 0.5
_GRACE_SECONDS = 10
_FILE = re.compile(r"(?P<name>[A-Za-z0-9][\w.]*)-(?P<version>\d[^-]*)-\S+\.whl\S*(?P<size> \([\d.]+ [kMG]?B\))?")


def install(python: Path, arguments: Sequence[str], site_packages: Path, log: Path, progress: Progress) -> None:
    """Run `pip install` with `arguments` in the environment of `python`.

    The pip settings of the machine and of the user (files and PIP_ variables) hold, as for any pip.

    Raises:
        SetUpError: pip did not succeed; the sentence names the log.
    """
    command = [
        str(python), "-I", "-u", "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
        "--progress-bar", "off", *arguments,
    ]  # fmt: skip
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as record,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=clean_environment() | {"PYTHONUTF8": "1"},
        ) as pip,
    ):
        try:
            _watch(pip, record, site_packages, progress)
            code = pip.wait()
        except BaseException:
            _end(pip)
            raise
    if code < 0:
        raise SetUpError(
            f"Installing packages stopped because the system ended pip, perhaps for want of memory; {AGAIN} "
            f"(the full log is {log})."
        )
    if code > 0:
        raise SetUpError(explain_output("Installing packages", log.read_text(encoding="utf-8"), log))


def short_word(line: str) -> str:
    """What a line of pip's output is worth telling: "torch 2.13.0 (191 MB)", or an empty string."""
    verb, _, rest = line.strip().partition(" ")
    if verb == "Collecting":
        return rest.partition(" (from")[0].replace("==", " ")
    if verb in ("Downloading", "Using", "Processing"):
        file = _FILE.search(rest)
        return f"{file['name']} {file['version']}{file['size'] or ''}" if file else ""
    if verb == "WARNING:" and rest.startswith("Retrying"):
        return "waiting for the network"
    return ""


def _watch(pip: subprocess.Popen[str], record: IO[str], site_packages: Path, progress: Progress) -> None:
    shown, total, before = "reading what is needed", 0, 0
    for line in _lines_and_ticks(pip):
        if line:
            record.write(line)
            shown = short_word(line) or shown
            if line.startswith("Installing collected packages:"):
                total, before = line.count(",") + 1, _count(site_packages)
        if total:
            # pip says nothing while it unpacks, but each finished package leaves its record.
            shown = f"unpacking {min(total, max(0, _count(site_packages) - before) + 1)} of {total}"
        progress.indicate(shown)


def _lines_and_ticks(pip: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of pip's output as they come, and an empty string whenever none came for a while."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        if pip.stdout is not None:
            for line in pip.stdout:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            line = ""
        if line is None:
            return
        yield line


def _count(site_packages: Path) -> int:
    return sum(1 for _ in site_packages.glob("*.dist-info"))


def _end(pip: subprocess.Popen[str]) -> None:
    pip.terminate()
    try:
        pip.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pip.kill()
