"""Whether words lead to people who can help."""

from __future__ import annotations

from typing import Final

from trainer.cleaning.patterns import compile_pattern

_TURN_TO: Final = (
    r"(?:call|calling|dial|text|texting|phone|ring|contact|contacting|reach|reaching|go (?:right )?to|going to|visit|"
    r"see|seeing|find|finding|seek|seeking|get|getting|ask|tell|telling|talk|talking|speak|speaking|consult|meet|"
    r"meeting|connect|work|working|turn to|consider|recommend|suggest|need)"
)
_HELPERS: Final = (
    r"(?:emergency|crisis|hospital|e\.?r\.?|doctors?|physicians?|psychiatrists?|therapists?|counsell?ors?|"
    r"psychologists?|psychotherapists?|social workers?|professionals?|clinicians?|nurse|police|support groups?|"
    r"samaritans|clinic|(?:professional|immediate|medical|outside) help)"
)
_OPEN_UP: Final = (
    r"(?:tell|telling|talk(?:ing)? (?:to|with)|speak(?:ing)? (?:to|with)|reach(?:ing)? out to|call|confide in|turn "
    r"to)"
)
_NEAR: Final = (
    r"(?:someone|somebody|friends?|family|relatives?|parents?|mom|mother|dad|father|teachers?|adults?|loved ones?|"
    r"people (?:you|who|that|around)|clergy|pastor|minister)"
)
_GUIDES: Final = compile_pattern(
    rf"\b{_TURN_TO}\b[^.!?\n]{{0,50}}\b{_HELPERS}\b",
    rf"\b{_OPEN_UP}\b[^.!?\n]{{0,25}}\b{_NEAR}\b",
    r"\b(?:crisis|suicide|emergency|support) (?:text |prevention |chat )?(?:line|lifeline|hot ?line|center|centre|"
    r"team)\b",
    r"\b(?:hot|help|life)-?lines?\b|\bemergency (?:room|services|department)\b",
    r"\b(?:professional|immediate|outside) help\b|\b(?:seek|seeking|get|ask for|reach out for) (?:out )?(?:some "
    r")?help\b|\b(?:guidance|support|help|experience) (?:of|from) (?:a|the|your)\b",
    r"\b(?:consider|try|tried|trying|recommend|suggest|attend|start|begin|seek|through|into|go to|in|with|get) "
    r"(?:[a-z]+ ){0,3}(?:therapy|counsell?ing)\b",
)


def guides(text: str) -> bool:
    """Whether `text` tells to turn to a line, a service, a professional, or someone near."""
    return _GUIDES.search(text) is not None
