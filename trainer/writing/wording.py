"""A written text as such: what a model puts round it is taken off, and what tells a bad one is measured."""

from __future__ import annotations

import re

from mhdesk.core.errors import BadMessage
from mhdesk.core.messages import MAX_MESSAGE_CHARS, sendable

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’]\w+)*")
"""Chinese and Japanese have no spaces: there, each sign counts as a word."""
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "‘": "’", "'": "'", "「": "」"}
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_META = re.compile(
    r"""
    \b(?:paraphras|rephras|re-?worded|re-?written) | \bin\ other\ words\s*:
    | \A(?:sure|certainly|of\ course|okay|ok|absolutely|got\ it)\b[^\n]{0,20}\b(?:here|i\s+can|i['’]ll|let\s+me)\b
    | \Ahere(?:['’]s|\ is|\ are)\b[^\n]{0,60}\b(?:message|version|response|reply|way|example|text)s?\b
    | \A[^\n]{0,80}:[ ]*\n
    | \bas\ an?\ (?:ai|language\ model)\b | \bi['’]?\ ?a?m\ an\ ai\b
    | \b(?:your|this|original|previous|following)\ (?:sentence|paragraph|prompt)\b | \b(?:original|new)\ message\b
    | \bthe\ (?:person|supporter|user|speaker|writer)(?:['’]s)?\ (?:says|said|words|message|feels|asks)\b
    | ^[*_#\s]*(?:person|supporter|user|assistant|human|system|message|answer|reply|response|note|[ab])[*_\s]*:
    | \[(?:your|name|insert|person|supporter)\b | <\|?/?\w+\|?> | \A\s*<think>
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


def tidy(text: str) -> str:
    """`text` without a reasoning model's thoughts, control characters, and quotes round the whole; may be empty."""
    try:
        bare = sendable(_THOUGHT.sub("", text)[:MAX_MESSAGE_CHARS])
    except BadMessage:
        return ""
    closing = _QUOTES.get(bare[0])
    if closing and len(bare) > 1 and bare[-1] == closing and not {bare[0], closing} & set(bare[1:-1]):
        return bare[1:-1].strip()
    return bare


def is_meta_talk(text: str) -> bool:
    """Whether a text speaks of the task instead of doing it, goes on as both sides, or leaves a blank to fill in."""
    return _META.search(text) is not None


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text without capitals and punctuation."""
    return tuple(_WORD.findall(text.casefold()))


def overlap(one: str, other: str) -> float:
    """Share of the different words of the text with fewer of them that the other has too (Szymkiewicz-Simpson).

    A copy with words added or left out therefore counts as a copy.
    """
    words = set(words_of(one)), set(words_of(other))
    fewer = min(map(len, words))
    return len(words[0] & words[1]) / fewer if fewer else 0.0
