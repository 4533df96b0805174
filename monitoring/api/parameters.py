"""What may be asked of the monitoring routes."""

from __future__ import annotations

from rest_framework import serializers

from monitoring.prepared import WINDOWS
from providers.datasets import DATASETS
from providers.health import Kind
from providers.parameters import Parameters


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
