"""Another model or adapter while the engine runs, over real children: scripted ones, and ones with the tiny model."""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from mhdesk.core.engine_status import EngineState
from mhdesk.core.errors import EngineBusy, EngineDied, EngineError
from mhdesk.core.generation import GenerationRequest, ModelFinished, ModelText
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine.client.launch import engine_command
from tests.engine.watched import HELLO, MODEL, Watched
from tests.tiny_model import make_adapter, make_tiny_model

FIRST, SECOND = Path("/adapters/first"), Path("/adapters/second")
OTHER = Path("/models/other")
SLOW = {"pieces": ["word "] * 30, "wait_s": 0.02}


def stands(watched):
    loaded = watched.supervisor.loaded
    return loaded and (loaded.model, loaded.adapter)


async def loading(watched):
    """Wait until a switch has begun and the child says so."""
    await watched.until(lambda status: status.state is EngineState.LOADING and status.progress)


async def test_an_adapter_is_changed_in_the_living_process_and_every_status_tells_what_stands(script):
    async with Watched(script(HELLO), adapter=FIRST) as watched:
        await watched.answer()
        pid, told = watched.supervisor.pid, len(watched.statuses)
        for adapter in (SECOND, None, FIRST):
            loaded = await watched.supervisor.use(MODEL, adapter)
            assert loaded.adapter == (adapter.name if adapter else None)
        assert watched.supervisor.pid == pid
        ready = [status for status in watched.statuses[told:] if status.state is EngineState.READY]
        assert [status.adapter for status in ready] == ["second", "", "first"]
        assert {status.adapter for status in watched.statuses[told:] if status.progress} == {""}
        assert (await watched.answer())[0] == "Hello there."


async def test_another_model_gets_a_process_of_its_own_and_no_other_is_left(script):
    async with Watched(script(HELLO)) as watched:
        await watched.answer()
        pid = watched.supervisor.pid
        await watched.supervisor.use(OTHER, FIRST)
        assert stands(watched) == ("other", "first")
        assert watched.states[-1] is EngineState.READY
        assert watched.supervisor.pid != pid
        assert not psutil.pid_exists(pid)
        assert (await watched.answer())[0] == "Hello there."


async def test_from_no_model_to_one_and_back(script):
    async with Watched(script(HELLO), model=None) as watched:
        await watched.supervisor.use(MODEL, None)
        assert (await watched.answer())[0] == "Hello there."
        assert await watched.supervisor.use(None, None) is None
        assert watched.states[-1] is EngineState.NO_MODEL
        assert watched.supervisor.pid is None
        with pytest.raises(EngineError, match="No model"):
            await watched.answer()


@pytest.mark.parametrize("model", [MODEL, OTHER])
async def test_a_running_reply_is_finished_first_and_a_message_sent_meanwhile_waits(script, model):
    async with Watched(script(SLOW, HELLO, load_s=0.1)) as watched:
        reply = asyncio.create_task(watched.answer())
        await watched.until(lambda status: status.state is EngineState.THINKING)
        switch = asyncio.create_task(watched.supervisor.use(model, FIRST))
        await asyncio.sleep(0)
        later = asyncio.create_task(watched.answer())
        text, ended = await reply
        assert (text, ended.stopped) == ("word " * 30, False)
        assert not switch.done()
        assert (await switch).adapter == "first"
        assert not (await later)[1].stopped


async def test_an_adapter_that_is_refused_leaves_the_one_of_before_in_use(script):
    async with Watched(script(HELLO, refuse={"second": "It is damaged."}), adapter=FIRST) as watched:
        await watched.answer()
        pid = watched.supervisor.pid
        with pytest.raises(EngineError, match="It is damaged"):
            await watched.supervisor.use(MODEL, SECOND)
        assert stands(watched) == ("scripted", "first")
        assert watched.statuses[-1].adapter == "first"
        assert watched.supervisor.pid == pid


async def test_an_adapter_refused_when_nothing_else_can_be_put_back_ends_in_a_new_child_that_tells_the_truth(script):
    refuse = {"first": "First is damaged.", "second": "Second is damaged."}
    async with Watched(script(HELLO, refuse=refuse), adapter=FIRST) as watched:
        await watched.answer()
        assert any("First is damaged" in status.sentence for status in watched.statuses)
        with pytest.raises(EngineError, match="Second is damaged"):
            await watched.supervisor.use(MODEL, SECOND)
        await watched.answer()
        assert stands(watched) == ("scripted", None)


async def test_a_model_that_is_refused_is_told_and_the_one_of_before_comes_back(script):
    async with Watched(script(HELLO, refuse={"other": "It is too large."}), adapter=FIRST) as watched:
        await watched.answer()
        with pytest.raises(EngineError, match="It is too large"):
            await watched.supervisor.use(OTHER, None)
        assert (await watched.answer())[0] == "Hello there."
        assert stands(watched) == ("scripted", "first")


async def test_a_model_refused_at_the_start_does_not_stand_in_the_way_of_another(script):
    async with Watched(script(HELLO, refuse={"scripted": "It is damaged."})) as watched:
        await watched.until(lambda status: status.state is EngineState.UNAVAILABLE)
        await watched.supervisor.use(OTHER, None)
        assert (await watched.answer())[0] == "Hello there."


