from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QImage, QTextDocument

from mhdesk.ui.markdown import QuietDocument, QuietText, keep_line_breaks

LIVE = (
    "See [this *page*](http://evil.example/x) and <http://auto.example>, ![a cat](file:///etc/cat.png) "
    "<a href='http://x.example'>tag</a> <img src='http://x.example/p.png'>\n\n[ref]\n\n[ref]: http://y.example"
)


def test_markdown_gives_form_but_html_is_shown_as_the_text_it_is() -> None:
    words = QuietText()
    words.show_markdown("**bold** <b>not bold</b>\n\n- one\n- two")
    assert words.toPlainText() == "bold <b>not bold</b>\none\ntwo"
    assert "font-weight" in words.toHtml()


def test_no_link_and_no_picture_is_left_alive() -> None:
    words = QuietText()
    words.show_markdown(LIVE)
    html = words.toHtml()
    assert "<a " not in html
    assert "<img" not in html
    assert "[picture: a cat]" in words.toPlainText()
    assert not words.textInteractionFlags() & Qt.TextInteractionFlag.LinksAccessibleByMouse
    assert not words.textInteractionFlags() & Qt.TextInteractionFlag.LinksAccessibleByKeyboard


def test_nothing_is_loaded_even_if_a_document_asks_for_it(tmp_path: Path) -> None:
    picture = tmp_path / "there.png"
    QImage(4, 4, QImage.Format.Format_RGB32).save(str(picture))
    kind = QTextDocument.ResourceType.ImageResource.value
    assert QuietDocument().resource(kind, QUrl.fromLocalFile(str(picture))) in (None, b"")
    text = QuietText()
    assert text.document().resource(kind, QUrl.fromLocalFile(str(picture))) in (None, b"")


def test_each_paragraph_runs_in_its_own_direction() -> None:
    words = QuietText()
    words.show_markdown("مرحبا بك\n\nHello there")
    first = words.document().firstBlock()
    assert first.textDirection() == Qt.LayoutDirection.RightToLeft
    assert first.next().textDirection() == Qt.LayoutDirection.LeftToRight


def test_a_single_line_break_stays_one_except_in_code() -> None:
    assert keep_line_breaks("a\nb\n\nc") == "a  \nb\n\nc"
    assert keep_line_breaks("```\na\nb\n```") == "```\na\nb\n```"


def test_half_a_stream_of_markdown_never_raises() -> None:
    words = QuietText()
    for end in range(len(LIVE) + 1):
        words.show_markdown(LIVE[:end])
        assert "<img" not in words.toHtml()


def test_what_is_copied_is_plain_words() -> None:
    words = QuietText()
    words.show_markdown("**bold** words")
    words.selectAll()
    mime = words.createMimeDataFromSelection()
    assert mime.formats() == ["text/plain"]
    assert mime.text() == "bold words"
