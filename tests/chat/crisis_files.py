"""The files of crisis replies as the tests see them, with what is known of each language."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mhdesk.core.paths import resources_dir

FOLDER = resources_dir() / "crisis"
FILES = sorted(FOLDER.glob("*.json"))
TAGS = [path.stem for path in FILES]

PROGRAM = {
    "en": "program", "es": "programa", "fr": "programme", "de": "programm", "pt": "programa", "it": "programma",
    "nl": "programma", "hi": "प्रोग्राम", "hi-Latn": "program", "ar": "برنامج", "ja": "プログラム", "zh": "程序",
}  # fmt: skip
EMERGENCY = {
    "en": "emergency", "es": "emergencia", "fr": "urgence", "de": "notruf", "pt": "emergência", "it": "emergenza",
    "nl": "noodnummer", "hi": "इमरजेंसी", "hi-Latn": "emergency", "ar": "الطوارئ", "ja": "緊急", "zh": "急",
}  # fmt: skip
CARD = {"en": "card", "es": "tarjeta", "fr": "fiche", "de": "karte", "pt": "cartão", "it": "scheda", "nl": "kaart"}

UNWANTED = {
    "en": r"\bpromise|swear to me|between us|you're not (thinking|going)|commit(ted)? suicide|goodbye|to live for|"
    r"your family (needs|loves)|therap|\b(noose|rope|razor|gun|bridge|overdose|hang yourself)\b|I (care|feel|love)\b|"
    r"I am (glad|sorry|worried|proud)|as a human",
    "es": r"prom[eé]t|j[uú]ra(me|lo)|entre nosotros|entre tú y yo|comet\w+ suicidio|adiós|por (lo|la) que vivir|"
    r"piensa en tu familia|terap|\b(soga|cuerda|cuchilla|pistola|puente|sobredosis|ahorc\w+)\b|"
    r"(me alegr|lo siento|me preocup|me importa)",
    "fr": r"prome(ts|ttre|ttez|sse)|jure|entre nous|comm\w+ (un )?suicide|adieu|pense à ta famille|raisons? de vivre|"
    r"thérap|\b(corde|lame|rasoir|pistolet|pont|overdose|pendre)\b|je suis (content|désolé|inquiet)|\btu tiens à moi",
    "de": r"versprich|versprechen|schwör|unter uns|selbstmord|leb wohl|denk an deine familie|wofür es sich zu leben|"
    r"therap|\b(seil|strick|klinge|rasier\w*|pistole|brücke|überdosis|erhängen)\b|"
    r"ich (bin froh|freue mich|sorge mich|fühle)|es tut mir leid|ich mache mir sorgen",
    "pt": r"promet|\bjur[ae]\b|entre nós|comet\w+ suicídio|pense na sua família|\b(corda|lâmina|ponte|overdose)\b",
    "it": r"promett|giura(mi)?\b|tra noi|commett\w+ suicidio|pensa alla tua famiglia|\b(corda|lametta|ponte)\b",
    "nl": r"beloof|beloven|zweer|onder ons|denk aan je familie|\b(touw|mesje|scheermes|brug|overdosis)\b",
    "hi": r"वादा|वचन|क़सम|कसम|हमारे बीच|फाँसी|फांसी|रस्सी|ब्लेड",
    "hi-Latn": r"\b(vaada|wada|vachan|kasam|phansi|faansi|rassi|blade)\b",
    "ar": r"عدني|أعدك|أقسم|بيننا|حبل|شفرة|جسر",
    "ja": r"約束|誓|秘密にします|内緒にします|さようなら|首を吊|ロープ|カミソリ|飛び降り",
    "zh": r"答应我|发誓|会保密|永别|上吊|绳|刀片|跳楼|跳桥",
}
"""Contracts, secrecy, farewells, guilt, means and claims of feeling: a short list for each language."""


def raw(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def texts_in(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    else:
        for inner in part.values() if isinstance(part, dict) else part:
            yield from texts_in(inner)


def all_texts(path: Path) -> list[str]:
    return list(texts_in(raw(path)))
