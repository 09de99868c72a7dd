"""Every form of source becomes rows, each with its licence, its group, and an id that stays."""

import json

import pytest

from tests.trainer.reading_job import json_lines, read, said, source
from trainer.errors import BadConfiguration, BadRows, BadSource
from trainer.settings.sources import SourceSettings

COUNSEL = {
    "question": "questionText", "title": "questionTitle", "answer": "answerText", "votes": "upvotes",
    "group": "questionID", "topic": "topics", "author": "therapistName",
}  # fmt: skip


def counts_of(counts):
    return counts["sources"]["soup"]


def test_several_rows_of_a_question_are_one_group_with_votes_and_authors(tmp_path):
    (tmp_path / "a.csv").write_text(
        "questionID,questionTitle,questionText,topics,therapistName,answerText,upvotes\n"
        "7,Cold soup,My soup is cold.,Soup,Ann,Warm it.,3\n"
        "7,Cold soup,My soup is cold.,Soup,Ben,Eat it cold.,many\n"
        "8,Bread,,,Ann,Bake it.,2.0\n"
        "9,,,,Ann,Nobody asked.,0\n",
        "utf-8",
    )
    rows, counts = read(tmp_path, source("a.csv", fields=COUNSEL, origin="a kitchen"))
    assert [(row.group, row.votes, row.author, row.topic, row.licence, row.commercial) for row in rows] == [
        ("soup-7", 3, "Ann", "Soup", "MIT", True),
        ("soup-7", None, "Ben", "Soup", "MIT", True),
        ("soup-8", 2, "Ann", "", "MIT", True),
    ]
    assert rows[0].turns[0].text == "Cold soup\n\nMy soup is cold."
    assert rows[2].turns[0].text == "Bread"
    assert counts_of(counts)["left_out"] == {"no question": 1}
    assert counts_of(counts)["origin"] == "a kitchen"


@pytest.mark.parametrize(
    ("title", "question", "whole"),
    [
        ("Cold soup", "My soup is cold.", "Cold soup\n\nMy soup is cold."),
        ("My soup is cold!", "Help. My SOUP is cold, what now?", "Help. My SOUP is cold, what now?"),
        ("My soup is cold and I do…", "My soup is cold and I don't like it.", "My soup is cold and I don't like it."),
        ("What do I do when my soup is cold?", "When my soup is cold", "What do I do when my soup is cold?"),
        (None, "My soup is cold.", "My soup is cold."),
        ("My soup is cold.", " ", "My soup is cold."),
    ],
)
def test_title_and_question_are_joined_unless_one_says_what_the_other_does(tmp_path, title, question, whole):
    json_lines(tmp_path / "a.jsonl", {"title": title, "question": question, "answer": "Warm it."})
    assert read(tmp_path, source("a.jsonl"))[0][0].turns[0].text == whole


def test_without_a_group_those_who_ask_the_same_are_one_in_all_sources(tmp_path):
    json_lines(
        tmp_path / "a.jsonl",
        {"question": "Is it cold?", "answer": "Yes."},
        {"question": "is it  COLD", "answer": "No."},
        {"question": "Is it hot?", "answer": "No."},
    )
    rows, _ = read(tmp_path, source("a.jsonl"), source("a.jsonl", name="bread"))
    groups = [row.group for row in rows]
    assert groups[:3] == groups[3:]
    assert (groups[0] == groups[1], groups[0] == groups[2]) == (True, False)


@pytest.mark.parametrize(
    "answers",
    [
        [{"body": {"text": "Warm it."}, "score": 2, "by": "Ann"}, {"body": {"text": ""}}, {"body": {"text": "Wait."}}],
        {"body": [{"text": "Warm it."}, {"text": ""}, {"text": "Wait."}], "score": [2, 1, None], "by": ["Ann", "", ""]},
        '[{"body": {"text": "Warm it."}, "score": "2", "by": "Ann"}, {"body": {"text": "Wait."}}, "", 7, null]',
    ],
)
def test_a_nested_list_of_answers_gives_a_row_each(tmp_path, answers):
    fields = {"answers": "replies.list", "answer_text": "body.text", "votes": "score", "author": "by"}
    json_lines(tmp_path / "a.jsonl", {"id": 5, "question": "Cold?", "score": 99, "replies": {"list": answers}})
    rows, counts = read(tmp_path, source("a.jsonl", fields=fields))
    assert [(row.turns[1].text, row.votes, row.author) for row in rows][:2] == [
        ("Warm it.", 2, "Ann"), ("Wait.", None, "")
    ]  # fmt: skip
    assert len({row.group for row in rows}) == 1
    assert all(row.id.startswith("soup-5-") for row in rows)
    assert counts_of(counts)["left_out"]["no answer"] >= 1


