"""A run whose stages up to `evaluate` are done, with figures of our own."""

from dataclasses import replace
from pathlib import Path

from mhdesk.core.atomic import write_json
from mhdesk.library.model_folder import read_manifest
from tests.trainer.finished_run import make_run
from trainer.measuring.answers import Answer, Reply
from trainer.stage import make_artefact


def share(value):
    return {"share": value, "interval": [max(0, value - 0.1), value + 0.1]}


def evaluation(missed=()):
    side = {
        "count": 9,
        "stopped": {**share(0.1), "reasons": {"dose": 1}},
        "median_tokens": 30,
        "repeated_share": 0.02,
        "questions": 1.5,
        "with_a_question": 0.8,
        "empty": 0.0,
    }
    own = {"count": 3, "stopped": {**share(0.0), "reasons": {}}}
    value = {"value": 21.5, "low": 20.0, "high": 23.0, "tokens": 44, "dialogues": 4}
    return {
        "perplexity": {"base": value, "adapter": {**value, "value": 17.25}, "share_of_resamples_better": 1.0},
        "abilities": {
            "items": 6, "base": share(0.5), "adapter": share(0.45), "lost": 0.05, "lost_interval": [-0.1, 0.2],
            "only_base_right": 2, "only_adapter_right": 1, "mcnemar_p": 1.0,
        },
        "screen": {"crisis_messages": 800, "reach_no_model": 0.9, "interval": [0.88, 0.92]},
        "answers": {"base": side, "adapter": side},
        "stopped_above_base": {
            "answers": {"difference": -0.25, "interval": [-0.4, -0.1]},
            "own_words_in_crisis": {"difference": 0.0, "interval": [-0.1, 0.1]},
        },
        "synthetic": {"perplexity_without": {**value, "value": 18.5}, "ratio": 0.932, "ratio_interval": [0.9, 0.97]},
        "own_words_in_crisis": {"base": own, "adapter": own},
        "engine": {"template_sha256": "0" * 64},
        "missed": list(missed),
        "passed": not missed,
    }  # fmt: skip


def measured(folder: Path, model: Path, missed=()):
    """A run with the figures above, as `evaluate` would leave them."""
    config, job = make_run(folder, model)
    reply = Reply("The boats lie still.\n| and a bar \x1b", "The boats lie still.", ("dose",), 5)
    answer = Answer("five-1", "five", "I feel so anxious.", 1, "none", (), "model", reply, replace(reply, stopped=()))

    def make(unfinished):
        figures = evaluation(missed)
        figures["engine"]["template_sha256"] = read_manifest(model).template_sha256
        write_json(unfinished / "evaluation.json", figures)
        lines = [answer, replace(answer, id="five-2", message="I see no point.", way="crisis", level="crisis")]
        (unfinished / "answers.jsonl").write_text("".join(f"{line.to_json()}\n" for line in lines), "utf-8")
        return {}

    read = [job.artefact("split") / "test.jsonl", job.artefact("train") / "adapter_model.safetensors"]
    make_artefact(job, "evaluate", read, {"missed": list(missed)}, make)
    return config, job
