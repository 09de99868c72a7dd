"""Processes in namespaces of their own, where a disk can be full or read-only even for root."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def in_namespace(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a user and mount namespace of its own, where file systems can be remounted."""
    command = ["unshare", "-rm", sys.executable, "-c", textwrap.dedent(script), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if "unshare failed" in result.stderr:
        pytest.skip("this machine allows no namespaces")
    return result
