"""What the encoder is given of a text: the most telling stretch, then sentences by themselves, within bounds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mhdesk.safety.ngrams import read_ngrams
from mhdesk.safety.second_stage import stretches_to_read, telling_stretch

LETTER = (
    b"they moved my desk to the third floor\n"
    b"the canteen has no soup any more\n"
    b"i have seen to it that nobody misses me\n"
    b"can you help me word an email about the desk\n"
    b"it should be short and polite"
)


def read(data, telling=()):
    """What is read of `data` where the single sentences that begin with one of `telling` tell, earliest most."""
    ngrams = read_ngrams(data)
    odds = np.full(len(ngrams.windows), -2.0)
    for place, (first, last) in enumerate(ngrams.windows):
        text = ngrams.stretch(int(first), int(last))
        for rank, words in enumerate(telling):
            if text.startswith(words) and " . " not in text:
                odds[place] = 5.0 - rank
    return stretches_to_read(ngrams, ngrams.windows, odds, telling_stretch(ngrams.windows, odds))


def test_a_telling_sentence_of_a_letter_is_read_in_its_context_and_by_itself():
    wide, *alone = read(LETTER, ["i have seen"])
    assert "i have seen to it that nobody misses me" in wide
    assert " . " in wide
    assert alone[0] == "i have seen to it that nobody misses me"


def test_sentences_are_read_by_how_much_they_tell_until_the_words_are_used_up():
    _, *alone = read(LETTER, ["it should", "the canteen"])
    assert alone[:2] == ["it should be short and polite", "the canteen has no soup any more"]
    assert sum(len(text.split()) + 2 for text in alone) <= 18
    assert len(alone) < LETTER.count(b"\n") + 1


def test_one_sentence_is_read_once():
    assert read(b"i counted the pills") == ["i counted the pills"]


def test_of_an_endless_sentence_one_piece_is_read_besides_and_no_more():
    words = [f"word{place}" for place in range(100)]
    first, *alone = read(" ".join(words).encode(), ["word18 ", "word27 ", "word54 "])
    assert [first, *alone] == [" ".join(words[18:46]), " ".join(words[54:82])]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab ", min_size=1, max_size=200), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_what_is_read_is_bounded_whatever_the_text(sentences, seed):
    data = "\n".join(" ".join(text.split()) or "a" for text in sentences).encode()
    ngrams = read_ngrams(data)
    odds = np.random.default_rng(seed).normal(size=len(ngrams.windows))
    wide, *alone = stretches_to_read(ngrams, ngrams.windows, odds, telling_stretch(ngrams.windows, odds))
    assert len(wide.replace(" . ", " ").split()) <= 40
    assert sum(len(text.split()) + 2 for text in alone[1:]) <= 18
    assert not any(" . " in text or text == wide for text in alone)
