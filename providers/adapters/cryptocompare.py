"""
https://developers.coindesk.com/documentation/legacy/Price/multipleSymbolsFullPriceEndpoint and its
sisters, and what came after CoinDesk bought CryptoCompare:
https://developers.coindesk.com/documentation/data-api/index_cc_v1_historical_days

Both want a key of a paid plan: the free tier ended on 2026-05-21, says https://data.coindesk.com.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from math import ceil
from operator import itemgetter
from typing import Any

from providers.adapters.base import (
    Adapter,
    Auth,
    Reading,
    Reply,
    amount,
    count,
    in_order,
    known,
    listed,
    maybe,
    moment,
    nonzero,
    number,
    positive,
    said,
    text,
)
from providers.adapters.candles import Layout, candles, spans, within_reach
from providers.datasets import (
    Allowance,
    Candle,
    HistoryPoint,
    HistoryQuery,
    Listed,
    ListingQuery,
    MarketQuery,
    MarketRow,
    OhlcQuery,
    PlanQuery,
    PriceQuery,
    PriceRow,
    Query,
)
from providers.errors import BadKey, Garbled, Missing, ProviderError, Throttled
from providers.registry import register

KEY = Auth(header="Authorization", prefix="Apikey ")
PAGE = 100  # coins of one call
MOST_CANDLES = 2000
MOST_SYMBOLS = 40  # 300 characters of them

# Of what unit it has candles, and how many of those make one of ours.
UNIT_OF: Mapping[str, tuple[str, int]] = {
    "1m": ("minute", 1),
    "5m": ("minute", 5),
    "15m": ("minute", 15),
    "30m": ("minute", 30),
    "1h": ("hour", 1),
    "4h": ("hour", 4),
    "1d": ("day", 1),
    "1w": ("day", 7),
}
CANDLE = Layout(width=6, time=0, open=1, high=2, low=3, close=4, volume=5)
OLD_COLUMNS = itemgetter("time", "open", "high", "low", "close", "volumefrom")
COLUMNS = itemgetter("TIMESTAMP", "OPEN", "HIGH", "LOW", "CLOSE", "VOLUME")

# Of its own account of a key.
WINDOW_S: Mapping[str, float] = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "month": 30 * 86400,
}
MINUTES_KEPT = timedelta(days=7)
HOURLY = timedelta(days=80)  # longer histories are told day by day

# https://developers.coindesk.com/documentation/legacy/Other/rateLimit: `Type` of an error
OLD_PARAMETER, TOO_OFTEN = 2, 99
NO_KEY = 2  # `Err.type` of the newer one


@register
class CryptoCompare(Adapter):
    """Averages of many exchanges, weighted by volume. Our external ids are its tickers."""

    name = "cryptocompare"
    title = "CryptoCompare"
    base_url = "https://min-api.cryptocompare.com"
    docs_url = "https://developers.coindesk.com/documentation/legacy/Price/multipleSymbolsFullPriceEndpoint"
    offers = (MarketQuery, PriceQuery, OhlcQuery, HistoryQuery, ListingQuery)
    auth = KEY
    batch = {"price": MOST_SYMBOLS}
    updates = {"price": 10}

    def market(self, query: MarketQuery) -> list[MarketRow]:
        currency = query.currency.upper()
        first = (query.page - 1) * query.limit
        items = [*self._ranked(first // PAGE, ceil((first + query.limit) / PAGE), currency)]
        skipped = first % PAGE
        page = items[skipped : skipped + query.limit]
        return self.rows(page, lambda row: _market_row(row, currency))

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """Tickers that it does not know are left out of its answer."""
        named, currency = self.named(query.symbols), query.currency.upper()
        found = self.http.get("/data/pricemultifull", fsyms=",".join(named), tsyms=currency)["RAW"]
        items = self.rows(
            [*found.values()], lambda row: (text(row[currency]["FROMSYMBOL"]), row[currency])
        )
        return self.prices(
            named, dict(items), lambda item, symbol, _: _price(item, symbol, currency)
        )

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        return _drawn(self, query)

    def history(self, query: HistoryQuery) -> list[HistoryPoint]:
        return _closes(self, query)

    def listing(self, query: ListingQuery) -> list[Listed]:
        found = self.http.get("/data/all/coinlist", summary=True)["Data"]
        return self.rows([*found.values()], _listed)

    def ping(self) -> None:
        count(self.http.get("/stats/rate/limit")["Data"]["calls_left"]["month"])

    def plan(self, query: PlanQuery) -> list[Allowance]:
        """What was made of each window and what is left: https://min-api.cryptocompare.com"""
        found = self.http.get("/stats/rate/limit")["Data"]
        made, left = found["calls_made"], found["calls_left"]
        rows = [
            Allowance(count(made[name]) + count(left[name]), per_s, count(made[name]), None, None)
            for name, per_s in WINDOW_S.items()
            if name in made
        ]
        if not rows:
            raise Garbled("no window of the key")
        return rows

    def _ranked(self, first: int, last: int, currency: str) -> Iterator[Any]:
        for page in range(first, last):
            found = self.http.get("/data/top/mktcapfull", limit=PAGE, page=page, tsym=currency)
            yield from listed(found["Data"])
            if len(found["Data"]) < PAGE:
                return

    def columns(self, own: str, query: OhlcQuery, rows: int, last: int) -> list[Any]:
        """What CANDLE describes, of so many rows up to the candle that opens at `last`."""
        unit, aggregate = UNIT_OF[query.interval]
        found = self.http.get(
            f"/data/v2/histo{unit}",
            fsym=own,
            tsym=query.currency.upper(),
            aggregate=aggregate,
            limit=max(rows - 1, 1),  # it sends one more
            toTs=last,
            tryConversion=False,  # a price by way of another coin is not one that was paid
        )
        return self.rows(found["Data"]["Data"], _traded)

    @classmethod
    def cost(cls, query: Query) -> int:
        """Calls."""
        return ceil(query.limit / PAGE) if isinstance(query, MarketQuery) else _calls(query)

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Errors come inside a 200, with a type of their own."""
        found = said(reply)
        if found.get("Response") != "Error":
            return None
        words = str(found.get("Message")).lower()
        if found.get("Type") == TOO_OFTEN:
            return Throttled("over its limit")
        if "api key" in words or "auth key" in words or "subscription" in words:
            return BadKey("its key is not accepted")
        return Missing() if found.get("Type") == OLD_PARAMETER else Garbled("refused inside a 200")


@register
class CoinDeskData(Adapter):
    """The newer generation: indices (CADLI) of all that is traded, day by day or finer."""

    name = "coindesk_data"
    title = "CoinDesk Data"
    base_url = "https://data-api.cryptocompare.com"
    docs_url = "https://developers.coindesk.com/documentation/data-api/index_cc_v1_historical_days"
    offers = (OhlcQuery, HistoryQuery)
    auth = KEY
    listed_as = "cryptocompare"

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        return _drawn(self, query)

    def history(self, query: HistoryQuery) -> list[HistoryPoint]:
        return _closes(self, query)

    def ping(self) -> None:
        listed(self._ask("days", instrument="BTC-USD", limit=1))

    def columns(self, own: str, query: OhlcQuery, rows: int, last: int) -> list[Any]:
        """What CANDLE describes, of so many rows up to the candle that opens at `last`."""
        unit, aggregate = UNIT_OF[query.interval]
        asked = f"{own}-{query.currency.upper()}"

        def read(row: Any) -> Any:
            if row["INSTRUMENT"] != asked:
                raise Garbled("a candle of another instrument")
            return COLUMNS(row)

        found = self._ask(f"{unit}s", instrument=asked, aggregate=aggregate, limit=rows, to_ts=last)
        return self.rows(found, read)

    def _ask(self, path: str, **params: Any) -> Any:
        return self.http.get(f"/index/cc/v1/historical/{path}", market="cadli", **params)["Data"]

    @classmethod
    def cost(cls, query: Query) -> int:
        """Calls."""
        return _calls(query)

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """`Err` says what is wrong; a 404 is of an instrument, or a time before it was traded."""
        error = said(reply).get("Err")
        if not isinstance(error, dict) or not error:
            return None
        if error.get("type") == NO_KEY:
            return BadKey("its key is not accepted")
        if error.get("type") == TOO_OFTEN:
            return Throttled("over its limit")
        return Missing() if reply.status == 404 else Garbled("refused")

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """
        Five windows at once, from a second to a month: `49;window=1, 2499;window=60, ...` is left
        of `1;window=1;burst=50;policy="fixed window", ...`, and comes back after `1;window=1, ...`.
        """
        limits, left, resets = (
            _windows(headers.get(f"x-ratelimit-{name}", ""))
            for name in ("limit", "remaining-all", "reset-all")
        )
        return [
            Reading(
                per_s=per_s,
                limit=limits.get(per_s),
                remaining=remaining,
                resets_in_s=resets.get(per_s),
            )
            for per_s, remaining in left.items()
        ]


def _windows(header: str) -> dict[float, float]:
    """Seconds of each window -> its number, or its burst where it may be spent all at once."""
    found = {}
    for part in header.split(","):
        value, *params = part.strip().split(";")
        named = dict(param.split("=", 1) for param in params)
        if "window" in named:
            found[float(named["window"])] = float(named.get("burst", value))
    return found


def _drawn(adapter: CryptoCompare | CoinDeskData, query: OhlcQuery) -> Sequence[Candle]:
    """Candles page by page."""
    now = adapter.now().timestamp()
    if known(UNIT_OF, query.interval, "interval")[0] == "minute":
        within_reach(query, now, MINUTES_KEPT.total_seconds())
    own, _ = adapter.listings.find(query.symbol)
    items: list[Any] = []
    for first, last in spans(query, now, MOST_CANDLES):
        items += adapter.columns(own, query, (last - first) // query.seconds + 1, last)
    return candles(adapter, query, items, CANDLE)


def _closes(adapter: CryptoCompare | CoinDeskData, query: HistoryQuery) -> list[HistoryPoint]:
    """The close of each candle at the time of its close, or of now while it is running."""
    now = adapter.now()
    start, end = query.span(now)
    interval = _interval(end - start, now - start)
    asked = OhlcQuery(query.symbol, interval, currency=query.currency)
    step = timedelta(seconds=asked.seconds)
    rows = ceil((end - start) / step) + 2
    found = adapter.ohlc(replace(asked, limit=rows, start=start - step, end=end))
    return in_order(
        query, [HistoryPoint(min(c.time + step, now), c.close, None, None) for c in found]
    )


def _interval(span: timedelta, age: timedelta) -> str:
    if span <= timedelta(days=1) and age < MINUTES_KEPT:
        return "5m"
    return "1h" if span <= HOURLY else "1d"


def _calls(query: Query) -> int:
    match query:
        case OhlcQuery(limit=limit):
            return ceil(limit / MOST_CANDLES)
        case HistoryQuery(days=days, start=start, end=end):
            span = end - start if start and end else timedelta(days=days or 1)
            return max(ceil(span / timedelta(days=MOST_CANDLES)), 1)
    return 1


def _traded(row: Any) -> Any:
    """None before a coin was listed: those rows are full of zeros."""
    columns = OLD_COLUMNS(row)
    return columns if any(columns[1:5]) else None


def _price(item: Any, symbol: str, currency: str) -> PriceRow:
    if item["TOSYMBOL"] != currency:
        raise Garbled("a price in another currency")
    return PriceRow(
        symbol,
        positive(item["PRICE"]),
        currency,
        maybe(number, item.get("CHANGEPCT24HOUR")),
        maybe(amount, item.get("VOLUME24HOURTO")),
        maybe(moment, item.get("LASTUPDATE")),
    )


def _market_row(row: Any, currency: str) -> MarketRow:
    """A coin that nobody trades in this currency has no RAW, and so no price."""
    info = row["CoinInfo"]
    own = text(info["Name"])
    raw = (row.get("RAW") or {currency: {}})[currency]
    if raw and (raw["FROMSYMBOL"], raw["TOSYMBOL"]) != (own, currency):
        raise Garbled("figures of another coin")
    return MarketRow(
        rank=None,
        id=own,
        symbol=own.upper(),
        name=text(info["FullName"]),
        price=maybe(positive, raw.get("PRICE")),
        market_cap=nonzero(raw.get("MKTCAP")),
        volume_24h=maybe(amount, raw.get("TOTALVOLUME24HTO")),
        change_1h_percent=maybe(number, raw.get("CHANGEPCTHOUR")),
        change_24h_percent=maybe(number, raw.get("CHANGEPCT24HOUR")),
        change_7d_percent=None,
        high_24h=maybe(positive, raw.get("HIGH24HOUR")),
        low_24h=maybe(positive, raw.get("LOW24HOUR")),
        circulating_supply=nonzero(raw.get("CIRCULATINGSUPPLY")),
        last_updated=maybe(moment, raw.get("LASTUPDATE")),
    )


def _listed(row: Any) -> Listed:
    """Full names end with a ticker, Bitcoin (BTC), which is not always the one it goes by."""
    symbol, (name, _, _) = text(row["Symbol"]), text(row["FullName"]).rpartition(" (")
    return Listed(symbol, symbol.upper(), text(name), "")
