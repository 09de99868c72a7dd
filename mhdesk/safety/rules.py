"""The rules of screen and gate as data: what the YAML files in resources/safety may hold, checked while loading.

An unknown key, topic, level or modifier is an error, so that a slip of the pen cannot switch a rule off in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mhdesk.core.levels import Level, Topic
from mhdesk.core.paths import resources_dir
from mhdesk.safety.patterns import BadRules, compile_family
from mhdesk.safety.spelling import Speller

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RULE_KEYS = frozenset(
    {"id", "topics", "level", "patterns", "unless", "not_across", "now", "needs_context", "lowered_by"}
)
_SCRIPTS = frozenset({"latin", "devanagari", "arabic", "han"})


@dataclass(frozen=True, slots=True)
class Modifier:
    """What lowers a hit. `scope` is where it is looked for: `near` the hit, in its `sentence`, or in quotation marks.

    `excepted` are phrases that look like it and are not; `undone` are words anywhere in the message that cancel it.
    """

    name: str
    scope: str
    to: Level
    found: Any
    excepted: Any = None
    undone: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One family of sayings. `now` marks plan, means, attempt or emergency; it never lowers below elevated.

    `unless` cancels it in the whole sentence, `not_across` are words that a hit may not reach over, and
    `needs_context` rules count only where the talk before was already at risk.
    """

    id: str
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
    """The rules of one language."""

    language: str
    script: str
    idioms: Any
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the app's own, and what agreeing to it means."""

    topic: Topic
    found: Any
    now: bool


@dataclass(frozen=True, slots=True)
class ScreenRules:
    """Everything the screen knows."""

    packs: tuple[Pack, ...]
    speller: Speller
    weights: Mapping[Topic, int]
    questions: tuple[Question, ...]
    agreeing: Any
    denying: Any

    @classmethod
    def load(cls, folder: Path | None = None) -> ScreenRules:
        """The rules under `folder` (resources/safety if not given).

        Raises:
            BadRules: a file breaks the format.
        """
        folder = folder or resources_dir() / "safety"
        talk = read_yaml(folder / "conversation.yaml", {"weights", "questions", "agreeing", "denying", "words"})
        words = talk.get("words", {})
        weights = {_topic(name, "weights"): int(weight) for name, weight in talk["weights"].items()}
        if set(weights) != set(Topic):
            raise BadRules("Every topic needs a weight in conversation.yaml.")
        return cls(
            packs=tuple(_packs(sorted((folder / "screen").glob("*.yaml")))),
            speller=load_speller(folder / "spelling.yaml"),
            weights=weights,
            questions=tuple(_question(entry, words) for entry in talk["questions"]),
            agreeing=compile_family(talk["agreeing"], words, spaced=False),
            denying=compile_family(talk["denying"], words, spaced=False),
        )


@dataclass(slots=True)
class _Draft:
    """The files of one language, put together before anything is compiled."""

    script: str
    words: dict[str, str] = field(default_factory=dict)
    modifiers: dict[str, Any] = field(default_factory=dict)
    idioms: list[str] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)


def load_speller(path: Path) -> Speller:
    """The words that are put right.

    Raises:
        BadRules: the file breaks the format.
    """
    raw = read_yaml(path, {"keys", "own_words", "variants", "parts"})
    variants = {form: meant for meant, forms in raw["variants"].items() for form in forms.split()}
    return Speller(raw["keys"].split(), raw["own_words"].split(), variants, raw["parts"].split())


def read_yaml(path: Path, allowed: Iterable[str]) -> dict[str, Any]:
    """The mapping in `path`.

    Raises:
        BadRules: it cannot be read, is no mapping, or has a key that is not `allowed`.
    """
    try:
        with path.open("rb") as file:
            raw = yaml.load(file, Loader=_LOADER)  # noqa: S506  (the C twin of the safe loader)
    except (OSError, yaml.YAMLError) as error:
        raise BadRules(f"The safety rules in {path.name} cannot be read.") from error
    return checked(raw, allowed, path.name)


def checked(raw: Any, allowed: Iterable[str], where: str) -> dict[str, Any]:
    """`raw`, if it is a mapping with no key beyond `allowed`.

    Raises:
        BadRules: it is not.
    """
    if not isinstance(raw, dict):
        raise BadRules(f"The safety rules in {where} are not a mapping.")
    unknown = set(raw) - set(allowed)
    if unknown:
        raise BadRules(f"The safety rules in {where} have an unknown key: {sorted(map(str, unknown))[0]}.")
    return raw


def _packs(paths: list[Path]) -> Iterable[Pack]:
    drafts: dict[str, _Draft] = {}
    for path in paths:
        raw = read_yaml(path, {"language", "script", "words", "modifiers", "idioms", "rules"})
        language, script = raw.get("language"), raw.get("script", "latin")
        if not isinstance(language, str) or script not in _SCRIPTS:
            raise BadRules(f"{path.name} needs a language and a known script.")
        draft = drafts.setdefault(language, _Draft(script))
        draft.words.update(raw.get("words") or {})
        draft.modifiers.update(raw.get("modifiers") or {})
        draft.idioms.extend(raw.get("idioms") or [])
        draft.rules.extend(raw.get("rules") or [])
    seen: set[str] = set()
    for language, draft in drafts.items():
        spaced = draft.script == "latin"
        modifiers = {name: _modifier(name, raw, draft.words, spaced) for name, raw in draft.modifiers.items()}
        rules = tuple(_rule(raw, draft.words, modifiers, spaced) for raw in draft.rules)
        for rule in rules:
            if rule.id in seen:
                raise BadRules(f"Two safety rules are called {rule.id}.")
            seen.add(rule.id)
        idioms = compile_family(draft.idioms, draft.words, spaced=spaced) if draft.idioms else None
        yield Pack(language, draft.script, idioms, rules)


def _modifier(name: str, raw: Any, words: Mapping[str, str], spaced: bool) -> Modifier:
    raw = checked(raw, {"scope", "to", "patterns", "except", "undone_by"}, f"modifier {name}")
    if raw.get("scope") not in {"near", "sentence", "quoted"}:
        raise BadRules(f"The modifier {name} needs a scope.")

    def family(key: str) -> Any:
        return compile_family(raw[key], words, spaced=spaced) if raw.get(key) else None

    level = Level(raw.get("to", "elevated"))
    return Modifier(name, raw["scope"], level, family("patterns"), family("except"), family("undone_by"))


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
        topics=tuple(_topic(topic, name) for topic in raw.get("topics", ())),
        level=level,
        found=compile_family(raw["patterns"], words, spaced=spaced),
        unless=compile_family(raw["unless"], words, spaced=spaced) if raw.get("unless") else None,
        not_across=compile_family(raw["not_across"], words, spaced=spaced) if raw.get("not_across") else None,
        now=bool(raw.get("now", False)),
        needs_context=bool(raw.get("needs_context", False)),
        modifiers=tuple(modifiers[modifier] for modifier in lowered_by),
    )


def _question(raw: Any, words: Mapping[str, str]) -> Question:
    raw = checked(raw, {"topic", "patterns", "now"}, "questions")
    found = compile_family(raw["patterns"], words, spaced=False)
    return Question(_topic(raw["topic"], "questions"), found, bool(raw.get("now", False)))


def _topic(name: Any, where: str) -> Topic:
    try:
        return Topic(name)
    except ValueError as error:
        raise BadRules(f"{where} names an unknown topic.") from error
