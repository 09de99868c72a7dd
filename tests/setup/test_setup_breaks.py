"""Set-up stopped from outside: Ctrl-C, a full disk, a Python without venv, two set-ups at once."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from bare_tree import Tree
from mhdesk_setup.exclusive import one_at_a_time
from mhdesk_setup.progress import Progress

pytestmark = pytest.mark.skipif(os.name == "nt", reason="uses POSIX signals and mounts")


def in_own_mounts(script: str, tree: Tree) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount things without anyone else seeing them."""
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-euc", script],
        cwd=tree.folder.parent,
        env=tree.variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def can_mount() -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    script = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(script, capture_output=True, check=False).returncode == 0


own_mounts = pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount a small disk of their own")


def children_of(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_ctrl_c_ends_set_up_and_pip_with_one_sentence_and_a_second_start_goes_on(half_made_tree: Tree) -> None:
    tree = half_made_tree
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        setting_up = tree.start("setup", PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL=index)
        silent.settimeout(60)
        connection, _ = silent.accept()  # pip is asking, and waits for ever
        with connection:
            pip = children_of(setting_up.pid)
            assert len(pip) == 1
            setting_up.send_signal(signal.SIGINT)
            stdout, stderr = setting_up.communicate(timeout=60)
    assert setting_up.returncode == 130
    assert stdout == ""
    assert stderr.splitlines()[-1] == "Set-up was stopped; run the same command again to go on."
    assert "Traceback" not in stderr
    assert not Path(f"/proc/{pip[0]}").exists()
    assert tree.run("setup").returncode == 0


@own_mounts
@pytest.mark.parametrize("size", ["2m", "40m"], ids=["while making the environment", "while installing"])
def test_a_full_disk_is_named_and_leaves_no_stamp(tree: Tree, size: str) -> None:
    # The larger disk takes the environment (about 30 MB with pip), and a file takes what is left of it before pip runs.
    (tree.folder.parent / "disk").mkdir()
    script = f"""
        mount -t tmpfs -o size={size} none disk
        cp -r "a tree/." disk
        cd disk
        if [ {size} = 40m ]; then
            "{tree.python}" -I -m venv .venv
            dd if=/dev/zero of=filler bs=4096 2>/dev/null || true
        fi
        "{tree.python}" runApp.py setup || code=$?
        test ! -e .venv/mhdesk-setup.json
        exit $code
    """
    finished = in_own_mounts(script, tree)
    assert "disk is full" in finished.stderr.splitlines()[-1]
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr


@own_mounts
def test_a_tree_that_may_not_be_written_to_gets_a_sentence(tree: Tree) -> None:
    read_only = 'mount --bind "a tree" "a tree"; mount -o remount,bind,ro "a tree"'
    finished = in_own_mounts(f'{read_only}; cd "a tree"; exec "{tree.python}" runApp.py setup', tree)
    assert finished.returncode == 2
    assert "may not be written to" in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.stderr


@own_mounts
def test_a_python_without_venv_gets_the_name_of_the_package(tree: Tree) -> None:
    # Debian packs ensurepip apart from Python.
    ensurepip = Path(sysconfig.get_path("stdlib")) / "ensurepip"
    finished = in_own_mounts(
        f'mount -t tmpfs none "{ensurepip}"; cd "a tree"; exec "{tree.python}" runApp.py setup', tree
    )
    assert finished.returncode == 2
    assert f"python3.{sys.version_info[1]}-venv" in finished.stderr.splitlines()[-1]
    assert not tree.venv.exists()


def test_a_second_set_up_waits_for_the_first(half_made_tree: Tree) -> None:
    tree = half_made_tree
    with one_at_a_time(tree.folder / "requirements.txt", Progress()):
        second = tree.start("setup")
        time.sleep(1)
        assert second.poll() is None
        assert not (tree.venv / "mhdesk-setup.json").exists()
    _, stderr = second.communicate(timeout=60)
    assert "Another set-up of MHDesk is running here" in stderr
    assert second.returncode == 0
