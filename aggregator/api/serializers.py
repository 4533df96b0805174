"""What may be asked: one serializer for each query, and output schemas made from the records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from django.utils.timezone import now
from rest_framework import serializers

from aggregator.api.symbols import (
    LONGEST,
    KindField,
    OwnCurrency,
    SymbolField,
    SymbolsField,
    priced_together,
    unknown,
    words_of,
)
from aggregator.encoding import is_record
from providers import registry
from providers.datasets import (
    INTERVALS,
    CoinQuery,
    GasQuery,
    GlobalQuery,
    HistoryQuery,
    MarketQuery,
    NewsQuery,
    OhlcQuery,
    PriceQuery,
    Query,
    SearchQuery,
    SentimentQuery,
)
from providers.parameters import Parameters

CURRENCIES = ("usd", "eur", "gbp", "jpy", "chf", "aud", "cad", "btc", "eth")
EARLIEST = datetime(2009, 1, 3, tzinfo=UTC)  # before it there was nothing to have a price


class QuerySerializer(Parameters):
    """A query string in, a Query out."""

    query: ClassVar[type[Query]]
    also: ClassVar[tuple[type[Query], ...]] = ()  # what some parameters make of it instead
    in_path: ClassVar[tuple[str, ...]] = ()  # parameters that are part of the route

    def create(self, validated_data: dict[str, Any]) -> Query:
        return self.query(**validated_data)


class WordField(serializers.ChoiceField):
    """One of some words, in any case."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(str(data).lower())


class CurrencyField(WordField):
    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "What prices are quoted in.")
        super().__init__(choices=CURRENCIES, default="usd", **kwargs)


class MarketQuerySerializer(QuerySerializer):
    query = MarketQuery

    limit = serializers.IntegerField(
        min_value=1, max_value=250, default=100, help_text="Coins on a page, 1 to 250."
    )
    page = serializers.IntegerField(
        min_value=1, max_value=100, default=1, help_text="Which page, counted from 1."
    )
    currency = CurrencyField()


class PriceQuerySerializer(QuerySerializer):
    query = PriceQuery
    aliases: ClassVar[Mapping[str, str]] = {"symbol": "symbols"}

    symbols = SymbolsField(
        max_length=4000, help_text="Up to 100 coins, separated by commas: BTC,ETH."
    )
    currency = CurrencyField()
    kind = KindField()

    def create(self, validated_data: dict[str, Any]) -> Query:
        """Known symbols are asked for; when none is known that is a 404, else they are named."""
        words = words_of(self)
        found = {word: words.take(word) for word in validated_data["symbols"]}
        known = {word: key for word, key in found.items() if key}
        if not known:
            raise unknown(next(iter(found)), words.kind)
        for word in found.keys() - known.keys():
            words.lack(word, "unknown")
        named = validated_data["currency"] if "currency" in self.initial_data else ""
        currency, symbols = priced_together(words, known, named)
        return PriceQuery(symbols=tuple(symbols), currency=currency)


