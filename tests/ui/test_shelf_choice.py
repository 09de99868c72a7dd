"""The choice over a real shelf of tiny models, with an engine process that follows a script."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from mhdesk.core.engine_status import EngineState, EngineStatus
from mhdesk.core.errors import BadInput, EngineError, ModelUnusable, StorageError
from mhdesk.core.paths import UserPaths
from mhdesk.engine.client.supervisor import EngineSupervisor
from mhdesk.library.model_folder import MANIFEST, read_manifest
from mhdesk.library.shelf import Shelf
from mhdesk.ui.ports import Offers
from mhdesk.ui.shelf_choice import ShelfChoice
from tests.tiny_model import make_adapter, make_tiny_model
from tests.ui.conftest import Desk
from tests.ui.plain_talk import PlainConversation, until

HELLO = {"pieces": ["Hello."]}


@pytest.fixture(scope="module")
def stock(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, and for the first an adapter that was measured and one that was not."""
    home = tmp_path_factory.mktemp("stock")
    shutil.copytree(tiny_model, home / "models" / "tiny")
    make_tiny_model(home / "models" / "other", seed=5)
    make_adapter(home / "adapters" / "kind", tiny_model)
    make_adapter(home / "adapters" / "rough", tiny_model, evaluated=False)
    return home


@dataclass
class Stand:
    shelf: Shelf
    choice: ShelfChoice
    engine: EngineSupervisor
    paths: UserPaths

    @property
    def loaded(self) -> tuple[str, str | None] | None:
        loaded = self.engine.loaded
        return (loaded.model, loaded.adapter) if loaded else None

    @property
    def chosen(self) -> tuple[str | None, str | None]:
        return self.shelf.selection().model, self.shelf.selection().adapter


Begin = Callable[..., "object"]


@pytest_asyncio.fixture
async def begin(paths: UserPaths, stock: Path, script: Callable[..., list[str]]) -> AsyncIterator[Begin]:
    engines = []

    async def start(tell: Callable[[EngineStatus], None] = lambda status: None, **options: object) -> Stand:
        shutil.copytree(stock, paths.home, dirs_exist_ok=True)
        shelf = Shelf(paths)
        shelf.use_model("tiny")
        pair = shelf.pair()
        engine = EngineSupervisor(script(HELLO, **options), pair.model, pair.adapter, tell)
        engines.append(engine)
        await engine.start()
        await until(lambda: engine.loaded, 20)
        return Stand(shelf, ShelfChoice(shelf, engine), engine, paths)

    yield start
    for engine in engines:
        await engine.close()


def model(offers: Offers, name: str) -> object:
    return next(offer for offer in offers.models if offer.name == name)


def adapter(offers: Offers, name: str) -> object:
    return next(offer for offer in offers.adapters if offer.name == name)


async def test_everything_installed_is_offered_with_what_is_known_of_it(begin: Begin) -> None:
    stand = await begin()
    offers = await stand.choice.offers()
    tiny = model(offers, "tiny")
    assert (tiny.title, tiny.licence, tiny.in_use, tiny.why_not) == ("Tiny", "Apache-2.0", True, "")
    assert tiny.weights_bytes < tiny.memory_bytes < offers.memory_bytes
    assert not model(offers, "other").in_use
    kind, rough = adapter(offers, "kind"), adapter(offers, "rough")
    assert (kind.base, kind.measured, kind.in_use, kind.why_not) == ("Tiny", True, False, "")
    assert not rough.measured
    assert rough.why_not.startswith("Nobody has measured")


async def test_a_model_is_in_use_at_once_and_chosen_for_the_next_start(begin: Begin) -> None:
    stand = await begin()
    assert await stand.choice.use_model("other") == ""
    assert stand.loaded == stand.chosen == ("other", None)
    offers = await stand.choice.offers()
    assert model(offers, "other").in_use
    assert not model(offers, "tiny").in_use
    assert "not for the model in use" in adapter(offers, "kind").why_not


