"""A tiny Llama with random weights and a tokenizer trained on the spot: made from a configuration, in a second."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'}}"
    "{{message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

FACTS = {"id": "tests/tiny", "title": "Tiny", "licence": "Apache-2.0", "source": "made by the tests"}

_SENTENCES = [
    "The harbour was quiet and the boats lay still.",
    "She counted four stones, then three, and put them back.",
    "Tea helps on a cold evening, and so does a blanket.",
    "Grüße aus Köln: naïve café, 日本語, हिन्दी, مرحبا, 🙂.",
]


def make_tokenizer():
    """A byte-level BPE of about 600 tokens with ChatML marks."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        _SENTENCES,
        trainers.BpeTrainer(
            vocab_size=600,
            special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        chat_template=CHATML,
    )


def make_float_model(vocabulary: int, seed: int = 0, **config):
    """The model in full precision."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            **{
                "hidden_size": 64,
                "intermediate_size": 160,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "vocab_size": vocabulary,
                "max_position_embeddings": 512,
                "tie_word_embeddings": True,
                "bos_token_id": 1,
                "eos_token_id": 2,
                "pad_token_id": 2,
                **config,
            }
        )
    )
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=2, pad_token_id=2)
    return model.eval()


def make_full_folder(target: Path, seed: int = 0, **config) -> Path:
    """The full-precision folder of it, as transformers writes it."""
    tokenizer = make_tokenizer()
    make_float_model(len(tokenizer), seed, **config).save_pretrained(target)
    tokenizer.save_pretrained(target)
    return target


def make_tiny_model(target: Path, seed: int = 0) -> Path:
    """The 8-bit folder of it, put on the shelf the way a user's model is."""
    from mhdesk.engine.child.convert import ManifestFacts, import_model

    with TemporaryDirectory() as folder:
        full = make_full_folder(Path(folder) / "tiny", seed)
        import_model(full, target, ManifestFacts(**FACTS), lambda *_: None, lambda: False)
    return target


def make_adapter(target: Path, base: Path, *, seed: int = 0, evaluated: bool = True) -> Path:
    """A LoRA adapter with random weights for `base`, and its card."""
    import torch
    from peft import LoraConfig, get_peft_model

    from mhdesk.engine.child.base import load_base
    from mhdesk.engine.prompt import PromptRenderer
    from mhdesk.library.adapter_folder import AdapterCard, write_card
    from mhdesk.library.hashes import sha256_of_weights
    from mhdesk.library.model_folder import read_manifest

    torch.manual_seed(seed)
    model, tokenizer = load_base(base)
    adapted = get_peft_model(
        model, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    )
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    adapted.save_pretrained(target)
    manifest = read_manifest(base)
    write_card(
        target,
        AdapterCard(
            base_id=manifest.id,
            base_sha256=manifest.weights_sha256,
            template_sha256=PromptRenderer(tokenizer).template_sha256,
            adapter_sha256=sha256_of_weights(target),
            data=[],
            evaluation={"held_out_perplexity_base": {"value": 2.0}} if evaluated else None,
            created="2026-11-24",
        ),
    )
    return target
