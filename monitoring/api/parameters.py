"""What may be asked of the monitoring routes. A parameter nobody knows is a 400 that names it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from monitoring.prepared import WINDOWS
from providers.datasets import DATASETS
from providers.health import Kind


class Parameters(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        if unknown := sorted(set(data) - set(self.fields) - {"format"}):
            known = ", ".join(self.fields) or "none"
            raise serializers.ValidationError(
                {name[:60]: f"Unknown parameter. Known: {known}." for name in unknown}
            )
        return super().to_internal_value(data)

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """What was asked, checked; raises ValidationError."""
        asked = cls(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        found: dict[str, Any] = asked.validated_data
        return found


class StatusParameters(Parameters):
    kind = serializers.ChoiceField(
        choices=Kind.choices, required=False, help_text="Only endpoints of this kind."
    )
    window = serializers.ChoiceField(
        choices=list(WINDOWS), default="24h", help_text="Of which uptime and latency are taken."
    )


class OneParameters(Parameters):
    window = serializers.ChoiceField(
        choices=list(WINDOWS), default="24h", help_text="Of which uptime and latency are taken."
    )


class BestParameters(Parameters):
    kind = serializers.ChoiceField(
        choices=Kind.choices, default=Kind.DATA.value, help_text="Among endpoints of this kind."
    )
    dataset = serializers.ChoiceField(
        choices=list(DATASETS), required=False, help_text="Among providers that answer it."
    )


class HistoryParameters(Parameters):
    hours = serializers.IntegerField(
        min_value=1, max_value=168, default=24, help_text="How far back, 1 to 168."
    )


class NoParameters(Parameters):
    pass
