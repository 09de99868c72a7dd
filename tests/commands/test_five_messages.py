"""The command that asks the five messages, with the real starter model in a real child."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mhdesk.bench.five_messages import BEGIN, END
from mhdesk.core.messages import FIVE_MESSAGES

ROOT = Path(__file__).resolve().parents[2]


def ask(home, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "mhdesk.bench.five_messages", *arguments],
        cwd=ROOT, env={**os.environ, "MHDESK_HOME": str(home)}, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


def test_every_message_is_answered_in_the_page_and_what_stands_round_it_stays(starter_home, tmp_path):
    readme = tmp_path / "page.md"
    readme.write_text(f"# Before\n\n{BEGIN}\nold answers\n{END}\n\n## After\n", encoding="utf-8")
    done = ask(starter_home, "--seeds", "1", "2", "--new-tokens", "8", "--into", str(readme))
    assert done.returncode == 0, done.stderr
    page = readme.read_text(encoding="utf-8")
    assert page.startswith(f"# Before\n\n{BEGIN}\n")
    assert page.endswith(f"\n{END}\n\n## After\n")
    assert "old answers" not in page
    parts = dict(zip(FIVE_MESSAGES, page.split("### “")[1:], strict=True))
    for message, part in parts.items():
        assert part.startswith(f"{message}”\n")
        if "the model is not asked" in part:
            assert "Samaritans (116 123)" in part
            assert "seed" not in part
        else:
            assert "1. seed 1" in part
            assert "2. seed 2" in part
            assert "   > " in part
    asked = [message for message, part in parts.items() if "seed 1" in part]
    assert asked == [FIVE_MESSAGES[0], FIVE_MESSAGES[2], FIVE_MESSAGES[3]]


@pytest.mark.parametrize("page", ["none.md", "bare.md"])
def test_a_page_that_cannot_take_the_answers_is_told_of_before_the_model_is_asked(starter_home, tmp_path, page):
    (tmp_path / "bare.md").write_text("# Nothing here", encoding="utf-8")
    done = ask(starter_home, "--into", str(tmp_path / page))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert page in done.stderr


def test_an_adapter_that_is_not_there_is_a_sentence(starter_home):
    done = ask(starter_home, "--adapters", "nobody")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nobody" in done.stderr
