"""What happened to the rows, on one page that needs nothing else."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mhdesk.core.messages import Role
from trainer.cleaning.plots import bars, lengths
from trainer.rows import Row

_STYLE: Final = (
    "body{font:15px/1.5 sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;"
    "text-align:right}td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}"
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem;border-top:1px solid #bbb;padding:.6rem 0}"
    ".turn{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}.who{color:#4a7a8c}"
)
_WHO: Final = {Role.USER: "person", Role.ASSISTANT: "supporter", Role.SYSTEM: "system"}


@dataclass(slots=True)
class Tally:
    """Counts by source and reason, and lengths in characters of all text of a row."""

    rows: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    changed: dict[str, Counter[str]] = field(default_factory=dict)
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)

    def read(self, row: Row) -> None:
        """Count a row as it came."""
        self.rows[row.source] += 1
        self.before.append(_length(row))

    def change(self, source: str, reasons: Iterable[str]) -> None:
        """Count what changed a row, whether it is kept or not."""
        for reason in reasons:
            self.changed.setdefault(reason, Counter())[source] += 1

    def drop(self, source: str, reason: str) -> None:
        """Count a row that goes."""
        self.dropped.setdefault(reason, Counter())[source] += 1

    def keep(self, row: Row) -> None:
        """Count a row that stays, as it goes on."""
        self.kept[row.source] += 1
        self.after.append(_length(row))

    def counts(self) -> dict[str, object]:
        """For the manifest."""
        return {
            "rows": self.rows.total(),
            "kept": self.kept.total(),
            "changed": _totals(self.changed),
            "dropped": _totals(self.dropped),
            "by_source": {
                source: {
                    "rows": count,
                    "kept": self.kept[source],
                    "changed": _of_source(self.changed, source),
                    "dropped": _of_source(self.dropped, source),
                }
                for source, count in sorted(self.rows.items())
            },
        }


def report_page(name: str, tally: Tally, samples: Sequence[tuple[Row, Row]]) -> str:
    """The page.

    Args:
        name: of the run.
        tally: all counts.
        samples: rows before and after.
    """
    longest = max([1, *tally.after]) * 5 // 4
    parts = [
        f"<h1>Cleaning: {html.escape(name)}</h1>",
        f"<p>{tally.rows.total():,} rows came in, {tally.kept.total():,} went on.</p>",
        _table("Rows dropped, by reason", tally.dropped, tally.rows),
        _table("Rows changed, by reason (a row may have several)", tally.changed, tally.rows),
        bars(_totals(tally.dropped), "Rows dropped"),
        bars(_totals(tally.changed), "Rows changed"),
        lengths(tally.before, tally.after, "Length of a row", longest),
        f"<h2>{len(samples)} random rows that went on, before and after</h2>",
        *(_pair(before, after) for before, after in samples),
    ]
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><title>Cleaning: {html.escape(name)}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _table(title: str, counts: Mapping[str, Counter[str]], rows: Counter[str]) -> str:
    sources = sorted(rows)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("reason", *sources, "all"))
    lines = [("rows", rows), *((reason, counts[reason]) for reason in _totals(counts))]
    body = "".join(
        f"<tr><td>{html.escape(reason)}</td>"
        + "".join(f"<td>{count[source]:,}</td>" for source in sources)
        + f"<td>{count.total():,}</td></tr>"
        for reason, count in lines
    )
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"


def _pair(before: Row, after: Row) -> str:
    sides = f"<div>{_turns(before)}</div><div>{_turns(after)}</div>"
    return f"<h3>{html.escape(before.id)}</h3><div class=pair>{sides}</div>"


def _turns(row: Row) -> str:
    return "".join(
        f"<div class=turn><span class=who>{_WHO[turn.role]}:</span> {html.escape(turn.text)}</div>"
        for turn in row.turns
    )


def _totals(counts: Mapping[str, Counter[str]]) -> dict[str, int]:
    """Most first; of equals, by name."""
    totals = {reason: count.total() for reason, count in counts.items()}
    return dict(sorted(totals.items(), key=lambda entry: (-entry[1], entry[0])))


def _of_source(counts: Mapping[str, Counter[str]], source: str) -> dict[str, int]:
    return {reason: count for reason in _totals(counts) if (count := counts[reason][source])}


def _length(row: Row) -> int:
    return sum(len(turn.text) for turn in row.turns)
