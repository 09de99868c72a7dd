"""A writer from the app's shelf, run by the app's own engine in a process of its own."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

from mhdesk.core.errors import EngineBusy, EngineDied
from mhdesk.core.generation import GenerationRequest, ModelFinished, ModelText
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.library.model_folder import read_manifest
from trainer.base_model import base_folder
from trainer.writing.writer import GOES_ON, WriterFailed, Written

_ATTEMPTS = 3


class AppWriter:
    """A base model without any adapter."""

    def __init__(self, model: str, folder: Path) -> None:
        """`model` is a folder relative to `folder`, or the name of an installed one.

        Raises:
            BadConfiguration: it is neither.
            ShelfError: it is no usable model.
        """
        self._model = base_folder(model, folder)
        manifest = read_manifest(self._model)
        self.made_by = manifest.id
        self.identity = {"writer": "app", "model": manifest.id, "weights_sha256": manifest.weights_sha256}
        self._runner = asyncio.Runner()
        self._engine: EngineSupervisor | None = None

    def write(self, request: GenerationRequest) -> Written:
        """One text; the same on the same kind of processor, whatever was written before."""
        for _ in range(_ATTEMPTS):
            try:
                return self._runner.run(self._written(request))
            except (EngineDied, EngineBusy):
                continue  # the supervisor starts another process
        raise WriterFailed(f"The engine process that writes for augment keeps ending. {GOES_ON}")

    def close(self) -> None:
        """End the engine process."""
        if self._engine is not None:
            self._runner.run(self._engine.close())
            self._engine = None
        self._runner.close()

    async def _written(self, request: GenerationRequest) -> Written:
        if self._engine is None:
            self._engine = EngineSupervisor(engine_command(), self._model, None)
        await self._engine.use(self._model, None)  # empties the cache: what it holds would show in the last bits
        text = ""
        new_tokens = 0
        async with aclosing(self._engine.generate(request)) as events:
            async for event in events:
                match event:
                    case ModelText():
                        text += event.text
                    case ModelFinished():
                        new_tokens = event.new_tokens
        return Written(text, whole=new_tokens < request.sampling.max_new_tokens)
