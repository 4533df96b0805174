"""
What checks found, written down: result, verdict, and the interval that a change of it ends, in one
transaction with the lease that allows it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import DateTimeField, Value
from django.db.models.functions import Greatest
from django.utils.timezone import now as current_time

from monitoring import leases
from monitoring.health import Finding, Rules, State, aged, verdict
from monitoring.incidents import keeping
from monitoring.models import CheckResult, Endpoint, StateChange
from monitoring.probing import Found
from providers.errors import OutOfTokens
from providers.health import LASTING, Health
from providers.standing import Status

logger = logging.getLogger("monitoring.checks")

# Nothing was checked, so there is no result.
NOT_CHECKED = frozenset([Finding.OFF, Finding.MAINTENANCE, Finding.SPENT])


@dataclass(frozen=True)
class Checked:
    """One claimed endpoint and what was found of it."""

    endpoint: Endpoint
    found: Found
    rules: Rules
    next_due: datetime


@transaction.atomic
def write(batch: Sequence[Checked]) -> dict[str, Health]:
    """Keep what a batch found; the health of those whose lease was still ours, by name."""
    written = [item for item in batch if leases.settle(item.endpoint, item.next_due)]
    rows = Health.objects.in_bulk([item.endpoint.health_id for item in written])
    before = {pk: row.status for pk, row in rows.items()}
    results = []
    for item in written:
        health = rows[item.endpoint.health_id]
        _judge(health, item)
        if not _is_put_off(item.found) and item.found.finding not in NOT_CHECKED:
            results.append(_result(health, item))
    _put_down(results, rows.values())
    _review(written, rows, before)
    return {health.name: health for health in rows.values()}


@transaction.atomic
def write_late(batch: Sequence[Checked]) -> None:
    """
    Keep what was found while the database was away. Every result counts, also of a run whose lease
    is another's by now; a verdict moves only by what is newer than all it was made of. What was
    written before is left alone, so this may be done twice.
    """
    ours = {item.endpoint.pk for item in batch}
    there = Endpoint.objects.select_related("health").in_bulk(ours)  # one may be gone meanwhile
    runs = CheckResult.objects.filter(endpoint__in=ours).filter(
        run__in={item.endpoint.lease_token for item in batch}
    )
    before = {row.health_id: row.health.status for row in there.values()}
    written = set(runs.values_list("endpoint_id", "run"))
    results = []
    for item in sorted(batch, key=lambda item: item.found.at):
        pk, run = item.endpoint.pk, item.endpoint.lease_token
        if pk not in there or (pk, run) in written:
            continue
        written.add((pk, run))
        leases.settle(item.endpoint, item.next_due)
        health = there[pk].health
        is_newer = health.checked_at is None or item.found.at > health.checked_at
        if is_newer:
            _judge(health, item)
        if not _is_put_off(item.found) and item.found.finding not in NOT_CHECKED:
            result = _result(health, item)
            if not is_newer:  # what the verdict was just then, nobody can say any more
                result.status = Status.UNKNOWN.value
            results.append(result)
    rows = {row.health_id: row.health for row in there.values()}
    _put_down(results, rows.values())
    _review(batch, rows, before)


def _put_down(results: Sequence[CheckResult], rows: Iterable[Health]) -> None:
    CheckResult.objects.bulk_create(results, ignore_conflicts=True)
    for health in rows:  # one by one: a bulk_update of so many columns takes thrice as long
        Health.objects.filter(pk=health.pk).update(**{n: getattr(health, n) for n in _FIELDS})


def _review(written: Sequence[Checked], rows: dict[int, Health], before: dict[int, str]) -> None:
    """Incidents and notices of what went down or came back, with what they are about."""
    moved = [pk for pk, row in rows.items() if row.status != before[pk]]
    if any(Status.DOWN in (rows[pk].status, before[pk]) for pk in moved):
        moment = max(item.found.at for item in written)
        try:
            keeping.review(moment)
        except Exception:
            # What was checked is worth more; the worker's next look finds the same again.
            logger.exception("incidents were not reviewed")


_FIELDS = [
    *("status", "reason", "since", "failures", "goods", "heard_at", "fresh_until", "checked_at"),
    *("outcome", "error_message", "response_time_ms", "p95_ms", "endpoint_up", "credential_valid"),
]


def _is_put_off(found: Found) -> bool:
    """It was not asked for a moment's sake: see `probing._spent`."""
    return found.finding is Finding.NOTHING and found.outcome == OutOfTokens.code


