"""One plain spelling for many disguises."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhdesk.core.paths import resources_dir
from mhdesk.safety.clauses import read_clauses
from mhdesk.safety.normalise import fold_accents, normalise, unmask
from mhdesk.safety.rules import load_speller


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ＷＡＮＴ to 𝓭𝓲𝓮", "want to die"),
        ("k​i‮ll", "kill"),
        ("suiсidе", "suicide"),
        ("to ԁіе", "to die"),
        ("k1ll mys3lf", "kill myself"),
        ("5uicide and $uicide", "suicide and suicide"),
        ("d.i.e", "die"),
        ("k i l l  m y s e l f", "kill myself"),
        ("s-u-i-c-i-d-e", "suicide"),
        ("soooooo", "so"),
        ("I’m “fine”", 'i\'m "fine"'),
        ("٩٨٨ and ９８８", "988 and 988"),
        ("i have a 🔪", "i have a knife"),
        ("a\n\n\nb", "a\nb"),
        ("50mg at 2pm in 2019", "50mg at 2pm in 2019"),
    ],
)
def test_reads_through_disguise(text: str, plain: str) -> None:
    assert normalise(text) == plain


def test_leaves_other_scripts_alone() -> None:
    for text in ("я хочу домой", "死にたい", "मैं जीना चाहता हूँ", "أريد أن أعيش"):
        assert normalise(text) == unmask(text)


def test_folds_what_people_leave_out() -> None:
    assert fold_accents("não é así, ça là") == "nao e asi, ca la"
    assert fold_accents("أُريدُ") == fold_accents("اريد")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("sucidal", "suicidal"), ("mysefl", "myself"), ("s**cide", "suicide"), ("iwanttodie", "i want to die"),
     ("therapist", "therapist"), ("cooking", "cooking"), ("loving", "loving")],
)  # fmt: skip
def test_puts_right_the_words_that_matter(text: str, meant: str) -> None:
    speller = load_speller(resources_dir() / "safety" / "spelling.yaml")
    assert read_clauses(text, speller).data == meant.encode()


@given(st.text(st.characters(), max_size=200))
def test_never_raises_and_can_be_encoded(text: str) -> None:
    normalise(text).encode()
    fold_accents(normalise(text)).encode()
    read_clauses(text)


@pytest.mark.parametrize(
    "unit", ["a", "a ", "a.", "1a", "\u0301\u0316", "\ud800", "\0", "ﷺ", "k i ", '"', "'", "é", "!?", "\n", "аb "]
)
def test_time_is_linear(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    start = time.perf_counter()
    read_clauses(text)
    assert time.perf_counter() - start < 2
