"""The capability matrix: which provider answers which dataset, and how well it did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Avg, Count, Q
from django.utils.timezone import now

from providers import roster
from providers.datasets import LISTING, QUERIES, Query
from providers.models import Call, Provider
from providers.querysets import NO_VERDICT
from providers.roster import Record, Roster

NEVER = Record(calls=0, success_rate=None, latency_s=None)


def matrix() -> list[dict[str, Any]]:
    """A row for each provider and dataset, also for those switched off or without a key."""
    catalogue, records = roster.current(), _records()
    return [
        _row(catalogue, provider, query, records)
        for provider in catalogue.providers
        for query in QUERIES
        if query.dataset is not LISTING and not query.dataset.derived
    ]


def _records() -> dict[tuple[int, str], Record]:
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
        )
        .order_by()
    )
    return {
        (provider, dataset): Record(calls, good / judged if judged else None, latency_s)
        for provider, dataset, calls, good, judged, latency_s in rows
    }


def _row(
    catalogue: Roster,
    provider: Provider,
    query: type[Query],
    records: Mapping[tuple[int, str], Record],
) -> dict[str, Any]:
    adapter, dataset = provider.adapter_class, query.dataset
    supported = query in adapter.offers
    record = records.get((provider.pk, dataset.name), NEVER)
    policy = catalogue.policies.get(dataset.name)
    fresh_s = policy.fresh_s if policy and policy.fresh_s is not None else dataset.fresh_s
    return {
        "provider": provider.slug,
        "dataset": dataset.name,
        "supported": supported,
        "enabled": provider.enabled,
        "key_needed": provider.needs_key,
        "has_key": bool(catalogue.keys_of(provider)),
        "batch": adapter.batch.get(dataset.name, 1) if supported else 0,
        "priority": provider.priority,
        "fresh_s": max(fresh_s, provider.min_fresh_s),
        "limits": [
            {"limit": window["limit"], "per_s": window["per_s"]} for window in provider.limits
        ],
        "calls_24h": record.calls if supported else None,
        "success_rate_percent": _percent(record.success_rate),
        "latency_ms": _ms(record.latency_s),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 2)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
