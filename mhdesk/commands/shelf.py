"""`models list|use` and `adapters list|use|none`."""

from __future__ import annotations

import sys
from dataclasses import asdict

from mhdesk.commands.json_lines import write_line
from mhdesk.core.paths import PROGRAM, UserPaths
from mhdesk.library.catalogue import Catalogue
from mhdesk.library.licences import built_with
from mhdesk.library.shelf import NO_ADAPTER, Shelf
from mhdesk.library.shelf_changes import unfinished_models


def list_models(*, as_json: bool) -> int:
    """One line a model: name, parameters, size, licence, and which is in use."""
    shelf = Shelf(UserPaths.from_environment())
    in_use = shelf.pair().model
    for name, manifest in shelf.manifests().items():
        used = in_use is not None and in_use.name == name
        shown = built_with(manifest.licence)
        if as_json:
            write_line({"model": name, "in_use": used, "built_with": shown, **asdict(manifest)})
        else:
            sys.stdout.write(
                f"{'*' if used else ' '} {name}: {manifest.title}, "
                f"{manifest.parameters / 1e6:,.0f} million parameters, "
                f"{manifest.weights_bytes / 1e6:,.0f} MB, {' — '.join(filter(None, (manifest.licence, shown)))}\n"
            )
    if not as_json:
        for name, size in unfinished_models(UserPaths.from_environment()).items():
            sys.stderr.write(
                f"{name} is unfinished ({size / 1e6:,.0f} MB are kept): run the same command again to go on, or "
                f"{PROGRAM} models remove {name}\n"
            )
        _tell_downloadable(set(shelf.models()))
    return 0


def _tell_downloadable(installed: set[str]) -> None:
    """What `models download` knows besides, on standard error."""
    known = [model for model in Catalogue.load().models if model.downloadable and model.name not in installed]
    if not known:
        return
    sys.stderr.write(f"\n{PROGRAM} models download NAME fetches:\n")
    for model in known:
        need = f"{model.memory_2k_bytes / 2**30:.1f} to {model.memory_4k_bytes / 2**30:.1f} GiB of memory"
        sign_in = ", asks for an account of its maker's" if model.sign_in else ""
        sys.stderr.write(f"  {model.name}: {model.full_bytes / 1e9:.1f} GB, {need}, {model.licence}{sign_in}\n")


def use_model(name: str) -> int:
    """Choose a base model."""
    Shelf(UserPaths.from_environment()).use_model(name)
    return 0


def list_adapters(*, as_json: bool) -> int:
    """One line an adapter: name, base, date, and which is in use."""
    shelf = Shelf(UserPaths.from_environment())
    in_use = shelf.pair().adapter
    for name, card in shelf.cards().items():
        used = in_use is not None and in_use.name == name
        if as_json:
            write_line({"adapter": name, "in_use": used, **asdict(card)})
        else:
            sys.stdout.write(f"{'*' if used else ' '} {name}: for {card.base_id}, made {card.created}\n")
    return 0


def use_adapter(name: str, *, unmeasured: bool) -> int:
    """Choose an adapter, `none` for none; with `unmeasured` one that nobody has measured, too."""
    if name == NO_ADAPTER:
        return use_no_adapter()
    Shelf(UserPaths.from_environment()).use_adapter(name, unmeasured=unmeasured)
    return 0


def use_no_adapter() -> int:
    """Work without an adapter."""
    Shelf(UserPaths.from_environment()).use_adapter(NO_ADAPTER)
    sys.stderr.write("No adapter is in use now.\n")
    return 0
