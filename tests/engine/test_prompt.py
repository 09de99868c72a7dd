import pytest

from mhdesk.core.messages import Message, Role
from mhdesk.engine.prompt import PromptRenderer, PromptTooLong
from tests.tiny_model import make_tokenizer

SYSTEM = Message(Role.SYSTEM, "Be kind.")


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer()


@pytest.fixture(scope="module")
def renderer(tokenizer):
    return PromptRenderer(tokenizer)


def conversation(turns: int) -> list[Message]:
    messages = [SYSTEM]
    for turn in range(turns):
        messages += [Message(Role.USER, f"question {turn}"), Message(Role.ASSISTANT, f"answer {turn}")]
    return messages[:-1]


def test_a_short_conversation_is_given_whole(renderer, tokenizer):
    fitted = renderer.fit(conversation(3), 500)
    assert fitted.first_kept_turn == 0
    text = tokenizer.decode(fitted.token_ids)
    assert text.startswith("<|im_start|>system\nBe kind.<|im_end|>")
    assert text.endswith("question 2<|im_end|>\n<|im_start|>assistant\n")


def test_the_oldest_turns_leave_in_groups_and_the_system_prompt_stays(renderer, tokenizer):
    whole = len(renderer.fit(conversation(12), 10_000).token_ids)
    fitted = renderer.fit(conversation(12), whole - 1)
    text = tokenizer.decode(fitted.token_ids)
    assert fitted.first_kept_turn == 4
    assert "Be kind." in text
    assert "question 3" not in text
    assert "question 4" in text
    assert "question 11" in text


@pytest.mark.parametrize("budget", range(60, 700, 37))
def test_the_prompt_never_exceeds_its_budget_and_keeps_the_newest_turn(renderer, tokenizer, budget):
    fitted = renderer.fit(conversation(20), budget)
    assert len(fitted.token_ids) <= budget
    assert "question 19" in tokenizer.decode(fitted.token_ids)


def test_the_window_moves_seldom_while_a_conversation_grows(renderer):
    firsts = [renderer.fit(conversation(turns), 400).first_kept_turn for turns in range(1, 40)]
    assert firsts == sorted(firsts)
    assert len(set(firsts)) < 12


def test_a_message_too_long_for_the_window_loses_its_middle(renderer, tokenizer):
    text = "begin " + "middle words " * 2000 + "end"
    fitted = renderer.fit([SYSTEM, Message(Role.USER, text)], 300)
    shown = tokenizer.decode(fitted.token_ids)
    assert len(fitted.token_ids) <= 300
    assert "begin" in shown
    assert "end" in shown
    assert "[…]" in shown


def test_a_window_too_small_for_the_system_prompt_is_an_error(renderer):
    with pytest.raises(PromptTooLong):
        renderer.fit([SYSTEM, Message(Role.USER, "hello")], 5)


def test_the_loss_counts_on_the_supporters_words_and_the_mark_that_ends_them(renderer, tokenizer):
    messages = [*conversation(2), Message(Role.ASSISTANT, "answer 1")]
    example = renderer.training_example(messages)
    targets = [token for token, target in zip(example.token_ids, example.is_target, strict=True) if target]
    assert tokenizer.decode(targets) == "answer 0<|im_end|>answer 1<|im_end|>"


def test_training_renders_a_conversation_as_the_app_does(renderer):
    messages = conversation(3)
    app = renderer.fit(messages, 1000).token_ids
    training = renderer.training_example([*messages, Message(Role.ASSISTANT, "yes")]).token_ids
    assert training[: len(app)] == app


def test_a_tokenizer_without_a_template_is_refused(tokenizer):
    bare = make_tokenizer()
    bare.chat_template = None
    with pytest.raises(ValueError, match="chat template"):
        PromptRenderer(bare)
