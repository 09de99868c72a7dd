"""`python -m trainer STAGE --config FILE`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from mhdesk.core.errors import BadInput, MHDeskError


def main() -> int:
    """Run one stage. Exit code 0, or 2 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m trainer", description="Turn dialogues into a LoRA adapter.")
    parser.add_argument("stage", choices=["train"])
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    from trainer.config import load_config

    try:
        config = load_config(arguments.config)
        from trainer.train import train

        folder = train(config, arguments.config.resolve().parent)
    except MHDeskError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2 if isinstance(error, BadInput) else 1
    except KeyboardInterrupt:
        sys.stderr.write("Training was stopped; no adapter was written.\n")
        return 130
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
