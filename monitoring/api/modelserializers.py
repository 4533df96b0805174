"""What the routes about AI models answer, for the schema."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from monitoring.modelrows import Way
from providers.aimodels import Category, ModelStatus, Task
from providers.parameters import Parameters

MOST_CHECKS = 1000


def _rate(help_text: str) -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=help_text)


class LimitParameters(Parameters):
    limit = serializers.IntegerField(
        min_value=1,
        max_value=MOST_CHECKS,
        default=100,
        help_text=f"How many, the newest first; 1 to {MOST_CHECKS}.",
    )


class AiModelSerializer(serializers.Serializer[Any]):
    model_id = serializers.CharField()
    model_key = serializers.CharField()
    task = serializers.ChoiceField(choices=Task.choices)
    category = serializers.ChoiceField(choices=Category.choices)
    provider = serializers.CharField(help_text="Who runs it: huggingface or local.")
    requires_auth = serializers.BooleanField()
    is_active = serializers.BooleanField()
    status = serializers.ChoiceField(choices=ModelStatus.choices)
    reason = serializers.CharField(allow_blank=True)
    checked_at = serializers.DateTimeField(allow_null=True)
    total_checks = serializers.IntegerField()
    successful_checks = serializers.IntegerField()
    failed_checks = serializers.IntegerField()
    avg_response_time_ms = _rate("Of the texts it read; null before the first.")
    success_rate = _rate("In percent; null before the first check that says something of it.")
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)
    fallback = serializers.CharField(allow_null=True, help_text="Who stands in for it.")


class AiModelsSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    models = AiModelSerializer(many=True)


class CheckSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=ModelStatus.choices)
    response_time_ms = _rate("Of the model itself: null where it was not tried.")
    success = serializers.BooleanField(
        allow_null=True, help_text="Null where it says nothing of the model."
    )
    error_message = serializers.CharField(allow_null=True)
    test_input = serializers.CharField(allow_null=True)
    test_output = serializers.CharField(allow_null=True)
    confidence = _rate("0 to 1, where the task has one.")
    checked_at = serializers.DateTimeField()
    way = serializers.ChoiceField(choices=Way.choices)


class ModelHistorySerializer(serializers.Serializer[Any]):
    model_id = serializers.CharField()
    total_records = serializers.IntegerField(help_text="That are kept.")
    history = CheckSerializer(many=True)


class ModelStatsSerializer(serializers.Serializer[Any]):
    model_info = AiModelSerializer()
    recent_checks = CheckSerializer(many=True)


class RunSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    by = serializers.CharField(help_text="Who began it.")
    running = serializers.BooleanField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    total = serializers.IntegerField()
    looked_at = serializers.IntegerField()
    tried = serializers.IntegerField(help_text="Were given a text to read.")
    hub_answered = serializers.BooleanField(allow_null=True)


class ScannedSerializer(serializers.Serializer[Any]):
    model_id = serializers.CharField()
    task = serializers.ChoiceField(choices=Task.choices)
    category = serializers.ChoiceField(choices=Category.choices)
    status = serializers.ChoiceField(choices=ModelStatus.choices)
    reason = serializers.CharField(allow_blank=True)
    checked_at = serializers.DateTimeField(allow_null=True)


class ModelScanSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    available = serializers.IntegerField()
    loading = serializers.IntegerField()
    failed = serializers.IntegerField()
    auth_required = serializers.IntegerField()
    not_found = serializers.IntegerField()
    unserved = serializers.IntegerField()
    unknown = serializers.IntegerField()
    run = RunSerializer(allow_null=True, help_text="The last one; null before the first.")
    models = ScannedSerializer(many=True)


class ModelCategorySerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    avg_success_rate = _rate("In percent, the mean of its models; null before the first check.")
    models = serializers.ListField(child=serializers.CharField())


class ModelSummarySerializer(serializers.Serializer[Any]):
    total_models = serializers.IntegerField()
    models_with_checks = serializers.IntegerField()
    overall_success_rate = _rate("In percent, of all checks; null before the first.")
    by_category = serializers.DictField(child=ModelCategorySerializer())


class TimedSummarySerializer(ModelSummarySerializer):
    timestamp = serializers.DateTimeField()


class ModelDashboardSerializer(serializers.Serializer[Any]):
    summary = ModelSummarySerializer()
    top_models = AiModelSerializer(many=True)
    failed_models = AiModelSerializer(many=True)
    agent_running = serializers.BooleanField()
    total_models = serializers.IntegerField()
    timestamp = serializers.DateTimeField()


class AgentSerializer(serializers.Serializer[Any]):
    running = serializers.BooleanField()
    status = serializers.CharField(help_text="running, stopped or the worker is silent.")
    interval_minutes = serializers.FloatField()
    last_scan = serializers.DateTimeField(allow_null=True)


class ModelHealthSerializer(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="healthy, stale, stopped or no scan yet.")
    agent_running = serializers.BooleanField()
    last_scan = serializers.DateTimeField(allow_null=True)
    total_models = serializers.IntegerField()
    available = serializers.IntegerField()
    hub_answered = serializers.BooleanField(allow_null=True)
    timestamp = serializers.DateTimeField()
