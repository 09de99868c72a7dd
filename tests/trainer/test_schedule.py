"""Learning rates."""

import pytest

from trainer.settings.train import TrainSettings
from trainer.training.schedule import learning_rate, seed_of_batch


@pytest.mark.parametrize(("schedule", "last"), [("constant", 1.0), ("linear", 0.1), ("cosine", 0.1)])
def test_it_rises_then_follows_its_schedule(schedule, last):
    settings = TrainSettings(learning_rate=1.0, schedule=schedule, warmup_share=0.2)
    rates = [learning_rate(settings, done, 50) for done in range(50)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10] == max(rates) == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert last == 1.0 == rates[-1] or 0 < rates[-1] < last


def test_without_warmup_the_first_step_has_the_whole_rate():
    assert learning_rate(TrainSettings(learning_rate=0.5, warmup_share=0.0), 0, 3) == 0.5


def test_no_two_batches_share_a_seed():
    seeds = {seed_of_batch(seed, done, number) for seed in range(3) for done in range(50) for number in range(8)}
    assert len(seeds) == 3 * 50 * 8
    assert max(seeds) < 2**63
