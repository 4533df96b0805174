"""What /api/system/status says of AI models: from rows, never from an upstream."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.timezone import now as current_time

from aggregator import readouts
from monitoring.modelrows import Scan, ScanPlan
from providers.aimodels import SENTIMENT, AiModel, ModelStatus


def ai_models(moment: datetime | None = None) -> dict[str, Any]:
    """
    `transformers_loaded`: can this machine read texts with a model of its own? `sentiment_models`:
    how many models of sentiment can be asked now. `hf_api_active`: did the Hub answer the newest
    scan? None before the first, and when that is too long ago.
    """
    moment = moment or current_time()
    models = AiModel.objects.active().filter(category__in=SENTIMENT, checked_at__isnull=False)
    available = [row for row in models if row.status_at(moment) is ModelStatus.AVAILABLE]
    newest = Scan.objects.exclude(finished_at=None).order_by("-started_at").first()
    fresh = newest is not None and moment - newest.started_at <= ScanPlan.current().fresh_for
    return {
        "transformers_loaded": not readouts.local_model()[1],
        "sentiment_models": len(available),
        "hf_api_active": newest.hub_answered if newest is not None and fresh else None,
    }
