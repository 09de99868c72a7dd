"""Files as people have them: in any encoding, with bad lines, huge cells, and names of columns of their own."""

import json

import pytest

from tests.trainer.reading_job import json_lines, read, said, source
from trainer.errors import BadSource

TABLE = "question,answer\nIs the café open?,“Yes”: until noon.\n"


def counts_of(counts):
    return counts["sources"]["soup"]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "utf-8"),
    ],
)
def test_a_table_is_read_whatever_its_encoding(tmp_path, encoding, named):
    (tmp_path / "a.csv").write_bytes(TABLE.encode(encoding))
    rows, counts = read(tmp_path, source("a.csv"))
    assert said(rows[0]) == [("user", "Is the café open?"), ("assistant", "“Yes”: until noon.")]
    assert counts_of(counts)["encodings"] == {named: 1}
    assert counts_of(counts)["lines_as_windows_1252"] == (1 if encoding == "cp1252" else 0)


def test_encodings_mixed_in_one_file_are_told_apart_line_by_line(tmp_path):
    (tmp_path / "a.csv").write_bytes(TABLE.encode() + "Is it Anaïs?,It’s Anaïs.\n".encode("cp1252"))
    rows, counts = read(tmp_path, source("a.csv"))
    assert [row.turns[0].text for row in rows] == ["Is the café open?", "Is it Anaïs?"]
    assert counts_of(counts)["lines_as_windows_1252"] == 1


def test_a_byte_that_means_nothing_becomes_the_sign_for_what_is_unknown(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"question,answer\nWhat \x81 now?,\x00Wait.\n")
    rows, _ = read(tmp_path, source("a.csv"))
    assert rows[0].turns[0].text == "What � now?"


def test_lines_with_too_many_or_too_few_cells_are_counted_and_left_out(tmp_path):
    (tmp_path / "a.csv").write_text(
        'question,answer,votes\nA?,a,1\nonly this\nB?,b,2,and,more\n\nC?,"c,\nsecond line",3\nD?,d,4,,\n', "utf-8"
    )
    rows, counts = read(tmp_path, source("a.csv"))
    assert [(row.turns[0].text, row.turns[1].text, row.votes) for row in rows] == [
        ("A?", "a", 1), ("C?", "c,\nsecond line", 3), ("D?", "d", 4)
    ]  # fmt: skip
    assert (counts_of(counts)["read"], counts_of(counts)["left_out"]) == (5, {"unreadable": 2})


def test_a_quote_that_never_closes_costs_its_own_line_only(tmp_path):
    (tmp_path / "a.csv").write_text('question,answer\nA?,"a\nB?,b\nC?,"c, ""quoted"""\nD?,"d\nE?,e\n', "utf-8")
    rows, counts = read(tmp_path, source("a.csv"))
    assert [(row.turns[0].text, row.turns[1].text) for row in rows] == [("B?", "b"), ("C?", 'c, "quoted"'), ("E?", "e")]
    assert counts_of(counts)["left_out"] == {"unreadable": 2}


@pytest.mark.parametrize(("name", "sign"), [("a.tsv", "\t"), ("a.csv", ";"), ("a.csv", "\t")])
def test_other_delimiters_are_known_by_the_ending_or_the_first_line(tmp_path, name, sign):
    (tmp_path / name).write_text(f"question{sign}answer\nA, or B?{sign}B, rather\n", "utf-8")
    rows, _ = read(tmp_path, source(name))
    assert said(rows[0]) == [("user", "A, or B?"), ("assistant", "B, rather")]


def test_a_cell_of_ten_megabytes_is_read(tmp_path):
    long = "soup " * 2_000_000
    (tmp_path / "a.csv").write_text(f"question,answer\nA?,{long}\nB?,b\n", "utf-8")
    json_lines(tmp_path / "b.jsonl", {"question": "C?", "answer": long})
    rows, _ = read(tmp_path, source("a.csv"), source("b.jsonl", name="bread"))
    assert [len(row.turns[1].text) for row in rows] == [len(long) - 1, 1, len(long) - 1]


def test_lines_that_are_no_objects_are_counted_and_left_out(tmp_path):
    lines = ['{"question": "A?", "answer": "a"}', "{broken", "[1]", "", '"text"', "[" * 100_000, "9" * 5000]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), "utf-8")
    rows, counts = read(tmp_path, source("a.jsonl"))
    assert len(rows) == 1
    assert (counts_of(counts)["read"], counts_of(counts)["left_out"]) == (6, {"unreadable": 5})


