"""What may be asked of the whole market: who moves, who is talked of, and what all agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from aggregator.api.serializers import CurrencyField, QuerySerializer, WordField
from aggregator.api.symbols import KindField, OwnCurrency, SymbolField
from providers.datasets import ConsensusQuery, MoversQuery, Query, TrendingQuery

# The least volume of a mover unless one is given: of the order of a million dollars.
FLOOR = 1_000_000
FLOORS: Mapping[str, int] = {"jpy": 150_000_000, "btc": 10, "eth": 500}


def floor_of(currency: str) -> int:
    return FLOORS.get(currency, FLOOR)


class MoversQuerySerializer(QuerySerializer):
    query = MoversQuery

    direction = WordField(
        choices=("gainers", "losers"), default="gainers", help_text="Who rose, or who fell, most."
    )
    window = WordField(choices=MoversQuery.WINDOWS, default="24h", help_text="In which time.")
    limit = serializers.IntegerField(
        min_value=1, max_value=100, default=20, help_text="Coins, 1 to 100."
    )
    min_volume = serializers.IntegerField(
        min_value=0,
        max_value=10**15,
        required=False,
        help_text="Least volume in 24 hours, in the currency; else about a million dollars.",
    )
    currency = CurrencyField()

    def create(self, validated_data: dict[str, Any]) -> Query:
        floor = floor_of(validated_data["currency"])
        return MoversQuery(**{"min_volume": floor, **validated_data})


class TrendingQuerySerializer(QuerySerializer):
    query = TrendingQuery


class ConsensusQuerySerializer(OwnCurrency, QuerySerializer):
    query = ConsensusQuery

    symbol = SymbolField()
    currency = CurrencyField()
    kind = KindField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return self.in_its_currency(attrs)
