"""What the staff routes of the chat take and tell."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from aggregator.api.errors import Unprocessable
from chat.categories import Category
from chat.models import DatasetVersion, Experiment, ModelVersion, ReviewItem, TrainingRun

CATEGORIES = [category.value for category in Category]


class Strict(serializers.Serializer[Any]):
    """A field nobody knows is an error that names it."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            known = ", ".join(self.fields) or "none"
            raise serializers.ValidationError(
                {str(name)[:60]: f"Unknown field. Known: {known}." for name in unknown}
            )
        return super().to_internal_value(data)

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """A body, checked. Raises Unprocessable."""
        asked = cls(data=request.data)
        if not asked.is_valid():
            raise Unprocessable(asked.errors)
        found: dict[str, Any] = asked.validated_data
        return found


class DecisionSerializer(Strict):
    decision = serializers.ChoiceField(choices=["accept", "relabel", "reject", "reopen"])
    category = serializers.ChoiceField(choices=CATEGORIES, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["decision"] == "relabel") != ("category" in attrs):
            raise serializers.ValidationError(
                {"category": "It goes with the decision `relabel`, and with no other."}
            )
        return attrs


class FreezeSerializer(Strict):
    note = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class TrainSerializer(Strict):
    dataset = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False, default=0)


class RoleSerializer(Strict):
    why = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class BeginSerializer(Strict):
    name = serializers.CharField(max_length=80)
    challenger = serializers.CharField(max_length=12, help_text="The code of a model.")
    share_percent = serializers.IntegerField(min_value=1, max_value=99, required=False, default=50)
    horizon = serializers.IntegerField(
        min_value=100, max_value=1_000_000, required=False, default=1250
    )


class NothingSerializer(Strict):
    pass


def review_item(row: ReviewItem) -> dict[str, Any]:
    return {
        "id": row.pk,
        "interaction_id": row.interaction_id,
        "query": row.interaction.query,
        "answer": row.interaction.answer,
        "confidence": row.interaction.confidence,
        "route": row.interaction.route,
        "model": row.interaction.model_version or None,
        "reasons": row.reasons,
        "suggested": row.suggested,
        "state": row.state,
        "category": row.category or None,
        "decided_at": row.decided_at,
        "at": row.at,
    }


def dataset(row: DatasetVersion) -> dict[str, Any]:
    return {
        "number": row.number,
        "sha256": row.sha256,
        "questions": row.questions,
        "manifest": row.manifest,
        "note": row.note,
        "at": row.at,
        "archived_at": row.archived_at,
    }


def training_run(row: TrainingRun) -> dict[str, Any]:
    model = getattr(row, "model", None)
    return {
        "id": row.pk,
        "dataset": row.dataset.number,
        "seed": row.seed,
        "state": row.state,
        "progress_percent": row.progress_percent,
        "doing": row.doing or None,
        "reasons": row.reasons,
        "error": row.error or None,
        "model": model.code if model else None,
        "at": row.at,
        "finished_at": row.finished_at,
    }


def model_version(row: ModelVersion) -> dict[str, Any]:
    return {
        "code": row.code,
        "sha256": row.sha256,
        "role": row.role,
        "size_bytes": row.size_bytes,
        "trained_s": row.trained_s,
        "training_run": row.run_id,
        "metrics": row.metrics,
        "at": row.at,
    }


def experiment(row: Experiment, arms: Any) -> dict[str, Any]:
    """`arms`: the figures as they are now, of one that runs."""
    return {
        "id": row.pk,
        "name": row.name,
        "state": row.state,
        "champion": row.champion.code,
        "challenger": row.challenger.code,
        "share_percent": row.share_percent,
        "horizon": row.horizon,
        "verdict": arms if arms is not None else row.verdict,
        "at": row.at,
        "ended_at": row.ended_at,
    }
