"""What went wrong, in one sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from mhdesk_setup.installer import short_word
from mhdesk_setup.sentences import explain_os_error, explain_output

OUTPUTS = {
    "OSError: [Errno 28] No space left on device": "the disk is full",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": "not the expected file",
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)': /simple/a/\n"
    "ERROR: No matching distribution found for a==1": "network could not be reached",
    "ERROR: Could not find a version\nERROR: No matching distribution found for torch==2.13.0": "torch==2.13.0 is not",
    "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'": "not be written to",
    "Building wheel\nERROR: Failed building wheel for thing.\n": "Failed building wheel for thing (the full log",
    "": "could not be finished (the full log",
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_pips_last_words_become_one_sentence_that_names_the_log(output: str) -> None:
    sentence = explain_output("Installing packages", output, Path("/tree/.venv/mhdesk-setup.log"))
    assert OUTPUTS[output] in sentence
    assert "/tree/.venv/mhdesk-setup.log" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "may not write"), (errno.EIO, "Input/output error")],
)
def test_a_file_that_could_not_be_written_becomes_one_sentence_that_names_it(number: int, words: str) -> None:
    sentence = explain_os_error(OSError(number, os.strerror(number), "/tree/.venv"))
    assert words in sentence
    assert "/tree/.venv" in sentence


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("Collecting torch==2.13.0 (from -r requirements.txt (line 5))", "torch 2.13.0"),
        ("  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (17.0 MB)", "numpy 2.4.6 (17.0 MB)"),
        ("  Downloading idna-3.20-py3-none-any.whl.metadata (8 kB)", "idna 3.20 (8 kB)"),
        ("Processing /a place/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl (from -r a (line 1))", "torch 2.13.0+cpu"),
        ("WARNING: Retrying (Retry(total=4)) after connection broken", "waiting for the network"),
        ("Looking in links: /somewhere", ""),
    ],
)
def test_progress_tells_the_package_and_its_size(line: str, word: str) -> None:
    assert short_word(line) == word
