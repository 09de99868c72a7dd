"""Fifty turns in a row, cancelled at random tokens: memory stays, and no process is left behind."""

import random
import statistics
from contextlib import aclosing

import psutil
import pytest

from mhdesk.core.generation import GenerationRequest, ModelFinished, ModelText
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.supervisor import EngineSupervisor
from tests.conftest import STARTER

TURNS = 50


async def talk_for(model) -> list[int]:
    """The child's resident memory after each turn, in bytes."""
    choose = random.Random(11)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    engine = EngineSupervisor(engine_command(), model, None, lambda status: None)
    await engine.start()
    memory = []
    messages = [Message(Role.SYSTEM, "Be kind.")]
    for turn in range(TURNS):
        messages.append(Message(Role.USER, f"Tell me about stone {turn} and the quiet harbour."))
        sampling = Sampling(seed=turn, max_new_tokens=24, min_new_tokens=24)
        stop_after = choose.choice([None, 0, *range(24)])
        text = ""
        async with aclosing(engine.generate(GenerationRequest(tuple(messages), sampling))) as events:
            seen = 0
            async for event in events:
                if stop_after == seen:
                    await engine.cancel()
                if isinstance(event, ModelText):
                    seen += 1
                    text += event.text
                if isinstance(event, ModelFinished) and choose.random() < 0.3:
                    break
        messages.append(Message(Role.ASSISTANT, text or "…"))
        if len(messages) > 20:
            del messages[1:9]  # a conversation of a steady length, so that its cache has one too
        memory.append((await engine.measure()).rss_bytes)
    await engine.close()
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    return memory


def assert_flat(memory: list[int]) -> None:
    settled = statistics.median(memory[10:20])
    assert abs(statistics.median(memory[-10:]) - settled) <= 0.05 * settled
    assert max(memory[20:]) <= 1.05 * max(memory[10:20])


async def test_fifty_turns_with_the_tiny_model(tiny_model):
    assert_flat(await talk_for(tiny_model))


@pytest.mark.long
@pytest.mark.starter
async def test_fifty_turns_with_the_starter_model(starter_home):
    assert_flat(await talk_for(starter_home / "models" / STARTER))
