"""GET /api/resources: the whole catalogue, to be searched and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aggregator.api import schema
from aggregator.api.serializers import QuerySerializer
from aggregator.encoding import timestamp
from providers import known
from providers.known import Known
from providers.parameters import once
from providers.resources import Auth, Flag, Kind, Source
from providers.standing import Status

PAGE = 100
MOST = 250
ASKED = ("q", "category", "source", "status", "flag")


class ResourcesQuerySerializer(QuerySerializer):
    q = serializers.CharField(
        max_length=100,
        allow_blank=True,
        required=False,
        default="",
        help_text="Words of a name, address or chain.",
    )
    category = serializers.CharField(
        max_length=30, required=False, default="", help_text="Of one category: market, node, llm."
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=Source.values, required=False, default="", help_text="Who named it."
    )
    status = serializers.ChoiceField(
        choices=[status.value for status in Status],
        required=False,
        default="",
        help_text="How it is; unknown where nobody looked.",
    )
    flag = serializers.ChoiceField(
        choices=Flag.values, required=False, default="", help_text="What one should know of it."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=PAGE, help_text="Entries on a page, 1 to 250."
    )
    page = serializers.IntegerField(
        min_value=1, max_value=10_000, default=1, help_text="Which page, counted from 1."
    )

    def chosen(self, entries: Sequence[Known]) -> list[Known]:
        """Those that were asked for; ValidationError for a category that nobody has."""
        self.is_valid(raise_exception=True)
        asked: dict[str, str] = {name: self.validated_data[name] for name in ASKED}
        categories = {entry.category for entry in entries}
        if asked["category"] and asked["category"] not in categories:
            raise serializers.ValidationError(
                {"category": f"No such category. One of: {', '.join(sorted(categories))}."}
            )
        return known.find(entries, **asked)

    def page_of(self, entries: Sequence[Known]) -> Sequence[Known]:
        limit, page = self.validated_data["limit"], self.validated_data["page"]
        return entries[(page - 1) * limit : page * limit]

    def pages(self, entries: Sequence[Known]) -> int:
        return -(-len(entries) // int(self.validated_data["limit"]))


class ClaimSerializer(serializers.Serializer[Any]):
    limit = serializers.FloatField()
    per_s = serializers.FloatField()
    scope = serializers.CharField(help_text="Whom it counts: address or key.")
    source = serializers.CharField(allow_null=True, help_text="Who says so.")  # type: ignore[assignment]
    read_on = serializers.DateField(allow_null=True)


class ResourceSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(Kind.values)
    category = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField())
    source = serializers.ChoiceField(Source.values)  # type: ignore[assignment]
    url = serializers.CharField(allow_null=True)
    docs_url = serializers.CharField(allow_null=True)
    signup_url = serializers.CharField(allow_null=True)
    auth = serializers.ChoiceField(Auth.values)
    chains = serializers.ListField(child=serializers.CharField())
    limits = ClaimSerializer(many=True)
    priority = serializers.IntegerField(allow_null=True)
    flags = serializers.ListField(child=serializers.ChoiceField(Flag.values))
    status = serializers.ChoiceField([status.value for status in Status])
    status_reason = serializers.CharField(allow_null=True, help_text="Why it is said to be so.")
    checked_at = serializers.DateTimeField(
        allow_null=True, help_text="The last look at it; null where nobody looked."
    )
    response_time_ms = serializers.FloatField(
        allow_null=True, help_text="Of the last good answer; null where there was none."
    )
    providers = serializers.ListField(
        child=serializers.CharField(), help_text="Providers that speak for it: see capabilities."
    )
    notes = serializers.CharField()


class ResourcesSerializer(serializers.Serializer[Any]):
    rows = ResourceSerializer(many=True)
    total = serializers.IntegerField(help_text="All that match, on this page or not.")
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    by_source = serializers.DictField(child=serializers.IntegerField())
    by_category = serializers.DictField(child=serializers.IntegerField())


class ResourcesView(APIView):
    @extend_schema(
        operation_id="get_resources",
        summary="The whole catalogue: who is asked, and what is only known of",
        tags=["system"],
        parameters=schema.parameters(ResourcesQuerySerializer),
        responses=schema.responses(ResourcesSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> Response:
        asked = ResourcesQuerySerializer(data=once(request.query_params))
        found = asked.chosen(known.everything())
        return Response(
            {
                "rows": [spell(entry) for entry in asked.page_of(found)],
                "total": len(found),
                "page": asked.validated_data["page"],
                "pages": asked.pages(found),
                "by_source": known.count(entry.source for entry in found),
                "by_category": known.count(entry.category for entry in found),
            }
        )


def spell(entry: Known) -> dict[str, Any]:
    """An entry on the wire; what nobody said is null."""
    return {
        "slug": entry.slug,
        "title": entry.title,
        "kind": entry.kind,
        "category": entry.category,
        "topics": entry.topics,
        "source": entry.source,
        "url": entry.url or None,
        "docs_url": entry.docs_url or None,
        "signup_url": entry.signup_url or None,
        "auth": entry.auth,
        "chains": entry.chains,
        "limits": [
            {
                "limit": window["limit"],
                "per_s": window["per_s"],
                "scope": window.get("scope", "address"),
                "source": window.get("source"),
                "read_on": window.get("read_on"),
            }
            for window in entry.limits
        ],
        "priority": entry.priority,
        "flags": entry.flags,
        "status": entry.status.value,
        "status_reason": entry.reason or None,
        "checked_at": timestamp(entry.checked_at.timestamp()) if entry.checked_at else None,
        "response_time_ms": (
            None if entry.response_time_ms is None else round(entry.response_time_ms, 1)
        ),
        "providers": entry.providers,
        "notes": entry.notes,
    }