async def test_a_child_killed_while_it_changes_the_adapter_comes_back_with_the_one_of_before(script):
    async with Watched(script(HELLO, load_s=1), adapter=FIRST) as watched:
        await watched.answer()
        switch = asyncio.create_task(watched.supervisor.use(MODEL, SECOND))
        await loading(watched)
        os.kill(watched.supervisor.pid, signal.SIGKILL)
        with pytest.raises(EngineDied):
            await switch
        assert (await watched.answer())[0] == "Hello there."
        assert stands(watched) == ("scripted", "first")


async def test_a_child_killed_while_it_loads_another_model_is_started_again_with_that_model(script):
    async with Watched(script(HELLO, load_s=0.5)) as watched:
        await watched.answer()
        switch = asyncio.create_task(watched.supervisor.use(OTHER, FIRST))
        await loading(watched)
        os.kill(watched.supervisor.pid, signal.SIGKILL)
        await switch
        assert stands(watched) == ("other", "first")
        assert EngineState.RESTARTING in watched.states


async def test_after_a_crash_the_pair_chosen_last_is_loaded(script):
    async with Watched(script(HELLO), adapter=FIRST) as watched:
        await watched.answer()
        await watched.supervisor.use(MODEL, SECOND)
        os.kill(watched.supervisor.pid, signal.SIGKILL)
        await watched.until(lambda status: status.state is EngineState.RESTARTING)
        await watched.answer()
        assert stands(watched) == ("scripted", "second")


async def test_a_child_that_hangs_in_a_switch_is_killed_and_the_pair_of_before_comes_back(script):
    async with Watched(script(HELLO), adapter=FIRST, silence_s=0.5) as watched:
        await watched.answer()
        os.kill(watched.supervisor.pid, signal.SIGSTOP)
        with pytest.raises(EngineBusy):
            await watched.supervisor.use(MODEL, SECOND)
        await watched.answer()
        assert stands(watched) == ("scripted", "first")


async def test_a_switch_given_up_half_way_leaves_no_child_that_nobody_knows(script):
    async with Watched(script(HELLO, load_s=0.5), adapter=FIRST) as watched:
        await watched.answer()
        pid = watched.supervisor.pid
        switch = asyncio.create_task(watched.supervisor.use(MODEL, SECOND))
        await loading(watched)
        switch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await switch
        assert not psutil.pid_exists(pid)
        await watched.answer()
        assert stands(watched) == ("scripted", "first")


@pytest.mark.parametrize("model", [MODEL, OTHER])
async def test_closing_in_the_middle_of_a_switch_leaves_no_process(script, model):
    async with Watched(script(HELLO, load_s=5), adapter=FIRST) as watched:
        switch = asyncio.create_task(watched.supervisor.use(model, SECOND))
        await loading(watched)
        pid = watched.supervisor.pid
        switch.cancel()
        await asyncio.wait({switch})
    assert not psutil.pid_exists(pid)


async def test_a_message_that_waits_for_a_switch_can_be_given_up(script):
    async with Watched(script(HELLO, load_s=1)) as watched:
        switch = asyncio.create_task(watched.supervisor.use(OTHER, None))
        await loading(watched)
        message = asyncio.create_task(watched.answer())
        await asyncio.sleep(0.05)
        await watched.supervisor.cancel()
        await switch
        text, ended = await message
        assert (text, ended.stopped) == ("", True)


async def words(supervisor) -> str:
    sampling = Sampling(seed=3, max_new_tokens=20, min_new_tokens=20)
    request = GenerationRequest((Message(Role.USER, "The harbour was quiet."),), sampling)
    said = [event async for event in supervisor.generate(request)]
    assert isinstance(said[-1], ModelFinished)
    return "".join(event.text for event in said if isinstance(event, ModelText))


async def test_a_tiny_model_changes_its_words_with_its_adapter_and_has_its_own_back_without(tiny_model, tmp_path):
    adapter = make_adapter(tmp_path / "adapter", tiny_model)
    async with Watched(engine_command(), model=tiny_model) as watched:
        engine = watched.supervisor
        base, pid = await words(engine), engine.pid
        await engine.use(tiny_model, adapter)
        adapted = await words(engine)
        await engine.use(tiny_model, None)
        assert adapted != base
        assert await words(engine) == base
        assert engine.pid == pid
        os.kill(pid, signal.SIGKILL)
        await watched.until(lambda status: status.state is EngineState.RESTARTING)
        assert await words(engine) == base
        await engine.use(tiny_model, adapter)
        assert await words(engine) == adapted


async def test_a_tiny_model_killed_in_a_switch_to_another_comes_up_as_that_one(tiny_model, tmp_path):
    other = make_tiny_model(tmp_path / "other", seed=5)
    async with Watched(engine_command(), model=tiny_model) as watched:
        first = await words(watched.supervisor)
        switch = asyncio.create_task(watched.supervisor.use(other, None))
        await loading(watched)
        os.kill(watched.supervisor.pid, signal.SIGKILL)
        assert (await switch).model == "other"
        assert await words(watched.supervisor) != first
