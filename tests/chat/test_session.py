"""The conductor over a real child that follows a script, the real screen, gate, helplines and crisis replies."""

import asyncio
import logging
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mhdesk.assembly import build_session
from mhdesk.core.errors import BadMessage, StorageError
from mhdesk.core.events import Card, Failed, Finished, FinishState, Replaced, Screened, Source, Text, Window
from mhdesk.core.levels import Level, Topic
from mhdesk.core.paths import resources_dir
from mhdesk.core.settings import AgeBand
from mhdesk.engine.client.backoff import BackOff
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.safety.helplines import Helplines
from mhdesk.store.memory import MemoryConversation
from tests.chat.crisis_files import all_texts

CALM = {"pieces": ["That ", "sounds ", "like ", "a ", "full ", "day."]}
SLOW = {"pieces": ["Word after word. "] * 300, "wait_s": 0.01}
DESPAIR = "I'm feeling hopeless and don't see any point in living anymore."


@dataclass
class Talk:
    session: object
    store: MemoryConversation
    engine: EngineSupervisor
    region: list[str] = field(default_factory=lambda: ["GB"])

    async def say(self, text):
        return [event async for event in self.session.send(text)]


@pytest.fixture
def talk(script, paths):
    @asynccontextmanager
    async def begin(
        *replies,
        model=Path("/models/scripted"),
        store=None,
        age_band=AgeBand.ADULT,
        language="en",
        safety_plan=None,
        **options,
    ):
        engine = EngineSupervisor(
            script(*(replies or (CALM,)), **options), model, None, lambda status: None, back_off=BackOff(first_s=0.05)
        )
        store = store or MemoryConversation()
        region = ["GB"]
        session = build_session(
            engine,
            paths,
            helplines=Helplines.load(),
            region=lambda: region[0],
            age_band=lambda: age_band,
            language=lambda: language,
            store=store,
            safety_plan=safety_plan,
        )
        await engine.start()
        try:
            yield Talk(session, store, engine, region)
        finally:
            await engine.close()

    return begin


def shown(events) -> str:
    text = ""
    for event in events:
        if isinstance(event, Text):
            text += event.text
        if isinstance(event, Replaced):
            text = event.text
    return text


async def test_an_ordinary_message_is_screened_answered_and_finished_in_that_order(talk):
    async with talk() as t:
        events = await t.say("My day was long.")
        turns = await t.store.turns()
    assert isinstance(events[0], Screened)
    assert isinstance(events[1], Window)
    assert all(isinstance(event, Text) and event.source is Source.MODEL for event in events[2:-1])
    assert isinstance(events[-1], Finished)
    assert events[-1].state is FinishState.DONE
    assert events[-1].new_tokens == 6
    assert shown(events) == "That sounds like a full day."
    assert [(turn.user.text, turn.reply, turn.state) for turn in turns] == [
        ("My day was long.", "That sounds like a full day.", FinishState.DONE)
    ]


async def test_a_crisis_message_gets_card_and_fixed_words_and_never_reaches_the_model(talk):
    async with talk({"pieces": ["THE MODEL SPOKE"]}) as t:
        events = await t.say(DESPAIR)
    assert events[0] == Screened(Level.CRISIS, (Topic.SUICIDE,))
    card = next(event for event in events if isinstance(event, Card))
    assert card.region == "GB"
    assert any(line.voice == "116 123" for line in card.lines)
    assert any(line.voice == "999" for line in card.lines)
    assert all(event.source is Source.FIXED for event in events if isinstance(event, Text))
    assert "MODEL" not in shown(events)
    assert events[-1].new_tokens == 0


async def test_crisis_words_come_without_any_model(talk):
    async with talk(model=None) as t:
        events = await t.say(DESPAIR)
        assert isinstance(events[-1], Finished)
        failed = await t.say("What a day.")
    assert isinstance(failed[-1], Failed)
    assert "runApp.py setup" in failed[-1].sentence


async def test_crisis_words_never_return_in_a_conversation_and_the_card_not_at_every_turn(talk):
    async with talk() as t:
        rounds = [await t.say("I want to die.") for _ in range(12)]
    replies = [shown(events) for events in rounds]
    assert len(set(replies)) == 12
    cards = [any(isinstance(event, Card) for event in events) for events in rounds]
    assert cards[0]
    assert not cards[1]
    assert any(cards[2:])


async def test_the_card_follows_the_region_at_once(talk):
    async with talk() as t:
        await t.say("I want to die.")
        t.region[0] = "US"
        events = await t.say("I want to die.")
    assert next(event for event in events if isinstance(event, Card)).region == "US"


@pytest.mark.parametrize(
    ("window", "text", "answer"),
    [
        ("en", "I want to die.", "how you would do it"),
        ("en", "Ya no quiero vivir, me quiero matar", "la tarjeta"),
        ("en", "Je veux mourir", "la fiche"),
        ("de-AT", "Ich will sterben", "der Karte"),
        ("de", "I want to die and nobody would care", "the card"),
        ("de", "kms", "der Karte"),
    ],
)
async def test_help_is_given_in_the_language_of_the_message(talk, window, text, answer):
    async with talk(language=window) as t:
        assert answer in shown(await t.say(text))


