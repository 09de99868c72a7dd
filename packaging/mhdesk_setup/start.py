"""What runApp.py asks before the app: go on in this interpreter, in that of `.venv`, or set up first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from mhdesk_setup import system_libraries
from mhdesk_setup.environment import Environment, clean_environment
from mhdesk_setup.pins import Requirements
from mhdesk_setup.preparation import prepare_interpreter, prepare_window, ready_interpreter
from mhdesk_setup.progress import Progress
from mhdesk_setup.sentences import AGAIN, SetUpError, explain_os_error

PREPARED = "--prepared"
"""First word of a start that was made by an earlier one, which has seen to everything."""

NOT_SET_UP = "MHDesk is not set up yet: run python runApp.py setup"
STOPPED = f"Set-up was stopped; {AGAIN}."
EXIT_FAILED = 2
EXIT_STOPPED = 130


def arguments_for_app(root: Path, arguments: list[str]) -> list[str]:
    """Return the app's arguments if the running interpreter is the one for it.

    Otherwise this program is replaced by itself in that interpreter, or ends with one sentence on stderr: exit code 2
    if set-up is needed or failed, 130 if it was stopped.
    """
    if arguments[:1] == [PREPARED]:
        return arguments[1:]
    progress = Progress()
    try:
        python = _interpreter(root, arguments, progress)
        if python == Path(sys.executable):
            return arguments
        _start_again(python, root / "runApp.py", arguments)
    except KeyboardInterrupt:
        _end(progress, STOPPED, EXIT_STOPPED)
    except SetUpError as failure:
        _end(progress, failure.sentence, EXIT_FAILED)
    except OSError as error:
        _end(progress, explain_os_error(error), EXIT_FAILED)


def _interpreter(root: Path, arguments: list[str], progress: Progress) -> Path:
    environment = Environment(root / ".venv")
    requirements = Requirements((root / "requirements.txt",))
    opens_window = not arguments
    asks_for_set_up = arguments[:1] == ["setup"]
    python = ready_interpreter(environment, requirements)
    if python is None and not (opens_window or asks_for_set_up):
        raise SetUpError(NOT_SET_UP)
    if python is None or asks_for_set_up:
        python = prepare_interpreter(environment, requirements, progress)
        still_missing = prepare_window(progress)
    elif opens_window and system_libraries.missing_packages():
        still_missing = prepare_window(progress)
    else:
        return python
    if still_missing and opens_window:
        raise SetUpError(still_missing)
    if still_missing:
        progress.note(still_missing)
    return python


def _start_again(python: Path, program: Path, arguments: list[str]) -> NoReturn:
    command = [str(python), str(program), PREPARED, *arguments]
    if os.name != "nt":
        os.execve(command[0], command, clean_environment())  # noqa: S606 - no shell is wanted
    # On Windows the exec functions return to the console at once; so this process stays and passes the exit code on.
    with subprocess.Popen(command, env=clean_environment()) as app:
        while True:
            try:
                raise SystemExit(app.wait())
            except KeyboardInterrupt:
                continue


def _end(progress: Progress, sentence: str, code: int) -> NoReturn:
    progress.broken_off()
    (sys.stderr or open(os.devnull, "w")).write(f"{sentence}\n")  # noqa: SIM115, PTH123
    raise SystemExit(code)
