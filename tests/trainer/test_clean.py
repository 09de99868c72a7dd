"""The stage `clean`, as it is run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mhdesk.core.messages import Message, Role
from trainer.clean import REPORT, run
from trainer.errors import BadConfiguration, BadRows
from trainer.pipeline_config import PipelineConfig
from trainer.preview import DROPPED
from trainer.rows import ROWS, Row, read_rows, write_rows
from trainer.settings.clean import CleanSettings
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.stage import Job, read_manifest

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "My sister and I have not spoken since the winter. How do I begin?"
ANSWER = (
    "It sounds as though you miss her. You could begin with something small, a card or a short message that asks for "
    "nothing. She may need time before she answers, and that need not mean she does not care."
)
OTHER = (
    "Silence after a quarrel is heavy to carry. Before you write to her, it may help to put down on paper what you "
    "would want her to understand, and to leave out who was right."
)


def row(name, answer=ANSWER, question=QUESTION, author="", source="own"):
    turns = (Message(Role.USER, question), Message(Role.ASSISTANT, answer))
    return Row(name, source, name, turns, "Apache-2.0", True, author=author)


def config(**settings):
    source = SourceSettings("own", "rows.jsonl", "dialogues", "Apache-2.0")
    return PipelineConfig("try", "none", "work", SourcesSettings((source,)), CleanSettings(**settings))


YAML = (
    "name: try\nmodel: none\nwork: work\nsources: {of: [{name: own, path: x, form: dialogues, licence: x}]}\n"
    "clean: {drop_forbidden_answers: false, near_duplicate: 1.0, samples: 5}\n"
)


@pytest.fixture
def job(tmp_path):
    told = []
    return Job(tmp_path, tmp_path / "work", told.append)


def put(job, rows):
    folder = job.artefact("sources")
    folder.mkdir(parents=True)
    write_rows(folder / ROWS, rows)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")


def cleaned(job, rows, **settings):
    put(job, rows)
    folder = run(config(**settings), job)
    kept = {row.id: row for row in read_rows(folder / ROWS)}
    reasons = {
        line["id"]: line["reason"] for line in map(json.loads, (folder / DROPPED).read_text("utf-8").splitlines())
    }
    return kept, reasons, folder


def test_an_answer_loses_markup_offers_numbers_links_names_and_signature(job):
    answer = (
        f"<p>Hello Oregon,</p><p>{ANSWER}</p><ul><li>Write &#34;I miss you&#34;.</li><li>Wait.</li></ul>"
        "<p>Feel free to call my office at 503-555-0142.</p><p>There is more at www.example.com/notes.</p>"
        "<p>Be well,</p><p>Ann Bell, LMFT</p>"
    )
    kept, _, _ = cleaned(job, [row("a", answer, author="Ann Bell, LMFTCouples Counselor")])
    assert kept["a"].turns[1].text == f'{ANSWER}\n\n- Write "I miss you".\n- Wait.'
    assert kept["a"].author == ""


def test_what_changed_and_dropped_rows_is_counted_by_reason_and_source(job):
    rows = [
        row("kept", f"<p>{ANSWER}</p>"),
        row("again", ANSWER, source="other"),
        row("near", ANSWER.replace("a card", "one card") + " Take it slowly.", source="other"),
        row("short", "Write to her."),
        row("empty", "*** ---"),
    ]
    _, reasons, folder = cleaned(job, rows, near_duplicate=0.7)
    counts = read_manifest(folder)["counts"]
    assert reasons == {
        "again": "exact_duplicate",
        "near": "near_duplicate",
        "short": "answer_too_short",
        "empty": "only_noise",
    }
    assert counts["rows"], counts["kept"] == (5, 1)
    assert counts["changed"]["html"] == 1
    assert counts["by_source"]["other"]["dropped"] == {"exact_duplicate": 1, "near_duplicate": 1}


def test_rows_that_are_too_long_or_in_another_language_go(job):
    spanish = (
        "Parece que la echas de menos y que no sabes cómo empezar a hablar con ella después de tantos meses sin veros."
    )
    rows = [
        row("kept"),
        row("cell", "a" * 5001),
        row("long", f"{OTHER} " * 20),
        row("spanish", spanish * 2),
        row("both", f"{OTHER} {spanish * 3}"),
    ]
    _, reasons, _ = cleaned(job, rows, longest_cell=5000, longest_turn=2000)
    assert reasons == {
        "cell": "endless_cell",
        "long": "too_long",
        "spanish": "other_language",
        "both": "other_language",
    }


def test_a_text_of_nothing_but_tags_is_not_parsed(job):
    kept, reasons, _ = cleaned(job, [row("kept"), row("tags", "<b>" * 5001 + OTHER)])
    assert (set(kept), reasons) == ({"kept"}, {"tags": "too_much_markup"})


def test_what_the_gate_would_stop_goes_unless_it_is_let_in(job):
    told = f"{ANSWER} Take 30 mg of fluoxetine twice a day and double the dose if it does not help."
    kept, reasons, _ = cleaned(job, [row("kept", OTHER), row("dose", told)])
    assert (set(kept), reasons) == ({"kept"}, {"dose": "forbidden_dose"})


def test_a_forbidden_answer_stays_where_that_is_asked_for(job):
    told = f"{ANSWER} Take 30 mg of fluoxetine twice a day and double the dose if it does not help."
    kept, _, _ = cleaned(job, [row("dose", told)], drop_forbidden_answers=False)
    assert set(kept) == {"dose"}


def test_a_crisis_that_is_answered_without_a_way_to_help_goes(job):
    crisis = "I want to kill myself tonight and I have the pills here."
    guided = "I am glad you wrote. Please call a crisis line now, or tell someone near you, and let them sit with you."
    rows = [row("kept"), row("alone", OTHER, crisis), row("guided", guided, crisis)]
    kept, reasons, _ = cleaned(job, rows, drop_forbidden_answers=False)
    assert (set(kept), reasons) == ({"kept", "guided"}, {"alone": "unguided_crisis"})


def test_patterns_of_ones_own_are_removed(job):
    kept, _, folder = cleaned(job, [row("a", f"[moderated] {ANSWER}")], patterns=(r"\[moderated\]",))
    assert kept["a"].turns[1].text == ANSWER
    assert read_manifest(folder)["counts"]["changed"]["own_pattern"] == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"patterns": ("(",)}, "is none that RE2 takes"),
        ({"patterns": ("x*",)}, "matches the empty text"),
        ({"region": "Oregon"}, "no country code"),
        ({"language": "klingon"}, "cannot be told from others"),
    ],
)
def test_settings_that_cannot_be_are_a_sentence(job, settings, sentence):
    put(job, [row("a")])
    with pytest.raises(BadConfiguration, match=sentence):
        run(config(**settings), job)


def test_a_run_that_would_leave_nothing_says_so_and_publishes_nothing(job):
    put(job, [row("a", "Write."), row("b", "Wait.")])
    with pytest.raises(
        BadRows, match="No row is left after cleaning: all 2 were dropped, 2 of them for answer_too_short"
    ):
        run(config(), job)
    assert not job.artefact("clean").exists()


def test_a_run_without_rows_points_at_the_sources(job):
    put(job, [])
    with pytest.raises(BadRows, match="left no rows"):
        run(config(), job)


def test_the_report_needs_nothing_else_and_runs_nothing(job):
    rows = [row("a", f"{ANSWER} <script>alert(1)</script>"), row("b", f"Is 1 < 2 & 3? {OTHER}", source="<b>")]
    _, _, folder = cleaned(job, rows)
    page = (folder / REPORT).read_text("utf-8")
    assert page.count("<svg") == 3
    assert "<script" not in page
    for escaped in ("&lt;script&gt;", "&lt;b&gt;", "1 &lt; 2 &amp; 3?"):
        assert escaped in page
    for outside in ('src="', "url(http"):
        assert outside not in page
    assert page.count("<h3>") == 2


def many(count):
    words = OTHER.split()
    return [
        row(f"row-{place:04d}", f"{OTHER} " + " ".join(f"{word.strip('.,')}{place}" for word in words))
        for place in range(count)
    ]


def test_a_killed_run_leaves_no_process_and_goes_on_to_the_bytes_of_one_that_was_not(tmp_path):
    outputs = []
    for kill in (False, True):
        folder = tmp_path / f"kill-{kill}"
        job = Job(folder, folder / "work", lambda line: None)
        put(job, many(220))
        (folder / "run.yaml").write_text(YAML, encoding="utf-8")
        command = [sys.executable, "-m", "trainer", "clean", "--config", str(folder / "run.yaml")]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        if kill:
            with subprocess.Popen(
                command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
            ) as process:
                assert process.stderr is not None
                assert b"rows cleaned" in process.stderr.readline()
                process.send_signal(signal.SIGKILL)
                process.stderr.read()  # ends when the last worker has ended, for each holds the pipe
            assert not job.artefact("clean").exists()
        done = subprocess.run(command, env=environment, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
        outputs.append(read_manifest(job.artefact("clean"))["outputs"])
    assert outputs[0] == outputs[1]
    assert set(outputs[0]) == {ROWS, DROPPED, REPORT}


def test_a_process_of_several_that_was_killed_is_a_sentence(job, tmp_path):
    put(job, many(2_200))
    (tmp_path / "run.yaml").write_text(YAML, encoding="utf-8")
    command = [sys.executable, "-m", "trainer", "clean", "--config", str(tmp_path / "run.yaml")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        assert "rows cleaned" in process.stderr.readline()
        children = psutil.Process(process.pid).children()
        next(child for child in children if "spawn_main" in " ".join(child.cmdline())).send_signal(signal.SIGKILL)
        told = process.stderr.read()
    assert process.returncode == 1
    assert "Traceback" not in told
    assert "was ended by the system" in told.splitlines()[-1]


def test_another_gate_is_asked_anew_and_the_same_is_not(tmp_path):
    """By a copy of the program whose rules alone are its own."""
    program = tmp_path / "program"
    for package in ("mhdesk", "trainer"):
        shutil.copytree(ROOT / package, program / package, ignore=shutil.ignore_patterns("data", "__pycache__"))
    shutil.copytree(ROOT / "resources", program / "resources", copy_function=os.symlink)
    job = Job(tmp_path, tmp_path / "work", lambda line: None)
    put(job, [row("kept"), row("other", OTHER)])
    (tmp_path / "run.yaml").write_text(YAML, encoding="utf-8")
    command = [sys.executable, "-m", "trainer", "clean", "--config", str(tmp_path / "run.yaml")]
    told = []
    for changed in (None, "gate/words.yaml", None):
        if changed:
            rules = program / "resources" / "safety" / changed
            text = rules.read_text("utf-8")
            rules.unlink()
            rules.write_text(f"{text}# another\n", encoding="utf-8")
        done = subprocess.run(command, cwd=program, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told.append("done before" in done.stderr)
    assert told == [False, False, True]


def test_a_million_hostile_characters_are_read_in_time_that_grows_with_them(job):
    size = 1_000_000
    hostile = [
        "a@" * (size // 2),
        "<p x='" * (size // 6),
        "&#34" * (size // 4),
        "www." * (size // 4),
        "\"'(" * (size // 3),
    ]
    rows = [row("kept"), *(row(f"h{place}", text) for place, text in enumerate(hostile))]
    began = time.monotonic()
    kept, _, _ = cleaned(job, rows, longest_cell=2 * size, longest_turn=2 * size, drop_forbidden_answers=False)
    assert "kept" in kept
    assert time.monotonic() - began < 120
