"""
Which assets a text names: by symbol, name, id, address, nickname, or nearly so.

A name that is a word too ("near", "link") counts when its neighbours say so: "near price",
"$LINK", "20 near", "eth or link", NEAR where the rest is not in capitals. Without that it is a
`maybe`, for questions that name nothing else. Pure: what words mean is an argument.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from chat import cues
from chat.masking import CJK, words
from chat.names import names
from chat.spelling import Spellings

Lookup = Callable[[str], "Known | None"]
LONGEST = 4  # words of a name

# A script without spaces begins a token of its own: "bitcoin価格".
_TOKEN = re.compile(rf"[$#]?0x[0-9a-fA-F]{{6,}}|[$#]?(?:(?![{CJK}])[^\W_])+|[{CJK}]+")
_PAIR = re.compile(
    r"(?P<base>[a-z]{2,6}?)(?:[-/_]?)(?P<quote>usdt|usdc|usd|eur|gbp|jpy|btc|eth)", re.IGNORECASE
)
_AFTER = frozenset(
    words(
        "price prices coin coins token tokens protocol usd usdt eur btc eth chart mcap market "
        "worth volume supply news rsi macd ema sma ath atl staking sentiment holders tvl cost "
        "costs value preis kurs precio prix prezzo cena fiyat fiyatı курс цена perpetual perps "
        "futures"
    ).split()
)
_BEFORE = frozenset(
    words("buy sell hold hodl holding own trade trading swap bought sold stake").split()
)
_OF = frozenset(
    words(
        "price value worth cap volume supply cost market rsi macd ema sma chart news kurs preis "
        "precio prix valor sentiment history performance ath"
    ).split()
)
_NOT_AFTER = frozenset(words("a an the to it my your this that me us in on at future").split())
_LEADS = frozenset(words("to the it my your this that me us of for").split())
_JOINTS = frozenset(words("and or vs versus against und y et oder o e ou").split())
_SIGNS = frozenset((",", "/", "+", "&", "-", ", and"))
_LISTING = frozenset(("and", "or", "vs", "versus", "/", "&", "+", ", and"))
_LIKE_A_COIN = re.compile(
    r"(?!(?:alt|stable|meme|shit|bit|lite|doge|scam|privacy|dead|new|lite|gov\w*|nft|the)(?:coin|"
    r"token)$)[^\W\d_]{3,}(?:coin|token|inu)"
)
_COINS = str.maketrans({"\N{BITCOIN SIGN}": " BTC ", "\N{GREEK CAPITAL LETTER XI}": " ETH "})
# What is asked about beside names, and is none.
_GENERIC = frozenset(
    words(
        "altcoins altcoin stablecoins memecoins memecoin others other rest everything forex fx "
        "stocks stock bonds shares equities tokens nfts nft defi cash fiat please thanks why how "
        "silver platinum sentiment mood news gas fees rsi macd sma ema daily weekly hourly"
    ).split()
)


class Known(NamedTuple):
    """What a word means: `key` is what queries call it."""

    key: str
    id: str
    name: str


class Named(NamedTuple):
    """An asset that stands in `text[start:end]`."""

    key: str
    id: str
    name: str
    asked: str
    start: int
    end: int
    typo: bool = False


class Found(NamedTuple):
    assets: tuple[Named, ...]  # each once, in their order
    maybe: tuple[Named, ...]  # words that are names too
    quotes: tuple[str, ...]  # second halves of pairs: "BTC/EUR" has "eur"
    spans: tuple[tuple[int, int], ...]  # where in the text all of these stand
    unknown: tuple[str, ...]  # what stands like a name and is none of ours
    mentions: tuple[Named, ...]  # the sure ones wherever they stand, each as often as it does


class Token(NamedTuple):
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.lstrip("$#").casefold()

    @property
    def marked(self) -> bool:
        return self.text[0] in "$#" and not self.text[1:].isdigit()


def find(text: str, lookup: Lookup, spellings: Spellings) -> Found:
    tokens = [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
    finder = _Finder(text, tokens, lookup, spellings)
    finder.run()
    sure = {named.id: named for named in reversed(finder.sure)}
    first = sorted(sure.values(), key=lambda named: named.start)
    maybe = {named.id: named for named in finder.maybe if named.id not in sure}
    return Found(
        tuple(first),
        tuple(maybe.values()),
        tuple(dict.fromkeys(finder.quotes)),
        tuple((named.start, named.end) for named in finder.sure),
        tuple(dict.fromkeys(finder.unknown())),
        tuple(finder.sure),
    )


class _Finder:
    def __init__(
        self, text: str, tokens: Sequence[Token], lookup: Lookup, spellings: Spellings
    ) -> None:
        self.text, self.tokens, self.lookup, self.spellings = text, tokens, lookup, spellings
        self.sure: list[Named] = []
        self.maybe: list[Named] = []
        self.quotes: list[str] = []
        self._doubtful: list[tuple[int, int, Named]] = []
        letters = [c for c in text if c.isalpha()]
        self._shouts = sum(c.isupper() for c in letters) > 0.6 * len(letters)

    def run(self) -> None:
        place = 0
        while place < len(self.tokens):
            place += self._at(place)
        for _ in range(2):  # a name that has become sure may make its neighbour sure
            for place, end, named in list(self._doubtful):
                if self._is_meant(place, end):
                    self.sure.append(named)
                    self._doubtful.remove((place, end, named))
        self.maybe = [
            named for _, end, named in self._doubtful if not self._is_a_word(named.asked, end)
        ]

    def unknown(self) -> Iterator[str]:
        """ "$XYZ", "foocoin", and what is joined to a name by "and" and is no word we know."""
        taken = [(named.start, named.end) for named in (*self.sure, *self.maybe)]
        for place, token in enumerate(self.tokens):
            if any(start < token.end and token.start < end for start, end in taken):
                continue
            money = token.word in names().currencies or token.word in names().parts
            if money or not token.word.isalpha():
                continue
            marked = token.text[0] == "$" and len(token.word) > 1
            if marked or _LIKE_A_COIN.fullmatch(token.word) or self._is_joined_stranger(place):
                yield token.text.lstrip("$#")

    def _is_joined_stranger(self, place: int) -> bool:
        word = self.tokens[place].word
        listed = (names().plain, names().chains, names().countries, _GENERIC)
        known = any(word in some for some in listed) or bool(cues.cues(word))
        return len(word) > 1 and not known and self._is_joined(place, place + 1, _LISTING)

    def _at(self, place: int) -> int:
        """Take what begins at a token; how many tokens it was."""
        for length in range(min(LONGEST, len(self.tokens) - place), 0, -1):
            run = self.tokens[place : place + length]
            known = self._known(run)
            if known is None:
                continue
            named = Named(*known, self.text[run[0].start : run[-1].end], run[0].start, run[-1].end)
            if length == 1 and self._is_plain(run[0]):
                self._doubtful.append((place, place + 1, named))
            else:
                self.sure.append(named)
            return length
        token = self.tokens[place]
        if re.search(f"[{CJK}]", token.text):
            self._inside(token)
        elif not self._pair(token) and not self._counted(token):
            self._misspelt(token)
        return 1

    def _known(self, run: Sequence[Token]) -> Known | None:
        said = " ".join(token.word for token in run)
        if len(run) == 1 and said in names().currencies:
            return None  # "usd" is money, though a coin be called so
        slug = names().assets.get(said)
        as_written = self.text[run[0].start : run[-1].end].lstrip("$#")
        return self.lookup(slug or as_written) or (self.lookup(said) if len(run) > 1 else None)

    def _inside(self, token: Token) -> None:
        """Names in a script that has no spaces."""
        for said, slug in names().assets.items():
            place = token.text.find(said)
            if re.match(f"[{CJK}]", said) and place >= 0 and (known := self.lookup(slug)):
                start = token.start + place
                self.sure.append(Named(*known, said, start, start + len(said)))

    def _pair(self, token: Token) -> bool:
        """ "BTCUSDT": two symbols in one word."""
        pair = _PAIR.fullmatch(token.text)
        known = self.lookup(pair["base"]) if pair else None
        if pair is None or known is None or token.word in names().plain:
            return False
        self.sure.append(Named(*known, token.text, token.start, token.end))
        self.quotes.append(pair["quote"].lower())
        return True

    def _counted(self, token: Token) -> bool:
        """ "5btc": an amount and what it is of in one word."""
        of = re.fullmatch(r"\d+([^\W\d_]{3,})", token.text)
        known = self.lookup(of[1]) if of and of[1].lower() not in names().plain else None
        if of is None or known is None or of[1].lower() in names().currencies:
            return False
        self.sure.append(Named(*known, of[1], token.start + of.start(1), token.end))
        return True

    def _misspelt(self, token: Token) -> None:
        word = token.word
        if not word.isalpha() or word in names().plain or word in names().currencies:
            return
        if word in cues.vocabulary():  # a word of another language, perhaps
            return
        name = self.spellings.nearest(word)
        known = self.lookup(names().assets.get(name, name)) if name else None
        if known:
            self.sure.append(Named(*known, token.text, token.start, token.end, typo=True))

    def _is_plain(self, token: Token) -> bool:
        """May it be no name here? A single letter never is one without a mark."""
        if token.marked:
            return False
        return len(token.word) == 1 or token.word in names().plain

    def _is_meant(self, place: int, end: int) -> bool:
        token = self.tokens[place]
        before = [t.word for t in self.tokens[max(0, place - 3) : place]]
        after = [t.word for t in self.tokens[end : end + 2]]
        if len(token.word) == 1:
            return False
        if len(self.tokens) == 1 or self._is_joined(place, end):
            return True
        if before and _is_amount(before[-1]) and token.word != "etc":
            return True
        if after and (after[0] in _NOT_AFTER or after[0][0].isdigit()):
            return False
        capitals = token.text.isupper() and not self._shouts
        follows = bool(before) and (before[-1] in _BEFORE or _ends_with_of(before))
        return capitals or follows or bool(after and after[0] in _AFTER)

    def _is_a_word(self, asked: str, end: int) -> bool:
        """A letter, or what leads to something else: "link to the docs", "near the top"."""
        after = self.tokens[end].word if end < len(self.tokens) else ""
        return len(asked) == 1 or after in _LEADS or after[:1].isdigit()

    def _is_joined(self, place: int, end: int, joints: frozenset[str] | None = None) -> bool:
        """Beside a sure name: "eth or link", "btc, near"; in either direction."""
        joints = joints or _JOINTS | _SIGNS
        token = self.tokens[place]
        for named in self.sure:
            apart = (
                self.text[named.end : token.start]
                if named.end <= token.start
                else self.text[self.tokens[end - 1].end : named.start]
            )
            said = apart.casefold().strip()
            if len(apart) <= 12 and said in joints:
                return True
        return False


def _ends_with_of(before: Sequence[str]) -> bool:
    """ "price of ...", "rsi for ..."."""
    return len(before) > 1 and before[-1] in ("of", "for", "von", "de", "is") and before[-2] in _OF


def _is_amount(word: str) -> bool:
    return bool(re.fullmatch(r"\d+(?:k|m)?", word))


def cleaned(text: str) -> str:
    """Full-width letters as plain ones, signs as their symbols, nothing that cannot be seen."""
    seen = unicodedata.normalize("NFKC", text.translate(_COINS))
    return "".join(c for c in seen if unicodedata.category(c) != "Cf")
