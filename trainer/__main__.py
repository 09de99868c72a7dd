"""`python -m trainer STAGE --config FILE`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from mhdesk.core.errors import BadInput, MHDeskError
from trainer.config import load_config
from trainer.errors import BadConfiguration
from trainer.pipeline import BESIDE, STAGES, run_stages
from trainer.pipeline_config import PipelineConfig
from trainer.stage import Job

_IS_FIRST = os.environ.get("RANK", "0") == "0"
"""Under `accelerate launch` only the first process speaks."""
_OF_THEIR_OWN = {
    "second-stage": "the learnt stage of screen or gate from marked sentences",
    "encoder": "the small encoder beside a learnt stage",
    "sums": "how a learnt stage and its encoder are added, after either was made anew",
    "safety": "how well screen and gate do, by group",
    "precision": "what 8 bits cost a model against full precision",
    "throughput": "rows a second and peak memory of the stages, at several numbers of rows",
}
"""Commands with a configuration of their own kind."""


def main() -> int:
    """Run stages. Exit code 0; 2 with one sentence for bad input, 1 for any other failure."""
    offered = {**STAGES, "all": "every stage up to here, each skipped where it is done", **BESIDE, **_OF_THEIR_OWN}
    parser = argparse.ArgumentParser(
        prog="python -m trainer",
        description="Turn dialogues into a LoRA adapter, and make and measure what screen and gate have learnt.",
        epilog="\n".join(f"  {name:14s}{what}" for name, what in offered.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", choices=offered, metavar="STAGE")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    parser.add_argument("--preview", type=int, default=0, metavar="N", help="print N rows before and after each stage")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # It warns on import that kernels for 4 bits are missing, which nothing here uses.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    try:
        made = _run(arguments.stage, arguments.config, max(0, arguments.preview))
    except MHDeskError as error:
        _tell(error.sentence)
        return 2 if isinstance(error, BadInput) else 1
    except KeyboardInterrupt:
        _tell("The run was stopped. The same command goes on from there.")
        return 130
    if _IS_FIRST:
        sys.stdout.write(f"{made}\n")
    return 0


def _run(stage: str, path: Path, preview: int) -> Path:
    if os.environ.get("WORLD_SIZE", "1") != "1" and stage != "train":
        raise BadConfiguration(
            "Several processes are for the stage train. Please run the others without accelerate launch."
        )
    if stage in _OF_THEIR_OWN:
        return _run_of_its_own(stage, path)
    config = load_config(path, PipelineConfig)
    folder = path.resolve().parent
    job = Job(folder, (folder / config.work).resolve(), _tell)
    return run_stages(list(STAGES) if stage == "all" else [stage], config, job, preview)


def _run_of_its_own(stage: str, path: Path) -> Path:
    folder = path.resolve().parent
    if stage == "second-stage":
        from trainer.learn_stage import SecondStageConfig, learn_stage

        return learn_stage(load_config(path, SecondStageConfig), folder, _tell)
    if stage in ("encoder", "sums"):
        from trainer.encoder import EncoderConfig, add_odds, learn_encoder

        return (learn_encoder if stage == "encoder" else add_odds)(load_config(path, EncoderConfig), folder, _tell)
    if stage == "precision":
        from trainer.precision import PrecisionConfig, measure_precision

        return measure_precision(load_config(path, PrecisionConfig), folder, _tell)
    if stage == "throughput":
        from trainer.throughput import ThroughputConfig, measure_throughput

        return measure_throughput(load_config(path, ThroughputConfig), folder, _tell)
    from trainer.safety import SafetyConfig, measure_safety

    return measure_safety(load_config(path, SafetyConfig), folder, _tell)


def _tell(line: str) -> None:
    if not _IS_FIRST:
        return
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
