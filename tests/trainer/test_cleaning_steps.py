"""What each step of cleaning does to a text."""

import pytest

from mhdesk.core.messages import Message, Role
from trainer.cleaning.asker import without_address, without_name
from trainer.cleaning.authors import read_author, without_author
from trainer.cleaning.characters import plain_characters, plain_quotes, tidy_spaces
from trainer.cleaning.contacts import without_handles, without_links, without_mails
from trainer.cleaning.duplicates import Duplicates
from trainer.cleaning.encoding import mend_encoding
from trainer.cleaning.guidance import guides
from trainer.cleaning.irrelevance import without_page
from trainer.cleaning.joints import part_joined
from trainer.cleaning.language import is_other_language
from trainer.cleaning.markup import to_plain_text
from trainer.cleaning.phones import without_numbers
from trainer.cleaning.promotion import without_practitioner, without_promotion
from trainer.cleaning.sentences import keep_sentences, split_sentences
from trainer.cleaning.signatures import without_greeting, without_signature
from trainer.rows import Row


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("itâ€™s a cafÃ©", "it’s a café"),
        ("I don\ufffdt know\ufffd", "I don't know"),
        ("half \ud83d of a sign", "half  of a sign"),
        ("naïve, 3 × 4", "naïve, 3 × 4"),
    ],
)
def test_broken_encodings_are_mended(text, meant):
    assert mend_encoding(text) == meant


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>One.</p><p>Two &amp; three.</p>", "One.\n\nTwo & three."),
        ("<div>One<br>Two</div>", "One\nTwo"),
        ("<ol>\n<li>One</li>\n<li>Two</li></ol>", "- One\n- Two"),
        ("&#34;soup&#34; &amp;#39;s", '"soup" \'s'),
        ("a <style>p {color: red}</style><!-- note --> b", "a b"),
        ("I <3 you, and 1 < 2 > 0", "I <3 you, and 1 < 2 > 0"),
        ('see <a href="https://example.org/x">this page</a> now', "see this page https://example.org/x now"),
        ('a <a href="https://example.org/x">family counselor</a>', "a family counselor"),
        ("line one\nline two <b>bold</b>", "line one\nline two bold"),
    ],
)
def test_markup_becomes_lines(text, plain):
    assert tidy_spaces(to_plain_text(text)) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("zero\u200bwidth\x00 and\u00a0space", "zerowidth and space"),
        ("What??!! No!!!", "What? No!"),
        ("so......then", "so...then"),
        ("• one\n● two\n–   three", "- one\n- two\n- three"),
        ("first ·       second", "first\n- second"),
        ("**bold** and *slanted*", "bold and slanted"),
        ("a ==== b", "a b"),
        ("5:30, 3/4, well-known, 4-7-8", "5:30, 3/4, well-known, 4-7-8"),
        ("family: 👨\u200d👩\u200d👧", "family: 👨\u200d👩\u200d👧"),
    ],
)
def test_special_characters_and_noise_go(text, plain):
    assert tidy_spaces(plain_characters(text)) == plain


def test_quotation_marks_are_straight():
    assert plain_quotes("“I’m fine”") == '"I\'m fine"'


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("She left.Then it rained.", "She left. Then it rained."),
        ('He said "go."Then he left.', 'He said "go." Then he left.'),
        ('She said "I am fine." Then', 'She said "I am fine." Then'),
        ("Two things:1. Eat soup.2. Rest.", "Two things:\n1. Eat soup.\n2. Rest."),
        ("harm than good,Usually", "harm than good, Usually"),
        ("at www.SoupIsGood.com today", "at www.SoupIsGood.com today"),
        ("at www.soup.comI wish", "at www.soup.com I wish"),
        ("a Ph.D. or e.g. this", "a Ph.D. or e.g. this"),
        ("it took a while., but it came", "it took a while, but it came"),
        ("a Ph.D., then e.g., soup", "a Ph.D., then e.g., soup"),
    ],
)
def test_joined_sentences_are_parted(text, parted):
    assert part_joined(text) == parted


def test_an_account_of_ones_own_work_leaves_nothing():
    assert without_practitioner("I see many clients who feel so. My clients then write a letter. It helps.") == ""


