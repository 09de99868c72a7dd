"""The tokenizer's files of a model that somebody else made, checked before the tokenizer library reads them.

What the library would then do with them (a pattern that never ends, say) only a trial in a child process can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mhdesk.library.json_file import BadJsonFile, read_json_object

TOKENIZER = "tokenizer.json"
MAX_PATTERN = 4000
MAX_PATTERNS = 50
_MAX_FIXED_LENGTH = 2**20
_MAX_CONFIGURATION_BYTES = 16 * 2**20
_MODELS = ("BPE", "Unigram", "WordPiece", "WordLevel")
_SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")
_SPECIAL_IDS = ("bos_token_id", "eos_token_id", "unk_token_id", "pad_token_id", "decoder_start_token_id")
_CLASS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


class BadTokenizer(ValueError):
    """The tokenizer is refused. The message completes the sentence "… cannot be used: …"."""


def check_tokenizer(folder: Path, vocabulary: int) -> None:
    """Refuse a tokenizer that gives ids outside a model's `vocabulary`, or asks for what we never do.

    Raises:
        BadTokenizer: with the reason.
    """
    if not (folder / TOKENIZER).exists() and (folder / "tokenizer.model").exists():
        raise BadTokenizer("it has no tokenizer.json, only the older tokenizer.model, which MHDesk does not read")
    tokenizer = _read(folder / TOKENIZER)
    texts = _check_ids(tokenizer, vocabulary)
    _check_post_processor(tokenizer.get("post_processor"), vocabulary)
    _check_fixed_lengths(tokenizer)
    _check_patterns(tokenizer)
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        if (folder / name).exists():
            _check_special_ids(name, _read(folder / name), vocabulary)
    if (folder / "added_tokens.json").exists():
        added = _read(folder / "added_tokens.json")
        _check_range("added_tokens.json", added.values(), vocabulary)
        texts |= added.keys()
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (folder / name).exists():
            _check_configuration(name, _read(folder / name), texts, vocabulary)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.name == TOKENIZER:
            return read_json_object(path)
        return read_json_object(path, largest_bytes=_MAX_CONFIGURATION_BYTES)
    except BadJsonFile as error:
        raise BadTokenizer(str(error)) from None


def _check_ids(tokenizer: Mapping[str, Any], vocabulary: int) -> set[str]:
    """The texts of all tokens, whose ids are inside the vocabulary."""
    model = tokenizer.get("model")
    if not isinstance(model, dict) or model.get("type", "BPE") not in _MODELS:
        raise BadTokenizer(f"its {TOKENIZER} is of a kind that MHDesk does not know")
    entries = model.get("vocab")
    if model.get("type") == "Unigram":
        texts, ids = _unigram_tokens(entries)
        if model.get("unk_id") is not None:
            ids = [*ids, model["unk_id"]]
    elif isinstance(entries, dict):
        texts, ids = set(entries), list(entries.values())
    else:
        raise BadTokenizer(f"its {TOKENIZER} holds no vocabulary")
    if not texts:
        raise BadTokenizer(f"its {TOKENIZER} holds no vocabulary")
    added = tokenizer.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(t, dict) and isinstance(t.get("content"), str) for t in added):
        raise BadTokenizer(f"the added tokens of its {TOKENIZER} are malformed")
    _check_range(TOKENIZER, [*ids, *(token.get("id") for token in added)], vocabulary)
    return texts | {token["content"] for token in added}


def _unigram_tokens(entries: Any) -> tuple[set[str], list[Any]]:
    pairs = isinstance(entries, list) and all(
        isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and _is_number(entry[1])
        for entry in entries
    )
    if not pairs:
        raise BadTokenizer(f"its {TOKENIZER} holds no vocabulary")
    return {entry[0] for entry in entries}, list(range(len(entries)))


def _check_range(name: str, ids: Any, vocabulary: int) -> None:
    if not all(type(value) is int and 0 <= value < vocabulary for value in ids):
        raise BadTokenizer(f"its {name} gives a token that the model's vocabulary of {vocabulary} does not have")


def _check_post_processor(post_processor: Any, vocabulary: int) -> None:
    """The ids that are put around every text."""
    for key, value in _pairs_within(post_processor):
        if key == "ids":
            _check_range(TOKENIZER, value if isinstance(value, list) else [value], vocabulary)
        elif key in ("sep", "cls") and isinstance(value, list):
            _check_range(TOKENIZER, value[1:], vocabulary)


def _check_fixed_lengths(tokenizer: Mapping[str, Any]) -> None:
    """A length that every text is filled up to could ask for more memory than there is."""
    for key, value in _pairs_within(tokenizer.get("padding")):
        if key not in ("Fixed", "pad_to_multiple_of") or value is None:
            continue
        if type(value) is not int or not 0 <= value <= _MAX_FIXED_LENGTH:
            raise BadTokenizer(f"its {TOKENIZER} fills texts up to an impossible length")


def _check_patterns(tokenizer: Mapping[str, Any]) -> None:
    patterns = [
        value
        for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder")
        for key, value in _pairs_within(tokenizer.get(part))
        if key == "Regex"
    ]
    if len(patterns) > MAX_PATTERNS:
        raise BadTokenizer(f"its {TOKENIZER} splits words by more than {MAX_PATTERNS} patterns")
    if not all(isinstance(pattern, str) and len(pattern) <= MAX_PATTERN for pattern in patterns):
        raise BadTokenizer(f"its {TOKENIZER} splits words by a pattern longer than {MAX_PATTERN} signs")


def _check_special_ids(name: str, configuration: Mapping[str, Any], vocabulary: int) -> None:
    for key in _SPECIAL_IDS:
        value = configuration.get(key)
        ids = value if isinstance(value, list) else [] if value is None else [value]
        if not all(type(number) is int and 0 <= number < vocabulary for number in ids):
            raise BadTokenizer(f"its {name} gives a {key} that the model's vocabulary of {vocabulary} does not have")


def _check_configuration(name: str, configuration: Mapping[str, Any], texts: set[str], vocabulary: int) -> None:
    if "auto_map" in configuration:
        raise BadTokenizer(f"its {name} asks for code of its own (auto_map), which MHDesk never runs")
    for key in ("tokenizer_class", "processor_class"):
        value = configuration.get(key)
        if value is not None and not (isinstance(value, str) and _CLASS_NAME.fullmatch(value)):
            raise BadTokenizer(f"its {name} gives a strange {key}")
    decoder = configuration.get("added_tokens_decoder") or {}
    if not isinstance(decoder, dict) or not all(key.isdecimal() and len(key) < 20 for key in decoder):
        raise BadTokenizer(f"the added tokens of its {name} are malformed")
    _check_range(name, [int(key) for key in decoder], vocabulary)
    texts |= {text for text in map(_text_of, decoder.values()) if text is not None}
    for value in _special_tokens(configuration):
        text = _text_of(value)
        if text is None:
            raise BadTokenizer(f"the special tokens of its {name} are malformed")
        if text not in texts:
            raise BadTokenizer(f"its {name} names the special token {text!a:.60}, which its {TOKENIZER} does not have")


def _special_tokens(configuration: Mapping[str, Any]) -> Iterator[Any]:
    for key in _SPECIAL:
        if configuration.get(key) is not None:
            yield configuration[key]
    for key in ("additional_special_tokens", "extra_special_tokens"):
        more = configuration.get(key) or []
        if not isinstance(more, list | dict):
            yield None
        yield from more.values() if isinstance(more, dict) else more


def _text_of(token: Any) -> str | None:
    """A token's text, which stands by itself or in an object with how it is matched."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None


def _pairs_within(value: Any) -> Iterator[tuple[str, Any]]:
    """All keys and values of the objects in a JSON value, however deep."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield from part.items()
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
