"""
Every provider as it is right now: its row, its circuit and budget, its record, and what the checks
say of it while they are fresh. Asks no upstream.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.timezone import now as current_time

from providers import registry, roster, usage
from providers.health import Health
from providers.keyring import KeyNow, key_now
from providers.models import Provider
from providers.quota import Quota
from providers.resilience import Phase, Standing, standings
from providers.standing import Facts, Status
from providers.standing import status as judge


@dataclass(frozen=True)
class ProviderNow:
    """One provider as pages and the API show it."""

    provider: Provider
    status: Status
    reason: str
    phase: Phase
    resting_s: float  # until it is asked again; 0: now
    tokens_left_percent: float | None
    has_key: bool
    record: roster.Record | None
    quotas: Sequence[Quota]  # of our address
    keys: Sequence[KeyNow]  # in use, as they are tried
    health: Health | None  # what the checks say, however old

    @property
    def latency_ms(self) -> float | None:
        seconds = self.record.latency_s if self.record else None
        return None if seconds is None else round(seconds * 1000, 1)

    @property
    def success_rate_percent(self) -> float | None:
        share = self.record.success_rate if self.record else None
        return None if share is None else round(share * 100, 2)


@dataclass(frozen=True)
class JustRead:
    """What somebody has just read, so that it need not be read again."""

    standings: Mapping[str, Standing]  # of some guards
    healths: Mapping[int, Health]  # of all providers that are checked, by their primary key


def providers_now(
    rows: Iterable[Provider] | None = None, just_read: JustRead | None = None
) -> list[ProviderNow]:
    """
    Every provider of the catalogue, switched off or not, highest priority first; or those of
    `rows` whose adapter exists.
    """
    catalogue = roster.current()
    records = roster.records()
    chosen = [
        row
        for row in (catalogue.providers if rows is None else rows)
        if registry.knows(row.adapter_name)
    ]
    own = {row.slug: catalogue.keys_of(row) for row in chosen}
    known = dict(just_read.standings) if just_read else {}
    names = [*own, *(key.guard_name for keys in own.values() for key in keys)]
    if unread := [name for name in names if name not in known]:
        known |= standings(unread)
    quotas = usage.quotas()
    healths = just_read.healths if just_read else _healths()
    return [
        _now(
            row,
            catalogue,
            known[row.slug],
            records.get(row.slug),
            [key_now(key, known[key.guard_name], quotas) for key in own[row.slug]],
            quotas.get(row.slug, ()),
            healths.get(row.pk),
        )
        for row in chosen
    ]


def _healths() -> dict[int, Health]:
    rows = Health.objects.exclude(provider=None)
    return {row.provider_id: row for row in rows if row.provider_id is not None}


def _now(
    provider: Provider,
    catalogue: roster.Roster,
    standing: Standing,
    record: roster.Record | None,
    keys: Sequence[KeyNow],
    quotas: Sequence[Quota],
    health: Health | None,
) -> ProviderNow:
    has_key = bool(keys)
    guard = provider.guard
    phase, tokens = guard.phase(standing), guard.tokens_left(standing)
    if provider.needs_key and (of_keys := _left(keys)) is not None:
        tokens = of_keys if tokens is None else min(tokens, of_keys)
    found, reason = judge(
        Facts(
            enabled=provider.enabled,
            needs_key=provider.needs_key,
            has_key=has_key,
            phase=phase,
            reason=standing.circuit.reason,
            failures=standing.circuit.failures + standing.circuit.throttles,
            tokens_left=tokens,
            success_rate=record.success_rate if record else None,
            keys_set_aside=provider.pk in catalogue.keyed and not has_key,
            calls=record.calls if record else 0,
        )
    )
    is_off = found is Status.DISABLED or (provider.needs_key and not has_key)
    if not is_off and health is not None and _is_telling(health):
        found, reason = Status(health.status), health.reason
    until = standing.circuit.open_until or 0.0
    return ProviderNow(
        provider=provider,
        status=found,
        reason=reason,
        phase=phase,
        resting_s=max(0.0, until - time.time()) if phase is Phase.OPEN else 0.0,
        tokens_left_percent=None if tokens is None else round(tokens * 100, 1),
        has_key=has_key,
        record=record,
        quotas=quotas,
        keys=keys,
        health=health,
    )


def _is_telling(health: Health) -> bool:
    """Do the checks say how it is, at this moment? What was off then may be on now."""
    status = health.status_at(current_time())
    return status not in (Status.UNKNOWN, Status.DISABLED)


def _left(keys: Sequence[KeyNow]) -> float | None:
    """The share that the best key has left; None when there is one that nothing counts."""
    best: float | None = None
    for key in keys:
        share = 0.0 if key.resting_s else key.tokens_left
        if share is None:
            return None
        best = share if best is None else max(best, share)
    return best
