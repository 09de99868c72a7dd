"""runApp.py as a person meets it: real processes in a tree where nothing was installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from bare_tree import Tree, make_wheel

posix = pytest.mark.skipif(os.name == "nt", reason="looks into a POSIX environment")


def told(finished: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """What the stand-in for the app printed."""
    assert finished.stderr.count("Traceback") == 0
    answer: dict[str, object] = json.loads(finished.stdout)
    return answer


def last_line(finished: subprocess.CompletedProcess[str]) -> str:
    return finished.stderr.splitlines()[-1]


@pytest.mark.parametrize("word", ["chat", "screen", "--help", "no-such-word"])
def test_before_set_up_a_word_gets_one_sentence_and_nothing_on_stdout(tree: Tree, word: str) -> None:
    finished = tree.run(word)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr == "MHDesk is not set up yet: run python runApp.py setup\n"
    assert not tree.venv.exists()


def test_the_engines_flag_asks_for_no_set_up(tree: Tree) -> None:
    assert told(tree.run("--engine-child", "--script", "x"))["words"] == ["--script", "x"]
    assert not tree.venv.exists()


def test_set_up_ends_in_the_app_run_by_the_new_interpreter(tree: Tree) -> None:
    answer = told(tree.run("setup"))
    assert answer == {
        "from": "mhdesk.cli",
        "words": ["setup"],
        "python": str(tree.venv / "bin" / "python"),
        "pythonpath": None,
    }
    assert (tree.venv / "mhdesk-setup.json").exists()


@posix
def test_a_finished_set_up_is_not_repeated(half_made_tree: Tree) -> None:
    tree = half_made_tree
    assert told(tree.run())["from"] == "mhdesk.ui.app"
    log = tree.venv / "mhdesk-setup.log"
    log.unlink()
    for word in ("models", "setup"):
        assert told(tree.run(word))["words"] == [word]
    assert told(tree.run())["words"] == []
    assert not log.exists()


@posix
def test_the_apps_exit_code_is_the_programs(half_made_tree: Tree) -> None:
    half_made_tree.run("setup")
    assert half_made_tree.run("seven").returncode == 7


@posix
def test_changed_requirements_are_installed_anew(half_made_tree: Tree) -> None:
    tree = half_made_tree
    tree.run("setup")
    (tree.folder / "requirements.txt").write_text("tinything==2.0\n")
    assert tree.run("models").returncode == 2
    assert tree.run("setup").returncode == 0
    assert (tree.site_packages / "tinything.py").read_text() == "VERSION = '2.0'\n"


@posix
def test_a_package_that_was_cut_off_is_installed_again(half_made_tree: Tree) -> None:
    tree = half_made_tree
    record = tree.site_packages / "tinything-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: tinything\nVersion: 1.0\n")
    assert tree.run("setup").returncode == 0
    assert (tree.site_packages / "tinything.py").exists()


@posix
def test_an_environment_whose_python_does_not_run_is_made_again(half_made_tree: Tree) -> None:
    tree = half_made_tree
    tree.run("setup")
    for name in ("python", "python3"):
        (tree.venv / "bin" / name).unlink(missing_ok=True)
    (tree.venv / "bin" / "python").symlink_to("/no/such/python")
    assert tree.run("models").returncode == 2
    assert tree.run("setup").returncode == 0
    assert told(tree.run("models"))["words"] == ["models"]


@posix
def test_a_folder_that_only_has_the_name_keeps_its_files(tree: Tree) -> None:
    tree.venv.mkdir()
    (tree.venv / "mine.txt").write_text("kept")
    assert tree.run("setup").returncode == 0
    assert (tree.venv / "mine.txt").read_text() == "kept"


@posix
def test_an_interpreter_that_has_every_pin_is_used_as_it_is(half_made_tree: Tree, tmp_path: Path) -> None:
    tree = half_made_tree
    own = tmp_path / "own"
    shutil.move(tree.venv, own)
    python = own / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-r", tree.folder / "requirements.txt"],
        env=tree.variables,
        check=True,
        capture_output=True,
    )
    for words in (["models"], ["setup"], []):
        assert told(tree.run(*words, python=python))["python"] == str(python)
    assert not tree.venv.exists()


@posix
def test_pythonpath_reaches_neither_pip_nor_the_app(half_made_tree: Tree, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "pip.py").write_text("raise SystemExit('the wrong pip')\n")
    answer = told(half_made_tree.run("setup", PYTHONPATH=str(foreign)))
    assert answer["pythonpath"] is None


@posix
def test_a_package_that_cannot_be_had_is_named_with_the_log(half_made_tree: Tree) -> None:
    tree = half_made_tree
    (tree.folder / "requirements.txt").write_text("tinything==3.0\n")
    finished = tree.run("setup")
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert "tinything==3.0 is not offered" in last_line(finished)
    assert str(tree.venv / "mhdesk-setup.log") in last_line(finished)
    assert "Traceback" not in finished.stderr


@posix
def test_a_wheel_that_pip_cannot_read_gets_a_sentence_too(half_made_tree: Tree, tmp_path: Path) -> None:
    broken = make_wheel(tmp_path, "tinything", "1.0")
    broken.write_bytes(broken.read_bytes()[:100])
    finished = half_made_tree.run("setup", PIP_FIND_LINKS=str(tmp_path))
    assert finished.returncode == 2
    assert last_line(finished).startswith("Installing packages could not be finished: ")
    assert "Traceback" not in finished.stderr


@posix
def test_a_download_that_is_not_the_expected_file_is_refused(half_made_tree: Tree, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "tinything", "1.0")
    page = tmp_path / "links.html"
    page.write_text(f'<!DOCTYPE html><a href="{wheel.as_uri()}#sha256={"0" * 64}">{wheel.name}</a>')
    finished = half_made_tree.run("setup", PIP_FIND_LINKS=str(page))
    assert finished.returncode == 2
    assert "(wrong hash)" in last_line(finished)
    assert not (half_made_tree.venv / "mhdesk-setup.json").exists()
