"""How one line of help is put into words: what to dial, what to text, when, and how sure we are. No widgets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QLocale

from mhdesk.core.events import HelpLine
from mhdesk.safety.helplines import stale
from mhdesk.safety.hours import ALWAYS, NOT_KNOWN, Opening, OpenState
from mhdesk.safety.regions import POLICE

_DIALLED = re.compile(r"\s*([+*]?[\d*#][\d\s().*#/+-]*)")
_KEYWORD_TO = re.compile(r"\s*(?P<word>.+?)\s+to\s+(?P<number>[+*]?[\d][\d\s().#-]*)\s*$", re.IGNORECASE)
ONLINE = "Online: "
_UNDATED = "Please check: the page we read bears no date."
_OWN_UNDATED = "From its own page, which bears no date: please check."
_ALWAYS_THERE = ("emergency", POLICE)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
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


def facts(line: HelpLine, opening: Opening = NOT_KNOWN) -> str:
    """Whether it is open, hours, cost and languages in one line, whatever is known of them."""
    hours = "Day and night" if line.hours.strip() == ALWAYS else line.hours
    if opening.always and not opening.by_phone:
        hours = ""  # said by `open_now`
    languages = ", ".join(_language(code) for code in line.languages)
    parts = (open_now(opening), hours, line.cost[:1].upper() + line.cost[1:], languages)
    return " · ".join(part for part in parts if part)


def open_now(opening: Opening) -> str:
    """Whether the line is open, in words; empty where it is not certain."""
    by_phone = " by phone" if opening.by_phone else ""
    if opening.state is OpenState.OPEN:
        return f"Open now{by_phone}{', day and night' if opening.always and not by_phone else ''}"
    if opening.state is OpenState.UNKNOWN:
        return ""
    if opening.opens is None:
        return f"Closed now{by_phone}"
    near = {0: "", 1: "tomorrow "}
    day = near.get(opening.days_ahead, f"{_WEEKDAYS[opening.opens.weekday()]} ")
    return f"Closed now{by_phone}, opens {day}at {opening.opens:%H:%M}"


def _language(code: str) -> str:
    known = QLocale.codeToLanguage(code)
    return code if known == QLocale.Language.AnyLanguage else QLocale.languageToString(known)


def is_weak(line: HelpLine) -> bool:
    """Whether the evidence itself is weak, not only old: then the window says so more clearly."""
    return line.evidence in ("secondary", "unconfirmed")


def doubt(line: HelpLine, today: date) -> str:
    """Why this line should be checked before it is relied on; empty when there is no such reason.

    Of emergency numbers nothing is said: they do not move, and whoever needs one must not hesitate. Where the number is
    from the service's own page, that comes first, since a bare doubt keeps people from calling.
    """
    if line.kind in _ALWAYS_THERE:
        return ""
    if line.evidence == "unconfirmed":
        return "Please check: we could not confirm this line."
    if not stale(line, today):
        return ""
    own = line.evidence == "official-copy"
    month = re.fullmatch(r"(\d{4})-(\d{2}).*", line.source_copy_date)
    if not line.source_copy_date:
        return _OWN_UNDATED if own else _UNDATED
    copied = f"{_MONTHS[int(month[2]) - 1]} {month[1]}" if month else line.source_copy_date
    return f"From its own page, as of {copied}: please check." if own else f"Please check: last read in {copied}."


def spoken(line: HelpLine, opening: Opening = NOT_KNOWN) -> str:
    """The line as a screen reader should say it."""
    parts = [line.name, line.audience, *(way.words for way in ways(line)), facts(line, opening)]
    return ". ".join(part.rstrip(".") for part in parts if part) + "."
