from __future__ import annotations

import re
from dataclasses import asdict

import pytest

from mhdesk.core.paths import resources_dir
from mhdesk.core.settings import Looks
from mhdesk.ui.theme import DARK, EDGE_PAIRS, LIGHT, SCALES, TEXT_PAIRS, Colours, colours_for, contrast, style_sheet

TEMPLATE = (resources_dir() / "styles" / "window.qss").read_text(encoding="utf-8")


def test_contrast_is_measured_as_the_guidelines_define_it() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_all_words_can_be_read_and_all_edges_seen_in_both_schemes(scheme: Colours) -> None:
    colours = asdict(scheme)
    assert min(contrast(colours[ink], colours[paper]) for ink, paper in TEXT_PAIRS) >= 4.5
    assert min(contrast(colours[edge], colours[paper]) for edge, paper in EDGE_PAIRS) >= 3


def test_every_name_in_the_style_sheet_is_filled_in_at_every_size() -> None:
    for scale in SCALES:
        assert "$" not in style_sheet(TEMPLATE, DARK, scale, "/icons")


def test_the_notice_is_never_smaller_than_16_points() -> None:
    for scale in SCALES:
        sheet = style_sheet(TEMPLATE, LIGHT, scale, "/icons")
        size = re.search(r'#notice QLabel\[role="capitals"\] \{ font-size: ([\d.]+)pt; font-weight: 700', sheet)
        assert size is not None
        assert float(size[1]) >= 16


def test_the_system_decides_only_where_the_person_has_not() -> None:
    assert colours_for(Looks.SYSTEM, system_is_dark=True) is DARK
    assert colours_for(Looks.SYSTEM, system_is_dark=False) is LIGHT
    assert colours_for(Looks.LIGHT, system_is_dark=True) is LIGHT
    assert colours_for(Looks.DARK, system_is_dark=False) is DARK
