"""What decides about a written text, the plan of attempts, and the review file."""

import csv
import io
import time
from dataclasses import replace

import pytest

from mhdesk.core.messages import Message, Role
from tests.trainer.written_run import row
from trainer.errors import BadRows
from trainer.settings.augment import WAYS, AugmentSettings
from trainer.writing.filters import Filters
from trainer.writing.plan import most_written, plan_attempts
from trainer.writing.progress import Progress
from trainer.writing.review import Mark, line_of, marks_sha256, merge_review, read_review
from trainer.writing.wording import is_meta_talk, overlap, tidy
from trainer.writing.writer import Written

PARENT = row(0)
GOOD = "Since my sister left a week ago the kitchen feels silent at night, so I leave the radio running till late."


@pytest.fixture(scope="module")
def filters():
    return Filters(AugmentSettings(), [turn.text for number in range(3) for turn in row(number).turns])


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ('  "I am tired."\n', "I am tired."),
        ("“I am tired.”", "I am tired."),
        ('"Yes," I said, "and no."', '"Yes," I said, "and no."'),
        ("<think>Hm, a paraphrase.</think>\n\nI am tired.", "I am tired."),
        ("\x00\ud800", ""),
        ('"', '"'),
    ],
)
def test_what_a_model_puts_round_a_text_is_taken_off(text, bare):
    assert tidy(text) == bare


@pytest.mark.parametrize(
    "text",
    [
        "Here is a paraphrase: I am tired.",
        "Here's the message in other words:\nI am tired.",
        "Sure! Here you go. I am tired.",
        "Rewritten message: I am tired.",
        "As an AI, I do not get tired.",
        "I am tired.\nSupporter: That is hard.",
        "Dear [Your name], I am tired.",
        "<think>I shall say that he is tired",
    ],
)
def test_meta_talk_is_found(text):
    assert is_meta_talk(text)


@pytest.mark.parametrize(
    "text", [GOOD, "I can't sleep: the drums again.", "The person at the desk was rude to me, and I was the assistant."]
)
def test_what_people_say_is_no_meta_talk(text):
    assert not is_meta_talk(text)


def test_overlap_counts_words_of_the_shorter_text_in_any_script():
    assert overlap("I am very tired today", "Today I am very tired, and more.") == 1.0
    assert overlap("one two", "three four") == 0.0
    assert 0.5 < overlap("今日は疲れました", "今日はとても疲れた") < 1.0
    assert overlap("", "one") == 0.0


@pytest.mark.parametrize(
    ("text", "whole", "reason"),
    [
        (GOOD, True, ""),
        ("", True, "empty"),
        (GOOD, False, "cut_short"),
        ("Rewritten message: " + GOOD, True, "meta_talk"),
        ("My sister left.", True, "length"),
        (GOOD * 20, True, "length"),
        ("my sister moved out and " * 5, True, "repetition"),
        ("Nothing here resembles anything; bananas grow upon steep hillsides.", True, "too_different"),
        (PARENT.turns[0].text + " And more.", True, "too_similar"),
        (GOOD + " I am going to kill myself.", True, "level"),
    ],
)
def test_each_reason_is_named_of_a_paraphrase(filters, text, whole, reason):
    assert filters.refuses_paraphrase(text, Written(text, whole), PARENT) == reason


@pytest.mark.parametrize(
    ("role", "text", "reason"),
    [
        (Role.USER, "We cooked together, and one of us always burnt the onions on purpose.", ""),
        (Role.USER, "I want to kill myself and I have a plan for tonight after dinner.", "crisis"),
        (Role.USER, PARENT.turns[0].text, "too_similar"),
        (Role.USER, row(2).turns[0].text, "too_similar"),
        (Role.ASSISTANT, "Please call 555 010 4477 and ask for the doctor there, she is very good.", "gate"),
        (Role.ASSISTANT, "Burnt onions on purpose sounds like a joke that only the two of you shared.", ""),
    ],
)
def test_each_reason_is_named_of_a_new_turn(filters, role, text, reason):
    turn = Message(role, text)
    assert filters.refuses_turn(turn, Written(text, whole=True), PARENT.turns) == reason


def test_what_was_said_in_any_row_is_not_said_again(filters):
    text = "My cousin wants to paint her old bicycle green before the summer."
    assert filters.refuses_turn(Message(Role.USER, text), Written(text, whole=True), PARENT.turns) == ""
    filters.remember([text])
    shouted = text.upper()
    assert filters.refuses_turn(Message(Role.USER, shouted), Written(shouted, whole=True), ()) == "same_as_another"


