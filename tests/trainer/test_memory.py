"""The estimate of what a run needs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mhdesk.library.llama_shape import LlamaShape
from trainer.errors import BadConfiguration
from trainer.examples import Examples
from trainer.settings.train import TrainSettings
from trainer.training.memory import (
    MemoryMeter,
    TooLarge,
    largest_batch,
    memory_needed,
    memory_that_may_end,
    refuse_too_large,
)

LARGE = LlamaShape(3072, 8192, 28, 24, 8, 128, 128_256, 131_072, tied=True)
SETTINGS = TrainSettings(batch_size=1, gradient_checkpointing=True)


def needed(settings=SETTINGS, batch=(1024, 400)):
    return memory_needed(LARGE, LARGE.eight_bit_bytes, settings, batch).total


def test_three_billion_parameters_in_8_bits_fit_twelve_gigabytes_with_checkpointing():
    assert 4 * 2**30 < needed() < 12 * 10**9


def test_what_saves_memory_is_seen_to_save_it():
    assert needed(replace(SETTINGS, gradient_checkpointing=False)) > needed() * 1.5
    assert needed(replace(SETTINGS, base="bf16")) > needed() + 2 * 2**30
    assert needed(batch=(4096, 400)) > needed()
    assert needed(replace(SETTINGS, rank=64)) > needed()


def test_the_largest_batch_counts_its_padding():
    examples = Examples(np.zeros(60, np.int32), np.arange(60) % 2 == 0, np.array([0, 10, 30, 60]))
    assert largest_batch([(((0,), (2,)), ((1,),))], examples) == (60, 40)


def test_what_does_not_fit_is_refused_with_figures():
    need = memory_needed(LARGE, LARGE.eight_bit_bytes, SETTINGS, (1024, 400))
    with pytest.raises(BadConfiguration, match=r"needs about [\d.]+ GiB of memory and 2\.00 GiB are there"):
        refuse_too_large(need, 2.0, torch.device("cpu"))


def test_memory_that_the_machine_refuses_on_the_way_is_a_sentence():
    with pytest.raises(TooLarge, match="The memory did not suffice"), memory_that_may_end():
        torch.empty(2**56, dtype=torch.uint8)


def test_what_a_gpu_says_of_its_memory_is_the_same_sentence():
    with pytest.raises(TooLarge, match="The memory did not suffice"), memory_that_may_end():
        raise torch.OutOfMemoryError("CUDA out of memory.")  # what is raised where there is a GPU, which tests have not


def test_any_other_failure_stays_what_it_is():
    with pytest.raises(RuntimeError, match="size"), memory_that_may_end():
        torch.ones(2) + torch.ones(3)


def test_the_meter_tells_what_was_used_since():
    meter = MemoryMeter(torch.device("cpu"))
    block = torch.ones(64 * 2**20, dtype=torch.uint8)
    del block
    assert 60 * 2**20 < meter.most() < 200 * 2**20
