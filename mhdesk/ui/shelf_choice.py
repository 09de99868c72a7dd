"""The choice of model and adapter, over the shelf and the running engine. No widgets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from mhdesk.core.errors import BadInput, ModelUnusable, ShelfError, StorageError
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.engine.protocol import Loaded
from mhdesk.library.admission import SMALL_CONTEXT_TOKENS, admitted_context, memory_needed
from mhdesk.library.alternatives import needs_of_others
from mhdesk.library.memory_available import memory_available, memory_held
from mhdesk.library.model_folder import check_model_folder, read_manifest
from mhdesk.library.shelf import NO_ADAPTER, Pair, Shelf
from mhdesk.ui.ports import AdapterOffer, ModelOffer, Offers

_NO_MODEL = "There is no model yet that it could be used with."


class ShelfChoice:
    """A `ports.ModelChoice`. What the engine has taken is then saved; what it refuses changes nothing."""

    def __init__(self, shelf: Shelf, engine: EngineSupervisor) -> None:
        self._shelf = shelf
        self._engine = engine

    async def offers(self) -> Offers:
        """Every finished folder. The memory that our own engine holds counts as free, since a new one ends it."""
        return await asyncio.to_thread(self._look, self._engine.loaded, self._engine.pid)

    async def use_model(self, name: str) -> str:
        """Use a base model, without the adapter in use if that does not fit it."""
        pair = await asyncio.to_thread(self._checked, name)
        loaded = await self._engine.use(pair.model, pair.adapter)
        await _save(self._shelf.use_model, name)
        return pair.warning or (loaded.warning if loaded else "")

    async def use_adapter(self, name: str) -> str:
        """Use an adapter with the model in use, or none."""
        chosen = name or NO_ADAPTER
        pair = await asyncio.to_thread(self._shelf.pair, self._model_in_use(), chosen)
        loaded = await self._engine.use(pair.model, pair.adapter)
        if loaded is not None and pair.adapter is not None and loaded.adapter is None:
            raise ShelfError(loaded.warning)
        await _save(self._shelf.use_adapter, chosen)
        return pair.warning

    def _checked(self, name: str) -> Pair:
        """The pair with the model `name`, refused here if saving it would refuse it later."""
        folder = self._shelf.model_folder(name)
        read_manifest(folder)
        check_model_folder(folder)
        return self._shelf.pair(name)

    def _model_in_use(self) -> str | None:
        return self._engine.loaded.model if self._engine.loaded else None

    def _look(self, loaded: Loaded | None, engine_pid: int | None) -> Offers:
        pair = self._shelf.pair()
        model = loaded.model if loaded else pair.model.name if pair.model else ""
        adapter = (loaded.adapter or "") if loaded else pair.adapter.name if pair.adapter else ""
        there = memory_available() + (memory_held(engine_pid) if engine_pid else 0)
        models = self._shelf.models().items()
        return Offers(
            tuple(_model_offer(name, folder, there, in_use=name == model) for name, folder in models),
            tuple(self._adapter_offer(name, model, in_use=name == adapter) for name in self._shelf.adapters()),
            there,
        )

    def _adapter_offer(self, name: str, model: str, *, in_use: bool) -> AdapterOffer:
        why_not = "" if model else _NO_MODEL
        try:
            self._shelf.pair(model, name)
        except (ShelfError, BadInput) as error:
            why_not = error.sentence
        card = self._shelf.cards().get(name)
        if card is None:
            return AdapterOffer(name, in_use=in_use, why_not=why_not)
        titles = {manifest.weights_sha256: manifest.title for manifest in self._shelf.manifests().values()}
        base = titles.get(card.base_sha256, card.base_id)
        return AdapterOffer(name, base, bool(card.evaluation), in_use, "" if in_use else why_not)


def _model_offer(name: str, folder: Path, there: int, *, in_use: bool) -> ModelOffer:
    try:
        manifest = read_manifest(folder)
        shape = check_model_folder(folder)
    except ShelfError as error:
        return ModelOffer(name, name, in_use=in_use, why_not=error.sentence)
    size = manifest.weights_bytes
    need = memory_needed(shape, size, SMALL_CONTEXT_TOKENS).total
    why_not = ""
    if not in_use:
        try:
            admitted_context(name, shape, size, there, others=needs_of_others(folder.parent))
        except ModelUnusable as error:
            why_not = error.sentence
    return ModelOffer(name, manifest.title, manifest.licence, size, need, in_use, why_not)


async def _save(choose: Callable[[str], None], name: str) -> None:
    try:
        await asyncio.to_thread(choose, name)
    except StorageError as error:
        raise StorageError(f"Your choice holds for now, but it was not saved. {error.sentence}") from error
