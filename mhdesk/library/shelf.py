"""Which models and adapters there are, and which are in use."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mhdesk.core.atomic import write_json
from mhdesk.core.errors import BadInput, ShelfError
from mhdesk.core.paths import PROGRAM, UserPaths, resources_dir
from mhdesk.library.adapter_folder import CARD, AdapterCard, check_adapter_folder, check_fits, read_card
from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.model_folder import MANIFEST, ModelManifest, check_model_folder, read_manifest
from mhdesk.library.shelf_lock import mend_shelf

NO_ADAPTER = "none"


@dataclass(frozen=True, slots=True)
class Selection:
    """Names of the model and adapter in use, None if none was chosen.

    `unmeasured` says that the adapter was chosen in the knowledge that nobody has measured it.
    """

    model: str | None = None
    adapter: str | None = None
    unmeasured: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """What the engine is to load. `warning` says why a chosen adapter was left out."""

    model: Path | None
    adapter: Path | None
    warning: str = ""


class Shelf:
    """The folders under the user's data directory, and the models that came inside a bundle, which are read-only."""

    def __init__(self, paths: UserPaths) -> None:
        self._paths = paths
        mend_shelf(paths)

    def models(self) -> dict[str, Path]:
        """Finished base models by name; a user's own wins over a bundled one of the same name."""
        return {**_finished(resources_dir() / "models", MANIFEST), **_finished(self._paths.models, MANIFEST)}

    def adapters(self) -> dict[str, Path]:
        """Finished adapters by name."""
        return _finished(self._paths.adapters, CARD)

    def selection(self) -> Selection:
        """What was chosen; nothing if the file is missing or damaged."""
        try:
            values = read_json_object(self._paths.selection_file)
        except BadJsonFile:
            return Selection()
        named = {key: values[key] for key in ("model", "adapter") if isinstance(values.get(key), str)}
        return Selection(**named, unmeasured=values.get("unmeasured") is True)

    def model_folder(self, name: str) -> Path:
        """The folder of a finished model.

        Raises:
            BadInput: there is none of that name.
        """
        return self._named(name, self.models(), "model")

    def adapter_folder(self, name: str) -> Path:
        """The folder of a finished adapter.

        Raises:
            BadInput: there is none of that name.
        """
        return self._named(name, self.adapters(), "adapter")

    def use_model(self, name: str) -> None:
        """Choose a base model, and leave the adapter out if it was made for another.

        Raises:
            ShelfError, BadInput: it cannot be used.
            StorageError: the choice could not be written.
        """
        folder = self.model_folder(name)
        check_model_folder(folder)
        chosen = self.selection()
        if chosen.adapter is not None:
            try:
                self._check_adapter(chosen.adapter, read_manifest(folder), unmeasured=chosen.unmeasured)
            except (ShelfError, BadInput):
                chosen = Selection()
        self._choose(replace(chosen, model=name))

    def use_adapter(self, name: str, *, unmeasured: bool = False) -> None:
        """Choose an adapter, or `none`; with `unmeasured` one whose card has no evaluation is taken too.

        Raises:
            ShelfError, BadInput: it does not exist or does not fit the model in use.
            StorageError: the choice could not be written.
        """
        model = self._model_in_use()
        if name == NO_ADAPTER:
            self._choose(Selection(model, None))
            return
        if model is None:
            raise BadInput(f"No model is installed yet, so no adapter can be used. Please run {PROGRAM} setup.")
        self._check_adapter(name, read_manifest(self.models()[model]), unmeasured=unmeasured)
        self._choose(Selection(model, name, unmeasured))

    def forget_missing(self) -> None:
        """Drop from the choice what is no longer there.

        Raises:
            StorageError: the choice could not be written.
        """
        chosen = self.selection()
        if chosen.adapter not in self.adapters():
            chosen = replace(chosen, adapter=None, unmeasured=False)
        if chosen.model not in self.models():
            chosen = Selection()
        if chosen != self.selection():
            self._choose(chosen)

    def pair(self, model: str | None = None, adapter: str | None = None) -> Pair:
        """The folders to load: those in use, unless named here (`none` for no adapter).

        A named one that cannot be used raises `ShelfError` or `BadInput`; a chosen adapter that no longer can be used
        is left out with a warning, since the model is useful without it.
        """
        model_name = model or self._model_in_use()
        if model_name is None:
            return Pair(None, None)
        folder = self.model_folder(model_name)
        if adapter == NO_ADAPTER:
            return Pair(folder, None)
        if adapter is not None:
            unmeasured = self.selection().unmeasured and adapter == self.selection().adapter
            return Pair(folder, self._check_adapter(adapter, read_manifest(folder), unmeasured=unmeasured))
        chosen = self.selection()
        if chosen.adapter is None:
            return Pair(folder, None)
        try:
            adapter_folder = self._check_adapter(chosen.adapter, read_manifest(folder), unmeasured=chosen.unmeasured)
            return Pair(folder, adapter_folder)
        except (ShelfError, BadInput) as error:
            return Pair(folder, None, error.sentence)

    def cards(self) -> dict[str, AdapterCard]:
        """The cards of all adapters whose card can be read."""
        readable = {}
        for name, folder in self.adapters().items():
            with contextlib.suppress(ShelfError):
                readable[name] = read_card(folder)
        return readable

    def manifests(self) -> dict[str, ModelManifest]:
        """The manifests of all models whose manifest can be read."""
        readable = {}
        for name, folder in self.models().items():
            with contextlib.suppress(ShelfError):
                readable[name] = read_manifest(folder)
        return readable

    def _model_in_use(self) -> str | None:
        models = self.models()
        chosen = self.selection().model
        return chosen if chosen in models else next(iter(models), None)

    def _check_adapter(self, name: str, model: ModelManifest, *, unmeasured: bool = False) -> Path:
        folder = self.adapter_folder(name)
        check_adapter_folder(folder)
        check_fits(folder, read_card(folder), model, measured=not unmeasured)
        return folder

    def _choose(self, selection: Selection) -> None:
        write_json(self._paths.selection_file, asdict(selection))

    @staticmethod
    def _named(name: str, folders: dict[str, Path], kind: str) -> Path:
        if name not in folders:
            known = ", ".join(folders) or "none yet"
            raise BadInput(f"There is no {kind} called {name}. Installed: {known}.")
        return folders[name]


def _finished(root: Path, marker: str) -> dict[str, Path]:
    """Folders under `root` that hold `marker`, by name. A folder being made has a name that begins with a dot."""
    with contextlib.suppress(OSError):
        found = {path.parent.name: path.parent for path in root.glob(f"*/{marker}")}
        return {name: found[name] for name in sorted(found) if not name.startswith(".")}
    return {}
