"""How one line of help is put into words: what to dial, what to text, when, and how sure we are. No widgets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from mhdesk.core.events import HelpLine

_DIALLED = re.compile(r"\s*([+*]?[\d*#][\d\s().*#/+-]*)")
_KEYWORD_TO = re.compile(r"\s*(?P<word>.+?)\s+to\s+(?P<number>[+*]?[\d][\d\s().#-]*)\s*$", re.IGNORECASE)
_OLD_DAYS = 365


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a line: the `words` shown (large or not) and what the Copy button puts on the clipboard."""

    words: str
    copied: str
    copy_name: str
    large: bool = False


def ways(line: HelpLine) -> tuple[Way, ...]:
    """Voice first, then text, then chat. A line that can only be texted says so and has no number to call."""
    found = []
    if line.voice:
        number = dialled(line.voice)
        found.append(Way(line.voice, number, f"Copy the number {number} of {line.name}", large=True))
    if line.text:
        words, number = texting(line.text)
        found.append(Way(words, number, f"Copy {number}, the number to text for {line.name}", large=not line.voice))
    if line.chat:
        address = line.chat.removeprefix("https://").removeprefix("http://").rstrip("/")
        found.append(Way(f"Online: {address}", line.chat, f"Copy the web address of {line.name}"))
    return tuple(found)


def dialled(voice: str) -> str:
    """The part of a voice entry that is dialled: `988 then press 1` gives `988`. Signs stay as they are."""
    match = _DIALLED.match(voice)
    return match[1].strip(" -/.(") if match else voice.strip()


def texting(entry: str) -> tuple[str, str]:
    """(words, number) of a text entry: `HOME to 741741` gives `Text HOME to 741741` and `741741`."""
    match = _KEYWORD_TO.match(entry)
    if match:
        word = re.sub(r"^text\s+", "", match["word"], flags=re.IGNORECASE)
        return f"Text {word} to {match['number'].strip()}", match["number"].strip()
    number = dialled(entry)
    return (f"Text {entry.strip()}" if entry.strip()[:1] in "+*#0123456789" else entry.strip()), number


def facts(line: HelpLine) -> str:
    """Hours, cost and languages in one line, whatever is known of them."""
    hours = "Day and night" if re.fullmatch(r"24\s*/\s*7", line.hours.strip()) else line.hours
    parts = (hours, line.cost[:1].upper() + line.cost[1:], ", ".join(line.languages))
    return " · ".join(part for part in parts if part)


def what_happens(line: HelpLine) -> str:
    """What to expect of this way of getting help, in a sentence."""
    if line.kind == "emergency":
        return "Say where you are and what is happening. They can send someone."
    if line.voice:
        return "A person answers, sometimes after a recording or a wait. You can say little, and hang up any time."
    if line.text or line.chat:
        return "You write and a person writes back. It can take a few minutes. You need not speak."
    return ""


def doubt(line: HelpLine, today: date) -> str:
    """Why this line should be checked before it is relied on; empty when there is no such reason."""
    if line.evidence == "unconfirmed":
        return "Please check: we could not confirm this line."
    read_on = _date(line.source_copy_date)
    if read_on is not None and (today - read_on).days > _OLD_DAYS:
        return f"Please check: last read in {read_on:%B %Y}."
    if read_on is None and line.evidence == "secondary":
        return "Please check: our source for this line has no date."
    return ""


def _date(written: str) -> date | None:
    """`2025`, `2025-03` and `2025-03-09` as a date; None for anything else. A part left out is taken as early."""
    match = re.match(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", written)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None


def spoken(line: HelpLine) -> str:
    """The line as a screen reader should say it."""
    parts = [line.name, line.audience, *(way.words for way in ways(line)), facts(line)]
    return ". ".join(part.rstrip(".") for part in parts if part) + "."
