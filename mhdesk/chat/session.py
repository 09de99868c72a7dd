"""The conductor: leads one message through screen, store, model and gate, and tells what to show.

The window and the command line use this very class; neither decides anything about safety itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from mhdesk.chat.context import model_context, spoken
from mhdesk.chat.crisis import CrisisReplies
from mhdesk.chat.ports import ConversationStore, Engine
from mhdesk.core.errors import MHDeskError
from mhdesk.core.events import (
    Card,
    Failed,
    Finished,
    FinishState,
    Replaced,
    Screened,
    SessionEvent,
    Source,
    Text,
    Window,
)
from mhdesk.core.generation import GenerationRequest, ModelFinished, ModelText
from mhdesk.core.levels import Level, Verdict
from mhdesk.core.messages import Message, Role, sendable
from mhdesk.core.sampling import Sampling
from mhdesk.core.settings import AgeBand
from mhdesk.safety.faults import safe_assess
from mhdesk.safety.gate import Gate, GateStream
from mhdesk.safety.helplines import Helplines
from mhdesk.safety.screen import Screen

log = logging.getLogger(__name__)

_NO_WORDS = "The model found no words this time. Please try again, perhaps in other words."
_UNEXPECTED = "Something went wrong inside MHDesk. What was said is still here; please try again."

_QUICK_CHARS = 2_000
"""Longer texts are screened off the event loop, so that the window never stalls."""

_TURNS_BETWEEN_CARDS = 4
"""The same card comes back after so many turns; the panel beside the chat shows the lines all the while."""


class Session:
    """One conversation. One message at a time: `send` while another runs waits for it.

    `region` and `age_band` are asked at every message, since the person may change them. `count_fault` is told when
    screen or gate failed safe.
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
        sampling: Sampling | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._screen = screen
        self._gate = gate
        self._helplines = helplines
        self._crisis_replies = crisis_replies
        self._region = region
        self._age_band = age_band
        self._count_fault = count_fault
        self._sampling = sampling or Sampling()
        self._one_at_a_time = asyncio.Lock()
        self._cards_shown: dict[tuple[object, ...], int] = {}

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
                earlier = await self._store.turns()
                verdict = await self._assess([*spoken(earlier), user])
                turn = await self._store.begin_turn(user, verdict)
                yield Screened(verdict.level, verdict.topics)
                if verdict.level is Level.CRISIS:
                    async for event in self._answer_crisis(turn, verdict, asked_at):
                        yield event
                    return
                context = model_context(earlier, user, verdict)
                request = GenerationRequest(context.messages, sampling or self._sampling)
                async with aclosing(self._answer_by_model(turn, request, context.first_turn)) as events:
                    async for event in events:
                        yield event
            except MHDeskError as error:
                if turn is not None:
                    await self._store.finish_turn(turn, None)
                yield Failed(error.sentence)
            except Exception as error:
                log.error("a turn failed: %s", type(error).__name__)
                yield Failed(_UNEXPECTED)

    async def stop(self) -> None:
        """Stop the running reply; its `Finished(state=STOPPED)` still arrives."""
        await self._engine.cancel()

    async def new_conversation(self) -> None:
        """Stop what runs, and forget everything said."""
        await self.stop()
        async with self._one_at_a_time:
            await self._store.clear()
            self._cards_shown.clear()

    async def _assess(self, messages: list[Message]) -> Verdict:
        region = self._region()
        if len(messages[-1].text) <= _QUICK_CHARS:
            return safe_assess(self._screen, messages, region, self._count_fault)
        return await asyncio.to_thread(safe_assess, self._screen, messages, region, self._count_fault)

    async def _answer_crisis(self, turn: int, verdict: Verdict, asked_at: float) -> AsyncGenerator[SessionEvent, None]:
        """The card and fixed words. The model is not asked."""
        card = self._helplines.card(self._region(), verdict, self._age_band())
        if self._card_is_due(card, verdict, turn):
            yield card
        said_before = [saved.reply for saved in await self._store.turns() if saved.fixed]
        reply = self._crisis_replies.choose(verdict, said_before, turn)
        yield Text(reply, Source.FIXED)
        await self._store.update_reply(turn, reply, fixed=True)
        await self._store.finish_turn(turn, FinishState.DONE)
        yield Finished(FinishState.DONE, total_s=time.monotonic() - asked_at)

    def _card_is_due(self, card: Card, verdict: Verdict, turn: int) -> bool:
        key = (card.region, card.topic, verdict.danger_now)
        shown = self._cards_shown.get(key)
        if shown is not None and turn - shown < _TURNS_BETWEEN_CARDS:
            return False
        self._cards_shown[key] = turn
        return True

    async def _answer_by_model(
        self, turn: int, request: GenerationRequest, first_turn: int
    ) -> AsyncGenerator[SessionEvent, None]:
        """The model's words, as far as the gate releases them."""
        gate = self._gate.begin()
        window = Window(0, 0, "")
        shown = ""
        async with aclosing(self._engine.generate(request)) as answers:
            async for answer in answers:
                match answer:
                    case Window():
                        window = replace(answer, first_kept_turn=answer.first_kept_turn + first_turn)
                        yield window
                    case ModelText(text=text):
                        released = gate.push(text)
                        if gate.stopped is None and released:
                            shown += released
                            await self._store.update_reply(turn, shown, fixed=False)
                            yield Text(released, Source.MODEL)
                    case ModelFinished() as ended:
                        released = gate.flush()
                        if gate.stopped is None and released:
                            shown += released
                            await self._store.update_reply(turn, shown, fixed=False)
                            yield Text(released, Source.MODEL)
                        if gate.stopped is None:
                            yield await self._finish(turn, ended, window, shown)
                            return
                if gate.stopped is not None:
                    break
        if gate.stopped is not None:
            async for event in self._replace(turn, gate, window):
                yield event

    async def _finish(self, turn: int, ended: ModelFinished, window: Window, shown: str) -> SessionEvent:
        if not shown.strip() and not ended.stopped:
            await self._store.finish_turn(turn, None)
            return Failed(_NO_WORDS)
        state = FinishState.STOPPED if ended.stopped else FinishState.DONE
        await self._store.finish_turn(turn, state)
        return Finished(
            state, ended.prompt_tokens, ended.new_tokens, ended.first_token_s, ended.total_s, window.first_kept_turn
        )

    async def _replace(self, turn: int, gate: GateStream, window: Window) -> AsyncGenerator[SessionEvent, None]:
        reasons = gate.stopped.reasons if gate.stopped else ()
        if "internal_error" in reasons:
            self._count_fault("gate")
        await self._store.update_reply(turn, gate.fixed_reply, fixed=True)
        await self._store.finish_turn(turn, FinishState.REPLACED)
        yield Replaced(gate.fixed_reply, reasons)
        yield Finished(FinishState.REPLACED, window.prompt_tokens, first_kept_turn=window.first_kept_turn)
