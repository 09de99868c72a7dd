"""Colours and type sizes: two calm schemes, checked for contrast, poured into one style sheet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from mhdesk.core.settings import Looks

BODY_PT = 12.5
SCALES = (0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)
_NORMAL = SCALES.index(1.0)


@dataclass(frozen=True, slots=True)
class Colours:
    """One scheme. Names ending in `_text` are written on the colour of the same name."""

    window: str
    surface: str
    text: str
    muted: str
    hairline: str
    edge: str
    accent: str
    accent_text: str
    accent_hover: str
    yours: str
    yours_text: str
    card: str
    card_text: str
    card_edge: str
    urgent: str
    urgent_text: str
    warning: str
    focus: str


LIGHT = Colours(
    window="#F3F6F5",
    surface="#FFFFFF",
    text="#1A2421",
    muted="#4B5854",
    hairline="#CBD5D1",
    edge="#6F7E79",
    accent="#0B5A54",
    accent_text="#FFFFFF",
    accent_hover="#084843",
    yours="#D9EAE5",
    yours_text="#10302A",
    card="#FFF6E3",
    card_text="#2A2010",
    card_edge="#94660C",
    urgent="#8C1D18",
    urgent_text="#FFFFFF",
    warning="#7A3E00",
    focus="#1257B0",
)

DARK = Colours(
    window="#131918",
    surface="#1D2523",
    text="#E4EBE8",
    muted="#AEBBB6",
    hairline="#38433F",
    edge="#84938D",
    accent="#7FCFC2",
    accent_text="#05211D",
    accent_hover="#A0DDD3",
    yours="#22403A",
    yours_text="#E2F2ED",
    card="#2F2716",
    card_text="#F5E8CC",
    card_edge="#D3A046",
    urgent="#8F2B26",
    urgent_text="#FFFFFF",
    warning="#F2BE7E",
    focus="#8DC0FF",
)

TEXT_PAIRS = (
    ("text", "window"),
    ("text", "surface"),
    ("muted", "window"),
    ("muted", "surface"),
    ("accent", "surface"),
    ("accent", "window"),
    ("accent_text", "accent"),
    ("accent_text", "accent_hover"),
    ("yours_text", "yours"),
    ("accent", "yours"),
    ("card_text", "card"),
    ("accent", "card"),
    ("urgent_text", "urgent"),
    ("warning", "surface"),
    ("warning", "card"),
    ("warning", "window"),
)
"""Every (ink, paper) that the style sheet uses for words; each must reach 4.5:1 (WCAG 2.2, 1.4.3)."""

EDGE_PAIRS = (("edge", "surface"), ("edge", "window"), ("card_edge", "card"), ("focus", "surface"), ("focus", "window"))
"""Borders that carry meaning; each must reach 3:1 (WCAG 2.2, 1.4.11)."""


def contrast(ink: str, paper: str) -> float:
    """Contrast ratio of two `#RRGGBB` colours, 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(ink), _luminance(paper)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colours_for(looks: Looks, *, system_is_dark: bool) -> Colours:
    """The scheme that a choice of looks means on a system that is dark or light."""
    dark = looks is Looks.DARK or (looks is Looks.SYSTEM and system_is_dark)
    return DARK if dark else LIGHT


def style_sheet(template: str, colours: Colours, scale: float, icons: str) -> str:
    """The style sheet with colours and sizes filled in; `icons` is the folder of the icons.

    The AI notice never falls below the 16 pt that law asks for.
    """
    sizes = {
        "body_pt": BODY_PT * scale,
        "small_pt": 11 * scale,
        "number_pt": 17 * scale,
        "urgent_pt": 24 * scale,
        "heading_pt": 15 * scale,
        "notice_pt": max(16.0, 16 * scale),
    }
    points = {name: f"{size:.1f}pt" for name, size in sizes.items()}
    chevron = f"{icons}/chevron-{'dark' if colours is DARK else 'light'}.svg"
    return Template(template).substitute(asdict(colours), chevron=chevron, **points)


class Theme(QObject):
    """Dresses the application from the folder `resources`, and remembers the size of its type."""

    changed = Signal()

    def __init__(self, app: QApplication, resources: Path, looks: Looks) -> None:
        super().__init__()
        self._app = app
        self._icons = (resources / "icons").as_posix()
        self._template = (resources / "styles" / "window.qss").read_text(encoding="utf-8")
        self._looks = looks
        self._step = _NORMAL
        self._family = app.font().family()
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._dress()

    @property
    def looks(self) -> Looks:
        """The choice, not what it comes to."""
        return self._looks

    @property
    def scale(self) -> float:
        """Size of the type, 1 being normal."""
        return SCALES[self._step]

    @property
    def colours(self) -> Colours:
        """The scheme now shown."""
        dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return colours_for(self._looks, system_is_dark=dark)

    def show_looks(self, looks: Looks) -> None:
        """Change the scheme."""
        self._looks = looks
        self._dress()

    def resize_text(self, steps: int) -> None:
        """Make the type larger (positive) or smaller by `steps`; 0 makes it normal."""
        self._step = _NORMAL if steps == 0 else min(max(self._step + steps, 0), len(SCALES) - 1)
        self._dress()

    def _follow_system(self) -> None:
        if self._looks is Looks.SYSTEM:
            self._dress()

    def _dress(self) -> None:
        font = QFont(self._family)
        font.setPointSizeF(BODY_PT * self.scale)
        self._app.setFont(font)
        self._app.setPalette(_palette(self.colours))
        self._app.setStyleSheet(style_sheet(self._template, self.colours, self.scale, self._icons))
        self.changed.emit()


def _palette(colours: Colours) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for place, colour in {
        role.Window: colours.window,
        role.WindowText: colours.text,
        role.Base: colours.surface,
        role.AlternateBase: colours.window,
        role.Text: colours.text,
        role.Button: colours.surface,
        role.ButtonText: colours.text,
        role.ToolTipBase: colours.surface,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.muted,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.accent_text,
        role.Link: colours.accent,
        role.Mid: colours.edge,
        role.Dark: colours.edge,
        role.Light: colours.surface,
    }.items():
        palette.setColor(place, QColor(colour))
    return palette
