"""Where the Tab key goes: region by region, and in each from top to bottom, whatever was added when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QScrollArea, QWidget


def in_reading_order(places: Sequence[QRect]) -> list[int]:
    """Indices of `places` from top to bottom. What begins above the middle of a row's first is of that row."""
    rows: list[list[int]] = []
    for index in sorted(range(len(places)), key=lambda each: places[each].top()):
        if rows and places[index].top() < places[rows[-1][0]].center().y():
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda each: places[each].left())]


def stops(regions: Sequence[QWidget]) -> list[QWidget]:
    """Every widget that Tab stops at, in order. Regions that are hidden have none."""
    found: list[QWidget] = []
    for region in regions:
        found += [region] if _is_stop(region) else []
        found += _inside(region)
    return found


def _inside(region: QWidget) -> list[QWidget]:
    """The stops inside `region`. What scrolls keeps its order, wherever it is scrolled to."""
    rolls = [area for area in (region, *region.findChildren(QScrollArea)) if isinstance(area, QScrollArea)]
    content = {area: roll for area in rolls if (roll := area.widget()) is not None and area.isVisible()}
    inside = [
        widget
        for widget in region.findChildren(QWidget)
        if (_is_stop(widget) or widget in content) and not _is_within(widget, content.values(), region)
    ]
    places = [QRect(widget.mapTo(region, QPoint(0, 0)), widget.size()) for widget in inside]
    found = _inside(content[region]) if isinstance(region, QScrollArea) and region in content else []
    for index in in_reading_order(places):
        widget = inside[index]
        found += [widget] if _is_stop(widget) else []
        found += _inside(widget) if isinstance(widget, QScrollArea) else []
    return found


def _is_within(widget: QWidget, contents: Iterable[QWidget], region: QWidget) -> bool:
    return any(content is not region and (widget is content or content.isAncestorOf(widget)) for content in contents)


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
