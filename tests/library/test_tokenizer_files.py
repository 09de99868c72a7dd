import json
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from mhdesk.library.tokenizer_files import BadTokenizer, check_tokenizer

VOCAB = {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4}


def write(path: Path, value) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A tokenizer as the library writes it, with a pattern, a template and a special token."""
    tokenizer = Tokenizer(models.BPE(vocab=VOCAB, merges=[("a", "b")]))
    tokenizer.add_special_tokens(["<s>", "<pad>"])
    tokenizer.normalizer = normalizers.Replace("x", "y")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\s+"), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    write(tmp_path / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>"})
    write(tmp_path / "config.json", {"bos_token_id": 0, "eos_token_id": [1, 5], "pad_token_id": None})
    return tmp_path


def edit(path, change):
    value = json.loads(path.read_text())
    change(value)
    write(path, value)


def refuse(folder, reason, vocabulary=6):
    with pytest.raises(BadTokenizer, match=reason):
        check_tokenizer(folder, vocabulary)


@pytest.mark.parametrize("vocabulary", [6, 8])
def test_what_the_library_wrote_is_accepted_if_the_model_has_as_many_tokens(folder, vocabulary):
    check_tokenizer(folder, vocabulary)


def test_more_tokens_than_the_model_has_are_refused_with_the_number(folder):
    refuse(folder, r"tokenizer\.json gives a token that the model's vocabulary of 5 does not have", 5)


def test_a_unigram_model_is_read(folder):
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0), ("<s>", -2.0)], unk_id=0))
    tokenizer.save(str(folder / "tokenizer.json"))
    check_tokenizer(folder, 6)
    refuse(folder, "vocabulary of 2", 2)
    edit(folder / "tokenizer.json", lambda t: t["model"].update(unk_id=6))
    refuse(folder, "vocabulary of 6")


def test_the_tiny_models_tokenizer_is_accepted(tiny_model):
    config = json.loads((tiny_model / "config.json").read_text())
    check_tokenizer(tiny_model, config["vocab_size"])


def test_an_older_tokenizer_alone_is_named(folder):
    (folder / "tokenizer.json").unlink()
    refuse(folder, r"tokenizer\.json is missing or damaged")
    (folder / "tokenizer.model").write_bytes(b"\n")
    refuse(folder, r"has no tokenizer\.json, only the older tokenizer\.model")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.pop("model"), "kind that MHDesk does not know"),
        (lambda t: t["model"].update(type="Script"), "kind that MHDesk does not know"),
        (lambda t: t["model"].update(type=["BPE"]), "kind that MHDesk does not know"),
        (lambda t: t["model"].pop("vocab"), "no vocabulary"),
        (lambda t: t["model"].update(vocab={}), "no vocabulary"),
        (lambda t: t["model"].update(vocab=[["a", 0.0]]), "no vocabulary"),
        (lambda t: t["model"].update(type="Unigram"), "no vocabulary"),
        (lambda t: t["model"].update(type="Unigram", vocab=[["a"]]), "no vocabulary"),
        (lambda t: t["model"]["vocab"].update(a=-1), "vocabulary of 6"),
        (lambda t: t["model"]["vocab"].update(a=6), "vocabulary of 6"),
        (lambda t: t["model"]["vocab"].update(a=1.0), "vocabulary of 6"),
        (lambda t: t["model"]["vocab"].update(a=True), "vocabulary of 6"),
        (lambda t: t["model"]["vocab"].update(a="2"), "vocabulary of 6"),
        (lambda t: t["added_tokens"][0].update(id=2**31), "vocabulary of 6"),
        (lambda t: t["added_tokens"][0].pop("id"), "vocabulary of 6"),
        (lambda t: t["added_tokens"][0].pop("content"), "added tokens of its tokenizer.json are malformed"),
        (lambda t: t.update(added_tokens={"a": 1}), "added tokens of its tokenizer.json are malformed"),
        (lambda t: t["post_processor"]["special_tokens"]["<s>"].update(ids=[9]), "vocabulary of 6"),
        (lambda t: t["post_processor"]["special_tokens"]["<s>"].update(ids="0"), "vocabulary of 6"),
        (lambda t: t.update(post_processor={"type": "BertProcessing", "sep": ["x", 77]}), "vocabulary of 6"),
        (lambda t: t.update(padding={"strategy": {"Fixed": 10**12}}), "impossible length"),
        (lambda t: t.update(padding={"pad_to_multiple_of": -1}), "impossible length"),
        (lambda t: t["pre_tokenizer"]["pattern"].update(Regex="(a+)+" * 801), "longer than 4000 signs"),
        (lambda t: t["pre_tokenizer"]["pattern"].update(Regex=5), "longer than 4000 signs"),
        (lambda t: t.update(normalizer=[{"pattern": {"Regex": "a"}}] * 50), "more than 50 patterns"),
    ],
)
def test_a_tokenizer_that_could_harm_is_refused_with_the_reason(folder, change, reason):
    edit(folder / "tokenizer.json", change)
    refuse(folder, reason)


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("key", ["bos_token_id", "eos_token_id", "pad_token_id"])
@pytest.mark.parametrize("value", [6, -1, 1.0, "1", True, [0, 6], [[0]], {"a": 0}])
def test_a_special_id_outside_the_vocabulary_is_refused_and_named(folder, name, key, value):
    write(folder / name, {key: value})
    refuse(folder, f"{name} gives a {key} that the model's vocabulary of 6")


@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json"])
@pytest.mark.parametrize("key", ["bos_token", "eos_token", "pad_token", "unk_token"])
@pytest.mark.parametrize("token", ["<new>", {"content": "<new>", "lstrip": False}])
def test_a_special_token_that_the_tokenizer_does_not_have_is_refused(folder, name, key, token):
    write(folder / name, {key: token})
    refuse(folder, "names the special token '<new>'")
    write(folder / name, {key: "<s>"})
    check_tokenizer(folder, 6)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"auto_map": {"AutoTokenizer": ["x.Y", None]}}, "asks for code"),
        ({"tokenizer_class": "../evil"}, "strange tokenizer_class"),
        ({"tokenizer_class": ["Llama"]}, "strange tokenizer_class"),
        ({"eos_token": 5}, "special tokens .* malformed"),
        ({"eos_token": {"text": "a"}}, "special tokens .* malformed"),
        ({"additional_special_tokens": ["<s>", "<more>"]}, "'<more>'"),
        ({"extra_special_tokens": {"image": "<image>"}}, "'<image>'"),
        ({"extra_special_tokens": "<s>"}, "special tokens .* malformed"),
        ({"added_tokens_decoder": {"6": {"content": "<x>"}}}, "vocabulary of 6"),
        ({"added_tokens_decoder": {"x": {"content": "<x>"}}}, "added tokens .* malformed"),
        ({"added_tokens_decoder": [1]}, "added tokens .* malformed"),
    ],
)
def test_a_configuration_that_asks_for_more_is_refused(folder, configuration, reason):
    write(folder / "tokenizer_config.json", configuration)
    refuse(folder, reason)


def test_a_special_token_may_be_defined_beside_the_tokenizer(folder):
    token = {"content": "<more>"}
    write(folder / "tokenizer_config.json", {"added_tokens_decoder": {"5": token}, "eos_token": token})
    check_tokenizer(folder, 6)
    write(folder / "tokenizer_config.json", {"eos_token": token})
    write(folder / "added_tokens.json", {"<more>": 5})
    check_tokenizer(folder, 6)
    write(folder / "added_tokens.json", {"<more>": 6})
    refuse(folder, r"added_tokens\.json gives a token")


def test_a_damaged_configuration_is_named(folder):
    (folder / "tokenizer_config.json").write_text("[]")
    refuse(folder, r"tokenizer_config\.json is not what it should be")
