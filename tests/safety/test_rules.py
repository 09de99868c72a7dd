"""The rules alone, without the learnt stage: conversations, languages beside each other, and what every rule must say.

Turns beginning with "> " are the app's.
"""

import re
from pathlib import Path

import pytest
import yaml

from mhdesk.core.levels import Level, Topic, Verdict
from mhdesk.core.messages import Message, Role
from mhdesk.core.paths import resources_dir
from mhdesk.safety.patterns import BadRules
from mhdesk.safety.rules import ScreenRules
from mhdesk.safety.screen import Screen


class NothingLearnt:
    """Stands where the learnt stage stands, and knows nothing."""

    def judge(self, data: bytes) -> None:
        return None


RULES = ScreenRules.load()
SCREEN = Screen(RULES, NothingLearnt())
SUICIDE = "Are you thinking about ending your life?"


def say(*texts: str) -> Verdict:
    return SCREEN.assess(
        [Message(Role.ASSISTANT, text[2:]) if text.startswith("> ") else Message(Role.USER, text) for text in texts]
    )


AGREEMENTS = [
    "yes", "Yes.", "yea", "yeah...", "…yeah", "ye", "yep", "yup", "ya", "y", "mhm", "mm hm", "uh huh", "Yes!!!",
    "YESSS", "i guess", "i guess so", "i suppose", "sort of", "kinda", "kind of, yeah", "a little",
    "a bit, sometimes",
    "sometimes", "some days", "at night mostly", "every day", "all the time", "on and off", "from time to time",
    "lately", "for weeks now", "since March", "always", "does it matter", "does it even matter?", "what if i am",
    "What if I am?", "what if i do", "so what if i am", "who cares", "why do you care", "👍", "👍🏽", "✅",
    "idk maybe",
    "idk", "i don't know", "not sure", "maybe", "Maybe...", "perhaps", "probably", "guilty", "guilty as charged",
    "you got me", "u got me", "you caught me", "busted", "how did you know", "good guess", "bingo", "spot on",
    "that's right", "thats it", "exactly", "duh", "obviously", "isn't it obvious", "when am i not", "i am", "I do",
    "i have been", "i have", "it's crossed my mind", "the thought has crossed my mind", "thought about it",
    "been thinking about it", "yes but don't tell anyone", "don't tell anyone", "i can't deny it", "i won't lie, yes",
    "not gonna lie, yeah", "well... yes", "um, yes", "honestly? yes", "no, well, actually yes", "no. ok maybe",
    "not really but sometimes", "no i lied", "not yet", "more than i'd like", "more often than not", "yes and no",
    "both", "fine, yes", "hell yes", "*nods*", "nods", "it depends", "i'd rather not say", "do i have to answer",
    "no idea", "if i say yes will you call someone", "can you keep a secret", "unfortunately yes", "ｙｅｓ", "y e s",
]  # fmt: skip

DENIALS = [
    "no", "No.", "nope", "nah", "never", "not at all", "no, nothing like that", "no way", "of course not",
    "absolutely not", "i'm not", "I would never", "hell no", "no, i'm just tired", "i'm fine", "yes i'm okay",
    "yeah no", "no but i'm very sad", "it's not that bad", "don't worry, no", "neither", "not like that", "👎",
]  # fmt: skip

NEITHER = [
    "my cat threw up on the carpet", "can we talk about my exam instead", "what's the weather like",
    "how do i cook lentils", "thank you for listening", "lentils", "ok", "hello?", "i had soup today",
    "my sister calls me every Sunday", "what do you mean", "right now i'm eating toast",
    "yesterday i went to the sea",
    "maybe we could do the breathing thing later", "😔", "...", "I was at the dentist",
    "always look on the bright side",
]  # fmt: skip


@pytest.mark.parametrize("answer", AGREEMENTS)
def test_an_agreement_to_a_direct_question_is_crisis(answer: str) -> None:
    verdict = say("things are bad", f"> {SUICIDE}", answer)
    assert (verdict.level, verdict.topics[0]) == (Level.CRISIS, Topic.SUICIDE)
    assert verdict.rules[0] == "conversation.asked-suicide"


@pytest.mark.parametrize("answer", DENIALS)
def test_a_denial_is_watched(answer: str) -> None:
    verdict = say("things are bad", f"> {SUICIDE}", answer)
    assert verdict.level is Level.ELEVATED
    assert verdict.rules[-1] == "conversation.asked-suicide/denied"


