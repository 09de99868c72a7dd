"""Numbers and addresses in every disguise are found, harmless figures are not, and no part of a number is shown."""

import itertools
import json
import time
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mhdesk.core.paths import resources_dir
from mhdesk.safety.counting import has_even_steps, is_counting, is_plain_quantity
from mhdesk.safety.figures import FigureRules, has_address, has_number, may_go_on
from mhdesk.safety.gate import Gate, GateRules, GateStream
from mhdesk.safety.normalise import unmask
from mhdesk.safety.spelt import Figure
from trainer.marked_text import MarkedText, read_marked


class Silent:
    """No learnt stage: here only figures count."""

    def judge(self, data: bytes, first_word: int) -> None: ...


RULES = FigureRules.load(resources_dir() / "safety" / "gate" / "numbers.yaml")
REPLIES = {"number": "The card has the numbers.", "address": "The card has the addresses.", "internal_error": "Sorry."}
GATE = Gate(GateRules(reasons=(), figures=RULES, replies=REPLIES, learnt=Silent()))
DATA = Path(__file__).parents[2] / "trainer" / "data" / "gate"
MARKS = frozenset({"stop", "pass"})
FIGURES = read_marked([DATA / "figures.txt"], MARKS)
STOPS = [text for text in FIGURES if text.mark == "stop"]
PASSES = [text for text in FIGURES if text.mark == "pass"]

NUMBERS = [
    "Llama al uno uno dos si estás en peligro.", "Marca el cero dos cuatro.", "Appelle le un un deux.",
    "Composez le 15.", "Composez le trois un un quatre.", "Composez le cent douze.", "Ruf eins eins zwei an.",
    "Wähle die eins eins null.", "Ligue para o um nove zero.", "Ligue um oito oito.", "Chiama l'uno uno due.",
    "Chiama il centododici.", "Bel één-één-twee.", "एक सौ बारह पर कॉल करें", "वन वन टू पर कॉल करें",
    "988 पर कॉल करें।", "اتصل بواحد واحد اثنين", "اتصل على تسعة تسعة تسعة", "اتصل على ٩٩٧",
    "いちいちきゅうに電話してください", "一一九に電話して", "119番に電話してください", "请拨打一二零", "打一一〇报警",
    "Call ❾❽❽ or 🄈🄇🄇.", "Empieza con 617, luego 555 y al final 0155.", "First comes 617, next 555 and finally 0155.",
    "The digits: first 617, then 555, last 0155.", "6\n1\n7\n5\n5\n5\n0\n1",
    "Zuerst 617, dann 555 und zum Schluss 0155.", "D'abord 617, puis 555 et enfin 0155.",
    "six\none\nseven\nfive\nfive", "6 | 1 | 7\n5 | 5 | 5\n0 | 1 | 5 | 5", "1. 6\n2. 1\n3. 7\n4. 5\n5. 5\n6. 5\n7. 0",
    "Try 5🌸5🌸5🌸0🌸1🌸2🌸3", "zéro six douze trente-quatre cinquante-six soixante-dix-huit",
    "null eins sieben sechs vierundzwanzig achtunddreißig", "Envía HOLA al 55501", "Schick HALLO an 55501",
    "Envoie STOP au 55501", "Reach me under 477", "Just tap 4, 7, 7.", "Call nine hundred eighty-eight.",
    "Dial triple nine.", "It is seven hundred forty-one, seven hundred forty-one.", "Call 13YARN", "SOS at 0300-HOPE",
    "Call 1-202-FOR-HOPE", "Call 477 or text if you like.", "เบอร์ ๐๒ ๕๕๕ ๐๑๑๒",
]  # fmt: skip
ADDRESSES = [
    "Visit hopebridge.help and sign up.", "See hopebridge.care.", "Go to hope-line.co", "La web es ayuda-ahora.es.",
    "Schau auf hilfe-jetzt.de vorbei.", "访问example.com即可", "サイトはexample.jpです", "Mail anna AT posteo DOT de",
    "h t t p s : / / h o p e . o r g", "w w w . h o p e . o r g", "Follow her on Instagram: lina_calm",
    "Find hope dot care", "Ask for calm.lina22 on Snapchat", "mymoodcheck.io and then a quiz",
    "Come to 14 Rue de Lyon",
]  # fmt: skip
HARMLESS = [
    "mais. Eu estou aqui.", "É difícil. Com calma a gente pensa nisso.", "É difícil.Com calma a gente pensa nisso.",
    "Ci penso ancora. Io ti ascolto.", "Ci penso ancora.Io ti ascolto.", "It's fine.Me and you can talk.",
    "No es fácil. Es normal sentirse así.", "Je comprends. De rien. Me voici.", "Ik weet het. Net als jij.",
    "Desde el punto de vista de tu hermana.", "Le point de départ est simple.", "Walk 10,000 steps and then 12,000.",
    "Conte comigo: um, dois, três, quatro, cinco, seis, sete, oito.", "Tel, fünf, vier, drei, zwei, eins.",
    "从一数到十。一二三四五六七八九十。", "いち、に、さん、し、ご、ろく、しち、はち、きゅう、じゅう。",
    "एक, दो, तीन, चार, पाँच, छह, सात।", "Llama a tu hermana a las 8 y cuéntale.", "Ruf deine Schwester um 18 Uhr an.",
    "Appelle ta mère à 20 h.", "2時に友だちに電話してみましょう。", "明天下午3点给朋友打电话。",
    "कल 5 बजे अपनी बहन को फोन करें।", "The war lasted from 1914 to 1918, and the next from 1939 to 1945.",
    "Type 2 diabetes is common.", "Your mood was 4, 5, 3, 6, 6, 7, 5 this week.",
    "Psalm 119:105-112 may comfort you.", "Try 4-7-8, then 4-4-4-4.", "Am 24.12.2024 um 18:30 Uhr gibt es Essen.",
    "Set the alarm to 6:45, 6:50 and 6:55.", "Open from 9:00 to 17:00.", "That was brave.So proud of you.",
    "You matter.Is there someone near?", "Go to bed at ten.In the morning it is better.",
    "two plus two equals four, four plus four is eight", "He is at work. In an hour he is back.",
    "You could call 2 or 3 friends.",
]  # fmt: skip
TEN = "0123456789"
SCRIPTS = [
    "0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "০১২৩৪৫৬৭৮৯", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９",
    "⓪①②③④⑤⑥⑦⑧⑨", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉", "⓿❶❷❸❹❺❻❼❽❾", "〇一二三四五六七八九",
    "OI23456789",
]  # fmt: skip
SEPARATORS = [
    "", " ", "-", ".", " - ", "/", "*", "_", "~", ", ", " | ", "•", "\u200b", " 🌸 ", "\u2060 ", "…", "  ", ") (",
]  # fmt: skip
SPOKEN = [
    "zero one two three four five six seven eight nine", "oh one two three four five six seven eight nine",
    "cero uno dos tres cuatro cinco seis siete ocho nueve", "zéro un deux trois quatre cinq six sept huit neuf",
    "null eins zwei drei vier fünf sechs sieben acht neun", "zero um dois três quatro cinco meia sete oito nove",
    "zero uno due tre quattro cinque sei sette otto nove", "nul een twee drie vier vijf zes zeven acht negen",
    "शून्य एक दो तीन चार पाँच छह सात आठ नौ", "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة",
]  # fmt: skip
BEFORE = [
    "", "You can call ", "It is good that you wrote. Try this: ", "Ruf an unter ", "Puedes llamar al ",
    "Breathe in for 4. ",
]  # fmt: skip
AFTER = ["", ".", " now. They will listen.", "\nI'm here.", " día y noche."]


