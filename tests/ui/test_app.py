"""The whole window, round the real session and a real engine process that follows a script."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from mhdesk.assembly import build_session
from mhdesk.core.engine_status import EngineState, EngineStatus
from mhdesk.core.paths import UserPaths, program_root
from mhdesk.core.settings import AgeBand
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.safety.helplines import Helplines
from mhdesk.ui.crisis_card import CrisisCard
from tests.ui.conftest import Desk
from tests.ui.plain_talk import until

Start = Callable[..., object]


@pytest_asyncio.fixture
async def start(
    open_desk: Callable[..., Desk], book: Helplines, paths: UserPaths, script: Callable[..., list[str]]
) -> AsyncIterator[Start]:
    """Opens a desk whose engine speaks the replies given."""
    engines: list[EngineSupervisor] = []
    desks: list[Desk] = []

    async def begin(*replies: dict[str, object], model: Path | None = Path("/models/scripted")) -> Desk:
        def tell(status: EngineStatus) -> None:
            if desks:
                desks[0].window.status.show_status(status)

        engine = EngineSupervisor(script(*replies), model, None, tell)
        session = build_session(
            engine, paths, helplines=book, region=lambda: desks[0].controller.region, age_band=lambda: AgeBand.UNKNOWN
        )
        desks.append(open_desk(session))
        engines.append(engine)
        await engine.start()
        return desks[0]

    yield begin
    for desk in desks:
        await desk.controller.close()
    for engine in engines:
        await engine.close()


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


async def test_a_reply_of_the_engine_streams_into_the_window(start: Start) -> None:
    desk = await start({"pieces": ["That sounds", " hard."], "wait_s": 0.02})
    desk.say("I had a long day")
    await until(lambda: not desk.controller.turns.running and len(desk.bubbles()) == 2, 20)
    assert desk.bubbles()[-1] == "MHDesk: That sounds hard."
    assert desk.window.status.status.state is EngineState.READY


async def test_an_engine_killed_mid_reply_leaves_its_words_and_the_next_message_is_answered(start: Start) -> None:
    slow = {"pieces": [f"Word {number}. " for number in range(60)], "wait_s": 0.05}
    desk = await start(slow, {"pieces": ["Here."]})
    desk.say("tell me something long")
    await until(lambda: len(desk.bubbles()) == 2 and "Word 1" in desk.bubbles()[-1], 20)
    for child in children():
        child.kill()
    await until(lambda: not desk.controller.turns.running, 20)
    assert desk.bubbles()[-1].startswith("MHDesk: Word 0.")
    assert "restarted" in desk.bubbles()[-1]
    assert desk.window.panel.isVisible()
    desk.say("are you there?")
    await until(lambda: not desk.controller.turns.running and len(desk.bubbles()) == 4, 20)
    assert desk.bubbles()[-1].startswith("MHDesk: Word 0.")


async def test_without_a_model_a_crisis_still_brings_the_card_and_words(start: Start) -> None:
    desk = await start({"pieces": ["never said"]}, model=None)
    assert desk.window.status.status.state is EngineState.NO_MODEL
    desk.say("I want to kill myself tonight")
    await until(lambda: not desk.controller.turns.running and len(desk.bubbles()) == 3)
    assert isinstance(desk.window.conversation._entries[1], CrisisCard)
    assert desk.bubbles()[-1].startswith("Written for MHDesk:")
    desk.say("I had a long day")
    await until(lambda: not desk.controller.turns.running and len(desk.bubbles()) == 5)
    assert "No model is installed" in desk.bubbles()[-1]


PROGRAM = """
    import asyncio, sys
    from mhdesk.core.engine_status import EngineState, EngineStatus
    from mhdesk.safety.helplines import Helplines
    from mhdesk.safety.notices import load_notices
    from mhdesk.ui.app import Talk, run
    from PySide6.QtWidgets import QApplication
    from tests.ui.plain_talk import PlainChoice, PlainConversation, SCREENED, DONE

    class Engine:
        def __init__(self, tell): self.tell = tell
        async def start(self):
            window = next(w for w in QApplication.topLevelWidgets() if hasattr(w, "panel"))
            print("painted", window.isVisible() and window.panel.isVisible(), window._was_painted, flush=True)
            self.tell(EngineStatus(EngineState.LOADING, "Loading.", 0.5))
            asyncio.ensure_future(asyncio.sleep(60))
            window.composer.sent.emit("hello")
        async def close(self): print("closed", flush=True)

    print("made", flush=True)
    sys.exit(run(
        assemble=lambda tell, region, age: Talk(
            PlainConversation([SCREENED, asyncio.Event(), DONE]), Engine(tell), PlainChoice()),
        help_book=Helplines.load(), settings_file=__import__("pathlib").Path(sys.argv[1]), first_region="GB",
        notices=load_notices()))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
def test_it_paints_before_the_engine_starts_and_ends_in_order_on_a_signal(tmp_path: Path, number: int) -> None:
    program = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(PROGRAM), str(tmp_path / "settings.json")],
        cwd=program_root(),
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    try:
        assert program.stdout.readline() == "made\n"
        assert program.stdout.readline() == "painted True True\n"
        time.sleep(0.3)
        program.send_signal(number)
        out, err = program.communicate(timeout=20)
    finally:
        program.kill()
    assert out == "closed\n"
    assert program.returncode == 0
    assert [line for line in err.splitlines() if "propagateSizeHints" not in line] == []


def test_the_window_loads_no_torch() -> None:
    code = "import sys, mhdesk.ui.app, mhdesk.ui.controller; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=program_root(), capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
