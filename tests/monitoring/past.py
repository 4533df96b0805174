"""A past of ninety days for the endpoints of an installation, with some of everything in it."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

from django.utils.timezone import now

from monitoring import rollups
from monitoring.models import CheckResult, Endpoint, Incident, IncidentUpdate, StateChange
from providers.standing import Status

WEEK_S = 7 * 86400


def invent(seed: int = 7) -> None:
    """Intervals of 90 days, and results of a week, by the quarter of an hour."""
    chance = random.Random(seed)
    StateChange.objects.all().delete()
    for endpoint in Endpoint.objects.select_related("health"):
        if endpoint.health.status != Status.DISABLED:
            _states(endpoint, chance)
            _results(endpoint, chance)
    rollups.run(now())


def incident() -> None:
    """One that goes on, and one that is over."""
    moment = now()
    row = Incident.objects.create(title="binance answers slowly or in part", severity="minor")
    row.endpoints.add(Endpoint.objects.get(health__name="binance"))
    IncidentUpdate.objects.create(incident=row, text="It rests.", automatic=True)
    IncidentUpdate.objects.create(incident=row, text="We look into it.")
    Incident.objects.create(
        title="kraken is down", began_at=moment - timedelta(days=40), ended_at=moment
    )


def _states(endpoint: Endpoint, chance: random.Random) -> None:
    end, moment = now(), now() - timedelta(days=chance.choice([90, 90, 90, 40, 3]))
    edges = [moment]
    while moment < end:
        moment += timedelta(hours=chance.expovariate(1 / 120))
        edges += [moment, moment + timedelta(minutes=chance.choice([10, 45, 600, 3000]))]
        moment = edges[-1]
    ill = ["down", "degraded", "rate_limited", "unknown", "misconfigured", "maintenance", "down"]
    edges = [edge for edge in edges if edge < end]
    spans = [*pairwise(edges), (edges[-1], None)]
    for number, (began, ended) in enumerate(spans):
        status = "healthy" if number % 2 == 0 else chance.choice(ill)
        status = endpoint.health.status if ended is None else status
        StateChange.objects.create(
            endpoint=endpoint,
            status=status,
            reason="answers" if status == "healthy" else "invented for a look at the page",
            began_at=began,
            ended_at=ended,
        )


def _results(endpoint: Endpoint, chance: random.Random) -> None:
    usual, end = chance.uniform(40, 600), now() - timedelta(hours=1)
    silent = chance.uniform(0.3, 0.7) * WEEK_S
    CheckResult.objects.bulk_create(
        CheckResult(
            endpoint=endpoint,
            run=-second - 1,
            at=end - timedelta(seconds=second),
            finding="good",
            status="healthy",
            outcome="ok",
            response_time_ms=usual * chance.lognormvariate(0, 0.4),
        )
        for second in range(0, WEEK_S - 7200, 900)
        if not silent < second < silent + 40_000
    )
