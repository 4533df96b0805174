"""
CoinGecko, public and pro: https://docs.coingecko.com/reference/introduction

The public host takes no key or a demo key, the pro host wants a pro key. Candles carry the time of
their close. A range beyond 365 days is a 401 on the public host that has nothing to do with keys.
"""

from __future__ import annotations

from hashlib import md5
from typing import Any, ClassVar

from providers.sandbox.coins import Coin
from providers.sandbox.hosts import coingecko_rows as rows
from providers.sandbox.hosts.decoys import decoys
from providers.sandbox.limits import Budget, Usage
from providers.sandbox.market import DAY_S, EARLIEST, HOUR_S, MINUTE_S, uniform
from providers.sandbox.wire import (
    KEY_PREFIX,
    Host,
    Refusal,
    Reply,
    Request,
    iso,
    json_reply,
    moment_of,
    number,
    route,
    whole,
)

REACH_DAYS = 365  # of history, without a paid plan
OHLC_STEPS = {
    1: HOUR_S // 2, 7: 4 * HOUR_S, 14: 4 * HOUR_S, 30: 4 * HOUR_S,
    90: 4 * DAY_S, 180: 4 * DAY_S, 365: 4 * DAY_S,
}  # fmt: skip
CHART_STEPS = ((1, 5 * MINUTE_S), (90, HOUR_S))  # up to so many days; beyond: daily
ORDERS = {
    "market_cap_desc": ("cap", -1), "market_cap_asc": ("cap", 1), "volume_desc": ("volume", -1),
    "volume_asc": ("volume", 1), "id_desc": ("id", -1), "id_asc": ("id", 1),
}  # fmt: skip
MOST_ROWS = 250
PER_MINUTE = {"nobody": 30, "demo": 100, "pro": 500}
CACHE_S = {"/api/v3/global": 600, "/api/v3/simple/price": 60, "/api/v3/search": 900}
PLAIN = {403: "Your plan does not have access to this endpoint.", 404: "coin not found"}
THROTTLED = (
    "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing "
    "to subscribe to our API plans for higher rate limits."
)