def test_a_line_that_breaks_off_goes_on_and_items_in_a_line_part():
    assert part_joined("It is a time with\nmany changes.\nRest.") == "It is a time with many changes.\nRest."
    assert plain_characters("Causes    - worry    - grief") == "Causes\n- worry\n- grief"


def test_sentences_end_neither_at_titles_nor_initials():
    text = "Dr. Bell said so. I know J. K. Moss, e.g. from work! Yes.\nNew line"
    assert [piece.strip() for piece in split_sentences(text)] == [
        "Dr. Bell said so.",
        "I know J. K. Moss, e.g. from work!",
        "Yes.",
        "New line",
    ]
    assert "".join(split_sentences(text)) == text
    assert keep_sentences("One. Two.\n\nThree.", lambda sentence: sentence != "Two.") == "One. \n\nThree."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Rest a little. Call 1-800-273-8255.", "Rest a little."),
        ("Rest a little. You can call us at (503) 555-0142 anytime.", "Rest a little."),
        ("If you think of dying, call 1-800-273-8255.", "If you think of dying, call a crisis line."),
        ("Call the Lifeline at 1-800-273-8255 or tell a friend.", "Call the Lifeline or tell a friend."),
        ("The crisis line (1-800-273-TALK) is open.", "The crisis line is open."),
        ("You may call or text 988 at any hour.", "You may call or text a crisis line at any hour."),
        ("Please call 911 or go to a hospital.", "Please call emergency services or go to a hospital."),
        (
            "Breathe 4-7-8 for 10 minutes, since 1998, 25.00 in all.",
            "Breathe 4-7-8 for 10 minutes, since 1998, 25.00 in all.",
        ),
    ],
)
def test_numbers_go_without_leaving_a_stump(text, left):
    assert tidy_spaces(without_numbers(text, "US", whole=True)) == left


def test_numbers_of_the_configured_region_are_known():
    assert without_numbers("The clinic is at 020 7946 0958, I am told.", "GB", whole=False) == "The clinic, I am told."


def test_in_a_question_only_the_number_goes():
    assert without_numbers("He calls from 503-555-0142 each night.", "US", whole=False) == "He calls each night."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Rest. Read www.example.com/soup first.", "Rest."),
        ("Rest. It is on example.org.", "Rest."),
        ("Call a crisis line, see https://example.org/help.", "Call a crisis line."),
        ("Rest. Write to ann.bell@example.com today.", "Rest."),
        ("Rest. I am @annbell there.", "Rest."),
        ("Meet at 5, i.e. after tea.", "Meet at 5, i.e. after tea."),
    ],
)
def test_links_mails_and_handles_go(text, left):
    for edit in (without_mails, without_links, without_handles):
        text = edit(text, whole=True)
    assert tidy_spaces(text) == left


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
    ("text", "left"),
    [
        ("My name is Cora and I am 15.", "I am 15."),
        ("Hi, my name is Cora Moss. I am 15.", "I am 15."),
        ("My name is not important.", "My name is not important."),
        ("They call me lazy.", "They call me lazy."),
        ("I live at 12 Soup Street, Salem, OR 97301 with him.", "I live with him."),
        ("I was born on 3/4/1990. I am sad.", "I am sad."),
        ("My number is 123-45-6789.", "My number is ."),
    ],
)
def test_what_names_the_asker_goes(text, left):
    assert " ".join(without_address(without_name(text)).split()) == left


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


def test_other_languages_are_told_and_short_texts_are_not_judged():
    assert is_other_language(
        "Ich weiß nicht, wie ich mit meiner Schwester wieder reden soll, seit wir uns gestritten haben.", "en"
    )
    assert not is_other_language("Ich weiß nicht.", "en")
    assert not is_other_language(
        "I do not know how to talk to my sister again, since we quarrelled about the soup.", "en"
    )


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


def test_the_first_of_two_near_duplicates_stays():
    def row(name, answer):
        return Row(name, "own", name, (Message(Role.USER, "q"), Message(Role.ASSISTANT, answer)), "x", True)

    seen = Duplicates(0.8)
    text = " ".join(f"word{place}" for place in range(60))
    assert seen.reason(row("a", text)) == ""
    assert seen.reason(row("b", text.upper() + "!")) == "exact_duplicate"
    assert seen.reason(row("c", text + " more")) == "near_duplicate"
    assert seen.reason(row("d", " ".join(f"word{place}" for place in range(30, 90)))) == ""
