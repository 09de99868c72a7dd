"""The known models, held against transformers' own idea of them."""

import pytest

from mhdesk.core.errors import BadInput
from mhdesk.library.admission import memory_needed
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.llama_shape import LINEARS

CATALOGUE = Catalogue.load()
each_model = pytest.mark.parametrize("model", CATALOGUE.models, ids=lambda model: model.name)


@each_model
def test_the_stored_sizes_are_those_of_transformers_model(model):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = {key: value for key, value in model.config.items() if key not in ("model_type", "rope_theta")}
    with torch.device("meta"):
        theirs = LlamaForCausalLM(LlamaConfig(**config))
    assert model.parameters == theirs.num_parameters() == model.shape.parameters
    assert model.full_bytes == 2 * theirs.num_parameters()
    eight_bit = 0
    for name, tensor in theirs.named_parameters():
        if name.removesuffix(".weight").endswith(LINEARS):
            eight_bit += tensor.numel() + 4 * tensor.shape[0] + 1
        else:
            eight_bit += 2 * tensor.numel()
    assert model.eight_bit_bytes == eight_bit == model.shape.eight_bit_bytes


@each_model
def test_the_stored_memory_is_that_of_admissions_formula(model):
    small, large = (memory_needed(model.shape, model.eight_bit_bytes, tokens).total for tokens in (2048, 4096))
    assert (model.memory_2k_bytes, model.memory_4k_bytes) == (small, large)


@each_model
def test_every_model_says_where_it_is_and_under_which_licence(model):
    assert model.licence
    assert model.licence_url.startswith("https://")
    assert model.page == f"https://huggingface.co/{model.id}"
    assert model.name == model.name.lower()
    assert not set(model.name) & set("/\\ ")


def test_no_two_models_share_an_id_or_a_name():
    words = [word.casefold() for model in CATALOGUE.models for word in {model.id, model.name}]
    assert len(words) == len(set(words))


def test_metas_models_are_shown_as_built_with_llama_and_ask_for_a_sign_in():
    metas = {model.name for model in CATALOGUE.models if model.id.startswith("meta-llama/")}
    assert metas == {"llama-3.2-1b-instruct", "llama-3.2-3b-instruct"}
    assert {model.name for model in CATALOGUE.models if model.built_with == "Built with Llama"} == metas
    assert {model.name for model in CATALOGUE.models if model.sign_in} == metas


@each_model
def test_only_a_model_not_trained_to_converse_brings_a_chat_template_of_ours(model):
    assert (model.chat_template is None) == model.instruct


def test_our_template_renders_a_conversation_and_its_beginning_alike():
    import jinja2

    (base,) = [model for model in CATALOGUE.models if not model.instruct]
    template = jinja2.Environment().from_string(base.chat_template)
    talk = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": " I cannot sleep.\n"},
        {"role": "assistant", "content": "That is hard."},
        {"role": "user", "content": "Yes."},
    ]

    def render(messages, reply_follows):
        return template.render(
            messages=messages, add_generation_prompt=reply_follows, bos_token="<s>", eos_token="</s>"
        )

    whole = render(talk, True)
    assert whole == ("<s>Be kind.\n\nUser: I cannot sleep.\nSupporter: That is hard.</s>\nUser: Yes.\nSupporter:")
    assert whole.startswith(render(talk[:2], True))
    assert whole.startswith(render(talk[:3], False))


@pytest.mark.parametrize(
    "word", ["SmolLM2-360M-Instruct", "huggingfacetb/smollm2-360m-instruct", " smollm2-360M-instruct "]
)
def test_a_model_is_found_by_name_or_id_in_any_case(word):
    assert CATALOGUE.find(word).id == "HuggingFaceTB/SmolLM2-360M-Instruct"


def test_an_unknown_name_is_answered_with_what_there_is():
    assert CATALOGUE.known("gpt-5") is None
    with pytest.raises(BadInput, match=r"gpt-5.*smollm2-135m-instruct.*llama-3\.2-3b-instruct"):
        CATALOGUE.find("gpt-5")
