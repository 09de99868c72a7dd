"""The supervisor over real children that follow a script."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import aclosing

import psutil
import pytest

from mhdesk.core.engine_status import EngineState
from mhdesk.core.errors import EngineBusy, EngineDied, EngineError, ProtocolError
from mhdesk.core.events import Window
from mhdesk.core.generation import GenerationRequest, ModelFinished, ModelText
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine.client.backoff import BackOff
from mhdesk.engine.client.jobs import run_job
from tests.engine.watched import HELLO, REQUEST, Watched


async def _drain(events):
    async for _ in events:
        pass


async def test_a_request_made_while_loading_waits_and_is_answered(script):
    async with Watched(script(HELLO, load_s=0.3)) as watched:
        text, ended = await watched.answer()
    assert (text, ended.stopped, ended.new_tokens, ended.prompt_tokens) == ("Hello there.", False, 3, 2)
    assert ended.first_token_s is not None
    assert EngineState.LOADING in watched.states
    assert watched.states[-2:] == [EngineState.THINKING, EngineState.READY]
    assert any(status.progress == 0.5 for status in watched.statuses)


async def test_the_first_event_says_what_the_model_is_given(script):
    async with Watched(script(HELLO)) as watched, aclosing(watched.supervisor.generate(REQUEST)) as events:
        assert isinstance(await anext(events), Window)


async def test_cancel_stops_at_the_next_token_and_is_acknowledged(script):
    async with Watched(script({"pieces": ["word "] * 500, "wait_s": 0.01}, HELLO)) as watched:
        seen = 0
        async for event in watched.supervisor.generate(REQUEST):
            seen += isinstance(event, ModelText)
            if seen == 5:
                await watched.supervisor.cancel()
        assert isinstance(event, ModelFinished)
        assert event.stopped
        assert event.new_tokens < 20
        assert (await watched.answer())[0] == "Hello there."


async def test_a_listener_that_leaves_cancels_and_the_next_request_gets_only_its_own_words(script):
    async with Watched(script({"pieces": ["late "] * 500, "wait_s": 0.005}, HELLO)) as watched:
        async with aclosing(watched.supervisor.generate(REQUEST)) as events:
            async for event in events:
                if isinstance(event, ModelText):
                    break
        assert (await watched.answer())[0] == "Hello there."


async def test_cancel_while_the_model_is_still_loading_ends_the_request(script):
    async with Watched(script(HELLO, load_s=30)) as watched:
        request = asyncio.create_task(watched.answer())
        await asyncio.sleep(0.1)
        await watched.supervisor.cancel()
        text, ended = await asyncio.wait_for(request, 5)
    assert (text, ended.stopped) == ("", True)


async def test_a_child_killed_mid_reply_is_told_and_the_next_message_works(script):
    async with Watched(script({"pieces": ["word "] * 500, "wait_s": 0.01})) as watched:
        events = watched.supervisor.generate(REQUEST)
        for _ in range(5):
            await anext(events)
        first_pid = watched.supervisor.pid
        os.kill(first_pid, signal.SIGKILL)
        with pytest.raises(EngineDied, match="still here"):
            await _drain(events)
        async with aclosing(watched.supervisor.generate(REQUEST)) as events:
            assert isinstance(await anext(events), Window)
        assert watched.supervisor.pid != first_pid
        assert EngineState.RESTARTING in watched.states


async def test_a_child_killed_while_idle_is_restarted_by_itself(script):
    async with Watched(script(HELLO)) as watched:
        await watched.answer()
        os.kill(watched.supervisor.pid, signal.SIGKILL)
        while watched.states[-1] is not EngineState.RESTARTING:
            await asyncio.sleep(0.02)
        assert (await watched.answer())[0] == "Hello there."


@pytest.mark.parametrize(
    ("then", "error"), [("die", EngineDied), ("garbage", ProtocolError), ("oversize", ProtocolError)]
)
async def test_what_goes_wrong_on_the_pipe_is_one_sentence_and_a_restart(script, then, error):
    async with Watched(script({"pieces": ["a"], "then": then}, HELLO)) as watched:
        with pytest.raises(error) as caught:
            await watched.answer()
        assert caught.value.sentence.endswith(".")
        async with aclosing(watched.supervisor.generate(REQUEST)) as events:
            assert isinstance(await anext(events), Window)
        assert EngineState.RESTARTING in watched.states


@pytest.mark.parametrize("then", ["wrong_turn", "print"])
async def test_late_frames_and_native_prints_do_not_disturb_a_reply(script, then):
    async with Watched(script({"pieces": ["a", "b"], "then": then})) as watched:
        assert (await watched.answer())[0] == "ab"


async def test_a_hung_child_is_killed_and_the_next_message_works(script):
    async with Watched(script({"pieces": ["a"], "then": "hang"}), silence_s=0.5, cancel_s=0.5) as watched:
        with pytest.raises(EngineBusy):
            await watched.answer()
        async with aclosing(watched.supervisor.generate(REQUEST)) as events:
            assert isinstance(await anext(events), Window)


async def test_a_child_that_reads_nothing_any_more_does_not_hold_up_a_long_request_for_ever(script):
    long = GenerationRequest((Message(Role.USER, "\N{CYRILLIC SMALL LETTER YA}" * 200_000),), Sampling())
    async with Watched(script(HELLO), silence_s=0.5, cancel_s=0.5) as watched:
        await watched.answer()
        os.kill(watched.supervisor.pid, signal.SIGSTOP)
        with pytest.raises(EngineBusy):
            await asyncio.wait_for(_drain(watched.supervisor.generate(long)), 20)
        assert (await watched.answer())[0] == "Hello there."


async def test_a_child_that_does_not_acknowledge_a_cancel_is_killed(script):
    async with Watched(script({"pieces": ["a"], "then": "hang"}), cancel_s=0.3) as watched:
        pid = 0
        async with aclosing(watched.supervisor.generate(REQUEST)) as events:
            async for event in events:
                if isinstance(event, ModelText):
                    pid = watched.supervisor.pid
                    break
        assert pid
        assert not psutil.pid_exists(pid)


async def test_an_engine_that_keeps_dying_is_given_up_until_the_next_message():
    async with Watched([sys.executable, "-c", "raise SystemExit(1)"], back_off=BackOff(first_s=0.01)) as watched:
        with pytest.raises(EngineError, match="next message tries again"):
            await watched.answer()
        assert watched.states[-1] is EngineState.UNAVAILABLE
        before = watched.states.count(EngineState.LOADING)
        with pytest.raises(EngineError):
            await watched.answer()
        assert watched.states.count(EngineState.LOADING) > before


async def test_a_model_the_child_refuses_is_told_in_its_own_sentence_and_tried_again_at_the_next_message(script):
    async with Watched(script(HELLO, refuse={"scripted": "The model is damaged."})) as watched:
        for _ in range(2):
            with pytest.raises(EngineError, match="The model is damaged"):
                await watched.answer()
            await asyncio.sleep(0.3)
    assert watched.states.count(EngineState.RESTARTING) == 0
    assert watched.states.count(EngineState.UNAVAILABLE) == 2


async def test_without_a_model_nothing_is_started_and_the_sentence_says_what_to_do(script):
    async with Watched(script(HELLO), model=None) as watched:
        with pytest.raises(EngineError, match=r"runApp\.py setup"):
            await watched.answer()
        assert watched.supervisor.pid is None
        assert watched.states == [EngineState.NO_MODEL]


async def test_closing_leaves_no_process_behind(script):
    words = {"pieces": ["word "] * 500, "wait_s": 0.01}
    async with Watched(script(words)) as watched, aclosing(watched.supervisor.generate(REQUEST)) as events:
        await anext(events)
        pid = watched.supervisor.pid
    assert not psutil.pid_exists(pid)


async def test_memory_is_measured_while_a_reply_runs(script):
    words = {"pieces": ["word "] * 200, "wait_s": 0.01}
    async with Watched(script(words)) as watched, aclosing(watched.supervisor.generate(REQUEST)) as events:
        await anext(events)
        measured = await watched.supervisor.measure()
    assert measured.peak_rss_bytes >= measured.rss_bytes > 1_000_000
    assert measured.connections == 0


async def test_a_job_tells_its_progress_and_gives_its_result(script):
    said = []
    result = await run_job(script(HELLO), "count", {"steps": 2}, lambda sentence, done: said.append((sentence, done)))
    assert result == {"steps": 2}
    assert said == [("Step 1 of 2…", 0.0), ("Step 2 of 2…", 0.5)]


async def test_a_job_that_fails_gives_its_sentence(script):
    with pytest.raises(EngineError, match="scripted job failed"):
        await run_job(script(HELLO), "fail", {"steps": 1}, lambda *_: None)


async def test_a_job_that_stands_still_is_ended_with_a_sentence(script):
    with pytest.raises(EngineError, match="stood still"):
        await run_job(script(HELLO, load_s=60.0), "count", {"steps": 1}, lambda *_: None, silence_s=1.5)


def test_waits_double_up_to_the_longest_and_start_again_after_success():
    back_off = BackOff(first_s=1, longest_s=3, attempts=4)
    assert [back_off.failed() for _ in range(4)] == [1, 2, 3, None]
    back_off.succeeded()
    assert back_off.failed() == 1


def test_the_child_ends_when_its_parent_is_killed(script, tmp_path):
    command = script({"pieces": ["word "] * 10_000, "wait_s": 0.01})
    parent = textwrap.dedent(
        f"""
        import asyncio
        from pathlib import Path
        from mhdesk.core.generation import GenerationRequest
        from mhdesk.core.messages import Message, Role
        from mhdesk.engine.client.supervisor import EngineSupervisor

        async def main():
            supervisor = EngineSupervisor({command!r}, Path("m"), None, lambda status: None)
            await supervisor.start()
            async for event in supervisor.generate(GenerationRequest((Message(Role.USER, "x"),))):
                print(supervisor.pid, flush=True)

        asyncio.run(main())
        """
    )
    running = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(running.stdout.readline()))
    running.kill()
    running.wait()
    running.stdout.close()
    _, alive = psutil.wait_procs([child], timeout=5)
    assert not alive


def test_a_child_whose_input_ends_at_once_leaves_quietly(script):
    began = time.monotonic()
    result = subprocess.run(script(HELLO), input=b"", capture_output=True, check=False, timeout=60)
    assert result.returncode == 0, time.monotonic() - began
    assert b'"kind":"hello"' in result.stdout
