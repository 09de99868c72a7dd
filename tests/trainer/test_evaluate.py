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
from tests.trainer.finished_run import LOSES_ABILITY, make_run
from trainer.errors import BadConfiguration, BadRows
from trainer.evaluate import run
from trainer.measuring.answers import read_answers
from trainer.rows import read_rows
from trainer.settings.evaluate import Thresholds
from trainer.settings.train import TrainSettings
from trainer.stage import read_manifest
from trainer.without_synthetic import train_without_synthetic

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
    assert [sentence.rpartition("(")[2] for sentence in figures["missed"]] == [
        "most_ability_lost)",
        "compare_synthetic)",
    ]
    assert figures["passed"] is False


def test_an_adapter_without_synthetic_rows_is_learnt_with_the_same_settings_and_set_beside_it(evaluated):
    beside = evaluated.parent / "without-synthetic"
    rows = [row.id for row in read_rows(beside / "split" / "training.jsonl")]
    assert rows == [f"harbour-{n}" for n in (0, 2, 3, 4, 5)], "harbour-1 was written by a model"
    manifests = [read_manifest(folder) for folder in (evaluated.parent / "train", beside / "train")]
    assert manifests[0]["settings"]["seed"] == manifests[1]["settings"]["seed"]
    one, other = (manifest["settings"]["train"] for manifest in manifests)
    assert {**one, "processes": 1} == {**one, **other}
    figures = json.loads((evaluated / "evaluation.json").read_text("utf-8"))
    low, high = figures["synthetic"]["ratio_interval"]
    adapter, without = figures["perplexity"]["adapter"]["value"], figures["synthetic"]["perplexity_without"]["value"]
    assert figures["synthetic"]["ratio"] == pytest.approx(adapter / without)
    assert low <= figures["synthetic"]["ratio"] <= high
    assert high >= 1, "a random adapter is no better"


def test_only_a_writer_larger_than_the_base_goes_without_the_comparison(tiny_model, tmp_path):
    config, job = make_run(tmp_path, tiny_model, compare_synthetic=False)
    with pytest.raises(BadConfiguration, match="larger than the base"):
        run(config, job)
    config, job = make_run(tmp_path, tiny_model, billions=0.001, compare_synthetic=False)
    assert train_without_synthetic(config, job) is None


def test_one_process_stands_for_several_in_the_second_training(tiny_model, tmp_path):
    config, job = make_run(tmp_path, tiny_model, train=TrainSettings(processes=2, gradient_accumulation=3))
    made = train_without_synthetic(config, job)
    settings = read_manifest(made)["settings"]["train"]
    assert (settings["processes"], settings["gradient_accumulation"]) == (1, 6)


def test_the_second_training_refuses_other_settings_than_the_first_had(tiny_model, tmp_path):
    config, job = make_run(tmp_path, tiny_model)
    with pytest.raises(BadRows, match="run with other settings"):
        train_without_synthetic(replace(config, train=TrainSettings(rank=4)), job)


def test_another_threshold_makes_another_verdict_of_the_same_answers(evaluated, tiny_model):
    folder = evaluated.parent.parent
    config, job = make_run(folder, tiny_model, thresholds=replace(LOSES_ABILITY, most_ability_lost=1))
    before = (evaluated.parent / "measured" / "manifest.json").stat().st_mtime_ns
    answers = (evaluated / "answers.jsonl").read_bytes()
    told = []
    again = run(config, replace(job, tell=told.append))
    assert "measured: done before" in told
    assert not any("done in" in line for line in told if not line.startswith("evaluate:"))
    assert (evaluated.parent / "measured" / "manifest.json").stat().st_mtime_ns == before
    assert (again / "answers.jsonl").read_bytes() == answers
    assert len(json.loads((again / "evaluation.json").read_text("utf-8"))["missed"]) == 1
    run(*make_run(folder, tiny_model))


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
    read = ["".join(event["text"] for event in events if event["event"] == kind) for kind in ("replaced", "text")]
    assert (read[0] or read[1]) == answer.base.shown
    assert next(event for event in events if event["event"] == "screened")["level"] == answer.level


def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_bytes(evaluated, tiny_model, tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(tiny_model)]
    killed = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()[-2000:]
    part = tmp_path / "work" / "measured.unfinished" / "answers.jsonl"
    assert len(read_answers(part)) == 2
    with part.open("a", encoding="utf-8") as file:
        file.write('{"id": "five-3", "kind')
    told = []
    config, job = make_run(tmp_path, tiny_model)
    folder = run(config, replace(job, tell=told.append))
    assert not any(", test rows, " in line for line in told)
    for name in ("evaluate/evaluation.json", "evaluate/answers.jsonl", "measured/held-out.json"):
        assert (folder.parent / name).read_bytes() == (evaluated.parent / name).read_bytes(), name


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
    changed = {name: value for name, value in change.items() if name == "abilities"}
    config, job = make_run(tmp_path, tiny_model, 1, compare_synthetic=False, **changed)
    config = replace(config, model=change.get("model", config.model))
    if "long" in change:
        config = replace(config, train=replace(config.train, max_tokens=64))
    if "rows" in change:
        (job.artefact("split") / "test.jsonl").unlink()
    with pytest.raises((BadConfiguration, BadRows), match=sentence):
        run(config, job)
    assert not job.artefact("evaluate").exists()


def test_an_adapter_for_another_model_is_refused(tiny_model, tmp_path):
    config, job = make_run(tmp_path / "run", tiny_model, 1, compare_synthetic=False)
    path = job.artefact("train") / "adapter_config.json"
    values = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**values, "r": 8}), encoding="utf-8")
    with pytest.raises(AdapterUnusable, match="does not fit this model"):
        run(config, job)


def test_thresholds_have_ranges():
    with pytest.raises(BadConfiguration, match="most_stopped"):
        Thresholds(most_stopped=2)
