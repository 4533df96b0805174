"""
Which assets a headline speaks of: pure, and rather silent than wrong.

No feed says so itself, so it is read off the words. A wrong tag files an article under a coin it
never mentions; a missing one merely leaves it in the general list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

# Coins named like things that happen in headlines ("a stellar week", "an avalanche of selling"):
# these count by their ticker alone.
ORDINARY = set(
    """
    avalanche blur canton compound cosmos dash flare flow gala immutable injective jupiter maker
    maple midnight nano near optimism pepe quant render sky sonic stacks stellar story sushi synapse
    """.split()  # noqa: SIM905 (words, one beside the other)
) | {"global dollar", "official trump", "the graph", "the sandbox"}
# And so do the names of some companies and of what is mined.
ORDINARY |= {"alphabet", "block", "copper", "gap", "gold", "oil", "silver", "target", "visa"}

# What writers call something besides its name, by its symbol.
ALIASES = {
    "ether": "ETH",
    **dict.fromkeys(("gold futures", "gold price", "gold prices", "spot gold"), "GC"),
}

# What stands behind the name of a company, and in no headline.
LEGAL_FORM = re.compile(
    r",?\s+(?:Inc|Corp|Corporation|Company|Co|Ltd|Limited|plc|PLC|AG|SE|SA|N\.V|Aktiengesellschaft)\.?$"
)

# Tickers that mean something else to every trader (SPX is the S&P 500), and those of one or two
# letters, count only when marked as tickers: $SPX or (SPX).
TAKEN = {"SPX"}
SHORT = 2

# Names this short are often syllables or words of another language: only as they are written.
SHORT_NAME = 4


def symbols_in(text: str, assets: Mapping[str, str]) -> tuple[str, ...]:
    """
    Which of `assets` (symbol -> name) `text` mentions, by their symbols, in the order of mention.

    A name counts in any case, a ticker in capitals, both as whole words; in a text of capitals
    only, every word looks like a ticker, so there it must be marked.
    """
    reader = _reader(tuple(sorted(assets.items())))
    shouting = text.isupper()
    meant = (reader.read(match, shouting) for match in reader.pattern.finditer(text))
    return tuple(dict.fromkeys(symbol for symbol in meant if symbol))


class _Reader:
    """A pattern for all assets at once, and what a match of it means."""

    def __init__(self, assets: Mapping[str, str]) -> None:
        self.names = assets
        self.by_name = {word: symbol for word, symbol in ALIASES.items() if symbol in assets}
        # A company's name without its legal form counts as it is written alone: an apple is none.
        self.as_written: dict[str, str] = {}
        for symbol, name in assets.items():
            if _folded(name) not in ORDINARY:
                self.by_name[_folded(name)] = symbol
        for symbol, name in assets.items():
            short = LEGAL_FORM.sub("", name)
            if short != name and _folded(short) not in {*self.by_name, *ORDINARY}:
                self.by_name[_folded(short)] = symbol
                self.as_written[_folded(short)] = short
        # The longest first, so that "Bitcoin Cash" is not read as Bitcoin.
        words = sorted({*self.by_name, *map(_folded, assets)}, key=len, reverse=True)
        either = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words if word)
        self.pattern = re.compile(rf"(?<![\w$])(\$?)({either or '(?!)'})(?!\w)", re.IGNORECASE)

    def read(self, match: re.Match[str], shouting: bool) -> str | None:
        dollar, word = match.groups()
        # An asset whose symbol means another is called by its id, which is no ticker.
        is_symbol = word in self.names and not word.islower()
        if is_symbol and self._is_ticker(match, dollar, word, shouting):
            return word
        symbol = self.by_name.get(_folded(word))
        if symbol is None or dollar:
            return None
        written = self.as_written.get(_folded(word))
        if word == (written or self.names[symbol]):
            return symbol
        return symbol if not written and len(word) >= SHORT_NAME else None

    @staticmethod
    def _is_ticker(match: re.Match[str], dollar: str, word: str, shouting: bool) -> bool:
        around = match.string[max(0, match.start() - 1) : match.end() + 1]
        if dollar or around == f"({word})":
            return True
        return not shouting and len(word) > SHORT and word not in TAKEN


@lru_cache(maxsize=4)  # the assets change with the catalogue, not with the article
def _reader(assets: tuple[tuple[str, str], ...]) -> _Reader:
    return _Reader(dict(assets))


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())
