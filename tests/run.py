"""The one test command: `python tests/run.py [--long] [what pytest takes, such as -k EXPRESSION]`.

Needs nothing but Python: makes the environment, fetches the starter model into a home of its own, then runs ruff,
mypy and pytest. The last line is `N passed, N failed`, with `, N skipped` if there are any; what fails outside pytest
counts as failed. `--long` adds soaks, mass kills and the bundle.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "packaging"))

from mhdesk_setup.version import unsupported_python  # noqa: E402 - its folder is known only now

if unsupported := unsupported_python(*sys.version_info[:2]):
    # Said before the modules below are read, which older Pythons cannot do.
    sys.stdout.write(f"{unsupported}\n0 passed, 1 failed\n")
    sys.exit(2)

from mhdesk_setup.environment import Environment, clean_environment  # noqa: E402
from mhdesk_setup.pins import Requirements  # noqa: E402
from mhdesk_setup.preparation import prepare_interpreter, prepare_window  # noqa: E402
from mhdesk_setup.progress import Progress  # noqa: E402
from mhdesk_setup.sentences import SetUpError, explain_os_error  # noqa: E402

SETUP_STEPS = 4
HANGING_SECONDS = 50 * 60
"""After this long a run without --long hangs: it takes less than half of it."""
CHECKS = {
    "ruff": ["-m", "ruff", "check", "."],
    "mypy": [
        "-m",
        "mypy",
        "--platform",
        "linux",
        "-p",
        "mhdesk",
        "-p",
        "trainer",
        "-p",
        "mhdesk_setup",
        "-p",
        "mhdesk_bundle",
        "-m",
        "runApp",
    ],
}


@dataclass(frozen=True, slots=True)
class Count:
    """How many tests ended how. An error outside a test's own steps is a failure too."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def closing_line(self) -> str:
        """What a caller reads as the last line."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def main(arguments: list[str]) -> int:
    """Run everything; returns 0 if all that ran has passed and something ran."""
    long = "--long" in arguments
    selection = [argument for argument in arguments if argument != "--long"]
    try:
        python = prepare()
    except SetUpError as failure:
        return close(Count(failed=1), failure.sentence)
    except OSError as error:
        return close(Count(failed=1), explain_os_error(error))
    variables = test_variables()
    outside = 0 if fetch_starter(variables) else 1
    outside += sum(not run_check(name, python, variables) for name in CHECKS)
    if long:
        count = run_pytest(python, variables, selection, seconds=None)
    else:
        count = run_pytest(python, variables, ["-m", "not long", *selection], HANGING_SECONDS)
    return close(Count(count.passed, count.failed + outside, count.skipped))


def prepare() -> Path:
    """The interpreter that has the packages of the app and of its tests, and a machine that can show a window."""
    packaging = ROOT / "packaging"
    files = (ROOT / "requirements.txt", packaging / "requirements-trainer.txt", packaging / "requirements-dev.txt")
    requirements = Requirements(files)
    progress = Progress(steps=SETUP_STEPS)
    python = prepare_interpreter(Environment(ROOT / ".venv", "mhdesk-tests.json"), requirements, progress)
    missing = prepare_window(progress, programs={"Xvfb": "xvfb"} if sys.platform == "linux" else {})
    if missing:
        progress.note(missing)
    return python


def test_variables() -> dict[str, str]:
    """The variables that every step below is started with."""
    home = os.environ.get("MHDESK_TEST_HOME") or str(ROOT / ".venv" / "test-home")
    return clean_environment() | {
        "MHDESK_TEST_HOME": str(Path(home).resolve()),
        "QT_QPA_PLATFORM": "offscreen",
        "HF_HUB_OFFLINE": "1",
    }


def fetch_starter(variables: dict[str, str]) -> bool:
    """Put the starter model and adapter into the test home, the way a person does; set-up skips what is there."""
    tell("starter model")
    home = variables["MHDESK_TEST_HOME"]
    finished = subprocess.run(
        [sys.executable, ROOT / "runApp.py", "setup"], cwd=ROOT, env=variables | {"MHDESK_HOME": home}, check=False
    )
    return finished.returncode == 0


def run_check(name: str, python: Path, variables: dict[str, str]) -> bool:
    """Run one of `CHECKS`; returns whether it found nothing."""
    tell(name)
    clean = subprocess.run([python, *CHECKS[name]], cwd=ROOT, env=variables, check=False).returncode == 0
    tell(f"{name}: {'clean' if clean else 'FAILED'}")
    return clean


def run_pytest(python: Path, variables: dict[str, str], selection: list[str], seconds: float | None) -> Count:
    """Run the tests, for at most `seconds`; pytest's own lines go to standard output."""
    tell("pytest")
    with tempfile.TemporaryDirectory(prefix="mhdesk-tests-") as folder:
        report = Path(folder) / "report.xml"
        # Whatever a test forgets, no test reaches the data of the person who runs it.
        guarded = variables | {"MHDESK_HOME": str(Path(folder) / "home")}
        command = [str(python), "-m", "pytest", f"--junitxml={report}", *selection]
        try:
            code = subprocess.run(command, cwd=ROOT, env=guarded, timeout=seconds, check=False).returncode
        except subprocess.TimeoutExpired:
            tell("pytest: hung, and was ended")
            code = 1
        count = count_of_report(report)
    # A crash, a bad option or an empty selection leaves no failed test behind, and yet is no success.
    return Count(count.passed, 1, count.skipped) if code != 0 and count.failed == 0 else count


def count_of_report(report: Path) -> Count:
    """Read a JUnit report. A report that is missing or cut off counts nothing."""
    try:
        cases = ElementTree.parse(report).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        return Count()
    kinds = [{part.tag for part in case} for case in cases]
    failed = sum(bool(kind & {"failure", "error"}) for kind in kinds)
    skipped = sum("skipped" in kind and not kind & {"failure", "error"} for kind in kinds)
    return Count(len(kinds) - failed - skipped, failed, skipped)


def close(count: Count, sentence: str = "") -> int:
    """Print the closing line, after `sentence` if there is one, and return the exit code."""
    nothing_ran = count.passed == 0 and count.failed == 0
    final = Count(0, 1, count.skipped) if nothing_ran else count
    sys.stdout.write(f"{sentence}\n{final.closing_line()}\n" if sentence else f"{final.closing_line()}\n")
    sys.stdout.flush()
    return 1 if final.failed else 0


def tell(what: str) -> None:
    """Say which part comes now."""
    sys.stdout.write(f"== {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(close(Count(failed=1), "The tests were stopped; run the same command again to start over."))