@pytest.mark.parametrize("answer", NEITHER)
def test_another_subject_is_no_answer(answer: str) -> None:
    assert say("things are bad", f"> {SUICIDE}", answer).level is Level.NONE


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("¿Estás pensando en suicidarte?", ["sí", "si", "a veces", "tal vez", "creo que sí", "un poco", "no sé",
         "y si es así?", "qué importa", "claro"], ["no", "para nada", "nunca", "no, estoy bien"]),
        ("Est-ce que tu penses à te tuer ?", ["oui", "ouais", "parfois", "peut-être", "un peu", "je sais pas",
         "et alors ?", "ça change quoi", "j'y pense"], ["non", "pas du tout", "jamais"]),
        ("Denkst du daran, dir das Leben zu nehmen?", ["ja", "manchmal", "schon", "vielleicht", "weiß nicht", "oft",
         "ein bisschen", "und wenn schon", "ist doch egal", "eigentlich schon"], ["nein", "nee", "gar nicht",
         "quatsch"]),
        ("Stai pensando di toglierti la vita?", ["sì", "a volte", "forse", "un po'", "boh", "non lo so",
        "che importa",
         "ci penso", "purtroppo sì"], ["no", "mai", "assolutamente no"]),
        ("Denk je aan zelfmoord?", ["ja", "soms", "misschien", "een beetje", "weet niet", "maakt het uit",
        "eigenlijk wel",
         "af en toe"], ["nee", "nooit", "helemaal niet"]),
        ("Você está pensando em se matar?", ["sim", "às vezes", "talvez", "um pouco", "sei lá", "não sei", "e daí?",
         "acho que sim", "faz diferença?"], ["não", "nunca", "de jeito nenhum"]),
        ("Kya tum suicide ke baare mein soch rahe ho?", ["haan", "haa", "kabhi kabhi", "shayad", "pata nahi", "ji",
         "kya farak padta hai", "thoda"], ["nahi", "bilkul nahi", "na"]),
        ("क्या तुम आत्महत्या के बारे में सोच रहे हो?", ["हाँ", "हां", "कभी कभी", "शायद", "पता नहीं", "जी"],
         ["नहीं", "बिल्कुल नहीं"]),
        ("هل تفكر في الانتحار؟", ["نعم", "أحيانا", "ايوه", "يمكن", "ربما", "لا أعرف", "هل يهم؟", "أفكر"], ["لا",
        "أبدا"]),
        ("死にたいと思っていますか。", ["はい", "うん", "たまに", "少し", "かもしれない", "わからない",
        "どうでもいい", "考えてる"],
         ["いいえ", "ううん", "全然"]),
        ("你有想过自杀吗？", ["有", "是", "嗯", "有时候", "想过", "可能", "不知道", "重要吗"], ["没有", "不是",
        "从来没"]),
    ],
    ids=["es", "fr", "de", "it", "nl", "pt", "hi-Latn", "hi", "ar", "ja", "zh"],
)  # fmt: skip
def test_every_language_asks_and_answers(question: str, yes: list[str], no: list[str]) -> None:
    levels = {answer: say(f"> {question}", answer).level for answer in (*yes, *no)}
    assert {answer: level for answer, level in levels.items() if answer in yes and level is not Level.CRISIS} == {}
    assert {answer: level for answer, level in levels.items() if answer in no and level is not Level.ELEVATED} == {}


@pytest.mark.parametrize(
    ("question", "topic", "now"),
    [
        ("Have you had thoughts of suicide?", Topic.SUICIDE, False),
        ("Do you wish you were dead?", Topic.SUICIDE, False),
        ("Do you sometimes wish you could go to sleep and not wake up?", Topic.SUICIDE, False),
        ("I want to ask you directly: are you thinking of killing yourself?", Topic.SUICIDE, False),
        ("Have you been hurting yourself?", Topic.SELF_HARM, False),
        ("Are you cutting yourself on purpose?", Topic.SELF_HARM, False),
        ("Te haces daño a ti? ¿Has pensado en cortarte?", Topic.SELF_HARM, False),
        ("Verletzt du dich selbst? Hast du dich geritzt oder willst du dich verletzen?", Topic.SELF_HARM, False),
        ("Is someone hurting you?", Topic.ABUSE, False),
        ("Are you afraid of your partner?", Topic.ABUSE, False),
        ("Are you thinking about hurting someone?", Topic.VIOLENCE, False),
        ("Is your friend thinking about suicide?", Topic.THIRD_PARTY, False),
        ("Has she said that she wants to die?", Topic.THIRD_PARTY, False),
        ("Are you hearing voices?", Topic.PSYCHOSIS, False),
        ("Do you have the pills near you?", Topic.SUICIDE, True),
        ("Have you taken anything?", Topic.SUICIDE, True),
        ("Do you have a plan for how you would end your life?", Topic.SUICIDE, True),
        ("Are you going to act on these thoughts tonight? Do you intend to do it?", Topic.SUICIDE, True),
        ("¿Tienes pastillas o algo con qué hacerlo cerca?", Topic.SUICIDE, True),
        ("Hast du Tabletten in der Nähe?", Topic.SUICIDE, True),
        ("As-tu pris des cachets ?", Topic.SUICIDE, True),
        ("薬を大量に飲みましたか？", Topic.SUICIDE, True),
        ("你身边有药或者刀吗？", Topic.SUICIDE, True),
        ("Are you bleeding?", Topic.MEDICAL, True),
    ],
)
def test_the_question_says_what_a_yes_means(question: str, topic: Topic, now: bool) -> None:
    for answer in ("yes", "👍"):
        verdict = say("hello", f"> {question}", answer)
        assert (verdict.level, verdict.topics[0], verdict.danger_now) == (Level.CRISIS, topic, now)


