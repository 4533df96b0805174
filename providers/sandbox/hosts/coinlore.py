"""
CoinLore: https://www.coinlore.com/cryptocurrency-data-api

Types are mixed: prices, changes and supplies are text, volumes and totals numbers, and a supply may
be empty or null. The slash at the end belongs to the path. An unknown id is silently absent.
"""

from __future__ import annotations

from typing import Any, ClassVar

from providers.sandbox.coins import Coin
from providers.sandbox.market import DAY_S, HOUR_S, MINUTE_S
from providers.sandbox.wire import Host, Reply, Request, fixed, json_reply, route, whole

# Two ids are documented; the others are invented.
KNOWN = {"BTC": "90", "ETH": "80"}
MOST_ROWS = 100
WINDOWS = {
    "percent_change_24h": DAY_S, "percent_change_1h": HOUR_S, "percent_change_7d": 7 * DAY_S,
}  # fmt: skip


class CoinLore(Host):
    names: ClassVar = ("api.coinlore.net", "api.coinlore.com")

    def serve(self, request: Request) -> Reply:
        if request.path.endswith("/"):
            return super().serve(request)
        query = "&".join(f"{name}={value}" for name, value in request.query)
        location = f"{request.path}/" + (f"?{query}" if query else "")
        return Reply(301, b"", "text/html", {"location": location})

    @route("/api/global")
    def totals(self, request: Request) -> Any:
        at = request.now - request.now % MINUTE_S
        caps = {coin: self.market.cap(coin, at) for coin in self.market.coins}
        before = sum(self.market.cap(coin, at - DAY_S) for coin in self.market.coins)
        volumes, older = (
            sum(self.market.volume(coin, moment) for coin in self.market.coins)
            for moment in (at, at - DAY_S)
        )
        total = sum(caps.values())
        share = {coin.symbol: cap / total * 100 for coin, cap in caps.items()}
        return [
            {
                "coins_count": 14_900 + len(caps),
                "active_markets": 40_000,
                "total_mcap": total,
                "total_volume": volumes,
                "btc_d": fixed(share["BTC"], 2),
                "eth_d": fixed(share["ETH"], 2),
                "mcap_change": fixed((total / before - 1) * 100, 2),
                "volume_change": fixed((volumes / older - 1) * 100, 2),
                "avg_change_percent": fixed((total / before - 1) * 80, 2),
                "volume_ath": 4_000_000_000_000,
                "mcap_ath": 4_400_000_000_000,
            }
        ]

    @route("/api/tickers")
    def tickers(self, request: Request) -> Any:
        at = request.now - request.now % MINUTE_S
        start = max(0, whole(request.params.get("start", "0")) or 0)
        limit = whole(request.params.get("limit", "")) or MOST_ROWS
        ranked = self.market.ranked(int(at // MINUTE_S))
        page = ranked[start : start + min(max(1, limit), MOST_ROWS)]
        rows = [self._row(coin, at) for coin in page]
        return {"data": rows, "info": {"coins_num": 14_900 + len(ranked), "time": int(at)}}

    @route("/api/ticker")
    def ticker(self, request: Request) -> Any:
        at = request.now - request.now % MINUTE_S
        asked = request.list("id")
        return [self._row(coin, at) for coin in self.market.coins if _id(coin) in asked]

    @route("/api/coin/markets")
    def markets(self, request: Request) -> Any:
        """Where a coin trades."""
        asked = request.params.get("id", "")
        return [
            {
                "name": venue,
                "base": coin.symbol,
                "quote": "USDT",
                "price": self.market.price(coin, request.now, "usdt", venue.lower()),
                "price_usd": self.market.price(coin, request.now, "usd", venue.lower()),
                "volume": self.market.courses[coin.id].turnover * 0.1,
                "volume_usd": self.market.volume(coin, request.now) * 0.1,
                "time": int(request.now),
            }
            for coin in self.market.coins
            if _id(coin) == asked
            for venue in ("Binance", "OKX", "Kraken")
        ]

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return json_reply({"error": "Too Many Requests" if status == 429 else "Error"}, status)

    def _row(self, coin: Coin, at: float) -> dict[str, Any]:
        price = self.market.price(coin, at, "usd", "coinlore")
        changes = {name: self.market.change(coin, at, span) for name, span in WINDOWS.items()}
        supply, largest = fixed(coin.supply, 0), coin.order == 1
        return {
            "id": _id(coin),
            "symbol": coin.symbol,
            "name": coin.name,
            "nameid": coin.slug,
            "rank": self.market.rank(coin, at),
            "price_usd": fixed(price, 2 if price >= 1000 else 6 if price >= 0.01 else 12),
            **{name: fixed(change, 2) for name, change in changes.items()},
            "price_btc": fixed(price / self.market.rate("btc", at), 2 if largest else 8),
            "market_cap_usd": fixed(coin.supply * price, 2),
            "volume24": self.market.volume(coin, at),
            "volume24a": self.market.volume(coin, at - HOUR_S),
            "csupply": f"{supply}.00",
            "tsupply": None if coin.order % 10 == 0 else supply,
            "msupply": "21000000" if largest else (supply if coin.order % 3 == 0 else ""),
        }


def _id(coin: Coin) -> str:
    return coin.called("coinlore") or KNOWN.get(coin.symbol) or str(30_000 + 37 * coin.order)
