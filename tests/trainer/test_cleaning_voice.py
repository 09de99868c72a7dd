"""How cleaning takes the voice of a practitioner out of an answer: names, offers, work, greetings, talk of the page."""

import pytest

from trainer.cleaning.authors import read_author, without_author
from trainer.cleaning.guidance import guides
from trainer.cleaning.irrelevance import without_page
from trainer.cleaning.promotion import without_practitioner, without_promotion
from trainer.cleaning.signatures import without_greeting, without_signature


def test_an_account_of_ones_own_work_leaves_nothing():
    assert without_practitioner("I see many clients who feel so. My clients then write a letter. It helps.") == ""


@pytest.mark.parametrize(
    "column",
    [
        "Ann Bell",
        "Ann Bell, LMFT",
        "Ann BellCouples Counselor",
        "Dr. Ann Bell, PhDHope and soup",
        "Ann Bell LPCTherapist",
    ],
)
def test_an_author_is_found_by_name_and_with_title(column):
    author = read_author(column)
    assert author.first == "Ann"
    left = without_author("Rest. I am Ann Bell, and I care. Eat. Dr. Bell says so. A bell rang.", author)
    assert left.strip() == "Rest. Eat. A bell rang."


def test_a_practice_is_found_too():
    assert without_author(
        "Rest. Come to Soup Counseling Services today.", read_author("Soup Counseling Services, LLC")
    ) == ("Rest. ")
    assert not read_author("")
    assert read_author("JoAnn McBell-MossBrave").first == "JoAnn"


@pytest.mark.parametrize(
    "sentence",
    [
        "Feel free to contact me at my office.",
        'In my book, "Soup", I tell how.',
        "Please pick up a copy of my book.",
        "Visit my website.",
        "I offer online sessions.",
        "Call my practice.",
        "Schedule an appointment with me.",
        "Don't hesitate to reach out.",
        "Let me know how it goes.",
        "If you live in Oregon, I can see you.",
    ],
)
def test_offers_go(sentence):
    assert without_promotion(f"Rest. {sentence} Eat.") == "Rest. Eat."


@pytest.mark.parametrize(
    "sentence",
    [
        "Call a therapist and schedule a session.",
        "You may contact your school counselor.",
        "Feel free to call them for a consultation.",
        "In my book, the more people love a child, the better.",
        "Many therapists offer a free consultation.",
    ],
)
def test_advice_to_find_help_is_no_offer(sentence):
    assert without_promotion(f"Rest. {sentence}") == f"Rest. {sentence}"


@pytest.mark.parametrize(
    "sentence",
    [
        "As a therapist, I see this often.",
        "My clients tell me so.",
        "I am a licensed counselor.",
        "I work with couples.",
        "In my practice, it helps.",
        "I had a client who cried.",
        "My husband does it too.",
    ],
)
def test_a_practitioners_voice_goes(sentence):
    rest = "Rest a little, and eat something warm before you decide. "
    assert without_practitioner(f"{rest}{sentence} Sleep.") == f"{rest}Sleep."
    assert without_practitioner("As a parent, you are tired. A therapist can help.") == (
        "As a parent, you are tired. A therapist can help."
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Hi Oregon, it is hard.", "It is hard."),
        ("Hello,\nit is hard.", "It is hard."),
        ("Salem, it sounds hard.", "It sounds hard."),
        ("First, it is hard.", "First, it is hard."),
        ("Hiking helps.", "Hiking helps."),
        ("Hi there! And thank you for your question. It is hard.", "It is hard."),
        ("Thank you for writing in about this! It is hard.", "It is hard."),
        ("Thank you for trusting me with it. It is hard.", "Thank you for trusting me with it. It is hard."),
    ],
)
def test_greetings_go(text, left):
    assert without_greeting(text) == left


@pytest.mark.parametrize(
    "ending",
    [
        "Be well,\nAnn Bell, LMFT, NCC",
        "Good luck with all of it!",
        "I hope this helps. Take care. - Ann",
        "~Ann (soup)",
        "In solidarity,-Ann",
        "Dr. Cora Moss",
        "Sincerely, Cora",
        "Thank you for writing.",
    ],
)
def test_closings_and_signatures_go(ending):
    author = read_author("Ann Bell, LMFT")
    assert (
        without_signature(f"Rest a little. Hope is a habit.\n{ending}", author).strip()
        == "Rest a little. Hope is a habit."
    )
    assert without_signature("Take care of your sleep first.", author) == "Take care of your sleep first."


@pytest.mark.parametrize(
    "sentence",
    [
        "Click here for more.",
        "I agree with Cora.",
        "CounselChat is a place to ask.",
        "For more information, visit the page on soup.",
        "This is not a substitute for medical advice.",
        "Watch the video to learn about soup.",
        "On it you will find recipes.",
    ],
)
def test_talk_of_the_page_goes(sentence):
    assert without_page(f"Rest. {sentence} Eat.") == "Rest. Eat."


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("Please tell someone you trust.", True),
        ("Go to the nearest hospital.", True),
        ("A hotline is there at night.", True),
        ("Have you considered therapy?", False),
        ("Breathe and think of the sea.", False),
    ],
)
def test_guidance_is_a_way_to_people(text, does):
    assert guides(text) is does
