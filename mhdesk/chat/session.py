"""The conductor: leads one message through screen, store, model and gate, and tells what to show.

The window and the command line use this very class; neither decides anything about safety itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from mhdesk.chat.context import model_context, spoken
from mhdesk.chat.crisis import CrisisReplies
from mhdesk.chat.crisis_turn import CrisisTurn
from mhdesk.chat.model_turn import ModelTurn
from mhdesk.chat.ports import ConversationStore, Engine, NoSafetyPlan, SafetyPlan
from mhdesk.core.errors import MHDeskError
from mhdesk.core.events import Failed, Finished, FinishState, Screened, SessionEvent, Source, Text
from mhdesk.core.generation import GenerationRequest
from mhdesk.core.levels import Level, Topic, Verdict
from mhdesk.core.messages import Message, Role, sendable
from mhdesk.core.sampling import Sampling
from mhdesk.core.saved_turn import SavedTurn
from mhdesk.core.settings import AgeBand
from mhdesk.safety.faults import safe_assess
from mhdesk.safety.gate import Gate
from mhdesk.safety.helplines import Helplines
from mhdesk.safety.notices import under_13, when_asked
from mhdesk.safety.screen import Screen

log = logging.getLogger(__name__)

_UNEXPECTED = "Something went wrong inside MHDesk. What was said is still here; please try again."

_QUICK_CHARS = 2_000
"""Longer texts are screened off the event loop, so that the window never stalls."""


class Session:
    """One conversation. One message at a time: `send` while another runs waits for it.

    `region`, `age_band` and `language` (of the window) are asked at every message, since the person may change them.
    `count_fault` is told when screen or gate failed safe.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        store: ConversationStore,
        screen: Screen,
        gate: Gate,
        helplines: Helplines,
        crisis_replies: CrisisReplies,
        region: Callable[[], str],
        age_band: Callable[[], AgeBand],
        count_fault: Callable[[str], None],
        language: Callable[[], str] = lambda: "en",
        safety_plan: SafetyPlan | None = None,
        sampling: Sampling | None = None,
    ) -> None:
        self._engine = engine
        self._model = ModelTurn(engine, gate, store, count_fault)
        self._store = store
        self._screen = screen
        self._gate = gate
        self._crisis = CrisisTurn(
            helplines,
            crisis_replies,
            safety_plan or NoSafetyPlan(),
            region=region,
            age_band=age_band,
            language=language,
        )
        self._region = region
        self._age_band = age_band
        self._count_fault = count_fault
        self._sampling = sampling or Sampling()
        self._one_at_a_time = asyncio.Lock()

    async def send(self, text: str, sampling: Sampling | None = None) -> AsyncGenerator[SessionEvent, None]:
        """Lead `text` through a turn. Yields events; the last one is a `Finished` or a `Failed`.

        Raises:
            BadMessage: before the first event, if the text cannot be sent; nothing has happened then.
        """
        user = Message(Role.USER, sendable(text))
        async with self._one_at_a_time:
            asked_at = time.monotonic()
            turn: int | None = None
            try:
                earlier = await self._earlier_turns()
                verdict = await self._assess([*spoken(earlier), user])
                yield Screened(verdict.level, verdict.topics)
                if verdict.level is Level.CRISIS:
                    async for event in self._answer_crisis(user, verdict, earlier, asked_at):
                        yield event
                    return
                turn = await self._store.begin_turn(user, verdict)
                if self._age_band() is AgeBand.UNDER_13:
                    answers = self._answer_child(turn, asked_at)
                elif self._asks_what_this_is(user.text):
                    answers = self._answer_fixed(turn, when_asked(), asked_at)
                else:
                    context = model_context(earlier, user, verdict)
                    request = GenerationRequest(context.messages, sampling or self._sampling)
                    answers = self._model.answer(turn, request, context.first_turn, asked_at)
                async with aclosing(answers) as events:
                    async for event in events:
                        yield event
            except (asyncio.CancelledError, GeneratorExit):
                await self._mark(turn, FinishState.STOPPED)
                raise
            except MHDeskError as error:
                await self._mark(turn, None)
                yield Failed(error.sentence)
            except Exception as error:
                log.error("a turn failed: %s", type(error).__name__)
                await self._mark(turn, None)
                yield Failed(_UNEXPECTED)

    async def prepare(self) -> None:
        """Read what screen and gate have learnt, off the event loop; the first message would wait for it otherwise.

        What cannot be read fails safe at every message, and is counted there.
        """
        for part in (self._screen, self._gate):
            try:
                await asyncio.to_thread(part.prepare)
            except MHDeskError as error:
                log.error("the learnt stage cannot be read: %s", type(error).__name__)

    async def must_not_wait(self, text: str) -> bool:
        """Whether `text`, written while a reply runs, is of level crisis: then the reply should end for it.

        Nothing is kept of it; `send` screens it again.

        Raises:
            BadMessage: the text cannot be sent.
        """
        user = Message(Role.USER, sendable(text))
        verdict = await self._assess([*spoken(await self._earlier_turns()), user])
        return verdict.level is Level.CRISIS

    async def stop(self) -> None:
        """Stop the running reply; its `Finished(state=STOPPED)` still arrives."""
        await self._engine.cancel()

    async def new_conversation(self) -> None:
        """Stop what runs, and forget everything said."""
        await self.stop()
        async with self._one_at_a_time:
            await self._store.clear()
            self._crisis.forget()

    async def _assess(self, messages: list[Message]) -> Verdict:
        region = self._region()
        if len(messages[-1].text) <= _QUICK_CHARS:
            return safe_assess(self._screen, messages, region, self._count_fault)
        return await asyncio.to_thread(safe_assess, self._screen, messages, region, self._count_fault)

    async def _earlier_turns(self) -> Sequence[SavedTurn]:
        """What was said before; nothing if it cannot be read: the person's words are screened all the same."""
        try:
            return await self._store.turns()
        except MHDeskError as error:
            log.error("the conversation could not be read: %s", type(error).__name__)
            return ()

    async def _mark(self, turn: int | None, state: FinishState | None) -> None:
        """Note how `turn` ended, if that can be noted: whoever is told already knows."""
        if turn is not None:
            try:
                await self._store.finish_turn(turn, state)
            except MHDeskError as error:
                log.error("a turn's end could not be saved: %s", type(error).__name__)

    async def _answer_crisis(
        self, user: Message, verdict: Verdict, earlier: Sequence[SavedTurn], asked_at: float
    ) -> AsyncGenerator[SessionEvent, None]:
        """The card and fixed words, whether or not they can be saved. The model is not asked."""
        if card := self._crisis.card_if_due(verdict, len(earlier)):
            yield card
        reply = self._crisis.words(user, verdict, earlier)
        yield Text(reply, Source.FIXED)
        turn = await self._store.begin_turn(user, verdict)
        await self._store.update_reply(turn, reply, fixed=True)
        await self._store.finish_turn(turn, FinishState.DONE)
        yield Finished(FinishState.DONE, total_s=time.monotonic() - asked_at)

    async def _answer_child(self, turn: int, asked_at: float) -> AsyncGenerator[SessionEvent, None]:
        """Under 13 the chat is off: a line for children and the advice to tell an adult."""
        if card := self._crisis.card_if_due(Verdict(Level.ELEVATED, (Topic.MINOR,)), turn):
            yield card
        async for event in self._answer_fixed(turn, under_13(), asked_at):
            yield event

    async def _answer_fixed(self, turn: int, reply: str, asked_at: float) -> AsyncGenerator[SessionEvent, None]:
        """Words of the program's own, in place of the model's."""
        yield Text(reply, Source.FIXED)
        await self._store.update_reply(turn, reply, fixed=True)
        await self._store.finish_turn(turn, FinishState.DONE)
        yield Finished(FinishState.DONE, total_s=time.monotonic() - asked_at)

    def _asks_what_this_is(self, text: str) -> bool:
        """False where the screen fails: the model answers then, and the gate stops it from claiming to be human."""
        try:
            return self._screen.asks_what_this_is(text)
        except Exception as error:
            log.error("a question could not be read: %s", type(error).__name__)
            self._count_fault("screen")
            return False