def stream_of(text: str, size: int) -> tuple[str, GateStream]:
    stream = GATE.begin()
    shown = "".join(stream.push(text[start : start + size]) for start in range(0, len(text), size))
    return shown + stream.flush(), stream


@pytest.mark.parametrize("case", STOPS, ids=lambda case: f"{case.family}-{case.text[:20]}")
def test_every_number_and_address_of_the_figures_file_is_stopped(case: MarkedText) -> None:
    for size in (1, 3, 7, len(case.text)):
        shown, stream = stream_of(case.text, size)
        assert stream.stopped is not None
        assert {"number", "address"} & {*stream.stopped.reasons}
        assert sum(character.isdigit() for character in unmask(shown)) <= 2


@pytest.mark.parametrize("case", PASSES, ids=lambda case: f"{case.family}-{case.text[:20]}")
def test_every_harmless_figure_of_the_figures_file_passes(case: MarkedText) -> None:
    assert stream_of(case.text, 1)[0] == case.text


def test_outputs_that_must_pass_are_not_taken_for_numbers() -> None:
    outputs = [text.text for text in read_marked(sorted(DATA.glob("outputs*.txt")), MARKS) if text.mark == "pass"]
    stopped = [text for text in outputs if has_number(unmask(text), RULES) or has_address(unmask(text))]
    assert len(stopped) <= len(outputs) // 100, stopped[:5]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_in_any_language_and_order(text: str) -> None:
    assert has_number(unmask(text), RULES)


@pytest.mark.parametrize("text", ADDRESSES)
def test_addresses(text: str) -> None:
    assert has_address(unmask(text))


@pytest.mark.parametrize("text", HARMLESS)
def test_leaves_harmless_text_alone(text: str) -> None:
    assert not has_number(unmask(text), RULES)
    assert not has_address(unmask(text))


def dialled() -> set[str]:
    """Every number that the program's own tables tell."""
    folder = resources_dir() / "helplines"
    records = json.loads((folder / "helplines.json").read_text(encoding="utf-8"))["lines"]
    for region in json.loads((folder / "regions.json").read_text(encoding="utf-8"))["regions"]:
        records += region["emergency"]
    return {number for record in records for number in (record.get("voice"), record.get("text")) if number}


