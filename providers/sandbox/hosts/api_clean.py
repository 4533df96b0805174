"""
"Crypto API Clean", a proxy before CoinGecko and alternative.me, kept on a host that falls asleep.

Facts from its repository, https://github.com/nimazasinich/crypto-dt-source. Times are now with a
`Z`, now without. A sleeping host answers with a page, sometimes as a 200.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from providers.sandbox.hosts import coingecko_rows
from providers.sandbox.hosts.alternative_me import class_of, index_of
from providers.sandbox.market import DAY_S, MINUTE_S
from providers.sandbox.wire import Host, Refusal, Reply, Request, json_reply, route, whole

MOST_ROWS, USUAL_ROWS = 250, 50
KEPT = (
    "id", "symbol", "name", "image", "current_price", "market_cap", "market_cap_rank",
    "total_volume", "high_24h", "low_24h", "price_change_24h", "price_change_percentage_24h",
    "circulating_supply", "ath", "ath_date", "last_updated",
)  # fmt: skip
CATEGORIES = {"rpc_nodes": 24, "market_data_apis": 33, "news_apis": 17, "sentiment_apis": 14}
# Timeframe: days.
TIMEFRAMES = {"1D": 1, "7D": 7, "30D": 30, "1Y": 365}
ASLEEP = (
    b"<!DOCTYPE html><html><head><title>Space is sleeping</title></head>"
    b"<body>Preparing Space</body></html>"
)


class FastApi(Host):
    """What a service says whose framework says it: `detail`, and of a wrong parameter where."""

    def failure(self, status: int, wait: float | None = None) -> Reply:
        texts = {404: "Not Found", 429: "Too Many Requests", 503: "Service temporarily unavailable"}
        return json_reply({"detail": texts.get(status, "Internal Server Error")}, status)

    def limit(self, request: Request, usual: int, most: int) -> int:
        """The parameter of that name."""
        text = request.params.get("limit", str(usual))
        value = whole(text)
        if value is None or not 1 <= value <= most:
            error = {
                "type": "int_parsing" if value is None else "less_than_equal",
                "loc": ["query", "limit"],
                "msg": f"Input should be an integer from 1 to {most}",
                "input": text,
            }
            raise self.refuse({"detail": [error]}, 422)
        return value


class CryptoApiClean(FastApi):
    names: ClassVar = (
        "really-amin-crypto-api-clean.hf.space",
        "really-amin-crypto-api-clean-fixed.hf.space",
    )

    @route("/health")
    def health(self, request: Request) -> Any:
        return {
            "status": "healthy",
            "timestamp": _naive(request.now),
            "resources_loaded": True,
            "total_categories": len(CATEGORIES),
            "websocket_connections": 0,
        }

    @route("/api/coins/top")
    def top(self, request: Request) -> Any:
        limit = self.limit(request, USUAL_ROWS, MOST_ROWS)
        at = request.now - request.now % MINUTE_S
        rows = [
            coingecko_rows.market_row(self.market, coin, at, "usd", Request("GET", "", ""))
            for coin in self.market.ranked(int(at // MINUTE_S))[:limit]
        ]
        coins = [{name: row[name] for name in KEPT} for row in rows]
        return {"coins": coins, "total": len(coins), "timestamp": _zulu(request.now)}

    @route("/api/trending")
    def trending(self, request: Request) -> Any:
        found = coingecko_rows.trending(self.market, request.now - request.now % 600)
        kept = ("id", "name", "symbol", "market_cap_rank", "thumb", "price_btc")
        coins = [{name: row["item"][name] for name in kept} for row in found["coins"]]
        return {"coins": coins, "total": len(coins), "timestamp": _naive(request.now)}

    @route("/api/market")
    def totals(self, request: Request) -> Any:
        data = coingecko_rows.totals(self.market, request.now - request.now % 600)["data"]
        shares = data["market_cap_percentage"]
        return {
            "total_market_cap": data["total_market_cap"]["usd"],
            "total_volume": data["total_volume"]["usd"],
            "market_cap_percentage": {name: shares[name] for name in ("btc", "eth")},
            "market_cap_change_percentage_24h": data["market_cap_change_percentage_24h_usd"],
            "active_cryptocurrencies": data["active_cryptocurrencies"],
            "markets": data["markets"],
            "timestamp": _zulu(request.now),
        }

    @route("/api/sentiment/global")
    def sentiment(self, request: Request) -> Any:
        days = TIMEFRAMES.get(request.params.get("timeframe", "1D"), 1)
        today = int(request.now // DAY_S)
        history = [
            {
                "timestamp": day * DAY_S * 1000,
                "sentiment": index_of(self.market.seed, day),
                "classification": class_of(index_of(self.market.seed, day)),
            }
            for day in range(today - days + 1, today + 1)
        ]
        value = index_of(self.market.seed, today)
        return {
            "fear_greed_index": value,
            "sentiment": class_of(value).lower().replace(" ", "_"),
            "market_mood": "bullish" if value > 54 else "bearish" if value < 46 else "neutral",
            "confidence": 0.85,
            "history": history,
            "timestamp": _naive(request.now),
            "source": "alternative.me",
        }

    @route("/api/sentiment/asset/{symbol}")
    def asset_sentiment(self, request: Request, symbol: str) -> Any:
        """A placeholder, the same for everyone."""
        figures = {"sentiment": "neutral", "score": 50, "confidence": 0.5}
        return {"symbol": symbol.upper(), **figures, "timestamp": _naive(request.now)}

    @route("/api/categories")
    def categories(self, request: Request) -> Any:
        return {"total": len(CATEGORIES), "categories": [*CATEGORIES]}

    @route("/api/resources/stats")
    def stats(self, request: Request) -> Any:
        return {
            "total_resources": sum(CATEGORIES.values()),
            "total_categories": len(CATEGORIES),
            "categories": CATEGORIES,
            "metadata": {"version": "1.0", "updated": "2025-12-08"},
        }

    @route("/api/resources/category/{name}")
    def resources(self, request: Request, name: str) -> Any:
        if name not in CATEGORIES:
            raise Refusal(self.failure(404))
        row = {
            "id": f"{name}_1",
            "name": "An example",
            "role": "primary",
            "base_url": "https://resource.example",
            "auth": {"type": "none", "param_name": None},
            "docs_url": "https://resource.example/docs",
            "endpoints": {},
            "notes": "",
        }
        return {"category": name, "total": 1, "resources": [row]}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status >= 500:
            return Reply(status, ASLEEP, "text/html; charset=utf-8")
        return super().failure(status, wait)


def _naive(now: float) -> str:
    return f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S.%f}"


def _zulu(now: float) -> str:
    return f"{_naive(now)}Z"
