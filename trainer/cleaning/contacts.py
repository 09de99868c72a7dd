"""Links, mail addresses and handles."""

from __future__ import annotations

from typing import Final

from trainer.cleaning.cutting import without_spans
from trainer.cleaning.patterns import Pattern, compile_pattern
from trainer.cleaning.sentences import edit_sentences

_MAIL: Final = compile_pattern(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}",
    r"\b[\w.+-]{1,64} ?[(\[] ?at ?[)\]] ?[\w-]{1,63} ?(?:\.|[(\[] ?dot ?[)\]]) ?(?:com|org|net|edu|ca|co)\b",
)
_LINK: Final = compile_pattern(
    r"(?i:\bhttps?:?\s?/{0,2}|www\.\s?)[^\s<>\"')\]]+(?:\s/[^\s<>\"')\]]+)?",
    r"\b[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*\.(?:com|org|net|edu|gov|info|biz|ca|co\.uk|org\.uk|io|tv|ly|me|"
    r"us|eu|bz)\b(?:/[^\s<>\"')\]]*)?",
    any_case=False,
)
_HANDLE: Final = compile_pattern(r"(?:^|[\s(:,])(@[A-Za-z_]\w{2,30})\b", any_case=False)


def without_mails(text: str, *, whole: bool) -> str:
    """`text` without mail addresses. `whole` takes the sentence out, unless it leads to people who can help."""
    return edit_sentences(text, lambda sentence: _edited(sentence, _MAIL, 0, whole=whole))


def without_links(text: str, *, whole: bool) -> str:
    """`text` without addresses on the web; `whole` as for mail."""
    return edit_sentences(text, lambda sentence: _edited(sentence, _LINK, 0, whole=whole))


def without_handles(text: str, *, whole: bool) -> str:
    """`text` without names on social networks; `whole` as for mail."""
    return edit_sentences(text, lambda sentence: _edited(sentence, _HANDLE, 1, whole=whole))


def _edited(sentence: str, found: Pattern, group: int, *, whole: bool) -> str:
    return without_spans(sentence, [match.span(group) for match in found.finditer(sentence)], whole=whole)
