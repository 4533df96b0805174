"""
Kraken spot, public market data: https://docs.kraken.com/api/docs/rest-api/get-ticker-information

Everything is HTTP 200 with `error` and `result`, errors too. Bitcoin is XBT and Dogecoin XDG; old
pairs answer under prefixed keys (XXBTZUSD) unless `assetVersion=1` asks for plain names (BTC/USD).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Pair, pairs
from providers.sandbox.limits import Budget, Usage
from providers.sandbox.market import DAY_S, Bar
from providers.sandbox.wire import (
    Host,
    Refusal,
    Reply,
    Request,
    fixed,
    iso,
    json_reply,
    route,
    whole,
)

QUOTES = ("USD", "EUR", "USDT", "USDC", "BTC")
OWN_WORDS = {"BTC": "XBT", "DOGE": "XDG"}
# Assets from before names were plain: X before a coin, Z before a fiat currency.
PREFIXED = frozenset(("ETC", "ETH", "LTC", "MLN", "REP", "XBT", "XLM", "XMR", "XRP", "ZEC"))
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)  # minutes
ROWS = 720
FEES = [[0, 0.4], [10000, 0.35], [50000, 0.24], [100000, 0.22]]
ERRORS = {
    404: "EGeneral:Unknown method",
    429: "EAPI:Rate limit exceeded",
    503: "EService:Unavailable",
}


class Kraken(Host):
    names: ClassVar = ("api.kraken.com",)

    @cached_property
    def pairs(self) -> list[Pair]:
        listed = pairs(self.market.coins, "kraken", QUOTES)
        return [replace(pair, base=_word(pair.base)) for pair in listed]

    @cached_property
    def named(self) -> dict[str, Pair]:
        """Pairs by every name that a request may use."""
        found: dict[str, Pair] = {}
        for pair in self.pairs:
            own = {_altname(pair), _key(pair), _wsname(pair), _plain(pair), pair.known_as}
            found |= {name.upper(): pair for name in own if name}
        return found

    @route("/0/public/SystemStatus")
    def system_status(self, request: Request) -> Any:
        return _result({"status": "online", "timestamp": iso(request.now)})

    @route("/0/public/Time")
    def time(self, request: Request) -> Any:
        return _result({"unixtime": int(request.now), "rfc1123": _rfc1123(request.now)})

    @route("/0/public/Assets")
    def assets(self, request: Request) -> Any:
        shape = {"aclass": "currency", "decimals": 10, "display_decimals": 5}
        words = {pair.base for pair in self.pairs} | {_word(quote) for quote in QUOTES}
        return _result({_asset(word): {**shape, "altname": word} for word in sorted(words)})

    @route("/0/public/AssetPairs")
    def asset_pairs(self, request: Request) -> Any:
        plain = request.params.get("assetVersion") == "1"
        return _result(
            {_name(pair, plain): _described(pair, plain) for pair in self._asked(request)}
        )

    @route("/0/public/Ticker")
    def ticker(self, request: Request) -> Any:
        plain = request.params.get("assetVersion") == "1"
        return _result(
            {_name(pair, plain): self._row(pair, request.now) for pair in self._asked(request)}
        )

    @route("/0/public/OHLC")
    def ohlc(self, request: Request) -> Any:
        asked = self._asked(request)
        minutes = whole(request.params.get("interval", "1"))
        since = whole(request.params.get("since", "0"))
        if len(asked) != 1 or minutes not in INTERVALS or since is None:
            raise self._error("EGeneral:Invalid arguments")
        # Every interval counts from 1970, weeks too: they open on Thursday.
        window = candles.window(minutes * 60, request.now, limit=ROWS, offset=0)
        rows = [self._candle(asked[0], *span, request.now) for span in window if span[0] > since]
        plain = request.params.get("assetVersion") == "1"
        last = window[-2][0] if len(window) > 1 else 0
        return _result({_name(asked[0], plain): rows, "last": last})

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return json_reply({"error": [ERRORS.get(status, "EGeneral:Internal error")]}, status)

    def throttled(self, request: Request, wait: float) -> Reply:
        return json_reply({"error": ["EGeneral:Too many requests"]})

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        """About one request a second; a short burst passes."""
        return (Budget("kraken", 15, 15),)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        reply.headers.setdefault("cache-control", "max-age=2, public")
        return reply

    def _asked(self, request: Request) -> list[Pair]:
        if "pair" not in request.params:
            return self.pairs
        names = [name.upper() for name in request.list("pair")]
        if not names or set(names) - set(self.named):
            raise self._error("EQuery:Unknown asset pair")
        return list(dict.fromkeys(self.named[name] for name in names))

    def _row(self, pair: Pair, now: float) -> dict[str, Any]:
        quote = pair.quote.lower()
        midnight = now - now % DAY_S
        day = self.market.bar(pair.coin, now - DAY_S, now, quote, "kraken")
        today = self.market.bar(pair.coin, midnight, now, quote, "kraken")
        tick = 10.0**-pair.precision
        lots = max(1, int(day.volume / 5000))
        return {
            "a": [_price(pair, day.close + tick), str(lots), fixed(lots, 3)],
            "b": [_price(pair, day.close), str(lots + 1), fixed(lots + 1, 3)],
            "c": [_price(pair, day.close), fixed(day.volume / DAY_S, 8)],
            "v": [fixed(bar.volume, 8) for bar in (today, day)],
            "p": [_price(pair, _mean(bar)) for bar in (today, day)],
            "t": [_trades(bar) for bar in (today, day)],
            "l": [_price(pair, bar.low) for bar in (today, day)],
            "h": [_price(pair, bar.high) for bar in (today, day)],
            "o": _price(pair, today.open),
        }

    def _candle(self, pair: Pair, start: int, end: int, now: float) -> list[Any]:
        bar = self.market.bar(pair.coin, start, min(end, now), pair.quote.lower(), "kraken")
        prices = [_price(pair, value) for value in (*bar[:4], _mean(bar))]
        return [start, *prices, fixed(bar.volume, 8), _trades(bar)]

    def _error(self, text: str) -> Refusal:
        return self.refuse({"error": [text]}, 200)


def _result(value: dict[str, Any]) -> dict[str, Any]:
    return {"error": [], "result": value}


def _mean(bar: Bar) -> float:
    return (bar.open + bar.high + bar.low + bar.close) / 4


def _trades(bar: Bar) -> int:
    return int(bar.volume * _mean(bar) / 4000) + 1


def _price(pair: Pair, value: float) -> str:
    """Rounded to the pair's decimals, then padded to five."""
    return fixed(value, pair.precision) + "0" * max(0, 5 - pair.precision)


