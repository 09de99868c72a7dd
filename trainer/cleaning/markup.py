"""HTML to plain text: paragraphs, breaks and list items become lines."""

from __future__ import annotations

import html
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

from trainer.cleaning.patterns import compile_pattern

_BLOCKS: Final = "p|div|ul|ol|dl|dt|dd|table|tr|blockquote|section|article|header|footer|pre|hr|h[1-6]"
_INLINE: Final = (
    "a|abbr|b|big|center|cite|code|del|em|font|i|img|ins|kbd|label|mark|q|s|small|span|strike|strong|sub|sup|td|th|"
    "tbody|thead|tt|u|html|body|head|meta|link|title|style|script|xml|iframe|object|video|audio|button|form|input|"
    "o:p|w:[a-z]+|m:[a-z]+"
)
_TAG: Final = compile_pattern(rf"</?(?:li|br|{_BLOCKS}|{_INLINE})(?:\s[^<>]*)?/?>|<!--")
_BLOCK: Final = compile_pattern(rf"</?(?:{_BLOCKS})(?:\s[^<>]*)?/?>")
_ITEM: Final = compile_pattern(r"[ ]*<li(?:\s[^<>]*)?>")
_ITEM_END: Final = compile_pattern(r"</li\s*>")
_BREAK: Final = compile_pattern(r"<br(?:\s[^<>]*)?/?>")
_ENTITY: Final = compile_pattern(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,20});")
_POINTER: Final = compile_pattern(
    r"https?:|www\.|\.(?:com|org|net|ca|edu|gov)\b",
    r"\b(?:here|this|link|video|article|blog|site|website|post|page|book|series|list|click|pdf|test|quiz)\b",
)
_UNREAD: Final = ["style", "script", "xml", "title", "head", "iframe", "object", "noscript"]
_DEEPEST: Final = 5_000
"""Tags; Lexbor's time grows with the square of the nesting (229 s at 200,000), so more are not parsed."""
_TIMES: Final = 2
"""An entity may itself have been escaped."""


def is_too_tagged(text: str) -> bool:
    """Whether `text` has more tags than any conversation."""
    return text.count("<") > _DEEPEST and sum(1 for _ in _TAG.finditer(text)) > _DEEPEST


def to_plain_text(text: str) -> str:
    """`text` without tags and entities; what has neither comes back as it is.

    The address of a link stays behind its words where these only point at it.
    """
    plain = _without_tags(text) if _TAG.search(text) else text
    for _ in range(_TIMES):
        if not _ENTITY.search(plain):
            break
        plain = html.unescape(plain)
    return plain


def _without_tags(text: str) -> str:
    if _BLOCK.search(text) or _BREAK.search(text):
        text = " ".join(text.splitlines())
    text = _BLOCK.sub("\n\n", text)
    text = _ITEM_END.sub("", _ITEM.sub("\n- ", _BREAK.sub("\n", text)))
    tree = LexborHTMLParser(f"<body>{text}</body>")
    tree.strip_tags(_UNREAD)
    for link in tree.css("a[href]"):
        _show_address(link)
    return tree.body.text() if tree.body is not None else ""


def _show_address(link: Any) -> None:
    words, address = link.text(), link.attributes.get("href") or ""
    if address.startswith("http") and _POINTER.search(words) and address not in words:
        link.insert_after(f" {address} ")
