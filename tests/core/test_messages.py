import pytest

from mhdesk.core.errors import BadMessage
from mhdesk.core.messages import MAX_MESSAGE_CHARS, sendable


def test_control_characters_and_lone_surrogates_are_removed_and_ends_trimmed():
    assert sendable("  a\x00b\x1b[31mc\ud800\td\n ") == "ab[31mc\td"


def test_line_breaks_become_one_kind():
    assert sendable("one\r\ntwo\rthree") == "one\ntwo\nthree"


@pytest.mark.parametrize("text", ["😀😀😀", "مرحبا، أنا متعب اليوم", "‏שלום", "नमस्ते", "👩‍👩‍👧"])
def test_emoji_and_right_to_left_text_stay_as_they_are(text):
    assert sendable(text) == text


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00\x01\x02", "\ud83d"])
def test_nothing_to_send_is_refused_in_a_sentence(text):
    with pytest.raises(BadMessage, match="type a few words"):
        sendable(text)


def test_a_megabyte_is_refused_and_the_sentence_says_how_long_it_may_be():
    with pytest.raises(BadMessage, match=f"{MAX_MESSAGE_CHARS:,}"):
        sendable("x" * 1_000_000)


def test_the_longest_message_allowed_is_sent():
    assert len(sendable("x" * MAX_MESSAGE_CHARS)) == MAX_MESSAGE_CHARS