def _word(symbol: str) -> str:
    return OWN_WORDS.get(symbol, symbol)


def _asset(word: str) -> str:
    if word in PREFIXED or word == "XDG":
        return f"X{word}"
    return f"Z{word}" if word in ("USD", "EUR") else word


def _altname(pair: Pair) -> str:
    return pair.base + _word(pair.quote)


def _wsname(pair: Pair) -> str:
    return f"{pair.base}/{_word(pair.quote)}"


def _plain(pair: Pair) -> str:
    return f"{pair.coin.symbol}/{pair.quote}"


def _key(pair: Pair) -> str:
    """Both halves take their prefix, or neither does."""
    base, quote = _asset(pair.base), _asset(_word(pair.quote))
    if base != pair.base and quote != pair.quote and _altname(pair) not in ("XDGUSD", "XDGEUR"):
        return base + quote
    return "USDTZUSD" if _altname(pair) == "USDTUSD" else _altname(pair)


def _name(pair: Pair, plain: bool) -> str:
    return _plain(pair) if plain else _key(pair)


def _described(pair: Pair, plain: bool) -> dict[str, Any]:
    return {
        "altname": _altname(pair),
        "wsname": _wsname(pair),
        "aclass_base": "currency",
        "base": pair.coin.symbol if plain else _asset(pair.base),
        "aclass_quote": "currency",
        "quote": pair.quote if plain else _asset(_word(pair.quote)),
        "lot": "unit",
        "pair_decimals": pair.precision,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [2, 3],
        "leverage_sell": [2, 3],
        "fees": FEES,
        "fees_maker": FEES,
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.0002",
    }


def _rfc1123(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%a, %d %b %y %H:%M:%S +0000")
