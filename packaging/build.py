"""The one build command: `.venv/bin/python packaging/build.py [--model FOLDER]` leaves the bundle in dist/MHDesk.

Needs the environment that `python tests/run.py` makes (PyInstaller is in it) and a finished 8-bit model folder: the
starter model that set-up made, unless another one is named. Can be stopped and run again. Progress goes to standard
error, PyInstaller's own log to build/pyinstaller.log; the last line is one sentence.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("PyInstaller", "PySide6", "torch", "transformers", "peft", "bitsandbytes", "platformdirs")


def main(arguments: list[str]) -> int:
    """Build; 0, or 2 with one sentence on standard error."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"This Python lacks {', '.join(missing)}: run python tests/run.py once, "
            "then .venv/bin/python packaging/build.py.\n"
        )
        return 2
    sys.path.insert(0, str(ROOT))
    from mhdesk_bundle.building import run

    return run(ROOT, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
