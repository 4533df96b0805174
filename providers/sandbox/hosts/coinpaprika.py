"""
CoinPaprika, free plan: https://api.coinpaprika.com/

Numbers are numbers, times ISO 8601, errors `{"error": text}`. What the plan does not include is a
402: OHLCV older than a day, daily prices older than a year, hourly ones older than a day.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from providers.sandbox.coins import Coin
from providers.sandbox.hosts.decoys import decoys
from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, HOUR_S, MINUTE_S
from providers.sandbox.wire import (
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

ETHEREUM = "eth-ethereum"
REFRESH_S = 5 * MINUTE_S  # the free plan's data moves this often
YEAR_S = 365 * DAY_S
GRACE_S = MINUTE_S  # clocks differ
QUOTES = (
    "USD", "BTC", "ETH", "EUR", "PLN", "KRW", "GBP", "CAD", "JPY", "TRY", "NZD", "AUD", "CHF",
    "HKD", "SGD", "PHP", "MXN", "BRL", "THB", "CNY", "CZK", "HUF", "IDR", "ILS", "INR", "NOK",
    "SEK", "TWD", "UAH", "ZAR", "VND", "DKK", "ARS",
)  # fmt: skip
STEPS = {
    "5m": 300, "10m": 600, "15m": 900, "30m": 1800, "45m": 2700, "1h": HOUR_S, "2h": 2 * HOUR_S,
    "3h": 3 * HOUR_S, "6h": 6 * HOUR_S, "12h": 12 * HOUR_S, "24h": DAY_S, "1d": DAY_S,
    "7d": 7 * DAY_S, "14d": 14 * DAY_S, "30d": 30 * DAY_S, "90d": 90 * DAY_S, "365d": YEAR_S,
}  # fmt: skip
WINDOWS = {
    "15m": 900, "30m": 1800, "1h": HOUR_S, "6h": 6 * HOUR_S, "12h": 12 * HOUR_S, "24h": DAY_S,
    "7d": 7 * DAY_S, "30d": 30 * DAY_S, "1y": YEAR_S,
}  # fmt: skip
MESSAGES = {
    402: "payment required",
    403: "invalid api key",
    404: "id not found",
    429: "you have reached maximum request limit",
    500: "internal server error",
}


class CoinPaprika(Host):
    names: ClassVar = ("api.coinpaprika.com",)

    @route("/v1/global")
    def totals(self, request: Request) -> Any:
        now = _refreshed(request.now)
        cap, before = (
            sum(self.market.cap(coin, at) for coin in self.market.coins)
            for at in (now, now - DAY_S)
        )
        volume, earlier = (
            sum(self.market.volume(coin, at) for coin in self.market.coins)
            for at in (now, now - DAY_S)
        )
        bitcoin = self.market.by_symbol["btc"]
        return {
            "market_cap_usd": round(cap),
            "volume_24h_usd": round(volume),
            "bitcoin_dominance_percentage": round(self.market.cap(bitcoin, now) / cap * 100, 2),
            "cryptocurrencies_number": len(self.market.coins),
            "market_cap_ath_value": round(cap * 1.6),
            "market_cap_ath_date": "2025-10-06T18:55:00Z",
            "volume_24h_ath_value": round(volume * 9),
            "volume_24h_ath_date": "2021-05-19T13:05:00Z",
            "market_cap_change_24h": round((cap / before - 1) * 100, 2),
            "volume_24h_change_24h": round((volume / earlier - 1) * 100, 2),
            "last_updated": int(now),
        }

    @route("/v1/coins")
    def coins(self, request: Request) -> Any:
        listed = [self._listed(coin, request.now) for coin in self._ranked(request.now)]
        dead = [
            {"id": f"{d.symbol.lower()}-{d.id}", "name": d.name, "symbol": d.symbol, "rank": 0,
             "is_new": False, "is_active": False, "type": "token"}
            for d in decoys(self.market.coins)
        ]  # fmt: skip
        return listed + dead

    @route("/v1/coins/{name}")
    def coin(self, request: Request, name: str) -> Any:
        coin = self._coin(name)
        listed = self._listed(coin, request.now)
        return {**listed, **_described(coin), "last_data_at": iso(_refreshed(request.now))}

    @route("/v1/tickers")
    def tickers(self, request: Request) -> Any:
        quotes = self._quotes(request)
        return [self._ticker(c, request.now, quotes) for c in self._ranked(request.now)]

    @route("/v1/tickers/{name}")
    def ticker(self, request: Request, name: str) -> Any:
        return self._ticker(self._coin(name), request.now, self._quotes(request))

    @route("/v1/tickers/{name}/historical")
    def history(self, request: Request, name: str) -> Any:
        coin = self._coin(name)
        word = request.params.get("interval", "5m")
        step = self._step(word)
        limit = self._whole(request, "limit", 1000, 5000)
        quote = self._quote(request)
        start, end = self._span(request)
        if step < HOUR_S:
            raise self._beyond(f"{word} historical", request.now)
        kind, reach = ("daily", YEAR_S) if step >= DAY_S else ("hourly", DAY_S)
        if start < request.now - reach - GRACE_S:
            raise self._beyond(f"{kind} historical", request.now - reach)
        first = int(-(-start // step) * step)
        moments = range(first, int(min(end, _refreshed(request.now))), step)
        return [self._point(coin, moment, quote) for moment in moments][:limit]

    @route("/v1/coins/{name}/ohlcv/latest")
    def latest(self, request: Request, name: str) -> Any:
        midnight = int(request.now // DAY_S) * DAY_S
        return [self._bar(self._coin(name), midnight - DAY_S, request)]

    @route("/v1/coins/{name}/ohlcv/today")
    def today(self, request: Request, name: str) -> Any:
        return [self._bar(self._coin(name), int(request.now // DAY_S) * DAY_S, request)]

    @route("/v1/coins/{name}/ohlcv/historical")
    def ohlcv(self, request: Request, name: str) -> Any:
        coin = self._coin(name)
        step = self._step(request.params.get("interval", "24h"))
        limit = self._whole(request, "limit", 1, 366)
        start, end = self._span(request)
        if step != DAY_S or start < request.now - DAY_S - GRACE_S:
            raise self._beyond("historical OHLCV", request.now - DAY_S)
        first = int(-(-start // DAY_S) * DAY_S)
        days = range(first, int(min(end, request.now)), DAY_S)
        return [self._bar(coin, day, request) for day in days][:limit]

    @route("/v1/search")
    def search(self, request: Request) -> Any:
        asked = request.params.get("q", "").lower()
        limit = self._whole(request, "limit", 6, 250)
        if not asked:
            raise self._wrong("query parameter q is required")
        by_symbol = request.params.get("modifier") == "symbol_search"
        found = [
            self._listed(coin, request.now)
            for coin in self._ranked(request.now)
            if (coin.symbol.lower() == asked if by_symbol else _mentions(coin, asked))
        ]
        kinds = request.list("c") or ["currencies", "exchanges", "icos", "people", "tags"]
        return {kind: found[:limit] if kind == "currencies" else [] for kind in kinds}

    @route("/v1/key/info")
    def key_info(self, request: Request) -> Any:
        return self.failure(403)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return json_reply({"error": MESSAGES.get(status, "something went wrong")}, status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        return (Budget("coinpaprika", 10, 1), Budget("coinpaprika", 20_000, 30 * DAY_S))

    def _ranked(self, now: float) -> tuple[Coin, ...]:
        return self.market.ranked(int(_refreshed(now) // MINUTE_S))

    def _coin(self, name: str) -> Coin:
        for coin in self.market.coins:
            if coin.coinpaprika == name:
                return coin
        raise Refusal(self.failure(404))

    def _listed(self, coin: Coin, now: float) -> dict[str, Any]:
        return {
            "id": coin.coinpaprika,
            "name": coin.name,
            "symbol": coin.symbol,
            "rank": self.market.rank(coin, _refreshed(now)),
            "is_new": False,
            "is_active": True,
            "type": "token" if coin.contract else "coin",
        }

    def _ticker(self, coin: Coin, now: float, quotes: list[str]) -> dict[str, Any]:
        at = _refreshed(now)
        return {
            "id": coin.coinpaprika,
            "name": coin.name,
            "symbol": coin.symbol,
            "rank": self.market.rank(coin, at),
            "total_supply": int(coin.supply),
            "max_supply": 21_000_000 if coin.order == 1 else 0,
            "beta_value": 1 if coin.stable else round(0.7 + coin.order / 200, 6),
            "first_data_at": "2017-08-17T00:00:00Z",
            "last_updated": iso(at),
            "quotes": {quote: self._quoted(coin, at, quote.lower()) for quote in quotes},
        }

    def _quoted(self, coin: Coin, at: float, quote: str) -> dict[str, Any]:
        price = self.market.price(coin, at, quote, "coinpaprika")
        peak = self.market.courses[coin.id].ceiling / self.market.rate(quote, at)
        changes: dict[str, Any] = {
            f"percent_change_{name}": round(self.market.change(coin, at, seconds, quote), 2)
            for name, seconds in WINDOWS.items()
        }
        if coin is self.market.coins[-1]:
            # A missing figure sometimes arrives as empty text.
            changes["percent_change_1y"] = ""
        before = self.market.volume(coin, at - DAY_S, quote)
        volume = self.market.volume(coin, at, quote)
        return {
            "price": price,
            "volume_24h": volume,
            "volume_24h_change_24h": round((volume / before - 1) * 100, 2),
            "market_cap": round(coin.supply * price),
            "market_cap_change_24h": changes["percent_change_24h"],
            **changes,
            "ath_price": number(peak, 8),
            "ath_date": f"{2021 + coin.order % 5}-05-10T12:34:00Z",
            "percent_from_price_ath": round((price / peak - 1) * 100, 2),
        }

    def _point(self, coin: Coin, moment: float, quote: str) -> dict[str, Any]:
        price = self.market.price(coin, moment, quote, "coinpaprika")
        return {
            "timestamp": iso(moment),
            "price": number(price, 8 if price < 1 else 2),
            "volume_24h": round(self.market.volume(coin, moment, quote)),
            "market_cap": round(coin.supply * price),
        }

    def _bar(self, coin: Coin, day: int, request: Request) -> dict[str, Any]:
        quote, end = self._quote(request), min(day + DAY_S, request.now)
        bar = self.market.bar(coin, day, end, quote, "coinpaprika")
        closing = day + DAY_S - 1 if end == day + DAY_S else _refreshed(end)
        return {
            "time_open": iso(day),
            "time_close": iso(closing),
            **{name: getattr(bar, name) for name in ("open", "high", "low", "close")},
            "volume": round(bar.volume * bar.close),
            "market_cap": round(coin.supply * bar.close),
        }

    def _quotes(self, request: Request) -> list[str]:
        quotes = [word.upper() for word in request.list("quotes")] or ["USD"]
        if set(quotes) - set(QUOTES):
            raise self._wrong("invalid parameters")
        return quotes

    def _quote(self, request: Request) -> str:
        quote = request.params.get("quote", "usd").lower()
        if quote not in ("usd", "btc"):
            raise self._wrong("invalid parameters")
        return quote

    def _step(self, word: str) -> int:
        if word not in STEPS:
            raise self._wrong("invalid interval")
        return STEPS[word]

    def _span(self, request: Request) -> tuple[float, float]:
        """`start`, which must be given, and `end`, which is not part of the answer."""
        start = moment_of(request.params.get("start", ""))
        end = moment_of(request.params.get("end", str(int(request.now))))
        if start is None or end is None or end < start:
            raise self._wrong("invalid parameters")
        return start, end

    def _whole(self, request: Request, name: str, default: int, most: int) -> int:
        value = whole(request.params.get(name, str(default)))
        if value is None or not 1 <= value <= most:
            raise self._wrong("invalid parameters")
        return value

    def _beyond(self, what: str, before: float) -> Refusal:
        moment = datetime.fromtimestamp(before, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        text = (
            f"Getting {what} data before {moment} +0000 UTC is not allowed in this plan. "
            "Check plans on coinpaprika.com/api"
        )
        return self.refuse({"error": text}, 402)

    def _wrong(self, text: str) -> Refusal:
        return self.refuse({"error": text}, 400)


def _refreshed(now: float) -> float:
    return now - now % REFRESH_S


def _described(coin: Coin) -> dict[str, Any]:
    """What there is to know about a coin; a token says where it lives as well."""
    site = f"https://{coin.slug}.example"
    tag = {"id": "cryptocurrency", "name": "Cryptocurrency", "coin_counter": 100, "ico_counter": 0}
    document = {
        "logo": f"https://static.coinpaprika.com/coin/{coin.coinpaprika}/logo.png",
        "tags": [tag],
        "team": [{"id": "some-one", "name": "Some One", "position": "Founder"}],
        "description": f"{coin.name} is one of the coins of the sandbox.",
        "message": "",
        "open_source": True,
        "hardware_wallet": True,
        "started_at": "2009-01-03T00:00:00Z" if coin.order == 1 else None,
        "development_status": "Working product",
        "proof_type": "Proof of Work" if coin.order == 1 else "Proof of Stake",
        "org_structure": "Decentralized",
        "hash_algorithm": "SHA256" if coin.order == 1 else "",
        "whitepaper": {"link": f"{site}/paper.pdf", "thumbnail": f"{site}/paper.jpg"},
        "first_data_at": "2017-08-17T00:00:00Z",
        **_links(site, f"https://github.com/{coin.slug}/{coin.slug}"),
    }
    return {**document, **_home(coin)} if coin.contract else document


def _links(site: str, code: str) -> dict[str, Any]:
    return {
        "links": {"explorer": [f"{site}/explorer"], "source_code": [code], "website": [site]},
        "links_extended": [
            {"url": site, "type": "website"},
            {"url": code, "type": "source_code", "stats": {"contributors": 9, "stars": 90}},
        ],
    }


def _home(token: Coin) -> dict[str, Any]:
    return {
        "parent": {"id": ETHEREUM, "name": "Ethereum", "symbol": "ETH"},
        "contract": token.contract,
        "platform": ETHEREUM,
        "contracts": [{"contract": token.contract, "platform": ETHEREUM, "type": "ERC20"}],
    }


def _mentions(coin: Coin, asked: str) -> bool:
    return any(asked in word for word in (coin.name.lower(), coin.symbol.lower()))
