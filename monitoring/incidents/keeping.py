"""
Opens and closes incidents: what `rules` say, done to rows, in one transaction with the notices.

Judged by how everything is now and not by what just changed, so nothing is lost by a crash: the
next look finds it. The worker looks every minute, and with every change of a verdict.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from monitoring import turns
from monitoring.incidents import actions, wording
from monitoring.incidents.models import Incident, IncidentUpdate
from monitoring.incidents.rules import (
    POLICY,
    Close,
    Flap,
    Grow,
    Known,
    Open,
    Reopen,
    Seen,
    Step,
    plan,
)
from monitoring.models import Endpoint, StateChange
from monitoring.notices import outbox, windows
from monitoring.notices.models import Event
from providers.health import Kind
from providers.standing import Status

logger = logging.getLogger("monitoring.incidents")

JUDGED = (Kind.DATA.value, Kind.LLM.value)  # a model that is down is an alert, no incident


@transaction.atomic
def review(moment: datetime) -> int:
    """Look at everything, and open, grow and close what is to be: how many steps that took."""
    turns.queue_up("incidents")
    known = {row.pk: row for row in _known(moment)}
    endpoints = _endpoints()
    seen = _seen(endpoints, known.values(), moment)
    steps = plan(seen, [_as_known(row) for row in known.values()], moment)
    names = {row.pk: row.health.name for row in endpoints}
    watched = sum(not item.excused for item in seen)
    for step in steps:
        _take(step, known, names, seen, watched, moment)
    return len(steps)


def _known(moment: datetime) -> list[Incident]:
    """Those that opened by themselves and go on, or ended a moment ago."""
    rows = Incident.objects.filter(automatic=True).prefetch_related("endpoints")
    lately = rows.filter(ended_at__gte=moment - POLICY.reopen_within)
    return [*rows.filter(ended_at=None), *lately]


def _as_known(row: Incident) -> Known:
    return Known(
        row.pk,
        row.began_at,
        frozenset(endpoint.pk for endpoint in row.endpoints.all()),
        row.severity,
        row.ended_at,
        row.flapping,
        row.of_ours,
    )


def _endpoints() -> list[Endpoint]:
    return list(Endpoint.objects.filter(health__kind__in=JUDGED).select_related("health"))


def _seen(endpoints: Sequence[Endpoint], known: Iterable[Incident], moment: datetime) -> list[Seen]:
    members = {one.pk for row in known if row.ended_at is None for one in row.endpoints.all()}
    downs = _downs(members, moment)
    covered = windows.covered(moment)
    return [
        Seen(
            row.pk,
            row.health.name,
            row.health.status_at(moment),
            row.health.since,
            downs.get(row.pk, 0),
            _is_excused(row, moment) or covered(row.health.provider_id),
        )
        for row in endpoints
    ]


def _is_excused(row: Endpoint, moment: datetime) -> bool:
    off = row.health.status in (Status.DISABLED, Status.MAINTENANCE)
    return off or row.paused or bool(row.maintenance_until and moment < row.maintenance_until)


def _downs(members: set[int], moment: datetime) -> dict[int, int]:
    if not members:
        return {}
    counted = (
        StateChange.objects.filter(endpoint__in=members, status=Status.DOWN.value)
        .filter(began_at__gt=moment - POLICY.flap_window)
        .order_by()
        .values_list("endpoint")
        .annotate(number=Count("pk"))
    )
    return dict(counted)


# -- Steps -------------------------------------------------------------------------------------


def _take(
    step: Step,
    known: dict[int, Incident],
    names: dict[int, str],
    seen: Sequence[Seen],
    watched: int,
    moment: datetime,
) -> None:
    match step:
        case Open():
            row = Incident.objects.create(
                title="",
                severity=step.severity,
                began_at=_began(step.members, seen, moment),
                automatic=True,
                of_ours=step.of_ours,
            )
            row.endpoints.set(step.members)
            _retitle(row, seen, watched)
            _tell(row, Event.OPENED, wording.began(_those(step.members, seen)), moment)
        case Grow():
            row = known[step.incident]
            row.endpoints.add(*step.members)
            row.severity, row.of_ours = step.severity, step.of_ours
            _retitle(row, seen, watched)
            text = wording.began(_those(step.members, seen)) or f"It is {step.severity} now."
            _tell(row, Event.GREW, text, moment)
        case Reopen():
            row = known[step.incident]
            row.ended_at, row.opened = None, row.opened + 1
            row.acknowledged_at, row.acknowledged_by = None, ""
            row.severity = step.severity
            _retitle(row, seen, watched)
            again = ", ".join(names[key] for key in step.members)
            _tell(row, Event.REOPENED, f"Again: {again}.", moment)
        case Flap():
            row = known[step.incident]
            row.flapping = True
            row.save(update_fields=["flapping"])
            _tell(row, Event.FLAPPING, wording.FLAPPING, moment)
        case Close():
            row = known[step.incident]
            row.ended_at = moment
            row.save(update_fields=["ended_at"])
            lasted = (moment - row.began_at).total_seconds()
            _tell(row, Event.RESOLVED, wording.over(lasted), moment)
    if isinstance(step, Open | Grow | Reopen):
        for said in actions.taken(row, moment):
            _note(row, said, moment)


def _those(members: Sequence[int], seen: Sequence[Seen]) -> list[Seen]:
    return [item for item in seen if item.key in members]


def _began(members: Sequence[int], seen: Sequence[Seen], moment: datetime) -> datetime:
    """Since when the first of them is down; what was merely poor begins with our word for it."""
    down = [item.since for item in _those(members, seen) if item.status is Status.DOWN]
    return min([*down, moment])


def _retitle(row: Incident, seen: Sequence[Seen], watched: int) -> None:
    mine = set(row.endpoints.values_list("pk", flat=True))
    row.title = wording.title(
        [item for item in seen if item.key in mine], watched, of_ours=row.of_ours
    )
    row.save()


def _tell(row: Incident, event: Event, text: str, moment: datetime) -> None:
    _note(row, text, moment)
    outbox.tell(event, row.severity, moment, incident=row, text=text)
    logger.info("incident %s, %s: %s", row.pk, row.title, event.label)


def _note(row: Incident, text: str, moment: datetime) -> None:
    IncidentUpdate.objects.create(incident=row, at=moment, text=text, automatic=True)