async def test_one_word_of_another_language_does_not_change_the_language_of_the_talk(talk):
    async with talk() as t:
        await t.say("Quiero morir, ya no aguanto más esta vida")
        events = await t.say("kms")
        switched = await t.say("I want to kill myself, please talk to me in English")
    spanish = resources_dir() / "crisis" / "es.json"
    assert any(text in shown(events) for text in all_texts(spanish))
    assert "I am a program" in shown(switched) or "the card" in shown(switched)


class PaperPlan:
    """A safety plan as someone has written it down, step by step."""

    def __init__(self, *steps: str) -> None:
        self._steps = steps

    def next_step(self, said_before):
        return next((step for step in self._steps if not any(step in text for text in said_before)), None)


async def test_the_persons_own_plan_is_brought_in_step_by_step(talk):
    async with talk(safety_plan=PaperPlan("Sit with Grandpa", "Put on the radio")) as t:
        replies = [shown(await t.say("I want to die.")) for _ in range(12)]
    where = {
        step: [turn for turn, reply in enumerate(replies) if step in reply]
        for step in ("Sit with Grandpa", "Put on the radio")
    }
    assert where == {"Sit with Grandpa": [2], "Put on the radio": [6]}
    assert len(set(replies)) == 12


async def test_a_plan_that_cannot_be_read_keeps_no_help_away(talk, caplog):
    class LockedPlan:
        def next_step(self, said_before):
            raise StorageError("private words")

    async with talk(safety_plan=LockedPlan()) as t:
        with caplog.at_level(logging.ERROR):
            events = await t.say("I want to die.")
    assert isinstance(events[-1], Finished)
    assert "card" in shown(events)
    assert caplog.messages == ["the safety plan could not be read: StorageError"]


async def test_someone_young_is_told_of_an_adult_and_shown_their_line(talk):
    async with talk(age_band=AgeBand.TEEN) as t:
        rounds = [await t.say("I want to die.") for _ in range(2)]
    card = next(event for event in rounds[0] if isinstance(event, Card))
    assert card.lines[0].name == "Childline"
    assert "an adult you trust" in shown(rounds[1])


async def test_no_number_of_the_models_is_ever_shown_and_the_talk_goes_on(talk):
    dangerous = {"pieces": ["Please ", "call ", "0800 ", "55", "5 1", "23 for help. "] + ["More. "] * 200}
    async with talk(dangerous, CALM) as t:
        events = await t.say("Who can I ring?")
        turns = await t.store.turns()
        after = await t.say("Thanks anyway.")
    assert "55" not in "".join(event.text for event in events if isinstance(event, Text))
    assert [type(event) for event in events[-2:]] == [Replaced, Finished]
    assert events[-1].state is FinishState.REPLACED
    assert turns[0].reply == events[-2].text
    assert shown(after) == "That sounds like a full day."


async def test_stop_keeps_what_was_shown_and_says_so(talk):
    async with talk(SLOW, CALM) as t:
        events = []
        async for event in t.session.send("Tell me something long."):
            events.append(event)
            if len(events) == 4:
                await t.session.stop()
        turns = await t.store.turns()
        again = await t.say("Go on.")
    assert events[-1].state is FinishState.STOPPED
    assert turns[0].reply == shown(events) != ""
    assert isinstance(again[-1], Finished)


@pytest.mark.parametrize(("text", "urgent"), [(DESPAIR, True), ("The kettle is broken again.", False)])
async def test_a_crisis_does_not_wait_for_a_running_reply(talk, text, urgent):
    async with talk(SLOW) as t:
        events = []
        async for event in t.session.send("Tell me something long."):
            events.append(event)
            if len(events) == 4:
                assert await t.session.must_not_wait(text) is urgent
                assert len(await t.store.turns()) == 1
                await t.session.stop()
        if urgent:
            events = await t.say(text)
            assert isinstance(events[1], Card)
        with pytest.raises(BadMessage):
            await t.session.must_not_wait("   ")


async def test_an_engine_killed_mid_reply_keeps_the_partial_text_and_the_next_message_works(talk):
    async with talk(SLOW) as t:
        events = []
        async for event in t.session.send("Tell me something long."):
            events.append(event)
            if len(events) == 5:
                os.kill(t.engine.pid, signal.SIGKILL)
        turns = await t.store.turns()
        assert isinstance(events[-1], Failed)
        assert "still here" in events[-1].sentence
        assert turns[0].reply == shown(events) != ""
        assert turns[0].state is None
        stream = t.session.send("And now?")
        kinds = [type(await anext(stream)) for _ in range(3)]
        await stream.aclose()
    assert kinds == [Screened, Window, Text]


