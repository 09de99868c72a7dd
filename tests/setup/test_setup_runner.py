"""tests/run.py: what it counts and says last."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from bare_tree import ROOT

SUITE = """
import pytest
def test_passes(): pass
def test_fails(): raise AssertionError
@pytest.mark.skip(reason="to be counted")
def test_skipped(): pass
@pytest.fixture
def broken(): raise RuntimeError
def test_errs(broken): pass
@pytest.mark.xfail(strict=True)
def test_expected(): raise AssertionError
"""


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mhdesk_test_runner", ROOT / "tests" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_real_report_is_counted_with_errors_as_failures(runner: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(SUITE)
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "."]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert runner.count_of_report(report) == runner.Count(passed=1, failed=2, skipped=2)


def test_a_missing_or_cut_off_report_counts_nothing(runner: ModuleType, tmp_path: Path) -> None:
    cut_off = tmp_path / "report.xml"
    cut_off.write_text("<testsuites><testsuite><testcase")
    assert runner.count_of_report(cut_off) == runner.Count()
    assert runner.count_of_report(tmp_path / "none.xml") == runner.Count()


@pytest.mark.parametrize(
    ("numbers", "line", "code"),
    [
        ((5, 0, 0), "5 passed, 0 failed", 0),
        ((5, 0, 2), "5 passed, 0 failed, 2 skipped", 0),
        ((5, 1, 0), "5 passed, 1 failed", 1),
        ((0, 0, 0), "0 passed, 1 failed", 1),
        ((0, 0, 3), "0 passed, 1 failed, 3 skipped", 1),
    ],
    ids=["all passed", "some skipped", "one failed", "nothing ran", "all skipped"],
)
def test_the_closing_line_stands_alone_and_last(
    runner: ModuleType, capsys: pytest.CaptureFixture[str], numbers: tuple[int, int, int], line: str, code: int
) -> None:
    assert runner.close(runner.Count(*numbers)) == code
    assert capsys.readouterr().out == f"{line}\n"