async def test_an_adapter_is_in_use_at_once_and_none_takes_it_away(begin: Begin) -> None:
    stand = await begin()
    pid = stand.engine.pid
    await stand.choice.use_adapter("kind")
    assert stand.loaded == stand.chosen == ("tiny", "kind")
    assert adapter(await stand.choice.offers(), "kind").in_use
    await stand.choice.use_adapter("")
    assert stand.loaded == stand.chosen == ("tiny", None)
    assert stand.engine.pid == pid


async def test_a_model_that_the_adapter_in_use_does_not_fit_is_used_without_it_and_says_so(begin: Begin) -> None:
    stand = await begin()
    await stand.choice.use_adapter("kind")
    assert "The adapter kind cannot be used" in await stand.choice.use_model("other")
    assert stand.loaded == stand.chosen == ("other", None)


@pytest.mark.parametrize("name", ["kind", "other"])
async def test_what_the_engine_refuses_is_a_sentence_and_the_old_choice_stays(begin: Begin, name: str) -> None:
    stand = await begin(refuse={name: "The engine will not have it."})
    use = stand.choice.use_adapter if name == "kind" else stand.choice.use_model
    with pytest.raises(EngineError, match="will not have it"):
        await use(name)
    await until(lambda: stand.loaded == ("tiny", None), 20)
    assert stand.chosen == ("tiny", None)


async def test_what_the_shelf_refuses_never_reaches_the_engine(begin: Begin) -> None:
    stand = await begin()
    pid = stand.engine.pid
    for use, name in ((stand.choice.use_model, "nowhere"), (stand.choice.use_adapter, "nowhere")):
        with pytest.raises(BadInput, match="There is no"):
            await use(name)
    assert (stand.engine.pid, stand.loaded) == (pid, ("tiny", None))


async def test_a_choice_that_cannot_be_saved_holds_for_now_and_says_so(begin: Begin) -> None:
    stand = await begin()
    stand.paths.selection_file.unlink()
    stand.paths.selection_file.mkdir()
    with pytest.raises(StorageError, match="holds for now, but it was not saved"):
        await stand.choice.use_model("other")
    assert stand.loaded == ("other", None)
    assert model(await stand.choice.offers(), "other").in_use


async def test_a_damaged_model_and_one_too_large_are_offered_with_the_reason(begin: Begin) -> None:
    stand = await begin()
    other = stand.paths.models / "other"
    larger = replace(read_manifest(other), weights_bytes=10**15)
    (other / MANIFEST).write_text(json.dumps(asdict(larger)))
    assert "memory" in model(await stand.choice.offers(), "other").why_not
    (other / "model.safetensors").unlink()
    offer = model(await stand.choice.offers(), "other")
    assert "model.safetensors is missing" in offer.why_not
    with pytest.raises(ModelUnusable, match=r"model\.safetensors is missing"):
        await stand.choice.use_model("other")
    assert stand.loaded == stand.chosen == ("tiny", None)


async def test_a_choice_made_in_the_window_shows_in_its_state_and_the_talk_goes_on(
    begin: Begin, open_desk: Callable[..., Desk]
) -> None:
    desks: list[Desk] = []
    stand = await begin(lambda status: desks[0].window.status.show_status(status) if desks else None)
    desks.append(open_desk(PlainConversation(), models=stand.choice))
    (desk,) = desks
    desk.window.toolbar.models_wanted.emit()
    await until(lambda: len(desk.window.models._rows) == 5)
    desk.window.models.adapter_wanted.emit("kind")
    await until(lambda: desk.window.status.status.adapter == "kind", 20)
    await until(lambda: desk.controller._models._task is None)
    desk.window.models.model_wanted.emit("other")
    await until(lambda: desk.window.status.status.model == "other", 20)
    await until(lambda: desk.controller._models._task is None)
    assert desk.window.status.status.state is EngineState.READY
    assert stand.chosen == ("other", None)
    await desk.controller.close()
