"""The memory a model needs and the memory there is: by formula, by refusal, and measured against each other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mhdesk.core.errors import ModelUnusable
from mhdesk.library.admission import CONTEXT_TOKENS, SMALL_CONTEXT_TOKENS, admitted_context, memory_needed
from mhdesk.library.alternatives import needs_of_others
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.memory_available import memory_available
from tests.conftest import STARTER
from tests.control_group import control_group

ROOT = Path(__file__).resolve().parents[2]
MIB, GIB = 2**20, 2**30
LLAMA_3B = Catalogue.load().find("llama-3.2-3b-instruct").shape


def admitted(available, **options):
    return admitted_context("three", LLAMA_3B, LLAMA_3B.eight_bit_bytes, available, **options)


def test_the_cache_of_a_3b_model_is_112_mib_a_thousand_tokens():
    need = memory_needed(LLAMA_3B, LLAMA_3B.eight_bit_bytes, 4096)
    assert need.cache == 448 * MIB
    assert 4 * GIB < need.total < 5 * GIB


def test_a_window_larger_than_the_model_knows_needs_no_more():
    small = Catalogue.load().find("open-llama-3b-v2").shape
    assert memory_needed(small, 0, 100_000) == memory_needed(small, 0, 2048)


def test_the_large_window_is_taken_where_it_fits_and_the_small_one_where_that_does():
    assert admitted(8 * GIB) == CONTEXT_TOKENS
    assert (
        admitted(memory_needed(LLAMA_3B, LLAMA_3B.eight_bit_bytes, SMALL_CONTEXT_TOKENS).total) == SMALL_CONTEXT_TOKENS
    )


def test_a_window_that_was_asked_for_is_taken_or_refused_not_changed():
    assert admitted(8 * GIB, wanted=1000) == 1000
    need = memory_needed(LLAMA_3B, LLAMA_3B.eight_bit_bytes, SMALL_CONTEXT_TOKENS).total
    with pytest.raises(ModelUnusable):
        admitted(need, wanted=CONTEXT_TOKENS)


def test_a_refusal_gives_both_figures_and_names_what_would_fit():
    with pytest.raises(ModelUnusable, match=r"needs about 4\.2 GiB of memory and 2\.0 GiB are there") as refused:
        admitted(2 * GIB, others={"small": GIB, "large": 3 * GIB, "three": GIB})
    assert "What would fit: small (1.0 GiB)." in refused.value.sentence


def test_where_nothing_fits_that_is_said():
    with pytest.raises(ModelUnusable, match="No model that MHDesk knows would fit"):
        admitted(10**6, others={"small": GIB})


def test_an_adapter_counts():
    need = memory_needed(LLAMA_3B, LLAMA_3B.eight_bit_bytes, SMALL_CONTEXT_TOKENS).total
    with pytest.raises(ModelUnusable):
        admitted(need, adapter_bytes=1)


def test_installed_models_and_known_ones_are_offered_and_base_models_are_not(tiny_model):
    needs = needs_of_others(tiny_model.parent)
    assert next(iter(needs)) == "tiny"
    assert "smollm2-360m-instruct" in needs
    assert "open-llama-3b-v2" not in needs


def test_available_memory_is_never_more_than_the_systems():
    assert 0 < memory_available() <= psutil.virtual_memory().total


@pytest.fixture
def group():
    with control_group(300 * MIB) as group:
        yield group


def in_group(group, script, **variables):
    return subprocess.run(
        [sys.executable, "-c", group.enter_script() + script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **variables},
        check=False,
        timeout=120,
    )


def test_a_control_groups_limit_counts(group):
    result = in_group(group, "from mhdesk.library.memory_available import memory_available; print(memory_available())")
    assert 200 * MIB < int(result.stdout) <= 300 * MIB


@pytest.mark.starter
def test_a_group_that_is_too_small_is_told_the_figures_and_no_engine_dies(group, starter_home):
    """The libraries alone need more than the group has, so the limit is lifted to let them in and no further."""
    group.limit(560 * MIB)
    script = "from mhdesk.cli import main; main(['chat', '--once', 'hello', '--json'])"
    result = in_group(group, script, MHDESK_HOME=str(starter_home))
    events = [json.loads(line) for line in result.stdout.splitlines()]
    failed = [event["sentence"] for event in events if event["event"] == "failed"]
    assert len(failed) == 1, result.stderr
    assert "GiB are there for it" in failed[0]


@pytest.mark.starter
def test_what_is_predicted_of_the_starter_model_is_what_it_uses(starter_home):
    command = [sys.executable, "-m", "mhdesk.bench.admission", STARTER, "--contexts", "512", "2048"]
    environment = {**os.environ, "MHDESK_HOME": str(starter_home)}
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=200, check=True)
    measured = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["context_tokens"] for line in measured] == [512, 2048]
    for line in measured:
        assert line["prompt_tokens"] > 0.9 * line["context_tokens"]
        assert 0.9 < line["predicted_over_measured"] < 1.1, line
