"""Rows, packs, batches and steps."""

import numpy as np
import pytest

from trainer.training.order import (
    batches_by_length,
    packs_of,
    padding_share,
    share_of_process,
    steps_of_epoch,
)

LENGTHS = np.random.default_rng(1).integers(5, 60, 101)


def rows_of(steps):
    return [row for step in steps for batch in step for pack in batch for row in pack]


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("packing", [True, False])
def test_an_epoch_reads_every_row_once_and_no_pack_is_too_long(packing, grouped):
    packs = packs_of(LENGTHS, 100, packing, seed=3)
    steps = steps_of_epoch(packs, LENGTHS, 4, 2, grouped, (3, 0))
    assert sorted(rows_of(steps)) == list(range(101))
    assert all(sum(LENGTHS[row] for row in pack) <= 100 for pack in packs)
    assert (len(packs) < 50) == packing


def test_the_same_seed_gives_the_same_order_and_another_epoch_another():
    packs = packs_of(LENGTHS, 100, packing=True, seed=3)
    assert packs == packs_of(LENGTHS, 100, packing=True, seed=3)
    first, again, second = (steps_of_epoch(packs, LENGTHS, 4, 2, True, (3, epoch)) for epoch in (0, 0, 1))
    assert first == again != second


def test_which_rows_make_a_step_does_not_depend_on_how_they_are_parted():
    packs = packs_of(LENGTHS, 100, packing=False, seed=3)
    large, small = (steps_of_epoch(packs, LENGTHS, *parts, True, (3, 0)) for parts in ((8, 1), (2, 4)))
    assert [sorted(rows_of([step])) for step in large] == [sorted(rows_of([step])) for step in small]


def test_grouping_by_length_saves_padding():
    packs = packs_of(LENGTHS, 100, packing=False, seed=3)
    grouped, drawn = (steps_of_epoch(packs, LENGTHS, 4, 1, group, (3, 0)) for group in (True, False))
    assert padding_share(grouped, LENGTHS) < 0.12 < padding_share(drawn, LENGTHS)


def test_processes_share_a_step_and_read_equally_often():
    step = batches_by_length(LENGTHS, 10)
    shares = [share_of_process(step, process, 4) for process in range(4)]
    assert {len(share) for share in shares} == {3}
    counted = [entry for share in shares for entry in share if entry[2]]
    assert sorted(number for number, _, _ in counted) == list(range(11))
    assert sorted(rows_of([[batch for _, batch, _ in counted]])) == list(range(101))
