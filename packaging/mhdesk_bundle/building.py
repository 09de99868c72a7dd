"""Checks what the bundle is made of, lets PyInstaller make it, and starts the result once."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mhdesk_setup.progress import Progress

from mhdesk.core.errors import MHDeskError
from mhdesk.core.paths import UserPaths
from mhdesk.library.model_folder import check_model_folder, read_manifest
from mhdesk.library.starter import StarterModel

_STAGES = re.compile(r"\d+ INFO: (Analyzing|Processing|Performing|Looking|Building|Copying|Completed)\b")


class BuildFailed(Exception):
    """There is no bundle. The text is the sentence that says why."""


def run(root: Path, arguments: list[str]) -> int:
    """Build dist/MHDesk under `root`. Exit code 0, 2 with one sentence if it failed, 130 if it was stopped."""
    options = _parser().parse_args(arguments)
    progress = Progress(steps=3)
    began = time.monotonic()
    try:
        progress.begin("Model")
        model = options.model.expanduser().resolve() if options.model else _starter_folder()
        check_model(model)
        progress.end(model.name)
        progress.begin("Bundle")
        bundle = freeze(root, model, progress)
        strip_torch(bundle)
        progress.end(f"{size_of(bundle) / 1e6:.0f} MB")
        progress.begin("First start")
        progress.end(first_start(bundle))
    except BuildFailed as failure:
        progress.broken_off()
        sys.stderr.write(f"{failure}\n")
        return 2
    except KeyboardInterrupt:
        progress.broken_off()
        sys.stderr.write("The build was stopped; run the same command to start it again.\n")
        return 130
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    sys.stdout.write(
        f"The bundle is ready: {executable_in(bundle)}, {size_of(bundle) / 1e6:.0f} MB with {model.name}, "
        f"built in {minutes} min {seconds} s.\n"
    )
    return 0


def check_model(folder: Path) -> None:
    """Refuse a folder that is no finished 8-bit model.

    Raises:
        BuildFailed: with what to do.
    """
    try:
        check_model_folder(folder)
        read_manifest(folder)
    except MHDeskError as error:
        raise BuildFailed(
            f"{error.sentence.split('. ')[0].rstrip('.')} ({folder}): run python runApp.py setup, "
            "or name a finished folder with --model."
        ) from None


def freeze(root: Path, model: Path, progress: Progress) -> Path:
    """Run PyInstaller on mhdesk.spec, telling its stages, and give the folder it made.

    Raises:
        BuildFailed: it failed; its log says why.
    """
    work, bundle = root / "build", root / "dist" / "MHDesk"
    log = work / "pyinstaller.log"
    try:
        work.mkdir(exist_ok=True)
        shutil.rmtree(bundle, ignore_errors=True)
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--distpath", str(bundle.parent),
                   "--workpath", str(work), str(root / "packaging" / "mhdesk.spec"),
                   "--", "--model", str(model)]  # fmt: skip
        # The hash seed makes two builds of the same files alike.
        variables = os.environ | {"PYTHONHASHSEED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        with log.open("w", encoding="utf-8") as copy:
            code = _follow(command, work, variables, copy.write, progress)
    except OSError as error:
        raise BuildFailed(f"The bundle could not be written: {error.strerror} ({error.filename or work}).") from error
    if code != 0 or not executable_in(bundle).is_file():
        shutil.rmtree(bundle, ignore_errors=True)
        raise BuildFailed(f"PyInstaller failed; the end of {log} says why.")
    return bundle


def strip_torch(bundle: Path) -> None:
    """Take the symbol tables, which only debuggers read, out of torch's libraries: 75 MB less. Linux, if it has strip.

    Not PyInstaller's own `strip`, which breaks libraries that were patched after linking, such as numpy's.
    """
    tool = shutil.which("strip") if sys.platform == "linux" else None
    if tool is not None:
        for library in sorted((bundle / "_internal" / "torch" / "lib").glob("libtorch_*.so")):
            subprocess.run([tool, "--strip-unneeded", library], stderr=subprocess.DEVNULL, check=False)


def first_start(bundle: Path) -> str:
    """Let the new program examine itself, which starts its engine once. Gives its version.

    Raises:
        BuildFailed: it does not start, its engine does not, or it does not see its model.
    """
    with tempfile.TemporaryDirectory(prefix="mhdesk-build-") as home:
        try:
            told = subprocess.run(
                [executable_in(bundle), "doctor", "--json"], env=os.environ | {"MHDESK_HOME": home},
                capture_output=True, text=True, timeout=300, check=True,
            )  # fmt: skip
            report = json.loads(told.stdout)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise BuildFailed(f"The bundle was built but does not start ({type(error).__name__}).") from error
    if not (report["kernel"] and report["model"]):
        raise BuildFailed(f"The bundle was built but is of no use: {' '.join(report['refused']) or 'no model in it'}")
    return f"MHDesk {report['version']}, kernel {report['kernel']}"


def executable_in(bundle: Path) -> Path:
    """The program in a bundle's folder."""
    return bundle / ("MHDesk.exe" if sys.platform == "win32" else "MHDesk")


def size_of(folder: Path) -> int:
    """Bytes of all files, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def _follow(
    command: Sequence[str], work: Path, variables: Mapping[str, str], keep: Callable[[str], object], progress: Progress
) -> int:
    # In a folder of its own, so that Python does not take the names of our folders for packages.
    with subprocess.Popen(
        command, cwd=work, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe, by the line above
        for line in process.stdout:
            keep(line)
            if _STAGES.match(line):
                progress.indicate(line.split("INFO: ", 1)[1].strip()[:70])
        return process.wait()


def _starter_folder() -> Path:
    return UserPaths.from_environment().models / StarterModel().name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python packaging/build.py", description="Build the bundle, dist/MHDesk.")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="a finished 8-bit model folder to carry")
    return parser