@pytest.mark.parametrize("around", [lambda records: records, lambda records: {"version": 1, "data": records}])
def test_json_may_be_a_list_or_an_object_with_one_list(tmp_path, around):
    records = [{"question": "A?", "answer": "a"}, "no object"]
    (tmp_path / "a.json").write_text(json.dumps(around(records), indent=1), "utf-8")
    rows, counts = read(tmp_path, source("a.json"))
    assert len(rows) == 1
    assert counts_of(counts)["left_out"] == {"unreadable": 1}


def test_a_json_file_of_one_object_a_line_is_read_as_that(tmp_path):
    records = [{"question": "A?", "answer": "a"}, {"question": "B?", "answer": "b"}]
    json_lines(tmp_path / "a.json", *records)
    assert len(read(tmp_path, source("a.json"))[0]) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[\n{"question": "A?"},\n{"question": ]', "goes wrong in line 3"),
        ('{"one": [], "other": []}', "it has lists called one, other"),
        ('{"question": "A?"}', "it has no list"),
        ("7", "it has no list"),
        ("[" * 100_000, "no JSON that can be read"),
        ("", "is empty"),
        ("[]", "is empty"),
    ],
)
def test_json_of_another_shape_is_a_sentence(tmp_path, text, sentence):
    (tmp_path / "a.json").write_text(text, "utf-8")
    with pytest.raises(BadSource, match=sentence):
        read(tmp_path, source("a.json"))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_sentence_and_leaves_nothing(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadSource, match="The source soup is empty"):
        read(tmp_path, source(name))
    assert not (tmp_path / "work" / "sources").exists()


def test_noise_is_a_sentence(tmp_path):
    (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(BadSource, match="The source soup"):
        read(tmp_path, source("a.csv"))


def test_a_wrong_column_is_named_with_those_there_are(tmp_path):
    (tmp_path / "a.csv").write_text("ask,reply\nA?,a\n", "utf-8")
    with pytest.raises(BadSource, match=r"no column question, .* for question; its columns are: ask, reply\."):
        read(tmp_path, source("a.csv"))
    with pytest.raises(BadSource, match=r"no column upvotes, which its settings take for votes"):
        read(tmp_path, source("a.csv", fields={"question": "ask", "answer": "reply", "votes": "upvotes"}))


def test_words_that_stand_where_names_of_columns_should_are_not_all_shown(tmp_path):
    (tmp_path / "a.csv").write_text(f"{'I never told anybody that ' * 9},a\nB?,b\n", "utf-8")
    with pytest.raises(BadSource) as caught:
        read(tmp_path, source("a.csv"))
    assert len(caught.value.sentence) < 200


def test_a_pattern_reads_all_files_that_match_in_order_of_their_names(tmp_path):
    (tmp_path / "data" / "deep").mkdir(parents=True)
    for place, name in enumerate(["data/b.jsonl", "data/a.jsonl", "data/deep/c.jsonl"]):
        json_lines(tmp_path / name, {"question": f"{place}?", "answer": "a"})
    asked = [row.turns[0].text for row in read(tmp_path, source("data/**/*.jsonl"))[0]]
    assert asked == ["1?", "0?", "2?"]
    (tmp_path / "run").mkdir()
    assert len(read(tmp_path / "run", source("../data/*.jsonl"))[0]) == 2


def test_a_folder_of_files_gives_its_split_if_its_files_name_splits(tmp_path):
    (tmp_path / "data" / "test").mkdir(parents=True)
    for name in ["data/soup-train.jsonl", "data/test/soup.jsonl", "data/notes.txt", "data/.hidden.jsonl"]:
        json_lines(tmp_path / name, {"question": f"{name}?", "answer": "a"})
    asked = {split: [row.turns[0].text for row in read(tmp_path, source("data", split=split))[0]]
             for split in ("train", "test", "all")}  # fmt: skip
    assert asked["train"] == ["data/soup-train.jsonl?"]
    assert asked["test"] == ["data/test/soup.jsonl?"]
    assert len(asked["all"]) == 2


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nothing.csv", "is not there"),
        ("nothing/*.csv", "no file to read"),
        ("folder", "no file to read"),
        ("folder/sheet.xlsx", "unknown kind"),
    ],
)
def test_what_cannot_be_found_or_read_is_a_sentence(tmp_path, path, sentence):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "sheet.xlsx").write_bytes(b"PK")
    with pytest.raises(BadSource, match=sentence):
        read(tmp_path, source(path))