class SpanMixin:
    """`start` and `end`: RFC 3339 or a date, in UTC unless it says otherwise."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start"), attrs.get("end")
        if start and end and start >= end:
            raise serializers.ValidationError({"start": "Must be before end."})
        if start and start > now():
            raise serializers.ValidationError({"start": "Must not be in the future."})
        for name in ("start", "end"):
            if attrs.get(name) and attrs[name] < EARLIEST:
                raise serializers.ValidationError({name: "Must not be before 2009-01-03."})
        return attrs


class MomentField(serializers.DateTimeField):
    def __init__(self, **kwargs: Any) -> None:
        formats = ["iso-8601", "%Y-%m-%d"]
        kwargs.setdefault("help_text", "A date, or a time in UTC: 2026-01-31.")
        super().__init__(input_formats=formats, default_timezone=UTC, required=False, **kwargs)


class OhlcQuerySerializer(OwnCurrency, SpanMixin, QuerySerializer):
    query = OhlcQuery
    aliases: ClassVar[Mapping[str, str]] = {"timeframe": "interval"}

    symbol = SymbolField()
    interval = serializers.ChoiceField(
        choices=list(INTERVALS), default="1h", help_text="How long a candle lasts."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=1000, default=100, help_text="Candles, 1 to 1,000; the newest ones."
    )
    start = MomentField()
    end = MomentField()
    currency = CurrencyField()
    kind = KindField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return self.in_its_currency(super().validate(attrs))


class HistoryQuerySerializer(OwnCurrency, SpanMixin, QuerySerializer):
    query = HistoryQuery

    symbol = SymbolField()
    days = serializers.IntegerField(
        min_value=1,
        max_value=3650,
        required=False,
        help_text="The last so many days, 1 to 3,650; 30 unless start is given.",
    )
    start = MomentField()
    end = MomentField()
    currency = CurrencyField()
    kind = KindField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = self.in_its_currency(super().validate(attrs))
        if attrs.get("days") and attrs.get("start"):
            raise serializers.ValidationError({"days": "Give days, or start and end, not both."})
        if not attrs.get("days") and not attrs.get("start"):
            attrs["days"] = 30
        if attrs.get("start") and (attrs.get("end") or now()) - attrs["start"] > timedelta(3650):
            raise serializers.ValidationError({"start": "At most 3,650 days at once."})
        return attrs


class GlobalQuerySerializer(QuerySerializer):
    query = GlobalQuery


class CoinQuerySerializer(QuerySerializer):
    query = CoinQuery
    in_path = ("id",)

    id = serializers.CharField(
        max_length=LONGEST, help_text="A coin by id, symbol or contract address: bitcoin, BTC."
    )

    def create(self, validated_data: dict[str, Any]) -> Query:
        found = words_of(self).take(validated_data["id"])
        return CoinQuery(id=found or validated_data["id"].lower())


class SearchQuerySerializer(QuerySerializer):
    query = SearchQuery

    q = serializers.CharField(
        min_length=1,
        max_length=60,
        trim_whitespace=True,
        help_text="A part of a name or symbol.",
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=50, default=20, help_text="Hits, 1 to 50."
    )
    kind = KindField(help_text="Only assets of this sort.")

    def create(self, validated_data: dict[str, Any]) -> Query:
        return SearchQuery(**{**validated_data, "q": validated_data["q"].lower()})


class NewsQuerySerializer(QuerySerializer):
    query = NewsQuery

    symbol = SymbolField(required=False)
    kind = KindField()
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=60, required=False, help_text="Only of this feed: coindesk.com."
    )
    since = MomentField()
    limit = serializers.IntegerField(
        min_value=1, max_value=250, default=50, help_text="Articles, 1 to 250; the newest ones."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.pop("kind", None) and "symbol" not in attrs:
            raise serializers.ValidationError({"kind": "It narrows what a symbol means: name one."})
        return attrs


class SentimentQuerySerializer(QuerySerializer):
    query = SentimentQuery

    days = serializers.IntegerField(
        min_value=1, max_value=3650, default=1, help_text="How many days back, 1 to 3,650."
    )


class ChainField(WordField):
    """A chain whose fees an adapter tells."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=registry.chains(), default="ethereum", **kwargs)


class GasQuerySerializer(QuerySerializer):
    query = GasQuery

    chain = ChainField(help_text="In gwei of the chain's own coin; bitcoin in sat/vB.")


# -- Output: what the schema says of the records ------------------------------------------------


class AttemptSerializer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    outcome = serializers.CharField(help_text="Why it was passed over: a code.")
    wait_s = serializers.FloatField(allow_null=True)
    ms = serializers.FloatField()


class SourceSerializer(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]
    fetched_at = serializers.DateTimeField()
    latency_ms = serializers.FloatField(allow_null=True)
    rows = serializers.IntegerField()


class MissingSerializer(serializers.Serializer[Any]):
    part = serializers.CharField(required=False, help_text="Of an answer in parts: which one.")
    symbol = serializers.CharField()
    reason = serializers.CharField(
        help_text="'unknown', 'quoted in EUR', or why nobody had it: a code, as in attempts."
    )


class ResolvedSerializer(serializers.Serializer[Any]):
    asked = serializers.CharField()
    symbol = serializers.CharField(help_text="What the answer calls it.")
    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    others = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of those it might have meant besides."
    )