@pytest.mark.parametrize(
    "question",
    [
        "Would you like a breathing exercise?", "Shall we talk about sleep?", "Are you a night owl?",
        "Do you have a plan for the weekend?", "Is your essay about suicide prevention?", "Are you afraid of dying?",
        "Did your grandfather die by suicide?", "¿Quieres un ejercicio de respiración?", "Magst du Tee?",
        "Does that sound right?", "Do you have a plan?", "Have you eaten today?", "¿Te da miedo morir?",
        "Is there someone you could call?", "Do you have pets?", "Is the novel about a man who wants to die?",
    ],
)  # fmt: skip
@pytest.mark.parametrize("answer", ["yes", "yes please", "sí", "ja", "👍", "maybe", "no"])
def test_an_answer_to_a_harmless_question_is_nothing(question: str, answer: str) -> None:
    assert say("I slept badly", f"> {question}", answer).level is Level.NONE


@pytest.mark.parametrize(
    ("said", "answer", "level"),
    [
        ("I'm glad that you are not thinking about suicide. Would you like a tip for sleep?", "yes", Level.NONE),
        ("Some people think about suicide. Do you like tea?", "yes", Level.NONE),
        ("Are you thinking about suicide? Would you like to try a breathing exercise?", "yes", Level.ELEVATED),
        ("Are you thinking about suicide? I ask because I care.", "yes", Level.CRISIS),
        ("I hear you. Are you thinking about suicide? How long has it been?", "for weeks now", Level.CRISIS),
        ("Tell me if you are thinking about suicide.", "i am", Level.CRISIS),
    ],
)
def test_only_what_was_asked_is_answered(said: str, answer: str, level: Level) -> None:
    assert say("I slept badly", f"> {said}", answer).level is level


@pytest.mark.parametrize(
    ("question", "answer", "level"),
    [
        ("Are you thinking about suicide, or do you feel very low?", "the first", Level.CRISIS),
        ("Are you thinking about suicide, or do you feel very low?", "the second one", Level.ELEVATED),
        ("Are you thinking about suicide, or do you feel very low?", "both", Level.CRISIS),
        ("Are you thinking about suicide, or do you feel very low?", "yes", Level.CRISIS),
        ("Are you thinking about suicide, or do you feel very low?", "neither", Level.ELEVATED),
        ("Is it that you are tired, or that you want to die?", "the latter", Level.CRISIS),
        ("Is it that you are tired, or that you want to die?", "the former", Level.ELEVATED),
        ("¿Estás cansado o quieres morir?", "lo segundo", Level.CRISIS),
        ("¿Estás cansado o quieres morir?", "lo primero", Level.ELEVATED),
        ("Bist du erschöpft oder denkst du an Suizid?", "das zweite", Level.CRISIS),
        ("Bist du erschöpft oder denkst du an Suizid?", "beides", Level.CRISIS),
        ("Es-tu fatiguée ou penses-tu au suicide ?", "les deux", Level.CRISIS),
        ("Ben je moe of denk je aan zelfmoord?", "het tweede", Level.CRISIS),
        ("Você está cansado ou quer morrer?", "a segunda", Level.CRISIS),
        ("疲れているのですか、それとも死にたいのですか？", "後者", Level.CRISIS),
        ("你是累了，还是想死？", "第二个", Level.CRISIS),
    ],
)
def test_either_or(question: str, answer: str, level: Level) -> None:
    assert say("hello", f"> {question}", answer).level is level


