"""Files nobody has made, given to everything that reads files which others made."""

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.library.fuzz_targets import TARGETS

ROUND = 500
"""Examples a target gets in its turn of the long test."""


def run(target, folder, examples, **options):
    """Call `target` with so many examples."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
        **options,
    )
    @given(data=st.data())
    def feed(data):
        target(data, folder)

    feed()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
def test_whatever_a_file_holds_its_reader_takes_it_or_refuses_it_in_its_own_words(target, tmp_path):
    run(target, tmp_path, 100, derandomize=True)


@pytest.mark.long
def test_no_reader_fails_however_long_it_is_fed(tmp_path):
    end = time.monotonic() + float(os.environ.get("MHDESK_FUZZ_SECONDS", "600"))
    folders = {target: tmp_path / target.__name__ for target in TARGETS}
    for folder in folders.values():
        folder.mkdir()
    while time.monotonic() < end:
        for target, folder in folders.items():
            run(target, folder, ROUND, phases=[Phase.generate, Phase.shrink])