def test_knows_every_number_of_the_programs_own_tables() -> None:
    numbers = {number for number in dialled() if any(character.isdigit() for character in number)}
    assert len(numbers) > 100
    assert [number for number in numbers if not has_number(unmask(f"You can call {number}."), RULES)] == []


@pytest.mark.parametrize("language", range(10))
def test_knows_emergency_numbers_in_the_words_of_every_language(language: int) -> None:
    words = SPOKEN[language].split()
    short = {number for number in dialled() if number.isdecimal() and len(number) == 3}
    short = {number for number in short if not has_even_steps([int(digit) for digit in number])}  # "one two three"
    spelt = [" ".join(words[int(digit)] for digit in number) for number in short]
    assert [text for text in spelt if not has_number(unmask(f"{text}."), RULES)] == []


def forms() -> st.SearchStrategy[list[str]]:
    """How the ten digits are written."""
    written = st.sampled_from([list(script) for script in SCRIPTS])
    keycaps = st.just([f"{digit}\ufe0f\u20e3" for digit in TEN])
    return written | keycaps | st.sampled_from([words.split() for words in SPOKEN])


@settings(max_examples=300, deadline=None)
@given(
    digits=st.text(TEN, min_size=7, max_size=12),
    sizes=st.lists(st.integers(1, 4), min_size=12, max_size=12),
    form=forms(),
    other=forms(),
    mixed=st.booleans(),
    separator=st.sampled_from(SEPARATORS),
    before=st.sampled_from(BEFORE),
    after=st.sampled_from(AFTER),
    chunk=st.sampled_from([1, 3, 7, 1000]),
)
def test_no_prefix_shows_four_digits_of_a_disguised_number(
    digits: str, sizes: list[int], form: list[str], other: list[str], mixed: bool, separator: str, before: str,
    after: str, chunk: int,
) -> None:  # fmt: skip
    spoken = any(len(word) > 3 for word in form) or (mixed and any(len(word) > 3 for word in other))
    ends = list(itertools.accumulate([1] * len(digits) if spoken else sizes))
    groups = [digits[start:end] for start, end in itertools.pairwise([0, *ends]) if digits[start:end]]
    assume(not looks_harmless(groups, separator))
    assume("O" not in (form[0], other[0]) or sum(digit in "01" for digit in digits) < 4)  # "OOOOIII" is no number
    text, shown_at = before, []
    for group_number, group in enumerate(groups):
        text += separator * bool(group_number)
        text += " " * bool(group_number and spoken and not separator.strip("\u200b\u2060"))
        for index, digit in enumerate(group):
            text += (other if mixed and index % 2 == 0 else form)[int(digit)]
            shown_at.append(len(text))
    text += after
    shown, stream = stream_of(text, chunk)
    assert stream.stopped is not None, text
    assert {"number", "address"} & {*stream.stopped.reasons}
    assert sum(end <= len(shown) for end in shown_at) < 4, text


def looks_harmless(groups: list[str], separator: str) -> bool:
    """Whether the digits are also a counting, a date or a time, which nobody can tell from a number."""
    figures = [Figure(group, 0, 0, 0) for group in groups]
    singles = [Figure(digit, 0, 0, 0) for digit in "".join(groups)]
    whole = separator.join(groups)
    commas = ", ".join(groups) + "-"
    return is_counting(figures, commas) or is_counting(singles, commas) or is_plain_quantity(whole)


@pytest.mark.parametrize(
    "text",
    [
        "Ruf an: fünf.",
        "llama al cinco\n",
        "cinq…",
        "पाँच",
        "واحد.",
        "五。",
        "ご。",
        "quarantadue.",
        "example dot",
        "x.",
    ],
)
def test_a_number_may_go_on_after_a_figure_in_any_language(text: str) -> None:
    assert may_go_on(text, RULES)


@pytest.mark.parametrize(
    "text", ["I hear you.", "Ich bin da.", "Estoy aquí.", "मैं यहाँ हूँ।", "أنا هنا.", "そうですね。", ""]
)
def test_no_number_goes_on_after_other_words(text: str) -> None:
    assert not may_go_on(text, RULES)


@pytest.mark.parametrize(
    "unit",
    [
        "a", "a ", "1", "1 ", "1, ", "9a", "one ", "call ", "a-", "@ ", " .", "five-", "o0l",
        "五 ", "い", "いち", "v.i.",
        "a_", "skype ", "add the ", "1:", "1.", "a dot ", "visit ", "12 a ", "1-800-", "send ", "und", "text 1 ", "एक ",
        "555, then ",
    ],
)  # fmt: skip
def test_time_is_linear(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    start = time.process_time()
    has_number(text, RULES)
    has_address(text)
    assert time.process_time() - start < 1.5
