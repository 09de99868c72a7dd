"""A folder that somebody else made: which of its files may be looked at, and what is refused before any library does.

Only regular files at the top of the folder count; subfolders are never entered. Nothing is unpickled, imported or run.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path

from mhdesk.library.json_file import BadJsonFile, read_json_object
from mhdesk.library.pickle_signs import looks_pickled
from mhdesk.library.plain_file import open_plain_file

MAX_ENTRIES = 2000
MAX_NAME = 200
_SNIFFED_BYTES = 64 * 1024
_MAX_CONFIGURATION_BYTES = 16 * 2**20

_PICKLED_ENDINGS = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz"})
_CODE_ENDINGS = frozenset({".py", ".pyc", ".pyd", ".pyw", ".pyz", ".so", ".dll", ".dylib", ".exe"})
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


class ForeignFile(ValueError):
    """Something in the folder is refused. The message completes the sentence "… cannot be used: …"."""


def is_plain_name(name: str) -> bool:
    """Whether a file could have this name on every system that we run on, and show it without tricks."""
    return (
        0 < len(name) <= MAX_NAME
        and name.isprintable()
        and not set(name) & set('\\/:*?"<>|')
        and name not in (".", "..")
        and name[-1] not in ". "
        and name[0] != " "
        and unicodedata.normalize("NFKC", name).split(".")[0].strip().casefold() not in _RESERVED
    )


def plain_files(folder: Path) -> dict[str, Path]:
    """The regular files at the top of `folder` by name, sorted; a link to such a file counts if it stays inside.

    Nothing is opened, since opening a named pipe would wait for ever.

    Raises:
        ForeignFile: something is neither a file nor a folder, leads outside, or has a name that is not plain.
    """
    try:
        with os.scandir(folder) as entries:
            names = []
            for entry in entries:
                names.append(entry.name)
                if len(names) > MAX_ENTRIES:
                    raise ForeignFile(f"its folder holds more than {MAX_ENTRIES} entries")
        root = folder.resolve(strict=True)
    except (OSError, RuntimeError):
        raise ForeignFile("its folder cannot be read") from None
    found = {}
    for name in sorted(names):
        path = folder / name
        if not is_plain_name(name):
            raise ForeignFile(f"its folder holds a file with an unusual name, {ascii(name)[:80]}")
        mode = _mode_inside(path, root)
        if stat.S_ISREG(mode):
            found[name] = path
        elif not stat.S_ISDIR(mode):
            raise ForeignFile(f"{name} is neither a file nor a folder")
    return found


def check_foreign_folder(folder: Path) -> dict[str, Path]:
    """`plain_files`, after a look at what each is called and how it begins.

    Raises:
        ForeignFile: it brings code, or a pickled file under whatever name.
    """
    files = plain_files(folder)
    for name, path in files.items():
        ending = Path(name.casefold()).suffix
        if ending in _CODE_ENDINGS:
            raise ForeignFile(f"it brings code ({name}), which MHDesk never runs")
        if ending in _PICKLED_ENDINGS:
            raise ForeignFile(f"it brings pickled files ({name}), which can hold code and which MHDesk never reads")
        if looks_pickled(name, *_beginning_and_size(path)):
            raise ForeignFile(
                f"{name} is a pickled or packed file under another name, which can hold code and is never read here"
            )
        if name.casefold().endswith("config.json"):
            _check_asks_for_no_code(path)
    return files


def _mode_inside(path: Path, root: Path) -> int:
    """What kind of entry `path` is, through a link only if the link stays under `root`."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            return mode
        target = path.resolve(strict=True)
        if root not in target.parents:
            raise ForeignFile(
                f"{path.name} is a link that leads out of the folder; please copy the file itself into the folder"
            )
        return target.lstat().st_mode
    except (OSError, RuntimeError):
        raise ForeignFile(f"{path.name} cannot be read") from None


def _beginning_and_size(path: Path) -> tuple[bytes, int]:
    try:
        with open_plain_file(path) as file:
            return file.read(_SNIFFED_BYTES), os.fstat(file.fileno()).st_size
    except OSError:
        raise ForeignFile(f"{path.name} cannot be read") from None


def _check_asks_for_no_code(path: Path) -> None:
    try:
        configuration = read_json_object(path, largest_bytes=_MAX_CONFIGURATION_BYTES)
    except BadJsonFile as error:
        raise ForeignFile(str(error)) from None
    if "auto_map" in configuration:
        raise ForeignFile(f"its {path.name} asks for code of its own (auto_map), which MHDesk never runs")
