"""
How fast answers become validated records, beside the parsers of ccxt: `-m tests.bench.parsing`.

JSON decoding is left out on both sides and done the same way before. Prints, in one run and as
ratios, all tickers of Kraken (at least 5 is wanted) and 1,000 candles of Binance (at least 1).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import ccxt

from providers.adapters.base import Adapter, Listings, NoListings
from providers.adapters.binance import Binance
from providers.adapters.kraken import Kraken
from providers.datasets import OhlcQuery, PriceQuery, Query
from providers.http import decode

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
ROUNDS = 30


class Ready:
    """An `Http` whose answer is decoded already."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get(self, path: str, /, **params: Any) -> Any:
        return self.answer

    def post(self, path: str, json: Any, /) -> Any:
        return self.answer

    def fetch(self, path: str, /, **params: Any) -> Any:
        raise NotImplementedError

    def lines(self, path: str, json: Any, /) -> Any:
        raise NotImplementedError


def recorded(name: str, generated: Callable[[], Any]) -> tuple[Any, str]:
    path = RECORDED / name
    if path.exists():
        return decode(path.read_bytes()), "recorded"
    return generated(), "generated"


def tickers() -> Any:
    """1,500 pairs as Kraken sends them."""
    pairs = (f"C{n}/USD" for n in range(1500))
    return {"error": [], "result": {pair: ticker(n) for n, pair in enumerate(pairs, 1)}}


def ticker(n: int) -> dict[str, Any]:
    price = f"{n}.{n:05d}"
    both = [price, price]
    return {
        "a": [price, "1", "1.000"],
        "b": [price, "2", "2.000"],
        "c": [price, "0.00421000"],
        "v": ["812.11000000", f"{n}210.55000000"],
        "p": both,
        "t": [n, 3 * n],
        "l": both,
        "h": both,
        "o": price,
    }


def klines() -> Any:
    """1,000 days as Binance sends them."""
    day = 86_400_000
    first = 1_694_390_400_000
    return [
        [
            first + n * day,
            f"{25_000 + n}.10000000",
            f"{25_900 + n}.69000000",
            f"{24_900 + n}.00000000",
            f"{25_100 + n}.52000000",
            f"{41_000 + n}.32000000",
            first + (n + 1) * day - 1,
            "1057371884.66970660",
            864_138,
            "19664.90243000",
            "498821645.38522220",
            "0",
        ]
        for n in range(1000)
    ]


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def best(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """The best of many rounds in turn, so that a busy machine is unfair to both alike."""
    rounds = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    return min(ours for ours, _ in rounds), min(theirs for _, theirs in rounds)


def asking(adapter: type[Adapter], answer: Any, listings: Listings, query: Query) -> Any:
    asked = adapter(Ready(answer), listings, now=lambda: datetime.now(UTC))
    return lambda: asked.fetch(query)


def report(what: str, source: str, rows: int, times: Iterable[float], wanted: Decimal) -> None:
    ours, theirs = times
    verdict = "ok" if theirs / ours >= wanted else "TOO SLOW"
    print(
        f"{what} ({source}, {rows} rows): {ours * 1000:.2f} ms, ccxt {theirs * 1000:.2f} ms, "
        f"{theirs / ours:.2f} times as fast (wanted {wanted}): {verdict}"
    )


def kraken() -> None:
    answer, source = recorded("kraken/Ticker_all_assetVersion1_sample2.json", tickers)
    pairs = tuple(answer["result"])
    # One question has one currency: so that every pair is asked for, each stands for a symbol.
    listings = NoListings({(pair, "USD"): pair for pair in pairs})
    query = PriceQuery(pairs)
    ours = asking(Kraken, answer, listings, query)
    theirs = ccxt.kraken()
    times = best(ours, lambda: theirs.parse_tickers(answer["result"]))
    report("Kraken, all tickers", source, len(ours()), times, Decimal(5))


def binance() -> None:
    answer, source = recorded("binance/klines_BTCUSDT_1d_last1000.json", klines)
    listings = NoListings({("BTC", "USDT"): "BTCUSDT"})
    ours = asking(Binance, answer, listings, OhlcQuery("BTC", "1d", limit=1000))
    theirs = ccxt.binance()
    times = best(ours, lambda: theirs.parse_ohlcvs(answer))
    report("Binance, candles", source, len(ours()), times, Decimal(1))


def main() -> None:
    kraken()
    binance()


if __name__ == "__main__":
    main()
