"""How letters begin and end: greetings to a place or name, good wishes, names and credentials at the end."""

from __future__ import annotations

from typing import Final

from trainer.cleaning.authors import Author
from trainer.cleaning.patterns import compile_pattern, word_set
from trainer.cleaning.sentences import split_sentences

_HELLO: Final = r"(?i:hi|hello|hey|dear|greetings|good (?:morning|evening|afternoon|day))(?: there| again)?"
_CALLED: Final = r"[A-Z][\w'-]*(?: [A-Z][\w'-]*){0,2}(?: \([^()\n]{1,30}\))?"
_GREETING: Final = compile_pattern(
    rf"^\s*{_HELLO},? (?:from )?{_CALLED}\s*(?:[,.!:;-]+\s*|\n+)",
    rf"^\s*{_HELLO}\s*(?:[,.!:;-]+\s*|\n+)",
    any_case=False,
)
_ADDRESSED: Final = compile_pattern(
    r"^\s*([A-Z][a-z]+)(?: [A-Z][a-z]+)?(?:,|\.{3}) (?:I|I'm|I'd|It|It's|it's|it|Your?|you|This|this|There|there|"
    r"What|what|That|that|Thank|thank|Let|let|Sounds|sounds)\b",
    any_case=False,
)
_THANKED: Final = compile_pattern(
    r"^\s*(?:and |so |first,? )?(?:thanks|thank you)(?: so much| very much)? for (?:your (?:question|post|message|"
    r"inquiry|submission|letter)|asking|posting|writing in|submitting)\b[^.!?\n]{0,60}[.!?]+\s*",
)
_OPENERS: Final = word_set(
    "first second third last also yes no yeah yep well so ok okay wow oh ah sure right now then and but or still "
    "indeed sorry congratulations congrats absolutely again instead however therefore otherwise besides sadly thus "
    "hence anyway plus finally further moreover overall today often sometimes usually perhaps maybe although though "
    "for in man gosh boy ouch true great good hmm look listen please regardless nevertheless nonetheless meanwhile "
    "always"
)
_WISHES: Final = (
    r"(?:(?:very )?best of luck|(?:lots of |much )?(?:good )?luck|all (?:the |my )?best|the (?:very )?best|best "
    r"wishes|(?:lots of )?good wishes|well|peace|happiness|growth|success|strength|health|much|lots of|nothing but|"
    r"comfort)"
)
_CLOSING: Final = compile_pattern(
    r"^\W*(?:please |you |and |do |so )*(?:be well|stay (?:well|safe|strong)|take (?:good |very )?care(?: of "
    r"yourself| of yourselves)?|(?:warm|warmest|kind|kindest|best)(?:ly)?(?: regards| wishes)?|regards|sincerely|"
    r"respectfully|yours(?: truly)?|cheers|blessings|namaste|peace|gratitude|many thanks|thank you|thanks|hugs|with "
    r"(?:warmth|love|care|respect)|in (?:good )?health|in solidarity|love|god bless(?: you)?)\W*$",
    r"^\W*(?:(?:i|we) |i'm |i am |and )*(?:do )?(?:send|sending|wish|wishing)(?: (?:you|both|all|of|and|your \w+))* "
    rf"{_WISHES}\b[^.!?\n]{{0,110}}[.!?]?\W*$",
    r"^\W*(?:and )?(?:(?:very )?best of luck|good luck|best wishes|all the best)\b[^.!?\n]{0,110}[.!?]?\W*$",
    r"^\W*(?:i |we |and |so |really |do )*hope(?:fully)?,? (?:for )?(?:this|that|it|these|some|everything|things|all|"
    r"the above|my \w+|you (?:find|feel|get|have|enjoy|both|will|can|are able))\b[^.!?\n]{0,110}[.!?]?\W*$",
    r"^\W*may (?:you|god|this|peace)\b[^.!?\n]{0,110}[.!?]?\W*$",
    r"^\W*(?:thanks|thank you)(?: so much| again| very much)? (?:for|and)\b[^.!?\n]{0,110}[.!?]?\W*$",
    r"^\W*[a-z]{1,2}\W*$",
)
_CREDENTIAL: Final = compile_pattern(
    r"\b(?:[LR]?MFT(?:-?[A-Z])?|L?MHC[AP]?|LPCC?(?:-S|-A)?|LPCMH|LCPC|LCMHC|LI?CSW(?:-[A-Z])?|LMSW|LISW|LSW|MSW|NCC|"
    r"DCC|CCTP|LMAC|C?AS?AC|L?CADC|DBH|Psy\.?D|Ph\.?\s?D|Ed\.?D|M\.?Ed|M\.?S\.?[Wc]?|M\.?A|B\.?A|R\.?C\.?C|C\.?C\.?C|"
    r"RP|RN|MD|JD|CHT|CCH|RSW)\b",
    any_case=False,
)
_SMALL_WORD: Final = compile_pattern(r"(?:^|[\s(])[a-z]{3,}", any_case=False)
_JOINING: Final = word_set("and the for van von del of in at")
_NAME: Final = compile_pattern(
    r"^\s*[-–—~*]+\s*(?:[Dd]r\.?\s+)?[A-Z][a-z]+(?:\s+[A-Z][\w.'-]*){0,2}[\s,]*$",
    r"^\s*(?:Dr|Prof|Mr|Mrs|Ms)\.?\s+[A-Z][\w'.-]*(?:\s+[A-Z][\w.'-]*){0,3}[\s.,]*$",
    r"^\W*(?i:best|warmly|sincerely|regards|thanks|cheers|blessings|peace|in solidarity|take care|be well|"
    r"love)[\s,!.–—~-]+[A-Z][a-z]+(?:\s+[A-Z][\w.'-]*){0,2}[\s.,]*$",
    any_case=False,
)
_LONGEST: Final = 150
_LONGEST_WITH_NAME: Final = 60
_LAST: Final = 8
"""Sentences from the end that may belong to the closing."""


