"""Groups stay together, near ones too; growth moves nothing else; nothing synthetic is measured on."""

import dataclasses
import json
import random

import pytest

from mhdesk.core.messages import Message, Role
from trainer import split
from trainer.errors import BadRows
from trainer.pipeline_config import PipelineConfig
from trainer.rows import ROWS, Row, Side, read_rows, write_rows
from trainer.settings.augment import AugmentSettings
from trainer.settings.sources import SourceSettings, SourcesSettings
from trainer.settings.split import SplitSettings
from trainer.split import leaks, side_by_name
from trainer.stage import MANIFEST, Job, read_manifest

SETTINGS = SplitSettings(validation=0.2, test=0.2)


def words(name, count=20):
    chance = random.Random(name)
    return " ".join(f"w{chance.randrange(10_000)}" for _ in range(count))


def row(name, group=None, question=None, answer=None):
    turns = (Message(Role.USER, question or words(name)), Message(Role.ASSISTANT, answer or words(f"re {name}")))
    return Row(name, "soup", group or name, turns, "MIT", True)


def part(folder, rows, stage="clean", writer="none"):
    """Where each row stands, and the counts of the manifest."""
    before = folder / "work" / stage
    before.mkdir(parents=True, exist_ok=True)
    write_rows(before / ROWS, rows)
    (before / MANIFEST).write_text("{}", "utf-8")
    config = PipelineConfig(
        "tried", "none", "work", SourcesSettings((SourceSettings("soup", "a.csv", "answers", "MIT"),)),
        split=SETTINGS, augment=AugmentSettings(writer=writer, model="cook"),
    )  # fmt: skip
    made = split.run(config, Job(folder, folder / "work", lambda line: None))
    sides = {row.id: side for side in Side for row in read_rows(made / side.file)}
    return sides, read_manifest(made)["counts"]


def on(side, count, start="g"):
    """Names that stand on a side by themselves."""
    names = (f"{start}{number}" for number in range(10_000))
    return [name for name in names if side_by_name(name, SETTINGS) is side][:count]


def test_rows_go_where_the_names_of_their_groups_put_them_in_the_shares_asked_for(tmp_path):
    rows = [row(f"{group}-{number}", f"g{group}") for group in range(300) for number in range(2)]
    sides, counts = part(tmp_path, rows)
    assert all(sides[row.id] is side_by_name(row.group, SETTINGS) for row in rows)
    assert counts["groups_moved"] == counts["leaks_left"] == 0
    assert 80 < counts["rows"]["test"] < 160
    assert 80 < counts["rows"]["validation"] < 160
    assert sum(counts["rows"].values()) == 600


def test_more_rows_move_none_that_they_are_not_near(tmp_path):
    rows = [row(f"g{number}") for number in range(100)]
    before, _ = part(tmp_path, rows)
    after, _ = part(tmp_path, [*(row(f"h{number}") for number in range(100)), *reversed(rows)])
    assert before == {name: after[name] for name in before}


@pytest.mark.parametrize("copied", ["question", "answer"])
def test_groups_near_each_other_stand_on_one_side_with_all_their_rows(tmp_path, copied):
    names = [*on(Side.TEST, 8), *on(Side.VALIDATION, 8), *on(Side.TRAINING, 8)]
    near = [(names[0], names[8]), (names[1], names[16]), (names[9], names[17]), (names[2], names[18])]
    rows = [row(name) for name in names]
    rows += [row(f"{one}-copy", one, **{copied: f"{words('copied' + one)} {one}"}) for one, _ in near]
    rows += [row(f"{other}-copy", other, **{copied: f"{words('copied' + one)} {other}"}) for one, other in near]
    sides, counts = part(tmp_path, rows)
    for one, other in near:
        assert len({sides[name] for name in (one, other, f"{one}-copy", f"{other}-copy")}) == 1
        assert sides[one] in (side_by_name(one, SETTINGS), side_by_name(other, SETTINGS))
    assert (counts["groups_moved"], counts["rows_moved"], counts["leaks_left"]) == (4, 8, 0)


def test_a_chain_of_near_rows_is_one_and_does_not_draw_everything_to_one_side(tmp_path):
    rows = [row(f"g{number}") for number in range(40)]
    for chain in range(200):
        start = words(f"chain {chain}", 40).split()
        for link in range(3):
            changed = start[: 4 * link] + words(f"{chain} {link}", 4).split() + start[4 * link + 4 :]
            rows.append(row(f"c{chain}-{link}", question=" ".join(changed)))
            start = changed
    sides, counts = part(tmp_path, rows)
    assert all(len({sides[f"c{chain}-{link}"] for link in range(3)}) == 1 for chain in range(200))
    assert counts["leaks_left"] == 0
    assert 60 < counts["rows"]["test"] < 200
    assert 60 < counts["rows"]["validation"] < 200


def test_the_final_check_sees_what_stands_on_two_sides(tmp_path):
    same = words("same")
    sides = {
        Side.TRAINING: [row("a", question=same), row("b", "shared"), row("c")],
        Side.VALIDATION: [row("d"), row("e", "shared")],
        Side.TEST: [
            row("f", question=same),
            row("h", answer=words("re d")),
            dataclasses.replace(row("g"), parent="c", made_by="cook"),
        ],
    }
    for side, rows in sides.items():
        write_rows(tmp_path / side.file, rows)
    assert leaks(tmp_path, SETTINGS) == len(["a", "b", "d", "h", "the synthetic row"])


def test_synthetic_rows_are_learnt_from_or_dropped(tmp_path):
    learnt, test, validation = on(Side.TRAINING, 3), on(Side.TEST, 2), on(Side.VALIDATION, 2)
    rows = [row(name) for name in (*learnt, *test, *validation)]

    def made(name, parent, **changes):
        return dataclasses.replace(row(name, parent, **changes), parent=parent, made_by="cook")

    rows += [
        made("from learnt", learnt[0]),
        made("from its child", "from learnt"),
        made("from test", test[0]),
        made("from validation", validation[0]),
        made("from nobody", "gone"),
        made("like test", learnt[1], question=words(test[1])),
        made("from itself", "from itself"),
    ]
    sides, counts = part(tmp_path, rows, "augment", "app")
    assert [name for name in sides if name.startswith(("from", "like"))] == [
        "from learnt", "from its child"
    ]  # fmt: skip
    assert {sides["from learnt"], sides["from its child"]} == {Side.TRAINING}
    assert counts["synthetic_dropped"] == {
        "its parent is not there": 2,
        "its parent is not learnt from": 2,
        "a row that is not learnt from is near": 1,
    }
    lines = (tmp_path / "work" / "split" / "dropped.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [
        "from itself", "from nobody", "from test", "from validation", "like test"
    ]  # fmt: skip


def test_the_rows_of_the_stage_that_ran_last_are_parted(tmp_path):
    part(tmp_path, [row(f"g{number}") for number in range(100)])
    with pytest.raises(BadRows, match="augment has not been run"):
        part(tmp_path, [], "nothing", "app")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_rows_for_a_side_is_a_sentence(tmp_path, count):
    with pytest.raises(BadRows, match="There are too few rows to part"):
        part(tmp_path, [row(f"g{number}") for number in range(count)])
    assert not (tmp_path / "work" / "split").exists()


def test_the_same_rows_give_the_same_bytes(tmp_path):
    rows = [row(f"g{number}", question=words(str(number // 3))) for number in range(200)]
    part(tmp_path / "one", rows)
    part(tmp_path / "other", rows)
    for side in Side:
        one, other = ((tmp_path / name / "work" / "split" / side.file).read_bytes() for name in ("one", "other"))
        assert one == other
