"""The stage `evaluate` on a tiny pair, through real engine processes."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from mhdesk.core.errors import AdapterUnusable
from tests.trainer.finished_run import make_run
from trainer.errors import BadConfiguration, BadRows
from trainer.evaluate import run
from trainer.measuring.answers import read_answers
from trainer.settings.evaluate import Thresholds

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = textwrap.dedent(
    """
    import os, signal, sys
    from dataclasses import replace
    from pathlib import Path
    from tests.trainer.finished_run import make_run
    from trainer.evaluate import run

    def tell(line):
        if "answers of both, 2 of" in line:
            os.kill(os.getpid(), signal.SIGKILL)

    config, job = make_run(Path(sys.argv[1]), Path(sys.argv[2]))
    run(config, replace(job, tell=tell))
    """
)


@pytest.fixture(scope="module")
def evaluated(tiny_model, tmp_path_factory):
    config, job = make_run(tmp_path_factory.mktemp("run"), tiny_model)
    return run(config, job)


def test_the_figures_are_those_of_both_sides_and_decide(evaluated):
    figures = json.loads((evaluated / "evaluation.json").read_text("utf-8"))
    assert figures["perplexity"]["base"]["dialogues"] == 4
    assert figures["perplexity"]["base"]["value"] != figures["perplexity"]["adapter"]["value"]
    assert figures["abilities"]["items"] == 6
    assert figures["screen"]["crisis_messages"] > 500
    assert len(figures["missed"]) == 1
    assert "most_ability_lost" in figures["missed"][0]
    assert figures["passed"] is False


def test_answers_stand_side_by_side_and_a_crisis_is_marked_as_what_no_model_is_asked_for(evaluated):
    answers = read_answers(evaluated / "answers.jsonl")
    assert [answer.id for answer in answers] == [f"five-{n}" for n in range(1, 6)] + ["case-001", "case-002"]
    assert answers[1].way == "crisis"
    assert answers[0].way == "model"
    assert all(answer.base.new_tokens == answer.adapter.new_tokens == 8 for answer in answers)
    assert answers[0].base.words != answers[0].adapter.words


def test_the_words_are_those_that_the_app_itself_shows(evaluated, tiny_model, paths):
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    answer = read_answers(evaluated / "answers.jsonl")[0]
    words = ["chat", "--once", answer.message, "--json", "--seed", "1", "--max-tokens", "8", "--adapter", "none"]
    result = subprocess.run([sys.executable, str(ROOT / "runApp.py"), *words], capture_output=True, check=True)
    events = [json.loads(line) for line in result.stdout.decode().splitlines()]
    assert "".join(event["text"] for event in events if event["event"] == "text") == answer.base.shown
    assert next(event for event in events if event["event"] == "screened")["level"] == answer.level


def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_bytes(evaluated, tiny_model, tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(tiny_model)]
    killed = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()[-2000:]
    part = tmp_path / "work" / "evaluate.unfinished" / "answers.jsonl"
    assert len(read_answers(part)) == 2
    with part.open("a", encoding="utf-8") as file:
        file.write('{"id": "five-3", "kind')
    told = []
    config, job = make_run(tmp_path, tiny_model)
    folder = run(config, replace(job, tell=told.append))
    assert not any("test rows" in line for line in told)
    for name in ("evaluation.json", "answers.jsonl", "losses.json", "choices.json"):
        assert (folder / name).read_bytes() == (evaluated / name).read_bytes(), name


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"abilities": "nothing.jsonl"}, "cannot be read"),
        ({"model": "/nowhere"}, "neither a folder nor installed"),
        ({"long": True}, "No test row fits"),
        ({"rows": True}, "split has not been run"),
    ],
)
def test_bad_input_is_a_sentence(tiny_model, tmp_path, change, sentence):
    config, job = make_run(tmp_path, tiny_model, **{k: v for k, v in change.items() if k == "abilities"})
    config = replace(config, model=change.get("model", config.model))
    if "long" in change:
        config = replace(config, train=replace(config.train, max_tokens=64))
    if "rows" in change:
        (job.artefact("split") / "test.jsonl").unlink()
    with pytest.raises((BadConfiguration, BadRows), match=sentence):
        run(config, job)
    assert not job.artefact("evaluate").exists()


def test_an_adapter_for_another_model_is_refused(tiny_model, tmp_path):
    config, job = make_run(tmp_path / "run", tiny_model)
    path = job.artefact("train") / "adapter_config.json"
    values = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**values, "r": 8}), encoding="utf-8")
    with pytest.raises(AdapterUnusable, match="does not fit this model"):
        run(config, job)


def test_thresholds_have_ranges():
    with pytest.raises(BadConfiguration, match="most_stopped"):
        Thresholds(most_stopped=2)
