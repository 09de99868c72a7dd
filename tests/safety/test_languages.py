"""Which language help is given in."""

import logging
import time
from pathlib import Path

import pytest

from mhdesk.safety.languages import LANGUAGES, LATIN, language_of, load_language_words
from mhdesk.safety.patterns import BadRules

IN_NEED = {
    "en": ["I want to die", "kill me", "i cant do this anymore", "I took all my pills", "there is no way out"],
    "es": [
        "Quiero morir", "me quiero matar", "ya no puedo más", "no quiero vivir", "quiero suicidarme",
        "no aguanto mas esta vida", "estoy pensando en suicidarme", "mi novio me pega y tengo miedo",
        "he tomado muchas pastillas", "nadie me va a extrañar",
    ],
    "fr": [
        "Je veux mourir", "j'en peux plus", "je veux me tuer", "jai envie de mourir", "Je n’ai plus envie de vivre",
        "personne ne me comprend", "mon mari me frappe", "j'ai pris des médicaments", "je pense au suicide",
    ],
    "de": [
        "Ich will sterben", "ich kann nicht mehr", "ich will nicht mehr leben", "ich bringe mich um",
        "ich möchte tot sein", "Ich habe Tabletten genommen", "alles ist so sinnlos und ich bin allein",
        "mein Freund will sich umbringen", "niemand braucht mich",
    ],
    "pt": [
        "Eu quero morrer", "não aguento mais", "quero me matar", "nao quero mais viver",
        "tomei um monte de remédios e tenho medo", "estou pensando em tirar a minha vida",
        "ninguém vai sentir a minha falta",
    ],
    "it": [
        "Voglio morire", "non ce la faccio più", "voglio farla finita", "non voglio più vivere", "mi voglio uccidere",
        "ho preso delle pastiglie", "nessuno mi capisce", "penso di ammazzarmi",
    ],
    "nl": [
        "Ik wil dood", "ik wil niet meer leven", "ik kan niet meer", "ik wil er een einde aan maken",
        "ik heb pillen genomen", "niemand zal me missen", "mijn vriendin wil zelfmoord plegen",
    ],
    "hi-Latn": [
        "main marna chahta hun", "mujhe nahi jeena", "ab jeene ka man nahi karta", "main khud ko khatam kar lunga",
        "koi mujhe nahi samajhta", "mai mar jana chahti hu", "zindagi se thak gaya hoon",
    ],
    "hi": ["मैं मरना चाहता हूँ", "अब जीने का मन नहीं करता", "मैंने गोलियाँ खा ली हैं", "मर जाऊँ?"],
    "ar": ["أريد أن أموت", "ما عاد بدي عيش", "تعبت من الحياة", "أفكر في الانتحار", "عايز أموت"],
    "ja": ["死にたい", "もう生きていたくない", "消えたい", "自殺したい", "ｼﾆﾀｲ", "薬をたくさん飲みました"],
    "zh": ["我想死", "不想活了", "我想自杀", "活着没有意思", "我吃了很多药", "我想自殺"],
}  # fmt: skip

ENGLISH_AS_TYPED = [
    "kms", "kys lol", "i wana dye", "cnt do dis no more", "im so done w everything tbh", "ffs kill me now pls",
    "unalive urself they said", "die", "i wnt 2 die", "gonna end it 2nite", "no hope no point", "nobody gives a damn",
    "idk man i jus cant", "help", "pls help me", "suicidal af rn", "todays the day",
    "my ex is such a pendejo, i wanna die",
    "adios amigos, im out", "c'est la vie i guess. i want to be dead", "he said te amo mi vida and then hit me",
    "im in de la cruz street with pills", "war is hell and i was in it", "main reason is my dad", "i am so over it",
    "hasta la vista", "mea culpa i guess", "i hav no 1", "dis is it 4 me", "i feel mal", "my son has a plan",
    "so i die alone", "pour me another one", "hi", "???", "", "12 345", "ok", "no", "i had a die in the game",
    "wtf is wrong w me", "sos", "per usual i come last", "on and on", "tu me manques she wrote, i miss her so much",
    "i w a n t to d i e", "wana di", "ta love", "th1nking ab0ut su1c1de 24/7", "dem boys say dem go burn our house",
]  # fmt: skip

