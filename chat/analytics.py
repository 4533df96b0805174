"""How the chat does: volume, categories, confidence, latency, feedback, drift, by model version."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet
from django.db.models.functions import TruncDate

from chat.categories import Category
from chat.masking import words
from chat.models import Feedback, Interaction, ModelVersion, Route
from chat.scrubbing import scrub

MOST_LATENCIES = 20_000  # of the newest questions, for the percentiles
MOST_UNANSWERED = 5_000  # of the newest questions without an answer, of which the top is taken
SMOOTHING = 0.5  # questions of each category that are thought to be there, so that none is zero


def figures(moment: datetime, days: int) -> dict[str, Any]:
    """Of the last `days` days; drift is against as long a time before. No count, no rate: None."""
    since = moment - timedelta(days=days)
    rows = Interaction.objects.filter(at__gt=since, at__lte=moment)
    before = Interaction.objects.filter(at__gt=since - timedelta(days=days), at__lte=since)
    categories, earlier = _by(rows, "category"), _by(before, "category")
    total = sum(categories.values())
    return {
        "since": since,
        "questions": total,
        "conversations": rows.values("conversation").distinct().count(),
        "by_day": [{"day": str(row["day"]), "questions": row["n"]} for row in _by_day(rows)],
        "by_category": dict(categories.most_common()),
        "by_route": dict(_by(rows, "route").most_common()),
        "mean_confidence": rows.aggregate(mean=Avg("confidence"))["mean"],
        "clarification_rate": _share(_by(rows, "route")[Route.CLARIFY], total),
        "out_of_scope_rate": _share(categories[Category.OUT_OF_SCOPE], total),
        "latency_ms": _latency(rows),
        "feedback": _feedback(rows),
        "drift": {
            "population_stability_index": stability(earlier, categories),
            "mean_confidence_before": before.aggregate(mean=Avg("confidence"))["mean"],
            "questions_before": sum(earlier.values()),
        },
        "by_model": by_model(rows),
    }


def by_model(rows: QuerySet[Interaction]) -> list[dict[str, Any]]:
    """The same in short for each model that answered; questions that rules sorted have none."""
    roles = dict(ModelVersion.objects.values_list("code", "role"))
    found = (
        rows.exclude(model_version="")
        .values("model_version")
        .annotate(
            questions=Count("pk"),
            mean_confidence=Avg("confidence"),
            mean_latency_ms=Avg("latency_ms"),
            clarified=Count("pk", filter=Q(route=Route.CLARIFY)),
        )
        .order_by("-questions")
    )
    thumbs = Counter(
        Feedback.objects.filter(interaction__in=rows).values_list(
            "interaction__model_version", "type"
        )
    )
    return [
        {
            "model": row["model_version"],
            "questions": row["questions"],
            "mean_confidence": row["mean_confidence"],
            "mean_latency_ms": row["mean_latency_ms"],
            "role": roles.get(row["model_version"]),
            "clarification_rate": _share(row["clarified"], row["questions"]),
            "helpful_rate": _helpful(
                thumbs[row["model_version"], "up"], thumbs[row["model_version"], "down"]
            ),
        }
        for row in found
    ]


def unanswered(moment: datetime, days: int, limit: int = 20) -> list[dict[str, Any]]:
    """What we asked back about or could not place, most frequent first, scrubbed; for staff."""
    rows = (
        Interaction.objects.filter(at__gt=moment - timedelta(days=days), at__lte=moment)
        .filter(Q(route=Route.CLARIFY) | Q(category=Category.OUT_OF_SCOPE))
        .order_by("-at")
        .values_list("query", "category")[:MOST_UNANSWERED]
    )
    counts: Counter[str] = Counter()
    told: dict[str, tuple[str, str]] = {}
    for query, category in rows:
        key = words(scrub(query))
        counts[key] += 1
        told.setdefault(key, (scrub(query)[:200], category))
    return [
        {"text": told[key][0], "category": told[key][1], "times": times}
        for key, times in counts.most_common(limit)
    ]


def stability(before: Mapping[str, int], now: Mapping[str, int]) -> float | None:
    """
    How far two mixtures are apart, the population stability index: below 0.1 they are alike, above
    0.25 something has changed. None without questions on both sides.
    """
    totals = sum(before.values()), sum(now.values())
    if not all(totals):
        return None
    names = set(before) | set(now)
    old, new = (
        {
            name: (counts.get(name, 0) + SMOOTHING) / (total + SMOOTHING * len(names))
            for name in names
        }
        for counts, total in zip((before, now), totals, strict=True)
    )
    return math.fsum((new[name] - old[name]) * math.log(new[name] / old[name]) for name in names)


def _by(rows: QuerySet[Interaction], field: str) -> Counter[str]:
    return Counter(dict(rows.values_list(field).annotate(n=Count("pk")).order_by()))


def _by_day(rows: QuerySet[Interaction]) -> Iterable[Any]:
    days = rows.annotate(day=TruncDate("at")).values("day")
    return days.annotate(n=Count("pk")).order_by("day")


def _latency(rows: QuerySet[Interaction]) -> dict[str, float | None]:
    newest = rows.order_by("-at").values_list("latency_ms", flat=True)[:MOST_LATENCIES]
    known = sorted(newest)

    def at(share: float) -> float | None:
        return known[max(0, math.ceil(len(known) * share) - 1)] if known else None

    return {"p50": at(0.5), "p95": at(0.95)}


def _feedback(rows: QuerySet[Interaction]) -> dict[str, Any]:
    given = Counter(Feedback.objects.filter(interaction__in=rows).values_list("type", flat=True))
    counts = {type_.value: given[type_.value] for type_ in Feedback.Type}
    return {**counts, "helpful_rate": _helpful(given["up"], given["down"])}


def _helpful(up: int, down: int) -> float | None:
    return _share(up, up + down)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
