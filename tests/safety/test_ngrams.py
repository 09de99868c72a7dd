"""Texts as hashed features: the same for the same words, by stretches, linear, whatever the text."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mhdesk.safety.ngrams import read_ngrams


def test_a_sentence_has_the_same_features_wherever_it_stands():
    alone = read_ngrams(b"let me sleep")
    after = read_ngrams(b"the train was late\nlet me sleep\nwe ate soup")
    first, last = 4, 7
    there = after.ids[after.starts[first] : after.starts[last]]
    # Runs of letters reach over the sentence's end; everything else is the same.
    assert len(set(alone.ids) - set(there)) <= 1
    assert after.stretch(first, last) == "let me sleep"


def test_stretches_are_one_to_three_sentences_and_pieces_of_endless_ones():
    four = read_ngrams(b"a b\nc d\ne f\ng h")
    assert {tuple(window) for window in four.windows} == {
        (0, 2), (2, 4), (4, 6), (6, 8), (0, 4), (2, 6), (4, 8), (0, 6), (2, 8)
    }  # fmt: skip
    endless = read_ngrams(b" ".join([b"word"] * 100))
    pieces = endless.windows[1:]
    assert (np.diff(pieces, axis=1) <= 28).all()
    assert pieces[-1, 1] == 100


def test_a_stretch_parts_its_sentences():
    assert read_ngrams(b"i am done\ngoodbye all").stretch(0, 5) == "i am done . goodbye all"


def test_nothing_has_no_features():
    nothing = read_ngrams(b"")
    assert not nothing.ids.size
    assert not nothing.windows.size


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text):
    ngrams = read_ngrams(text.encode("utf-8", "replace"))
    assert ngrams.starts[-1] == ngrams.ids.size
    assert (np.diff(ngrams.starts) > 0).all()
    assert (ngrams.windows[:, 0] < ngrams.windows[:, 1]).all()


def test_twice_the_text_has_about_twice_the_features_and_stretches():
    once = read_ngrams(b"some words here\n" * 1_000)
    twice = read_ngrams(b"some words here\n" * 2_000)
    assert twice.ids.size < 2.1 * once.ids.size
    assert len(twice.windows) < 2.1 * len(once.windows)