OF_NO_LANGUAGE_HERE = [
    "Chcę umrzeć, nie mam już siły", "Nu mai vreau să trăiesc", "Jag vill inte leva längre", "Jeg vil ikke leve mere",
    "Ölmek istiyorum, artık dayanamıyorum", "Aku mau mati saja", "Ayoko na, gusto ko nang mamatay",
    "ayoko na", "nu mai pot", "mau mati", "vil dø", "nie mam",
    "Tôi muốn chết", "Я хочу умереть", "죽고 싶어요", "ฉันอยากตาย", "Θέλω να πεθάνω", "אני רוצה למות",
    "میں مرنا چاہتا ہوں", "می‌خواهم بمیرم", "मला जगायचं नाही", "म मर्न चाहन्छु, मलाई गाह्रो छ", "Haluan kuolla",
    "Nataka kufa", "Meg akarok halni",
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), [(tag, text) for tag, texts in IN_NEED.items() for text in texts])
def test_a_short_cry_is_understood_in_every_language(language: str, text: str) -> None:
    assert language_of(text, "en") == language
    assert language_of(text.upper(), "en") == language
    assert language_of(text, language) == language


def test_another_window_language_gives_way_where_another_is_clear() -> None:
    wrong = [
        (usual, language, text)
        for usual in LANGUAGES
        for language, texts in IN_NEED.items()
        for text in texts
        if len(text.split()) > 3 and language_of(text, usual) not in (language, usual)
    ]
    assert not wrong


@pytest.mark.parametrize("text", ENGLISH_AS_TYPED)
def test_english_with_slang_typos_and_scraps_of_others_stays_english(text: str) -> None:
    assert language_of(text, "en") == "en"


@pytest.mark.parametrize("text", OF_NO_LANGUAGE_HERE)
@pytest.mark.parametrize("usual", ["en", "de"])
def test_a_language_the_app_has_not_gets_the_usual_one(text: str, usual: str) -> None:
    assert language_of(text, usual) == usual


@pytest.mark.parametrize("text", ["I want to die and nobody cares", "i cant take it anymore, i have the pills"])
@pytest.mark.parametrize("usual", LANGUAGES)
def test_clear_english_is_answered_in_english_in_every_window(text: str, usual: str) -> None:
    assert language_of(text, usual) == "en"


def test_a_word_of_another_script_does_not_change_the_language() -> None:
    assert language_of("My tattoo says 死 and I regret it every day", "en") == "en"
    assert language_of("मैं dead हूँ अंदर से", "en") == "hi"
    assert language_of("我真的想死の", "en") == "zh"


def test_chinese_characters_alone_are_japanese_in_a_japanese_window() -> None:
    assert language_of("自殺願望", "ja") == "ja"
    assert language_of("我活不下去了,没有人在乎", "ja") == "zh"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en-GB", "en"), ("de_AT", "de"), ("hi-Latn-IN", "hi-Latn"), ("zh-Hans", "zh"), ("PT-br", "pt"), ("", "en")],
)  # fmt: skip
def test_the_usual_language_may_be_any_tag(tag: str, language: str) -> None:
    assert language_of("…", tag) == language


@pytest.mark.parametrize("text", ["\ud800", "\x00" * 50, "́" * 9_000, "a" * 300_000, "死a" * 90_000, "' " * 99_999])
def test_no_text_stalls_or_raises(text: str) -> None:
    begun = time.perf_counter()
    assert language_of(text, "en") in LANGUAGES
    assert time.perf_counter() - begun < 0.2


def test_the_words_are_many_enough_and_told_apart() -> None:
    words = load_language_words().latin
    assert set(words) == set(LATIN)
    assert all(30 <= len(own) <= 65 for own in words.values())


@pytest.mark.parametrize(
    "text", ["", "latin: {en: a}", "latin: {xx: a}\nother: {}\nonly_chinese: a", "[", "latin: 3\nother: 3"]
)
def test_a_broken_file_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "languages.yaml").write_text(text)
    with pytest.raises(BadRules):
        load_language_words(tmp_path / "languages.yaml")


def test_what_fails_inside_gives_the_usual_language_and_logs_no_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert language_of(7, "de") == "de"  # type: ignore[arg-type]
    assert [record.message for record in caplog.records] == ["a message's language could not be told: TypeError"]
