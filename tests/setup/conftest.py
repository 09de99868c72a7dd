"""Set-up is tested in empty trees, with pip served from a folder of small wheels: nothing is downloaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from bare_tree import ROOT, Tree, lay_out, make_wheel

sys.path.append(str(ROOT / "packaging"))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "tinything", "1.0")
    make_wheel(folder, "tinything", "2.0")
    return folder


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has no packages, not even pip."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture(scope="session")
def plain_variables(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> dict[str, str]:
    """As little of the machine as possible; pip knows the folder of wheels and no index."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        "QT_QPA_PLATFORM": "offscreen",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
    }


@pytest.fixture
def tree(tmp_path: Path, bare_python: Path, plain_variables: dict[str, str]) -> Tree:
    """Nothing is set up yet."""
    folder = tmp_path / "a tree"
    folder.mkdir()
    lay_out(folder)
    return Tree(folder, bare_python, plain_variables)


@pytest.fixture(scope="session")
def environment_with_pip(tmp_path_factory: pytest.TempPathFactory, bare_python: Path) -> Path:
    """What set-up makes before it installs: made once, since ensurepip takes seconds."""
    folder = tmp_path_factory.mktemp("template") / ".venv"
    subprocess.run([bare_python, "-I", "-m", "venv", folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def half_made_tree(tree: Tree, environment_with_pip: Path) -> Tree:
    """The environment is there, its packages are not."""
    shutil.copytree(environment_with_pip, tree.venv, symlinks=True)
    return tree
