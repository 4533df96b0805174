"""
How much of each key and each provider is used, window by window, and when it ends.

Our own count, by the hour, or the provider's where it told us more: others may use the same key.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseIsOut
from django.db.models import FloatField, Min, Q, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from providers.models import Call, Credential, Provider, Scope
from providers.quota import CALM, QUOTA_S, WARNED, Quota, pace_over_s
from providers.resilience import Cell, Window
from providers.resilience.guard import TTL
from providers.roster import Remembered, current
from providers.tallies import Tally, hour_of
from providers.wording import span

logger = logging.getLogger(__name__)

EVERY_S = 15.0


@dataclass(frozen=True)
class Subject:
    """Whom windows count: a key, or (without one) the address as a provider sees it."""

    provider: Provider
    credential: Credential | None = None

    @property
    def name(self) -> str:
        """As its guard is called."""
        return self.credential.guard_name if self.credential else self.provider.slug

    @property
    def windows(self) -> list[Window]:
        own = self.credential
        return own.windows if own else self.provider.windows(Scope.ADDRESS)

    def __str__(self) -> str:
        own = self.credential
        return f"{self.provider.slug}: key {own.label!r}" if own else self.provider.slug


Quotas = Mapping[str, Sequence[Quota]]


def quotas_of(subjects: Iterable[Subject]) -> dict[str, list[Quota]]:
    """The quotas (windows of an hour or more) of each, by name; those without are left out."""
    wanted = {s.name: s for s in subjects if any(w.per_s >= QUOTA_S for w in s.windows)}
    if not wanted:
        return {}
    moment = now()
    told = _told(wanted.values(), moment)
    lengths = {window.per_s for s in wanted.values() for window in s.windows}
    spans = {over for per_s in lengths if per_s >= QUOTA_S for over in (per_s, pace_over_s(per_s))}
    sums = _sums(wanted.values(), {over: moment - timedelta(seconds=over) for over in spans})
    return {
        name: _quotas(subject, sums[name], told.get(name, {}), moment)
        for name, subject in wanted.items()
    }


@dataclass(frozen=True)
class _Sums:
    """What was spent since each of some moments, by seconds ago; and when all this began."""

    spent: Mapping[float, float]
    began: datetime | None


def _sums(subjects: Iterable[Subject], since: Mapping[float, datetime]) -> dict[str, _Sums]:
    asked = list(subjects)
    rows = (
        Tally.objects.filter(
            provider__in={s.provider.pk for s in asked}, hour__gte=hour_of(min(since.values()))
        )
        .values_list("provider_id", "key")
        .order_by()
        .annotate(
            began=Min("hour"),
            **{f"spent{place}": _spent(moment) for place, moment in enumerate(since.values())},
        )
    )
    by_key = {(row[0], row[1]): row[2:] for row in rows}
    found = {}
    for subject in asked:
        own = subject.credential
        parts = [
            values
            for (provider, key), values in by_key.items()
            if provider == subject.provider.pk and (own is None or key == own.pk)
        ]
        totals = [sum(values[1 + place] for values in parts) for place in range(len(since))]
        began = min((values[0] for values in parts), default=None)
        found[subject.name] = _Sums(dict(zip(since, totals, strict=True)), began)
    return found


def _spent(since: datetime) -> Any:
    """The cost since then; of the hour that began before it, the part that lies after it."""
    first = hour_of(since)
    part = 1 - (since - first).total_seconds() / 3600
    later = Sum("cost", filter=Q(hour__gt=first), default=0.0)
    edge = Sum("cost", filter=Q(hour=first), default=0.0)
    return Coalesce(later + Value(part) * edge, 0.0, output_field=FloatField())


# Seconds of a window -> (used, seconds to the reset), as a provider told.
Told = Mapping[float, tuple[float, float | None]]


def _quotas(subject: Subject, known: _Sums, told: Told, moment: datetime) -> list[Quota]:
    found = []
    for window in subject.windows:
        if window.per_s < QUOTA_S:
            continue
        over = pace_over_s(window.per_s)
        age = (moment - known.began).total_seconds() if known.began else over
        used, resets_in_s = told.get(window.per_s, (0.0, None))
        found.append(
            Quota(
                window.limit,
                window.per_s,
                max(used, known.spent[window.per_s]),
                known.spent[over] / max(QUOTA_S, min(over, age)),
                resets_in_s,
            )
        )
    return found


def _told(subjects: Iterable[Subject], moment: datetime) -> dict[str, Told]:
    """What providers told of each key, and what we used of it since."""
    heard = {s.name: s.credential for s in subjects if s.credential and s.credential.plan_read_at}
    counted = {
        name: own
        for name, own in heard.items()
        if any(_is_of_now(w, moment) for w in own.plan_limits)
    }
    if not counted:
        return {}
    since = Call.objects.filter(credential__in=counted.values()).aggregate(
        **{
            f"of_{own.pk}": Sum(
                "cost", filter=Q(credential=own.pk, at__gt=own.plan_read_at), default=0.0
            )
            for own in counted.values()
        }
    )
    return {
        name: {
            window["per_s"]: (window["used"] + since[f"of_{own.pk}"], _resets_in_s(window, moment))
            for window in own.plan_limits
            if _is_of_now(window, moment)
        }
        for name, own in counted.items()
    }


def _is_of_now(window: Mapping[str, Any], moment: datetime) -> bool:
    """Was it told what is used, of a period that is not over?"""
    resets_in_s = _resets_in_s(window, moment)
    return window["used"] is not None and (resets_in_s is None or resets_in_s > 0)


def _resets_in_s(window: Mapping[str, Any], moment: datetime) -> float | None:
    resets_at = parse_datetime(window["resets_at"]) if window["resets_at"] else None
    return (resets_at - moment).total_seconds() if resets_at else None


# -- What this process goes by -----------------------------------------------------------------


def subjects() -> list[Subject]:
    """Every enabled provider and every key in use."""
    catalogue = current()
    enabled = [provider for provider in catalogue.providers if provider.enabled]
    keys = [Subject(p, own) for p in enabled for own in catalogue.keys_of(p)]
    return [*map(Subject, enabled), *keys]


def _load() -> Quotas:
    """Without a database: what was known last, or nothing, and no call waits for it again soon."""
    try:
        known = {subject.name: subject for subject in subjects()}
        found = quotas_of(known.values())
    except DatabaseIsOut as error:
        logger.error("the database is out of reach, going by the last quotas: %s", error)
        return _quotas_now.peek() or {}
    _warn(known, found)
    return found


_quotas_now = Remembered[Quotas](_load, EVERY_S)


def quotas() -> Quotas:
    """The quotas of all, by the name of their guard; at most some seconds old."""
    return _quotas_now.get()


def forget() -> None:
    _quotas_now.forget()


def _warn(known: Mapping[str, Subject], found: Quotas) -> None:
    """Say once, in one process of all, that a quota comes to its end."""
    shares = {
        f"{name}/{quota.per_s:g}": (known[name], quota)
        for name, quotas in found.items()
        for quota in quotas
    }

    if not shares:
        return

    def note(stored: Any) -> tuple[Any, list[str]]:
        said = stored if isinstance(stored, list) else []
        still = [n for n in said if n in shares and shares[n][1].share >= CALM]
        new = [n for n, (_, quota) in shares.items() if quota.share >= WARNED and n not in still]
        return sorted([*still, *new]) or stored and [], new  # nothing to say: nothing is written

    for name in Cell("quota:warned", ttl=TTL).update(note):
        logger.warning("%s has %s", shares[name][0], sentence(shares[name][1]))


def sentence(quota: Quota) -> str:
    """'used 83 % of 10,000 in 30 days; at today's pace it ends in 2 days'."""
    said = f"used {quota.share * 100:.0f} % of {quota.limit:,.0f} in {span(quota.per_s)}"
    ends = quota.ends_in_s
    if ends == 0:
        return f"{said}: nothing is left"
    return said if ends is None else f"{said}; at today's pace it ends in {span(ends)}"
