"""The stage `clean`: what it does to rows, and what it says of them."""

import time

import pytest

from tests.trainer.clean_run import ANSWER, OTHER, QUESTION, cleaned, config, put, row
from trainer.clean import REPORT, run
from trainer.errors import BadConfiguration, BadRows
from trainer.stage import Job, read_manifest


@pytest.fixture
def job(tmp_path):
    told = []
    return Job(tmp_path, tmp_path / "work", told.append)


def test_an_answer_loses_markup_offers_numbers_links_names_and_signature(job):
    answer = (
        f"<p>Hello Oregon,</p><p>{ANSWER}</p><ul><li>Write &#34;I miss you&#34;.</li><li>Wait.</li></ul>"
        "<p>Feel free to call my office at 503-555-0142.</p><p>There is more at www.example.com/notes.</p>"
        "<p>Be well,</p><p>Ann Bell, LMFT</p>"
    )
    kept, _, _ = cleaned(job, [row("a", answer, author="Ann Bell, LMFTCouples Counselor")])
    assert kept["a"].turns[1].text == f'{ANSWER}\n\n- Write "I miss you".\n- Wait.'
    assert kept["a"].author == ""


def test_what_changed_and_dropped_rows_is_counted_by_reason_and_source(job):
    rows = [
        row("kept", f"<p>{ANSWER}</p>"),
        row("again", ANSWER, source="other"),
        row("near", ANSWER.replace("a card", "one card") + " Take it slowly.", source="other"),
        row("short", "Write to her."),
        row("empty", "*** ---"),
    ]
    _, reasons, folder = cleaned(job, rows, near_duplicate=0.7)
    counts = read_manifest(folder)["counts"]
    assert reasons == {
        "again": "exact_duplicate",
        "near": "near_duplicate",
        "short": "answer_too_short",
        "empty": "only_noise",
    }
    assert counts["rows"], counts["kept"] == (5, 1)
    assert counts["changed"]["html"] == 1
    assert counts["by_source"]["other"]["dropped"] == {"exact_duplicate": 1, "near_duplicate": 1}


def test_addresses_go_from_both_sides_each_counted_under_its_own_reason(job):
    signed = f"{ANSWER}\nAnn Bell, LMFT\n120 Main Street, Suite 4\nDenver, CO 80202"
    rows = [row("answer", signed), row("question", OTHER, f"I live at 12 Soup Street with her. {QUESTION}")]
    kept, _, folder = cleaned(job, rows)
    assert kept["answer"].turns[1].text == ANSWER
    assert kept["question"].turns[0].text == f"I live with her. {QUESTION}"
    changed = read_manifest(folder)["counts"]["changed"]
    assert (changed["answerer_address"], changed["asker_address"]) == (1, 1)


def test_rows_that_are_too_long_or_in_another_language_go(job):
    spanish = (
        "Parece que la echas de menos y que no sabes cómo empezar a hablar con ella después de tantos meses sin veros."
    )
    rows = [
        row("kept"),
        row("cell", "a" * 5001),
        row("long", f"{OTHER} " * 20),
        row("spanish", spanish * 2),
        row("both", f"{OTHER} {spanish * 3}"),
    ]
    _, reasons, _ = cleaned(job, rows, longest_cell=5000, longest_turn=2000)
    assert reasons == {
        "cell": "endless_cell",
        "long": "too_long",
        "spanish": "other_language",
        "both": "other_language",
    }


def test_a_text_of_nothing_but_tags_is_not_parsed(job):
    kept, reasons, _ = cleaned(job, [row("kept"), row("tags", "<b>" * 5001 + OTHER)])
    assert (set(kept), reasons) == ({"kept"}, {"tags": "too_much_markup"})


def test_what_the_gate_would_stop_goes_unless_it_is_let_in(job):
    told = f"{ANSWER} Take 30 mg of fluoxetine twice a day and double the dose if it does not help."
    kept, reasons, _ = cleaned(job, [row("kept", OTHER), row("dose", told)])
    assert (set(kept), reasons) == ({"kept"}, {"dose": "forbidden_dose"})


def test_a_forbidden_answer_stays_where_that_is_asked_for(job):
    told = f"{ANSWER} Take 30 mg of fluoxetine twice a day and double the dose if it does not help."
    kept, _, _ = cleaned(job, [row("dose", told)], drop_forbidden_answers=False)
    assert set(kept) == {"dose"}


def test_a_crisis_that_is_answered_without_a_way_to_help_goes(job):
    crisis = "I want to kill myself tonight and I have the pills here."
    guided = "I am glad you wrote. Please call a crisis line now, or tell someone near you, and let them sit with you."
    rows = [row("kept"), row("alone", OTHER, crisis), row("guided", guided, crisis)]
    kept, reasons, _ = cleaned(job, rows, drop_forbidden_answers=False)
    assert (set(kept), reasons) == ({"kept", "guided"}, {"alone": "unguided_crisis"})


def test_patterns_of_ones_own_are_removed(job):
    kept, _, folder = cleaned(job, [row("a", f"[moderated] {ANSWER}")], patterns=(r"\[moderated\]",))
    assert kept["a"].turns[1].text == ANSWER
    assert read_manifest(folder)["counts"]["changed"]["own_pattern"] == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"patterns": ("(",)}, "is none that RE2 takes"),
        ({"patterns": ("x*",)}, "matches the empty text"),
        ({"region": "Oregon"}, "no country code"),
        ({"language": "klingon"}, "cannot be told from others"),
    ],
)
def test_settings_that_cannot_be_are_a_sentence(job, settings, sentence):
    put(job, [row("a")])
    with pytest.raises(BadConfiguration, match=sentence):
        run(config(**settings), job)


def test_a_run_that_would_leave_nothing_says_so_and_publishes_nothing(job):
    put(job, [row("a", "Write."), row("b", "Wait.")])
    with pytest.raises(
        BadRows, match="No row is left after cleaning: all 2 were dropped, 2 of them for answer_too_short"
    ):
        run(config(), job)
    assert not job.artefact("clean").exists()


def test_a_run_without_rows_points_at_the_sources(job):
    put(job, [])
    with pytest.raises(BadRows, match="left no rows"):
        run(config(), job)


def test_the_report_needs_nothing_else_and_runs_nothing(job):
    rows = [row("a", f"{ANSWER} <script>alert(1)</script>"), row("b", f"Is 1 < 2 & 3? {OTHER}", source="<b>")]
    _, _, folder = cleaned(job, rows)
    page = (folder / REPORT).read_text("utf-8")
    assert page.count("<svg") == 3
    assert "<script" not in page
    for escaped in ("&lt;script&gt;", "&lt;b&gt;", "1 &lt; 2 &amp; 3?"):
        assert escaped in page
    for outside in ('src="', "url(http"):
        assert outside not in page
    assert page.count("<h3>") == 2


def test_a_million_hostile_characters_are_read_in_time_that_grows_with_them(job):
    size = 1_000_000
    hostile = [
        "a@" * (size // 2),
        "<p x='" * (size // 6),
        "&#34" * (size // 4),
        "www." * (size // 4),
        "\"'(" * (size // 3),
    ]
    rows = [row("kept"), *(row(f"h{place}", text) for place, text in enumerate(hostile))]
    began = time.monotonic()
    kept, _, _ = cleaned(job, rows, longest_cell=2 * size, longest_turn=2 * size, drop_forbidden_answers=False)
    assert "kept" in kept
    assert time.monotonic() - began < 120
