"""
Questions whose category their words settle: prices of widgets, conversions, fees, greetings.

Each rule's confidence is the share of the training questions it fires on that have its category
(tests/chat/test_rules.py measures it again). A rule that is seldom right is no rule. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from chat.categories import Category
from chat.entities import Entities, is_bare
from chat.masking import words


class Verdict(NamedTuple):
    category: Category
    confidence: float
    rule: str


class Rule(NamedTuple):
    name: str
    category: Category
    confidence: float
    fits: Callable[[str, str, Entities], bool]  # the words, the text, what was found


def _says(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})")


_POLITE = (
    r"(?:hi|hey|hello|please|pls|can you|could you|tell|give|show|me|get|check|lookup|what|whats|"
    r"is|are|was|the|a|of|for|to|in|at|right|now|current|currently|latest|live|today|todays|spot|"
    r"quote|how|much|does|do|one|1|cost|costs|worth|price|prices|value|and|kurs|preis|aktuell|"
    r"precio|prix|prezzo|cours|цена|курс|usd|usdt|dollars?|eur|euros?|gbp|trading|rate|it|coin|s|"
    r"token|just|ok|so|moment|this|moment|currency|symbol|each|both|fx|going|<asset>|<currency>)"
)
_PRICE_WORD = (
    r"\b(?:price|prices|worth|cost|costs|kurs|preis|precio|prix|prezzo|cours|цена|курс|quote)\b"
)
_GREETING = _says(
    r"(?:hi|hello|hey|hallo|hola|salut|bonjour|ciao|yo|gm|good (?:morning|evening|afternoon)|"
    r"guten (?:tag|morgen|abend)|привет|merhaba|thanks?|thank you|thx|ty|danke|merci|gracias|"
    r"grazie|obrigad[oa]|спасибо|bye|goodbye|good ?night|see you|cheers|lol|ok|okay|cool|nice|"
    r"great|wow|haha|(?: |there|bot|you|so|much|all|everyone|very|a lot|for|the|help|man|bro))+"
)
_GAS = _says(
    r"\b(?:gas|gwei|sat ?/?s? ?vb|tx fees?|transaction fees?|network fees?|mempool fees?)\b"
)
_WHAT = re.compile(
    r"^(?:what|how|why|who|explain|can|should|will|is|are|does|do|when|where|which|define|meaning)\b"
)
_CONVERTS = re.compile(
    r"\b(?:convert|in|to|into|as|=|worth|how (?:many|much)|equals?|en|auf|nach|a|ke|gleich)\b|->|="
)
_NEWS = re.compile(
    r"^(?:the |any |latest |newest |recent |crypto |<asset> |show me |give me |today s? ?|todays )*"
    r"(?:news|headlines)(?: (?:about|on|of|for|today|please|now|and|in|crypto|<asset>|<period>))*$"
)
_FEAR = re.compile(r"\bfear (?:and|&|n) greed\b|\bfear greed\b")
_DISTANT = re.compile(
    r"\b(?:yesterday|ago|last|past|since|predict\w*|forecast|will|should|buy|sell|why|target|"
    r"tomorrow|next|history|alert|when|if|news|high|low|chart|change\w*|cap|volume|20\d\d)\b"
)


def _price(said: str, text: str, found: Entities) -> bool:
    """An asset, a word of price, and nothing else of weight."""
    if not found.assets or found.amounts or found.period or _DISTANT.search(said):
        return False
    if "worth it" in said:
        return False
    rest = _without_names(said, found)
    return bool(re.search(_PRICE_WORD, said)) and not re.sub(rf"\b{_POLITE}\b", "", rest).strip()


def _widget(said: str, text: str, found: Entities) -> bool:
    """Nothing but assets and a currency: "btc", "ETH/EUR"."""
    if not found.assets or found.amounts or found.period or re.match("(?:whats|hows)\\b", said):
        return False
    return is_bare(text, found)


def _conversion(said: str, text: str, found: Entities) -> bool:
    sides = {a.unit for a in found.amounts if a.unit}
    others = {*(k.id for k in found.assets), *found.currencies} - sides
    if not sides or not others or found.period or _DISTANT.search(said):
        return False
    return bool(_CONVERTS.search(text.lower())) and len(said.split()) <= 12


def _fees(said: str, text: str, found: Entities) -> bool:
    if not _GAS.search(said) or found.period or re.search(r"\b(?:natural|vs|or|compare)\b", said):
        return False
    return len(said.split()) <= 5 and not re.search(
        r"\b(?:what is|whats a|why|how do|how does|explain|mean|limits?|tokens?|war|station|used|"
        r"who|understand|for|endpoint|data|missing|source)\b",
        said,
    )


def _indicator(said: str, text: str, found: Entities) -> bool:
    if not found.series or found.assets or _WHAT.match(said):
        return False
    return len(said.split()) <= 4 and not re.search(
        r"\b(?:vs|or|and|why|effect|impact|hedge|news|sentiment|futures|token)\b", said
    )


def _greeting(said: str, text: str, found: Entities) -> bool:
    return bool(_GREETING.fullmatch(said)) and len(said.split()) <= 6


def _headlines(said: str, text: str, found: Entities) -> bool:
    return bool(_NEWS.match(_without_names(said, found, "<asset>")))


def _fear(said: str, text: str, found: Entities) -> bool:
    return bool(_FEAR.search(said)) and not re.search(
        r"\b(?:what is|how is|explain|calculat\w*|buy|mean|work|vs|should|built|source|"
        r"reachable)\b",
        said,
    )


def _study(said: str, text: str, found: Entities) -> bool:
    if not found.studies or not found.assets or len(said.split()) > 6:
        return False
    return not re.search(r"\b(?:implied|mean|work|buy|sell|best|vs|or|why|what is an?)\b", said)


def _without_names(said: str, found: Entities, mark: str = " ") -> str:
    for known in found.assets:
        for name in (known.name, known.key, known.id):
            said = re.sub(rf"(?<!\S){re.escape(words(name))}(?!\S)", mark, said)
    for written, _ in found.typos:
        said = said.replace(words(written), mark)
    return " ".join(said.split())


RULES = (
    Rule("greeting", Category.SMALLTALK, 0.98, _greeting),
    Rule("conversion", Category.CONVERSION, 0.96, _conversion),
    Rule("study", Category.TECHNICAL, 0.98, _study),
    Rule("fear and greed", Category.SENTIMENT, 0.97, _fear),
    Rule("fees", Category.GAS, 0.97, _fees),
    Rule("headlines", Category.NEWS, 0.98, _headlines),
    Rule("indicator", Category.ECONOMIC_INDICATOR, 0.95, _indicator),
    Rule("price", Category.PRICE_QUERY, 0.97, _price),
    Rule("widget", Category.PRICE_QUERY, 0.97, _widget),
)


def judge(text: str, found: Entities) -> Verdict | None:
    """What the first rule that fits says; None when none does."""
    said = words(text)
    for rule in RULES:
        if rule.fits(said, text, found):
            return Verdict(rule.category, rule.confidence, rule.name)
    return None
