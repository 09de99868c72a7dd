"""Memory that runs short beside a running engine: it gives back its cache, and nobody is killed."""

import asyncio
import subprocess
import sys
from contextlib import aclosing

import psutil
import pytest

from mhdesk.bench.child_talk import ChildTalk
from mhdesk.core.errors import EngineError
from mhdesk.core.events import Window
from mhdesk.core.generation import GenerationRequest, ModelFinished
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine.child.pressure import FLOOR_BYTES, SMALLEST_WINDOW_TOKENS, window_for_now
from mhdesk.engine.client.launch import engine_command
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.library.admission import CONTEXT_TOKENS, SMALL_CONTEXT_TOKENS, memory_needed
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.memory_available import memory_available, memory_held
from mhdesk.library.model_folder import check_model_folder, read_manifest
from tests.conftest import STARTER
from tests.control_group import control_group

MIB = 2**20
LONG = Message(Role.USER, "Tell me about a walk by the sea." + " and then" * 1500)
BALLAST = """
import sys, time
held = bytearray(int(sys.argv[1]))
held[::4096] = b"x" * len(held[::4096])
print(flush=True)
time.sleep(600)
"""


def test_the_window_shrinks_by_halves_until_its_cache_fits_and_no_further():
    shape = Catalogue.load().find(STARTER).shape
    assert window_for_now(shape, 4096, 0) == 4096
    assert window_for_now(shape, 4096, -memory_available()) == SMALLEST_WINDOW_TOKENS
    room = shape.cache_bytes(1500) + FLOOR_BYTES
    assert window_for_now(shape, 4096, room - memory_available()) == 1024


async def ask(supervisor, *messages):
    """The window's event and the end of one short reply."""
    sampling = Sampling(temperature=0.0, max_new_tokens=4, min_new_tokens=4)
    window, end = None, None
    async with aclosing(supervisor.generate(GenerationRequest(messages, sampling))) as events:
        async for event in events:
            window = event if isinstance(event, Window) else window
            end = event if isinstance(event, ModelFinished) else end
    return window, end


async def peak_settled(pid, below, seconds=30):
    """Resident memory once it is below a figure, or after so many seconds."""
    for _ in range(seconds * 2):
        if psutil.Process(pid).memory_info().rss < below:
            break
        await asyncio.sleep(0.5)
    return psutil.Process(pid).memory_info().rss


@pytest.mark.starter
async def test_an_idle_engine_gives_its_cache_back_and_goes_on_talking(starter_home):
    """Another program takes the memory; the engine returns its cache, and answers in a smaller window."""
    supervisor = EngineSupervisor(engine_command(), starter_home / "models" / STARTER, None, lambda status: None)
    with control_group(4096 * MIB) as group:
        await supervisor.start()
        window, _ = await ask(supervisor, LONG)
        assert window.prompt_tokens > 2500
        pid = supervisor.pid
        group.take_in(pid)
        before = psutil.Process(pid).memory_info().rss
        ballast = subprocess.Popen([sys.executable, "-c", BALLAST, str(300 * MIB)], stdout=subprocess.PIPE)
        try:
            group.take_in(ballast.pid)
            ballast.stdout.readline()
            group.limit(400 * MIB)
            after = await peak_settled(pid, before - 60 * MIB)
            assert after < before - 60 * MIB
            group.limit(300 * MIB + FLOOR_BYTES + 118 * MIB)  # room for the cache of 2,048 tokens and not of 4,096
            window, end = await ask(supervisor, LONG)
            assert supervisor.pid == pid
            assert window.prompt_tokens <= 2048
            assert end.new_tokens == 4
        finally:
            ballast.kill()
            ballast.communicate()
            await supervisor.close()


@pytest.mark.starter
async def test_a_reply_that_memory_runs_out_on_ends_with_a_sentence_and_the_engine_lives(starter_home):
    supervisor = EngineSupervisor(engine_command(), starter_home / "models" / STARTER, None, lambda status: None)
    with control_group(4096 * MIB) as group:
        await supervisor.start()
        await ask(supervisor, Message(Role.USER, "Good evening."))
        pid = supervisor.pid
        group.take_in(pid)
        group.limit(100 * MIB)
        with pytest.raises(EngineError, match="not enough free memory"):
            await ask(supervisor, LONG)
        group.limit(4096 * MIB)
        _, end = await ask(supervisor, Message(Role.USER, "Good evening."))
        assert (supervisor.pid, end.new_tokens) == (pid, 4)
        await supervisor.close()


@pytest.mark.starter
async def test_where_only_the_small_window_fits_it_is_taken_and_that_is_said(starter_home):
    folder = starter_home / "models" / STARTER
    talk = await ChildTalk.begin()
    try:
        shape, weights = check_model_folder(folder), read_manifest(folder).weights_bytes
        need = memory_needed(shape, weights, CONTEXT_TOKENS).total
        with control_group(need - memory_held(talk.hello.pid) - 15 * MIB) as group:
            group.take_in(talk.hello.pid)
            loaded = await talk.load(folder, None)
            assert loaded.context_tokens == SMALL_CONTEXT_TOKENS
            assert "Memory is tight" in loaded.warning
            await talk.end()
    finally:
        await talk.end()
