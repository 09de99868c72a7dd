"""Reading exact pins, and comparing them with what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from mhdesk_setup.environment import drop_half_installed
from mhdesk_setup.pins import Requirements, installed_versions, parse_pins, unmet_pins
from mhdesk_setup.sentences import SetUpError

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "requirements.txt"
TRAINER = ROOT / "packaging" / "requirements-trainer.txt"
DEVELOPMENT = ROOT / "packaging" / "requirements-dev.txt"


def install_record(site_packages: Path, name: str, version: str, *, whole: bool = True) -> None:
    record = site_packages / f"{name}-{version}.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if whole:
        (record / "INSTALLER").write_text("pip\n")


def test_comments_and_empty_lines_are_passed_over_and_names_normalised() -> None:
    text = "# group\n\nPySide6_Essentials==6.12.0  # the window\nhttpx[http2] == 1.0\n"
    assert parse_pins(text) == [("pyside6-essentials", "6.12.0"), ("httpx", "1.0")]


def test_lines_for_other_systems_do_not_count() -> None:
    text = 'a==1; sys_platform == "win32"\nb==2; sys_platform != "win32"\n'
    assert parse_pins(text, "linux") == [("b", "2")]
    assert parse_pins(text, "win32") == [("a", "1")]


@pytest.mark.parametrize("line", ["torch", "torch>=2", "-r other.txt", "a==1; python_version < '3.12'", "a==1.*"])
def test_a_line_without_an_exact_version_is_refused_by_name(line: str) -> None:
    with pytest.raises(SetUpError, match="names no exact version") as refused:
        parse_pins(line)
    assert line in refused.value.sentence


@pytest.mark.parametrize("file", [APP, TRAINER, DEVELOPMENT], ids=["app", "trainer", "development"])
def test_the_shipped_files_are_exact_pins(file: Path) -> None:
    assert len(Requirements((file,)).pins()) >= 8


def test_the_interpreter_of_the_tests_has_every_pin() -> None:
    assert unmet_pins(Requirements((APP, TRAINER, DEVELOPMENT)).pins()) == []


def test_a_build_of_the_pinned_version_meets_the_pin(tmp_path: Path) -> None:
    install_record(tmp_path, "torch", "2.13.0+cpu")
    assert unmet_pins({"torch": "2.13.0"}, tmp_path) == []
    assert unmet_pins({"torch": "2.13.0+cu130"}, tmp_path) == ["torch"]
    assert unmet_pins({"torch": "2.13.1"}, tmp_path) == ["torch"]


def test_a_package_cut_off_while_it_was_installed_counts_as_missing_and_its_record_goes(tmp_path: Path) -> None:
    install_record(tmp_path, "whole_one", "1.0")
    install_record(tmp_path, "cut_off", "1.0", whole=False)
    assert unmet_pins({"whole-one": "1.0", "cut-off": "1.0"}, tmp_path) == ["cut-off"]
    assert drop_half_installed(tmp_path) == ["cut_off-1.0.dist-info"]
    assert installed_versions(tmp_path) == {"whole-one": "1.0"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole_one-1.0.dist-info"]


def test_the_digest_changes_with_any_of_the_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("a==1\n")
    second.write_text("b==1\n")
    before = Requirements((first, second)).digest()
    second.write_text("b==2\n")
    assert Requirements((first, second)).digest() != before