async def test_the_persons_words_are_saved_before_anything_is_generated(talk):
    async with talk(CALM, load_s=30) as t:
        stream = t.session.send("Keep this.")
        assert isinstance(await anext(stream), Screened)
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(0.05)
        assert (await t.store.turns())[0].user.text == "Keep this."
        await t.session.stop()
        assert (await waiting).state is FinishState.STOPPED
        await stream.aclose()


@pytest.mark.parametrize("text", ["", " \n", "\x00\x07", "x" * 1_000_000], ids=["empty", "blank", "control", "1 MB"])
async def test_what_cannot_be_sent_is_refused_before_anything_happens(talk, text):
    async with talk() as t:
        with pytest.raises(BadMessage):
            await t.say(text)
        assert await t.store.turns() == ()


@pytest.mark.parametrize(
    "text", ["😭😭😭", "أنا متعب جدا اليوم", "a\x00b\x1b[2Jc", "‮evil‬", "\ud800x", "z" * 20_000], ids=range(6)
)
async def test_odd_but_sendable_text_is_answered(talk, text):
    async with talk() as t:
        events = await t.say(text)
    assert isinstance(events[-1], Finished)


async def test_a_model_that_says_nothing_is_told_in_a_sentence(talk):
    async with talk({"pieces": []}) as t:
        events = await t.say("Hello.")
    assert isinstance(events[-1], Failed)


async def test_a_new_conversation_stops_the_reply_and_forgets_everything(talk):
    async with talk(SLOW, CALM) as t:
        running = asyncio.create_task(t.say("Tell me something long."))
        await asyncio.sleep(0.2)
        await t.session.new_conversation()
        assert (await running)[-1].state is FinishState.STOPPED
        assert await t.store.turns() == ()


class FullDisk(MemoryConversation):
    """A store on a disk that takes nothing more; from `unreadable` on it cannot be read either."""

    def __init__(self, unreadable: bool) -> None:
        super().__init__()
        self._unreadable = unreadable

    async def turns(self):
        if self._unreadable:
            raise StorageError("The conversation cannot be read.")
        return await super().turns()

    async def begin_turn(self, user, verdict):
        raise StorageError("The disk is full.")


@pytest.mark.parametrize("unreadable", [False, True])
async def test_crisis_help_is_shown_even_where_nothing_can_be_saved(talk, unreadable):
    async with talk(store=FullDisk(unreadable)) as t:
        events = await t.say("I want to kill myself tonight.")
        ordinary = await t.say("What a day.")
    assert [type(event) for event in events] == [Screened, Card, Text, Failed]
    assert events[-1].sentence == "The disk is full."
    assert [type(event) for event in ordinary] == [Screened, Failed]


async def test_under_13_the_model_is_never_asked_and_a_line_for_children_is_shown(talk):
    async with talk({"pieces": ["THE MODEL SPOKE"]}, age_band=AgeBand.UNDER_13) as t:
        events = await t.say("I had a fight with my friend.")
    card = next(event for event in events if isinstance(event, Card))
    assert card.lines[0].name == "Childline"
    assert "grown-up you trust" in shown(events)
    assert "MODEL" not in shown(events)


async def test_whoever_asks_if_this_is_a_human_being_is_told_and_the_model_is_not_asked(talk):
    async with talk({"pieces": ["Yes, ", "I am ", "a person."]}) as t:
        events = await t.say("Are you a real person?")
        turns = await t.store.turns()
    assert "I am a computer program" in shown(events)
    assert {event.source for event in events if isinstance(event, Text)} == {Source.FIXED}
    assert events[-1].state is FinishState.DONE
    assert turns[0].fixed


async def test_a_crisis_comes_before_the_question_what_this_is(talk):
    async with talk() as t:
        events = await t.say("Are you a human? I want to kill myself.")
    assert any(isinstance(event, Card) for event in events)


async def test_a_replaced_reply_says_how_much_the_model_had_said(talk):
    async with talk({"pieces": ["Call ", "0800 ", "555 ", "123 ", "now. "]}) as t:
        events = await t.say("Who can I ring?")
    assert events[-1].state is FinishState.REPLACED
    assert 0 < events[-1].new_tokens <= 5
    assert events[-1].first_token_s is not None
    assert events[-1].total_s > 0


async def test_a_turn_that_its_listener_leaves_is_kept_as_stopped(talk):
    async with talk(SLOW) as t:
        stream = t.session.send("Tell me something long.")
        for _ in range(4):
            await anext(stream)
        await stream.aclose()
        assert (await t.store.turns())[0].state is FinishState.STOPPED


async def test_two_messages_at_once_are_answered_one_after_the_other(talk):
    async with talk() as t:
        first, second = await asyncio.gather(t.say("One."), t.say("Two."))
        assert [turn.user.text for turn in await t.store.turns()] == ["One.", "Two."]
    assert isinstance(first[-1], Finished)
    assert isinstance(second[-1], Finished)
