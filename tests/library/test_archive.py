import io
import stat
import struct
import tracemalloc
import zipfile

import pytest

from mhdesk.core.errors import StorageError
from mhdesk.library.archive import BadArchive, unpack
from tests.namespaces import in_namespace

LARGEST = 2**20


def make(path, entries, **options):
    """A zip with `entries` (name or ZipInfo, content) in their order."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def refuse(archive, target, reason, largest_bytes=LARGEST):
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(BadArchive, match=reason):
        unpack(archive, target, largest_bytes=largest_bytes)
    assert not target.exists()
    assert sorted(archive.parent.rglob("*")) == before


@pytest.fixture
def target(tmp_path):
    return tmp_path / "unpacked"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("folder", ["", "my adapter/"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_at_the_top_or_in_one_folder_are_written_flat(tmp_path, target, folder, method):
    entries = [(f"{folder}card.json", b"{}"), (f"{folder}größe.bin", bytes(range(256)) * 3000)]
    if folder:
        entries.insert(0, (folder, b""))
    unpack(make(tmp_path / "a.zip", entries, compression=method), target, largest_bytes=LARGEST)
    assert contents(target) == {"card.json": b"{}", "größe.bin": bytes(range(256)) * 3000}


def test_what_file_managers_add_is_left_out(tmp_path, target):
    entries = [("a/card.json", b"{}"), ("__MACOSX/a/._card.json", b"\0"), ("a/.DS_Store", b"\0")]
    unpack(make(tmp_path / "a.zip", entries), target, largest_bytes=LARGEST)
    assert contents(target) == {"card.json": b"{}"}


def test_an_archive_within_is_a_file_like_any_other(tmp_path, target):
    inner = make(tmp_path / "inner.zip", [("a", b"a")]).read_bytes()
    unpack(make(tmp_path / "a.zip", [("inner.zip", inner)]), target, largest_bytes=LARGEST)
    assert contents(target) == {"inner.zip": inner}


def test_entries_that_are_streamed_with_their_length_behind_them_are_written(tmp_path, target):
    class Pipe(io.RawIOBase):
        def __init__(self, file):
            self.file = file

        def writable(self):
            return True

        def write(self, content):
            return self.file.write(content)

    with (tmp_path / "a.zip").open("wb") as file:
        make(Pipe(file), [("a", b"first"), ("b", b"second")])
    unpack(tmp_path / "a.zip", target, largest_bytes=LARGEST)
    assert contents(target) == {"a": b"first", "b": b"second"}


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../escape", "a/../../escape", "..", "C:/windows", "C:evil", "\\\\host\\share", "a\\b", "./a"),
        *("a//b", "con", "NUL.txt", "LPT1", "com¹", "a.", "a ", "a\n", "x" * 201, "a:stream", "\u202etxt"),
    ],
)
def test_a_name_that_could_lead_elsewhere_or_is_reserved_is_refused(tmp_path, target, name):
    refuse(make(tmp_path / "a.zip", [("fine", b""), (name, b"x")]), target, "unusual name")


def test_a_name_cut_by_a_zero_is_refused(tmp_path, target):
    content = make(tmp_path / "a.zip", [("card_json", b"x")]).read_bytes().replace(b"card_json", b"card\0json")
    (tmp_path / "a.zip").write_bytes(content)
    refuse(tmp_path / "a.zip", target, "unusual name")


@pytest.mark.parametrize("names", [["a/b/c"], ["a/b/"], ["a/x", "b/x"], ["x", "a/x"]])
def test_more_than_one_folder_is_refused(tmp_path, target, names):
    refuse(make(tmp_path / "a.zip", [(name, b"") for name in names]), target, "at its top or in one folder")


@pytest.mark.parametrize("second", ["card.json", "CARD.JSON", "ｃard.json"])
def test_names_that_would_be_one_file_on_some_disk_are_refused(tmp_path, target, second):
    entries = [("card.json", b"1"), (second, b"2")]
    if second == "card.json":
        with pytest.warns(UserWarning, match="Duplicate"):
            make(tmp_path / "a.zip", entries)
    else:
        make(tmp_path / "a.zip", entries)
    refuse(tmp_path / "a.zip", target, "more than once")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK, stat.S_IFDIR])
def test_a_link_or_a_device_is_refused(tmp_path, target, kind):
    entry = zipfile.ZipInfo("card.json")
    entry.external_attr = (kind | 0o777) << 16
    refuse(make(tmp_path / "a.zip", [(entry, b"/etc/passwd")]), target, "no file")


def patched(archive, central=(), local=()):
    """Overwrite fields of the first entry: (offset in its record, format, value)."""
    content = bytearray(archive.read_bytes())
    for place, fields in ((content.rfind(b"PK\x01\x02"), central), (0, local)):
        for offset, form, value in fields:
            struct.pack_into(form, content, place + offset, value)
    archive.write_bytes(content)
    return archive


FLAGS_CENTRAL, FLAGS_LOCAL, CRC, PACKED, SIZE, METHOD, HEADER_AT = 8, 6, 16, 20, 24, 10, 42


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_a_password_is_refused(tmp_path, target, flag):
    archive = patched(make(tmp_path / "a.zip", [("a", b"x")]), central=[(FLAGS_CENTRAL, "<H", flag)])
    refuse(archive, target, "password")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_unusual_method_is_refused(tmp_path, target, method):
    refuse(make(tmp_path / "a.zip", [("a", b"x")], compression=method), target, "unusual method")


def test_more_than_200_entries_are_refused(tmp_path, target):
    refuse(make(tmp_path / "a.zip", [(f"{n}", b"") for n in range(201)]), target, "more than 200 entries")
    unpack(make(tmp_path / "b.zip", [(f"{n}", b"") for n in range(200)]), target, largest_bytes=LARGEST)


def test_a_table_of_contents_too_large_for_memory_is_refused_unread(tmp_path, target):
    archive = make(tmp_path / "a.zip", [(f"{n:0180}", b"") for n in range(10_000)])
    tracemalloc.start()
    refuse(archive, target, "table of contents is too large")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_more_bytes_than_allowed_are_refused(tmp_path, target):
    archive = make(tmp_path / "a.zip", [("a", bytes(LARGEST)), ("b", b"x")], compression=zipfile.ZIP_DEFLATED)
    refuse(archive, target, "larger than 1 MiB")
    unpack(archive, target, largest_bytes=LARGEST + 1)


def test_a_bomb_that_lies_about_its_size_yields_nothing(tmp_path, target):
    archive = make(tmp_path / "a.zip", [("a", bytes(50 * LARGEST))], compression=zipfile.ZIP_DEFLATED)
    patched(archive, central=[(SIZE, "<I", 100)], local=[(22, "<I", 100)])
    refuse(archive, target, "damaged")


def test_an_entry_shorter_than_it_says_is_refused(tmp_path, target):
    archive = make(tmp_path / "a.zip", [("a", b"x" * 100)], compression=zipfile.ZIP_DEFLATED)
    refuse(patched(archive, central=[(SIZE, "<I", 101)]), target, "another size than it says")


@pytest.mark.parametrize(
    "change", [(PACKED, "<I", 1000), (HEADER_AT, "<I", 2**31), (CRC, "<I", 7), (HEADER_AT, "<I", 5)]
)
def test_an_entry_whose_place_or_checksum_is_wrong_is_refused(tmp_path, target, change):
    refuse(patched(make(tmp_path / "a.zip", [("a", b"x" * 100)]), central=[change]), target, "damaged|overlap")


def overlapping(count, kernel):
    """Many entries of the table that all point at one piece of content: the bomb without recursion."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0000", kernel)
    content = buffer.getvalue()
    table = content.rfind(b"PK\x01\x02")
    record = bytearray(content[table : content.rfind(b"PK\x05\x06")])
    records = b""
    for _ in range(count):
        records += record
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(records), table, 0)
    return content[:table] + records + end


