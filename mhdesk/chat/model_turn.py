"""The model's answer to one message, as far as the gate releases it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from mhdesk.chat.ports import ConversationStore, Engine
from mhdesk.core.events import Failed, Finished, FinishState, Replaced, SessionEvent, Source, Text, Window
from mhdesk.core.generation import GenerationRequest, ModelFinished, ModelText
from mhdesk.safety.gate import Gate

_NO_WORDS = "The model found no words this time. Please try again, perhaps in other words."


class ModelTurn:
    """Engine, gate and store, joined for one answer at a time. `count_fault` is told when the gate failed safe."""

    def __init__(
        self, engine: Engine, gate: Gate, store: ConversationStore, count_fault: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self._gate = gate
        self._store = store
        self._count_fault = count_fault

    async def answer(
        self, turn: int, request: GenerationRequest, first_turn: int, asked_at: float
    ) -> AsyncGenerator[SessionEvent, None]:
        """Yield what of the answer may be shown, then one `Finished` or `Failed`.

        Args:
            turn: the number under which the store keeps it.
            request: what the model is asked.
            first_turn: the number of the first turn in `request`, counted from 0.
            asked_at: when the message was sent, by `time.monotonic()`, in seconds.

        Raises:
            EngineError: the engine died or hung; what was shown is kept.
            StorageError: what was shown could not be kept.
        """
        gate = self._gate.begin()
        window = Window(0, 0, "")
        shown = ""
        pieces = 0
        first_token_s: float | None = None
        async with aclosing(self._engine.generate(request)) as answers:
            async for answer in answers:
                ended = answer if isinstance(answer, ModelFinished) else None
                released = ""
                match answer:
                    case Window():
                        window = replace(answer, first_kept_turn=answer.first_kept_turn + first_turn)
                        yield window
                    case ModelText(text=text):
                        pieces += 1
                        if first_token_s is None:
                            first_token_s = time.monotonic() - asked_at
                        released = gate.push(text)
                    case ModelFinished():
                        released = gate.flush()
                if gate.stopped is not None:
                    break
                if released:
                    shown += released
                    await self._store.update_reply(turn, shown, fixed=False)
                    yield Text(released, Source.MODEL)
                if ended is not None:
                    yield await self._finish(turn, ended, window, shown)
                    return
        # Left here on a stop of the gate, the generation cancelled and acknowledged.
        reasons = gate.stopped.reasons if gate.stopped else ()
        if "internal_error" in reasons:
            self._count_fault("gate")
        yield Replaced(gate.fixed_reply, reasons)
        await self._store.update_reply(turn, gate.fixed_reply, fixed=True)
        await self._store.finish_turn(turn, FinishState.REPLACED)
        total_s = time.monotonic() - asked_at
        yield Finished(
            FinishState.REPLACED, window.prompt_tokens, pieces, first_token_s, total_s, window.first_kept_turn
        )

    async def _finish(self, turn: int, ended: ModelFinished, window: Window, shown: str) -> SessionEvent:
        if not shown.strip() and not ended.stopped:
            await self._store.finish_turn(turn, None)
            return Failed(_NO_WORDS)
        state = FinishState.STOPPED if ended.stopped else FinishState.DONE
        await self._store.finish_turn(turn, state)
        return Finished(
            state, ended.prompt_tokens, ended.new_tokens, ended.first_token_s, ended.total_s, window.first_kept_turn
        )
