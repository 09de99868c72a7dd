"""What a model card says of figures and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.measuring.answers import Answer, Reply
from trainer.measuring.markdown import filled, item, row


def figures_told(evaluation: Mapping[str, Any]) -> Iterator[str]:
    """The lines on `evaluation.json`."""
    yield "## What was measured"
    yield ""
    yield filled("Of the 8-bit pair, as the app runs it. In brackets: 95 % intervals.")
    yield ""
    yield row("", "base", "base and adapter")
    yield row("---", "---", "---")
    perplexity = evaluation["perplexity"]
    sides = ("base", "adapter")
    yield row(
        f"perplexity on {perplexity['base']['dialogues']} test rows",
        *(f"{p['value']:.2f} ({p['low']:.2f} to {p['high']:.2f})" for p in (perplexity[side] for side in sides)),
    )
    if abilities := evaluation.get("abilities"):
        yield row(
            f"right answers to {abilities['items']} general questions", *(_share(abilities[side]) for side in sides)
        )
    answers = evaluation["answers"]
    yield row(
        f"answers stopped by the gate, of {answers['base']['count']}",
        *(_share(answers[side]["stopped"]) for side in sides),
    )
    yield row("… for", *(_reasons(answers[side]) for side in sides))
    for name, form, told in (
        ("median_tokens", "{:.0f}", "tokens of an answer, median"),
        ("repeated_share", "{:.1%}", "four-word sequences that stood there before"),
        ("questions", "{:.2f}", "questions asked in an answer"),
        ("with_a_question", "{:.0%}", "answers with a question"),
        ("empty", "{:.0%}", "answers without words"),
    ):
        yield row(told, *(form.format(answers[side][name]) if name in answers[side] else "" for side in sides))
    own = evaluation["own_words_in_crisis"]
    if own["base"]["count"]:
        yield row(
            f"own words in a crisis that the gate would stop, of {own['base']['count']} (the app never asks for them)",
            *(_share(own[side]["stopped"]) for side in sides),
        )
    yield ""
    for name, told in (("answers", "Answers"), ("own_words_in_crisis", "Own words in a crisis")):
        above = evaluation["stopped_above_base"][name]
        low, high = above["interval"]
        yield item(
            f"{told} that the gate stops: {above['difference'] * 100:+.1f} points ({low * 100:+.1f} to "
            f"{high * 100:+.1f}) against the base, paired by message and seed."
        )
    if synthetic := evaluation.get("synthetic"):
        low, high = synthetic["ratio_interval"]
        yield item(
            f"An adapter learnt with the same settings without the synthetic rows has a perplexity of "
            f"{synthetic['perplexity_without']['value']:.2f}; that of this one is {synthetic['ratio']:.3f} times as "
            f"high ({low:.3f} to {high:.3f})."
        )
    better = perplexity["share_of_resamples_better"]
    yield item(f"The adapter's loss is below the base's in {better:.1%} of resampled test rows.")
    if abilities:
        low, high = abilities["lost_interval"]
        yield item(
            f"Right answers to general questions: {-abilities['lost'] * 100:+.1f} points ({-high * 100:+.1f} to "
            f"{-low * 100:+.1f}); {abilities['only_base_right']} only the base answers rightly, "
            f"{abilities['only_adapter_right']} only the adapter (exact McNemar test: p = "
            f"{abilities['mcnemar_p']:.3f}). The right answer must be the likeliest "
            "of four, by log-likelihood a byte."
        )
    screen = evaluation["screen"]
    low, high = screen["interval"]
    yield item(
        f"{screen['reach_no_model']:.1%} ({low:.1%} to {high:.1%}) of {screen['crisis_messages']:,} messages that "
        "speak of a crisis reach no model; that is the app's screen, and no adapter changes it."
    )
    yield ""


def five_messages_told(five: Sequence[Answer]) -> Iterator[str]:
    """The lines on the answers of both sides to the five messages."""
    yield "## Five messages"
    yield ""
    yield filled("The answers as they came, bad ones included; what the gate stopped is marked.")
    for message in dict.fromkeys(answer.message for answer in five):
        yield ""
        yield f"### “{message}”"
        for answer in (answer for answer in five if answer.message == message):
            yield ""
            if answer.way == "crisis":
                yield filled(
                    f"Seed {answer.seed}. Read as `crisis`: the app answers with its own words and shows people to "
                    "call. What the models would have written, and nobody is shown:"
                )
            else:
                yield f"Seed {answer.seed}."
            for side, reply in (("base", answer.base), ("base and adapter", answer.adapter)):
                if reply is not None:
                    yield ""
                    yield f"{side}{_stop(reply)}:"
                    yield ""
                    yield from (f"> {line}".rstrip() for line in _printable(reply.words).split("\n"))
    yield ""


def _share(figures: Mapping[str, Any]) -> str:
    low, high = figures["interval"]
    return f"{figures['share']:.1%} ({low:.1%} to {high:.1%})"


def _reasons(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in figures["stopped"]["reasons"].items()) or "nothing"


def _stop(reply: Reply) -> str:
    return f", stopped by the gate ({', '.join(reply.stopped)})" if reply.stopped else ""


def _printable(text: str) -> str:
    return "".join(character for character in text if character == "\n" or character.isprintable()).strip()
