"""Which Pythons may run MHDesk."""

from __future__ import annotations

import sys

import pytest
from mhdesk_setup.version import unsupported_python


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_supported_versions_are_met_with_silence(version: tuple[int, int]) -> None:
    assert unsupported_python(*version) == ""


@pytest.mark.parametrize("version", [(2, 7), (3, 8), (3, 10), (3, 14), (4, 0)])
def test_another_version_gets_one_sentence_that_names_it(version: tuple[int, int]) -> None:
    sentence = unsupported_python(*version)
    assert sentence.count(".\n") == 0
    assert sentence.endswith(".")
    assert f"this is Python {version[0]}.{version[1]};" in sentence


def test_the_running_interpreter_is_supported() -> None:
    assert unsupported_python(*sys.version_info[:2]) == ""
