"""How calls ended, by the hour: nothing is counted twice, and no sum ever falls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.utils.timezone import now

from providers import calls, outcomes
from providers.models import Call, Provider
from providers.outcomes import BEFORE, Outcome

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return Provider.objects.create(slug="p", title="P", adapter_name="coingecko")


def called(by: Provider, outcome: str, at: datetime, seconds: float = 0.5, **more: Any) -> None:
    row = Call(provider=by, dataset="market", outcome=outcome, at=at, seconds=seconds, **more)
    calls.record(row)


def told() -> list[tuple[Any, ...]]:
    rows = Outcome.objects.order_by("hour", "outcome")
    return list(rows.values_list("outcome", "hour", "calls", "seconds", "detail"))


def test_calls_of_an_hour_that_ended_alike_are_one_row(provider: Provider) -> None:
    called(provider, "ok", NOON + timedelta(minutes=1))
    called(provider, "broken", NOON + timedelta(minutes=2), detail="502")
    called(provider, "broken", NOON + timedelta(minutes=9), detail="503")
    called(provider, "broken", NOON + timedelta(minutes=7), detail="504")
    calls.flush()
    called(provider, "ok", NOON + timedelta(minutes=61))
    called(provider, "ok", NOON + timedelta(minutes=3))
    calls.flush()
    assert told() == [
        ("broken", NOON, 3, 1.5, "503"),
        ("ok", NOON, 2, 1.0, ""),
        ("ok", NOON + timedelta(hours=1), 1, 0.5, ""),
    ]
    assert Outcome.objects.get(outcome="broken").last_at == NOON + timedelta(minutes=9)


def test_a_batch_that_is_not_written_is_not_counted(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def refuse(batch: Any) -> None:
        raise OperationalError("full")

    called(provider, "ok", NOON)
    with monkeypatch.context() as patched:
        patched.setattr("providers.calls.tallies.add", refuse)
        assert not calls.flush()
    assert (told(), Call.objects.count()) == ([], 0)
    assert calls.flush()
    assert (told()[0][2], Call.objects.count()) == (1, 1)


def test_what_is_folded_still_counts(provider: Provider) -> None:
    moment = now()
    for days in (0, 7, 9, 10, 30):
        called(provider, "ok", moment - timedelta(days=days))
    called(provider, "broken", moment - timedelta(days=20))
    calls.flush()
    before = Outcome.objects.aggregate(n=Sum("calls"), s=Sum("seconds"))
    assert outcomes.fold(moment) == 4
    assert outcomes.fold(moment) == 0
    assert Outcome.objects.aggregate(n=Sum("calls"), s=Sum("seconds")) == before
    assert {row[0]: row[2] for row in told() if row[1] == BEFORE} == {"ok": 3, "broken": 1}
    called(provider, "ok", moment - timedelta(days=9))
    calls.flush()
    outcomes.fold(moment)
    assert Outcome.objects.get(outcome="ok", hour=BEFORE).calls == 4
