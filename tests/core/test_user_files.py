"""Settings and paths: what is read, what is written, and what happens when the disk says no."""

import json

import pytest

from mhdesk.core.errors import StorageError
from mhdesk.core.paths import UserPaths, resources_dir
from mhdesk.core.settings import AgeBand, Looks, Settings, load_settings, save_settings
from tests.namespaces import in_namespace


def test_settings_come_back_as_they_were_saved(tmp_path):
    settings = Settings(region="AT", language="de", age_band=AgeBand.TEEN, looks=Looks.DARK, last_used="2026-11-24")
    save_settings(tmp_path / "settings.json", settings)
    assert load_settings(tmp_path / "settings.json") == settings


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"region": 5, "age_band": "old", "looks": "pink", "last_used": "lately"}', "\udcff"]
)
def test_a_damaged_file_gives_the_defaults(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    assert load_settings(path) == Settings()


def test_what_is_known_is_kept_beside_what_is_not(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"region": "NZ", "looks": "plaid"}))
    assert load_settings(path) == Settings(region="NZ")


def test_the_day_of_the_last_use_is_a_day_and_nothing_more(tmp_path):
    path = tmp_path / "settings.json"
    for written, read in [("2026-11-24", "2026-11-24"), ("2026-11-24T22:10", ""), ("2026-13-01", ""), ("", "")]:
        path.write_text(json.dumps({"last_used": written}))
        assert load_settings(path).last_used == read


def test_mhdesk_home_moves_all_user_data(tmp_path, monkeypatch):
    monkeypatch.setenv("MHDESK_HOME", str(tmp_path / "elsewhere"))
    paths = UserPaths.from_environment()
    paths.ensure()
    places = [paths.models, paths.adapters, paths.settings_file, paths.selection_file, paths.fault_counts_file]
    assert all(place.is_relative_to(tmp_path / "elsewhere") for place in places)


def test_the_programs_own_resources_are_found():
    assert (resources_dir() / "prompts" / "en.json").is_file()


def test_a_read_only_home_is_said_in_a_sentence_that_names_it(tmp_path):
    result = in_namespace(
        """
        import subprocess, sys
        home = sys.argv[1]
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", home], check=True)
        subprocess.run(["mount", "-o", "remount,ro", home], check=True)
        from pathlib import Path
        from mhdesk.core.errors import StorageError
        from mhdesk.core.paths import UserPaths
        try:
            UserPaths(Path(home)).ensure()
        except StorageError as error:
            print(error.sentence)
        """,
        str(tmp_path),
    )
    assert "may not write" in result.stdout, result.stderr
    assert str(tmp_path) in result.stdout


def test_a_full_disk_keeps_the_old_settings_and_says_so(tmp_path):
    result = in_namespace(
        """
        import subprocess, sys
        from pathlib import Path
        home = Path(sys.argv[1])
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(home)], check=True)
        from mhdesk.core.errors import StorageError
        from mhdesk.core.settings import Settings, load_settings, save_settings
        save_settings(home / "settings.json", Settings(region="GB"))
        try:
            with (home / "filler").open("wb") as filler:
                filler.write(b"x" * 200_000)
        except OSError:
            pass
        try:
            save_settings(home / "settings.json", Settings(region="x" * 9000))
        except StorageError as error:
            print(error.sentence)
        print(load_settings(home / "settings.json").region, sorted(path.name for path in home.iterdir()))
        """,
        str(tmp_path),
    )
    assert "is full" in result.stdout, result.stderr
    assert "GB ['filler', 'settings.json']" in result.stdout


def test_a_file_in_the_way_of_the_folder_is_a_sentence(tmp_path):
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(StorageError):
        UserPaths(tmp_path / "home").ensure()


def test_settings_file_is_for_the_user_alone(tmp_path):
    save_settings(tmp_path / "settings.json", Settings())
    assert (tmp_path / "settings.json").stat().st_mode & 0o077 == 0
