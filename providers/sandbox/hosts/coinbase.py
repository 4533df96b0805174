"""
Coinbase Exchange, market data: https://docs.cdp.coinbase.com/exchange/reference

A candle is `[time, low, high, open, close, volume]`, newest first, in numbers; everything else
is text. Buckets without a trade are left out. There is no request for many products.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Pair, pairs
from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, MINUTE_S, uniform
from providers.sandbox.wire import (
    Host,
    Refusal,
    Reply,
    Request,
    fixed,
    iso,
    json_reply,
    moment_of,
    number,
    route,
    whole,
)

QUOTES = ("USD", "EUR", "USDC", "BTC")
NOT_LISTED = ("USDC",)  # it is converted one to one and has no book of its own
GRANULARITIES = (60, 300, 900, 3600, 21600, 86400)
MOST_CANDLES = 300
# Coins from here on have minutes without a trade: one in so many.
QUIET_FROM, QUIET_EACH = 40, 8
MESSAGES = {404: "NotFound", 429: "Public rate limit exceeded", 503: "Service unavailable"}


class Coinbase(Host):
    names: ClassVar = ("api.exchange.coinbase.com",)

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        listed = pairs(self.market.coins, "coinbase", QUOTES)
        return {
            pair.known_as or f"{pair.base}-{pair.quote}": pair
            for pair in listed
            if pair.known_as or pair.base not in NOT_LISTED
        }

    @route("/time")
    def time(self, request: Request) -> Any:
        return {"iso": iso(request.now, 3), "epoch": round(request.now, 3)}

    @route("/products")
    def products(self, request: Request) -> Any:
        return [_described(name, pair) for name, pair in self.pairs.items()]

    @route("/products/{name}")
    def product(self, request: Request, name: str) -> Any:
        return _described(name, self._pair(name))

    @route("/products/{name}/ticker")
    def ticker(self, request: Request, name: str) -> Any:
        pair = self._pair(name)
        price = self.market.price(pair.coin, request.now, pair.quote.lower(), "coinbase")
        volume = self._day(pair, request.now).volume
        tick = 10.0**-pair.precision
        return {
            "ask": fixed(price, pair.precision),
            "bid": fixed(price - tick, pair.precision),
            "volume": fixed(volume, 8),
            "trade_id": int(request.now),
            "price": fixed(price, pair.precision),
            "size": fixed(volume / DAY_S, 8),
            "time": iso(request.now - request.now % 10, 9),
            "rfq_volume": fixed(volume / 150, 6),
        }

    @route("/products/{name}/stats")
    def stats(self, request: Request, name: str) -> Any:
        pair = self._pair(name)
        day = self._day(pair, request.now)
        return {
            "open": fixed(day.open, pair.precision),
            "high": fixed(day.high, pair.precision),
            "low": fixed(day.low, pair.precision),
            "last": fixed(day.close, pair.precision),
            "volume": fixed(day.volume, 8),
            "volume_30day": fixed(self._span(pair, request.now, 30 * DAY_S).volume, 8),
            "rfq_volume_24hour": fixed(day.volume / 150, 6),
            "rfq_volume_30day": fixed(day.volume / 5, 6),
        }

    @route("/products/{name}/candles")
    def candles(self, request: Request, name: str) -> Any:
        pair = self._pair(name)
        granularity = whole(request.params.get("granularity", "60"))
        if granularity not in GRANULARITIES:
            raise self._wrong("Unsupported granularity")
        start, end = (self._moment(request, name) for name in ("start", "end"))
        if start is None or end is None:
            start = end = None
        elif (end - start) / granularity > MOST_CANDLES:
            raise self._wrong(
                "granularity too small for the requested time range. "
                f"Count of aggregations requested exceeds {MOST_CANDLES}"
            )
        window = candles.window(granularity, request.now, limit=MOST_CANDLES, start=start, end=end)
        return [
            self._candle(pair, *span, request.now)
            for span in reversed(window)
            if granularity > MINUTE_S or not _quiet(pair, span[0])
        ]

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return json_reply({"message": MESSAGES.get(status, "Internal server error")}, status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        if not request.headers.get("user-agent"):
            raise self._wrong("User-Agent header is required.")
        return (Budget("coinbase", 15, 1),)

    def _pair(self, name: str) -> Pair:
        if name not in self.pairs:
            raise Refusal(self.failure(404))
        return self.pairs[name]

    def _moment(self, request: Request, name: str) -> float | None:
        text = request.params.get(name, "")
        found = moment_of(text)
        if text and found is None:
            raise self._wrong(f"invalid {name} time")
        return found

    def _day(self, pair: Pair, now: float) -> Any:
        return self._span(pair, now, DAY_S)

    def _span(self, pair: Pair, now: float, seconds: int) -> Any:
        return self.market.bar(pair.coin, now - seconds, now, pair.quote.lower(), "coinbase")

    def _candle(self, pair: Pair, start: int, end: int, now: float) -> list[float | int]:
        bar = self.market.bar(pair.coin, start, min(end, now), pair.quote.lower(), "coinbase")
        prices = (bar.low, bar.high, bar.open, bar.close)
        return [start, *(number(p, pair.precision) for p in prices), number(bar.volume, 8)]

    def _wrong(self, text: str) -> Refusal:
        return self.refuse({"message": text}, 400)


def _quiet(pair: Pair, start: int) -> bool:
    return pair.coin.order >= QUIET_FROM and uniform(pair.coin.order, start) < 1 / QUIET_EACH


def _described(name: str, pair: Pair) -> dict[str, Any]:
    return {
        "id": name,
        "base_currency": pair.base,
        "quote_currency": pair.quote,
        "quote_increment": fixed(10.0**-pair.precision, pair.precision),
        "base_increment": "0.00000001",
        "display_name": f"{pair.base}-{pair.quote}",
        "min_market_funds": "1",
        "margin_enabled": False,
        "post_only": False,
        "limit_only": False,
        "cancel_only": False,
        "status": "online",
        "status_message": "",
        "trading_disabled": False,
        "fx_stablecoin": pair.coin.stable,
        "max_slippage_percentage": "0.02000000",
        "auction_mode": False,
        "high_bid_limit_percentage": "",
    }
