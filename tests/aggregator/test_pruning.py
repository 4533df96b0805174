from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils.timezone import now

from aggregator import pruning
from aggregator.models import ShelvedAnswer
from providers.history import Edit
from providers.models import Call, Cell, Provider
from providers.tallies import Tally

pytestmark = pytest.mark.django_db


def test_only_what_has_had_its_time_goes() -> None:
    provider = Provider.objects.create(slug="p", title="P", adapter_name="coingecko")
    for days in (0, 6, 8, 30):
        Call.objects.create(
            provider=provider,
            dataset="market",
            outcome="ok",
            seconds=0.1,
            at=now() - timedelta(days=days),
        )
    for key, stale_until in [("old", time.time() - 1), ("good", time.time() + 60)]:
        ShelvedAnswer.objects.create(
            key=key, dataset="market", payload="{}", fetched_at=0, stale_until=stale_until
        )
    Cell.objects.create(key="dead", value="1", version=1, expires_at=0)
    Cell.objects.create(key="live", value="1", version=1, expires_at=time.time() + 60)

    for days in (1, 61, 63):
        Tally.objects.create(provider=provider, hour=now() - timedelta(days=days))

    for days in (364, 366):
        Edit.objects.create(subject="providers.policy/1", batch=uuid4(), at=now() - timedelta(days))

    gone = pruning.prune(sleep=lambda s: None)
    assert gone == {"calls": 2, "tallies": 1, "outcomes": 0, "answers": 1, "edits": 1, "cells": 1}
    assert Call.objects.count() == 2
    assert ShelvedAnswer.objects.get().key == "good"
    assert Cell.objects.get(key="live").value == "1"


def test_many_rows_go_in_chunks_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.pruning.CHUNK", 10)
    Cell.objects.bulk_create(
        Cell(key=f"dead{n}", value="1", version=1, expires_at=0) for n in range(25)
    )
    pauses: list[float] = []
    assert pruning.prune(sleep=pauses.append)["cells"] == 25
    assert len(pauses) == 2
