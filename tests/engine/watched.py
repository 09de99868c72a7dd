"""A supervisor over a real child, and what it told."""

import asyncio
from pathlib import Path

from mhdesk.core.generation import GenerationRequest, ModelFinished, ModelText
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine.client.backoff import BackOff
from mhdesk.engine.client.keeper import Deadlines
from mhdesk.engine.client.supervisor import EngineSupervisor

REQUEST = GenerationRequest((Message(Role.USER, "hello there"),), Sampling())
MODEL = Path("/models/scripted")
HELLO = {"pieces": ["Hello", " there", "."]}


class Watched:
    """A supervisor and the statuses it told."""

    def __init__(self, command, model=MODEL, back_off=None, adapter=None, **deadlines):
        self.statuses = []
        self.supervisor = EngineSupervisor(
            command, model, adapter, self.statuses.append, Deadlines(**deadlines), back_off or BackOff(first_s=0.05)
        )

    @property
    def states(self):
        return [status.state for status in self.statuses]

    async def __aenter__(self):
        await self.supervisor.start()
        return self

    async def __aexit__(self, *_):
        await self.supervisor.close()

    async def until(self, true) -> None:
        """Wait until `true` holds of the newest status."""
        async with asyncio.timeout(20):
            while not (self.statuses and true(self.statuses[-1])):
                await asyncio.sleep(0.01)

    async def answer(self) -> tuple[str, ModelFinished]:
        text = ""
        async for event in self.supervisor.generate(REQUEST):
            if isinstance(event, ModelText):
                text += event.text
            if isinstance(event, ModelFinished):
                return text, event
        raise AssertionError("no end")
