"""What may be asked of the economy at large: series, their observations, and value locked."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.utils.timezone import now
from rest_framework import serializers

from aggregator.api.serializers import QuerySerializer
from providers.datasets import EconomicQuery, Query, SeriesQuery, TvlHistoryQuery, TvlQuery

FIRST_DAY = date(1776, 7, 4)  # no series of FRED begins before it


class SeriesQuerySerializer(QuerySerializer):
    query = SeriesQuery

    q = serializers.CharField(
        max_length=60, trim_whitespace=True, help_text="Words of a series' title: consumer prices."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=100, default=20, help_text="Series, 1 to 100."
    )

    def create(self, validated_data: dict[str, Any]) -> Query:
        words = " ".join(validated_data["q"].lower().split())
        return SeriesQuery(q=words, limit=validated_data["limit"])


class DayField(serializers.DateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, help_text="A date: 2026-01-31.", **kwargs)


class EconomicQuerySerializer(QuerySerializer):
    query = EconomicQuery
    in_path = ("series",)

    series = serializers.RegexField(
        r"^(?:[A-Za-z0-9_.]{1,40}|[A-Za-z0-9]{2,3}/[A-Za-z0-9_.-]{2,60})$",
        help_text="An id of FRED (CPIAUCSL), or a country and an indicator of the World Bank "
        "(US/NY.GDP.MKTP.CD).",
    )
    start = DayField()
    end = DayField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start"), attrs.get("end")
        if start and end and start > end:
            raise serializers.ValidationError({"start": "Must not be after end."})
        if start and start > now().date():
            raise serializers.ValidationError({"start": "Must not be in the future."})
        for name in ("start", "end"):
            if attrs.get(name) and attrs[name] < FIRST_DAY:
                raise serializers.ValidationError({name: f"Must not be before {FIRST_DAY}."})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Query:
        country, slash, indicator = validated_data.pop("series").partition("/")
        return EconomicQuery(series=f"{country.upper()}{slash}{indicator}", **validated_data)


class TvlQuerySerializer(QuerySerializer):
    """All chains now; with `chain`, the past of one."""

    query = TvlQuery
    also: ClassVar[tuple[type[Query], ...]] = (TvlHistoryQuery,)

    chain = serializers.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9 .()+&'-]{0,59}$",
        required=False,
        help_text="The past of this chain, by its name: Ethereum, BSC.",
    )

    def create(self, validated_data: dict[str, Any]) -> Query:
        chain = validated_data.get("chain")
        return TvlHistoryQuery(chain.lower()) if chain else TvlQuery()
