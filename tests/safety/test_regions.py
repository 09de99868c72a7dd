"""Regions: every record is well formed, and the first guess of a region is right or empty."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mhdesk.safety.regions import POLICE, load_fallback, load_regions, local_time_zone, preselect_region

REGIONS = load_regions()
COUNTRIES = [region for code, region in REGIONS.items() if "-" not in code]


@pytest.mark.parametrize("region", REGIONS.values(), ids=lambda region: region.code)
def test_every_region_has_a_dialable_emergency_number_first(region) -> None:
    assert re.fullmatch(r"[A-Z]{2}(-[A-Z]{1,3})?", region.code)
    assert region.name
    first = region.emergency[0]
    assert first.kind == "emergency"
    for line in region.emergency:
        assert line.kind in ("emergency", POLICE)
        assert re.fullmatch(r"\d{2,5}", line.voice or line.text), line
        assert not (line.voice and line.text)
        assert line.source_url.startswith("https://")
        assert line.name
        assert line.audience
        assert line.hours == "24/7"
        assert line.evidence == "secondary"
        assert re.fullmatch(r"|\d{4}-\d{2}(-\d{2})?", line.source_copy_date)
    assert first.voice


def test_the_regions_people_are_most_likely_to_be_in_are_there() -> None:
    wanted = {"US", "GB", "IE", "CA", "AU", "NZ", "DE", "AT", "CH", "FR", "ES", "IT", "NL", "BE", "PT", "BR", "IN"}
    assert wanted | {"JP", "CN", "MX", "SE", "NO", "DK", "FI", "PL", "ZA"} <= set(REGIONS)
    assert {"GB-ENG", "GB-SCT", "GB-WLS", "GB-NIR"} <= set(REGIONS)


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("US", "911"), ("CA", "911"), ("GB", "999"), ("GB-NIR", "999"), ("IE", "112"), ("AU", "000"), ("NZ", "111"),
        ("DE", "112"), ("FR", "112"), ("NO", "113"), ("JP", "119"), ("KR", "119"), ("CN", "120"), ("IN", "112"),
        ("BR", "192"), ("MX", "911"), ("ZA", "112"), ("SG", "995"), ("HK", "999"), ("CH", "112"),
    ],
)  # fmt: skip
def test_the_first_emergency_number_is_the_one_for_a_life_in_danger(code: str, number: str) -> None:
    assert REGIONS[code].emergency[0].voice == number


@pytest.mark.parametrize(("code", "number"), [("DE", "110"), ("JP", "110"), ("NO", "112"), ("BR", "190")])
def test_a_separate_police_number_is_there_and_marked(code: str, number: str) -> None:
    assert [line.voice for line in REGIONS[code].emergency if line.kind == POLICE] == [number]


def test_no_zone_belongs_to_two_regions_and_every_country_has_one() -> None:
    zones = [zone for region in COUNTRIES for zone in region.zones]
    assert len(zones) == len(set(zones))
    assert all(region.zones for region in COUNTRIES)


def test_a_part_of_a_country_shares_its_emergency_numbers_and_is_never_guessed() -> None:
    for code, region in REGIONS.items():
        if "-" in code:
            assert region.emergency == REGIONS[code[:2]].emergency
            assert region.zones == ()


@pytest.mark.parametrize(
    ("zone", "locale", "region"),
    [
        ("Europe/London", "en_US", "GB"),
        ("America/New_York", None, "US"),
        ("Europe/Vienna", "de_DE", "AT"),
        ("Asia/Calcutta", None, "IN"),
        ("Europe/Kiev", None, "UA"),
        ("America/Toronto", "en_US", "CA"),
        ("Asia/Taipei", "zh_CN", "TW"),
        (None, "de_AT", "AT"),
        (None, "de_AT.UTF-8", "AT"),
        (None, "en-GB", "GB"),
        (None, "zh_Hant_TW", "TW"),
        ("Etc/UTC", "fr_FR@euro", "FR"),
        ("UTC", "pt_BR", "BR"),
        ("", "", ""),
        (None, None, ""),
        (None, "C.UTF-8", ""),
        (None, "POSIX", ""),
        (None, "eo", ""),
        (None, "es_419", ""),
        (None, "xx_ZZ", ""),
    ],
)
def test_the_region_is_guessed_from_the_zone_then_from_the_locale(zone, locale, region: str) -> None:
    assert preselect_region(zone, locale) == region


def test_a_place_without_a_region_is_not_taken_for_the_locales_country() -> None:
    assert preselect_region("Africa/Kinshasa", "en_US") == ""


def test_the_time_zone_comes_from_the_environment_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "timezone").write_text("Europe/Paris\n", encoding="utf-8")
    monkeypatch.setenv("TZ", ":Europe/London")
    assert local_time_zone(tmp_path) == "Europe/London"
    monkeypatch.setenv("TZ", "/usr/share/zoneinfo/Asia/Tokyo")
    assert local_time_zone(tmp_path) == "Asia/Tokyo"
    monkeypatch.setenv("TZ", "<+03>-3")
    assert local_time_zone(tmp_path) is None
    monkeypatch.delenv("TZ")
    assert local_time_zone(tmp_path) == "Europe/Paris"


def test_the_localtime_link_is_read_one_step_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    zones = tmp_path / "zoneinfo" / "Europe"
    zones.mkdir(parents=True)
    (zones / "Berlin").touch()
    try:
        (zones / "Stockholm").symlink_to("Berlin")
        (tmp_path / "localtime").symlink_to(zones / "Stockholm")
    except OSError:
        pytest.skip("this system makes no symbolic links")
    assert local_time_zone(tmp_path) == "Europe/Stockholm"


def test_an_unknown_time_zone_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert local_time_zone(tmp_path) is None


def test_the_fallback_is_truthful_about_112_and_about_the_internet() -> None:
    fallback = load_fallback()
    assert fallback.emergency.voice == "112"
    assert "not in every one" in fallback.emergency.audience
    assert fallback.directories
    for directory in fallback.directories:
        assert "internet" in directory.audience
        assert directory.chat.startswith("https://")
        assert not directory.voice
    for guidance in (fallback.local_number, fallback.someone_near):
        assert guidance.kind == "guidance"
        assert (guidance.voice, guidance.text, guidance.chat) == ("", "", "")
