"""What the status of the system says of AI models."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from aggregator.sentiment import local
from monitoring.aimodels_readout import ai_models
from monitoring.models import Scan, ScanPlan
from providers.aimodels import AiModel, ModelStatus

pytestmark = pytest.mark.django_db


def scan(at: datetime, **fields: Any) -> Scan:
    values = {"running": None, "started_at": at, "lease_until": at, "finished_at": at, "by": "a"}
    return Scan.objects.create(**values | fields)


def test_before_the_first_scan_nothing_is_known(shipped: None) -> None:
    assert ai_models() == {
        "transformers_loaded": False,
        "sentiment_models": 0,
        "hf_api_active": None,
    }


def test_what_was_found_lately_counts_and_what_is_old_does_not(shipped: None) -> None:
    moment = now()
    found = {"status": ModelStatus.AVAILABLE, "checked_at": moment}
    fresh = moment + timedelta(minutes=15)
    AiModel.objects.filter(category="financial_sentiment").update(fresh_until=fresh, **found)
    AiModel.objects.filter(category="summarization").update(fresh_until=fresh, **found)
    AiModel.objects.filter(model_id="ProsusAI/finbert").update(status=ModelStatus.UNSERVED)
    scan(moment - timedelta(hours=1), hub_answered=False)
    scan(moment, hub_answered=True)
    told = ai_models(moment)
    assert (told["sentiment_models"], told["hf_api_active"]) == (3, True)
    later = moment + timedelta(seconds=3 * ScanPlan().interval_s + 1)
    told = ai_models(later)
    assert (told["sentiment_models"], told["hf_api_active"]) == (0, None)


def test_a_hub_that_did_not_answer_is_not_active() -> None:
    scan(now(), hub_answered=False)
    assert ai_models()["hf_api_active"] is False


def test_a_scan_that_goes_on_has_not_said_anything() -> None:
    scan(now(), hub_answered=None, running=True, finished_at=None)
    assert ai_models()["hf_api_active"] is None


def test_a_model_of_this_machine_is_loaded_when_it_could_read(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text("{}")
    settings.SENTIMENT_LOCAL_MODEL = str(tmp_path)
    monkeypatch.setattr(local, "LIBRARIES", ("json",))
    assert ai_models()["transformers_loaded"] is True
    monkeypatch.setattr(local, "LIBRARIES", ("no_such_library",))
    assert ai_models()["transformers_loaded"] is False