def _judge(health: Health, item: Checked) -> None:
    if _is_put_off(item.found):
        return
    found, before = item.found, state_of(health)
    old = aged(before, found.at)
    new = verdict(old, found.seen(), item.rules)
    _move(item.endpoint.pk, before, old)
    _move(item.endpoint.pk, old, new)
    if new.status is not before.status:
        logger.info("%s: %s, %s (was %s)", health.name, new.status, new.reason, before.status)
    put(health, new)
    health.checked_at = found.at
    health.outcome = found.outcome
    health.error_message = "" if found.finding is Finding.GOOD else found.reason[:200]
    health.p95_ms = found.p95_ms if found.samples >= item.rules.least_samples else None
    if found.response_time_ms is not None:
        health.response_time_ms = found.response_time_ms
    if found.reached is not None and found.finding is not Finding.NOTHING:
        health.endpoint_up = found.reached
    if found.key_accepted is not None:
        health.credential_valid = found.key_accepted


def _result(health: Health, item: Checked) -> CheckResult:
    found = item.found
    return CheckResult(
        endpoint=item.endpoint,
        run=item.endpoint.lease_token,
        at=found.at,
        finding=found.finding.value,
        status=health.status,
        outcome=found.outcome,
        response_time_ms=found.response_time_ms,
        error=health.error_message,
        source=found.source,
        written_at=current_time(),
    )


def state_of(health: Health) -> State:
    return State(
        since=health.since,
        status=Status(health.status),
        reason=health.reason,
        failures=health.failures,
        goods=health.goods,
        heard_at=health.heard_at,
        fresh_until=health.fresh_until,
    )


def put(health: Health, state: State) -> None:
    health.status, health.reason, health.since = state.status.value, state.reason[:200], state.since
    health.failures, health.goods = state.failures, state.goods
    health.heard_at, health.fresh_until = state.heard_at, state.fresh_until


def _move(endpoint: int, before: State, after: State) -> None:
    """End the open interval and begin the next; the first one has none before it."""
    if after.status is before.status:
        return
    mine = StateChange.objects.filter(endpoint_id=endpoint)
    # A clock that was put back must not make an interval that ends before it began.
    mine.filter(ended_at=None).update(
        ended_at=Greatest("began_at", Value(after.since, output_field=DateTimeField()))
    )
    mine.create(
        endpoint_id=endpoint,
        status=after.status.value,
        reason=after.reason[:200],
        began_at=after.since,
    )


def forget_the_stale(moment: datetime) -> list[str]:
    """Call unknown what nobody has checked for three intervals; the names."""
    stale = (
        Health.objects.filter(fresh_until__lte=moment)
        .exclude(status__in=[status.value for status in LASTING])
        .select_related("endpoint")
    )
    return [health.name for health in stale if _is_forgotten(health, moment)]


@transaction.atomic
def _is_forgotten(health: Health, moment: datetime) -> bool:
    before = state_of(health)
    after = aged(before, moment)
    # Pinned by what was read: a check may have ended meanwhile.
    rows = Health.objects.filter(pk=health.pk, status=health.status, fresh_until=health.fresh_until)
    changed = rows.update(
        status=after.status.value, reason=after.reason, since=after.since, goods=after.goods
    )
    if changed:
        _move(health.endpoint.pk, before, after)
        logger.warning("%s: %s, %s", health.name, after.status, after.reason)
    return bool(changed)
