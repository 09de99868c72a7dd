"""The models that MHDesk knows by name: where they are, under which licence, and how much they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mhdesk.core.errors import BadInput, ShelfError
from mhdesk.core.paths import resources_dir
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.llama_shape import BadShape, LlamaShape


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One known model.

    id: as its hub calls it, `owner/name`.
    name: of its folder on the shelf.
    licence, licence_url: SPDX identifier, or the licence's title where it has none, and where it can be read.
    sign_in: whether its maker asks for an account and the licence's acceptance.
    downloadable: whether its hub page offered safetensors when this list was made; if not, a GGUF file can be added.
    instruct: whether it was trained to converse; one that was not needs an adapter.
    chat_template: ours, for a model that comes without one.
    built_with: what its licence wants shown beside it, or nothing.
    page: a public address for people.
    parameters, full_bytes, eight_bit_bytes: values, bytes of the full download's weights and of our 8-bit ones.
    memory_2k_bytes, memory_4k_bytes: needed while it runs with a full window of 2,048 or 4,096 tokens, by formula.
    config: the keys of its `config.json` that give its shape.
    """

    id: str
    name: str
    title: str
    licence: str
    licence_url: str
    sign_in: bool
    downloadable: bool
    instruct: bool
    chat_template: str | None
    built_with: str
    page: str
    parameters: int
    full_bytes: int
    eight_bit_bytes: int
    memory_2k_bytes: int
    memory_4k_bytes: int
    config: Mapping[str, Any]

    @property
    def shape(self) -> LlamaShape:
        """Its sizes."""
        return LlamaShape.from_config(self.config)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The known models, smallest first within a family."""

    models: tuple[CatalogueModel, ...]

    @classmethod
    def load(cls) -> Catalogue:
        """Read the list that comes with the program.

        Raises:
            ShelfError: the program's own file is damaged.
        """
        try:
            listed = read_json_object(resources_dir() / "catalogue.json")["models"]
            catalogue = cls(tuple(CatalogueModel(**entry) for entry in listed))
            for model in catalogue.models:
                _ = model.shape
        except (BadJsonFile, BadShape, AttributeError, KeyError, TypeError):
            raise ShelfError("MHDesk's list of known models is damaged; please install the program again.") from None
        return catalogue

    def known(self, name_or_id: str) -> CatalogueModel | None:
        """The model of that folder name or hub id, in any case; None if the list has none."""
        wanted = name_or_id.strip().casefold()
        return next((m for m in self.models if wanted in (m.name.casefold(), m.id.casefold())), None)

    def recognise(self, names: Iterable[str], shape: LlamaShape) -> CatalogueModel | None:
        """The known model of this shape whose folder name is a part of one of `names`, however those are spelt."""
        spelt = [_letters(name) for name in names]
        alike = (m for m in self.models if m.shape == shape and any(_letters(m.name) in name for name in spelt))
        return next(alike, None)

    def find(self, name_or_id: str) -> CatalogueModel:
        """`known`, for where nothing else will do.

        Raises:
            BadInput: naming what there is.
        """
        model = self.known(name_or_id)
        if model is None:
            names = ", ".join(model.name for model in self.models)
            raise BadInput(f"MHDesk knows no model called {name_or_id}. It knows: {names}.")
        return model


def _letters(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