class CoinGecko(Host):
    names: ClassVar = ("api.coingecko.com",)
    own_key: ClassVar = "demo"
    other_key: ClassVar = "pro"

    @route("/api/v3/ping")
    def ping(self, request: Request) -> Any:
        return {"gecko_says": "(V3) To the Moon!"}

    @route("/api/v3/simple/supported_vs_currencies")
    def currencies(self, request: Request) -> Any:
        return self.market.currencies

    @route("/api/v3/simple/price")
    def simple_price(self, request: Request) -> Any:
        at = request.now - request.now % MINUTE_S
        quotes = [word.lower() for word in request.list("vs_currencies")]
        if not quotes:
            raise self._missing("vs_currencies")
        if not any(request.params.get(name) for name in ("ids", "names", "symbols")):
            raise self._missing("ids")
        known = [quote for quote in quotes if quote in self.market.currencies]
        found = sorted(self._chosen(request), key=lambda coin: coin.coingecko)
        return {c.coingecko: rows.simple(self.market, c, at, known, request) for c in found}

    @route("/api/v3/coins/markets")
    def markets(self, request: Request) -> Any:
        at = request.now - request.now % MINUTE_S
        quote = self._currency(request)
        chosen = self._ordered(self._chosen(request, default=self.market.coins), request, at)
        size = min(self._whole(request, "per_page", 100), MOST_ROWS)
        first = (self._whole(request, "page", 1) - 1) * size
        page = chosen[first : first + size]
        return [rows.market_row(self.market, coin, at, quote, request) for coin in page]

    @route("/api/v3/coins/list")
    def coin_list(self, request: Request) -> Any:
        coins = [(coin.coingecko, coin.symbol, coin.name) for coin in self.market.coins]
        named = sorted([*coins, *decoys(self.market.coins)])
        chains = {c.coingecko: {"ethereum": c.contract} for c in self.market.coins if c.contract}
        with_platforms = request.flag("include_platform")
        return [
            {"id": key, "symbol": symbol.lower(), "name": name}
            | ({"platforms": chains.get(key, {})} if with_platforms else {})
            for key, symbol, name in named
        ]

    @route("/api/v3/coins/{name}")
    def coin(self, request: Request, name: str) -> Any:
        at = request.now - request.now % MINUTE_S
        return rows.coin_document(self.market, self._coin(name), at, request)

    @route("/api/v3/coins/{name}/history")
    def coin_history(self, request: Request, name: str) -> Any:
        coin = self._coin(name)
        day, month, year = (request.params.get("date", "").split("-") + ["", "", ""])[:3]
        at = moment_of(f"{year}-{month:0>2}-{day:0>2}")
        if at is None:
            raise self.refuse({"error": "invalid date"}, 400)
        self._within_reach(at, request.now)
        return rows.past_document(self.market, coin, at)

    @route("/api/v3/coins/{name}/ohlc")
    def ohlc(self, request: Request, name: str) -> Any:
        coin, quote = self._coin(name), self._currency(request)
        days = whole(request.params.get("days", ""))
        if "interval" in request.params:
            self._paid_only()
        if request.params.get("days") == "max" or (days or 0) > REACH_DAYS:
            self._within_reach(EARLIEST, request.now)
        if days not in OHLC_STEPS:
            raise self.refuse({"error": "Invalid days parameter"}, 422)
        step = OHLC_STEPS[days]
        newest = int(request.now // step) * step
        oldest = request.now - days * DAY_S
        closes = [newest - step * back for back in reversed(range(days * DAY_S // step + 1))]
        return [self._candle(coin, c, step, quote, request) for c in closes if c > oldest]

    @route("/api/v3/coins/{name}/market_chart")
    def market_chart(self, request: Request, name: str) -> Any:
        coin, quote = self._coin(name), self._currency(request)
        text = request.params.get("days", "")
        if not text:
            raise self._missing("days")
        days = (request.now - EARLIEST) / DAY_S if text == "max" else whole(text)
        if days is None or days < 1:
            raise self.refuse({"error": "Invalid days parameter"}, 422)
        start = max(request.now - days * DAY_S, EARLIEST)
        self._within_reach(start, request.now)
        return self._chart(coin, start, request.now, quote, request)

    @route("/api/v3/coins/{name}/market_chart/range")
    def market_chart_range(self, request: Request, name: str) -> Any:
        coin, quote = self._coin(name), self._currency(request)
        start, end = (moment_of(request.params.get(side, "")) for side in ("from", "to"))
        if start is None or end is None:
            raise self._missing("from" if start is None else "to")
        self._within_reach(start, request.now)
        return self._chart(coin, start, min(end, request.now), quote, request)

    @route("/api/v3/global")
    def totals(self, request: Request) -> Any:
        return rows.totals(self.market, request.now - request.now % CACHE_S["/api/v3/global"])

    @route("/api/v3/search")
    def search(self, request: Request) -> Any:
        asked = request.params.get("query", "").lower()
        return rows.search(self.market, asked, request.now)

    @route("/api/v3/search/trending")
    def trending(self, request: Request) -> Any:
        return rows.trending(self.market, request.now - request.now % 600)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        headers = {} if wait is None else {"retry_after": str(int(wait) + 1)}
        if status == 429:
            return json_reply(_status(429, THROTTLED), 429, **headers)
        if status == 401:
            return json_reply(_status(401, "Invalid API key"), 401)
        if status in PLAIN:
            return json_reply({"error": PLAIN[status]}, status)
        return json_reply(_status(status, "Service unavailable"), status, **headers)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        own, other = self._keys(request)
        if other:
            code, where = (10010, "pro-api") if self.other_key == "pro" else (10011, "api")
            text = (
                f"If you are using this key, please change your root URL to {where}.coingecko.com"
            )
            raise self.refuse(_status(code, text, iso(request.now, 3)), 400)
        if own and not own.startswith(KEY_PREFIX):
            raise Refusal(self.failure(401))
        tier = self.own_key if own else "nobody"
        return (Budget(f"coingecko {own}", PER_MINUTE[tier], 60),)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        seconds = CACHE_S.get(request.path.rstrip("/"), 60)
        reply.content_type = "application/json; charset=utf-8"
        if reply.status == 200:
            reply.headers |= {
                "cache-control": f"max-age=30, public, must-revalidate, s-maxage={seconds}",
                "etag": f'W/"{md5(reply.body, usedforsecurity=False).hexdigest()}"',
                "vary": "Accept-Encoding, Origin",
            }
            if request.headers.get("if-none-match") == reply.headers["etag"]:
                reply.status, reply.body = 304, b""
        return reply

    def _keys(self, request: Request) -> tuple[str, str]:
        """The key of this host's own kind, and one of the other kind."""
        own, other = (
            request.headers.get(f"x-cg-{kind}-api-key")
            or request.params.get(f"x_cg_{kind}_api_key", "")
            for kind in (self.own_key, self.other_key)
        )
        return own, other

    def _within_reach(self, moment: float, now: float) -> None:
        """A minute of grace: clocks differ."""
        if moment < now - REACH_DAYS * DAY_S - MINUTE_S:
            text = (
                "Your request exceeds the allowed time range. Public API users are limited to "
                f"querying historical data within the past {REACH_DAYS} days."
            )
            raise self.refuse({"error": _status(10012, text, iso(now, 3))}, 401)

    def _paid_only(self) -> None:
        raise self.refuse(_status(10005, "This request is limited to PRO API subscribers."), 401)

    def _chosen(self, request: Request, default: tuple[Coin, ...] = ()) -> list[Coin]:
        """By ids, or names, or symbols, in that order of precedence."""
        coins = self.market.coins
        if ids := request.list("ids"):
            return [coin for coin in coins if coin.coingecko in ids]
        if names := [name.lower() for name in request.list("names")]:
            return [coin for coin in coins if coin.name.lower() in names]
        if symbols := [symbol.upper() for symbol in request.list("symbols")]:
            return [coin for coin in coins if coin.symbol in symbols]
        return list(default)

    def _ordered(self, coins: list[Coin], request: Request, at: float) -> list[Coin]:
        order = request.params.get("order", "market_cap_desc")
        what, sign = ORDERS.get(order, ORDERS["market_cap_desc"])
        if what == "id":
            return sorted(coins, key=lambda coin: coin.coingecko, reverse=sign < 0)
        measure = self.market.cap if what == "cap" else self.market.volume
        return sorted(coins, key=lambda coin: sign * measure(coin, at))

    def _coin(self, name: str) -> Coin:
        for coin in self.market.coins:
            if coin.coingecko == name:
                return coin
        raise Refusal(self.failure(404))

    def _currency(self, request: Request) -> str:
        quote = request.params.get("vs_currency", "").lower()
        if not quote:
            raise self._missing("vs_currency")
        if quote not in self.market.currencies:
            raise self.refuse({"error": "invalid vs_currency"}, 422)
        return quote

    def _missing(self, name: str) -> Refusal:
        return self.refuse({"error": f"Missing parameter {name}"}, 422)

    def _whole(self, request: Request, name: str, default: int) -> int:
        return max(1, whole(request.params.get(name, "")) or default)

    def _candle(
        self, coin: Coin, close: int, step: int, quote: str, request: Request
    ) -> list[float | int]:
        bar = self.market.bar(coin, close - step, close, quote, rows.VENUE)
        return [close * 1000, *(rows.shown(value, request) for value in bar[:4])]

    def _chart(
        self, coin: Coin, start: float, end: float, quote: str, request: Request
    ) -> dict[str, list[list[float | int]]]:
        days = (end - start) / DAY_S
        step = next((s for most, s in CHART_STEPS if days <= most), DAY_S)
        if request.params.get("interval") == "daily":
            step = DAY_S
        elif "interval" in request.params:
            self._paid_only()
        moments = [
            moment + (_lateness(moment) if step < DAY_S else 0)
            for moment in range(int(-(-start // step)) * step, int(end), step)
        ]
        moments = [m for m in moments if m <= end] + [end]
        prices = [self.market.price(coin, m, quote, "coingecko") for m in moments]
        stamps = [int(m * 1000) for m in moments]
        return {
            "prices": [[m, p] for m, p in zip(stamps, prices, strict=True)],
            "market_caps": [[m, coin.supply * p] for m, p in zip(stamps, prices, strict=True)],
            "total_volumes": [
                [s, number(self.market.volume(coin, m, quote), 2)]
                for s, m in zip(stamps, moments, strict=True)
            ],
        }


class CoinGeckoPro(CoinGecko):
    names: ClassVar = ("pro-api.coingecko.com",)
    own_key: ClassVar = "pro"
    other_key: ClassVar = "demo"

    @route("/api/v3/key")
    def key(self, request: Request) -> Any:
        return {
            "plan": "Analyst",
            "rate_limit_request_per_minute": PER_MINUTE["pro"],
            "monthly_call_credit": 500_000,
            "current_total_monthly_calls": 104,
            "current_remaining_monthly_calls": 499_896,
        }

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        if not any(self._keys(request)):
            text = "API Key Missing. Please make sure you're using the right authentication method."
            raise self.refuse(_status(10002, text, iso(request.now, 3)), 401)
        return super().budgets(request)

    def _within_reach(self, moment: float, now: float) -> None:
        """A paid plan has all of it."""

    def _paid_only(self) -> None:
        """And may say what it wants."""


def _status(code: int, text: str, timestamp: str = "") -> dict[str, Any]:
    stamp = {"timestamp": timestamp.replace("Z", "+00:00")} if timestamp else {}
    return {"status": {**stamp, "error_code": code, "error_message": text}}


def _lateness(moment: int) -> float:
    """Samples are taken up to nine seconds late, as they come."""
    return uniform(moment, 9) * 9