def without_greeting(text: str) -> str:
    """`text` without a first greeting, which often names where the other lives, and thanks for the question."""
    rest = _GREETING.sub("", text, count=1)
    called = _ADDRESSED.search(rest)
    if called is not None and called[1].lower() not in _OPENERS and not called[1].endswith("ly"):
        mark = min(place for place in (rest.find(","), rest.find("...")) if place >= 0)
        rest = rest[mark:].lstrip(",. ")
    rest = _THANKED.sub("", rest, count=1)
    return rest[:1].upper() + rest[1:] if rest != text else text


def without_signature(text: str, author: Author) -> str:
    """`text` without good wishes, name and credentials at its end."""
    pieces = split_sentences(text)
    for _ in range(_LAST):
        while pieces and not pieces[-1].strip():
            pieces.pop()
        in_list = len(pieces) > 1 and pieces[-1].startswith("-") and pieces[-2].startswith("-")
        if not pieces or in_list or not _closes(pieces[-1].strip(), author):
            break
        pieces.pop()
    kept = "".join(pieces)
    return kept if len(kept.rstrip()) < len(text.rstrip()) else text


def _closes(sentence: str, author: Author) -> bool:
    if len(sentence) > _LONGEST:
        return False
    if author.first and len(sentence) <= _LONGEST_WITH_NAME:
        last = sentence.rstrip(" .,!~-–—*)").split(" ")[-1].split("-")[-1].split(",")[-1]
        if last == author.first or sentence.lstrip("~-–—* (").startswith((f"{author.first},", f"{author.first} (")):
            return True
    if _CLOSING.search(sentence) or _NAME.search(sentence):
        return True
    small = {word.strip("( ") for word in _SMALL_WORD.findall(sentence)}
    return _CREDENTIAL.search(sentence) is not None and small <= _JOINING
