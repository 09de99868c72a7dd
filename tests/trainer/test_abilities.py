"""Multiple choice by log-likelihood."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.core.system_prompts import system_prompt
from mhdesk.engine.prompt import PromptRenderer
from tests.namespaces import in_namespace
from tests.tiny_model import make_float_model, make_tokenizer
from tests.trainer.finished_run import ITEMS
from trainer.errors import BadRows
from trainer.measuring.abilities import choose, compare, read_items
from trainer.perplexity import losses_by_dialogue

SHIPPED = Path(__file__).resolve().parents[2] / "trainer" / "data" / "abilities" / "items.jsonl"


def write(tmp_path, items):
    path = tmp_path / "items.jsonl"
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items), encoding="utf-8")
    return path


def test_the_shipped_items_are_200_and_no_position_gives_the_answer_away():
    items = read_items(SHIPPED)
    positions = Counter(item.answer for item in items)
    assert len(items) == 200
    assert len({item.question for item in items}) == 200
    assert min(positions.values()) >= 45
    assert len({item.subject for item in items}) == 5
    others = [[len(choice) for n, choice in enumerate(item.choices) if n != item.answer] for item in items]
    assert sum(len(item.choices[item.answer]) > max(lengths) for item, lengths in zip(items, others, strict=True)) < 60


def test_the_likeliest_choice_a_byte_is_chosen_as_if_each_had_been_read_by_itself(tmp_path):
    tokenizer = make_tokenizer()
    model, renderer = make_float_model(len(tokenizer)), PromptRenderer(tokenizer)
    items = read_items(write(tmp_path, ITEMS))
    expected = []
    for item in items:
        asked = [system_prompt(Level.NONE), Message(Role.USER, item.question)]
        scores = []
        for choice in item.choices:
            example = renderer.training_example([*asked, Message(Role.ASSISTANT, choice)])
            end = max(place for place, target in enumerate(example.is_target) if target)
            words_only = [target and place != end for place, target in enumerate(example.is_target)]
            ((loss, _),) = losses_by_dialogue(model, [type(example)(example.token_ids, words_only)])
            scores.append(-loss / len(choice.encode()))
        expected.append(int(torch.tensor(scores).argmax()))
    assert choose(model, renderer, items, "en") == expected
    assert choose(model, renderer, items[:1], "en") == expected[:1]


class Heard(PromptRenderer):
    """A renderer that remembers what it was given."""

    def __init__(self, tokenizer):
        super().__init__(tokenizer)
        self.systems = set()

    def render(self, messages, *, reply_follows):
        self.systems.add(messages[0].text)
        return super().render(messages, reply_follows=reply_follows)


def test_the_system_prompt_is_that_of_the_rows_language(tmp_path):
    path = write(tmp_path, ITEMS)
    result = in_namespace(
        """
        import subprocess, sys
        from pathlib import Path
        from mhdesk.core.paths import resources_dir
        from tests.tiny_model import make_float_model, make_tokenizer
        from tests.trainer.test_abilities import Heard
        from trainer.measuring.abilities import choose, read_items
        prompts = resources_dir() / "prompts"
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", prompts], check=True)
        (prompts / "de.json").write_text('{"none": "Du bist ein Programm.", "elevated": ""}')
        tokenizer = make_tokenizer()
        renderer = Heard(tokenizer)
        choose(make_float_model(len(tokenizer)), renderer, read_items(Path(sys.argv[1])), "de")
        print(renderer.systems)
        """,
        str(path),
    )
    assert result.stdout.strip() == "{'Du bist ein Programm.'}", result.stderr


def test_what_was_lost_is_told_with_its_interval_and_a_paired_test(tmp_path):
    items = read_items(write(tmp_path, [{**ITEMS[0], "id": str(n), "answer": 1} for n in range(40)]))
    before = [1] * 30 + [0] * 10
    after = [0] * 10 + [1] * 20 + [0] * 8 + [1] * 2
    figures = compare(items, before, after)
    assert figures["base"]["share"] == 0.75
    assert figures["lost"] == pytest.approx(0.2)
    assert figures["lost_interval"][0] < 0.2 < figures["lost_interval"][1]
    assert (figures["only_base_right"], figures["only_adapter_right"]) == (10, 2)
    assert figures["mcnemar_p"] == pytest.approx(0.0386, abs=1e-4)


def test_equal_choices_lose_nothing(tmp_path):
    items = read_items(write(tmp_path, ITEMS))
    figures = compare(items, [0] * 6, [0] * 6)
    assert figures["lost"] == 0
    assert figures["mcnemar_p"] == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"choices": ["a", "b", "c"]}, "Line 1"),
        ({"choices": ["a", "a", "b", "c"]}, "Line 1"),
        ({"answer": 4}, "Line 1"),
        ({"question": None, "answer": "0"}, "Line 1"),
    ],
)
def test_a_line_that_is_no_item_is_named(tmp_path, change, sentence):
    with pytest.raises(BadRows, match=sentence):
        read_items(write(tmp_path, [{**ITEMS[0], **change}]))


def test_a_missing_or_empty_file_is_a_sentence(tmp_path):
    with pytest.raises(BadRows, match="cannot be read"):
        read_items(tmp_path / "nothing.jsonl")
    with pytest.raises(BadRows, match="no multiple-choice items"):
        read_items(write(tmp_path, []))
