"""A row is read as if it stood alone, whatever is in its batch."""

import pytest
import torch

from mhdesk.engine.child.base import load_base
from tests.tiny_model import make_tokenizer
from tests.trainer.split_run import make_run, stones
from trainer import render
from trainer.examples import read_examples
from trainer.training.batches import IGNORED, collate, summed_loss


@pytest.fixture(scope="module")
def examples(tmp_path_factory, tiny_model):
    config, job = make_run(tmp_path_factory.mktemp("rows"), tiny_model, stones(0, 6))
    return read_examples(render.run(config, job) / "training.safetensors")


@pytest.fixture(scope="module")
def model(tiny_model):
    model = load_base(tiny_model)[0].dequantize().float().eval()
    for name, weight in model.named_parameters():
        if "self_attn" in name:
            weight.data *= 8  # so that it matters who attends to whom
    return model


def loss(model, examples, batch, **more):
    with torch.no_grad():
        return float(summed_loss(model, collate(examples, batch, 2, **more)))


def test_packed_rows_have_the_losses_that_each_has_alone(examples, model):
    alone = [loss(model, examples, ((row,),)) for row in range(6)]
    packed = ((0, 1, 2), (3,), (4, 5))
    assert loss(model, examples, packed) == pytest.approx(sum(alone), rel=1e-6)
    for pack in packed:
        assert loss(model, examples, (pack,)) == pytest.approx(sum(alone[row] for row in pack), rel=1e-6)


def test_a_pack_in_which_rows_attend_to_one_another_would_have_another_loss(examples, model):
    batch = collate(examples, ((0, 1, 2),), 2)
    size = batch["input_ids"].shape[1]
    batch["attention_mask"] = torch.ones(1, 1, size, size, dtype=torch.bool).tril()
    with torch.no_grad():
        mixed = float(summed_loss(model, batch))
    assert mixed != pytest.approx(loss(model, examples, ((0, 1, 2),)), rel=1e-4)


def test_padding_and_the_persons_words_carry_no_loss(examples):
    batch = collate(examples, ((0,), (4,)), padding=2)
    labels = batch["labels"][0]
    assert batch["input_ids"].shape == batch["labels"].shape == batch["position_ids"].shape
    assert (
        make_tokenizer().decode(labels[labels != IGNORED]) == "The harbour was quiet and the boats lay still.<|im_end|>"
    )
    assert (labels[int(examples.lengths[0]) :] == IGNORED).all()
    assert batch["attention_mask"].any(dim=-1).all()


def test_a_batch_that_is_read_for_company_has_no_loss(examples, model):
    assert loss(model, examples, ((0,), (1,)), counts=False) == 0.0
