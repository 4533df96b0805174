"""
CoinCap, version 3: https://rest.coincap.io/api-docs.json

A key is a must. All figures are text with sixteen decimals or more. Calls are paid for in credits
of a month, one and another for every 2.5 kB of the answer.
"""

from __future__ import annotations

from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Coin
from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, EARLIEST, HOUR_S, MINUTE_S
from providers.sandbox.wire import (
    KEY_PREFIX,
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

# Where its id is not the coin's name.
KNOWN = {"BNB": "binance-coin", "USDC": "usd-coin"}
MOST_ROWS = 2000
PER_MINUTE, CREDITS = 600, 2500
ROWS_A_CREDIT = 6
# Interval: seconds, and how many days an answer holds without a start.
INTERVALS = {
    "m1": (60, 1), "m5": (300, 5), "m15": (900, 7), "m30": (1800, 14), "h1": (HOUR_S, 30),
    "h2": (2 * HOUR_S, 61), "h6": (6 * HOUR_S, 183), "h12": (12 * HOUR_S, 365), "d1": (DAY_S, 4015),
}  # fmt: skip
MESSAGES = {
    401: "Unauthorized: no API key was sent",
    402: "Payment Required: out of credits",
    403: "Forbidden: the API key is not valid",
    404: "not found",
    429: "You exceeded your 600 request(s) rate limit",
}


class CoinCap(Host):
    names: ClassVar = ("rest.coincap.io",)

    @route("/v3/assets")
    def assets(self, request: Request) -> Any:
        ids, asked = request.list("ids"), request.params.get("search", "").lower()
        limit, offset = (self._whole(request, *f) for f in (("limit", 100), ("offset", 0)))
        if limit > MOST_ROWS:
            raise self._wrong(f"limit exceeds {MOST_ROWS}")
        found = [
            coin
            for coin in self.market.ranked(int(request.now // MINUTE_S))
            if (not ids or _id(coin) in ids)
            and (not asked or asked in (coin.symbol.lower(), coin.name.lower(), _id(coin)))
        ]
        rows = [self._row(coin, request.now) for coin in found[offset : offset + limit]]
        return _answer(rows, request.now)

    @route("/v3/assets/{name}")
    def asset(self, request: Request, name: str) -> Any:
        return _answer(self._row(self._coin(name), request.now), request.now)

    @route("/v3/assets/{name}/history")
    def history(self, request: Request, name: str) -> Any:
        coin = self._coin(name)
        interval, days = INTERVALS.get(request.params.get("interval", ""), (0, 0))
        if not interval:
            raise self._wrong("interval must be one of " + ", ".join(INTERVALS))
        start, end = (self._moment(request, field) for field in ("start", "end"))
        if (start is None) != (end is None):
            raise self._wrong("start and end must be given together")
        last = request.now if end is None else min(end, request.now)
        first = max(EARLIEST, last - days * DAY_S if start is None else start)
        if last < first:
            raise self._wrong("start must not be after end")
        window = candles.window(interval, last, limit=1 << 20, start=first)
        return _answer([self._point(coin, moment) for moment, _ in window], request.now)

    @route("/v3/price/bysymbol/{symbol}")
    def price(self, request: Request, symbol: str) -> Any:
        coin = self.market.by_symbol.get(symbol.lower())
        if coin is None:
            raise Refusal(self.failure(404))
        return _answer([_text(self._price(coin, request.now))], request.now)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return json_reply({"error": MESSAGES.get(status, "Internal Server Error")}, status)

    def throttled(self, request: Request, wait: float) -> Reply:
        return self.failure(402 if wait > MINUTE_S else 429)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        words = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        key = words or request.params.get("apiKey", "")
        if not key.startswith(KEY_PREFIX):
            raise Refusal(self.failure(403 if key else 401))
        rows = whole(request.params.get("limit", "100")) or 1
        listed = request.path.rstrip("/").endswith("/assets") and "ids" not in request.params
        credits = 1 + (rows // ROWS_A_CREDIT if listed else 0)
        return (
            Budget(f"coincap {key}", PER_MINUTE, MINUTE_S),
            Budget(f"coincap {key}", CREDITS, 30 * DAY_S, credits),
        )

    def _row(self, coin: Coin, now: float) -> dict[str, str | None]:
        price, site = self._price(coin, now), f"https://{coin.slug}.example/explorer"
        volume = self.market.volume(coin, now)
        return {
            "id": _id(coin),
            "rank": str(self.market.rank(coin, now)),
            "symbol": coin.symbol,
            "name": coin.name,
            "supply": _text(coin.supply),
            "maxSupply": _text(21_000_000) if coin.order == 1 else None,
            "marketCapUsd": _text(coin.supply * price),
            "volumeUsd24Hr": _text(volume),
            "priceUsd": _text(price),
            "changePercent24Hr": _text(self.market.change(coin, now, DAY_S)),
            "vwap24Hr": _text(volume / self.market.courses[coin.id].volume(now)),
            "explorer": site if coin.order % 7 else None,
        }

    def _point(self, coin: Coin, moment: float) -> dict[str, Any]:
        price = _text(self._price(coin, moment))
        return {"priceUsd": price, "time": int(moment * 1000), "date": iso(moment, 3)}

    def _price(self, coin: Coin, moment: float) -> float:
        return self.market.price(coin, moment, "usd", "coincap")

    def _coin(self, name: str) -> Coin:
        for coin in self.market.coins:
            if _id(coin) == name:
                return coin
        raise self.refuse({"error": f"{name} not found"}, 404)

    def _whole(self, request: Request, name: str, default: int) -> int:
        value = whole(request.params.get(name) or str(default))
        if value is None or value < 0:
            raise self._wrong(f"{name} must be a whole number")
        return value

    def _moment(self, request: Request, name: str) -> float | None:
        return self._whole(request, name, 0) / 1000 if request.params.get(name) else None

    def _wrong(self, text: str) -> Refusal:
        return self.refuse({"error": text}, 400)


def _id(coin: Coin) -> str:
    return coin.called("coincap") or KNOWN.get(coin.symbol) or coin.slug


def _text(value: float) -> str:
    return fixed(value, 16)


def _answer(data: Any, now: float) -> dict[str, Any]:
    return {"timestamp": int(now * 1000), "data": data}
