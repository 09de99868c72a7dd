"""What cleaning does to the form of a text, and what it tells from form alone: another language, a duplicate."""

import pytest

from mhdesk.core.messages import Message, Role
from trainer.cleaning.characters import plain_characters, plain_quotes, tidy_spaces
from trainer.cleaning.duplicates import Duplicates
from trainer.cleaning.encoding import mend_encoding
from trainer.cleaning.joints import part_joined
from trainer.cleaning.language import is_other_language
from trainer.cleaning.markup import to_plain_text
from trainer.cleaning.sentences import keep_sentences, split_sentences
from trainer.rows import Row


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("itâ€™s a cafÃ©", "it’s a café"),
        ("I don\ufffdt know\ufffd", "I don't know"),
        ("half \ud83d of a sign", "half  of a sign"),
        ("naïve, 3 × 4", "naïve, 3 × 4"),
    ],
)
def test_broken_encodings_are_mended(text, meant):
    assert mend_encoding(text) == meant


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>One.</p><p>Two &amp; three.</p>", "One.\n\nTwo & three."),
        ("<div>One<br>Two</div>", "One\nTwo"),
        ("<ol>\n<li>One</li>\n<li>Two</li></ol>", "- One\n- Two"),
        ("&#34;soup&#34; &amp;#39;s", '"soup" \'s'),
        ("a <style>p {color: red}</style><!-- note --> b", "a b"),
        ("I <3 you, and 1 < 2 > 0", "I <3 you, and 1 < 2 > 0"),
        ('see <a href="https://example.org/x">this page</a> now', "see this page https://example.org/x now"),
        ('a <a href="https://example.org/x">family counselor</a>', "a family counselor"),
        ("line one\nline two <b>bold</b>", "line one\nline two bold"),
    ],
)
def test_markup_becomes_lines(text, plain):
    assert tidy_spaces(to_plain_text(text)) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("zero\u200bwidth\x00 and\u00a0space", "zerowidth and space"),
        ("What??!! No!!!", "What? No!"),
        ("so......then", "so...then"),
        ("• one\n● two\n–   three", "- one\n- two\n- three"),
        ("first ·       second", "first\n- second"),
        ("**bold** and *slanted*", "bold and slanted"),
        ("a ==== b", "a b"),
        ("5:30, 3/4, well-known, 4-7-8", "5:30, 3/4, well-known, 4-7-8"),
        ("family: 👨\u200d👩\u200d👧", "family: 👨\u200d👩\u200d👧"),
    ],
)
def test_special_characters_and_noise_go(text, plain):
    assert tidy_spaces(plain_characters(text)) == plain


def test_quotation_marks_are_straight():
    assert plain_quotes("“I’m fine”") == '"I\'m fine"'


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("She left.Then it rained.", "She left. Then it rained."),
        ('He said "go."Then he left.', 'He said "go." Then he left.'),
        ('She said "I am fine." Then', 'She said "I am fine." Then'),
        ("Two things:1. Eat soup.2. Rest.", "Two things:\n1. Eat soup.\n2. Rest."),
        ("harm than good,Usually", "harm than good, Usually"),
        ("at www.SoupIsGood.com today", "at www.SoupIsGood.com today"),
        ("at www.soup.comI wish", "at www.soup.com I wish"),
        ("a Ph.D. or e.g. this", "a Ph.D. or e.g. this"),
        ("it took a while., but it came", "it took a while, but it came"),
        ("a Ph.D., then e.g., soup", "a Ph.D., then e.g., soup"),
    ],
)
def test_joined_sentences_are_parted(text, parted):
    assert part_joined(text) == parted


def test_a_line_that_breaks_off_goes_on_and_items_in_a_line_part():
    assert part_joined("It is a time with\nmany changes.\nRest.") == "It is a time with many changes.\nRest."
    assert plain_characters("Causes    - worry    - grief") == "Causes\n- worry\n- grief"


def test_sentences_end_neither_at_titles_nor_initials():
    text = "Dr. Bell said so. I know J. K. Moss, e.g. from work! Yes.\nNew line"
    assert [piece.strip() for piece in split_sentences(text)] == [
        "Dr. Bell said so.",
        "I know J. K. Moss, e.g. from work!",
        "Yes.",
        "New line",
    ]
    assert "".join(split_sentences(text)) == text
    assert keep_sentences("One. Two.\n\nThree.", lambda sentence: sentence != "Two.") == "One. \n\nThree."


def test_other_languages_are_told_and_short_texts_are_not_judged():
    assert is_other_language(
        "Ich weiß nicht, wie ich mit meiner Schwester wieder reden soll, seit wir uns gestritten haben.", "en"
    )
    assert not is_other_language("Ich weiß nicht.", "en")
    assert not is_other_language(
        "I do not know how to talk to my sister again, since we quarrelled about the soup.", "en"
    )


def test_the_first_of_two_near_duplicates_stays():
    def row(name, answer):
        return Row(name, "own", name, (Message(Role.USER, "q"), Message(Role.ASSISTANT, answer)), "x", True)

    seen = Duplicates(0.8)
    text = " ".join(f"word{place}" for place in range(60))
    assert seen.reason(row("a", text)) == ""
    assert seen.reason(row("b", text.upper() + "!")) == "exact_duplicate"
    assert seen.reason(row("c", text + " more")) == "near_duplicate"
    assert seen.reason(row("d", " ".join(f"word{place}" for place in range(30, 90)))) == ""
