"""Answers that are on the shelf already, so that a question is answered without anybody asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from aggregator import answers
from aggregator.answers import Answer
from aggregator.encoding import encode
from providers import roster
from providers.datasets import (
    Candle,
    EconomicQuery,
    Fees,
    GasQuery,
    MarketQuery,
    MarketRow,
    NewsQuery,
    Observation,
    OhlcQuery,
    PriceQuery,
    PriceRow,
    Query,
)
from providers.models import Asset
from tests.upstreams import article

COINS = (
    ("bitcoin", "BTC", "Bitcoin"),
    ("ethereum", "ETH", "Ethereum"),
    ("solana", "SOL", "Solana"),
)
PRICES = {"BTC": Decimal("86011.36000"), "ETH": Decimal("2218.02000"), "SOL": Decimal("187.5")}
HOSTILE = "<script>alert(1)</script> & Bitcoin hits 100k"


def coins(*more: tuple[str, str, str]) -> None:
    Asset.objects.bulk_create(
        Asset(slug=slug, symbol=symbol, name=name, order=order)
        for order, (slug, symbol, name) in enumerate((*COINS, *more))
    )
    roster.forget()


def shelve(query: Query, rows: Sequence[Any], source: str = "kraken", age_s: float = 12.0) -> None:
    """The answer to an upstream query, fetched so long ago and fresh for an hour."""
    fetched_at = time.time() - age_s
    answers.shelve(
        Answer(
            query.upstream(),
            encode(list(rows)),
            source,
            fetched_at,
            fetched_at + 3600,
            fetched_at + 86400,
            latency_ms=5.0,
        )
    )


def everything() -> None:
    """What the questions of the tests need."""
    for currency, factor in (("usd", Decimal(1)), ("eur", Decimal("0.9"))):
        for symbol, price in PRICES.items():
            row = PriceRow(symbol, price * factor, currency.upper(), Decimal("-1.34728"))
            shelve(PriceQuery((symbol,), currency), [row])
    shelve(MarketQuery(), [market(n, *coin) for n, coin in enumerate(COINS, 1)], "coingecko")
    tips = Decimal("1.5"), Decimal("2.25"), Decimal(3)
    shelve(GasQuery("ethereum"), [Fees("ethereum", "gwei", *tips, None, None)], "blockscout")
    news = article(HOSTILE, at=datetime.now(UTC), url="https://news.example/1")
    shelve(NewsQuery(), [news._replace(symbols=("BTC",))], "decrypt_rss")
    shelve(OhlcQuery(symbol="BTC", interval="1d", limit=300), candles(120), "binance")
    year = datetime.now(UTC).year - 2
    shelve(EconomicQuery(series="CPIAUCSL", start=date(year, 1, 1)), prices_of_consumers(), "fred")


def market(rank: int, slug: str, symbol: str, name: str) -> MarketRow:
    caps = (Decimal(1722129511724), Decimal(267000000000), Decimal(88000000000))
    return MarketRow(
        rank,
        slug,
        symbol,
        name,
        PRICES[symbol],
        caps[rank - 1],
        Decimal("72917256810"),
        Decimal("0.1"),
        Decimal("-1.34728"),
        Decimal("4.5"),
        PRICES[symbol] + 10,
        PRICES[symbol] - 10,
        Decimal(20000000),
        None,
    )


def candles(count: int) -> list[Candle]:
    """One a day, rising and falling in turn; the last one is still running."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    for place in range(count):
        close = Decimal(80000 + 37 * place + (500 if place % 3 else -400))
        time = midnight - timedelta(days=count - 1 - place)
        found.append(Candle(time, close, close, close, close, None, place < count - 1))
    return found


def prices_of_consumers() -> list[Observation]:
    months = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(22)]
    return [
        Observation(month, Decimal("300") + n, "Index", "monthly") for n, month in enumerate(months)
    ]
