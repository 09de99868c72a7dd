"""MHDesk's one way in: `python runApp.py` opens the window, `python runApp.py WORD …` runs without one.

The engine's flag comes before everything, so that neither set-up nor Qt delays it. From source, `mhdesk_setup` then
finds or makes the environment, where need be by starting this file again in it. A frozen program carries its own.
"""

import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent


def run_engine_child(arguments: "list[str]") -> NoReturn:
    """Serve the engine's protocol on this process's pipes until the parent goes."""
    from mhdesk.engine.child.main import main

    main(arguments)


def run_app(arguments: "list[str]") -> int:
    """Open the window, or run the command line if there is a first word. Returns the exit code."""
    if arguments:
        from mhdesk.cli import main as run_command

        return run_command(arguments)
    from mhdesk.ui.app import main as open_window

    return open_window(arguments)


def prepare(arguments: "list[str]") -> "list[str]":
    """Return what is left for the app once this interpreter has all it needs; ends the process where it cannot."""
    sys.path.append(str(ROOT / "packaging"))
    from mhdesk_setup.version import unsupported_python

    problem = unsupported_python(*sys.version_info[:2])
    if problem:
        sys.stderr.write(problem + "\n")
        sys.exit(2)
    from mhdesk_setup.start import arguments_for_app

    return arguments_for_app(ROOT, arguments)


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["--engine-child"]:
        run_engine_child(words[1:])
    sys.exit(run_app(words if getattr(sys, "frozen", False) else prepare(words)))
