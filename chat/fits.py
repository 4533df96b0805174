"""
Which questions each rule of `rules` fits: their words in, yes or no out. Pure.

`said` are the words of a question (`masking.words`), `text` is how it was written.
"""

from __future__ import annotations

import re

from chat import glossary
from chat.cues import cues
from chat.entities import Entities
from chat.following import is_bare
from chat.masking import words
from chat.names import names
from chat.periods import NOT_YET


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
    r"\b(?:gas|gwei|sat ?/?s? ?vb|tx fees?|transaction fees?|network fees?|mempool fees?|"
    r"(?:bitcoin|btc|eth|ethereum|polygon|bnb|bsc) fees?)\b"
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


def price(said: str, text: str, found: Entities) -> bool:
    """An asset, a word of price, and nothing else of weight."""
    if not found.assets or found.amounts or found.period or _DISTANT.search(said):
        return False
    if "worth it" in said:
        return False
    rest = _without_names(said, found)
    return bool(re.search(_PRICE_WORD, said)) and not re.sub(rf"\b{_POLITE}\b", "", rest).strip()


def then(said: str, text: str, found: Entities) -> bool:
    """An asset, a day or a stretch that is over, and nothing else of weight: "btc on halloween"."""
    is_over = found.period is not None and found.period.end is not None
    is_ahead = any(time.why == NOT_YET for time in found.unread)
    if not found.assets or found.amounts or is_ahead or not (is_over or found.unread):
        return False
    rest = _without_names(said, found)
    for time in (*([found.period.words] if found.period else []), *(u.text for u in found.unread)):
        rest = rest.replace(words(time), "")
    return not re.sub(rf"\b{_POLITE}\b", "", rest).strip()


def widget(said: str, text: str, found: Entities) -> bool:
    """Nothing but assets and a currency: "btc", "ETH/EUR"."""
    if not found.assets or found.amounts or found.period or found.countries:
        return False
    if re.match("(?:whats|hows)\\b", said):
        return False
    return is_bare(text, found)


def conversion(said: str, text: str, found: Entities) -> bool:
    sides = {a.unit for a in found.amounts if a.unit not in ("", "%")}
    if any(a.value < 0 and a.unit in sides for a in found.amounts):
        return True  # which the skill refuses
    parts = {names().parts[word].name for word in said.split() if word in names().parts}
    others = {*(k.id for k in found.assets), *found.currencies, *parts} - sides
    if not sides or not others or found.period or _DISTANT.search(said):
        return False
    if re.search(r"\bfees?\b", said):
        return False
    return bool(_CONVERTS.search(text.lower())) and len(said.split()) <= 12


def fees(said: str, text: str, found: Entities) -> bool:
    if not _GAS.search(said) or found.period or re.search(r"\b(?:natural|vs|or|compare)\b", said):
        return False
    return len(said.split()) <= 5 and not re.search(
        r"\b(?:what is|whats a|why|how do|how does|explain|mean|limits?|tokens?|war|station|used|"
        r"who|understand|for|endpoint|data|missing|source|wei|to|near|determined|determines|formed|"
        r"meaning|feed|stove)\b",
        said,
    )


def indicator(said: str, text: str, found: Entities) -> bool:
    if not found.series or found.assets or _WHAT.match(said):
        return False
    return len(said.split()) <= 4 and not re.search(
        r"\b(?:vs|versus|or|and|why|effect|impact|hedge|news|sentiment|futures|token|meaning)\b",
        said,
    )


def greeting(said: str, text: str, found: Entities) -> bool:
    return bool(_GREETING.fullmatch(said)) and len(said.split()) <= 6


def headlines(said: str, text: str, found: Entities) -> bool:
    return bool(_NEWS.match(_without_names(said, found, "<asset>")))


def fear(said: str, text: str, found: Entities) -> bool:
    return bool(_FEAR.search(said)) and not re.search(
        r"\b(?:what is|how is|explain|calculat\w*|buy|mean|work|vs|should|built|source|"
        r"reachable|do you|who)\b",
        said,
    )


def study(said: str, text: str, found: Entities) -> bool:
    if not found.studies or not found.assets or len(said.split()) > 6:
        return False
    return not re.search(
        r"\b(?:implied|mean|work|buy|sell|enter|best|vs|than|or|why|what is an?)\b", said
    )


_DEFINE = re.compile(
    r"^(?:what is|what are|whats|what s|define|explain|meaning of|definition of|what does)"
    r"(?: an?| (?P<the>the))? (?P<what>.+?)(?: mean| means| exactly| in crypto)?$"
)


def definition(said: str, text: str, found: Entities) -> bool:
    """The name of an entry of the glossary, or of an asset, and nothing else."""
    asked = _DEFINE.match(said)
    if asked is None or found.series or found.studies or found.period:
        return False
    # "what is a hashrate" asks for the idea, "what's the hashrate" for the figure.
    if asked["the"] and {"figures", "chain figures", "fees"} & set(cues(said)):
        return False
    what = asked["what"]
    named = any(what in (words(a.name), words(a.id)) for a in found.assets)
    matches = glossary.search(what, 1)
    exact = {words(n) for m in matches for n in (m.entry.term, *m.entry.aliases)}
    return named or what in exact or what.removesuffix("s") in exact


