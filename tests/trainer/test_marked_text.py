"""The form in which sentences are written down, and what is said of a slip."""

import pytest

from trainer.errors import BadSentences
from trainer.marked_text import MarkedText, read_marked

LEVELS = frozenset({"none", "crisis"})


def written(tmp_path, text, name="en-plain.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_heading_holds_until_the_next_one(tmp_path):
    path = written(
        tmp_path,
        "# about\n= crisis | suicide minor | implicit | letters\nfirst one\n\nsecond\\nline\n"
        "= none | | idiom | tired\ndead tired\n",
    )
    assert read_marked([path], LEVELS) == [
        MarkedText("first one", "crisis", ("suicide", "minor"), "implicit", "letters", "en-plain"),
        MarkedText("second\nline", "crisis", ("suicide", "minor"), "implicit", "letters", "en-plain"),
        MarkedText("dead tired", "none", (), "idiom", "tired", "en-plain"),
    ]


def test_the_language_is_the_files(tmp_path):
    names = {"en-plain.txt": "en", "hi.txt": "hi", "hi-latin-2.txt": "hi-Latn", "zh-2.txt": "zh"}
    for name, language in names.items():
        assert read_marked([written(tmp_path, "= none | | a | b\nx\n", name)], LEVELS)[0].language == language


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x\n", 1), ("= often | | a | b\nx\n", 1), ("= none | | a | \nx", 1), ("\n= none\nx", 2),
        ("= none | a | b | c | d\n", 1),
    ],
)  # fmt: skip
def test_a_slip_is_named_with_its_line(tmp_path, text, line):
    with pytest.raises(BadSentences) as caught:
        read_marked([written(tmp_path, text)], LEVELS)
    assert f"Line {line} of" in caught.value.sentence


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "en.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(BadSentences, match=r"en\.txt"):
        read_marked([tmp_path / "en.txt", tmp_path / "gone.txt"], LEVELS)
