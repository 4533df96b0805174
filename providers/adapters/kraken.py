"""https://docs.kraken.com/api/docs/rest-api/get-ticker-information (spot market data)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from providers.adapters.base import LIVE, Adapter, Reply, amount, known, positive, text
from providers.adapters.candles import Layout, candles, within_reach
from providers.datasets import (
    Candle,
    Listed,
    ListingQuery,
    OhlcQuery,
    PriceQuery,
    PriceRow,
)
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    Garbled,
    Missing,
    ProviderError,
    Throttled,
)
from providers.registry import register

KEPT = 720  # candles of each length; older ones cannot be had here
MINUTES_OF: Mapping[str, int] = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "1d": 1440,
    "1w": 10080,
}
CANDLE = Layout(width=8, time=0, open=1, high=2, low=3, close=4, volume=6)

# Its own names for two coins, wherever `assetVersion=1` does not ask for everybody's names.
OLD_NAMES: Mapping[str, str] = {"BTC": "XBT", "DOGE": "XDG"}
NEW_NAMES: Mapping[str, str] = {old: new for new, old in OLD_NAMES.items()}

# https://docs.kraken.com/api/docs/guides/spot-errors, by their beginnings
ERRORS: Mapping[str, type[ProviderError]] = {
    "EQuery:Unknown asset": Missing,
    "EGeneral:Too many requests": Throttled,
    "EGeneral:Temporary lockout": Throttled,
    "EAPI:Rate limit exceeded": Throttled,
    "EAPI:Invalid key": BadKey,
    "EService:": Broken,
    "EGeneral:Internal error": Broken,
}


@register
class Kraken(Adapter):
    """
    Our external ids are its names since `assetVersion=1`: "BTC/USD". Its prices have no time, and
    no change over 24 hours: what it sends is the opening at midnight UTC.
    """

    name = "kraken"
    title = "Kraken"
    base_url = "https://api.kraken.com/0/public"
    docs_url = "https://docs.kraken.com/api/docs/rest-api/get-ticker-information"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": 1000}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """All of its 1,500 pairs are one call; in a list, one unknown pair would fail the rest."""
        named = self.named(query.symbols, (query.currency.upper(),))
        items = self.http.get("/Ticker", assetVersion=1)["result"]
        return self.prices(named, items, _price, everything=True)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        within_reach(query, self.now().timestamp(), KEPT * query.seconds)
        pair, _ = self.listings.find(query.symbol, (query.currency.upper(),))
        found = self.http.get(
            "/OHLC",
            pair=_old_name(pair),
            interval=known(MINUTES_OF, query.interval, "interval"),
            # Exclusive, and only to have less sent.
            since=int(query.start.timestamp()) - 1 if query.start else None,
        )["result"]
        (key,) = found.keys() - {"last"}
        if key not in _spellings(pair):
            raise Garbled("candles of another pair than was asked for")
        return candles(self, query, found[key], CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        found = self.http.get("/AssetPairs", assetVersion=1)["result"]
        return self.rows([*found.items()], _listed)

    def ping(self) -> None:
        status = self.http.get("/SystemStatus")["result"]["status"]
        if status == "maintenance":
            raise Broken("closed for maintenance")

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Errors come with status 200: texts like "EQuery:Unknown asset pair"; "W" only warns."""
        if reply.status in (403, 451):
            return Blocked(f"HTTP {reply.status}")
        for error in reply.json()["error"]:
            if meant := next((e for start, e in ERRORS.items() if error.startswith(start)), None):
                return meant(error)
            if error.startswith("E") and reply.status < 400:
                return Garbled(error)
        return None


def _old_name(pair: str) -> str:
    """The name that every call understands: "XBTUSD" for "BTC/USD"."""
    return "".join(OLD_NAMES.get(asset, asset) for asset in pair.split("/"))


def _spellings(pair: str) -> set[str]:
    """What an answer may call a pair: "BTC/USD", "XBTUSD" or "XXBTZUSD"."""
    base, quote = (OLD_NAMES.get(asset, asset) for asset in pair.split("/"))
    prefixed = {x + base + z + quote for x in ("", "X") for z in ("", "X", "Z")}
    return prefixed | {pair, f"{base}/{quote}"}


def _price(item: Any, symbol: str, quote: str) -> PriceRow:
    """The average is volume-weighted, so that times the volume it is the turnover in `quote`."""
    last, _ = item["c"]
    (_, volume), (_, average) = item["v"], item["p"]
    return PriceRow(symbol, positive(last), quote, None, amount(volume) * amount(average))


def _listed(pair: tuple[str, Any]) -> Listed | None:
    """A pair without a name for its stream is a dark pool."""
    key, row = pair
    if text(row["aclass_base"]) != "currency" or text(row.get("status", "online")) != "online":
        return None
    if "/" not in key:
        key = row.get("wsname") or ""
    if "/" not in key:
        return None
    base, quote = (NEW_NAMES.get(asset, asset) for asset in text(key).split("/"))
    return Listed(f"{base}/{quote}", base, None, quote)