class MetaSerializer(serializers.Serializer[Any]):
    source = serializers.CharField(help_text="Who answered.")  # type: ignore[assignment]
    fetched_at = serializers.DateTimeField()
    age_s = serializers.FloatField()
    latency_ms = serializers.FloatField(allow_null=True)
    cache = serializers.ChoiceField(["hit", "miss", "stale", "coalesced", "refreshing"])
    fresh_for_s = serializers.FloatField()
    stale = serializers.BooleanField()
    sandbox = serializers.BooleanField(help_text="True: invented by the sandbox, not by a market.")
    attempts = AttemptSerializer(many=True)
    sources = SourceSerializer(
        many=True, required=False, help_text="The parts, where several providers answered."
    )
    missing = MissingSerializer(
        many=True, required=False, help_text="What was asked for and is not here."
    )
    resolved = ResolvedSerializer(
        many=True, required=False, help_text="What was taken for words that fit several assets."
    )


class ProblemSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    attempts = AttemptSerializer(many=True, required=False)
    retry_after_s = serializers.IntegerField(required=False)
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


class CapabilitySerializer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    dataset = serializers.CharField()
    supported = serializers.BooleanField()
    enabled = serializers.BooleanField()
    key_needed = serializers.BooleanField()
    has_key = serializers.BooleanField()
    batch = serializers.IntegerField(help_text="Most symbols in one call.")
    history = serializers.BooleanField(help_text="It tells of the past too.")
    history_days = serializers.IntegerField(
        allow_null=True, help_text="How far back; null: not limited, or nobody says."
    )
    updates_every_s = serializers.FloatField(
        allow_null=True, help_text="How often its values change, as it says itself; 0: always."
    )
    cost = serializers.IntegerField(
        allow_null=True, help_text="What a question takes of its limits, in its own unit."
    )
    cost_usd = serializers.FloatField(allow_null=True, help_text="What a call costs, in dollars.")
    priority = serializers.IntegerField()
    fresh_s = serializers.FloatField(help_text="An answer of it is kept so long.")
    limits = serializers.ListField(child=serializers.DictField())
    calls_24h = serializers.IntegerField(allow_null=True)
    success_rate_percent = serializers.FloatField(allow_null=True)
    latency_ms = serializers.FloatField(allow_null=True)
    freshness_s = serializers.FloatField(
        allow_null=True, help_text="Measured: how old its newest value was when it came."
    )
    accuracy_percent = serializers.FloatField(
        allow_null=True, help_text="Measured: how many of its prices agreed with the others'."
    )


class CapabilitiesSerializer(serializers.Serializer[Any]):
    data = CapabilitySerializer(many=True)  # type: ignore[assignment]


class StatusSerializer(serializers.Serializer[Any]):
    timestamp = serializers.DateTimeField()
    health = serializers.ChoiceField(["online", "degraded", "offline", "unknown"])
    counts = serializers.DictField(child=serializers.IntegerField())
    avg_response_time_ms = serializers.FloatField(allow_null=True)
    providers = serializers.DictField(child=serializers.DictField())
    rotation = serializers.DictField(child=serializers.DictField())
    sandbox = serializers.BooleanField()


@cache
def row_serializer(record: Any) -> type[serializers.Serializer[Any]]:
    """A serializer with the fields of a record, so that schema and rows cannot part."""
    fields = {name: _field(hint) for name, hint in get_type_hints(record).items()}
    return type(f"{record.__name__}Serializer", (serializers.Serializer,), fields)


@cache
def answer_serializer(query: Any) -> type[serializers.Serializer[Any]]:
    """The envelope of one dataset: data and meta."""
    name = f"{query.__name__.removesuffix('Query')}AnswerSerializer"
    fields = {"data": row_serializer(query.record)(many=True), "meta": MetaSerializer()}
    return type(name, (serializers.Serializer,), fields)


_FIELDS: dict[Any, type[serializers.Field[Any, Any, Any, Any]]] = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    bool: serializers.BooleanField,
    Decimal: serializers.FloatField,
    datetime: serializers.DateTimeField,
    date: serializers.DateField,
}


def _field(hint: Any, **said: Any) -> serializers.Field[Any, Any, Any, Any]:
    """`said` must reach the constructor: DRF copies a field by constructing it again."""
    if isinstance(hint, UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not type(None))
        return _field(inner, allow_null=True)
    if is_record(hint):
        return row_serializer(hint)(**said)
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        if is_record(inner):
            return row_serializer(inner)(many=True, **said)
        return serializers.ListField(child=_field(inner), **said)
    if get_origin(hint) is dict:
        return serializers.DictField(**said)
    return _FIELDS[hint](**said)
