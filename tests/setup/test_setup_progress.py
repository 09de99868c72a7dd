"""What is seen of a set-up."""

from __future__ import annotations

import io

from mhdesk_setup.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(stream: io.StringIO) -> str:
    progress = Progress(stream, steps=2)
    progress.begin("One")
    for part in ("a", "b", "c"):
        progress.indicate(part)
    progress.end("done")
    progress.begin("Two")
    progress.end()
    progress.note("By the way.")
    return stream.getvalue()


def test_a_terminal_sees_each_step_on_one_line() -> None:
    shown = show(Terminal())
    # What a carriage return starts is written over what stood there.
    assert [line.split("\r")[-1] for line in shown.removesuffix("\n").split("\n")] == [
        "[1/2] One … done\x1b[K",
        "[2/2] Two … done\x1b[K",
        "By the way.",
    ]
    assert "[1/2] One … b (0 s)" in shown


def test_a_log_gets_the_first_indication_of_a_step_and_its_result() -> None:
    assert show(io.StringIO()).splitlines() == [
        "[1/2] One … a (0 s)",
        "[1/2] One … done",
        "[2/2] Two … done",
        "By the way.",
    ]


def test_a_sentence_after_a_broken_step_starts_on_a_line_of_its_own() -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress.begin("One")
    progress.broken_off()
    progress.broken_off()
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("\n")
