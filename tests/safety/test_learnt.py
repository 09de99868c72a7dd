"""The learnt stages as they are shipped: they raise and never lower, and were made from the sentences that are here."""

import hashlib
import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhdesk.core.levels import Level
from mhdesk.core.messages import Message, Role
from mhdesk.core.paths import resources_dir
from mhdesk.safety.clauses import read_clauses
from mhdesk.safety.learnt import Learnt, added
from mhdesk.safety.rules import ScreenRules
from mhdesk.safety.screen import Screen
from trainer.config import load_config
from trainer.learn_stage import SecondStageConfig

FOLDER = resources_dir() / "safety" / "learnt"
CONFIGS = Path(__file__).resolve().parents[2] / "trainer" / "configs"
CASES = [json.loads(line) for line in (Path(__file__).parent / "screen_cases.jsonl").read_text("utf-8").splitlines()]
READERS = {name: Learnt.load(name) for name in ("screen", "gate")}


class Silent:
    """A learnt stage that never finds anything: what is left is what the rules say."""

    def judge(self, data, first_word=0):
        return None


RULES_ALONE = Screen(ScreenRules.load(), Silent())
SCREEN = Screen.load()


def level(screen: Screen, text: str) -> Level:
    return screen.assess([Message(Role.USER, text)]).level


def test_it_raises_and_never_lowers():
    raised = 0
    for case in CASES:
        alone, together = level(RULES_ALONE, case["text"]), level(SCREEN, case["text"])
        assert together.severity >= alone.severity, case["text"]
        raised += together.severity > alone.severity
    assert raised


def test_a_raise_is_named():
    text = "I keep putting aside a few of my tablets each week until there are enough."
    verdict = SCREEN.assess([Message(Role.USER, text)])
    assert verdict.level is Level.CRISIS
    assert verdict.rules[0].startswith("learnt.crisis-")


def test_what_it_is_sure_of_does_not_drown_in_a_letter():
    before = "My week was long. The office moved and I carried boxes. My cousin had a baby on Friday. "
    after = " The weather is mild. We might go to the lake. I still have to call the landlord."
    assert level(SCREEN, before + "I cut my arms again last night because nothing else helps." + after) is Level.CRISIS
    assert level(SCREEN, before + after) is Level.NONE


@pytest.mark.parametrize("name", ["screen", "gate"])
def test_the_weights_were_made_from_the_sentences_that_are_here(name):
    for file in (f"{name}.json", f"{name}-encoder.json"):
        card = json.loads((FOLDER / file).read_text("utf-8"))
        assert card["sources"]
    linear = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["sources"]
    named = load_config(CONFIGS / f"{name}.yaml", SecondStageConfig).sentences
    files = [file for pattern in named for file in CONFIGS.glob(pattern)]
    assert linear == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("name", ["screen", "gate"])
@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=400))
def test_any_text_gets_finite_odds(name, text):
    judged = READERS[name].judge(read_clauses(text).data)
    if judged is not None:
        assert all(math.isfinite(odds) for odds in (*judged.margins.values(), *judged.names.values()))
        assert judged.likely()


def test_the_more_stretches_the_more_must_one_of_them_tell():
    weights = {"linear": 1.0, "encoder": 0.5, "length": 0.4, "threshold": 1.0}
    assert added(weights, 2.0, 0.0, 0.0) == 1.0
    assert added(weights, 2.0, 0.0, math.log(20)) < 0