def test_entries_that_share_their_content_are_refused(tmp_path, target):
    (tmp_path / "a.zip").write_bytes(overlapping(100, bytes(1000)))
    refuse(tmp_path / "a.zip", target, "overlap")


def test_an_entry_quoted_inside_another_is_refused(tmp_path, target):
    inner = make(tmp_path / "inner.zip", [("b", b"y" * 50)]).read_bytes()
    archive = make(tmp_path / "a.zip", [("a", inner), ("b", b"y" * 50)])
    content = bytearray(archive.read_bytes())
    second = content.rfind(b"PK\x01\x02")
    struct.pack_into("<I", content, second + HEADER_AT, content.find(inner))
    archive.write_bytes(content)
    refuse(archive, target, "overlap")


def test_an_entry_that_reaches_into_the_table_of_contents_is_refused(tmp_path, target):
    archive = make(tmp_path / "a.zip", [("a", b"x" * 100)])
    length = archive.stat().st_size - 31
    patched(archive, central=[(PACKED, "<I", length), (SIZE, "<I", length)])
    refuse(archive, target, "overlap")


def test_a_zip_cut_anywhere_is_refused(tmp_path, target):
    content = make(tmp_path / "whole", [("a", b"x" * 50), ("b", b"y")]).read_bytes()
    (tmp_path / "whole").unlink()
    for length in range(len(content)):
        (tmp_path / "a.zip").write_bytes(content[:length])
        refuse(tmp_path / "a.zip", target, "damaged or cut short")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)], ids=["empty", "text", "no entries"])
