"""What the monitoring routes answer, for the schema; and the one body that is sent to them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from monitoring.readings import named
from providers.health import Kind
from providers.standing import Status


def _number(help_text: str = "") -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=help_text)


class LatencySerializer(serializers.Serializer[Any]):
    """In ms, of the window; percentiles are exact to 5 %."""

    min = _number()
    max = _number()
    avg = _number()
    p50 = _number()
    p95 = _number()


class ProviderStatusSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in Status])
    reason = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField()
    response_time_ms = _number("Of the last good check.")
    uptime_percent = _number("ok / (ok + fault) of the window's checks; null without any.")
    rate_limit_percent = _number("Of the scarcest rate limit, how much is used up.")
    last_check = serializers.DateTimeField(allow_null=True)
    error_message = serializers.CharField(allow_null=True)
    consecutive_failures = serializers.IntegerField()
    latency = LatencySerializer()
    endpoint_up = serializers.BooleanField(allow_null=True)
    credential_valid = serializers.BooleanField(allow_null=True)
    kind = serializers.ChoiceField(choices=Kind.choices)


class ProvidersStatusSerializer(serializers.Serializer[Any]):
    timestamp = serializers.DateTimeField()
    providers = serializers.DictField(child=ProviderStatusSerializer())


class OneStatusSerializer(ProviderStatusSerializer):
    provider_name = serializers.CharField()
    timestamp = serializers.DateTimeField()


class BestSerializer(serializers.Serializer[Any]):
    best_provider = serializers.CharField()
    reason = serializers.CharField()
    alternatives = serializers.ListField(child=serializers.CharField(), max_length=2)


class HistoryRowSerializer(serializers.Serializer[Any]):
    provider_name = serializers.CharField()
    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in Status])
    response_time_ms = _number()
    timestamp = serializers.DateTimeField()
    resolution = serializers.ChoiceField(choices=["raw", "5m", "1h", "1d"])


class WatchSerializer(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="healthy, stale, paused or no checks yet.")
    providers_monitored = serializers.IntegerField()
    check_interval_minutes = serializers.FloatField()
    running = serializers.BooleanField()
    last_check = serializers.DateTimeField(allow_null=True)


class RateLimitSerializer(serializers.Serializer[Any]):
    """One limit as the provider told it. What nobody told is null; a limit of 0 allows nothing."""

    credential = serializers.CharField(allow_null=True, help_text="The label of the key.")
    metric = serializers.CharField(help_text="requests, tokens, input_tokens, ... or credits.")
    window_s = _number("Seconds; null where the provider does not say.")
    limit = _number()
    remaining = _number()
    resets_at = serializers.DateTimeField(allow_null=True)
    used_per_s = _number("The pace of late.")
    exhausted_at = serializers.DateTimeField(
        allow_null=True, help_text="Predicted; null where it lasts until it comes back."
    )
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="header, quota_api or error_body."
    )
    names = serializers.ListField(child=serializers.CharField(), help_text="Where it stood.")
    observed_at = serializers.DateTimeField()


class NumbersSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in Status])
    reason = serializers.CharField(allow_blank=True)
    priority = serializers.IntegerField(allow_null=True)
    response_time_ms = _number()
    success_rate = _number("In percent; null without calls that say something.")
    total_requests = serializers.IntegerField()
    failure_count = serializers.IntegerField()
    consecutive_failures = serializers.IntegerField()
    rate_limit_hits = serializers.IntegerField()
    last_success = serializers.DateTimeField(allow_null=True)
    last_failure = serializers.DateTimeField(allow_null=True)
    cooldown_until = serializers.DateTimeField(allow_null=True)
    rate_limit_percent = _number("Of the scarcest rate limit, how much is used up.")
    quota_exhausted_at = serializers.DateTimeField(
        allow_null=True, help_text="Predicted; null when no limit would be spent at this rate."
    )


class StatsSerializer(NumbersSerializer):
    rate_limits = RateLimitSerializer(
        many=True, help_text="What language models say of their limits, with its source."
    )


class ModelsInUseSerializer(serializers.Serializer[Any]):
    transformers_loaded = serializers.BooleanField(help_text="Has this machine a model of its own?")
    sentiment_models = serializers.IntegerField(allow_null=True)
    hf_api_active = serializers.BooleanField(allow_null=True)


class InfrastructureSerializer(serializers.Serializer[Any]):
    database_status = serializers.ChoiceField(choices=["online", "offline"])
    database_entries = serializers.IntegerField(
        allow_null=True, help_text="Answers on the shelf; null while it is out of reach."
    )
    background_worker = serializers.ChoiceField(choices=["active", "silent"])
    worker_next_run = serializers.CharField(allow_null=True, help_text="Such as 'Next run 1m'.")
    websocket_active = serializers.BooleanField()


class BreakdownSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    by_source = serializers.DictField(child=serializers.IntegerField())
    by_category = serializers.DictField(child=serializers.IntegerField())


class MishapSerializer(serializers.Serializer[Any]):
    """Calls of one provider that failed alike in the last 24 hours."""

    provider = serializers.CharField()
    count = serializers.IntegerField()
    type = serializers.CharField(help_text="The code of the error, as in `attempts`.")
    message = serializers.CharField(help_text="What the last of them said.")
    action = serializers.CharField(help_text="What was done about it without anybody.")


class PerformanceSerializer(serializers.Serializer[Any]):
    avg_response_ms = _number("Of the checks of 24 hours.")
    p95_response_ms = _number()
    fastest_provider = serializers.CharField(allow_null=True, help_text="Of those that are well.")
    fastest_time_ms = _number("Of its last good check.")
    cache_hit_rate = _number("In percent, of the answers of 24 hours.")


class MachineSerializer(serializers.Serializer[Any]):
    cpu_percent = _number("Since the last reading.")
    memory_percent = _number()
    load_avg = serializers.ListField(
        child=serializers.FloatField(), min_length=3, max_length=3, help_text="Of 1, 5, 15 minutes."
    )


class SystemSerializer(serializers.Serializer[Any]):
    overall_health = serializers.ChoiceField(
        choices=["online", "degraded", "partial", "offline"],
        allow_null=True,
        help_text="Null before the first check, and when nothing was checked for three intervals.",
    )
    providers_detailed = NumbersSerializer(many=True)
    ai_models = ModelsInUseSerializer()
    infrastructure = InfrastructureSerializer()
    resource_breakdown = BreakdownSerializer()
    error_details = MishapSerializer(many=True)
    performance = PerformanceSerializer()
    resources = MachineSerializer()
    timestamp = serializers.DateTimeField()


class StartedSerializer(serializers.Serializer[Any]):
    started = serializers.ListField(child=serializers.CharField())


class CheckNowSerializer(serializers.Serializer[Any]):
    providers = serializers.ListField(
        child=serializers.CharField(max_length=120),
        required=False,
        max_length=500,
        allow_empty=False,
        help_text="Names; all without it.",
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(map(str, set(data) - set(self.fields)))):
            raise serializers.ValidationError(
                {name[:60]: "Unknown field. Known: providers." for name in unknown}
            )
        return super().to_internal_value(data)

    def validate_providers(self, names: list[str]) -> list[str]:
        if unknown := [name for name in names if named(name) is None]:
            raise serializers.ValidationError(f"Unknown: {', '.join(unknown[:5])}")
        return names
