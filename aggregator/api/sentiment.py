"""What texts and what votes and news say: the routes below /api/sentiment."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, get_args

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from aggregator.answers import _attempt as spell_attempt
from aggregator.api import schema
from aggregator.api.errors import Unprocessable
from aggregator.api.parsers import ExactJSONParser
from aggregator.api.serializers import AttemptSerializer, QuerySerializer
from aggregator.api.symbols import KindField, SymbolField
from aggregator.encoding import timestamp
from aggregator.sentiment import Label, methods
from aggregator.sentiment.methods import Reading
from providers.adapters.base import prose
from providers.datasets import AssetSentimentQuery
from providers.errors import Garbled, NotFound
from providers.resilience import Deadline

MOST_TEXTS = 50
LONGEST = 2000  # characters of a text
NON_FIELD = api_settings.NON_FIELD_ERRORS_KEY


class AssetSentimentQuerySerializer(QuerySerializer):
    query = AssetSentimentQuery
    in_path = ("symbol",)

    symbol = SymbolField()
    kind = KindField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("kind", None)
        return attrs


class TextField(serializers.CharField):
    """
    Plain text out of whatever was sent: tags and control characters are no words. Each line is
    a sentence of its own, as headlines are.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if type(data) is not str:
            raise serializers.ValidationError("A text was expected.")
        return "\n".join(filter(None, map(_plain, data.splitlines())))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Checked as it was sent, but for what DRF takes for an error and we for no word."""
        if type(data) is str and len(data) > LONGEST:
            raise serializers.ValidationError(
                f"A text has at most {LONGEST:,} characters, not {len(data):,}."
            )
        found = super().run_validation(data.replace("\0", " ") if type(data) is str else data)
        if found == "":
            raise serializers.ValidationError("There is no word in it.")
        return found


def _plain(line: str) -> str:
    try:
        return prose(line, most=LONGEST)
    except Garbled:
        return ""  # nothing is left of it


class TextsSerializer(serializers.Serializer[Any]):
    """One `text`, or several `texts`."""

    text = TextField(required=False, help_text=f"One text of up to {LONGEST:,} characters.")
    texts = serializers.ListField(
        child=TextField(),
        required=False,
        allow_empty=False,
        max_length=MOST_TEXTS,
        help_text=f"Up to {MOST_TEXTS} texts.",
    )

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError({"body": 'An object was expected: {"text": ...}.'})
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({name[:60]: "Unknown field." for name in unknown})
        if len(data) != 1:
            raise serializers.ValidationError({"text": 'Send either "text" or "texts".'})
        return super().to_internal_value(data)

    @property
    def asked(self) -> list[str]:
        found: dict[str, Any] = self.validated_data
        return found["texts"] if "texts" in found else [found["text"]]


class SentimentRowSerializer(serializers.Serializer[Any]):
    label = serializers.ChoiceField(list(get_args(Label)))  # type: ignore[assignment]
    score = serializers.FloatField(help_text="From -1 (bearish) to 1 (bullish).")
    confidence = serializers.FloatField(help_text="0 to 1: see docs/sentiment.md.")
    method = serializers.ChoiceField(list(methods.METHODS))
    model = serializers.CharField(allow_null=True, help_text="Which one, where a model read it.")


class FallbackSerializer(serializers.Serializer[Any]):
    method = serializers.CharField(help_text="Who was to read the texts.")
    model = serializers.CharField(allow_null=True, help_text="And which model of theirs.")
    reason = serializers.CharField(help_text="Why it did not: a code.")
    detail = serializers.CharField(help_text="The same in words.")


class ReadingMetaSerializer(serializers.Serializer[Any]):
    source = serializers.CharField(help_text="Who read them.")  # type: ignore[assignment]
    fetched_at = serializers.DateTimeField()
    age_s = serializers.FloatField()
    latency_ms = serializers.FloatField()
    cache = serializers.ChoiceField(["miss"], help_text="Texts are read anew, and never kept.")
    fresh_for_s = serializers.FloatField()
    stale = serializers.BooleanField()
    sandbox = serializers.BooleanField()
    attempts = AttemptSerializer(many=True)
    fallback = FallbackSerializer(
        allow_null=True, help_text="Set where another model, or our own words, stood in for one."
    )


class ReadingSerializer(serializers.Serializer[Any]):
    data = SentimentRowSerializer(many=True)  # type: ignore[assignment]
    meta = ReadingMetaSerializer()


class AnalyzeView(APIView):
    """A row for each text, in their order."""

    parser_classes = (ExactJSONParser,)

    @extend_schema(
        operation_id="post_sentiment_analyze",
        summary="Is a text good news for a market?",
        tags=["data"],
        request=TextsSerializer,
        responses=schema.responses(ReadingSerializer, 400, 401, 403, 413, 415, 422, 429),
        examples=[
            OpenApiExample(
                "A headline",
                value={"text": "Bitcoin surges to a record high"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        asked = TextsSerializer(data=request.data)
        if not asked.is_valid():
            raise Unprocessable(_named(asked.errors))
        reading = methods.read(asked.asked, Deadline(settings.UPSTREAM_PATIENCE_S))
        body = {"data": methods.rows_of(reading), "meta": _meta(reading, time.time())}
        return Response(body, headers={"Cache-Control": "no-store"})

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """As `sentiment/{symbol}` answers for a symbol that nobody knows."""
        raise NotFound("No asset is known as 'analyze'. Texts to read are sent here by POST.")


def _named(errors: Mapping[str, Any]) -> dict[str, Any]:
    """Of several texts those that are at fault by their place: `texts[2]`, counted from 0."""
    texts = errors.get("texts")
    if isinstance(texts, dict):
        return {f"texts[{place}]": messages for place, messages in texts.items()}
    return {"body" if name == NON_FIELD else name: found for name, found in errors.items()}


def _meta(reading: Reading, now: float) -> dict[str, Any]:
    return {
        "source": reading.source,
        "fetched_at": timestamp(now),
        "age_s": 0.0,
        "latency_ms": round(reading.latency_ms, 1),
        "cache": "miss",
        "fresh_for_s": 0.0,
        "stale": False,
        "sandbox": bool(settings.SANDBOX),
        "attempts": [spell_attempt(attempt) for attempt in reading.attempts],
        "fallback": vars(reading.fallback) if reading.fallback else None,
    }
