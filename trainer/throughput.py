"""The command `throughput`: rows a second and peak memory of each stage, at several numbers of rows.

A run's own rows are filled up with padding, exchanges put together from sentences of the project's dialogues by chance.
Padding is for measuring alone: nothing is trained on it. Every stage runs in a process of its own, so that its peak is
its own; that of processes which it starts is added. A stage that stands from an earlier run keeps that run's figures,
and is said to.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from mhdesk.core.atomic import write_json
from mhdesk.core.messages import Message, Role
from trainer.clean import WORKERS_PEAK
from trainer.cleaning.sentences import split_sentences
from trainer.config import check, load_config
from trainer.dialogues import read_dialogues
from trainer.errors import BadConfiguration
from trainer.pipeline_config import PipelineConfig
from trainer.reading.located import locate
from trainer.settings.sources import SourceSettings
from trainer.stage import read_manifest

PADDING = "padding"
"""Name of the source that fills up."""
MEASURED = ("sources", "clean", "augment", "split", "render")
_DIALOGUES = Path(__file__).resolve().parent / "data"
_SENTENCES = {Role.USER: (2, 5), Role.ASSISTANT: (3, 8)}
"""Fewest and most sentences of a turn of padding."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ThroughputConfig:
    """What to measure. Paths are relative to the folder of the YAML file."""

    run: str
    """Configuration of a run, whose sources are filled up."""
    work: str
    """Folder for the artefacts."""
    report: str
    """JSON file that receives every figure."""
    rows: tuple[int, ...] = (6_365, 63_650)
    """Rows to measure at; a run that has more is measured at what it has."""
    seed: int = 20

    def __post_init__(self) -> None:
        check(self, {"rows": bool(self.rows) and min(self.rows) > 0, "seed": self.seed >= 0})


def measure_throughput(config: ThroughputConfig, folder: Path, tell: Callable[[str], None]) -> Path:
    """Run the stages at each number of rows, print the tables, and write the report; returns its path.

    Raises:
        BadConfiguration: the run's configuration cannot be used, or a stage could not do its work.
        BadSource: a source of the run is not there.
    """
    path = folder / config.run
    run = load_config(path, PipelineConfig)
    work = (folder / config.work).resolve()
    own = _rows_without_padding(run, path.resolve().parent, work, tell)
    found = {}
    for rows in config.rows:
        padding = work / f"{PADDING}-{rows}.jsonl"
        write_padding(padding, max(0, rows - own), config.seed)
        made = work / str(rows)
        stood = _run_stages(run, path.resolve().parent, made, padding if rows > own else None, tell)
        found[str(rows)] = {"stages": _stages(made, stood), "sources": _by_source(made)}
        tell(f"\n{rows:,} rows\n{_table(found[str(rows)])}")
    report = folder / config.report
    write_json(report, found)
    return report


def write_padding(path: Path, count: int, seed: int) -> None:
    """Write `count` dialogues of one exchange each, the same for the same `seed`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    said = _sentences()
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number in range(count):
            turns = [
                Message(role, " ".join(chance.sample(said[role], chance.randint(*_SENTENCES[role])))).to_json()
                for role in _SENTENCES
            ]
            file.write(json.dumps({"id": f"padding-{number}", "turns": turns}, ensure_ascii=False) + "\n")


def _sentences() -> dict[Role, list[str]]:
    messages = [
        message for dialogue in read_dialogues(sorted(_DIALOGUES.glob("*.jsonl"))) for message in dialogue.messages
    ]
    return {
        role: sorted({part for message in messages if message.role is role for part in split_sentences(message.text)})
        for role in _SENTENCES
    }


def _rows_without_padding(run: PipelineConfig, folder: Path, work: Path, tell: Callable[[str], None]) -> int:
    made = work / "without-padding"
    _run_stages(run, folder, made, None, tell, MEASURED[:1])
    return int(read_manifest(made / MEASURED[0])["counts"]["rows"])


def _run_stages(
    run: PipelineConfig,
    folder: Path,
    work: Path,
    padding: Path | None,
    tell: Callable[[str], None],
    stages: Sequence[str] = MEASURED,
) -> set[str]:
    """Returns those that stood from an earlier run."""
    sources = [
        source if locate(source, folder).on_hub else replace(source, path=str(folder / source.path))
        for source in run.sources.of
    ]
    if padding:
        sources.append(SourceSettings(PADDING, str(padding), "dialogues", "Apache-2.0"))
    filled = replace(run, work=str(work), sources=replace(run.sources, of=tuple(sources)))
    values = json.loads(json.dumps(asdict(filled)))  # YAML has no tuples
    work.mkdir(parents=True, exist_ok=True)
    written = work / "run.yaml"
    written.write_text(yaml.safe_dump(values), encoding="utf-8")
    stood = set()
    for stage in stages:
        command = [sys.executable, "-m", "trainer", stage, "--config", str(written)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BadConfiguration((done.stderr.strip().splitlines() or [f"The stage {stage} was ended."])[-1])
        if f"{stage}: done before" in done.stderr:
            stood.add(stage)
            tell(f"{work.name} {stage}: done before, so its figures are those of an earlier run")
        else:
            tell(f"{work.name} {stage}: done")
    return stood


def _stages(made: Path, stood: set[str]) -> dict[str, dict[str, float]]:
    manifests = {stage: read_manifest(made / stage) for stage in MEASURED}
    kept = int(manifests["clean"]["counts"]["kept"])
    return {
        stage: {
            "rows": (rows := int(manifest["counts"]["rows"]) if stage in ("sources", "clean") else kept),
            "seconds": manifest["seconds"],
            "rows_per_second": round(rows / max(manifest["seconds"], 0.01), 1),
            "peak_mib": round((manifest["peak_bytes"] + manifest["counts"].get(WORKERS_PEAK, 0)) / _MIB),
            "of_an_earlier_run": stage in stood,
        }
        for stage, manifest in manifests.items()
    }


def _by_source(made: Path) -> dict[str, dict[str, int]]:
    counts = read_manifest(made / "clean")["counts"]["by_source"]
    return {name: {"rows": of["rows"], "kept": of["kept"]} for name, of in counts.items()}


def _table(found: dict[str, Any]) -> str:
    stages = [
        f"  {stage:12s}{of['rows']:10,}{of['seconds']:10.1f}{of['rows_per_second']:10,.0f}{of['peak_mib']:8,}"
        for stage, of in found["stages"].items()
    ]
    sources = [f"  {name:22s}{of['rows']:10,}{of['kept']:10,}" for name, of in found["sources"].items()]
    head = f"  {'stage':12s}{'rows':>10s}{'seconds':>10s}{'rows/s':>10s}{'MiB':>8s}"
    return "\n".join([head, *stages, f"  {'source':22s}{'rows':>10s}{'kept':>10s}", *sources])
