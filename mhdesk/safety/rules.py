"""The rules of screen and gate as data: what the YAML files in resources/safety may hold, checked while loading.

An unknown key, topic, level or modifier is an error, so that a slip of the pen cannot switch a rule off in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mhdesk.core.levels import Level, Topic
from mhdesk.core.paths import resources_dir
from mhdesk.safety.answers import Answers, Question
from mhdesk.safety.patterns import BadRules, compile_bytes, compile_family
from mhdesk.safety.patterns import checked as checked
from mhdesk.safety.patterns import read_yaml as read_yaml
from mhdesk.safety.spelling import Speller

_RULE_KEYS = frozenset(
    {"id", "means", "topics", "level", "patterns", "unless", "not_across", "now", "needs_context", "lowered_by"}
)
_PACK_KEYS = frozenset({"language", "script", "needs", "blind_to", "words", "modifiers", "idioms", "pressing", "rules"})
_SCOPES = frozenset({"near", "sentence", "around", "quoted"})
_ANSWERS = ("harmless", "offering", "either", "agreeing", "unsure", "denying", "taken_back", "fine")
_CHOICES = ("first", "second", "both")
_CONVERSATION_KEYS = frozenset({"weights", "questions", "asking_what_this_is", "choosing", "words", *_ANSWERS})
_SCRIPTS = frozenset({"latin", "devanagari", "arabic", "han"})


@dataclass(frozen=True, slots=True)
class Modifier:
    """What lowers a hit. `means` says in a plain sentence what it is.

    `scope` is where it is looked for: `near` the hit, in its `sentence`, also in the sentences `around` it, or only
    where the hit is `quoted`.
    `excepted` are phrases that look like it and are not; `undone` are words anywhere in the message that cancel it.
    """

    name: str
    means: str
    scope: str
    to: Level
    found: Any
    excepted: Any = None
    undone: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One family of sayings. `means` says in a plain sentence what it catches.

    `now` marks plan, means, attempt or emergency; it never lowers below elevated.
    `unless` cancels it in the whole sentence, `not_across` are words that a hit may not reach over, and
    `needs_context` rules count only where the talk before was already at risk.
    """

    id: str
    means: str
    topics: tuple[Topic, ...]
    level: Level
    found: Any
    unless: Any = None
    not_across: Any = None
    now: bool = False
    needs_context: bool = False
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one language (BCP 47).

    `needs` must stand in the message, and what `blind_to` matches is not read, so that languages of one script do not
    read each other. `modifiers` are lent to hits of the script's other packs. `pressing` are words of means, of a time
    set and of farewell: they say nothing alone, and that it may happen soon where a crisis was found.
    """

    language: str
    script: str
    idioms: Any
    rules: tuple[Rule, ...]
    modifiers: tuple[Modifier, ...] = ()
    needs: Any = None
    blind_to: Any = None
    pressing: Any = None


@dataclass(frozen=True, slots=True)
class ScreenRules:
    """Everything the screen knows."""

    packs: tuple[Pack, ...]
    speller: Speller
    weights: Mapping[Topic, int]
    asking_what_this_is: Any
    answers: Answers

    @classmethod
    def load(cls, folder: Path | None = None) -> ScreenRules:
        """The rules under `folder` (resources/safety if not given).

        Raises:
            BadRules: a file breaks the format.
        """
        folder = folder or resources_dir() / "safety"
        talk = read_yaml(folder / "conversation.yaml", _CONVERSATION_KEYS)
        words = talk.get("words", {})
        weights = {_topic(name, "weights"): int(weight) for name, weight in talk["weights"].items()}
        if set(weights) != set(Topic):
            raise BadRules("Every topic needs a weight in conversation.yaml.")
        return cls(
            packs=tuple(_packs(sorted((folder / "screen").glob("*.yaml")))),
            speller=load_speller(folder / "spelling.yaml"),
            weights=weights,
            asking_what_this_is=compile_family(talk["asking_what_this_is"], words, spaced=False),
            answers=_answers(talk, words),
        )


@dataclass(slots=True)
class _Draft:
    """The files of one language, put together before anything is compiled."""

    script: str
    words: dict[str, str] = field(default_factory=dict)
    modifiers: dict[str, Any] = field(default_factory=dict)
    idioms: list[str] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    blind_to: list[str] = field(default_factory=list)
    pressing: list[str] = field(default_factory=list)


def load_speller(path: Path) -> Speller:
    """The words that are put right.

    Raises:
        BadRules: the file breaks the format.
    """
    raw = read_yaml(path, {"keys", "own_words", "variants", "parts"})
    variants = {form: meant for meant, forms in raw["variants"].items() for form in forms.split()}
    return Speller(raw["keys"].split(), raw["own_words"].split(), variants, raw["parts"].split())


def _packs(paths: list[Path]) -> Iterable[Pack]:
    drafts: dict[str, _Draft] = {}
    for path in paths:
        raw = read_yaml(path, _PACK_KEYS)
        language, script = raw.get("language"), raw.get("script", "latin")
        if not isinstance(language, str) or script not in _SCRIPTS:
            raise BadRules(f"{path.name} needs a language and a known script.")
        draft = drafts.setdefault(language, _Draft(script))
        draft.words.update(raw.get("words") or {})
        draft.modifiers.update(raw.get("modifiers") or {})
        for key in ("idioms", "rules", "needs", "blind_to", "pressing"):
            getattr(draft, key).extend(raw.get(key) or [])
    seen: set[str] = set()
    for language, draft in drafts.items():
        spaced = draft.script == "latin"
        modifiers = {name: _modifier(name, raw, draft.words, spaced) for name, raw in draft.modifiers.items()}
        rules = tuple(_rule(raw, draft.words, modifiers, spaced) for raw in draft.rules)
        for rule in rules:
            if rule.id in seen:
                raise BadRules(f"Two safety rules are called {rule.id}.")
            seen.add(rule.id)
        idioms, pressing = (
            compile_family(raw, draft.words, spaced=spaced) if raw else None for raw in (draft.idioms, draft.pressing)
        )
        needs, blind_to = (compile_bytes("|".join(raw)) if raw else None for raw in (draft.needs, draft.blind_to))
        yield Pack(language, draft.script, idioms, rules, tuple(modifiers.values()), needs, blind_to, pressing)


def _meaning(raw: Mapping[str, Any], where: str) -> str:
    means = raw.get("means")
    if not isinstance(means, str) or not means.strip():
        raise BadRules(f"{where} needs a sentence that says what it means.")
    return means.strip()


def _modifier(name: str, raw: Any, words: Mapping[str, str], spaced: bool) -> Modifier:
    raw = checked(raw, {"means", "scope", "to", "patterns", "except", "undone_by"}, f"modifier {name}")
    if raw.get("scope") not in _SCOPES:
        raise BadRules(f"The modifier {name} needs a scope.")
    means = _meaning(raw, f"The modifier {name}")

    def family(key: str) -> Any:
        return compile_family(raw[key], words, spaced=spaced) if raw.get(key) else None

    level = Level(raw.get("to", "elevated"))
    return Modifier(name, means, raw["scope"], level, family("patterns"), family("except"), family("undone_by"))


def _rule(raw: Any, words: Mapping[str, str], modifiers: Mapping[str, Modifier], spaced: bool) -> Rule:
    raw = checked(raw, _RULE_KEYS, f"rule {raw.get('id') if isinstance(raw, dict) else '?'}")
    name = raw.get("id")
    if not isinstance(name, str) or not raw.get("patterns"):
        raise BadRules("A safety rule needs an id and patterns.")
    try:
        level = Level(raw.get("level", "crisis"))
    except ValueError as error:
        raise BadRules(f"The rule {name} has an unknown level.") from error
    lowered_by = raw.get("lowered_by", list(modifiers))
    unknown = [modifier for modifier in lowered_by if modifier not in modifiers]
    if unknown:
        raise BadRules(f"The rule {name} is lowered by something unknown: {unknown[0]}.")
    return Rule(
        id=name,
        means=_meaning(raw, f"The rule {name}"),
        topics=tuple(_topic(topic, name) for topic in raw.get("topics", ())),
        level=level,
        found=compile_family(raw["patterns"], words, spaced=spaced),
        unless=compile_family(raw["unless"], words, spaced=spaced) if raw.get("unless") else None,
        not_across=compile_family(raw["not_across"], words, spaced=spaced) if raw.get("not_across") else None,
        now=bool(raw.get("now", False)),
        needs_context=bool(raw.get("needs_context", False)),
        modifiers=tuple(modifiers[modifier] for modifier in lowered_by),
    )


def _answers(talk: Mapping[str, Any], words: Mapping[str, str]) -> Answers:
    choosing = checked(talk.get("choosing"), _CHOICES, "choosing")
    families = {name: talk.get(name) for name in _ANSWERS} | {name: choosing.get(name) for name in _CHOICES}
    missing = [name for name, sources in families.items() if not sources]
    if missing:
        raise BadRules(f"The family {missing[0]} is missing in conversation.yaml.")
    compiled = {name: compile_family(sources or (), words, spaced=False) for name, sources in families.items()}
    return Answers(questions=tuple(_question(entry, words) for entry in talk["questions"]), **compiled)


def _question(raw: Any, words: Mapping[str, str]) -> Question:
    raw = checked(raw, {"topic", "means", "patterns", "now", "if_no", "needs_context"}, "questions")
    found = compile_family(raw["patterns"], words, spaced=False)
    marks = {key: bool(raw.get(key, False)) for key in ("now", "if_no", "needs_context")}
    return Question(_topic(raw["topic"], "questions"), _meaning(raw, "A question"), found, **marks)


def _topic(name: Any, where: str) -> Topic:
    try:
        return Topic(name)
    except ValueError as error:
        raise BadRules(f"{where} names an unknown topic.") from error
