"""Whether a person asks if this is a human being, in several languages, and what only sounds like it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhdesk.safety.screen import Screen

SCREEN = Screen.load()


@pytest.mark.parametrize(
    "text",
    [
        "Are you a human?", "are you real?", "r u a bot??", "Am I talking to a real person, or an AI?",
        "Wait, are you actually a therapist?", "is this a robot", "Hey, are you human or a machine?",
        "Do you have feelings?", "What are you?", "who am I talking to", "Can you feel anything at all?",
        "Is there a real person reading this?", "Be honest: are you an AI?", "You're not a real person, right?",
        "ARE YOU A REAL PERSON", "Eres humano?", "¿Estoy hablando con una persona real?", "Es-tu un robot ?",
        "Êtes-vous une personne réelle ?", "Bist du ein Mensch?",
        "Rede ich mit einem echten Menschen oder einer Maschine?", "Você é um robô?", "Sei umano?",
        "Ben je een mens?",
        "क्या तुम इंसान हो?", "kya tum insaan ho", "هل أنت إنسان؟", "あなたは人間ですか？", "你是真人吗？",
        "Ａｒｅ ｙｏｕ ａ ｈｕｍａｎ？",
    ],
)  # fmt: skip
def test_the_question_is_heard(text):
    assert SCREEN.asks_what_this_is(text)


@pytest.mark.parametrize(
    "text",
    [
        "Are you sure?", "My friend is a real person and I miss her", "I feel like a robot", "am I human?",
        "I am not a real person anymore", "What are you doing tonight, my mother asked.", "Do you have any tips?",
        "Can you feel how tired I am when I write?", "Is there a real person I can call?", "who am I without him",
        "is this a sign that I am ill?", "I want to talk to a human", "are you there?", "is this normal",
        "He asked: are you a man or a mouse? And I cried all night because of it.", "what is this feeling",
        "Are you a good listener?", "is it real love", "are people kind?", "is it real?", "",
        "Are you a human? " + "I have been thinking about it. " * 10,
    ],
)  # fmt: skip
def test_what_only_sounds_like_it_goes_to_the_model(text):
    assert not SCREEN.asks_what_this_is(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=250))
def test_any_text_has_an_answer(text):
    assert SCREEN.asks_what_this_is(text) in (True, False)
