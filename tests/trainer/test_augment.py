"""The stage `augment` with a real server that writes, run here and in processes that are killed."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mhdesk.core.errors import StorageError
from mhdesk.core.messages import Role
from tests.hub_server import wait_for
from tests.namespaces import in_namespace
from tests.trainer.openai_server import Server, asks_next_turn, dull_author, running
from tests.trainer.written_run import CRISIS, configured, make_job, put_clean, row, rows_of
from trainer.augment import run
from trainer.errors import BadConfiguration
from trainer.stage import read_manifest
from trainer.writing.kept_texts import ATTEMPTS
from trainer.writing.review import REVIEW

ROOT = Path(__file__).resolve().parents[2]
ROWS = [row(number) for number in range(10)]
TEN = {"writer": "openai", "model": "dull", "most_share": 0.5}


@pytest.fixture
def server():
    with running(Server()) as started:
        yield started


def mark(path: Path, word: str, *places: int) -> None:
    """What a person does in an editor: a word at the beginning of some lines."""
    lines = path.read_text("utf-8-sig").splitlines()
    for place in places:
        lines[place + 1] = word + "\t" + lines[place + 1].partition("\t")[2]
    path.write_text("\n".join(lines), "utf-8")


def test_without_a_writer_the_rows_of_clean_go_on_byte_by_byte(tmp_path):
    job, _ = make_job(tmp_path, ROWS)
    made = run(configured(), job)
    assert (made / "rows.jsonl").read_bytes() == (job.artefact("clean") / "rows.jsonl").read_bytes()
    assert read_manifest(made)["counts"] == {"rows": 10, "synthetic": 0}
    assert sorted(path.name for path in job.work.iterdir()) == ["augment", "clean"]


def test_written_rows_keep_what_their_parents_are_and_say_who_made_them(tmp_path, server):
    job, told = make_job(tmp_path, ROWS)
    made = rows_of(run(configured(**TEN, address=server.address, review=False), job))
    assert made[:10] == ROWS
    written = made[10:]
    assert len(written) == 10
    assert {row.parent for row in written} == {row.id for row in ROWS}, "one of each parent before a second of any"
    parents = {row.id: row for row in ROWS}
    for one in written:
        parent = parents[one.parent]
        for name in ("source", "group", "topic", "licence", "commercial"):
            assert getattr(one, name) == getattr(parent, name)
        assert one.made_by == "dull"
        if "paraphrase" in one.id:
            assert one.turns[1:] == parent.turns[1:]
            assert one.turns[0] != parent.turns[0]
        else:
            assert one.turns[:2] == parent.turns
            assert [turn.role for turn in one.turns[2:]] == [Role.USER, Role.ASSISTANT]
    assert {"paraphrase", "follow-up"} == {one.id.partition("~")[2].rpartition("-")[0] for one in written}
    assert "are sent to a server on this machine" in told[0]


def test_nobody_in_a_crisis_is_given_to_a_writer(tmp_path, server):
    new_crisis = "I cannot go on like this any more, I want to kill myself, and tonight I will do it."
    server.author = lambda asked: new_crisis if asks_next_turn(asked) else dull_author(asked)
    job, _ = make_job(tmp_path, [row(0, CRISIS), row(1), row(2)])
    made = run(configured(**{**TEN, "most_share": 0.9}, address=server.address, review=False), job)
    assert not any(CRISIS in str(asked) or new_crisis in str(asked) for asked, _ in server.seen), (
        "nor to answer a new turn at that level"
    )
    dropped = read_manifest(made)["counts"]["dropped"]
    assert dropped["parent_crisis"] == 2
    assert dropped["crisis"] == 2
    assert CRISIS not in "".join(str(one.turns) for one in rows_of(made) if one.is_synthetic)


def test_a_reply_is_asked_under_the_system_prompt_of_the_rows_language(tmp_path, server):
    make_job(tmp_path, ROWS)
    (tmp_path / "run.yaml").write_text(
        "name: a\nmodel: m\nwork: work\nclean: {language: de}\n"
        "sources:\n  of:\n  - {name: sister, path: x, form: dialogues, licence: x}\n"
        f"augment: {{writer: openai, model: dull, address: '{server.address}', most_share: 0.5, review: false}}\n"
    )
    result = in_namespace(
        """
        import runpy, subprocess, sys
        from mhdesk.core.paths import resources_dir
        prompts = resources_dir() / "prompts"
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", prompts], check=True)
        (prompts / "de.json").write_text('{"none": "Du bist ein Programm.", "elevated": "Sei sanft."}')
        sys.argv = ["trainer", "augment", "--config", sys.argv[1]]
        runpy.run_module("trainer", run_name="__main__", alter_sys=True)
        """,
        str(tmp_path / "run.yaml"),
    )
    assert result.returncode == 0, result.stderr
    firsts = [asked["messages"][0] for asked, _ in server.seen]
    told = {first["content"] for first in firsts if first["role"] == "system"}
    assert told
    assert told <= {"Du bist ein Programm.", "Sei sanft."}


def test_only_what_a_person_has_accepted_goes_on_and_an_edited_file_is_noticed(tmp_path, server):
    job, told = make_job(tmp_path, ROWS)
    config = configured(**TEN, address=server.address)
    assert rows_of(run(config, job)) == ROWS
    assert "10 rows wait" in told[-1]
    asked = len(server.seen)
    run(config, job)
    assert "augment: done before" in told
    mark(job.work / REVIEW, "accept", 0, 3)
    mark(job.work / REVIEW, "r", 1)
    made = run(config, job)
    offered = [json.loads(line)["id"] for line in (made / "offered.jsonl").read_text("utf-8").splitlines()]
    assert [one.id for one in rows_of(made)[10:]] == [offered[0], offered[3]]
    assert len(offered) == 11, "one more, for the one that was rejected"
    assert len(server.seen) - asked <= 2, "and nothing else is asked again"
    assert read_manifest(made)["counts"]["offered"] == {"accept": 2, "reject": 1, "open": 8}
    review = (job.work / REVIEW).read_text("utf-8-sig").splitlines()
    assert [line.partition("\t")[0] for line in review[1:5]] == ["accept", "reject", "", "accept"]


def test_a_changed_parent_makes_a_mark_void_and_loses_none(tmp_path, server):
    job, told = make_job(tmp_path, ROWS)
    config = configured(**TEN, address=server.address)
    run(config, job)
    mark(job.work / REVIEW, "accept", *range(10))
    assert len(rows_of(run(config, job))) == 20
    changed = dataclasses.replace(ROWS[4], turns=(ROWS[4].turns[0], ROWS[5].turns[1]))
    put_clean(job, [changed if one is ROWS[4] else one for one in ROWS])
    assert len(rows_of(run(config, job))) == 19
    assert any("1 marks at the end" in line for line in told)
    put_clean(job, ROWS)
    assert len(rows_of(run(config, job))) == 20, "it holds again once the parent is what it was"


def test_a_deleted_review_file_comes_back_and_a_broken_one_is_a_sentence(tmp_path, server):
    job, _ = make_job(tmp_path, ROWS)
    (tmp_path / "run.yaml").write_text(
        "name: a\nmodel: m\nwork: work\nsources:\n  of:\n  - {name: sister, path: x, form: dialogues, licence: x}\n"
        f"augment: {{writer: openai, model: dull, address: '{server.address}', most_share: 0.5}}\n"
    )
    assert augment(tmp_path).returncode == 0
    before = (job.work / REVIEW).read_bytes()
    (job.work / REVIEW).unlink()
    assert augment(tmp_path).returncode == 0
    assert (job.work / REVIEW).read_bytes() == before
    mark(job.work / REVIEW, "perhaps", 2)
    result = augment(tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "The mark in line 4 of" in result.stderr


def test_a_killed_run_goes_on_where_it_was_and_ends_the_same(tmp_path, server):
    make_job(tmp_path / "whole", ROWS)
    make_job(tmp_path / "killed", ROWS)
    for name in ("whole", "killed"):
        (tmp_path / name / "run.yaml").write_text(
            "name: a\nmodel: m\nwork: work\nsources:\n  of:\n  - {name: sister, path: x, form: dialogues, licence: x}\n"
            f"augment: {{writer: openai, model: dull, address: '{server.address}', most_share: 0.5, review: false}}\n"
        )
    assert augment(tmp_path / "whole").returncode == 0
    asked = len(server.seen)
    server.slow_s = 0.3
    process = subprocess.Popen(command(tmp_path / "killed"), cwd=ROOT, stderr=subprocess.DEVNULL)
    kept = tmp_path / "killed" / "work" / ATTEMPTS
    wait_for(lambda: kept.is_file() and kept.read_bytes().count(b"\n") >= 5, 60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "work" / "augment").exists()
    survived = kept.read_bytes()
    kept.write_bytes(survived + survived[:40])  # as a kill in the middle of a line leaves it
    server.slow_s = 0
    assert augment(tmp_path / "killed").returncode == 0
    assert len(server.seen) <= 2 * asked + 1, "at most the one that was under way is asked again"
    for file in ("rows.jsonl", "offered.jsonl", "dropped.jsonl"):
        whole, killed = (tmp_path / name / "work" / "augment" / file for name in ("whole", "killed"))
        assert whole.read_bytes() == killed.read_bytes()


def test_kept_files_in_a_folder_of_ones_own_make_the_same_run_elsewhere_with_nothing_asked(tmp_path, server):
    for name, folder in (("here", "given/by-hand"), ("there", "elsewhere")):
        make_job(tmp_path / name, ROWS)
        (tmp_path / name / "run.yaml").write_text(
            "name: a\nmodel: m\nwork: work\nsources:\n  of:\n  - {name: sister, path: x, form: dialogues, licence: x}\n"
            f"augment: {{writer: openai, model: dull, address: '{server.address}', most_share: 0.5, "
            f"folder: {folder}}}\n"
        )
    kept = tmp_path / "here" / "given" / "by-hand"
    assert f"accept or reject in {kept / REVIEW}" in augment(tmp_path / "here").stderr
    mark(kept / REVIEW, "accept", *range(10))
    assert augment(tmp_path / "here").returncode == 0
    assert not list((tmp_path / "here" / "work").glob("*.[jt]s*"))
    asked = len(server.seen)
    shutil.copytree(kept, tmp_path / "there" / "elsewhere")
    assert augment(tmp_path / "there").returncode == 0
    assert len(server.seen) == asked
    made = [tmp_path / name / "work" / "augment" for name in ("here", "there")]
    assert len(rows_of(made[0])) == 20
    assert len({(folder / "rows.jsonl").read_bytes() for folder in made}) == 1
    assert len({read_manifest(folder)["asked_sha256"] for folder in made}) == 1


def test_kept_files_that_are_moved_make_nothing_anew_but_where_a_run_would_replace_them(tmp_path, server):
    job, told = make_job(tmp_path, ROWS)
    config = configured(**TEN, address=server.address)
    run(config, job)
    (tmp_path / "kept").mkdir()
    for name in (ATTEMPTS, REVIEW):
        (job.work / name).rename(tmp_path / "kept" / name)
    told.clear()
    run(configured(**TEN, address=server.address, folder="kept"), job)
    assert "augment: done before" in told
    with pytest.raises(BadConfiguration, match=r"work/clean, within the work folder"):
        run(configured(**TEN, address=server.address, folder="work/clean"), job)
    (tmp_path / "letter").write_text("Dear Ann", "utf-8")
    with pytest.raises(StorageError, match=r"could not write to .*letter"):
        run(configured(**TEN, address=server.address, folder="letter"), job)


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "trainer", "augment", "--config", str(folder / "run.yaml")]


def augment(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder), cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ)
