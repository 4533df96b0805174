"""
Opens and closes incidents: what `rules` say, done to rows, in one transaction with the notices.

Judged by how everything is now and not by what just changed, so nothing is lost by a crash: the
next look finds it. The worker looks every minute, and with every change of a verdict.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

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


Told = tuple[Incident, Event, str]  # what a step was done to, and what is said of it


@dataclass(frozen=True)
class Look:
    """How everything is at one moment: incidents and names of endpoints by their keys."""

    moment: datetime
    known: Mapping[int, Incident]
    names: Mapping[int, str]
    seen: Sequence[Seen]

    @property
    def watched(self) -> int:
        return sum(not item.excused for item in self.seen)

    def of(self, members: Collection[int]) -> list[Seen]:
        return [item for item in self.seen if item.key in members]


@transaction.atomic
def review(moment: datetime) -> int:
    """Look at everything, and open, grow and close what is to be: how many steps that took."""
    turns.queue_up("incidents")
    known = {row.pk: row for row in _known(moment)}
    endpoints = _endpoints()
    seen = _seen(endpoints, known.values(), moment)
    steps = plan(seen, [_as_known(row) for row in known.values()], moment)
    look = Look(moment, known, {row.pk: row.health.name for row in endpoints}, seen)
    for step in steps:
        _take(step, look)
    for row in Incident.objects.filter(automatic=True, ended_at=None):
        if (title := _title(row, look)) != row.title:
            Incident.objects.filter(pk=row.pk).update(title=title)
        for said in actions.taken(row, moment):
            _note(row, said, moment)
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


def _take(step: Step, look: Look) -> None:
    match step:
        case Open():
            row, event, text = _open(step, look)
        case Grow():
            row, event, text = _grow(step, look)
        case Reopen():
            row, event, text = _reopen(step, look)
        case Flap():
            row, event, text = _flap(step, look)
        case Close():
            row, event, text = _close(step, look)
    _tell(row, event, text, look.moment)


def _open(step: Open, look: Look) -> Told:
    row = Incident.objects.create(
        title="",
        severity=step.severity,
        began_at=_began(step.members, look),
        automatic=True,
        of_ours=step.of_ours,
    )
    row.endpoints.set(step.members)
    _retitle(row, look)
    return row, Event.OPENED, wording.began(look.of(step.members))


def _grow(step: Grow, look: Look) -> Told:
    row = look.known[step.incident]
    row.endpoints.add(*step.members)
    row.severity, row.of_ours = step.severity, step.of_ours
    _retitle(row, look)
    text = wording.began(look.of(step.members)) or f"It is {step.severity} now."
    return row, Event.GREW, text


def _reopen(step: Reopen, look: Look) -> Told:
    row = look.known[step.incident]
    row.ended_at, row.opened = None, row.opened + 1
    row.acknowledged_at, row.acknowledged_by = None, ""
    row.severity = step.severity
    _retitle(row, look)
    again = ", ".join(look.names[key] for key in step.members)
    return row, Event.REOPENED, f"Again: {again}."


def _flap(step: Flap, look: Look) -> Told:
    row = look.known[step.incident]
    row.flapping = True
    row.save(update_fields=["flapping"])
    return row, Event.FLAPPING, wording.FLAPPING


def _close(step: Close, look: Look) -> Told:
    row = look.known[step.incident]
    row.ended_at = look.moment
    _retitle(row, look)
    lasted = (look.moment - row.began_at).total_seconds()
    members = look.of({endpoint.pk for endpoint in row.endpoints.all()})
    return row, Event.RESOLVED, wording.over(lasted, members)


def _began(members: Sequence[int], look: Look) -> datetime:
    """Since when the first of them is down; what was merely poor begins with our word for it."""
    down = [item.since for item in look.of(members) if item.status is Status.DOWN]
    return min([*down, look.moment])


def _retitle(row: Incident, look: Look) -> None:
    row.title = _title(row, look)
    row.save()


def _title(row: Incident, look: Look) -> str:
    """As it is now; of what was deleted, as it was."""
    mine = look.of(set(row.endpoints.values_list("pk", flat=True)))
    if not mine:
        return row.title
    was_down = Q(ended_at=None) | Q(ended_at__gt=row.began_at)
    fallen = StateChange.objects.filter(was_down, endpoint__in=[item.key for item in mine])
    fallen = fallen.filter(status=Status.DOWN.value)
    fell = set(fallen.values_list("endpoint", flat=True))
    fell |= {item.key for item in mine if item.status is Status.DOWN}
    return wording.title(mine, look.watched, fell=fell, of_ours=row.of_ours)


def _tell(row: Incident, event: Event, text: str, moment: datetime) -> None:
    _note(row, text, moment)
    outbox.tell(event, row.severity, moment, incident=row, text=text)
    logger.info("incident %s, %s: %s", row.pk, row.title, event.label)


def _note(row: Incident, text: str, moment: datetime) -> None:
    IncidentUpdate.objects.create(incident=row, at=moment, text=text, automatic=True)
