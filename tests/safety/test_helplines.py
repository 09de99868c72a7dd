"""Helplines: every record is well formed and free of known errors, and lines come in the order that fits."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhdesk.bench.helpline_table import PAGE, helpline_page
from mhdesk.core.events import HelpLine
from mhdesk.core.levels import Level, Topic, Verdict
from mhdesk.core.settings import AgeBand
from mhdesk.safety.helplines import EVIDENCE, MOST_LINES, Helplines, stale
from mhdesk.safety.regions import POLICE, load_regions, tables_dir

TABLE = json.loads((tables_dir() / "helplines.json").read_text(encoding="utf-8"))
RECORDS = TABLE["lines"]
REGIONS = load_regions()
HELP = Helplines.load()

KINDS = {"crisis", "text", "youth", "child_protection", "abuse", "veterans", "indigenous"}
COSTS = {
    "free", "local call rate", "ordinary call rate", "local call rate or free", "not confirmed", "free from a landline",
    "free from mobile phones", "sources differ: free, or a small call charge",
}  # fmt: skip
FIELDS = {
    "region", "sub_region", "kind", "name", "audience", "voice", "text", "chat", "hours", "languages", "cost",
    "source_url", "evidence", "source_copy_date", "seen_in",
}  # fmt: skip
PART_NAMES = {
    "GB-ENG": "England", "GB-SCT": "Scotland", "GB-WLS": "Wales", "GB-NIR": "Northern Ireland", "BE-VLG": "Flanders",
    "BE-WAL": "Wallonia", "AR-C": "Buenos Aires", "CO-DC": "Bogotá",
}  # fmt: skip
DEAD = {
    "*": {"7622381"},
    "CA": {"18334564566", "45645"},
    "IE": {"1850609090"},
    "IT": {"199284284", "1552"},
    "NL": {"09000113"},
    "SG": {"18002214444"},
    "TW": {"0800788995", "1952"},
    "BR": {"141"},
    "KR": {"1393", "15770199", "15889191"},
    "IN": {"18005990019"},
    "JP": {"0570046556", "0570783556"},
    "PH": {"09179898727"},
    "GB": {"08006844141"},
    "SE": {"020505050"},
    "DE": {"08001110550"},
}
TEXT_ONLY = {"741741", "85258", "50808", "686868", "838255", "88788", "51444"}


def digits(value: str) -> str:
    return re.sub(r"\D", "", value)


def crisis(*topics: Topic, danger_now: bool = False) -> Verdict:
    return Verdict(Level.CRISIS, topics, danger_now=danger_now)


def kinds(region: str, verdict: Verdict, age: AgeBand = AgeBand.ADULT) -> list[str]:
    return [line.kind for line in HELP.card(region, verdict, age).lines]


def record_id(record: dict[str, object]) -> str:
    return f"{record['sub_region'] or record['region']}-{record['name']}"


@pytest.mark.parametrize("record", RECORDS, ids=record_id)
def test_every_record_has_the_form_of_the_table(record) -> None:
    assert set(record) == FIELDS
    assert record["region"] in REGIONS
    assert "-" not in record["region"]
    assert record["kind"] in KINDS
    assert record["evidence"] in EVIDENCE
    assert record["name"]
    assert record["audience"]
    assert record["hours"]
    assert record["seen_in"]
    assert record["cost"] in COSTS
    assert record["voice"] or record["text"] or record["chat"]
    assert re.fullmatch(r"[*]?\d[\d -]*", record["voice"] or "0")
    assert re.fullmatch(r"([A-Z]+ to )?\d[\d -]*", record["text"] or "0")
    assert re.fullmatch(r"https://\S+|WhatsApp \d[\d ]*", record["chat"] or "https://x")
    assert re.fullmatch(r"https://\S+", record["source_url"])
    assert re.fullmatch(r"|\d{4}-\d{2}(-\d{2})?", record["source_copy_date"])
    assert record["languages"]
    assert all(re.fullmatch(r"[a-z]{2,3}", language) for language in record["languages"])


@pytest.mark.parametrize("record", RECORDS, ids=record_id)
def test_no_record_repeats_a_known_error(record) -> None:
    numbers = {digits(record["voice"]), digits(record["text"])}
    assert not numbers & (DEAD["*"] | DEAD.get(record["region"], set()))
    assert digits(record["voice"]) not in TEXT_ONLY
    assert "+" not in record["voice"] + record["text"]
    assert not record["source_url"].startswith("https://progress.guide")


def test_text_services_are_never_a_number_to_ring() -> None:
    assert all(record["voice"] == "" for record in RECORDS if record["kind"] == "text")


def test_secondary_records_rest_on_a_checked_list_or_on_something_of_2025_or_later() -> None:
    checked = re.compile(r"\blists? [^;]*\b[ACD]\b|\b202[5-9]\b")
    assert not [record_id(r) for r in RECORDS if r["evidence"] == "secondary" and not checked.search(r["seen_in"])]


def test_an_unconfirmed_record_is_the_one_of_its_kind_in_its_place_and_was_seen_lately_or_by_its_operator() -> None:
    lately = re.compile(r"\b202[1-9]\b")
    for record in (r for r in RECORDS if r["evidence"] == "unconfirmed"):
        host = record["source_url"].split("/")[2].removeprefix("www.")
        assert lately.search(record["seen_in"]) or host in record["seen_in"], record_id(record)
        others = [
            other
            for other in RECORDS
            if (other["region"], other["kind"]) == (record["region"], record["kind"]) and other is not record
        ]
        assert all(not other["voice"] for other in others), record_id(record)


def test_dates_are_real_and_not_in_the_future() -> None:
    for record in RECORDS:
        if copied := record["source_copy_date"]:
            assert date.fromisoformat(copied if len(copied) > 7 else copied + "-01") <= date(2026, 11, 24)


def test_lines_of_a_part_of_a_country_name_it() -> None:
    for record in RECORDS:
        if part := record["sub_region"]:
            assert part in REGIONS
            assert PART_NAMES[part] in record["audience"]


def test_111_option_2_is_englands_alone() -> None:
    assert {record["sub_region"] for record in RECORDS if record["voice"] == "111"} == {"GB-ENG"}
    for region in ("GB", "GB-NIR", "GB-SCT", "GB-WLS"):
        assert "111" not in [line.voice for line in HELP.panel(region)]
        assert "111" not in [line.voice for line in HELP.card(region, crisis(Topic.SUICIDE), AgeBand.ADULT).lines]
    assert "111" in [line.voice for line in HELP.panel("GB-ENG")]


def test_lines_with_known_short_hours_do_not_claim_to_be_open_round_the_clock() -> None:
    short = {("JP", "0120-783-556"), ("JP", "0800-300-8355"), ("DK", "70 201 201"), ("DE", "116 111")}
    short |= {("IN", "9152987821"), ("BD", "09612-119911"), ("PT", "213 544 545"), ("AE", "800 4673")}
    short |= {("KE", "0722 178 177"), ("CN", "12356"), ("CZ", "116 123")}
    found = {(r["region"], r["voice"]): r["hours"] for r in RECORDS}
    assert short <= set(found)
    assert not [key for key in short if found[key].startswith("24/7")]


@pytest.mark.parametrize(
    ("region", "voice"),
    [
        ("US", "988"), ("CA", "988"), ("GB", "116 123"), ("IE", "116 123"), ("AU", "13 11 14"), ("NZ", "1737"),
        ("DE", "0800 111 0 111"), ("AT", "142"), ("CH", "143"), ("FR", "3114"), ("ES", "024"), ("NL", "113"),
        ("BE", "1813"), ("PT", "1411"), ("BR", "188"), ("IN", "14416"), ("JP", "0120-279-338"), ("CN", "12356"),
        ("MX", "800 911 2000"), ("SE", "90101"), ("NO", "116 123"), ("DK", "70 201 201"), ("FI", "09 2525 0111"),
        ("PL", "116 123"), ("ZA", "0800 567 567"), ("KR", "109"), ("CL", "*4141"), ("IT", "02 2327 2327"),
    ],
)  # fmt: skip
def test_the_first_crisis_line_of_the_panel_is_the_national_one(region: str, voice: str) -> None:
    panel = HELP.panel(region)
    assert panel[0] == HELP.emergency(region) == REGIONS[region].emergency[0]
    assert panel[1].voice == voice
    assert panel[1].kind == "crisis"


@pytest.mark.parametrize("region", [*REGIONS, "", "XX", "GB-XYZ", "us"])
def test_every_panel_and_card_is_short_and_holds_the_emergency_number(region: str) -> None:
    assert HELP.panel(region)[0].kind == "emergency"
    assert 2 <= len(HELP.panel(region)) <= MOST_LINES
    for topic in Topic:
        for age in AgeBand:
            lines = HELP.card(region, crisis(topic), age).lines
            assert HELP.emergency(region) in lines
            assert 2 <= len(lines) <= MOST_LINES
            assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("region", REGIONS)
def test_every_kind_shown_says_what_happens(region: str) -> None:
    for line in (*HELP.panel(region), *REGIONS[region].emergency):
        assert HELP.what_happens(line)


@pytest.mark.parametrize("region", REGIONS)
def test_danger_now_and_medical_put_the_emergency_number_first_even_for_minors(region: str) -> None:
    for verdict in (crisis(Topic.SUICIDE, danger_now=True), crisis(Topic.SUICIDE, Topic.MEDICAL)):
        for age in AgeBand:
            assert HELP.card(region, verdict, age).lines[0] == HELP.emergency(region)


def test_thoughts_of_suicide_put_crisis_lines_before_the_emergency_number() -> None:
    for region in ("US", "GB", "DE", "FR", "JP"):
        assert kinds(region, crisis(Topic.SUICIDE))[0] == "crisis"
        assert kinds(region, crisis())[0] == "crisis"
        assert "emergency" in kinds(region, crisis())


def test_abuse_puts_lines_for_it_first_then_police_and_emergency() -> None:
    assert kinds("US", crisis(Topic.ABUSE))[:2] == ["abuse", "emergency"]
    assert kinds("DE", crisis(Topic.ABUSE))[:3] == ["abuse", POLICE, "emergency"]
    assert kinds("DE", crisis(Topic.ABUSE, danger_now=True))[:2] == [POLICE, "emergency"]


def test_without_a_nation_all_four_lines_for_abuse_stand_with_their_names() -> None:
    lines = HELP.card("GB", crisis(Topic.ABUSE), AgeBand.ADULT).lines
    assert [line.kind for line in lines][:5] == ["abuse"] * 4 + ["emergency"]
    assert HELP.card("GB-SCT", crisis(Topic.ABUSE), AgeBand.ADULT).lines[0].voice == "0800 027 1234"
    assert kinds("GB-SCT", crisis(Topic.ABUSE)).count("abuse") == 1


@pytest.mark.parametrize("region", ["GB", "IE", "CA", "AU", "DE", "AT", "FR", "NL", "JP", "IN", "SE", "NO", "ZA"])
@pytest.mark.parametrize("age", [AgeBand.UNDER_13, AgeBand.TEEN])
def test_minors_see_the_line_for_children_first(region: str, age: AgeBand) -> None:
    assert kinds(region, crisis(Topic.SUICIDE), age)[0] in ("youth", "child_protection")
    assert kinds(region, crisis(Topic.ABUSE), age)[0] in ("youth", "child_protection")
    assert kinds(region, crisis(Topic.MINOR))[0] in ("youth", "child_protection")


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_under_13_the_panel_begins_with_an_adult_to_tell_and_the_lines_for_children(region: str) -> None:
    panel = HELP.panel(region, AgeBand.UNDER_13)
    assert panel[0] == HELP.emergency(region)
    assert panel[1].name == "An adult you trust"
    young = [line for line in HELP.panel(region) if line.kind in ("youth", "child_protection")]
    assert panel[2:3] == tuple(young[:1]) or not young
    assert len(panel) <= MOST_LINES


def test_under_13_a_line_for_children_leads_the_card_where_there_is_one() -> None:
    for region in REGIONS:
        kinds_there = {record["kind"] for record in RECORDS if record["region"] == region[:2]}
        if kinds_there & {"youth", "child_protection"}:
            assert kinds(region, crisis(Topic.SUICIDE), AgeBand.UNDER_13)[0] in ("youth", "child_protection")


def test_from_13_to_17_the_panel_begins_with_confirmed_lines_for_the_young() -> None:
    assert HELP.panel("GB", AgeBand.TEEN)[1].name == "Childline"
    assert HELP.panel("US", AgeBand.TEEN)[1].voice == "988"
    assert "Childhelp National Child Abuse Hotline" in [line.name for line in HELP.panel("US", AgeBand.TEEN)]


def test_anywhere_under_13_has_an_adult_to_tell() -> None:
    assert HELP.panel("", AgeBand.UNDER_13)[1].name == "An adult you trust"


def test_where_only_a_web_page_is_confirmed_people_nearby_still_stand_in() -> None:
    assert [line.kind for line in HELP.panel("ID")][:3] == ["emergency", "text", "guidance"]


def test_an_unconfirmed_line_against_child_abuse_leads_only_where_a_child_is_in_danger() -> None:
    assert kinds("US", crisis(Topic.SUICIDE), AgeBand.TEEN)[0] == "crisis"
    assert kinds("US", crisis(Topic.MINOR), AgeBand.TEEN)[0] == "child_protection"
    assert kinds("US", crisis(Topic.ABUSE), AgeBand.TEEN)[0] == "child_protection"


def test_adults_see_no_line_for_children_and_children_none_for_veterans() -> None:
    assert not {"youth", "child_protection"} & set(kinds("US", crisis(Topic.SUICIDE), AgeBand.ADULT))
    assert "veterans" not in kinds("US", crisis(Topic.SUICIDE), AgeBand.TEEN)
    assert "veterans" in kinds("US", crisis(Topic.SUICIDE), AgeBand.ADULT)


def test_for_a_third_person_crisis_lines_say_that_one_may_ask_for_someone_else() -> None:
    card = HELP.card("US", crisis(Topic.SUICIDE, Topic.THIRD_PARTY), AgeBand.ADULT)
    assert card.topic is Topic.THIRD_PARTY
    assert all("worr" in line.audience for line in card.lines if line.kind in ("crisis", "text"))
    assert card.lines[0].voice == "988"


@pytest.mark.parametrize(
    ("topics", "topic"),
    [
        ((), Topic.SUICIDE),
        ((Topic.ABUSE, Topic.SUICIDE), Topic.ABUSE),
        ((Topic.SELF_HARM, Topic.MEDICAL), Topic.MEDICAL),
        ((Topic.EATING,), Topic.EATING),
    ],
)
def test_the_card_names_what_it_was_chosen_for(topics: tuple[Topic, ...], topic: Topic) -> None:
    assert HELP.card("NZ", crisis(*topics), AgeBand.UNKNOWN).topic is topic


def test_unconfirmed_lines_stand_below_confirmed_ones_of_their_kind_and_say_so() -> None:
    lines = [line for line in HELP.card("CA", crisis(Topic.MINOR), AgeBand.TEEN).lines if line.kind == "youth"]
    assert [line.evidence for line in lines] == ["official-copy", "unconfirmed"]


def test_lines_open_at_night_stand_above_better_attested_ones_that_are_not() -> None:
    hours = [line.hours for line in HELP.panel("JP") if line.kind == "crisis"]
    assert hours[0] == "24/7"
    assert not any(hour.startswith("24/7") for hour in hours[1:])


@pytest.mark.parametrize("region", ["", "XX", "ZZ-99", "nowhere"])
def test_an_unknown_region_gets_the_general_number_and_directories_that_need_the_internet(region: str) -> None:
    card = HELP.card(region, crisis(Topic.SUICIDE), AgeBand.ADULT)
    assert card.region == ""
    assert card.lines == HELP.panel(region)
    assert [line.kind for line in card.lines] == ["emergency", "guidance", "guidance", "directory", "directory"]
    assert HELP.emergency(region).voice == "112"
    assert all("internet" in line.audience for line in card.lines if line.kind == "directory")


def test_a_region_with_one_unconfirmed_crisis_line_shows_it_and_people_nearby() -> None:
    shown = [line.kind for line in HELP.card("UA", crisis(), AgeBand.ADULT).lines]
    assert shown[:3] == ["crisis", "emergency", "guidance"]


@pytest.mark.parametrize("region", ["TR", "MA", "PE", "RO"])
def test_a_region_without_a_crisis_line_names_people_nearby(region: str) -> None:
    assert "guidance" in [line.kind for line in HELP.panel(region)]
    assert kinds(region, crisis(Topic.SUICIDE))[:2] == ["emergency", "guidance"]
    assert HELP.card(region, crisis(), AgeBand.ADULT).region == region


@settings(deadline=None)
@given(st.text(), st.lists(st.sampled_from(Topic), max_size=5), st.booleans(), st.sampled_from(AgeBand))
def test_no_region_string_raises(region: str, topics: list[Topic], danger: bool, age: AgeBand) -> None:
    assert HELP.panel(region)
    assert HELP.card(region, crisis(*topics, danger_now=danger), age).lines
    assert HELP.emergency(region).voice


def test_regions_are_sorted_by_name_with_parts_after_their_country() -> None:
    names = [region.name for region in HELP.regions()]
    assert names == sorted(names, key=str.casefold)
    assert names.index("United Kingdom") + 1 == names.index("United Kingdom: England")


def test_a_region_may_be_written_in_small_letters_or_with_an_unknown_part() -> None:
    assert HELP.panel("gb_nir") == HELP.panel("GB-NIR")
    assert HELP.panel("GB-XYZ") == HELP.panel("GB")
    assert HELP.card(" us ", crisis(), AgeBand.ADULT).region == "US"


@pytest.mark.parametrize(
    ("copied", "old"),
    [("", True), ("2026-09-09", False), ("2025-11-25", False), ("2025-11-22", True), ("2026-01", False)],
)
def test_a_line_is_stale_without_a_date_or_after_a_year(copied: str, old: bool) -> None:
    line = HelpLine("x", "y", kind="crisis", source_copy_date=copied)
    assert stale(line, date(2026, 11, 24)) is old
    assert not stale(replace(line, kind="guidance", source_copy_date=""), date(2026, 11, 24))


def test_a_nonsense_date_is_stale() -> None:
    assert stale(HelpLine("x", "y", source_copy_date="2026-13-40"), date(2026, 11, 24))


@pytest.mark.parametrize("text", ["{", "[]", '{"lines": [{"region": "GB"}], "what_happens": {}}'])
def test_a_damaged_table_of_lines_leaves_each_regions_emergency_number(text: str, tmp_path: Path, caplog) -> None:
    shutil.copy(tables_dir() / "regions.json", tmp_path)
    (tmp_path / "helplines.json").write_text(text, encoding="utf-8")
    bare = Helplines.load(tmp_path)
    assert bare.emergency("GB").voice == "999"
    assert bare.card("GB", crisis(Topic.SUICIDE), AgeBand.ADULT).lines[0].voice == "999"
    assert "unreadable" in caplog.text


def test_without_any_table_the_general_number_is_left(tmp_path: Path, caplog) -> None:
    bare = Helplines.load(tmp_path)
    assert bare.emergency("GB").voice == "112"
    assert bare.card("GB", crisis(Topic.SUICIDE), AgeBand.ADULT).lines[0].voice == "112"
    assert bare.panel("GB")
    assert bare.regions() == []
    assert "unreadable" in caplog.text


def test_the_page_of_lines_is_in_step_with_the_table() -> None:
    page = helpline_page()
    assert PAGE.read_text(encoding="utf-8") == page, "run python -m mhdesk.bench.helpline_table"
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len({row.count(" | ") for row in rows}) == 2
    assert all(f"[{record['name']}]" in page and record["seen_in"].replace("|", "/") in page for record in RECORDS)


def test_loading_is_quick() -> None:
    def seconds() -> float:
        started = time.process_time()
        Helplines.load()
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.05
