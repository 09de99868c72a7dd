"""The environment `.venv` beside runApp.py: made, found broken, and stamped once its packages are complete."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mhdesk_setup.pins import FINISHED, Requirements
from mhdesk_setup.sentences import SetUpError, explain_output
from mhdesk_setup.version import unsupported_python

_PROBE = "import sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_path('purelib'))"
_PROBE_WITH_PIP = f"import pip; {_PROBE}"
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
_PROBE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Environment:
    """`folder` is the virtual environment, `stamp_name` the file in it that is written when an install is complete."""

    folder: Path
    stamp_name: str = "mhdesk-setup.json"

    @property
    def python(self) -> Path:
        """Its interpreter, which need not exist."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def log(self) -> Path:
        """All that pip printed at the last install."""
        return self.folder / "mhdesk-setup.log"

    def is_ready(self, requirements: Requirements) -> bool:
        """Whether a finished install of exactly these requirements is stamped. Takes no more than reading two files."""
        try:
            stamp = json.loads((self.folder / self.stamp_name).read_text(encoding="utf-8"))
            return bool(
                stamp["requirements_sha256"] == requirements.digest()
                and stamp["interpreter"] == os.path.realpath(self.python)
                and self.python.is_file()
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def stamp(self, requirements: Requirements, version: str) -> None:
        """Say that the install is complete. Written last, and whole or not at all."""
        content = {
            "requirements_sha256": requirements.digest(),
            "python": version,
            "interpreter": os.path.realpath(self.python),
        }
        unfinished = self.folder / f"{self.stamp_name}.new"
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self.folder / self.stamp_name)

    def unstamp(self) -> None:
        """Take back what an earlier install said, since this one changes it."""
        (self.folder / self.stamp_name).unlink(missing_ok=True)

    def probe(self) -> tuple[str, Path] | None:
        """Python's version and the site-packages folder, or None if the environment cannot be used as it is."""
        return self._ask(_PROBE_WITH_PIP)

    def make(self) -> tuple[str, Path]:
        """Make the environment with the running interpreter, in place of a broken one. Returns what `probe` does.

        Raises:
            SetUpError: it could not be made.
        """
        if not (_has_module("venv") and _has_module("ensurepip")):
            package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
            raise SetUpError(
                f"This Python cannot make a virtual environment; please install the package {package} "
                f"(on Debian or Ubuntu: sudo apt-get install {package}) and run the same command again."
            )
        # Only a virtual environment whose Python does not run is cleared. One without pip gets pip, and a folder that
        # merely has this name keeps its files.
        broken = (self.folder / "pyvenv.cfg").exists() and self._ask(_PROBE) is None
        clear = ["--clear"] if broken else []
        finished = subprocess.run(
            [sys.executable, "-I", "-m", "venv", *clear, self.folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=clean_environment(),
            check=False,
        )
        found = self.probe() if finished.returncode == 0 else None
        if found is None:
            # ensurepip hides pip's words; the disk says more.
            full = _is_full(self.folder.parent)
            output = "No space left on device" if full else finished.stdout
            raise SetUpError(explain_output("Making the environment", output))
        return found

    def _ask(self, question: str) -> tuple[str, Path] | None:
        try:
            answer = subprocess.run(
                [self.python, "-I", "-c", question],
                capture_output=True,
                encoding="utf-8",
                timeout=_PROBE_SECONDS,
                env=clean_environment(),
                check=True,
            ).stdout
            major, minor, folder = answer.strip().split(" ", 2)
        except (OSError, ValueError, subprocess.SubprocessError):
            return None
        return None if unsupported_python(int(major), int(minor)) else (f"{major}.{minor}", Path(folder))


def clean_environment() -> dict[str, str]:
    """This process's variables without those that would lead an environment's Python or pip to other packages."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return kept | {"PIP_USER": "0"}


def drop_half_installed(site_packages: Path) -> list[str]:
    """Remove the records of packages whose install was cut off, since pip would take them for installed ones.

    Returns the names of the records.
    """
    unfinished = [record for record in site_packages.glob("*.dist-info") if not (record / FINISHED).exists()]
    for record in unfinished:
        shutil.rmtree(record)
    return [record.name for record in unfinished]


def _has_module(name: str) -> bool:
    found = importlib.util.find_spec(name)
    return found is not None and found.origin is not None


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < 32 * 2**20
