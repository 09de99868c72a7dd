"""The steps of the set-up in their order. Each can be repeated, and a set-up that was cut off goes on where it was."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from mhdesk_setup import system_libraries, torch_index
from mhdesk_setup.environment import Environment, drop_half_installed
from mhdesk_setup.exclusive import one_at_a_time
from mhdesk_setup.installer import install
from mhdesk_setup.pins import Requirements, installed_versions, unmet_pins
from mhdesk_setup.progress import Progress
from mhdesk_setup.sentences import AGAIN, SetUpError


def ready_interpreter(environment: Environment, requirements: Requirements) -> Path | None:
    """The interpreter that already has everything: the running one or the environment's. None if neither has."""
    running = Path(sys.executable)
    if Path(sys.prefix) == environment.folder and environment.is_ready(requirements):
        return running
    if not unmet_pins(requirements.pins()):
        return running
    return environment.python if environment.is_ready(requirements) else None


def prepare_interpreter(environment: Environment, requirements: Requirements, progress: Progress) -> Path:
    """Steps 1 to 3: an interpreter with all packages, the running one if it has them, else that of `.venv`.

    Raises:
        SetUpError: a step could not be finished.
        OSError: a file could not be read or written.
    """
    progress.begin("Checking Python")
    progress.end(f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}")
    with one_at_a_time(requirements.files[0], progress):
        python = ready_interpreter(environment, requirements)
        progress.begin("Preparing the environment")
        if python is not None:
            progress.end("ready")
            progress.begin("Installing packages")
            progress.end("nothing to do")
            return python
        progress.indicate(str(environment.folder))
        version, site_packages = environment.probe() or environment.make()
        progress.end(f"Python {version}")
        progress.begin("Installing packages")
        progress.end(_install(environment, requirements, version, site_packages, progress))
    return environment.python


def prepare_window(progress: Progress, programs: Mapping[str, str] | None = None) -> str:
    """Step 4: what the window needs of the system. Returns the sentence to show if it is still missing, else ""."""
    progress.begin("Checking what the window needs")
    missing = system_libraries.missing_packages(programs=programs)
    if missing and system_libraries.provide(missing, progress):
        missing = system_libraries.missing_packages(programs=programs)
    progress.end(f"{len(missing)} system packages are missing" if missing else "ready")
    return system_libraries.advice(missing) if missing else ""


def _install(
    environment: Environment, requirements: Requirements, version: str, site_packages: Path, progress: Progress
) -> str:
    environment.unstamp()
    drop_half_installed(site_packages)
    pins = requirements.pins()
    arguments: list[str] = []
    if "torch" in unmet_pins(pins, site_packages):
        arguments, choice = torch_index.index_arguments()
        progress.indicate(choice)
    for file in requirements.files:
        arguments += ["-r", str(file)]
    install(environment.python, arguments, site_packages, environment.log, progress)
    unmet = unmet_pins(pins, site_packages)
    if unmet:
        raise SetUpError(
            f"Installing packages ended without {', '.join(unmet)}; {AGAIN} (the full log is {environment.log})."
        )
    environment.stamp(requirements, version)
    versions = installed_versions(site_packages)
    torch = f", torch {versions['torch']}" if "torch" in versions else ""
    return f"{len(versions)} packages{torch}"
