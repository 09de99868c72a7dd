"""What belongs to the page a text stood on, not to the conversation."""

from __future__ import annotations

from typing import Final

from trainer.cleaning.patterns import compile_pattern
from trainer.cleaning.sentences import keep_sentences

_PAGE: Final = compile_pattern(
    r"\b(?:this|your|my|little|earlier|original|other|initial) (?:[a-z]+ )?posts?(?:ing)?\b|\bwrit(?:e|ing|ten) "
    r"(?:on a site|here)\b|\bother (?:respondents|responders|commenters)\b",
    r"\b(?:other|great|good|wonderful|excellent|previous) (?:[a-z]+ )?(?:answers?|responses?|advice|comments?|"
    r"suggestions|replies|therapists|counselors|colleagues|posters)\b[^.!?\n]{0,30}\b(?:here|above|posted|given|"
    r"below|already|provide)\b",
    r"^\W*i (?:really |also |totally |completely |fully )*(?:agree|second|concur|echo)\b[^.!?\n]{0,40}\b(?:with "
    r"[A-Z]?[a-z]+'?s?|colleagues?|counselors?|therapists?|others?|above|everyone|response|answer)\W*$",
    r"\b(?:counsel ?chat|up-?vote|this (?:web ?)?(?:site|forum|platform|page|thread)|on "
    r"here\b[^.!?\n]{0,30}\b(?:post|answer|question))",
    r"\b(?:click|tap) (?:here|on|below|the|this)\b|\b(?:link|links|video|article)s?\b[^.!?\n]{0,20}\b(?:below|above|"
    r"attached|here)\b",
    r"\b(?:here|below|this)(?: is|'s| are)(?: a| an| the| some| my)?(?: [a-z]+){0,2} (?:link|video|article|web ?site|"
    r"blog)s?\b",
    r"^\W*(?:on|in|at) (?:it|there|here|that|the (?:site|page))\W+you(?:'ll| will| can| may) (?:also )?"
    r"(?:find|see|read)\b",
    r"^\W*(?:watch|see|view) (?:the |this )?(?:video|slide ?show|picture|image|figure)\b|\bto enlarge\b|\bplay "
    r"video\b",
    r"^\W*(?:for|to (?:learn|read|find out|get)) more(?: information)?\b[^\n]{0,160}\b(?:see|visit|go to|click|read|"
    r"check|website)\b",
    r"^\W*(?:see also|read more|learn more|source|references?|edited?|update|disclaimer)\s*[:.\])]",
    r"\b(?:not (?:intended )?(?:as )?a substitute for|for informational purposes|does not (?:constitute|establish|"
    r"create)|should not be (?:considered|construed)|not (?:be )?(?:considered|intended as) (?:medical|professional|"
    r"legal) advice)\b",
    r"\b(?:your|this|the) (?:question|post|message) (?:is|was|has been) (?:too|posted|submitted|a bit unclear)\b",
    r"\b(?:without (?:knowing )?more (?:information|details?)|based (?:up)?on (?:the|your|this) (?:limited "
    r")?(?:information|post|message|question|description))\b[^.!?\n]{0,60}\b(?:difficult|hard|impossible|unable|"
    r"can't|cannot)\b",
    r"\b(?:some|other|many|all|several) (?:[a-z]+ )?(?:great|good|wonderful|excellent|helpful) (?:answers|responses|"
    r"suggestions|comments)\b|\bgiven us\b",
    r"^\W*(?:u\.?s\.? )?dep(?:t|artment)\.? of health\b|^\W*NIH\b|^\W*\(?(?:centers for disease control|nih: |"
    r"national institutes? of)[^.\n]{0,80}\)?$",
)


def without_page(text: str) -> str:
    """`text` without sentences about the page, its links and videos, and disclaimers."""
    return keep_sentences(text, lambda sentence: _PAGE.search(sentence) is None)
