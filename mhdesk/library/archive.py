"""Unpacking a zip file that somebody else made: a handful of plain files, flat into one new folder, or nothing.

What the file says of itself (names, sizes, places) is checked before anything is written, and counted while it is.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from mhdesk.core.errors import StorageError
from mhdesk.core.paths import unwritable_sentence
from mhdesk.library.foreign_folder import is_plain_name
from mhdesk.library.plain_file import open_plain_file

MAX_ENTRIES = 200
_MAX_READ_BYTES = 2**20
"""More than a table of contents of `MAX_ENTRIES` and a zip comment need; `zipfile` reads each in one piece."""

_BLOCK_BYTES = 2**18
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What file managers add to a zip on their own: left out."""

_MALFORMED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError,
    KeyError, IndexError, OverflowError,
)  # fmt: skip


class BadArchive(ValueError):
    """The file is refused and nothing of it is kept. The message completes the sentence "… cannot be used: …"."""


class _BoundedFile:
    """A file that gives no more than `_MAX_READ_BYTES` at once, so that no length in a header costs memory."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            size = max(0, os.fstat(self._file.fileno()).st_size - self.tell())
        if size > _MAX_READ_BYTES:
            raise BadArchive("its table of contents is too large")
        return self._file.read(size)


def unpack(archive: Path, target: Path, *, largest_bytes: int) -> None:
    """Write the files of the zip `archive` into the new folder `target`, which is absent again after any failure.

    The files may lie at the top of the zip or in one folder; `largest_bytes` bounds what they come to.

    Raises:
        BadArchive: with the reason.
        StorageError: the disk would not take it, or `target` is there already.
    """
    try:
        opened = open_plain_file(archive)
    except OSError:
        raise BadArchive("the zip file cannot be read") from None
    with opened:
        file = _BoundedFile(opened)
        try:
            with zipfile.ZipFile(file) as source:
                wanted = _checked(source, file, largest_bytes)
                _write_all(source, wanted, target)
        except BadArchive:
            raise
        except _MALFORMED:
            raise BadArchive("the zip file is damaged or cut short") from None


def _checked(source: zipfile.ZipFile, file: _BoundedFile, largest_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """The entries to be written by their names in the target."""
    entries = source.infolist()
    if len(entries) > MAX_ENTRIES:
        raise BadArchive(f"the zip file holds more than {MAX_ENTRIES} entries")
    _check_places(source, file, entries)
    wanted: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        _check_kind(entry)
        if entry.filename.startswith(_LITTER[0]) or entry.filename.rsplit("/", 1)[-1] in _LITTER[1:]:
            continue
        folder, name = _split(entry)
        folders.add(folder)
        if len(folders) > 1:
            raise BadArchive(
                "the zip file holds more than one folder; please put all files at its top or in one folder"
            )
        if entry.is_dir():
            continue
        key = unicodedata.normalize("NFKC", name).casefold()
        if key in seen:
            raise BadArchive(f"the zip file holds {name} more than once")
        seen.add(key)
        wanted[name] = entry
    if not wanted:
        raise BadArchive("the zip file holds no files")
    if sum(entry.file_size for entry in wanted.values()) > largest_bytes:
        raise BadArchive(f"what the zip file holds is larger than {largest_bytes / 2**20:,.0f} MiB")
    return wanted


def _check_kind(entry: zipfile.ZipInfo) -> None:
    mode = stat.S_IFMT(entry.external_attr >> 16)
    if mode not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
        raise BadArchive("the zip file holds a link or something else that is no file")
    if entry.flag_bits & _ENCRYPTED_FLAGS:
        raise BadArchive("the zip file is protected by a password; please unpack it yourself and add the folder")
    if entry.compress_type not in _METHODS:
        raise BadArchive("the zip file is packed by an unusual method; please unpack it yourself and add the folder")


def _split(entry: zipfile.ZipInfo) -> tuple[str, str]:
    """Folder ("" for the top) and name of an entry; of a folder, the name is empty."""
    folder, _, name = entry.filename.rpartition("/")
    parts = [part for part in (folder, name) if part]
    if entry.filename != entry.orig_filename or entry.filename[:1] == "/" or not _all_plain(parts):
        if "/" in folder and _all_plain(entry.filename.rstrip("/").split("/")):
            raise BadArchive("the zip file holds folders in folders; please put all files at its top or in one folder")
        raise BadArchive(f"the zip file holds an entry with an unusual name, {ascii(entry.filename)[:80]}")
    return folder, name


def _all_plain(names: list[str]) -> bool:
    return bool(names) and all(is_plain_name(name) for name in names)


def _check_places(source: zipfile.ZipFile, file: _BoundedFile, entries: list[zipfile.ZipInfo]) -> None:
    """No two entries may share bytes with each other or with the table of contents, as in bombs made of overlaps."""
    free_from = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < free_from:
            raise BadArchive("the zip file holds entries that overlap")
        file.seek(entry.header_offset)
        signature, name_length, extra_length = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        if signature != b"PK\x03\x04":
            raise BadArchive("the zip file is damaged or cut short")
        content = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        free_from = content + entry.compress_size
    if free_from > source.start_dir:
        raise BadArchive("the zip file holds entries that overlap")


def _write_all(source: zipfile.ZipFile, wanted: dict[str, zipfile.ZipInfo], target: Path) -> None:
    needed = sum(entry.file_size for entry in wanted.values())
    _make_room(target, needed)
    try:
        for name, entry in wanted.items():
            _write(target / name, _content(source, entry))
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _make_room(target: Path, needed: int) -> None:
    try:
        target.mkdir(parents=True)
        free = shutil.disk_usage(target).free
    except OSError as error:
        raise StorageError(unwritable_sentence(target, error)) from error
    if free < needed:
        target.rmdir()
        raise StorageError(
            f"Unpacking needs {needed / 2**20:,.0f} MiB and the disk that holds {target.parent} has "
            f"{free / 2**20:,.0f} MiB left. Please free some space and try again."
        )


def _content(source: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What really comes out, in blocks; it must be as long as the entry says, and `zipfile` compares its checksum."""
    left = entry.file_size
    with source.open(entry) as packed:
        while block := packed.read(_BLOCK_BYTES):
            left -= len(block)
            yield block
    if left:
        raise BadArchive("the zip file holds an entry of another size than it says")


def _write(path: Path, content: Iterator[bytes]) -> None:
    """Write a new file; only failures of writing are the disk's."""
    try:
        file = path.open("xb")
    except OSError as error:
        raise StorageError(unwritable_sentence(path.parent, error)) from error
    with file:
        for block in content:
            try:
                file.write(block)
            except OSError as error:
                raise StorageError(unwritable_sentence(path.parent, error)) from error