def test_values_of_any_type_are_read_as_what_they_say_or_left_out(tmp_path):
    questions = ["A?", 7, 7.5, 10**400, True, None, ["A?"], {"a": "b"}, float("nan"), "\ud83d half", "two\r\nlines"]
    json_lines(tmp_path / "a.jsonl", *({"question": q, "answer": "a", "topic": ["x", "y"]} for q in questions))
    rows, counts = read(tmp_path, source("a.jsonl"))
    assert [row.turns[0].text for row in rows] == ["A?", "7", "7.5", f"1{'0' * 400}", "� half", "two\nlines"]
    assert rows[0].topic == "x, y"
    assert counts_of(counts)["left_out"] == {"no question": 5}


def test_the_answers_with_most_votes_are_kept_if_asked(tmp_path):
    votes = [("A?", "a", 1), ("A?", "b", None), ("A?", "c", 5), ("B?", "d", -1), ("A?", "e", 1), ("B?", "f", None)]
    json_lines(tmp_path / "a.jsonl", *({"question": q, "answer": a, "votes": v} for q, a, v in votes))
    rows, counts = read(tmp_path, source("a.jsonl", most_answers=2))
    assert [row.turns[1].text for row in rows] == ["a", "c", "d", "f"]
    assert counts_of(counts)["left_out"] == {"beyond most_answers": 2}
    assert counts_of(counts)["read"] == 6


def test_dialogues_take_turns_whatever_their_roles_are_called(tmp_path):
    turns = [
        ("system", "Be kind."), ("Therapist", "Welcome."), ("client", "My soup is cold."), ("client", "Very."),
        ("therapist", "That is sad."), ("client", ""), ("therapist", "Warm it."), ("client", "Bye."),
    ]  # fmt: skip
    json_lines(
        tmp_path / "a.jsonl",
        {"id": "d1", "talk": [{"from": role, "value": text} for role, text in turns], "topic": "soup"},
        {"id": "d2", "talk": {"from": ["human", "gpt"], "value": ["Hm?", "Yes."]}},
        {"id": "d3", "talk": [{"from": "Cook", "value": "Hm?"}, {"from": "gpt", "value": "Yes."}]},
        {"id": "d4", "talk": []},
        {"id": "d5", "talk": [{"from": "gpt", "value": "Is anybody there?"}, {"from": "human", "value": "Yes."}]},
        {"id": "d6", "talk": [{"from": "narrator", "value": "Hm?"}, {"from": "gpt", "value": "Yes."}]},
        {"id": "d7", "talk": "no list"},
    )
    fields = {"turns": "talk", "role": "from", "text": "value"}
    rows, counts = read(tmp_path, source("a.jsonl", "dialogues", fields=fields, roles={"cook": "user"}))
    assert [row.id for row in rows] == ["soup-d1", "soup-d2", "soup-d3"]
    assert said(rows[0]) == [("user", "My soup is cold.\nVery."), ("assistant", "That is sad.\nWarm it.")]
    assert said(rows[1]) == [("user", "Hm?"), ("assistant", "Yes.")]
    assert (rows[0].topic, rows[0].group) == ("soup", "soup-d1")
    assert counts_of(counts)["left_out"] == {
        "a turn without a known role": 1, "no turns": 2, "nobody is answered": 1
    }  # fmt: skip


def test_dialogues_may_stand_in_a_cell_of_a_table(tmp_path):
    turns = json.dumps([{"role": "user", "text": "Hm?"}, {"role": "assistant", "text": "Yes."}]).replace('"', '""')
    (tmp_path / "a.csv").write_text(f'turns,group\n"{turns}",g\n', "utf-8")
    rows, _ = read(tmp_path, source("a.csv", "dialogues"))
    assert (said(rows[0]), rows[0].group) == ([("user", "Hm?"), ("assistant", "Yes.")], "soup-g")


def test_of_feedback_only_thumbs_up_become_rows(tmp_path):
    thumbs = ["up", True, "👍", 1, "down", False, "👎", -1, "maybe", None]
    json_lines(
        tmp_path / "a.jsonl",
        *(
            {"prompt": f"{place}?", "reply": "Yes.", "thumb": thumb, "word": "fine"}
            for place, thumb in enumerate(thumbs)
        ),
        {"prompt": "", "reply": "Yes.", "thumb": "up"},
        {"prompt": "10?", "reply": None, "thumb": "up", "word": " "},
    )
    rows, counts = read(tmp_path, source("a.jsonl", "feedback"))
    assert [said(row) for row in rows] == [[("user", f"{place}?"), ("assistant", "Yes.")] for place in range(4)]
    assert counts_of(counts)["left_out"] == {"thumb down": 4, "no thumb": 2, "no prompt": 1, "no reply": 1}