@pytest.mark.parametrize(
    ("question", "answer", "level"),
    [
        ("Are you safe right now?", "no", Level.CRISIS),
        ("Are you safe right now?", "not really", Level.CRISIS),
        ("Are you safe right now?", "i don't know", Level.CRISIS),
        ("Are you safe right now?", "yes", Level.NONE),
        ("Are you safe right now?", "i'm ok", Level.NONE),
        ("Can you keep yourself safe tonight?", "i'm not sure", Level.CRISIS),
        ("Can you keep yourself safe tonight?", "i am", Level.NONE),
        ("Do you feel safe?", "no.", Level.CRISIS),
        ("¿Estás a salvo ahora?", "no", Level.CRISIS),
        ("Bist du gerade in Sicherheit?", "nein", Level.CRISIS),
        ("Es-tu en sécurité ?", "non", Level.CRISIS),
        ("Ben je veilig?", "nee", Level.CRISIS),
        ("Você está segura?", "não", Level.CRISIS),
        ("你现在安全吗？", "不", Level.CRISIS),
        ("今、安全な場所にいますか？", "いいえ", Level.CRISIS),
        ("هل أنت في أمان؟", "لا", Level.CRISIS),
    ],
)
def test_of_safety_the_no_is_the_alarm(question: str, answer: str, level: Level) -> None:
    verdict = say("hello", f"> {question}", answer)
    assert (verdict.level, verdict.danger_now) == (level, level is Level.CRISIS)


@pytest.mark.parametrize(
    "text",
    [
        "thanks, what now?", "thank you", "what do I do now", "ok", "who can I call", "I had some soup",
        "how does that work",
        "the button doesn't work", "what can you do for me", "can you stay a bit", "gracias", "danke",
        "the cat is here",
    ],
)  # fmt: skip
def test_after_a_crisis_it_is_watched_and_no_second_card_is_forced(text: str) -> None:
    assert say("I want to kill myself", "> I am here with you.", text).level is Level.ELEVATED


@pytest.mark.parametrize(
    "text",
    ["I'm going to do it tonight", "nothing helps", "too late for me", "i still want to",
    "I have the pills with me now",
     "don't try to stop me", "made up my mind"],
)  # fmt: skip
def test_after_a_crisis_what_points_to_acting_is_crisis(text: str) -> None:
    assert say("I want to kill myself", "> I am here with you.", text).level is Level.CRISIS


def test_an_earlier_yes_is_remembered_too() -> None:
    talk = ("I feel low", f"> {SUICIDE}", "yeah", "> Would you like to try something together?")
    assert say(*talk, "yes please").level is Level.ELEVATED
    assert say(*talk, "I had soup").rules == ("conversation.after-crisis",)


def test_a_plan_is_asked_about_where_danger_was_spoken_of() -> None:
    assert say("I want to die", "> Do you have a plan?", "yes").danger_now
    assert say("exams are hard", "> Do you have a plan?", "yes").level is Level.NONE


@pytest.mark.parametrize(
    ("asked", "answer", "level"),
    [
        ("When it is that hard, some people think about ending their life. Has that been happening for you?", "Yes.",
         Level.CRISIS),
        ("Some people think about suicide then. Is that true for you?", "every night", Level.CRISIS),
        ("Some people think about suicide then. Is that true for you?", "no, never", Level.ELEVATED),
        ("Some people take a walk. Does that help you?", "yes", Level.NONE),
        ("Do you feel safe, or are you thinking of hurting yourself?", "the second one", Level.CRISIS),
        ("Do you feel safe, or are you thinking of hurting yourself?", "the first", Level.ELEVATED),
    ],
)  # fmt: skip
def test_a_question_may_point_at_the_sentence_before_or_let_choose(asked, answer, level):
    assert say("hello", f"> {asked}", answer).level is level


def test_a_long_answer_counts_by_its_first_sentence() -> None:
    story = " My brother came round and we watched the football and ate far too much, and then he went home." * 3
    assert say(f"> {SUICIDE}", "Yes." + story).level is Level.CRISIS
    assert say(f"> {SUICIDE}", "Football." + story).level is Level.NONE


