from mhdesk.chat.context import GENTLE_TURNS, MAX_HISTORY_CHARS, model_context
from mhdesk.core.levels import NOTHING_FOUND, Level, Verdict
from mhdesk.core.messages import Message, Role
from mhdesk.core.saved_turn import SavedTurn
from mhdesk.core.system_prompts import system_prompt

NOW = Message(Role.USER, "now")


def turn(text="before", reply="reply", level=Level.NONE):
    return SavedTurn(Message(Role.USER, text), Verdict(level), reply)


def test_the_model_gets_system_prompt_earlier_turns_and_the_persons_words():
    context = model_context([turn()], NOW, NOTHING_FOUND)
    assert [message.role for message in context.messages] == [Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.USER]
    assert context.first_turn == 0


def test_a_turn_that_got_no_reply_is_given_without_one():
    context = model_context([turn(reply="")], NOW, NOTHING_FOUND)
    assert [message.role for message in context.messages] == [Role.SYSTEM, Role.USER, Role.USER]


def test_turns_after_a_crisis_get_the_gentle_prompt_for_a_while():
    gentle = system_prompt(Level.ELEVATED)
    after = [turn(level=Level.CRISIS)]
    assert model_context(after, NOW, NOTHING_FOUND).messages[0] == gentle
    later = after + [turn()] * GENTLE_TURNS
    assert model_context(later, NOW, NOTHING_FOUND).messages[0] == system_prompt(Level.NONE) != gentle


def test_a_conversation_of_thousands_of_turns_is_cut_and_says_where_it_begins():
    turns = [turn("x" * 500, "y" * 500) for _ in range(3000)]
    context = model_context(turns, NOW, NOTHING_FOUND)
    assert context.first_turn > 2000
    assert sum(len(message.text) for message in context.messages) < MAX_HISTORY_CHARS + 5000
    assert context.messages[1].role is Role.USER