def test_of_feedback_words_are_counted_by_thumb_and_stand_nowhere(tmp_path, capfd):
    words = [("up", "kindly"), ("up", ""), ("down", "coldly"), ("down", "too sharp"), (None, "hmm"), ("up", None)]
    json_lines(
        tmp_path / "a.jsonl",
        *({"prompt": f"{n}?", "reply": "Yes.", "thumb": thumb, "word": word} for n, (thumb, word) in enumerate(words)),
    )
    _, counts = read(tmp_path, source("a.jsonl", "feedback"))
    assert counts_of(counts)["words"] == {"no thumb": 1, "thumb down": 2, "thumb up": 1}
    made = "".join(path.read_text("utf-8") for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert not any(word in made + "".join(capfd.readouterr()) for _, word in words if word)


def test_ids_stay_when_other_rows_are_added_and_are_never_given_twice(tmp_path):
    records = [{"question": f"{place}?", "answer": "Yes."} for place in (1, 2, 2, 3)]
    json_lines(tmp_path / "a.jsonl", *records)
    before = [row.id for row in read(tmp_path, source("a.jsonl"))[0]]
    json_lines(tmp_path / "a.jsonl", {"question": "0?", "answer": "No."}, *records, records[0])
    after = [row.id for row in read(tmp_path, source("a.jsonl"))[0]]
    assert after[1:5] == before
    assert len(set(after)) == 6
    assert before[2] == f"{before[1]}-2"


def test_the_sources_own_ids_are_kept_and_told_apart(tmp_path):
    records = [{"key": key, "question": f"{place}?", "answer": "Yes."} for place, key in enumerate([4, 4, "4-2", 4])]
    json_lines(tmp_path / "a.jsonl", *records)
    rows, _ = read(tmp_path, source("a.jsonl", fields={"id": "key"}))
    assert [row.id for row in rows] == ["soup-4", "soup-4-2", "soup-4-2-2", "soup-4-3"]


def test_a_licence_that_forbids_commercial_use_is_refused_unless_let_in(tmp_path):
    json_lines(tmp_path / "a.jsonl", {"question": "A?", "answer": "a"})
    private = source("a.jsonl", commercial=False)
    with pytest.raises(BadSource, match="forbids commercial use"):
        read(tmp_path, private)
    rows, counts = read(tmp_path, private, non_commercial=True)
    assert (rows[0].commercial, counts["non_commercial"]) == (False, True)
    assert read(tmp_path, source("a.jsonl"), non_commercial=True)[1]["non_commercial"] is False


def test_a_source_of_which_nothing_can_be_used_says_why(tmp_path):
    json_lines(tmp_path / "a.jsonl", {"question": "A?", "answer": ""}, {"question": "", "answer": "b"})
    with pytest.raises(BadSource, match="of 2 read: 1 no answer, 1 no question"):
        read(tmp_path, source("a.jsonl"))


@pytest.mark.parametrize(
    ("form", "record", "column"),
    [
        ("dialogues", {"talk": []}, "turns"),
        ("dialogues", {"turns": [{"who": "user", "text": "A?"}]}, "role"),
        ("feedback", {"prompt": "A?", "reply": "a"}, "thumb"),
    ],
)
def test_each_form_names_the_column_it_misses(tmp_path, form, record, column):
    json_lines(tmp_path / "a.jsonl", record)
    with pytest.raises(BadSource, match=f"no column {column}"):
        read(tmp_path, source("a.jsonl", form))


@pytest.mark.parametrize(
    "settings", [{"fields": {"question": "a"}, "form": "dialogues"}, {"roles": {"cook": "chef"}}, {"form": "songs"}]
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(BadConfiguration):
        SourceSettings(**{"name": "soup", "path": "a.csv", "form": "answers", "licence": "MIT", **settings})


def test_a_source_that_cannot_be_read_is_a_sentence(tmp_path):
    (tmp_path / "a.jsonl").symlink_to("/proc/self/mem")  # which opens, and then gives nothing
    with pytest.raises(BadRows, match=r"a\.jsonl cannot be read"):
        read(tmp_path, source("a.jsonl"))


def test_the_same_files_give_the_same_bytes(tmp_path):
    made = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        folder.mkdir()
        json_lines(folder / "a.jsonl", *({"question": f"{place}?", "answer": "a"} for place in range(50)))
        read(folder, source("a.jsonl"))
        made.append((folder / "work" / "sources" / "rows.jsonl").read_bytes())
    assert made[0] == made[1]
