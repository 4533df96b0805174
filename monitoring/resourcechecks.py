"""
Resources of the catalogue that are worth a look: which they are, and what a look finds.

They are checked after the providers, a few a round, and far less often.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from zlib import crc32

from django.conf import settings
from django.db import transaction

from monitoring.health import Finding, finding
from monitoring.models import Endpoint
from monitoring.probing import MOMENT_S, NETWORK, Found, in_short
from providers import known, roster
from providers.errors import (
    Blacklisted,
    Blocked,
    CircuitOpen,
    OutOfTokens,
    ProviderError,
    Throttled,
    Unsupported,
)
from providers.health import Health, Kind
from providers.models import Resource
from providers.reaching import guard_of, host_of, hosts_of, reach, sandbox_hosts, why_not
from providers.resilience import Deadline, Reason

A_ROUND = 8  # of them at once, and in one round
# After a surprise; there is no hurry, and three bad checks should not take eighteen hours.
AGAIN_S = 600.0
# The first looks are spread over so long: at most a few in any round.
FIRST_S = 3600.0


# -- Which there are -----------------------------------------------------------------------------


def sync(moment: datetime) -> None:
    """Give every resource that is worth a look its endpoint, and take it from the others."""
    wanted = {row.pk: row for row in worth_a_look()}
    there = set(
        Health.objects.filter(kind=Kind.RESOURCE, endpoint__isnull=False).values_list(
            "resource_id", flat=True
        )
    )
    if there == set(wanted):
        return
    with transaction.atomic():
        Health.objects.filter(kind=Kind.RESOURCE).exclude(resource__in=wanted).delete()
        _add([row for pk, row in wanted.items() if pk not in there], moment)


def worth_a_look() -> list[Resource]:
    """Resources that may be asked; in the sandbox only those it speaks for."""
    ours = hosts_of(roster.current().providers)
    slugs = {row.slug for row in roster.current().providers}
    rows = Resource.objects.only(
        *("slug", "kind", "url", "probe_url", "probe_rpc", "flags", "providers")
    )
    found = [row for row in rows if not why_not(row, ours, bool(known.speakers(row, slugs)))]
    if not settings.SANDBOX_URL or not found:
        return found
    spoken = _spoken()
    return [row for row in found if host_of(row.probe) in spoken]


def _spoken() -> Collection[str]:
    try:
        return sandbox_hosts()
    except ProviderError:
        return ()  # it is away: there is nobody to ask


def name_of(row: Resource) -> str:
    """A provider's name has no colon, so it never takes a resource's."""
    return f"resource:{row.slug}"


def _add(resources: list[Resource], moment: datetime) -> None:
    # Another process may be adding them too; a resource that is gone meanwhile comes to nothing.
    there = set(
        Resource.objects.filter(pk__in=[row.pk for row in resources]).values_list("pk", flat=True)
    )
    Health.objects.bulk_create(
        [
            Health(resource=row, name=name_of(row), kind=Kind.RESOURCE)
            for row in resources
            if row.pk in there
        ],
        ignore_conflicts=True,
    )
    without = Health.objects.filter(resource__in=there, endpoint=None)
    Endpoint.objects.bulk_create(
        [Endpoint(health=row, next_due=first_due(row.name, moment)) for row in without],
        ignore_conflicts=True,
    )


def first_due(name: str, moment: datetime) -> datetime:
    """When one that is new is looked at first: spread by name over an hour. Pure."""
    return moment + timedelta(seconds=crc32(name.encode()) / 2**32 * FIRST_S)


# -- What a look finds ---------------------------------------------------------------------------


def look(row: Resource | None, timeout_s: float, now: datetime) -> Found:
    """How a resource is; it is asked for its address alone, never with a key."""
    if row is None:
        return Found(now, Finding.OFF, "disabled", "no such resource")
    try:
        reached = reach(row, Deadline(timeout_s))
    except Unsupported as error:
        return Found(now, Finding.NOTHING, error.code, str(error))
    except OutOfTokens as error:
        return _put_off(now, error)
    except CircuitOpen as error:
        return _resting(row, error, now)
    except ProviderError as error:
        return _failed(error, now)
    took_ms = round(reached.seconds * 1000, 3)
    return Found(now, Finding.GOOD, "ok", reached.said, response_time_ms=took_ms, reached=True)


def _put_off(now: datetime, error: ProviderError) -> Found:
    """Another entry of its host was asked a moment ago: it comes a little later."""
    wait_s = error.wait or MOMENT_S
    return Found(now, Finding.NOTHING, OutOfTokens.code, "its host has a rest", wait_s=wait_s)


_RESTS = {
    Reason.THROTTLED: (Finding.LIMITED, CircuitOpen.code, "its host rests after a 429"),
    Reason.BLACKLISTED: (Finding.LIMITED, Blacklisted.code, "its host rests after several 429s"),
    Reason.BLOCKED: (Finding.BLOCKED, CircuitOpen.code, "its host blocks us"),
}


def _resting(row: Resource, error: CircuitOpen, now: datetime) -> Found:
    reason = guard_of(host_of(row.probe)).standing().circuit.reason
    if reason not in _RESTS:
        return _put_off(now, error)
    found, code, words = _RESTS[reason]
    return Found(now, found, code, words, wait_s=error.wait)


def _failed(error: ProviderError, now: datetime) -> Found:
    # Whoever throttles or blocks says when to come back, or it is a while.
    waits = isinstance(error, Throttled | Blocked)
    return Found(
        now,
        finding(error.code),
        error.code,
        in_short(error),
        wait_s=max(error.wait or 0.0, AGAIN_S) if waits else None,
        reached=error.code not in NETWORK,
    )