def test_the_plan_spreads_over_parents_and_depends_on_the_seed_alone():
    rows = [row(number) for number in range(6)]
    plan = plan_attempts(rows, WAYS, 2, seed=1)
    assert len(plan) == len({attempt.id for attempt in plan}) == 24
    for begin in range(0, 24, 6):
        assert {attempt.parent.id for attempt in plan[begin : begin + 6]} == {one.id for one in rows}
    assert {attempt.number for attempt in plan[:12]} == {1}
    assert plan == plan_attempts(rows[::-1], WAYS, 2, seed=1)
    assert plan != plan_attempts(rows, WAYS, 2, seed=2)
    fewer = [attempt for attempt in plan if attempt.parent.id != "sister-0"]
    assert fewer == plan_attempts(rows[1:], WAYS, 2, seed=1)


@pytest.mark.parametrize(("rows", "share", "most"), [(700, 0.3, 300), (10, 0.5, 10), (2, 0.3, 0), (5, 0.0, 0)])
def test_the_share_is_kept_exactly(rows, share, most):
    assert most_written(rows, share) == most


def test_progress_is_told_with_the_time_left_reckoned_from_what_was_asked_in_this_run():
    told = []
    progress = Progress(100, 30, told.append, every_s=0.0)
    progress.after(40, 10, asked=0)
    time.sleep(0.3)
    progress.after(41, 11, asked=1)
    assert told[0].startswith("augment: 40 of at most 100 attempts, 10 of 30 rows")
    assert told[1].endswith("about 1 min left")
    Progress(100, 30, told.append).after(50, 1, asked=1)
    assert len(told) == 2, "only now and then"


@pytest.fixture
def offered():
    written = [Message(Role.USER, f'{GOOD}\n"Really",\tshe said. {number}') for number in range(4)]
    return [
        line_of(
            replace(PARENT, id=f"new-{number}", turns=(turn, *PARENT.turns[1:]), parent=PARENT.id),
            PARENT,
        )
        for number, turn in enumerate(written)
    ]


def test_the_review_file_shows_parent_and_new_words_in_one_line_each(tmp_path, offered):
    merge_review(tmp_path / "review.tsv", offered)
    lines = (tmp_path / "review.tsv").read_text("utf-8-sig").splitlines()
    assert len(lines) == 5
    mark, parent, new, name = lines[1].split("\t")
    assert (mark, name) == ("", "new-0")
    assert parent.startswith("person: My sister moved out")
    assert "⏎ supporter: An empty kitchen" in parent
    assert new.endswith('till late. ⏎ "Really", she said. 0')


@pytest.mark.parametrize(
    "save", ["utf-8", "utf-8-sig", "utf-16"], ids=["plain editor", "spreadsheet", "Excel's Unicode text"]
)
def test_marks_are_read_from_what_editors_and_spreadsheets_save(tmp_path, offered, save):
    path = tmp_path / "review.tsv"
    merge_review(path, offered)
    table = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""), delimiter="\t"))
    table[1][0], table[3][0] = "Accept ", "R"
    table[1:] = table[:0:-1]  # sorted another way
    stream = io.StringIO()
    csv.writer(stream, delimiter="\t", quoting=csv.QUOTE_ALL).writerows(table)
    path.write_bytes(stream.getvalue().encode(save))
    saved = path.read_bytes()
    merged = merge_review(path, offered)
    assert [line.mark for line in merged] == [Mark.ACCEPT, Mark.OPEN, Mark.REJECT, Mark.OPEN]
    assert path.read_bytes() == saved, "a file that needs nothing is left alone"


def test_marks_of_words_that_are_gone_stay_at_the_end_and_open_lines_leave(tmp_path, offered):
    path = tmp_path / "review.tsv"
    merge_review(path, offered)
    path.write_text(path.read_text("utf-8-sig").replace("\n\t", "\naccept\t", 2), "utf-8")
    marks = marks_sha256(read_review(path))
    merged = merge_review(path, offered[1:2])
    assert [(line.id, line.mark) for line in merged] == [("new-1", Mark.ACCEPT), ("new-0", Mark.ACCEPT)]
    assert marks_sha256(read_review(path)) == marks
    edited = path.read_text("utf-8-sig").replace("till late", "till dawn", 1)
    path.write_text(edited, "utf-8")
    merged = merge_review(path, offered[1:2])
    assert [line.mark for line in merged] == [Mark.OPEN, Mark.ACCEPT, Mark.ACCEPT], (
        "edited words are not what was written"
    )
    assert "till dawn" in path.read_text("utf-8-sig"), "and are not thrown away"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00", "tab-separated text in UTF-8"),
        ("accept\tümlaut".encode("latin-1"), "tab-separated text in UTF-8"),
        (b"accept only this\n", "Line 1 of .* lost a column"),
        (b"maybe\ta\tb\tc\n", "mark in line 1 .* is unknown"),
        (b'"accept\ta\tb\tc\n', "tab-separated text in UTF-8"),
    ],
)
def test_a_broken_review_file_is_a_sentence_and_stays_as_it_is(tmp_path, offered, content, sentence):
    path = tmp_path / "review.tsv"
    path.write_bytes(content)
    with pytest.raises(BadRows, match=sentence):
        merge_review(path, offered)
    assert path.read_bytes() == content
