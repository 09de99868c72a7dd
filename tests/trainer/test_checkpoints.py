"""Where a run stands."""

import pytest
import torch

from trainer.training.checkpoints import (
    CHECKPOINTS,
    Checkpoint,
    History,
    checkpoint_path,
    newest_checkpoint,
    write_checkpoint,
)


def write_looks(folder, *losses):
    history = History(looks=((0, 9.0),))
    for loss in losses:
        history = history.with_loss(loss, 0.1 / 3).with_look(loss)
        weights, first, second = ({"a.weight": torch.full((2, 2), loss)} for _ in range(3))
        write_checkpoint(folder, Checkpoint(weights, first, second, history))
    return history


def test_the_newest_comes_back_as_it_was(tmp_path):
    history = write_looks(tmp_path, 1 / 3, 2 / 7)
    found = newest_checkpoint(tmp_path)
    assert found.history == history
    assert torch.equal(found.second_moments["a.weight"], torch.full((2, 2), 2 / 7))


def test_the_best_and_the_newest_are_kept_and_no_other(tmp_path):
    history = write_looks(tmp_path, 3.0, 1.0, 2.0, 1.0, 4.0)
    assert history.best == (2, 1.0)
    assert sorted(tmp_path.iterdir()) == [checkpoint_path(tmp_path, 2), checkpoint_path(tmp_path, 5)]


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"soup" * 99])
def test_a_damaged_one_is_passed_over(tmp_path, content):
    write_looks(tmp_path, 3.0, 2.0)
    write_looks(tmp_path, 3.0)
    checkpoint_path(tmp_path, 7).write_bytes(content)
    assert newest_checkpoint(tmp_path).history.step == 1


def test_what_a_kill_left_by_half_is_among_what_is_removed_and_nothing_else(tmp_path):
    write_looks(tmp_path, 3.0)
    (tmp_path / ".checkpoint-00000002.safetensors.a1b2").write_bytes(b"half")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"whole")
    found = {path.name for pattern in CHECKPOINTS for path in tmp_path.glob(pattern)}
    assert found == {"checkpoint-00000001.safetensors", ".checkpoint-00000002.safetensors.a1b2"}


def test_patience_is_lost_when_no_look_since_the_best_was_better():
    looks = tuple(enumerate([5.0, 3.0, 4.0, 3.0]))
    assert History(looks=looks).has_lost_patience(2)
    assert not History(looks=looks).has_lost_patience(3)
    assert not History(looks=((0, 5.0),)).has_lost_patience(1)
