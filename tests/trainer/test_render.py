"""Rows become token ids, and the loss counts on the supporter's words alone."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from transformers import AutoTokenizer

from tests.trainer.split_run import REPLIES, make_run, row, stones
from trainer import render
from trainer.errors import BadConfiguration, BadRows
from trainer.examples import read_examples
from trainer.stage import read_manifest


def rendered(folder, model, **more):
    config, job = make_run(folder, model, **more)
    artefact = render.run(config, job)
    return artefact, read_examples(artefact / "training.safetensors")


def test_the_loss_counts_on_the_supporters_words_and_the_token_that_ends_them(tmp_path, tiny_model):
    _, examples = rendered(tmp_path, tiny_model, training=[row("a", "Stone.", "Tea helps.", "Four stones?", "Boats.")])
    ids, is_target = examples.row(0)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    assert tokenizer.decode(ids[is_target]) == "Tea helps.<|im_end|>Boats.<|im_end|>"
    assert "You are MHDesk" in tokenizer.decode(ids[~is_target])
    assert examples.targets.tolist() == [int(is_target.sum())]


def test_the_oldest_turns_leave_and_a_row_that_still_does_not_fit_is_counted(tmp_path, tiny_model):
    turns = [text for n in range(8) for text in (f"Stone {n}.", REPLIES[0])]
    artefact, examples = rendered(
        tmp_path, tiny_model, max_tokens=400,
        training=[row("long", *turns), row("short", "Tea?", "Tea."), row("no", "x" * 900, "Yes.")],
    )  # fmt: skip
    counts = read_manifest(artefact)["counts"]["training"]
    assert (counts["rows"], counts["shortened"], counts["left_out"]) == (2, 1, 1)
    kept = AutoTokenizer.from_pretrained(tiny_model).decode(examples.row(0)[0])
    assert "Stone 7." in kept
    assert "Stone 0." not in kept
    assert max(examples.lengths) <= 400


def test_no_row_is_longer_than_the_base_can_read_whatever_the_settings_allow(tmp_path, tiny_model):
    turns = [text for n in range(20) for text in (f"Stone {n}.", REPLIES[0])]
    config, job = make_run(
        tmp_path, tiny_model, max_tokens=4096, training=[row("long", *turns), row("short", "T", "S")]
    )
    told = []
    artefact = render.run(config, replace(job, tell=told.append))
    counts = read_manifest(artefact)["counts"]["training"]
    assert (counts["rows"], counts["shortened"]) == (2, 1)
    assert 400 < counts["length"]["most"] <= 512
    assert "render: the base reads 512 tokens, so rows are cut to these, not to 4096" in told


def test_where_the_base_reads_too_little_for_any_row_that_is_said(tmp_path, tiny_model):
    config, job = make_run(tmp_path, tiny_model, max_tokens=4096, training=[row("no", "x" * 900, "Yes.")])
    with pytest.raises(BadRows, match=r"fits into 512 tokens.* choose a base that reads more"):
        render.run(config, job)


def test_the_manifest_counts_tokens_lengths_and_padding_and_names_base_and_template(tmp_path, tiny_model):
    artefact, examples = rendered(tmp_path, tiny_model)
    manifest = read_manifest(artefact)
    counts = manifest["counts"]["training"]
    assert counts["tokens"] == len(examples.token_ids) == sum(examples.lengths)
    assert counts["target_tokens"] == sum(examples.targets)
    assert counts["length"]["least"] <= counts["length"]["median"] <= counts["length"]["most"] == max(examples.lengths)
    assert 0 < counts["padding_share"] < 0.1
    assert len(manifest["settings"]["base_sha256"]) == len(manifest["settings"]["template_sha256"]) == 64


def test_the_picture_shows_each_token_and_where_the_loss_counts(tmp_path, tiny_model):
    artefact, _ = rendered(
        tmp_path, tiny_model, training=[row("a", "Stone\u202e 1.", "Tea helps.\n日 ف"), *stones(0, 9)]
    )
    picture = (artefact / "picture.txt").read_text(encoding="utf-8")
    first = "".join(line[4:] for line in picture.split("--- ")[1].splitlines()[1:])
    assert picture.count("--- ") == 5
    assert first.startswith("<|im_start|>|s|y|s|t|e|m|⏎|")
    assert first.endswith(
        "<|im_end|>|⏎|<|im_start|>|as|s|i|s|t|a|nt|⏎|[Tea][·helps][.][⏎][▯][▯][·][▯][▯][<|im_end|>]⏎|"
    )
    assert "\u202e" not in picture


def test_equal_rows_give_equal_bytes(tmp_path, tiny_model):
    one, two = (rendered(tmp_path / name, tiny_model)[0] for name in ("one", "two"))
    assert read_manifest(one)["outputs"] == read_manifest(two)["outputs"]


def test_a_template_that_leaves_nothing_to_learn_from_is_an_error_that_names_the_row(tmp_path, tiny_model):
    model = tmp_path / "mute"
    shutil.copytree(tiny_model, model)
    template = "{% for m in messages %}{% if m['role'] != 'assistant' %}{{ m['content'] }}{% endif %}{% endfor %}"
    (model / "chat_template.jinja").write_text(template, encoding="utf-8")
    config, job = make_run(tmp_path / "run", model)
    with pytest.raises(BadRows, match="no word of the supporter to learn from in the row stone-0"):
        render.run(config, job)
    assert not job.artefact("render").exists()


def test_no_row_that_fits_is_a_sentence(tmp_path, tiny_model):
    config, job = make_run(tmp_path, tiny_model, max_tokens=64)
    with pytest.raises(BadRows, match="None of the training rows fits into 64 tokens"):
        render.run(config, job)


def test_a_missing_base_is_a_sentence(tmp_path):
    config, job = make_run(tmp_path, tmp_path / "nowhere")
    with pytest.raises(BadConfiguration, match="neither a folder nor installed"):
        render.run(config, job)


def test_a_damaged_file_of_rendered_rows_is_a_sentence(tmp_path, tiny_model):
    artefact, examples = rendered(tmp_path, tiny_model)
    assert np.array_equal(read_examples(artefact / "training.safetensors").token_ids, examples.token_ids)
    (artefact / "training.safetensors").write_bytes(b"soup")
    with pytest.raises(BadRows, match="run the stage render again"):
        read_examples(artefact / "training.safetensors")
