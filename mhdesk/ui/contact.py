"""How one line of help is put into words: what to dial, what to text, when, and how sure we are. No widgets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QLocale

from mhdesk.core.events import HelpLine
from mhdesk.safety.helplines import stale

_DIALLED = re.compile(r"\s*([+*]?[\d*#][\d\s().*#/+-]*)")
_KEYWORD_TO = re.compile(r"\s*(?P<word>.+?)\s+to\s+(?P<number>[+*]?[\d][\d\s().#-]*)\s*$", re.IGNORECASE)
ONLINE = "Online: "
_UNDATED = "Please check: the page we read bears no date."
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


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
        found.append(Way(f"{ONLINE}{address}", line.chat, f"Copy the web address of {line.name}"))
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


def breakable(shown: str) -> str:
    """`shown` with places where a long web address may go on in the next line."""
    return re.sub(r"(?<=\w[./])(?=\w)", "\u200b", shown) if shown.startswith(ONLINE) else shown


def facts(line: HelpLine) -> str:
    """Hours, cost and languages in one line, whatever is known of them."""
    hours = "Day and night" if re.fullmatch(r"24\s*/\s*7", line.hours.strip()) else line.hours
    parts = (hours, line.cost[:1].upper() + line.cost[1:], ", ".join(_language(code) for code in line.languages))
    return " · ".join(part for part in parts if part)


def _language(code: str) -> str:
    known = QLocale.codeToLanguage(code)
    return code if known == QLocale.Language.AnyLanguage else QLocale.languageToString(known)


def is_weak(line: HelpLine) -> bool:
    """Whether the evidence itself is weak, not only old: then the window says so more clearly.

    Emergency numbers are never dressed as doubtful: whoever needs one should not hesitate.
    """
    return line.kind != "emergency" and line.evidence in ("secondary", "unconfirmed")


def doubt(line: HelpLine, today: date) -> str:
    """Why this line should be checked before it is relied on; empty when there is no such reason."""
    if line.evidence == "unconfirmed":
        return "Please check: we could not confirm this line."
    if not stale(line, today):
        return ""
    month = re.fullmatch(r"(\d{4})-(\d{2}).*", line.source_copy_date)
    if month is None:
        return f"Please check: last read in {line.source_copy_date}." if line.source_copy_date else _UNDATED
    return f"Please check: last read in {_MONTHS[int(month[2]) - 1]} {month[1]}."


def spoken(line: HelpLine) -> str:
    """The line as a screen reader should say it."""
    parts = [line.name, line.audience, *(way.words for way in ways(line)), facts(line)]
    return ". ".join(part.rstrip(".") for part in parts if part) + "."
