"""
APIs that have an adapter of their own, declared as an operator would: both must say the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from providers.adapters.base import Adapter
from providers.adapters.declared import Declared, adapter_of
from providers.datasets import Query
from tests.providers.adapters.conftest import Case, cases


class Twin(NamedTuple):
    """A dataset of an adapter of ours, declared; `less` are fields that no mapping can read."""

    adapter: str
    dataset: str
    offer: dict[str, Any]
    less: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.adapter}-{self.dataset}"

    @property
    def mapping(self) -> dict[str, Any]:
        return {"datasets": {self.dataset: self.offer}}

    @property
    def ours(self) -> Case:
        found = (case for case in cases() if case.adapter.name == self.adapter)
        return next(case for case in found if case.dataset == self.dataset)

    @property
    def theirs(self) -> Case:
        """The payload of the adapter, read through the mapping."""
        made = adapter_of(str(self).replace("-", "_"), self.mapping)
        ours = self.ours
        case = Read(made, ours.query_class)
        case.__dict__["folder"] = ours.folder
        return case


class Read(Case):
    adapter: type[Declared]

    def __init__(self, adapter: type[Adapter], query_class: type[Query]) -> None:
        super().__init__(adapter, query_class)


TWINS = [
    Twin(
        "coinlore",
        "price",
        {
            "path": "/ticker/",
            "params": {"id": "{ids}"},
            "batch": 50,
            "currencies": {"usd": "usd"},
            "fields": {
                "id": "id",
                "price": "price_usd",
                "change_24h_percent": "percent_change_24h",
                "volume_24h": "volume24",
            },
        },
    ),
    Twin(
        "coingecko",
        "price",
        {
            "path": "/simple/price",
            "params": {"ids": "{ids}", "vs_currencies": "{currency}"},
            "batch": 100,
            "keyed": True,
            "currencies": {"usd": "usd"},
            "fields": {
                "price": "usd",
                "change_24h_percent": "usd_24h_change",
                "volume_24h": "usd_24h_vol",
                "last_updated": "last_updated_at",
            },
            "units": {"last_updated": "s"},
        },
    ),
    Twin(
        "coingecko",
        "market",
        {
            "path": "/coins/markets",
            "params": {"vs_currency": "{currency}", "per_page": "{size}", "page": "{page}"},
            "pages": {"size": 250, "first": 1, "most": 2},
            "currencies": {"usd": "usd", "eur": "eur"},
            "fields": {
                "rank": "market_cap_rank",
                "id": "id",
                "symbol": "symbol",
                "name": "name",
                "price": "current_price",
                "market_cap": "market_cap",
                "volume_24h": "total_volume",
                "change_1h_percent": "price_change_percentage_1h_in_currency",
                "change_24h_percent": "price_change_percentage_24h",
                "change_7d_percent": "price_change_percentage_7d_in_currency",
                "high_24h": "high_24h",
                "low_24h": "low_24h",
                "circulating_supply": "circulating_supply",
                "last_updated": "last_updated",
            },
            "units": {"symbol": "upper", "last_updated": "iso"},
        },
    ),
    Twin(
        "binance",
        "ohlc",
        {
            "path": "/api/v3/klines",
            "params": {
                "symbol": "{id}",
                "interval": "{interval}",
                "startTime": "{start_ms}",
                "limit": "{limit}",
            },
            "currencies": {"usd": "USDT"},
            "intervals": {"1h": "1h", "1d": "1d"},
            "fields": {
                "time": "[0]", "open": "[1]", "high": "[2]", "low": "[3]", "close": "[4]",
                "volume": "[5]",
            },
            "width": 12,
            "units": {"time": "ms"},
        },
    ),
    Twin(
        "coinpaprika",
        "history",
        {
            "path": "/tickers/{id}/historical",
            "params": {"start": "{start_date}", "end": "{end_date}"},
            "currencies": {"usd": "usd"},
            "fields": {
                "time": "timestamp",
                "price": "price",
                "market_cap": "market_cap",
                "volume": "volume_24h",
            },
            "units": {"time": "iso"},
        },
    ),
    Twin(
        "coinpaprika",
        "global",
        {
            "path": "/global",
            "fields": {
                "market_cap": "market_cap_usd",
                "volume_24h": "volume_24h_usd",
                "btc_dominance_percent": "bitcoin_dominance_percentage",
                "market_cap_change_24h_percent": "market_cap_change_24h",
                "active_coins": "cryptocurrencies_number",
                "last_updated": "last_updated",
            },
            "units": {"last_updated": "s"},
        },
    ),
    Twin(
        "defillama_tvl",
        "tvl",
        {
            "path": "/v2/chains",
            "fields": {"chain": "name", "symbol": "tokenSymbol", "tvl": "tvl"},
        },
    ),
    Twin(
        "coinpaprika",
        "search",
        {
            "path": "/search",
            "params": {"q": "{q}", "limit": "{limit}"},
            "rows": "currencies",
            "fields": {"id": "id", "symbol": "symbol", "name": "name", "rank": "rank"},
        },
    ),
]  # fmt: skip
