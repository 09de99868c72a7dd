"""Heavy work on models, done in a child of its own and told as it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from mhdesk.core.errors import EngineDied, EngineError
from mhdesk.engine import protocol
from mhdesk.engine.client.process import EngineProcess


async def run_job(
    command: Sequence[str],
    name: str,
    arguments: dict[str, Any],
    say: Callable[[str, float | None], None],
    silence_s: float = 300.0,
) -> dict[str, Any]:
    """Run the job `name` in a fresh child; `say` gets each sentence and the fraction done.

    Raises:
        EngineError: the job failed, with the child's sentence; the child died; or it said nothing for `silence_s`.
    """
    process = await EngineProcess.start(command)
    try:
        await process.receive()  # its hello
        await process.send(protocol.Job(1, name, arguments))
        while True:
            async with asyncio.timeout(silence_s):
                frame = await process.receive()
            match frame:
                case protocol.Progress(sentence=sentence, fraction=fraction):
                    say(sentence, fraction)
                case protocol.Done(result=result):
                    return result
                case protocol.Failed(sentence=sentence):
                    raise EngineError(sentence)
    except EngineDied:
        raise EngineError(
            "The work on the model was ended by the system, perhaps because memory ran out. "
            "Please close other programs and run the same command again."
        ) from None
    except TimeoutError:
        raise EngineError(
            "The work on the model stood still and was ended; the files may be damaged, or made to do that. "
            "What was there is unchanged."
        ) from None
    finally:
        await process.end()
