"""What the window needs of a Linux system."""

from __future__ import annotations

import sys

import pytest
from mhdesk_setup.system_libraries import advice, missing_packages, uses_x11

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems bring all that Qt needs")


@pytest.mark.parametrize(
    ("variables", "through_x11"),
    [
        ({}, True),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, False),
        ({"WAYLAND_DISPLAY": "wayland-0", "QT_QPA_PLATFORM": "xcb"}, True),
        ({"QT_QPA_PLATFORM": "offscreen"}, False),
        ({"QT_QPA_PLATFORM": "wayland;xcb"}, False),
    ],
)
def test_x11_is_meant_unless_something_else_is_said(variables: dict[str, str], through_x11: bool) -> None:
    assert uses_x11(variables) is through_x11


@linux
def test_a_program_that_is_missing_brings_its_package_once() -> None:
    programs = {"no-such-program-a": "some-package", "no-such-program-b": "some-package", "sh": "dash"}
    missing = missing_packages(programs=programs)
    assert missing.count("some-package") == 1
    assert "dash" not in missing


@linux
def test_the_machine_of_the_tests_has_what_the_window_needs() -> None:
    assert missing_packages({"QT_QPA_PLATFORM": "offscreen"}) == []


def test_the_advice_names_every_package_in_one_line() -> None:
    sentence = advice(["libegl1", "libxcb-cursor0"])
    assert "libegl1" in sentence
    assert "libxcb-cursor0" in sentence
    assert "\n" not in sentence
