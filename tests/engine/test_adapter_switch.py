"""An adapter put beside a loaded base and taken away again: with the tiny model, and with what people get."""

import logging

import pytest
import torch
from peft import PeftModel

from mhdesk.core.errors import AdapterUnusable, EngineError
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.int8_linear import BITSANDBYTES, INT8PACK, speed_up
from mhdesk.engine.child.llama import LlamaBackend
from mhdesk.engine.protocol import Started, Token
from tests.conftest import STARTER
from tests.tiny_model import make_adapter

TALK = [Message(Role.SYSTEM, "Be kind."), Message(Role.USER, "The harbour was quiet.")]
TWENTY = Sampling(seed=3, max_new_tokens=20, min_new_tokens=20)
WORDS = "I had a long day at work and I feel tired. Tea helps on a cold evening, and so does a quiet talk."
TOKENS = torch.arange(5, 69)[None]


def silent(sentence, fraction):
    pass


def loaded(model, adapter=None) -> LlamaBackend:
    backend = LlamaBackend()
    backend.load(model, adapter, 1, silent)
    return backend


@torch.inference_mode()
def logits(model, tokens=TOKENS):
    return model(tokens).logits.clone()


def reply(backend):
    steps = list(backend.generate(TALK, TWENTY, lambda: False))
    return "".join(step.text for step in steps if isinstance(step, Token))


def layers(model):
    """Which object, of which class, with which numbers where in memory, each part of `model` is."""
    return {
        name: (id(part), type(part), [(key, value.data_ptr(), value.dtype) for key, value in numbers(part)])
        for name, part in model.named_modules()
    }


def numbers(part):
    return [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]


def damaged(adapter):
    """The same adapter, whose configuration says another rank than its weights have: PEFT finds out half-way."""
    text = (adapter / "adapter_config.json").read_text()
    assert '"r": 4' in text
    (adapter / "adapter_config.json").write_text(text.replace('"r": 4', '"r": 8'))
    return adapter


@pytest.fixture(scope="module")
def tiny_pair(tiny_model, tmp_path_factory):
    return tiny_model, make_adapter(tmp_path_factory.mktemp("adapters") / "tiny", tiny_model)


@pytest.fixture(scope="module")
def starter_pair(starter_home):
    return starter_home / "models" / STARTER, starter_home / "adapters" / "starter"


@pytest.fixture(scope="module", params=["tiny_pair", pytest.param("starter_pair", marks=pytest.mark.starter)])
def pair(request):
    return request.getfixturevalue(request.param)


def test_an_adapter_put_on_is_that_of_a_fresh_load_and_without_it_the_base_is_exactly_the_base(pair):
    model, adapter = pair
    backend = loaded(model)
    base = logits(backend._model)
    fresh = logits(loaded(model, adapter)._model)
    assert not torch.equal(base, fresh)
    for _ in range(2):
        backend.use_adapter(adapter, silent)
        assert torch.equal(logits(backend._model), fresh)
        backend.use_adapter(None, silent)
        assert torch.equal(logits(backend._model), base)


def test_the_base_stays_where_it_is_in_memory(pair):
    model, adapter = pair
    backend = loaded(model)
    before = layers(backend._base)
    backend.use_adapter(adapter, silent)
    beside = backend._base.model.layers[0].self_attn.q_proj.base_layer
    assert id(beside) == before["model.layers.0.self_attn.q_proj"][0]
    backend.use_adapter(None, silent)
    assert layers(backend._base) == before
    assert not hasattr(backend._base, "peft_config")


def test_the_same_seed_gives_other_words_with_the_adapter_and_the_old_ones_without(pair):
    model, adapter = pair
    backend = loaded(model)
    base = reply(backend)
    assert backend.use_adapter(adapter, silent).adapter == adapter.name
    assert reply(backend) != base
    assert backend.use_adapter(None, silent).adapter is None
    assert reply(backend) == base


def by_peft_alone(model, adapter, kernel, dtype):
    """What PEFT makes of transformers' 8-bit model by itself, its adapter in `dtype`."""
    base, _ = load_base(model)
    speed_up(base, kernel)
    adapted = PeftModel.from_pretrained(base, str(adapter)).eval()
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.to(dtype)
    return adapted


def divergence(of, from_):
    """Mean Kullback-Leibler divergence over the positions, in nats."""
    p, q = from_.float().log_softmax(-1), of.float().log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1).mean()


@pytest.mark.parametrize("kernel", [BITSANDBYTES, INT8PACK])
def test_logits_equal_those_of_peft_alone(pair, kernel, caplog):
    caplog.set_level(logging.ERROR, "bitsandbytes")  # it tells of a cast at every call
    model, adapter = pair
    backend = LlamaBackend()
    backend.kernel = kernel
    backend.load(model, None, 1, silent)
    tokens = backend._tokenizer(WORDS, return_tensors="pt").input_ids
    base = logits(backend._model, tokens)
    backend.use_adapter(adapter, silent)
    ours = logits(backend._model, tokens)
    assert torch.equal(ours, logits(by_peft_alone(model, adapter, kernel, torch.bfloat16), tokens))
    finer = logits(by_peft_alone(model, adapter, kernel, torch.float32), tokens)
    assert divergence(ours, finer) < 0.25 * divergence(base, finer)


def test_one_adapter_after_another_leaves_nothing_of_the_first(tiny_pair, tmp_path):
    model, adapter = tiny_pair
    other = make_adapter(tmp_path / "other", model, seed=9)
    backend = loaded(model, adapter)
    backend.use_adapter(other, silent)
    assert torch.equal(logits(backend._model), logits(loaded(model, other)._model))


def test_what_was_read_with_another_adapter_is_read_again(tiny_pair):
    model, adapter = tiny_pair
    backend = loaded(model)
    reply(backend)
    backend.use_adapter(adapter, silent)
    (started, *_) = backend.generate(TALK, TWENTY, lambda: False)
    assert isinstance(started, Started)
    assert started.reused_tokens == 0


def test_an_adapter_that_peft_refuses_half_way_leaves_the_base_alone_and_whole(tiny_pair, tmp_path):
    model, adapter = tiny_pair
    backend = loaded(model)
    base, before = logits(backend._model), layers(backend._base)
    backend.use_adapter(adapter, silent)
    with pytest.raises(AdapterUnusable, match="does not fit this model or is damaged"):
        backend.use_adapter(damaged(make_adapter(tmp_path / "damaged", model)), silent)
    assert layers(backend._base) == before
    assert torch.equal(logits(backend._model), base)
    backend.use_adapter(adapter, silent)
    assert not torch.equal(logits(backend._model), base)


def test_an_adapter_that_is_no_plain_lora_is_refused_before_peft_sees_it(tiny_pair, tmp_path):
    model, adapter = tiny_pair
    backend = loaded(model, adapter)
    with pytest.raises(AdapterUnusable, match="no adapter called nowhere"):
        backend.use_adapter(tmp_path / "nowhere", silent)
    assert torch.equal(logits(backend._model), logits(loaded(model)._model))


def test_an_adapter_before_any_model_is_a_sentence(tiny_pair):
    with pytest.raises(EngineError, match="wait until the engine is ready"):
        LlamaBackend().use_adapter(tiny_pair[1], silent)


def test_a_window_asked_for_is_taken_if_it_is_smaller(tiny_model):
    backend = LlamaBackend()
    assert backend.load(tiny_model, None, 1, silent, 128).context_tokens == 128
    assert backend.load(tiny_model, None, 1, silent, 100_000).context_tokens == 512
