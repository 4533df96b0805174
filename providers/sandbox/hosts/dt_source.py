"""
"Crypto DT Source", a proxy before CoinGecko, Binance, alternative.me and news feeds, on a host that
takes a minute to wake. Facts from https://github.com/nimazasinich/crypto-dt-source.

It reads `symbols`, `limit` and `timeframe`, and ignores what its own client sends instead (`ids`,
`vs_currencies`, `interval`): whoever asks by those gets the usual answer. Failures are a 503 with
`detail`, or a 200 with `"success": false`.
"""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Coin
from providers.sandbox.hosts.alternative_me import class_of, index_of
from providers.sandbox.hosts.api_clean import FastApi
from providers.sandbox.hosts.feeds import CoinDesk, Cointelegraph, Decrypt, Feed, TheBlock
from providers.sandbox.market import DAY_S, HOUR_S, MINUTE_S
from providers.sandbox.stories import BITCOIN_MAGAZINE
from providers.sandbox.wire import (
    Reply,
    Request,
    json_reply,
    number,
    route,
)

FRAMES = {
    "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": HOUR_S, "4h": 4 * HOUR_S, "1d": DAY_S,
    "1w": 7 * DAY_S,
}  # fmt: skip
USUAL_FRAME = "1h"
FEEDS: dict[str, type[Feed]] = {
    "coindesk": CoinDesk, "cointelegraph": Cointelegraph, "decrypt": Decrypt, "theblock": TheBlock,
}  # fmt: skip
FEED_URLS = {
    "coindesk": "https://www.coindesk.com/arc/outboundfeeds/rss/",
    "cointelegraph": "https://cointelegraph.com/rss",
    "bitcoinmagazine": "https://bitcoinmagazine.com/.rss/full/",
    "decrypt": "https://decrypt.co/feed",
    "theblock": "https://www.theblock.co/rss.xml",
}
LONGEST_SUMMARY = 500
MODELS = ("crypto_sent_0", "financial_sent_0")


class CryptoDtSource(FastApi):
    names: ClassVar = ("crypto-dt-source.onrender.com",)

    @route("/api")
    def banner(self, request: Request) -> Any:
        return {"name": "Crypto DT Source", "version": "1.0.0", "status": "online"}

    @route("/api/v1/status")
    def status(self, request: Request) -> Any:
        sources = dict.fromkeys(("coingecko", "binance", "alternative_me", "rss"), "operational")
        return {"success": True, "status": "operational", "sources": sources, **_stamp(request.now)}

    @route("/api/v1/coingecko/price")
    def price(self, request: Request) -> Any:
        at = request.now - request.now % MINUTE_S
        asked = [word.upper() for word in request.list("symbols")]
        limit = self.limit(request, 100, 250)
        ranked = self.market.ranked(int(at // MINUTE_S))
        found = [coin for coin in ranked if not asked or coin.symbol in asked][:limit]
        if asked and not found:
            return self._failed("No data for the requested symbols")
        rows = [self._row(coin, at, request.now) for coin in found]
        return {"success": True, "data": rows, "source": "coingecko", **_stamp(request.now)}

    @route("/api/v1/binance/klines")
    def klines(self, request: Request) -> Any:
        symbol = request.params.get("symbol", "BTC").upper()
        frame = request.params.get("timeframe", USUAL_FRAME)
        limit = self.limit(request, 100, 1000)
        coin = self.market.by_symbol.get(symbol.removesuffix("USDT").lower())
        if coin is None or frame not in FRAMES:
            return self._failed(f"Invalid symbol or timeframe: {symbol} {frame}")
        spans = candles.window(FRAMES[frame], request.now, limit=limit)
        rows = [self._candle(coin, *span, request.now) for span in spans]
        return {
            "success": True,
            "symbol": symbol,
            "timeframe": frame,
            "count": len(rows),
            "data": rows,
            "source": "binance",
            **_stamp(request.now),
        }

    @route("/api/v1/alternative/fng")
    def fear_and_greed(self, request: Request) -> Any:
        today = int(request.now // DAY_S)
        left = str(int((today + 1) * DAY_S - request.now))
        rows = [
            {
                "value": index_of(self.market.seed, day),
                "value_classification": class_of(index_of(self.market.seed, day)),
                "timestamp": day * DAY_S,
                **({"time_until_update": left} if day == today else {}),
                "source": "alternative.me",
            }
            for day in range(today, today - self.limit(request, 1, 1000), -1)
        ]
        head = {"success": True, "data": rows, "metadata": {}}
        return {**head, "source": "alternative.me", **_stamp(request.now)}

    @route("/api/v1/rss/feed")
    def feed(self, request: Request) -> Any:
        name = request.params.get("feed_name", "coindesk")
        if name not in FEED_URLS:
            return self._failed(f"Unknown feed: {name}")
        kind = FEEDS.get(name)
        outlet = kind.outlet if kind else BITCOIN_MAGAZINE
        rows = [
            {
                "title": story.title,
                "link": outlet.link(story) + (kind.campaign if kind else ""),
                "summary": story.markup[:LONGEST_SUMMARY],
                "author": "Some One",
                "published": format_datetime(story.date),
                "source": name,
                "feed_url": FEED_URLS[name],
            }
            for story in outlet.stories(self.market, request.now)
        ][: self.limit(request, 20, 100)]
        head = {"success": True, "feed_name": name, "feed_url": FEED_URLS[name]}
        return {**head, "count": len(rows), "data": rows, "source": "rss", **_stamp(request.now)}

    @route("/api/v1/reddit/top")
    def reddit(self, request: Request) -> Any:
        return self._failed("Reddit refused the request")

    @route("/api/v1/hf/sentiment")
    def analyse(self, request: Request) -> Any:
        text, model = request.params.get("text", ""), request.params.get("model_key", MODELS[0])
        if not text or model not in MODELS:
            return self._failed("text or model_key is missing or unknown")
        row = {"label": "neutral", "score": 0.5, "model": model, "text": text[:100]}
        return {"success": True, "data": row, "source": "huggingface", **_stamp(request.now)}

    @route("/api/v1/hf/models")
    @route("/api/v1/hf/datasets")
    def catalogue(self, request: Request) -> Any:
        rows = [{"id": name, "key": name} for name in MODELS]
        head = {"success": True, "count": len(rows), "data": rows}
        return {**head, "source": "huggingface", **_stamp(request.now)}

    def _row(self, coin: Coin, at: float, now: float) -> dict[str, Any]:
        price, before = (self.market.price(coin, m, "usd", "coingecko") for m in (at, at - DAY_S))
        return {
            "symbol": coin.symbol,
            "name": coin.name,
            "price": price,
            "change24h": price - before,
            "changePercent24h": (price / before - 1) * 100,
            "volume24h": round(self.market.volume(coin, at)),
            "marketCap": round(coin.supply * price),
            "source": "coingecko",
            **_stamp(now),
        }

    def _candle(self, coin: Coin, start: int, end: int, now: float) -> dict[str, Any]:
        bar = self.market.bar(coin, start, min(end, now), "usdt", "binance")
        names = ("open", "high", "low", "close", "volume")
        shown = {name: number(value, 8) for name, value in zip(names, bar, strict=True)}
        return {"timestamp": start * 1000, **shown}

    def _failed(self, text: str) -> Reply:
        return json_reply({"success": False, "error": text, "message": f"Failed: {text}"})


def _stamp(now: float) -> dict[str, int]:
    return {"timestamp": int(now * 1000)}
