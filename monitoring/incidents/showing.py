"""Incidents as people and programs are shown them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.utils.timezone import now as current_time

from monitoring.incidents.models import Incident, IncidentUpdate
from monitoring.severities import ORDER, Severity
from providers.wording import span

PAGE = 20
RESOLVED = "resolved"
# A severity by the shape of a status; what is over looks like what is well.
_LOOKS = {
    Severity.MINOR.value: "degraded",
    Severity.MAJOR.value: "down",
    Severity.CRITICAL.value: "down",
}
_GREEN = ("healthy", "none")


@dataclass(frozen=True)
class Shown:
    """One incident. `lasted` is until now while it goes on."""

    row: Incident
    look: str
    word: str
    lasted: str
    names: Sequence[str]
    updates: Sequence[IncidentUpdate]


def shown(rows: Iterable[Incident], moment: datetime | None = None) -> list[Shown]:
    """Rows that have `endpoints__health` and `updates` prefetched."""
    moment = moment or current_time()
    return [
        Shown(
            row,
            _LOOKS[row.severity] if row.is_open else "healthy",
            row.severity if row.is_open else RESOLVED,
            span(max(0.0, ((row.ended_at or moment) - row.began_at).total_seconds())),
            sorted(one.health.name for one in row.endpoints.all()),
            list(row.updates.all()),
        )
        for row in rows
    ]


def incidents(state: str = "all") -> Any:
    """`open`, `past` or `all`, newest first, with what is shown of them."""
    rows = Incident.objects.prefetch_related("endpoints__health", "updates")
    if state == "open":
        return rows.filter(ended_at=None)
    return rows.exclude(ended_at=None) if state == "past" else rows


def banner(code: str, said: str, open_rows: Sequence[Incident]) -> tuple[str, str]:
    """
    A banner in the light of the incidents that are open: never well while there is one, whatever
    the checks say.
    """
    if not open_rows or code not in _GREEN:
        return code, said
    gravest = max(open_rows, key=lambda row: (ORDER.index(row.severity), row.began_at))
    more = f", and {len(open_rows) - 1} more" if len(open_rows) > 1 else ""
    return _LOOKS[gravest.severity], f"{gravest.title}{more}"


def listing(number: int) -> dict[str, Any]:
    """Those that go on, and a page of those that are over, newest first."""
    page = Paginator(incidents("past"), PAGE).get_page(number)
    return {"open": shown(incidents("open")), "past": shown(page.object_list), "page": page}


def one(key: int) -> dict[str, Any] | None:
    return next(({"item": item} for item in shown(incidents().filter(pk=key))), None)


def as_json(item: Shown) -> dict[str, Any]:
    """One of /api/incidents."""
    row = item.row
    return {
        "id": row.pk,
        "title": row.title,
        "severity": row.severity,
        "state": "open" if row.is_open else RESOLVED,
        "began_at": row.began_at,
        "ended_at": row.ended_at,
        "acknowledged_at": row.acknowledged_at,
        "automatic": row.automatic,
        "flapping": row.flapping,
        "providers": list(item.names),
        "updates": [
            {"at": one.at, "text": one.text, "automatic": one.automatic} for one in item.updates
        ],
    }
