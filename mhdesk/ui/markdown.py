"""Markdown made harmless: no HTML, no link that can be followed, no picture that is loaded.

A reply is plain words with a little form. Anything that could lead out of the window is turned into words here,
after Qt has read the Markdown, so that what is shown, copied and read aloud is the same.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QMimeData, QObject, Qt, QUrl
from PySide6.QtGui import QTextBlock, QTextCharFormat, QTextCursor, QTextDocument, QTextFragment, QTextOption
from PySide6.QtWidgets import QTextEdit

_FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML


def keep_line_breaks(text: str) -> str:
    """Markdown in which a single line break stays one, as people who chat expect. Fenced code is left alone."""
    lines = text.split("\n")
    fenced = False
    for place, line in enumerate(lines[:-1]):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and line.strip() and lines[place + 1].strip() and not line.endswith("  "):
            lines[place] = line + "  "
    return "\n".join(lines)


class QuietDocument(QTextDocument):
    """A document that loads nothing and writes each paragraph in its own direction."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setUndoRedoEnabled(False)
        self.setDocumentMargin(0)
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setDefaultTextOption(option)

    def loadResource(self, _kind: int, _name: QUrl | str) -> QByteArray:
        """Nothing, whatever is asked for."""
        return QByteArray()

    def show_markdown(self, text: str) -> None:
        """Replace the content by `text` read as Markdown, with links and pictures turned into words."""
        self.setMarkdown(keep_line_breaks(text), _FEATURES)
        for start, length, words in reversed(_live_parts(self)):
            cursor = QTextCursor(self)
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            plain = QTextCharFormat()
            if words is None:
                cursor.setCharFormat(plain)
            else:
                cursor.insertText(words, plain)

    def show_plain(self, text: str) -> None:
        """Replace the content by `text` as it stands."""
        self.setPlainText(text)


def _live_parts(document: QTextDocument) -> list[tuple[int, int, str | None]]:
    """(start, length, words to put instead or None to keep them) of every link and picture, in order."""
    found: list[tuple[int, int, str | None]] = []
    block: QTextBlock = document.begin()
    while block.isValid():
        for fragment in _fragments(block):
            form = fragment.charFormat()
            if form.isImageFormat():
                described = str(form.property(QTextCharFormat.Property.ImageAltText) or "").strip()
                found.append((fragment.position(), fragment.length(), f"[picture: {described or 'not shown'}]"))
            elif form.isAnchor():
                found.append((fragment.position(), fragment.length(), None))
        block = block.next()
    return found


def _fragments(block: QTextBlock) -> list[QTextFragment]:
    iterator = block.begin()
    found = []
    while not iterator.atEnd():
        found.append(iterator.fragment())
        iterator += 1
    return found


class QuietText(QTextEdit):
    """Read-only, selectable words without scroll bars; as tall as they need once `fit` was told a width."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)  # type: ignore[arg-type]
        self._words = QuietDocument(self)
        self.setDocument(self._words)
        self.setReadOnly(True)
        self.setAcceptDrops(False)
        self.setFrameShape(QTextEdit.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )

    def loadResource(self, _kind: int, _name: QUrl | str) -> QByteArray:
        """Nothing, whatever is asked for."""
        return QByteArray()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Plain words only: what is copied carries no form."""
        mime = QMimeData()
        mime.setText(self.textCursor().selection().toPlainText())
        return mime

    def show_markdown(self, text: str) -> None:
        """Show `text` read as Markdown."""
        self._words.show_markdown(text)

    def show_plain(self, text: str) -> None:
        """Show `text` as it stands."""
        self._words.show_plain(text)

    def fit(self, width: int, *, shrink: bool) -> int:
        """Lay the words out in at most `width` pixels and take their height; returns the width used.

        `shrink` takes no more width than the longest line needs.
        """
        frame = 2 * _FRAME
        self._words.setTextWidth(width - frame)
        if shrink:
            ideal = int(self._words.idealWidth()) + 2
            if ideal < width - frame:
                self._words.setTextWidth(ideal)
                width = ideal + frame
        self.setFixedSize(width, int(self._words.size().height()) + frame + 2)
        return width


_FRAME = 2
"""Width of the focus ring that the style sheet draws round the words."""
