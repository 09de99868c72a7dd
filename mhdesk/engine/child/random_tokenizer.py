"""A byte-level BPE with a vocabulary of any size, for models of random weights: few real tokens, the rest filler."""

from __future__ import annotations

import json

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

UNKNOWN, BEGIN, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
"""The marks, which have the ids 0, 1 and 2."""

LEAST_VOCABULARY = 3 + 256
"""The marks and one token for every byte."""

PRE_TOKENIZER = "gpt-2"
"""How GGUF files name the way in which words are split here."""

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
"""ChatML."""

_TRAINED_VOCABULARY = 600
_SENTENCES = (
    "The river was low that summer, and the children walked across it on the stones.",
    "You could tell me more about that, and we can think about what would help you now.",
    "There is no hurry. When something is heavy, it may be easier with another person.",
    "Wir gehen später über die Brücke; das Gemüse für morgen ist schon gewaschen.",
)


def make_filled_tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """A tokenizer of exactly `vocabulary` ids, at least `LEAST_VOCABULARY`.

    Filler tokens are reached by no merge, so no text is ever encoded to one, while a model may well draw one.
    """
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.train_from_iterator(
        _SENTENCES,
        trainers.BpeTrainer(
            vocab_size=min(vocabulary, _TRAINED_VOCABULARY),
            special_tokens=[UNKNOWN, BEGIN, END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    ids = trained.get_vocab()
    merges = merges_of(trained)
    ids.update({f"filler{number:04d}": number for number in range(len(ids), vocabulary)})
    filled = Tokenizer(models.BPE(vocab=ids, merges=merges))
    filled.pre_tokenizer = trained.pre_tokenizer
    filled.decoder = decoders.ByteLevel()
    filled.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in (UNKNOWN, BEGIN, END)])
    return PreTrainedTokenizerFast(
        tokenizer_object=filled,
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=END,
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )


def merges_of(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    """The pairs that a BPE joins, first to last."""
    return [(first, second) for first, second in json.loads(tokenizer.to_str())["model"]["merges"]]