def test_what_is_no_zip_or_holds_nothing_is_refused(tmp_path, target, content):
    (tmp_path / "a.zip").write_bytes(content)
    refuse(tmp_path / "a.zip", target, "damaged or cut short|holds no files")


def test_a_missing_zip_is_refused(tmp_path, target):
    refuse(tmp_path / "nothing.zip", target, "cannot be read")


def test_a_target_that_stands_is_left_as_it_is(tmp_path, target):
    target.mkdir()
    (target / "mine").write_text("mine")
    with pytest.raises(StorageError):
        unpack(make(tmp_path / "a.zip", [("a", b"")]), target, largest_bytes=LARGEST)
    assert contents(target) == {"mine": b"mine"}


def with_an_impossible_size(archive):
    """One entry that says, in the long form of zip, that it holds an exbibyte."""
    content = archive.read_bytes()
    table = content.rfind(b"PK\x01\x02")
    record = bytearray(content[table : content.rfind(b"PK\x05\x06")])
    struct.pack_into("<I", record, SIZE, 2**32 - 1)
    extra = struct.pack("<HHQ", 1, 8, 2**60)
    struct.pack_into("<H", record, 30, len(extra))
    record += extra
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(record), table, 0)
    archive.write_bytes(content[:table] + record + end)
    return archive


def test_what_the_disk_has_no_room_for_is_refused_with_the_figures(tmp_path, target):
    huge = with_an_impossible_size(make(tmp_path / "a.zip", [("a", b"x")]))
    with pytest.raises(StorageError, match=r"Unpacking needs [\d,]+ MiB and the disk .* has [\d,]+ MiB left"):
        unpack(huge, target, largest_bytes=2**62)
    assert not target.exists()


def test_a_place_that_may_not_be_written_to_is_the_disks_fault(tmp_path):
    """A read-only mount, since root may write wherever only the mode of a folder forbids it."""
    (tmp_path / "closed").mkdir()
    result = in_namespace(
        """
        import subprocess, sys
        from pathlib import Path
        archive, closed = Path(sys.argv[1]), Path(sys.argv[2])
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(closed)], check=True)
        from mhdesk.core.errors import StorageError
        from mhdesk.library.archive import unpack
        try:
            unpack(archive, closed / "b", largest_bytes=1000)
        except StorageError as error:
            print(error.sentence)
        """,
        str(make(tmp_path / "a.zip", [("a", b"")])),
        str(tmp_path / "closed"),
    )
    assert "may not write" in result.stdout, result.stderr
