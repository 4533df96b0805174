"""
CoinMarketCap: https://coinmarketcap.com/api/documentation/v1/

Every answer has a `status` with an `error_code` of its own. Some paths answer without a key below
/public-api, where the error code is text. Version 2 of the quotes has a list for each symbol, as
symbols are not unique; version 3 is one list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

from providers.sandbox.coins import Coin
from providers.sandbox.hosts.alternative_me import class_of, index_of
from providers.sandbox.limits import Budget, Meter, Usage
from providers.sandbox.market import DAY_S, HOUR_S, MINUTE_S, Market
from providers.sandbox.wire import (
    KEY_PREFIX,
    Host,
    Refusal,
    Reply,
    Request,
    iso,
    json_reply,
    route,
    whole,
)

# These ids are documented; the others are invented.
KNOWN = {"BTC": 1, "LTC": 2, "XRP": 52, "ETH": 1027}
KEYLESS = ("/public-api", "/trial-pro-api")
KEYLESS_PATHS = ("/listings/latest", "/quotes/latest", "/map")
PAID = ("/historical", "/trending/", "/market-pairs/", "/price-performance-stats/", "/ohlcv/")
PER_MINUTE, A_MONTH = 30, 10_000
MOST_ROWS, ROWS_A_CREDIT, MOST_DAYS = 5000, 200, 500
FIRST_DAY = 19_536  # of its fear and greed, 2023-06-29, in days since 1970
ETHER = {"id": "1027", "name": "Ethereum", "symbol": "ETH", "slug": "ethereum"}
WINDOWS = {
    "1h": HOUR_S, "24h": DAY_S, "7d": 7 * DAY_S, "30d": 30 * DAY_S, "60d": 60 * DAY_S,
    "90d": 90 * DAY_S,
}  # fmt: skip
SORTS = ("market_cap", "name", "symbol", "price", "volume_24h", "percent_change_24h", "cmc_rank")
ERRORS = {
    401: (1001, "This API Key is invalid."),
    402: (1003, "Your API Key must be activated. Please go to pro.coinmarketcap.com/account/plan."),
    403: (1006, "Your API Key subscription plan doesn't support this endpoint."),
    404: (404, "Not Found"),
    429: (1008, "You've exceeded your API Key's HTTP request rate limit. Rate limits reset every "
          "minute."),
}  # fmt: skip
MISSING = (1002, "API key missing.")
SPENT = (1010, "You've exceeded your API Key's monthly rate limit.")


class CoinMarketCap(Host):
    names: ClassVar = ("pro-api.coinmarketcap.com",)

    def __init__(self, market: Market, meter: Meter | None = None) -> None:
        super().__init__(market, meter)
        self._total: Callable[[float], float] = lru_cache(8)(self._summed)

    @route("/v1/cryptocurrency/listings/latest")
    def listings(self, request: Request) -> Any:
        start, limit = (self._whole(request, *field) for field in (("start", 1), ("limit", 100)))
        if request.params.get("sort", "market_cap") not in SORTS:
            raise self._wrong(f'"sort" must be one of [{", ".join(SORTS)}]')
        if limit > MOST_ROWS:
            raise self._wrong(f'"limit" must be less than or equal to {MOST_ROWS}')
        quote, at = self._quote(request), _refreshed(request.now)
        ranked = self._sorted(request, at)[start - 1 : start - 1 + limit]
        rows = [self._row(coin, at, quote) for coin in ranked]
        credits = max(1, -(-len(rows) // ROWS_A_CREDIT))
        status = {**_status(request.now, credits), "total_count": len(self.market.coins)}
        return {"status": status, "data": rows}

    @route("/v1/cryptocurrency/quotes/latest")
    def quotes_v1(self, request: Request) -> Any:
        found = {key: rows[0] for key, rows in self._quoted(request).items() if rows}
        return {"status": _status(request.now), "data": found}

    @route("/v2/cryptocurrency/quotes/latest")
    def quotes_v2(self, request: Request) -> Any:
        by_symbol = "symbol" in request.params
        found = self._quoted(request)
        data = {key: rows if by_symbol else rows[0] for key, rows in found.items()}
        return {"status": _status(request.now), "data": data}

    @route("/v3/cryptocurrency/quotes/latest")
    def quotes_v3(self, request: Request) -> Any:
        rows = [row for rows in self._quoted(request).values() for row in rows]
        return {"status": _status(request.now), "data": rows}

    @route("/v1/cryptocurrency/map")
    def map(self, request: Request) -> Any:
        symbols = [word.upper() for word in request.list("symbol")]
        at = _refreshed(request.now)
        rows = [
            {
                "id": _id(coin),
                "rank": self.market.rank(coin, at),
                "name": coin.name,
                "symbol": coin.symbol,
                "slug": coin.slug,
                "is_active": 1,
                "first_historical_data": "2017-08-17T00:00:00.000Z",
                "last_historical_data": iso(at, 3),
                "platform": _platform(coin),
            }
            for coin in self.market.coins
            if not symbols or coin.symbol in symbols
        ]
        if symbols and not rows:
            raise self._wrong(f'Invalid value for "symbol": "{",".join(symbols)}"')
        return {"status": _status(request.now), "data": rows}

    @route("/v1/global-metrics/quotes/latest")
    def global_metrics(self, request: Request) -> Any:
        quote, at = self._quote(request), _refreshed(request.now)
        total, before = self._total(at), self._total(at - DAY_S)
        bitcoin, ether = (self._dominance(self.market.by_symbol[c], at) for c in ("btc", "eth"))
        rate = self.market.rate(quote.lower(), at)
        volume = sum(self.market.volume(coin, at) for coin in self.market.coins)
        row = {
            "total_market_cap": total / rate,
            "total_volume_24h": volume / rate,
            "total_volume_24h_reported": volume * 1.1 / rate,
            "altcoin_volume_24h": volume * 0.6 / rate,
            "altcoin_market_cap": total * (1 - bitcoin / 100) / rate,
            "total_market_cap_yesterday": before / rate,
            "total_market_cap_yesterday_percentage_change": (total / before - 1) * 100,
            "last_updated": iso(at, 3),
        }
        document = {
            "active_cryptocurrencies": 9_900 + len(self.market.coins),
            "total_cryptocurrencies": 36_000,
            "active_market_pairs": 110_000,
            "active_exchanges": 850,
            "total_exchanges": 9_500,
            "eth_dominance": ether,
            "btc_dominance": bitcoin,
            "quote": {quote: row},
            "last_updated": iso(at, 3),
        }
        return {"status": _status(request.now), "data": document}

    @route("/v2/cryptocurrency/info")
    def info(self, request: Request) -> Any:
        found = self._named(request)
        by_symbol = "symbol" in request.params
        about = {key: [_about(coin) for coin in coins] for key, coins in found.items()}
        data = {key: rows if by_symbol else rows[0] for key, rows in about.items()}
        return {"status": _status(request.now), "data": data}

    @route("/v3/fear-and-greed/historical")
    def fear_and_greed(self, request: Request) -> Any:
        start, limit = (self._whole(request, *field) for field in (("start", 1), ("limit", 50)))
        if limit > MOST_DAYS:
            raise self._wrong(f'"limit" must be less than or equal to {MOST_DAYS}')
        today = int(request.now // DAY_S)
        rows = [
            {
                "timestamp": str(day * int(DAY_S)),
                "value": (value := index_of(self.market.seed, day)),
                "value_classification": _mood(value),
            }
            for day in range(today - start + 1, max(today - start + 1 - limit, FIRST_DAY), -1)
        ]
        # This path alone tells its code as text, and "" where others have null.
        status = {**_status(request.now), "error_code": "0", "error_message": ""}
        return {"status": status, "data": rows}

    @route("/v1/key/info")
    def key_info(self, request: Request) -> Any:
        used = {"credits_used": 4, "credits_left": A_MONTH - 4}
        minute = {"requests_made": 1, "requests_left": PER_MINUTE - 1}
        plan = {
            "credit_limit_monthly": A_MONTH,
            "credit_limit_monthly_reset": "In 12 days, 3 hours and 4 minutes",
            "credit_limit_monthly_reset_timestamp": iso(request.now + 12 * DAY_S, 3),
            "rate_limit_minute": PER_MINUTE,
        }
        usage = {"current_minute": minute, "current_day": {"credits_used": 4}}
        data = {"plan": plan, "usage": {**usage, "current_month": used}}
        return {"status": _status(request.now, 0), "data": data}

    def serve(self, request: Request) -> Reply:
        if any(part in request.path for part in PAID) and "fear-and-greed" not in request.path:
            return self.failure(403)
        return super().serve(replace(request, path=request.path.removeprefix(_keyless(request))))

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return self._said(status, *ERRORS.get(status, (500, "An internal server error occurred")))

    def throttled(self, request: Request, wait: float) -> Reply:
        return self._said(429, *SPENT) if wait > MINUTE_S else self.failure(429)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        key = request.headers.get("x-cmc_pro_api_key") or request.params.get("CMC_PRO_API_KEY", "")
        if _keyless(request):
            if not request.path.rstrip("/").endswith(KEYLESS_PATHS):
                raise Refusal(self.failure(404))
        elif not key.startswith(KEY_PREFIX):
            raise Refusal(self.failure(401) if key else self._said(401, *MISSING))
        rows = whole(request.params.get("limit", "100")) or 1
        scope = f"coinmarketcap {key}"
        cost = max(1, -(-rows // ROWS_A_CREDIT))
        return (Budget(scope, PER_MINUTE, MINUTE_S), Budget(scope, A_MONTH, 30 * DAY_S, cost))

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if _keyless(request):
            reply.body = reply.body.replace(b'"error_code":0', b'"error_code":"0"', 1)
        return reply

    def _quoted(self, request: Request) -> dict[str, list[dict[str, Any]]]:
        """Rows by what was asked for: ids, slugs or symbols."""
        quote, at = self._quote(request), _refreshed(request.now)
        found = self._named(request).items()
        return {key: [self._row(coin, at, quote) for coin in coins] for key, coins in found}

    def _named(self, request: Request) -> dict[str, list[Coin]]:
        """The coins by what was asked for: ids, slugs or symbols."""
        names: dict[str, Callable[[Coin], str]] = {
            "id": lambda coin: str(_id(coin)),
            "slug": lambda coin: coin.slug,
            "symbol": lambda coin: coin.symbol,
        }
        field = next((name for name in names if request.params.get(name)), None)
        if field is None:
            raise self._wrong('"value" must contain at least one of [id, symbol, slug]')
        asked = [word.upper() if field == "symbol" else word for word in request.list(field)]
        found: dict[str, list[Coin]] = {}
        for word in asked:
            coins = [coin for coin in self.market.coins if names[field](coin) == word]
            if not coins and field != "symbol":
                raise self._wrong(f'Invalid value for "{field}": "{word}"')
            key = str(_id(coins[0])) if field == "slug" else word
            found[key] = coins
        return found

    def _row(self, coin: Coin, at: float, quote: str) -> dict[str, Any]:
        supply = int(coin.supply)
        return {
            "id": _id(coin),
            "name": coin.name,
            "symbol": coin.symbol,
            "slug": coin.slug,
            "num_market_pairs": 12_000 // coin.order,
            "date_added": "2017-08-17T00:00:00.000Z",
            "tags": ["mineable"] if coin.order == 1 else [],
            "max_supply": 21_000_000 if coin.order == 1 else None,
            "circulating_supply": supply,
            "total_supply": supply,
            "infinite_supply": coin.order != 1,
            "platform": _platform(coin),
            "cmc_rank": self.market.rank(coin, at),
            "self_reported_circulating_supply": None,
            "self_reported_market_cap": None,
            "tvl_ratio": None,
            "last_updated": iso(at, 3),
            "quote": {quote: self._figures(coin, at, quote.lower())},
        }

    def _figures(self, coin: Coin, at: float, quote: str) -> dict[str, Any]:
        price = self.market.price(coin, at, quote, "coinmarketcap")
        volume, before = (self.market.volume(coin, m, quote) for m in (at, at - DAY_S))
        changes = {
            f"percent_change_{name}": round(self.market.change(coin, at, span, quote), 8)
            for name, span in WINDOWS.items()
        }
        return {
            "price": price,
            "volume_24h": volume,
            "volume_change_24h": round((volume / before - 1) * 100, 4),
            **changes,
            "market_cap": coin.supply * price,
            "market_cap_dominance": round(self._dominance(coin, at), 4),
            "fully_diluted_market_cap": round(coin.supply * price * 1.05, 2),
            "tvl": None,
            "last_updated": iso(at, 3),
        }

    def _dominance(self, coin: Coin, at: float) -> float:
        """In percent of all capitalisation."""
        return self.market.cap(coin, at) / self._total(at) * 100

    def _summed(self, at: float) -> float:
        return sum(self.market.cap(coin, at) for coin in self.market.coins)

    def _sorted(self, request: Request, at: float) -> list[Coin]:
        ranked = list(self.market.ranked(int(at // MINUTE_S)))
        sort, way = request.params.get("sort", "market_cap"), request.params.get("sort_dir")
        measures: dict[str, Any] = {
            "name": lambda coin: coin.name,
            "symbol": lambda coin: coin.symbol,
            "price": lambda coin: -self.market.price(coin, at),
            "volume_24h": lambda coin: -self.market.volume(coin, at),
            "percent_change_24h": lambda coin: -self.market.change(coin, at, DAY_S),
        }
        if sort in measures:
            ranked.sort(key=measures[sort])
        return ranked[::-1] if way == ("desc" if sort in ("name", "symbol") else "asc") else ranked

    def _quote(self, request: Request) -> str:
        quotes = [word.upper() for word in request.list("convert")] or ["USD"]
        if len(quotes) > 1:
            raise self._wrong("Your plan is limited to 1 convert options")
        if quotes[0].lower() not in self.market.currencies:
            raise self._wrong(f'Invalid value for "convert": "{quotes[0]}"')
        return quotes[0]

    def _whole(self, request: Request, name: str, default: int) -> int:
        value = whole(request.params.get(name) or str(default))
        if value is None or value < 1:
            raise self._wrong(f'"{name}" must be a positive number')
        return value

    def _said(self, status: int, code: int, text: str) -> Reply:
        said = {**_status(self.meter.clock(), 0), "error_code": code, "error_message": text}
        return json_reply({"status": said}, status)

    def _wrong(self, text: str) -> Refusal:
        return Refusal(self._said(400, 400, text))


def _keyless(request: Request) -> str:
    """The prefix that stands for a key, empty where there is none."""
    return next((prefix for prefix in KEYLESS if request.path.startswith(f"{prefix}/")), "")


def _status(now: float, credits: int = 1) -> dict[str, Any]:
    return {
        "timestamp": iso(now, 3),
        "error_code": 0,
        "error_message": None,
        "elapsed": 4,
        "credit_count": credits,
        "notice": None,
    }


def _refreshed(now: float) -> float:
    return now - now % MINUTE_S


def _id(coin: Coin) -> int:
    known = coin.called("coinmarketcap") or KNOWN.get(coin.symbol)
    return int(known) if known else 20_000 + 13 * coin.order


def _about(coin: Coin) -> dict[str, Any]:
    """What it says of a coin itself; all of it is invented here."""
    site = f"https://{coin.slug}.example/"
    contract = {"contract_address": coin.contract, "platform": {"name": "Ethereum", "coin": ETHER}}
    return {
        "id": _id(coin),
        "name": coin.name,
        "symbol": coin.symbol,
        "category": "token" if coin.contract else "coin",
        "description": f"{coin.name} ({coin.symbol}) is a coin of the sandbox.",
        "slug": coin.slug,
        "logo": f"https://s2.coinmarketcap.com/static/img/coins/64x64/{_id(coin)}.png",
        "subreddit": "",
        "notice": "",
        "tags": ["mineable"] if coin.order == 1 else None,
        "tag-names": ["Mineable"] if coin.order == 1 else None,
        "tag-groups": ["OTHERS"] if coin.order == 1 else None,
        "urls": {
            **dict.fromkeys(("twitter", "message_board", "chat", "facebook", "reddit"), []),
            **dict.fromkeys(("technical_doc", "source_code", "announcement"), []),
            "website": [site],
            "explorer": [f"{site}blocks"],
        },
        "platform": _platform(coin),
        "date_added": "2017-08-17T00:00:00.000Z",
        "twitter_username": "",
        "is_hidden": 0,
        "date_launched": None,
        "contract_address": [contract] if coin.contract else [],
        "self_reported_circulating_supply": None,
        "self_reported_tags": None,
        "infinite_supply": coin.order != 1,
    }


def _mood(index: int) -> str:
    """alternative.me's classes, of which only the first word has a capital here."""
    return class_of(index).capitalize()


def _platform(coin: Coin) -> dict[str, Any] | None:
    if not coin.contract:
        return None
    return {
        "id": KNOWN["ETH"],
        "name": "Ethereum",
        "symbol": "ETH",
        "slug": "ethereum",
        "token_address": coin.contract,
    }
