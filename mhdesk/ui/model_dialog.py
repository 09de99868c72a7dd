"""Which model and adapter are in use: a dialog in the place of the conversation, so that the help stays in view."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from mhdesk.core.paths import PROGRAM
from mhdesk.library.licences import built_with
from mhdesk.ui.announce import announce
from mhdesk.ui.labels import button, redress, words
from mhdesk.ui.ports import AdapterOffer, ModelOffer, Offers

_MORE = (
    f"To add a model: {PROGRAM} models add FOLDER, or a file that ends in .gguf. "
    f"To add an adapter: {PROGRAM} adapters add FOLDER. Then open this page again."
)
_ADAPTERS = "An adapter is trained for one model and changes how it talks."
_NO_ADAPTER = AdapterOffer("")


def model_facts(offer: ModelOffer) -> str:
    """Size, memory and licence of a model, whatever is known of them, and what its licence asks to be shown."""
    size = f"{offer.weights_bytes / 1e6:,.0f} MB" if offer.weights_bytes else ""
    memory = f"needs about {offer.memory_bytes / 2**30:.1f} GiB of memory" if offer.memory_bytes else ""
    licence = f"licence {offer.licence}" if offer.licence else ""
    shown = built_with(offer.licence)
    return " · ".join(part for part in (size, memory, licence) if part) + (f"\n{shown}" if shown else "")


def adapter_facts(offer: AdapterOffer) -> str:
    """What an adapter fits, and whether anybody has measured it."""
    if offer.name == _NO_ADAPTER.name:
        return "The model as its makers trained it."
    base = f"for {offer.base}" if offer.base else ""
    return " · ".join(part for part in (base, "measured" if offer.measured else "not measured") if part)


class OfferRow(QFrame):
    """One thing to choose: its name, what is known of it, and a button, or why there is none."""

    wanted = Signal()

    def __init__(self, title: str, facts: str, *, in_use: bool, why_not: str) -> None:
        super().__init__()
        self.setObjectName("offer")
        self.setAccessibleName(". ".join(part for part in (title, facts, "In use" * in_use, why_not) if part))
        top = QHBoxLayout()
        top.addWidget(words(breakable(title), "strong"), 1)
        self.use: QPushButton | None = None
        if in_use:
            mark = words("In use", "used")
            mark.setWordWrap(False)
            top.addWidget(mark)
        elif not why_not:
            self.use = button("Use", f"Use {title}")
            self.use.clicked.connect(self.wanted)
            top.addWidget(self.use)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 8, 4, 8)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(words(breakable(facts), "small"))
        if why_not:
            column.addWidget(words(breakable(why_not), "warning"))


class ModelDialog(QFrame):
    """Emits what the person wants; `show_offers` shows what there is. An empty adapter name means none.

    All but `back` scrolls, which the window puts where one writes: so there is room at any size of type.
    """

    model_wanted = Signal(str)
    adapter_wanted = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("models")
        self.setAccessibleName("Model and adapter")
        self.back = button("Back to the conversation")
        self.back.clicked.connect(self.left)
        self._sentence = words("", "small")
        self._rows: list[OfferRow] = []
        self._lists = QWidget()
        page = QWidget()
        page.setObjectName("offers")
        page.setMinimumSize(1, 1)  # its height follows from its width, which no minimum of Qt's should overrule
        self._page = QVBoxLayout(page)
        self._page.setContentsMargins(6, 2, 8, 2)
        self._page.setSpacing(6)
        self._page.addWidget(words("Model and adapter", "heading"))
        self._page.addWidget(self._sentence)
        self._page.addWidget(self._lists)
        self._page.addWidget(words(_MORE, "hint", selectable=True))
        self._page.addStretch(1)
        self._roll = QScrollArea()
        self._roll.setWidgetResizable(True)
        self._roll.setMinimumHeight(48)
        self._roll.setFrameShape(QFrame.Shape.NoFrame)
        self._roll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._roll.setAccessibleName("Models and adapters on this computer")
        self._roll.setWidget(page)
        self.setFocusProxy(self._roll)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 6, 6)
        column.addWidget(self._roll)
        self.show_sentence("")

    def show_offers(self, offers: Offers) -> None:
        """Replace the lists."""
        there = f"{offers.memory_bytes / 2**30:.1f} GiB of memory are there for a model."
        models = [self._model_row(offer) for offer in offers.models]
        none = OfferRow(
            "None", adapter_facts(_NO_ADAPTER), in_use=not any(offer.in_use for offer in offers.adapters), why_not=""
        )
        none.wanted.connect(lambda: self.adapter_wanted.emit(""))
        adapters = [none, *(self._adapter_row(offer) for offer in offers.adapters)]
        lists = QWidget()
        column = QVBoxLayout(lists)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        _add_list(column, "Models", there if models else f"{there} No model is installed yet.", models)
        if models:
            _add_list(column, "Adapters", _ADAPTERS, adapters)
        place = self._page.indexOf(self._lists)
        self._page.removeWidget(self._lists)
        self._lists.hide()
        self._lists.deleteLater()
        self._page.insertWidget(place, lists)
        self._lists, self._rows = lists, [*models, *adapters] if models else []

    def show_busy(self, sentence: str) -> None:
        """Something is being done: nothing can be chosen until the lists are shown again."""
        self.show_sentence(sentence)
        if self.isVisible():
            self.setFocus()
        for row in self._rows:
            if row.use is not None:
                row.use.setEnabled(False)

    def show_sentence(self, sentence: str, *, trouble: bool = False) -> None:
        """Say what came of a choice; empty says nothing."""
        self._sentence.setProperty("role", "warning" if trouble else "small")
        redress(self._sentence)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        if sentence:
            self._roll.verticalScrollBar().setValue(0)
            announce(self, sentence)

    def _model_row(self, offer: ModelOffer) -> OfferRow:
        row = OfferRow(offer.title, model_facts(offer), in_use=offer.in_use, why_not=offer.why_not)
        row.wanted.connect(lambda: self.model_wanted.emit(offer.name))
        return row

    def _adapter_row(self, offer: AdapterOffer) -> OfferRow:
        row = OfferRow(offer.name, adapter_facts(offer), in_use=offer.in_use, why_not=offer.why_not)
        row.wanted.connect(lambda: self.adapter_wanted.emit(offer.name))
        return row


def _add_list(column: QVBoxLayout, title: str, explanation: str, rows: Sequence[OfferRow]) -> None:
    column.addWidget(words(title, "strong"))
    column.addWidget(words(explanation, "hint"))
    for row in rows:
        column.addWidget(row)


def breakable(text: str) -> str:
    """`text` with places where a long name may go on in the next line."""
    return re.sub(r"(?<=[-_./])(?=\w)", "\u200b", text)
