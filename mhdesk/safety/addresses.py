"""Finding web and mail addresses, handles and places to go to, in any disguise.

A full stop without a blank after it ("It's fine.Me and you") looks like an address where the next word is also a
domain ending. Such endings count only with something more beside them: a path, the end of the sentence, or a word
before them that sends people to a page.
"""

from __future__ import annotations

import re
from typing import Final

_SURE: Final = (
    "com|org|net|gov|edu|info|biz|int|mil|uk|fr|nl|br|jp|cn|au|ca|nz|ie|ch|tv|cc|gg|fm|ly|app|xyz|dev|ngo|ong|lgbt|wiki|"
    "blog|shop|store|example|invalid|localhost|internal|onion|website|foundation|community|clinic|health|cloud|academy|network|"
    "zone|global|chat|hk|tw|kr|ru|ua|pl|cz|dk|fi|gr|tr|mx|cl|za|ng|ke|sg|th|vn|ph|pk|bd|ir|ae|eg|asia|mobi|coop|museum|"
    "moe|lt|lv|hr|rs|bg|hu"
)
"""Domain endings that begin no sentence in the languages of the program; "com" and "net" only with a blank before."""
_SHORT: Final = "io|eu|ai"
"""Common endings that begin sentences in Italian and Portuguese."""
_WORDS: Final = (
    f"{_SHORT}|help|care|support|life|link|page|us|co|online|site|club|tech|de|es|me|it|in|is|so|to|at|be|my|no|as|am|"
    "do|la|il|si|se|pt|id|cat|sa|test|local|live|space|world|today|center|centre|team|group|guide|family|love|news|now|one|"
    "pro|plus|social|email|best|fun|work|works|training|coach|doctor|university|ar|ma|men|hope|rest|run|top|vip|ink|art|re"
)
_LATIN: Final = r"a-z0-9\u00df-\u024f"
_LABEL: Final = rf"(?<![{_LATIN}\-])[{_LATIN}\-]{{2,120}}"
_END: Final = rf"(?![{_LATIN}'])"
_STOPS: Final = r"(?=\s?(?:[/?#)\]\"]|[.;](?:\s|$)|\n|$))"
_GOES_ON: Final = (
    r"(?=[\s,]+(?:and|or|for|to|today|tonight|now|which|where|has|have|is|are|if|when|then|you|they|it|offers?|can|in|on|"
    r"und|oder|dort|ist|et|ou|pour|y|para|ou|per|en|of|voor)(?![a-z]))"
)
# "com" is "with" in Portuguese: "É difícil.Com calma…".
_PORTUGUESE_WITH: Final = "".join(
    rf"(?<!com(?= {word}))"
    for word in "voc[êe] uma[ ] isso calma ele ela seu sua tempo os[ ] quem muito carinho".split()  # noqa: SIM905
)
_SENDS: Final = (
    r"(?:(?<![a-z])(?:visit|visiting|browse|website|webpage|web ?site|web ?page|url|domain|browser|"
    r"log (?:in|on) (?:at|to)|(?:site|page|link|forum|address) is(?: at)?|link:|online (?:at|under)|besuche?n?|"
    r"webseite|internetseite|visita|visitez|visite|bezoek|sitio|página|pagina)[\s:\"'(]+|(?:वेबसाइट|網址|网址|网站|サイト)\W{0,3})"
)
_BRACKETED_DOT: Final = r"\s?[(\[{<]\s?(?:dot|punkt|punto|ponto|point|punt|\.)\s?[)\]}>]\s?"
_NO_LABEL: Final = (
    r"(?!(?:the|a|an|this|that|one|each|every|el|un|ese|este|al|del|le|ce|du|au|o|um|ao|il|lo|der|den|ein|dem|het|een|"
    r"que|to|and|at|is|of|de|in|on|some|any|another|my|your)\s)"
)
_SPOKEN_DOT: Final = r"\s+(?:dot|punkt|punto|point|ponto|punt)\s+"
_PAIRS: Final = (
    r"(?!(?:and/or|he/she|she/he|his/her|her/his|him/her|her/him|they/them|yes/no|on/off|he/they|she/they)\b)"
)
_APPS: Final = (
    "skype|discord|snapchat|wechat|telegram|signal|instagram|insta|tiktok|kik|facebook|twitter|threads|mastodon|bluesky|"
    "whatsapp|reddit|twitch|youtube|messenger|viber|weixin|line id"
)
_ACCOUNT: Final = (
    r"(?:add|enter|find|follow|join|type|message|friend|search for|look for|look up|ask for)(?: for)? "
    r"(?:the |a |my |our )?(?:user(?: ?name)?|handle|nickname|account|bot|channel|server|"
    r"(?:group |invite |room |access )?code)"
    r"(?: named| called|:)? \"?[a-z0-9]+[\-_./:][a-z0-9]"
)
_NO_STREET: Final = (
    r"(?!(?:minutes?|mins?|hours?|seconds?|met(?:er|re)s?|miles?|km|kilomet(?:er|re)s?|feet|blocks?|steps?|times?|people|"
    r"days?|weeks?|of|on|in|the|or|and|to|along|down|up|per|percent|a|an|more|years?|things|at|by|from|across|cars?)\b)"
)
_FORMS: Final = (
    # Schemes, "www", paths, ports: nothing else looks like them.
    r"h\s?t\s?t\s?p\s?s?\s?:\s?/|(?<![a-z0-9])www\s*(?:[.,]|dot\b|punkt|punto|point|ponto)|[a-z0-9]\s?:\s?//",
    rf"(?<![a-z0-9])[a-z0-9\-]{{1,63}}\.{_PAIRS}[a-z]{{2,24}}/[a-z0-9]|[a-z]\.[a-z]{{2,24}}:\d{{2,5}}(?!\d)",
    # Domains.
    rf"{_LABEL}(?:\.[a-z0-9\-]{{1,63}}){{0,3}}\.(?:{_SURE}){_END}{_PORTUGUESE_WITH}",
    rf"{_LABEL}\s+\.\s?(?:{_SURE}|{_SHORT}){_END}",
    rf"{_LABEL}\.\s(?:org|gov|edu|uk|xyz){_END}|{_LABEL}\.\s(?:com|net){_END}(?:{_STOPS}|{_GOES_ON})",
    rf"{_LABEL},(?:com|org|net){_END}",
    rf"{_LABEL}\s?\.(?:{_WORDS}){_END}{_STOPS}|{_LABEL}\.(?:{_SHORT}){_END}{_GOES_ON}",
    rf"{_LABEL}(?:\.[a-z0-9\-]{{2,63}}){{1,3}}\.(?:{_WORDS}){_END}",
    rf"{_SENDS}[{_LATIN}\-]{{2,63}}\s?\.\s?(?:{_SURE}|{_WORDS}){_END}",
    rf"(?<![{_LATIN}\-])[{_LATIN}]{{1,63}}\-[{_LATIN}\-]{{2,63}}\.(?:de|es|co|pt|us){_END}",
    rf"(?<![a-z])(?:auf|unter|bei|on|at|via|to|from) [{_LATIN}]{{2,63}}\.(?:de|co){_END}",
    rf"(?<![a-z0-9])[a-z]{{1,40}}\d[a-z0-9\-]{{0,40}}\.(?:{_WORDS}){_END}",
    # Domains with the point said in words.
    rf"{_LABEL}{_BRACKETED_DOT}[a-z0-9]{{2,}}",
    rf"(?<![{_LATIN}]){_NO_LABEL}[{_LATIN}\-]{{2,63}}{_SPOKEN_DOT}(?:{_SURE}|{_SHORT}){_END}",
    rf"(?<![{_LATIN}]){_NO_LABEL}[{_LATIN}\-]{{2,63}}\s+(?:dot|punkt)\s+(?:de|us|me|co|help|care|life|support|link){_END}",
    r"[点點]\s?(?:com|org|net|cn)(?![a-z])|ドット\s?(?:コム|オーグ|ネット|com|org|net|jp)|डॉट\s?(?:कॉम|ऑर्ग|नेट|इन|com|org)|"
    r"(?:دوت|نقطة)\s(?:كوم|أورج|اورج|نت|com|org|net)",
    r"(?<![a-z])dot\s+(?:c\s+o\s+m|o\s+r\s+g|n\s+e\s+t)(?![a-z])",
    r"(?<![a-z])dot\W{1,4}(?:(?:and|then|followed by|after that)\W{1,3}){1,2}(?:com|org|net)(?![a-z])",
    rf"(?<![{_LATIN}])[{_LATIN}]{{2,63}}\s\.\s(?:help|care|support|life|online|link|site){_END}",
    # Mail and handles.
    r"@\s?[a-z]|[a-z0-9]@\d|[a-z0-9]\s?[(\[{]\s?(?:at|ät|arroba|chiocciola|arobase)\s?[)\]}]\s?[a-z0-9]",
    rf"[a-z0-9.\-_]\s+(?:at|ät)\s+[{_LATIN}\-]{{2,63}}(?:\s?\.|{_SPOKEN_DOT})(?:{_SURE}|{_SHORT}|de|co|es|it){_END}(?!\s[a-z])",
    rf"[a-z0-9.\-_]\s+(?:at|ät)\s+[{_LATIN}\-]{{2,63}}{_SPOKEN_DOT}(?:{_SURE}|{_SHORT}|de|co|es|it){_END}",
    r"[a-z0-9]\s(?:arroba|chiocciola|arobase|klammeraffe|apenstaartje)\s[a-z0-9]|アットマーク|एट\s?(?:जीमेल|याहू)",
    r"(?<![a-z0-9/])[ur]/[a-z0-9_]{3,}|(?<![a-z0-9_])[a-z0-9_]{2,40}#\d{4}|(?<![a-z0-9])live:[a-z]",
    rf"(?<![a-z])(?:{_APPS})(?![a-z])[^.!?\n]{{0,60}}?(?<![a-z0-9_])"
    r"(?:[a-z0-9]{1,40}_[a-z0-9_]|[a-z]{2,40}\d{2,12}(?![a-z0-9]))",
    rf"(?<![a-z0-9_])[a-z0-9]{{1,40}}_[a-z0-9_]+[^.!?\n]{{0,30}}(?<![a-z])(?:{_APPS})(?![a-z])",
    rf"(?<![a-z0-9])[a-z]{{2,40}}\d{{2,12}},? (?:on|in|at|auf|bei|en|em|su|op|sur) (?:{_APPS})(?![a-z])",
    rf"(?<![a-z])(?:{_APPS}|snap)(?: (?:name|handle|id|account|user))?(?: is|:) ?[a-z0-9]{{1,40}}\.[a-z0-9]{{2,40}}",
    rf"(?<![a-z]){_ACCOUNT}",
    rf"(?<![a-z])(?:type|enter|search for|look up) {_PAIRS}[a-z0-9\-]{{4,40}}/[a-z0-9\-]{{3,40}} (?:into?|on)(?![a-z])",
    # Places to go to: number and street, post boxes.
    rf"(?<![\d.,:])\d{{1,5}}[a-z]?,? (?:{_NO_STREET}[a-z'\-]{{2,30}} ){{1,2}}"
    r"(?:street|road|lane|avenue|boulevard|crescent|terrace|parkway|drive|st\.|rd\.|ave\.)(?![a-z])",
    rf"(?<![{_LATIN}])[{_LATIN}]{{2,40}}(?:strasse|straat|gasse) \d{{1,4}}(?!\s?(?:uhr|met|min|\d))",
    rf"(?<![a-z])(?:calle|avenida|rua|(?:in|a) via) (?:[{_LATIN}]{{2,30}},? ){{1,3}}\d{{1,4}}(?!\d)",
    r"\d{1,4},? (?:bis )?(?:rue|avenue|boulevard) [a-z]{2,}",
    r"(?<![a-z])p\.?\s?o\.?\s?box \d|postfach \d|apartado (?:de correos )?\d|boîte postale \d|caixa postal \d",
)
_ADDRESS: Final = re.compile("|".join(_FORMS))
_IP: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_IP_DIGITS: Final = 6
# Letters kept apart by single blanks: "e x a m p l e . o r g".
_APART: Final = re.compile(r"(?<!\S)(?:[^\s] ){4,200}[^\s](?!\S)")


def has_address(text: str, border: int = 0) -> bool:
    """Whether unmasked `text` holds an address or a handle that ends after `border`."""
    if any(match.end() > border for match in _ADDRESS.finditer(text)):
        return True
    # "4.4.4.4" is breathing, a server's number has more digits.
    if any(match.end() > border and len(match[0]) >= _IP_DIGITS + 3 for match in _IP.finditer(text)):
        return True
    return any(
        match.end() > border and _ADDRESS.search(match[0].replace(" ", "")) is not None
        for match in _APART.finditer(text)
    )
