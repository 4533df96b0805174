"""
One round of checks: claim what is due, look at all of it in parallel, write what was found.

If nobody answers at all it is our own network: then no verdict moves.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db import Error as DatabaseIsOut
from django.utils.timezone import now as current_time

from monitoring import (
    late,
    leases,
    probing,
    recording,
    resourcechecks,
    roll,
    scheduling,
    silence,
)
from monitoring.health import Finding
from monitoring.models import Endpoint, Plan, Source
from monitoring.parallel import WORKERS, in_parallel
from monitoring.probing import Found, Task
from monitoring.recording import Checked
from providers import calls, roster
from providers.health import Health, Kind
from providers.models import Provider
from providers.standing import Status

logger = logging.getLogger("monitoring.checks")

# A batch of so many takes at most two time-outs, and its lease is longer than that.
BATCH = 2 * WORKERS
PATIENCE_S = 20.0  # no batch is begun after it: a task of the worker has 55 seconds
IDLE_S = 60.0  # what is off is looked at so often: it costs nothing, and a key may have come

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Round:
    """How a round went."""

    checked: int = 0
    well: int = 0
    changed: int = 0
    stale: int = 0
    kept: int = 0  # on disk, as the database did not take them
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.checked} checked in {self.seconds:.1f} s, {self.well} well, "
            f"{self.changed} changed, {self.stale} unknown by silence"
            + (f", {self.kept} kept on disk" if self.kept else "")
        )


def run(clock: Clock = current_time) -> Round:
    """Check whatever is due."""
    roll.sync()
    late.deliver()
    plan = Plan.current()
    began, done = time.monotonic(), Round()
    while not plan.paused and time.monotonic() < began + PATIENCE_S:
        claimed = leases.claim_due(clock(), BATCH)
        if not claimed:
            break
        logger.debug("checking %d endpoints", len(claimed))
        done = _sum(done, check(claimed, plan, clock))
        calls.flush()
    if plan.check_resources and not plan.paused and time.monotonic() < began + PATIENCE_S:
        done = _sum(done, _check_resources(plan, clock))
    stale = recording.forget_the_stale(clock())
    done = replace(done, stale=len(stale), seconds=time.monotonic() - began)
    if done.checked or done.stale:
        logger.info("%s", done)
    return done


def _sum(one: Round, other: Round) -> Round:
    return Round(
        one.checked + other.checked,
        one.well + other.well,
        one.changed + other.changed,
        kept=one.kept + other.kept,
    )


def _check_resources(plan: Plan, clock: Clock) -> Round:
    """A few, once the providers have had their turn; whatever else is due comes next round."""
    resourcechecks.sync(clock())
    claimed = leases.claim_due_resources(clock(), resourcechecks.A_ROUND)
    return check(claimed, plan, clock) if claimed else Round()


def check(claimed: Sequence[Endpoint], plan: Plan, clock: Clock = current_time) -> Round:
    """Look at claimed endpoints at once, whether it is their turn or not, and write it down."""
    before = {row.health.name: row.health.status for row in claimed}
    batch = look(claimed, plan, clock)
    try:
        rows = recording.write(batch)
    except DatabaseIsOut as error:
        logger.error("the database is out of reach: %s", error)
        late.keep(batch)
        return Round(kept=len(batch))
    for item in batch:
        name = item.endpoint.health.name
        _tell(item.endpoint, item.found, before[name], rows.get(name))
    return Round(
        checked=len(rows),
        well=sum(row.status == Status.HEALTHY for row in rows.values()),
        changed=sum(row.status != before.get(name) for name, row in rows.items()),
    )


def look(rows: Sequence[Endpoint], plan: Plan, clock: Clock = current_time) -> list[Checked]:
    """What each of them is found to be; nothing is written."""
    began = clock()
    found = in_parallel(partial(_look, row, plan, clock) for row in rows)
    pairs = list(zip(rows, found, strict=True))
    found = silence.judged(pairs, plan, began, clock)
    return [_checked(row, item, plan) for row, item in zip(rows, found, strict=True)]


def _tell(row: Endpoint, found: Found, before: str, health: Health | None) -> None:
    if health is None:
        logger.warning("%s: overtaken by another run, nothing written", row)
        return
    took = "" if found.response_time_ms is None else f" {found.response_time_ms:.0f} ms"
    logger.log(
        logging.INFO if _is_news(before, health.status) else logging.DEBUG,
        "%s: %s%s by %s%s",
        *(health.name, health.status, took, found.source.value),
        f" ({found.reason})" if found.reason else "",
    )


def _is_news(before: str, status: str) -> bool:
    """What an operator reads at a terminal: not eighty lines a round that all is as it was."""
    at_last = before == Status.UNKNOWN and status in (Status.HEALTHY, Status.DISABLED)
    return status != before and not at_last


def _look(row: Endpoint, plan: Plan, clock: Clock) -> Found:
    provider, moment = row.health.provider, clock()
    if row.maintenance_until and moment < row.maintenance_until:
        until = f"until {row.maintenance_until:%Y-%m-%d %H:%M} UTC"
        return Found(moment, Finding.MAINTENANCE, "maintenance", until)
    timeout_s = row.timeout_s or plan.timeout_s
    since = row.health.checked_at or moment - timedelta(seconds=plan.interval_of(row))
    budget = row.generations_per_day
    generations = plan.generations_per_day if budget is None else budget
    try:
        if _is_resource(row):
            return resourcechecks.look(row.health.resource, timeout_s, moment)
        if provider is None or not _is_known(provider):
            return Found(moment, Finding.OFF, "disabled", "no adapter")
        return probing.look(Task(provider, timeout_s, since, generations), moment)
    except Exception as error:
        logger.exception("%s could not be checked", row)
        return Found(moment, Finding.NOTHING, "error", f"our own error: {type(error).__name__}")


def _is_resource(row: Endpoint) -> bool:
    return row.health.kind == Kind.RESOURCE


def _is_known(provider: Provider) -> bool:
    return any(row.pk == provider.pk for row in roster.current().providers)


# -- When next ---------------------------------------------------------------------------------

_UNSETTLED = (Finding.FAULT, Finding.NOTHING, Finding.PARTIAL)


def _checked(row: Endpoint, found: Found, plan: Plan) -> Checked:
    wanted_s = plan.interval_of(row)
    provider = row.health.provider
    least_s = 0.0
    if provider is not None and _is_known(provider):
        key = next(iter(roster.current().keys_of(provider)), None)
        least_s = scheduling.affordable_s(provider, 0.0, plan.quota_percent, key)
    interval_s = max(wanted_s, least_s)
    is_recovering = found.finding is Finding.GOOD and row.health.status in _ILL
    return Checked(
        row,
        found,
        row.rules(plan, interval_s),
        scheduling.next_due(
            row.health.name,
            found.at,
            interval_s,
            wanted_s=wanted_s,
            unsettled=is_recovering or _is_unsettled(row, found, plan),
            resting_s=IDLE_S if found.finding is Finding.OFF else found.wait_s,
            least_s=0.0 if found.source is Source.VISITORS else least_s,
            again_s=resourcechecks.AGAIN_S if _is_resource(row) else scheduling.AGAIN_S,
        ),
    )


def _is_unsettled(row: Endpoint, found: Found, plan: Plan) -> bool:
    """A resource that is known to be down is left alone until its turn comes."""
    if _is_resource(row) and found.finding is Finding.FAULT:
        return row.health.failures + 1 < plan.down_after
    return found.finding in _UNSETTLED


_ILL = frozenset(
    status.value
    for status in (Status.DOWN, Status.DEGRADED, Status.RATE_LIMITED, Status.MISCONFIGURED)
)
