"""YAML to dataclasses, sections within sections."""

from dataclasses import dataclass, field

import pytest

from trainer.config import check, load_config
from trainer.errors import BadConfiguration


@dataclass(frozen=True, slots=True)
class Dish:
    name: str
    grams: float = 100.0

    def __post_init__(self):
        check(self, {"grams": self.grams > 0})


@dataclass(frozen=True, slots=True)
class Menu:
    dishes: tuple[Dish, ...]
    best: Dish = field(default_factory=lambda: Dish("bread"))
    words: dict[str, str] = field(default_factory=dict)
    seats: int = 4
    open_late: bool = False


def load(tmp_path, text):
    (tmp_path / "menu.yaml").write_text(text, encoding="utf-8")
    return load_config(tmp_path / "menu.yaml", Menu)


def test_sections_and_lists_of_sections_become_dataclasses(tmp_path):
    menu = load(tmp_path, "dishes: [{name: soup, grams: 300}, {name: tea}]\nbest: {name: pie}\nwords: {a: b}\n")
    assert menu == Menu((Dish("soup", 300.0), Dish("tea")), Dish("pie"), {"a": "b"})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("seats: 3\n", "lacks the key dishes"),
        ("dishes: []\nseats: many\n", "a whole number under seats"),
        ("dishes: []\nseats: true\n", "a whole number under seats"),
        ("dishes: []\nopen_late: 1\n", "true or false under open_late"),
        ("dishes: []\nbest: {grams: 3}\n", r"lacks the key best\.name"),
        ("dishes: []\nbest: pie\n", "keys and values under best"),
        ("dishes: pie\n", "a list under dishes"),
        ("dishes: [{name: soup, salt: 1}]\n", r"unknown key: dishes\[0\]\.salt"),
        ("dishes: [{name: soup, grams: -1}]\n", "grams is outside what makes sense: -1"),
        ("dishes: []\nwords: [a]\n", "keys and values under words"),
        ("- a list\n", "keys and values"),
        ("a: [unclosed", "not valid YAML"),
        ("dishes: []\nseats: 2024-02-30\n", "not valid YAML"),
        (f"dishes: []\nseats: {'9' * 5000}\n", "not valid YAML"),
        (f"dishes: []\nseats: {'[' * 5000}\n", "not valid YAML"),
        (f"dishes: [{{name: soup, grams: 1{'0' * 400}}}]\n", r"too large to compute with under dishes\[0\]\.grams"),
    ],
)
def test_what_is_wrong_is_named_in_the_sentence(tmp_path, text, named):
    with pytest.raises(BadConfiguration, match=named):
        load(tmp_path, text)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(BadConfiguration, match="cannot be read"):
        load_config(tmp_path / "nothing.yaml", Menu)
