"""Endpoints in a state, with a past, for the tests of what is shown of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils.timezone import now

from monitoring import readings, roll, rollups
from monitoring.models import CheckResult, Endpoint, StateChange
from providers import calls, roster
from providers.health import Health
from providers.models import Call, Provider

_runs = count(1)


def endpoint(slug: str, status: str = "healthy", **fields: Any) -> Endpoint:
    """One that was checked a moment ago; `fields` are of its health."""
    Provider.objects.create(slug=slug, title=slug, adapter_name="binance")
    roster.forget()
    roll.sync()
    moment = now()
    values: dict[str, Any] = {
        "status": status,
        "reason": "because",
        "since": moment,
        "checked_at": moment,
        "heard_at": moment,
        "fresh_until": moment + timedelta(minutes=15),
        "response_time_ms": 100.0,
    }
    Health.objects.filter(name=slug).update(**values | fields)
    readings.forget()
    return Endpoint.objects.select_related("health").get(health__name=slug)


def results(of: Endpoint, *found: str, at: datetime | None = None, ms: float = 100) -> None:
    """One result a minute until `at`, the last one then; 'good' and 'fault' and so on."""
    end = at or now()
    CheckResult.objects.bulk_create(
        CheckResult(
            endpoint=of,
            run=next(_runs),
            at=end - timedelta(minutes=len(found) - 1 - n),
            finding=finding,
            status="down" if finding == "fault" else "healthy",
            outcome="broken" if finding == "fault" else "ok",
            response_time_ms=None if finding != "good" else ms,
        )
        for n, finding in enumerate(found)
    )
    rollups.run(now())
    readings.forget()


def was(of: Endpoint, *states: tuple[str, float]) -> None:
    """The states of the last hours, oldest first; the last one goes on."""
    moment = now() - timedelta(hours=sum(hours for _, hours in states))
    for n, (status, hours) in enumerate(states):
        end = moment + timedelta(hours=hours)
        StateChange.objects.create(
            endpoint=of,
            status=status,
            reason=f"it was {status}",
            began_at=moment,
            ended_at=None if n == len(states) - 1 else end,
        )
        moment = end


def called(by: Provider, *outcomes: str, hours: float = 0, **fields: Any) -> None:
    """Calls that ended so, so long ago."""
    values: dict[str, Any] = {"dataset": "market", "seconds": 0.1, "at": now()} | fields
    values["at"] -= timedelta(hours=hours)
    for outcome in outcomes:
        calls.record(Call(provider=by, outcome=outcome, **values))
    assert calls.flush()
    readings.forget()
