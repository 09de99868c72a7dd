"""The stage `safety`: how well screen and gate do on cases that nothing was made from, by group, with intervals."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mhdesk.core.atomic import write_json
from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.safety.gate import Gate
from mhdesk.safety.screen import Screen
from trainer.safety_cases import (
    DialogueCase,
    InputCase,
    OutputCase,
    prefixes,
    read_dialogue_cases,
    read_inputs,
    read_outputs,
    read_ugm_aicare,
    read_xstest,
)

_Z = 1.96


@dataclass(frozen=True, slots=True)
class SafetyConfig:
    """What to measure. Paths are relative to the folder of the YAML file."""

    inputs: tuple[str, ...]
    """Marked files `inputs-LANGUAGE.txt`."""
    dialogues: tuple[str, ...]
    """JSON lines."""
    outputs: tuple[str, ...]
    """Marked files of stop and pass."""
    report: str
    """JSON file that receives every figure."""
    public: str = ""
    """Folder of public sets, used as far as they are there: `xstest`, `ugm-aicare-rq1`."""


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `cases`, with Wilson's 95 % interval."""

    hits: int
    cases: int

    @classmethod
    def of(cls, hits: Sequence[bool]) -> Share:
        """Of these cases."""
        return cls(sum(hits), len(hits))

    @property
    def value(self) -> float:
        """Between 0 and 1; 0 where there are no cases."""
        return self.hits / self.cases if self.cases else 0.0

    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (Wilson, 1927)."""
        if not self.cases:
            return 0.0, 1.0
        share, count = self.value, self.cases
        middle = (share + _Z * _Z / (2 * count)) / (1 + _Z * _Z / count)
        half = _Z * math.sqrt(share * (1 - share) / count + _Z * _Z / (4 * count * count)) / (1 + _Z * _Z / count)
        return max(0.0, middle - half), min(1.0, middle + half)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {"share": self.value, "interval": list(self.interval())}

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:6.3f}  [{low:.3f}, {high:.3f}]  of {self.cases}"


Table = dict[str, Share]


def measure_safety(config: SafetyConfig, folder: Path, tell: Callable[[str], None]) -> Path:
    """Measure, print the tables through `tell`, and write the report; returns its path."""
    screen, gate = Screen.load(), Gate.load()
    inputs = read_inputs(_files(folder, config.inputs))
    dialogues = read_dialogue_cases(_files(folder, config.dialogues))
    outputs = read_outputs(_files(folder, config.outputs))
    tables = {
        "inputs": input_table(screen, inputs),
        "languages": language_table(screen, inputs),
        "dialogues": dialogue_table(screen, dialogues),
        "outputs": output_table(gate, outputs),
        **_public_tables(screen, folder / config.public if config.public else None),
    }
    times = screen_times(screen, [case.text for case in inputs])
    for name, table in tables.items():
        tell(f"\n{name}\n" + "\n".join(f"  {group:44s} {share}" for group, share in table.items()))
    tell("\nms per 2,000 characters\n" + "\n".join(f"  {name:44s} {value:8.2f}" for name, value in times.items()))
    report = folder / config.report
    figures = {
        name: {
            group: {
                "share": round(share.value, 4),
                "cases": share.cases,
                "interval": [round(end, 4) for end in share.interval()],
            }
            for group, share in table.items()
        }
        for name, table in tables.items()
    }
    write_json(report, {**figures, "ms_per_2000_characters": times})
    return report


def input_table(screen: Screen, cases: Iterable[InputCase]) -> Table:
    """For dangerous groups the share at crisis and at any alert; for elevated and harmless ones what they show."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        level = _level(screen, case.text)
        english = case.language == "en"
        for group in ("all", case.group) if english else ("other languages",):
            if case.level == "crisis":
                counts[f"crisis: {group}, crisis"].append(level is Level.CRISIS)
                counts[f"crisis: {group}, any alert"].append(level is not Level.NONE)
            elif case.level == "elevated":
                counts[f"elevated: {group}, elevated"].append(level is Level.ELEVATED)
                counts[f"elevated: {group}, crisis"].append(level is Level.CRISIS)
            else:
                counts[f"none: {group}, false card"].append(level is Level.CRISIS)
                counts[f"none: {group}, elevated"].append(level is Level.ELEVATED)
    return _table(counts)


def language_table(screen: Screen, cases: Iterable[InputCase]) -> Table:
    """Recall and false cards by language."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        if case.level != "elevated":
            name = "recall" if case.level == "crisis" else "false card"
            counts[f"{case.language}: {name}"].append(_level(screen, case.text) is Level.CRISIS)
    return _table(counts)


def dialogue_table(screen: Screen, cases: Iterable[DialogueCase]) -> Table:
    """Card by the due turn; and no card in those that are safe."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        levels = [screen.assess(turns).level for turns in prefixes(case)]
        if case.due is None:
            counts["safe, false card"].append(Level.CRISIS in levels)
        else:
            for group in ("all", case.group):
                counts[f"{group}, card by the due turn"].append(Level.CRISIS in levels[: case.due])
    return _table(counts)


def output_table(gate: Gate, cases: Iterable[OutputCase]) -> Table:
    """What is stopped of what must be, and of what must pass; fed character by character."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        stream = gate.begin()
        for character in case.text:
            stream.push(character)
        stream.flush()
        counts[f"{'stop' if case.stop else 'pass'}: {case.group}, stopped"].append(stream.stopped is not None)
    return _table(counts)


def screen_times(screen: Screen, texts: list[str]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds for texts of 2,000 characters, put together from `texts`."""
    long = []
    piece = ""
    for text in texts:
        piece += text + " "
        if len(piece) >= 2_000:
            long.append(piece[:2_000])
            piece = ""
    for text in long:
        _level(screen, text)
    taken = []
    for text in long:
        began = time.perf_counter()
        _level(screen, text)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    if not taken:
        return {}
    return {"p50": round(taken[len(taken) // 2], 2), "p95": round(taken[int(len(taken) * 0.95)], 2)}


def _files(folder: Path, names: Iterable[str]) -> list[Path]:
    return sorted(path for name in names for path in folder.glob(name))


def _public_tables(screen: Screen, folder: Path | None) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    if folder is not None and (folder / "xstest").is_dir():
        cases = read_xstest(folder / "xstest")
        tables["xstest, safe prompts"] = _table(
            {"false card": [_level(screen, case.text) is Level.CRISIS for case in cases]}
        )
    if folder is not None and (folder / "ugm-aicare-rq1").is_dir():
        tables["ugm-aicare (Indonesian, not a language of ours)"] = dialogue_table(
            screen, read_ugm_aicare(folder / "ugm-aicare-rq1")
        )
    return tables


def _table(counts: dict[str, list[bool]]) -> Table:
    return {group: Share.of(hits) for group, hits in sorted(counts.items())}


def _level(screen: Screen, text: str) -> Level:
    return screen.assess([Message(Role.USER, text)]).level
