"""Where the Tab key goes: region by region, and in each from top to bottom, whatever was added when."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget


def in_reading_order(places: Sequence[tuple[int, int]]) -> list[int]:
    """Indices of (y, x) places from top to bottom, then from left to right."""
    return sorted(range(len(places)), key=lambda index: places[index])


def stops(regions: Sequence[QWidget]) -> list[QWidget]:
    """Every widget that Tab stops at, in order. Regions that are hidden have none."""
    found: list[QWidget] = []
    for region in regions:
        inside = [widget for widget in (region, *region.findChildren(QWidget)) if _is_stop(widget)]
        places = [_place(widget, region) for widget in inside]
        found += [inside[index] for index in in_reading_order(places)]
    return found


def next_stop(regions: Sequence[QWidget], now: QWidget | None, *, forward: bool) -> QWidget | None:
    """The stop after (or before) `now`, going round; None if there is none at all."""
    order = stops(regions)
    if not order:
        return None
    if now not in order:
        return order[0 if forward else -1]
    return order[(order.index(now) + (1 if forward else -1)) % len(order)]


def _is_stop(widget: QWidget) -> bool:
    wanted = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return wanted and widget.isEnabled() and widget.isVisible() and widget.focusProxy() is None


def _place(widget: QWidget, region: QWidget) -> tuple[int, int]:
    if widget is region:
        return (-(1 << 20), 0)
    corner = widget.mapTo(region, QPoint(0, 0))
    return (corner.y(), corner.x())
