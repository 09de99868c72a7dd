"""How easy the English crisis replies are to read: the Flesch-Kincaid grade (1975), with syllables by hyphenation."""

import re
import statistics

import pyphen

from tests.chat.crisis_files import FOLDER, all_texts

HARDEST = 8
MEDIAN = 6
SYLLABLES = pyphen.Pyphen(lang="en_US", left=1, right=1)


def grade(text: str) -> float:
    """Years of school. A word has as many syllables as it can be parted into."""
    sentences = len(re.findall(r"[.?:;]+(?:\s|$)", text)) or 1
    words = re.findall(r"[A-Za-z']+", text)
    syllables = sum(len(SYLLABLES.positions(word.lower())) + 1 for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def test_reading_is_easy() -> None:
    texts = [text.replace("{step}", "Call my sister") for text in all_texts(FOLDER / "en.json")]
    grades = {text: grade(text) for text in texts}
    assert not {text: found for text, found in grades.items() if found > HARDEST}
    assert statistics.median(grades.values()) <= MEDIAN


def test_hard_words_and_long_sentences_are_noticed() -> None:
    assert grade("We sit. We talk. You can rest.") < 2
    hard = "Considerable psychological deterioration necessitates professional intervention in institutional settings."
    assert grade(hard) > 12
