"""The real backend on a tiny model with random weights."""

import itertools
import shutil

import pytest
import torch

from mhdesk.core.errors import EngineError, ModelUnusable
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from mhdesk.engine.child.adapter import load_adapter
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.llama import LlamaBackend
from mhdesk.engine.protocol import Ended, Progress, Started, Token
from tests.tiny_model import make_adapter

TALK = [Message(Role.SYSTEM, "Be kind."), Message(Role.USER, "The harbour was quiet.")]
TWENTY = Sampling(seed=3, max_new_tokens=20, min_new_tokens=20)


def silent(sentence, fraction):
    pass


def loaded(model, adapter=None) -> LlamaBackend:
    backend = LlamaBackend()
    backend.load(model, adapter, 1, silent)
    return backend


def reply(backend, messages=TALK, sampling=TWENTY, should_stop=lambda: False):
    steps = list(backend.generate(messages, sampling, should_stop))
    return "".join(step.text for step in steps if isinstance(step, Token)), steps


@pytest.fixture(scope="module")
def backend(tiny_model):
    return loaded(tiny_model)


def test_loading_says_what_stands_ready(tiny_model):
    said = []
    ready = LlamaBackend().load(tiny_model, None, 1, lambda sentence, fraction: said.append(fraction))
    assert (ready.model, ready.adapter, ready.context_tokens, ready.threads) == ("tiny", None, 512, 1)
    assert len(ready.template_sha256) == 64
    assert said == sorted(said)


def test_the_steps_come_in_order_and_count_their_tokens(backend):
    _, steps = reply(backend)
    kinds = [kind for kind, _ in itertools.groupby(type(step) for step in steps)]
    assert kinds[:2] == [Started, Progress]
    assert kinds[-1] is Ended
    assert steps[-1].new_tokens == 20
    assert not steps[-1].stopped


def test_the_same_seed_gives_the_same_words_and_another_seed_others(backend):
    first, again = reply(backend)[0], reply(backend)[0]
    other = reply(backend, sampling=Sampling(seed=4, max_new_tokens=20, min_new_tokens=20))[0]
    assert first == again
    assert first != other


def test_temperature_zero_is_the_likeliest_token_whatever_the_seed(backend):
    replies = {
        reply(backend, sampling=Sampling(temperature=0, seed=seed, max_new_tokens=12, min_new_tokens=12))[0]
        for seed in (1, 2)
    }
    assert len(replies) == 1


@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_reply_stops_at_any_token(backend, after):
    drawn = itertools.count()
    _, steps = reply(backend, should_stop=lambda: next(drawn) > after)
    assert steps[-1].stopped
    assert steps[-1].new_tokens == after


def test_what_a_stopped_reply_left_in_the_cache_does_not_change_the_next_one(tiny_model):
    undisturbed = reply(loaded(tiny_model))[0]
    disturbed = loaded(tiny_model)
    drawn = itertools.count()
    reply(disturbed, should_stop=lambda: next(drawn) > 5)
    reply(disturbed, [TALK[0], Message(Role.USER, "Something else.")])
    assert reply(disturbed)[0] == undisturbed


def test_a_longer_conversation_reads_only_what_is_new(backend):
    text, _ = reply(backend)
    _, steps = reply(backend, [*TALK, Message(Role.ASSISTANT, text), Message(Role.USER, "And then?")])
    assert steps[0].reused_tokens >= 20
    _, again = reply(backend, [*TALK, Message(Role.ASSISTANT, text), Message(Role.USER, "And then?")])
    assert again[0].reused_tokens == again[0].prompt_tokens - 1


def test_no_piece_holds_half_a_character(backend):
    sampling = Sampling(temperature=2.0, top_p=1.0, top_k=0, seed=1, max_new_tokens=300, min_new_tokens=300)
    _, steps = reply(backend, sampling=sampling)
    pieces = [step.text for step in steps if isinstance(step, Token)]
    assert len(pieces) > 20
    for piece in pieces:
        piece.encode("utf-8")


def test_turns_that_do_not_fit_leave_the_window(backend):
    talk = [TALK[0]]
    for number in range(40):
        talk += [Message(Role.USER, f"stone {number}"), Message(Role.ASSISTANT, "yes")]
    _, steps = reply(backend, [*talk, Message(Role.USER, "the last stone")])
    assert steps[0].first_kept_turn > 0
    assert steps[0].prompt_tokens <= 512 - 20


def test_a_reply_longer_than_the_window_is_refused_with_the_setting_named(backend):
    with pytest.raises(EngineError, match="max_new_tokens"):
        reply(backend, sampling=Sampling(max_new_tokens=512))


def test_an_adapter_changes_the_words_and_none_is_the_base_exactly(tiny_model, tmp_path):
    adapter = make_adapter(tmp_path / "adapter", tiny_model)
    base = reply(loaded(tiny_model))[0]
    assert reply(loaded(tiny_model, adapter))[0] != base
    assert reply(loaded(tiny_model, None))[0] == base


def test_logits_with_an_adapter_equal_pefts_own_on_dequantised_weights(tiny_model, tmp_path):
    from peft import PeftModel

    adapter = make_adapter(tmp_path / "adapter", tiny_model)
    ours = loaded(tiny_model, adapter)._model
    base, _ = load_base(tiny_model)
    exact = PeftModel.from_pretrained(base.dequantize(torch.float32).float(), str(adapter)).eval().float()
    ids = torch.arange(5, 37)[None]
    with torch.inference_mode():
        difference = (ours(ids).logits.float() - exact(ids).logits).abs().max()
        scale = exact(ids).logits.abs().max()
    assert difference < 0.05 * scale


def test_a_missing_shard_is_named_in_the_refusal(tiny_model, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(tiny_model, folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnusable, match=r"model\.safetensors is missing"):
        loaded(folder)


def test_a_truncated_shard_is_refused(tiny_model, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(tiny_model, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelUnusable, match="damaged"):
        loaded(folder)


def test_an_adapter_of_another_shape_is_left_out_with_a_sentence(tiny_model, tmp_path):
    adapter = make_adapter(tmp_path / "adapter", tiny_model)
    configuration = (adapter / "adapter_config.json").read_text().replace('"r": 4', '"r": 8')
    (adapter / "adapter_config.json").write_text(configuration)
    backend = LlamaBackend()
    ready = backend.load(tiny_model, adapter, 1, silent)
    assert ready.adapter is None
    assert "The model works without it" in ready.warning
    assert reply(backend)[0] == reply(loaded(tiny_model))[0]


def test_generating_before_loading_is_a_sentence():
    with pytest.raises(EngineError, match="wait until the engine is ready"):
        list(LlamaBackend().generate(TALK, TWENTY, lambda: False))


def test_load_adapter_keeps_the_int8_weights_untouched(tiny_model, tmp_path):
    adapter = make_adapter(tmp_path / "adapter", tiny_model)
    model, _ = load_base(tiny_model)
    before = model.model.layers[0].self_attn.q_proj.weight.data.clone()
    adapted = load_adapter(model, adapter)
    after = adapted.base_model.model.model.layers[0].self_attn.q_proj.base_layer.weight.data
    assert after.dtype == torch.int8
    assert adapted.base_model.model.model.layers[0].self_attn.q_proj.lora_A["default"].weight.dtype == torch.bfloat16
    assert torch.equal(before, after)
