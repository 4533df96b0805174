"""The capability matrix: which provider answers which dataset, and how well it did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Avg, Count, Q
from django.utils.timezone import now

from aggregator import consensus
from aggregator.consensus import Accuracy
from providers import roster
from providers.datasets import LISTING, PRICE, QUERIES, Query
from providers.models import Call, Provider
from providers.querysets import NO_VERDICT
from providers.roster import Roster

# What providers are asked for: the columns of the matrix.
ASKED = tuple(q for q in QUERIES if q.dataset is not LISTING and not q.dataset.derived)


class Measured(NamedTuple):
    """How a provider did with a dataset over the last day; None for what nobody measured."""

    calls: int = 0
    success_rate: float | None = None
    latency_s: float | None = None
    age_s: float | None = None  # of its newest row, when it came


def matrix() -> list[dict[str, Any]]:
    """A row for each provider and dataset, also for those switched off or without a key."""
    catalogue, records, accuracies = roster.current(), _records(), consensus.accuracies()
    return [
        _row(catalogue, provider, query)
        | _measured(provider, query, records)
        | {"accuracy_percent": _accuracy(provider, query, accuracies)}
        for provider in catalogue.providers
        for query in ASKED
    ]


def _records() -> dict[tuple[int, str], Measured]:
    """How each provider (by pk) did with each dataset over the last day."""
    good = Q(outcome="ok")
    rows = (
        Call.objects.since(now() - timedelta(days=1))
        .values_list("provider_id", "dataset")
        .annotate(
            Count("pk"),
            good=Count("pk", filter=good),
            judged=Count("pk", filter=~Q(outcome__in=NO_VERDICT)),
            latency_s=Avg("seconds", filter=good),
            age=Avg("age_s", filter=good),
        )
        .order_by()
    )
    return {
        (provider, dataset): Measured(calls, good / judged if judged else None, latency_s, age_s)
        for provider, dataset, calls, good, judged, latency_s, age_s in rows
    }


def _row(catalogue: Roster, provider: Provider, query: type[Query]) -> dict[str, Any]:
    """What rows and adapters say."""
    adapter, dataset = provider.adapter_class, query.dataset
    supported = query in adapter.offers
    policy = catalogue.policies.get(dataset.name)
    fresh_s = policy.fresh_s if policy and policy.fresh_s is not None else dataset.fresh_s
    reach = adapter.reach.get(dataset.name)
    return {
        "provider": provider.slug,
        "dataset": dataset.name,
        "supported": supported,
        "enabled": provider.enabled,
        "key_needed": provider.needs_key,
        "has_key": bool(catalogue.keys_of(provider)),
        "batch": adapter.batch.get(dataset.name, 1) if supported else 0,
        "history": supported and dataset.past,
        "history_days": reach.days if supported and reach else None,
        "updates_every_s": adapter.updates.get(dataset.name) if supported else None,
        "cost": adapter.cost(query()) if supported else None,
        "cost_usd": provider.cost_per_call if supported else None,
        "priority": provider.priority,
        "fresh_s": max(fresh_s, provider.min_fresh_s),
        "limits": [
            {"limit": window["limit"], "per_s": window["per_s"]} for window in provider.limits
        ],
    }


def _measured(
    provider: Provider, query: type[Query], records: Mapping[tuple[int, str], Measured]
) -> dict[str, Any]:
    """What calls of the last day say; null where there were none."""
    found = records.get((provider.pk, query.dataset.name), Measured())
    return {
        "calls_24h": found.calls if query in provider.adapter_class.offers else None,
        "success_rate_percent": _percent(found.success_rate),
        "latency_ms": _ms(found.latency_s),
        "freshness_s": None if found.age_s is None else round(found.age_s, 1),
    }


def _accuracy(
    provider: Provider, query: type[Query], accuracies: Mapping[str, Accuracy]
) -> float | None:
    """How often its prices agreed with those of the others; null for what was never compared."""
    known = accuracies.get(provider.slug) if query.dataset is PRICE else None
    return known.percent if known else None


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 2)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
