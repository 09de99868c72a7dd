"""Sentences in which a practitioner offers services, or speaks as one. A program that claims either would lie."""

from __future__ import annotations

from typing import Final

from trainer.cleaning.patterns import compile_pattern
from trainer.cleaning.sentences import keep_sentences

_SERVICE: Final = (
    r"(?:sessions?|consult(?:s|ation|ations)?|(?:tele|psycho|hypno)?therap(?:y|ies)|counsell?ing|coaching|services|"
    r"workshops?|webinars?|classes|courses?|groups?|appointments?|hypnosis|program(?:me)?s?|packages?|referrals?|"
    r"telehealth)"
)
_OWN: Final = (
    r"(?:web ?sites?|web ?pages?|blogs?|blog posts?|profile|podcasts?|you ?tube|channel|newsletter|e-?books?|"
    r"workshops?|webinars?|home ?page|facebook|instagram|twitter|linked ?in|practice|office|clinic|caseload|services|"
    r"phone|(?:phone )?number|e-?mail(?: address)?|materials|articles?|videos?|online course|program|latest)"
)
_PROMOTION: Final = compile_pattern(
    r"\b(?:contact|e-?mail|message|reach|reach out to|connect with|get in touch with|write(?: to)?|work(?:ing)? with|"
    r"follow up with|find|visit|skype with|follow|reply to|session with|appointment with|consultation with|consult "
    r"with|come (?:and )?see) (?:me|us)\b",
    r"\b(?:call|text|phone|send) me (?:at|on|for|if|to|by|any|directly|today|now|here|an? (?:e-?mail|message|text|"
    r"note))\b",
    rf"\b(?:my|our) (?:[a-z]+[ -]){{0,3}}{_OWN}\b",
    r"\b(?:read|see|buy|get|pick up|order|recommend|suggest|copy of|look at|called|titled|in more detail in|more in|"
    r"wrote|written|chapter of|about in) (?:[a-z]+ ){0,4}my (?:[a-z]+ ){0,2}books?\b",
    r"\bmy (?:[a-z]+ ){0,2}books?,? (?:[\"'(]|(?-i:[A-Z]{2}))",
    rf"\b(?:i|we)(?:'d| would| can| could| also| do| currently| am able to| will| be happy to| be glad to)* (?:offer|"
    rf"provide|run|host|teach|accept|conduct|give|have|do) (?:you )?[^.!?\n]{{0,60}}\b{_SERVICE}\b",
    r"\b(?:i|we) (?:also )?(?:specialize|specialise|practice|accept insurance|take insurance)\b",
    r"\bthis is why i offer\b",
    r"\bfree\b[^.!?\n]{0,30}\b(?:consultation|session)\b[^.!?\n]{0,30}\bwith me\b",
    r"\b(?:learn|find out|read) more about (?:me|us|my|our)\b",
    r"\bfeel free(?: to)? (?:contact|e-?mail|message|text me|reach out|write|get in touch|follow up|send(?: me)?|"
    r"post|reply|respond|comment|ask (?:me|us|any|more|further|other|another|additional|follow)|call (?:me|us|my|"
    r"our)|connect|visit|check out my|schedule|book)\b",
    r"\b(?:do not|don't|never) hesitate to (?:contact|reach|e-?mail|write|call|ask|message|get in touch)\b",
    r"\bi(?:'d| would) (?:be (?:happy|glad|honou?red|more than happy) to|love to|like to) (?:[a-z]+ )?(?:help|work|"
    r"speak|talk|assist|support|hear|answer|offer|discuss)\b",
    r"\b(?:keep|let) (?:me|us) (?:posted|updated|know)\b",
    r"\b(?:look(?:ing)? forward to|hope to) hear(?:ing)? (?:from|how|more)\b",
    r"\bi wrote (?:a|an|about|more|this)\b|\bi(?:'ve| have) (?:also )?(?:written|published|created|developed|"
    r"recorded|designed|put together)\b",
    r"\bcheck out (?:my|our)\b|\bsign up for (?:my|our)\b|\bsubscribe\b",
    r"\bif you(?:'re| are)? (?:live |located |living |reside )?(?:here )?in (?:the )?[^.!?\n]{1,40}\b(?:i|we) (?:can|"
    r"could|offer|work|would|am|provide|see)\b",
)
_PRACTITIONER: Final = (
    r"(?:therapist|counsell?or|psychologist|psychotherapist|social worker|coach|psychiatrist|clinician|"
    r"hypnotherapist|attorney|lawyer|nurse|practitioner|doctor|physician|professional|specialist|hypnotist)"
)
_PARENT: Final = r"(?:parent|mother|father|mom|dad|sufferer|survivor|veteran|woman|man|christian)"
_AS_PRACTITIONER: Final = compile_pattern(
    rf"\bas (?:a|an|your)\b[^.!?\n]{{0,60}}\b(?:{_PRACTITIONER}|{_PARENT})s?\b[^.!?\n]{{0,60}}\b(?:i|i'm|i've|i'd|"
    rf"my)\b",
    rf"\b(?:i am|i'm|i was|i've been|i have been)(?: also| currently| not| both)* an?(?: [a-z-]+){{0,5}} "
    rf"(?:{_PRACTITIONER}|{_PARENT})\b",
    rf"\b(?:us|we) {_PRACTITIONER}s\b|\b(?:this|for a|your|another|other) {_PRACTITIONER},? (?:i|am)\b",
    r"\bi(?:'m| am)(?: also| currently)? (?:fully )?(?:licen[sc]ed|certified|registered|trained|accredited)\b",
    r"\b(?:my|our) (?:[a-z]+ ){0,2}(?:clients?|patients?|couples)\b",
    r"\b(?:i|i've|i'm|i'd)\b[^.!?\n]{0,100}\b(?:clients?|patients?)\b|\b(?:clients?|patients?)\b[^.!?\n]{0,60}\b(?:i|"
    r"i've|me)\b",
    r"\b(?:couples|people|individuals|families|teens|adolescents|children|women|men|youth|kids|many) (?:that |who |"
    r"whom )?(?:i|i've|i have)(?: have| often| usually| currently)? (?:work(?:ed)?|see|saw|seen|counsel(?:ed)?|"
    r"treat(?:ed)?)\b",
    r"\bi (?:[a-z]+ )?(?:work|worked|working|treat|treated) (?:[a-z]+ ){0,3}(?:couples|with (?:people|individuals|"
    r"families|teens|women|men|children|couples|adolescents|many|lots|a number of))\b",
    r"\bi(?:'ve| have) (?:often |also )?(?:worked|treated|counsell?ed|helped|seen|had) (?:[a-z]+ ){0,4}(?:couples|"
    r"people|individuals|families|teens|women|men|children|adults)\b",
    r"\bin my (?:[a-z]+ ){0,2}(?:experience|years|work|training|sessions|practice|profession)\b|\bmy professional\b",
    rf"\b(?:since|when) (?:i was|i became|becoming) an? (?:[a-z]+ ){{0,2}}(?:{_PRACTITIONER}|child|kid|teen|teenager|"
    rf"student)\b",
    r"\bwhen i (?:was (?:young|younger|your age|in (?:college|school|high))|work)\b|\bgrowing up,? i\b",
    r"\bmy (?:wife|husband|spouse|kids|children|colleagues?|supervisor|degree|license|training|background|specialty|"
    r"approach|philosophy|treatment|own (?:therapist|children|kids|life|marriage|divorce|depression|anxiety|"
    r"therapy))\b",
    r"\bi (?:have gone|went|go) (?:to therapy|to counsell?ing|myself)\b|\bi(?:'ve| have) been (?:there|through "
    r"(?:this|it))\b",
    r"\bif (?:you|we) (?:were|came|come)(?: to see me| in| to)?(?: together)?(?: in)? my\b|\bas your ally\b",
    r"\b(?:i am|i'm|we are|we're) (?:always |more than |very )*(?:happy|glad|here|available) to (?:help|support|"
    r"assist|answer|provide|offer|talk|discuss|listen)\b",
)
_LEAST_LEFT: Final = 0.6


def without_promotion(text: str) -> str:
    """`text` without sentences that offer the writer's services, books, pages or ear."""
    return keep_sentences(text, lambda sentence: _PROMOTION.search(sentence) is None)


def without_practitioner(text: str) -> str:
    """`text` without sentences in which the writer speaks as a practitioner, or of an own life.

    Nothing is left of an account of the writer's own work: what would remain of it hangs in the air.
    """
    kept = keep_sentences(text, lambda sentence: _AS_PRACTITIONER.search(sentence) is None)
    return kept if len(kept) >= _LEAST_LEFT * len(text) else ""
