"""A copy of what set-up needs in an empty folder, with a stand-in for the app, and wheels made on the spot."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

REPORT = """\
import json, os, sys
def main(arguments):
    print(json.dumps({"from": __name__, "words": arguments, "python": sys.executable,
                      "pythonpath": os.environ.get("PYTHONPATH")}))
    return 7 if arguments == ["seven"] else 0
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy of what set-up needs, in a folder where nothing was installed yet."""

    folder: Path
    python: Path
    variables: dict[str, str]

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    @property
    def site_packages(self) -> Path:
        return next(self.venv.glob("lib/python3*/site-packages"))

    def run(self, *words: str, python: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python or self.python, "runApp.py", *words],
            cwd=self.folder,
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, "runApp.py", *words],
            cwd=self.folder,
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def make_wheel(folder: Path, name: str, version: str) -> Path:
    record = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{record}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{record}/WHEEL": "Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, text in files.items():
            wheel.writestr(inner, text)
        wheel.writestr(f"{record}/RECORD", "".join(f"{inner},,\n" for inner in [*files, f"{record}/RECORD"]))
    return path


def lay_out(folder: Path) -> None:
    """Copy runApp.py and the set-up, and put the stand-in where the app would be."""
    shutil.copy(ROOT / "runApp.py", folder)
    shutil.copytree(
        ROOT / "packaging" / "mhdesk_setup",
        folder / "packaging" / "mhdesk_setup",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (folder / "requirements.txt").write_text("# tiny\ntinything==1.0\n")
    for module in ("mhdesk/cli.py", "mhdesk/ui/app.py", "mhdesk/engine/child/main.py"):
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        (folder / module).write_text(REPORT)
