from __future__ import annotations

from PySide6.QtCore import QRect

from mhdesk.ui.tab_order import in_reading_order


def test_what_stands_side_by_side_is_read_from_left_to_right() -> None:
    field, send = QRect(0, 8, 500, 40), QRect(510, 6, 80, 44)
    assert in_reading_order([send, field]) == [1, 0]


def test_rows_are_read_from_top_to_bottom() -> None:
    places = [QRect(0, 100, 50, 20), QRect(60, 0, 50, 20), QRect(0, 2, 50, 20), QRect(0, -500, 1, 1)]
    assert in_reading_order(places) == [3, 2, 1, 0]