@pytest.mark.parametrize(
    "text",
    [
        "I am writing a handover template for overdose patients", "long shift on the overdose unit today",
        "自殺対策の予算は増えていますか", "世界预防自杀日是几号",
        "Quelles sont les statistiques du suicide en Belgique ?",
        "¿Qué significa la palabra suicidio en latín?", "Referat über Suizidprävention, wie fange ich an?",
        "tesi sul suicidio in letteratura, da dove comincio", "werkstuk over zelfdoding voor school",
        "trabalho da faculdade: estatísticas de suicídio",
        "domestic violence act me kya kya aata hai, law student hu",
        "किसान आत्महत्या पर रिपोर्ट का सार बताइए", "بحث عن ظاهرة الانتحار للجامعة",
        "jajaja me quiero morir, qué vergüenza",
        "vou morrer de rir kkkk", "je vais mourir de rire mdr", "想死你了，什么时候回家", "笑死我了",
        "the bridge of my nose is burnt", "proud of myself today", "I'm going to catch the bus home",
    ],
)  # fmt: skip
def test_news_study_and_idioms_show_no_card_in_any_language(text: str) -> None:
    assert say(text).level is not Level.CRISIS


@pytest.mark.parametrize(
    "text",
    [
        "I used to cut myself in my teens, I've been well for twenty years",
        "I tried to end my life at nineteen, I'm forty now",
        "My father died by suicide when I was small", "The doctor asked if I want to die and I said no",
        "hace diez años tuve ideas suicidas, ya no", "j'ai eu des pensées suicidaires il y a dix ans, c'est passé",
        "vor zwölf Jahren wollte ich sterben, heute bin ich froh", "anni fa volevo uccidermi, adesso sto bene",
        "jaren geleden wilde ik dood, nu gaat het goed", "há dez anos tentei me matar, hoje estou bem",
        "saalon pehle marna chahta tha, ab theek hu", "父を自殺で亡くしました", "我哥去年自杀走了",
        "昔リスカしてた、もうしてない", "以前想过自杀，现在过得很好", "أخويا انتحر من سنة",
    ],
)  # fmt: skip
def test_what_is_past_denied_or_anothers_death_is_watched(text: str) -> None:
    assert say(text).level is Level.ELEVATED


@pytest.mark.parametrize(
    "text",
    [
        "I used to be suicidal and now it's back", "I'm not suicidal but I have the pills ready next to me",
        "antes quería morir y otra vez quiero morir", "ich will nicht mehr leben", "je ne veux plus vivre",
        "死にたいです", "我想自杀", "मैं मरना चाहता हूँ", "marna chahta hu", "أريد أن أموت", "voglio morire",
        "ik wil dood",
        "quero morrer", "自殺したい", "不想活了", "j'ai avalé toute la boîte de cachets",
    ],
)  # fmt: skip
def test_what_is_meant_now_stays_crisis(text: str) -> None:
    assert say(text).level is Level.CRISIS


def test_one_language_is_not_read_with_the_rules_of_another() -> None:
    assert not any(rule.startswith("zh.") for rule in say("同級生が自殺した、まだ信じられない").rules)
    assert not any(rule.startswith("ja.") for rule in say("我想自杀").rules)


def test_every_rule_modifier_and_question_says_what_it_means() -> None:
    said = [item.means for pack in RULES.packs for item in (*pack.rules, *pack.modifiers)]
    said += [question.means for question in RULES.answers.questions]
    for means in said:
        assert re.fullmatch(r"[A-Z].* as in “.+”\.?", means), means


def test_no_line_of_the_rules_is_too_long_to_read() -> None:
    for path in (resources_dir() / "safety" / "screen").glob("*.yaml"):
        assert max(len(line) for line in path.read_text("utf-8").splitlines()) <= 200, path.name


@pytest.mark.parametrize("missing", ["rule", "modifier", "question", "family"])
def test_a_missing_meaning_is_an_error(tmp_path: Path, missing: str) -> None:
    source = resources_dir() / "safety"
    (tmp_path / "screen").mkdir()
    (tmp_path / "spelling.yaml").write_bytes((source / "spelling.yaml").read_bytes())
    talk = yaml.safe_load((source / "conversation.yaml").read_text("utf-8"))
    pack = {
        "language": "en",
        "modifiers": {"joke": {"means": "It is a joke.", "scope": "sentence", "patterns": ["lol"]}},
        "rules": [{"id": "x.y", "means": "A test.", "topics": ["suicide"], "patterns": ["test"]}],
    }
    if missing == "rule":
        del pack["rules"][0]["means"]
    elif missing == "modifier":
        pack["modifiers"]["joke"]["means"] = " "
    elif missing == "question":
        del talk["questions"][0]["means"]
    else:
        del talk["taken_back"]
    (tmp_path / "conversation.yaml").write_text(yaml.safe_dump(talk, allow_unicode=True), encoding="utf-8")
    (tmp_path / "screen" / "en.yaml").write_text(yaml.safe_dump(pack), encoding="utf-8")
    with pytest.raises(BadRules):
        ScreenRules.load(tmp_path)
