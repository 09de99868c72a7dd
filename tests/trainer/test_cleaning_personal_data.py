"""What leads to a person goes: numbers, links, mail and street addresses, names."""

import pytest

from trainer.cleaning.addresses import without_address
from trainer.cleaning.asker import without_name
from trainer.cleaning.characters import tidy_spaces
from trainer.cleaning.contacts import without_handles, without_links, without_mails
from trainer.cleaning.phones import without_numbers


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
    ("text", "left"),
    [
        ("My name is Cora and I am 15.", "I am 15."),
        ("Hi, my name is Cora Moss. I am 15.", "I am 15."),
        ("My name is not important.", "My name is not important."),
        ("They call me lazy.", "They call me lazy."),
        ("I live at 12 Soup Street, Salem, OR 97301 with him.", "I live with him."),
        ("I live at 12 Oak St. My sister knows.", "I live. My sister knows."),
        ("I was born on 3/4/1990. I am sad.", "I am sad."),
        ("My number is 123-45-6789.", "My number is ."),
    ],
)
def test_what_names_the_asker_goes(text, left):
    assert " ".join(without_address(without_name(text), whole=False).split()) == left


@pytest.mark.parametrize(
    "address",
    [
        "Come to the Elm Center, 120 Main Street, Suite 4, Denver CO 80202.",
        "It is at 4100 W. 38th Ave, #200, Denver, CO 80212-1234.",
        "Look for us on 2020 Grand Avenue, 2nd Floor.",
        "1 Harbour Blvd\nSuite 210\nSan Diego, CA 92101",
        "P.O. Box 440, Boise, ID 83701",
        "12 Oak St., Salem, OR 97301",
    ],
)
def test_of_an_answer_the_sentence_with_an_address_goes(address):
    assert without_address(f"Rest a little.\n{address}\nEat.", whole=True).split() == ["Rest", "a", "little.", "Eat."]


def test_of_a_way_to_help_only_the_address_goes():
    guiding = "Go to the hospital at 5 Elm Street, Salem, OR 97301 if you feel unsafe."
    assert without_address(guiding, whole=True) == "Go to the hospital if you feel unsafe."


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "I live on the third floor.",
        "Take the main street of your thoughts.",
        "Room 101 is a fear of its own.",
        "Sleep until 2 pm.",
        "Trust is a 2 Way Street.",
        "In 2008 Wall Street fell, and so did I.",
        "The 2015 Supreme Court ruling helped.",
        "In 1969 Psychiatrist Dr. Moss said so.",
        "Unit 5",
        "UP TO 50000 PEOPLE feel so.",
        "Breathe in for 4, walk 20 minutes, then drive 5 miles.",
    ],
)
def test_what_only_looks_like_an_address_stays(text, whole):
    assert without_address(text, whole=whole) == text
