"""The page that shows every line of help with what it rests on, made from the shipped tables.

`python -m mhdesk.bench.helpline_table` writes `resources/docs/helplines.md`; with `--check` it writes nothing and says
whether the page is in step with the tables (exit code 1 if not). A test checks the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mhdesk.core.events import HelpLine
from mhdesk.core.paths import resources_dir
from mhdesk.safety.helplines import EVIDENCE
from mhdesk.safety.hours import UNKNOWN, read_hours
from mhdesk.safety.regions import Region, load_regions, tables_dir

PAGE = resources_dir() / "docs" / "helplines.md"

_INTRODUCTION = """\
# Lines of help

This page is made from `resources/helplines` by `python -m mhdesk.bench.helpline_table`; do not edit it by hand. It
shows what MHDesk knows of each line and what that rests on. **Nothing here was rung.** Before a release, and every six
months, a person has to compare each line with its own page.

## What is shipped, and what is not

- A line stands here if a stored page of the service, its operator or its government owner bore the number
  (*official-copy*), or the open-helplines list (CC0) does (*open-helplines*), or a public list that claims a check
  against each official site, a government or the press of 2025 or later (*secondary*).
- *unconfirmed*: only older or incomplete copies agree. Such a line stands only where a region would otherwise have none
  of its kind that can be rung. The window says "Please check: we could not confirm this line", shows it below what is
  confirmed, and never calls it open.
- Numbers from general knowledge alone are not shipped. A region without a confirmed line that can be rung or texted
  shows its emergency number, people nearby and two directories.
- *Copy of* is the date of the copy that was read, empty where it bore none. The window says "please check" of a line
  whose copy is older than a year or undated. Emergency numbers are never doubted in the window.
- Hours are as published. *Open or closed is said* where they can be read with certainty, by the clocks of the region;
  holidays are not known. `mhdesk/safety/hours.py` holds the rules.
- Lists A (2026-09-09), B (2026-06-14), C (2026-10-01) and D (2026-09-23) are public lists without a named owner; that
  they were checked row by row is their own claim. List B alone is not enough.
- A line for a part of a country says so; in the whole country it is shown only where there is no line for all of it.
"""


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(prog="python -m mhdesk.bench.helpline_table", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is out of step")
    check = parser.parse_args(arguments).check
    page = helpline_page()
    if check:
        in_step = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page
        sys.stderr.write(f"{PAGE} is {'in step' if in_step else 'out of step'} with the tables.\n")
        return 0 if in_step else 1
    PAGE.write_text(page, encoding="utf-8", newline="\n")
    sys.stderr.write(f"{PAGE} written.\n")
    return 0


def helpline_page(folder: Path | None = None) -> str:
    """The page, in Markdown, for the shipped tables or those of `folder`."""
    table = json.loads(((folder or tables_dir()) / "helplines.json").read_text(encoding="utf-8"))
    regions = load_regions(folder)
    records: list[dict[str, Any]] = table["lines"]
    parts = [_INTRODUCTION, _summary(records, regions), "## Lines\n"]
    parts.append(
        _table(
            ("Region", "Kind", "Line", "How to reach it", "Hours", "Open or closed is said", "Evidence", "Copy of"),
            (_line_row(record, regions, table["hours_read"]) for record in records),
        )
    )
    parts.append("## Emergency numbers\n")
    countries = [region for code, region in regions.items() if "-" not in code]
    parts.append(
        _table(
            ("Region", "Kind", "Number", "For", "Evidence", "Copy of"),
            (_emergency_row(region, line) for region in countries for line in region.emergency),
        )
    )
    return "\n".join(parts)


def _summary(records: Sequence[Mapping[str, Any]], regions: Mapping[str, Region]) -> str:
    evidence = Counter(str(record["evidence"]) for record in records)
    counted = ", ".join(f"{evidence[name]} {name}" for name in EVIDENCE)
    countries = sum("-" not in code for code in regions)
    with_lines = len({record["region"] for record in records})
    return f"{len(records)} lines in {with_lines} of {countries} countries: {counted}.\n"


def _line_row(record: Mapping[str, Any], regions: Mapping[str, Region], readings: Mapping[str, str]) -> tuple[str, ...]:
    hours = str(record["hours"])
    reading = readings.get(hours, hours)
    said = "no" if reading == UNKNOWN or record["evidence"] == "unconfirmed" or read_hours(reading) is None else "yes"
    place = regions[str(record["sub_region"] or record["region"])].name
    name = f"[{record['name']}]({record['source_url']}): {record['audience']}"
    return (
        place,
        str(record["kind"]).replace("_", " "),
        name,
        _ways(record),
        hours,
        said,
        f"{record['evidence']}: {record['seen_in']}",
        str(record["source_copy_date"]),
    )


def _ways(record: Mapping[str, Any]) -> str:
    ways = (("call", record["voice"]), ("text", record["text"]), ("online", record["chat"]))
    return "; ".join(f"{how} {where}" for how, where in ways if where)


def _emergency_row(region: Region, line: HelpLine) -> tuple[str, ...]:
    number = line.voice or f"text {line.text}"
    return region.name, line.kind, number, line.audience, line.evidence, line.source_copy_date


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
