"""
The coins of the sandbox and what each provider calls them.

Ids come from the catalogue; where that has none yet, a plausible one is invented, so that a
listing refresh has something to learn. Prices and supplies are invented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parent.parent / "catalogue" / "assets.json"

# The order of magnitude, in dollars, of prices that people know; the others are drawn by lot.
KNOWN = {
    "BTC": 77_000.0, "WBTC": 77_000.0, "CBBTC": 77_000.0, "ETH": 2_500.0, "STETH": 2_500.0,
    "WETH": 2_500.0, "WSTETH": 3_000.0, "BNB": 650.0, "SOL": 150.0, "XRP": 1.4, "DOGE": 0.1,
    "ADA": 0.5, "TRX": 0.25, "AVAX": 20.0, "LINK": 15.0, "DOT": 4.0, "LTC": 90.0, "BCH": 450.0,
    "XLM": 0.25, "XMR": 300.0, "UNI": 8.0, "AAVE": 180.0, "SHIB": 0.00001, "PEPE": 0.000007,
    "XAUT": 2_650.0, "PAXG": 2_650.0, "EUR": 1.08, "EURC": 1.08,
}  # fmt: skip
STABLE = re.compile(r"USD|^EURC$|^DAI$")
LARGEST_CAP = 1.54e12  # dollars, of the first coin; the n-th has n ** -1.35 of it


@dataclass(frozen=True, eq=False)
class Coin:
    """One coin: `order` counts from 1, `middle` is the price its course swings around."""

    id: str
    symbol: str
    name: str
    order: int
    listings: Mapping[str, Mapping[str, str]]

    @cached_property
    def stable(self) -> bool:
        return bool(STABLE.search(self.symbol))

    @cached_property
    def middle(self) -> float:
        drawn = 1.0 if self.stable else round(0.05 * 4000 ** _draw(self.id, "price"), 4)
        return KNOWN.get(self.symbol, drawn)

    @cached_property
    def supply(self) -> float:
        """Units in circulation."""
        return float(round(LARGEST_CAP * self.order**-1.35 / self.middle))

    @cached_property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or self.id

    def called(self, adapter: str, quote: str = "") -> str | None:
        """The provider's own id as the catalogue has it."""
        return self.listings.get(adapter, {}).get(quote)

    @cached_property
    def contract(self) -> str:
        """Its address on Ethereum; none for a coin with a chain of its own."""
        digest = blake2b(self.id.encode(), digest_size=20)
        return "0x" + digest.hexdigest() if _draw(self.id, "token") < 0.5 else ""

    @cached_property
    def coingecko(self) -> str:
        return self.called("coingecko") or self.slug

    @cached_property
    def coinpaprika(self) -> str:
        return self.called("coinpaprika") or f"{self.symbol.lower()}-{self.slug}"


@dataclass(frozen=True, eq=False)
class Pair:
    """What an exchange trades: `base` is its own word for the coin, `quote` upper-case."""

    coin: Coin
    base: str
    quote: str
    known_as: str | None

    @cached_property
    def precision(self) -> int:
        """Decimals that show at least five digits of the price."""
        digits, price = 0, self.coin.middle / KNOWN.get(self.quote, 1.0)
        while price < 10_000 and digits < 12:
            price, digits = price * 10, digits + 1
        return max(digits, 2)


def load(path: Path = ASSETS) -> tuple[Coin, ...]:
    """The assets of the catalogue, largest first."""
    rows: list[dict[str, Any]] = json.loads(path.read_text())
    return tuple(
        Coin(row["id"], row["symbol"].upper(), row["name"], order, row.get("listings") or {})
        for order, row in enumerate(rows, 1)
    )


def pairs(coins: Sequence[Coin], adapter: str, quotes: Sequence[str]) -> Iterator[Pair]:
    """
    The pairs of an exchange: what the catalogue says it lists, and by lot most other coins too.

    Those are quoted in the first of `quotes`, the largest twenty in the second as well.
    """
    taken: set[str] = set()
    for coin in coins:
        if coin.symbol in taken or not re.fullmatch(r"[A-Z0-9]{1,12}", coin.symbol):
            continue
        taken.add(coin.symbol)
        for number, quote in enumerate(quotes):
            known = coin.called(adapter, quote)
            offered = number == 0 or (number == 1 and coin.order <= 20)
            by_lot = offered and _draw(coin.id, adapter) < 0.85
            if coin.symbol != quote and (known or by_lot):
                yield Pair(coin, coin.symbol, quote, known)


def _draw(*words: str) -> float:
    """A number in [0, 1) that depends on the words alone."""
    digest = blake2b(":".join(words).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / (1 << 32)
