"""
DefiLlama's open hosts: https://api-docs.defillama.com

Coins are named `coingecko:bitcoin` or `ethereum:0x...`; whom it does not know it leaves out, and
never says so. Some paths are paid only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import orjson

from providers.sandbox.coins import Coin
from providers.sandbox.hosts.coinmarketcap import KNOWN as CMC_IDS
from providers.sandbox.market import DAY_S, EARLIEST, HOUR_S, MINUTE_S, Market, number_of, uniform
from providers.sandbox.wire import Host, Refusal, Reply, Request, json_reply, route, whole

VENUE = "defillama"
REFRESH_S = 300
UNITS = {"m": MINUTE_S, "h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S}
MOST_POINTS = 500
DOUBTFUL_EACH = 25  # a coin in so many has a price that DefiLlama trusts little
TVL_START = 1_506_470_400  # 2017-09-27


class Chain(NamedTuple):
    """A chain: what it holds is about `billions` of dollars."""

    name: str
    symbol: str
    gecko: str | None
    id: int | None
    billions: float


CHAINS = (
    Chain("Ethereum", "ETH", "ethereum", 1, 61.0),
    Chain("Solana", "SOL", "solana", None, 9.1),
    Chain("BSC", "BNB", "binancecoin", 56, 6.4),
    Chain("Bitcoin", "BTC", "bitcoin", None, 6.0),
    Chain("Tron", "TRX", "tron", 728126428, 5.1),
    Chain("Base", "", None, 8453, 3.9),
    Chain("Arbitrum", "ARB", "arbitrum", 42161, 2.7),
    Chain("Hyperliquid L1", "HYPE", "hyperliquid", 999, 2.1),
    Chain("Avalanche", "AVAX", "avalanche-2", 43114, 1.5),
    Chain("Polygon", "POL", "polygon-ecosystem-token", 137, 1.1),
    Chain("OP Mainnet", "OP", "optimism", 10, 0.6),
    Chain("Cardano", "ADA", "cardano", 2001, 0.35),
    Chain("Gnosis", "GNO", "gnosis", 100, 0.25),
    Chain("Near", "NEAR", "near", 397, 0.15),
    Chain("Fantom", "FTM", "fantom", 250, 0.0),
)


class LlamaCoins(Host):
    names: ClassVar = ("coins.llama.fi",)

    @route("/prices/current/{names}")
    def current(self, request: Request, names: str) -> Any:
        at = request.now - request.now % REFRESH_S
        return {"coins": {n: self._row(n, coin, at, True) for n, coin in self._found(names)}}

    @route("/prices/historical/{moment}/{names}")
    def historical(self, request: Request, moment: str, names: str) -> Any:
        at = whole(moment)
        if at is None:
            raise self._wrong("timestamp must be a number")
        if not EARLIEST <= at <= request.now:
            return {"coins": {}}
        return {"coins": {n: self._row(n, coin, at, False) for n, coin in self._found(names)}}

    @route("/batchHistorical")
    def batch(self, request: Request) -> Any:
        try:
            asked = orjson.loads(request.params.get("coins", ""))
        except orjson.JSONDecodeError:
            asked = None
        if not isinstance(asked, dict) or not all(map(_are_moments, asked.values())):
            raise self._wrong("coins must be an object of lists of timestamps")
        found = {}
        for name, coin in self._found(",".join(asked)):
            rows = [self._point(coin, at) for at in asked[name] if EARLIEST <= at <= request.now]
            found[name] = {"symbol": coin.symbol, "prices": rows}
        return {"coins": found}

    @route("/chart/{names}")
    def chart(self, request: Request, names: str) -> Any:
        start, end = (whole(request.params.get(name) or "-1") for name in ("start", "end"))
        span = whole(request.params.get("span") or "1")
        if start is None or end is None or span is None or span < 1:
            raise self._wrong("start, end and span must be numbers")
        if start >= 0 and end >= 0:
            raise self._wrong("use either start or end parameter, not both")
        coins, period = list(self._found(names)), self._seconds(request.params.get("period", "1d"))
        if span * max(1, len(coins)) > MOST_POINTS:
            raise self._wrong(f"a maximum of {MOST_POINTS} points is supported")
        if start >= 0:
            moments = [start + period * step for step in range(span)]
        else:
            last = end if end >= 0 else int(request.now)
            moments = [last - period * step for step in reversed(range(span))]
        moments = [moment for moment in moments if EARLIEST <= moment <= request.now]
        return {
            "coins": {
                name: {
                    "symbol": coin.symbol,
                    "confidence": _confidence(coin),
                    "prices": [self._priced(coin, moment) for moment in moments],
                }
                for name, coin in coins
            }
        }

    @route("/percentage/{names}")
    def percentage(self, request: Request, names: str) -> Any:
        at = whole(request.params.get("timestamp") or str(int(request.now)))
        period = self._seconds(request.params.get("period", "1d"))
        if at is None:
            raise self._wrong("timestamp must be a number")
        ends = (at, at + period) if request.flag("lookForward") else (at, at - period)
        found = {}
        for name, coin in self._found(names):
            first, last = (self._price(coin, moment) for moment in sorted(ends))
            found[name] = (last / first - 1) * 100
        return {"coins": found}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return _failure(status)

    def _found(self, names: str) -> Iterator[tuple[str, Coin]]:
        """The coins it knows, in an order of its own."""
        for name in sorted(set(names.split(",")), key=number_of):
            chain, _, key = name.partition(":")
            for coin in self.market.coins:
                known = coin.coingecko if chain == "coingecko" else coin.contract
                if key and known == key and chain in ("coingecko", "ethereum"):
                    yield name, coin

    def _row(self, name: str, coin: Coin, at: float, current: bool) -> dict[str, Any]:
        """A coin without a chain of its own says how many decimals it has."""
        row: dict[str, Any] = {"decimals": 6 if coin.stable else 18} if coin.contract else {}
        trust = {"confidence": _confidence(coin)} if current else {}
        point = self._priced(coin, at)
        return {**row, "symbol": coin.symbol, **point, **trust}

    def _point(self, coin: Coin, at: int) -> dict[str, Any]:
        return {**self._priced(coin, at), "confidence": _confidence(coin)}

    def _priced(self, coin: Coin, at: float) -> dict[str, Any]:
        """The price and when it was seen, which is near the moment that was asked for."""
        late = int(uniform(coin.order, int(at)) * 60)
        return {"timestamp": int(at) - late, "price": self._price(coin, at)}

    def _price(self, coin: Coin, at: float) -> float:
        return self.market.price(coin, at, "usd", VENUE)

    def _seconds(self, text: str) -> int:
        """Of `4h`, `1d`, `2W`."""
        amount, unit = whole(text[:-1] or "1"), UNITS.get(text[-1:].lower())
        if not amount or unit is None or amount < 0:
            raise self._wrong("period must look like 4h or 1d")
        return amount * unit

    def _wrong(self, text: str) -> Refusal:
        return Refusal(Reply(400, text.encode(), "text/plain; charset=utf-8"))


class LlamaTvl(Host):
    names: ClassVar = ("api.llama.fi",)

    @route("/v2/chains")
    def chains(self, request: Request) -> Any:
        day = int(request.now // DAY_S)
        rows = [
            {
                "gecko_id": chain.gecko,
                "tvl": tvl(self.market, chain, day),
                "tokenSymbol": chain.symbol or None,
                "cmcId": str(CMC_IDS[chain.symbol]) if chain.symbol in CMC_IDS else None,
                "name": chain.name,
                "chainId": chain.id,
            }
            for chain in CHAINS
        ]
        return sorted(rows, key=lambda row: number_of(str(row["name"])))

    @route("/v2/historicalChainTvl")
    def history(self, request: Request) -> Any:
        return [
            {"date": day * DAY_S, "tvl": sum(tvl(self.market, chain, day) for chain in CHAINS)}
            for day in _days(request.now)
        ]

    @route("/v2/historicalChainTvl/{name}")
    def chain_history(self, request: Request, name: str) -> Any:
        chain = next((c for c in CHAINS if c.name.lower() == name.lower()), None)
        if chain is None:
            raise self.refuse({"message": "There is no chain with that name"}, 400)
        return [
            {"date": day * DAY_S, "tvl": tvl(self.market, chain, day)} for day in _days(request.now)
        ]

    def serve(self, request: Request) -> Reply:
        paid = "derivatives" in request.path or request.path.startswith("/yields/")
        return self.failure(402) if paid else super().serve(request)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return _failure(status)


def tvl(market: Market, chain: Chain, day: int) -> float:
    """Dollars locked in a chain on a day: grown from nothing in 2017, moved by its coin."""
    age = max(0.0, (day * DAY_S - TVL_START) / (5 * 365 * DAY_S))
    tide = math.sin(2 * math.pi * day / 290 + number_of(chain.name) % 7)
    chance = uniform(market.seed, number_of(chain.name), day) - 0.5
    value = chain.billions * 1e9 * min(1.0, age) * (1 + 0.2 * tide + 0.02 * chance)
    return round(value, 6)


def _are_moments(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(moment, int) for moment in value)


def _days(now: float) -> range:
    return range(TVL_START // DAY_S, int(now // DAY_S) + 1)


def _confidence(coin: Coin) -> float:
    return 0.5 if coin.order % DOUBTFUL_EACH == 0 else 0.99


def _failure(status: int) -> Reply:
    if status == 402:
        text = "This endpoint is only available to paid plans: https://defillama.com/subscription"
        return json_reply({"message": text}, 402)
    words = {404: "Not Found", 429: "Too Many Requests", 502: "Bad Gateway"}
    return Reply(status, words.get(status, "Error").encode(), "text/plain; charset=utf-8")