_PERFORMED = re.compile(
    r"^(?:how (?:did|has|have|is|was)|performance|perform\w*|chang\w*|price change|price history|"
    r"history|percent\w*|return)\b|\b(?:performance|change|history|return|returns|gain)\b"
)
_JUDGES = re.compile(
    r"\b(?:why|will|should|predict\w*|forecast|sentiment|news|mood|feel\w*|volatil\w*|if|vs|think|"
    r"index|etf|better|rate|fed|upgrade|launch\w*|happen\w*|react\w*|going to|tps|fees?|gas|"
    r"compared?|table)\b"
)


def performance(said: str, text: str, found: Entities) -> bool:
    if not found.assets or found.period is None or found.studies or found.series:
        return False
    return bool(_PERFORMED.search(said)) and not _JUDGES.search(said) and len(said.split()) <= 12


_FIGURE = re.compile(
    r"\b(?:market ?caps?|mcap|volume|circulating supply|max supply|total supply|dominance|tvl)\b"
)


def figures(said: str, text: str, found: Entities) -> bool:
    if not _FIGURE.search(said) or len(said.split()) > 6 or found.amounts:
        return False
    return not re.search(
        r"\b(?:why|mean\w*|explain|define|vs|or|compare|versus|profile|calculat\w*|difference|"
        r"how is|weighted|oscillator|important|good|"
        r"happened|social|fake|cylinder|tells?|stands?|balance|spikes?|falling|significa|"
        r"what is (?:a |an )?(?:market cap|volume|tvl|dominance|"
        r"mcap)$|whats? (?:market cap|volume|tvl|mcap|dominance)$)\b",
        said,
    )


_MOVERS = re.compile(
    r"^(?:show |list |give |me |the |todays? |what are |whats |which coins are |biggest |"
    r"largest |top |best |worst |<n> )*(?:gainers?|losers?|movers?)(?: today| now| 24h|"
    r" of the day| in crypto| and losers| please| right now| list)*$"
)


_RANKED = re.compile(
    r"^(?:the |show |list |give |me |top |<n> |which (?:is |are )|what (?:is |are )|whats )*"
    r"(?:most expensive|cheapest|largest|biggest|smallest) (?:coins?|cryptos?|tokens?|crypto\w+)$"
)


def moves(said: str, text: str, found: Entities) -> bool:
    counted = re.sub(r"\b\d+\b", "<n>", said)
    return bool(_MOVERS.match(counted) or _RANKED.match(counted))


def compares(said: str, text: str, found: Entities) -> bool:
    """ "compare btc and eth", "sol vs ada": names, and nothing of weight."""
    if len(found.assets) < 2 or found.amounts or found.period:
        return False
    rest = _without_names(said, found).split()
    return bool({"compare", "vs", "versus"} & set(rest)) and set(rest) <= _COMPARING


_COMPARING = frozenset(words("compare vs versus and with to the please comparison me").split())
_MOOD = re.compile(
    r"^(?:what is the |whats the |the |crypto |market )?(?:sentiment|mood)\b|\bsentiment$"
)


def mood(said: str, text: str, found: Entities) -> bool:
    if len(said.split()) > 5 or not _MOOD.search(said):
        return False
    return not re.search(r"\b(?:analysis|how|mean|data)\b", said)


def advice(said: str, text: str, found: Entities) -> bool:
    asks = re.match(r"(?:so |ok |then )?should i (?:buy|sell|hold|hodl|invest|dca|swap)\b", said)
    ours = found.assets or "crypto" in cues(said)  # houses and shares are bought too
    return bool(asks and ours) and not re.search(r"\b(?:shares?|stocks?)\b", said)


_ME = re.compile(
    r"^(?:so )?(?:who|what) (?:are|r) (?:you|u)$|^what can (?:you|u)(?: do| help with)?$|"
    r"^help(?: me)?$"
)
_SOURCES = re.compile(
    r"^(?:how are|what are|list|show)? ?(?:your|the)? ?(?:data )?sources?$|"
    r"^is (?:coingecko|coinbase|binance|kraken|coinmarketcap|fred|etherscan|bitstamp|bitfinex|okx|"
    r"kucoin|coinpaprika|coinlore|defillama|bybit) (?:up|down|ok|online|offline|working|reachable|"
    r"healthy|available|down again|up again)(?: now| right now)?$"
)


def me(said: str, text: str, found: Entities) -> bool:
    return bool(_ME.match(said))


def sources(said: str, text: str, found: Entities) -> bool:
    return bool(_SOURCES.match(said))


def _without_names(said: str, found: Entities, mark: str = " ") -> str:
    for known in found.assets:
        for name in (known.name, known.key, known.id):
            said = re.sub(rf"(?<!\S){re.escape(words(name))}(?!\S)", mark, said)
    for code in found.currencies:  # "eth/btc"
        said = re.sub(rf"(?<!\S){code}(?!\S)", " ", said)
    for written, _ in found.typos:
        said = said.replace(words(written), mark)
    return " ".join(said.split())
