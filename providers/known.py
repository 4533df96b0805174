"""
The whole catalogue as one list: whom we ask, and what we only know of. Asks no upstream.

A resource that providers of ours speak for is as well as the best of them; the others are as well
as the checks found them, and unknown where nobody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.timezone import now as current_time

from providers.health import Health
from providers.models import Provider, Resource
from providers.overview import JustRead, ProviderNow, providers_now
from providers.resources import Auth, Kind, Source
from providers.shipped import Shipped
from providers.standing import Status
from providers.tables import PROVIDERS

# Of several providers of one resource the one that does best speaks for it.
BEST_FIRST = (
    Status.HEALTHY,
    Status.DEGRADED,
    Status.RATE_LIMITED,
    Status.UNKNOWN,
    Status.MAINTENANCE,
    Status.DOWN,
    Status.MISCONFIGURED,
    Status.DISABLED,
)
KINDS = {"rss": Kind.FEED, "ethereum_rpc": Kind.NODE, "openai_compatible": Kind.LLM}


@dataclass(frozen=True)
class Known:
    """
    One entry as pages and the API show it. `checked_at` is None where nobody looked, and
    `response_time_ms` where nobody answered.
    """

    slug: str
    title: str
    kind: str
    category: str
    topics: Sequence[str]
    source: str
    url: str
    docs_url: str
    signup_url: str
    auth: str
    chains: Sequence[str]
    limits: Sequence[Mapping[str, Any]]
    priority: int | None
    flags: Sequence[str]
    status: Status
    reason: str
    checked_at: datetime | None
    response_time_ms: float | None
    providers: Sequence[str]
    notes: str

    @property
    def age_s(self) -> float | None:
        """Seconds since the last look."""
        if self.checked_at is None:
            return None
        return (current_time() - self.checked_at).total_seconds()

    @property
    def words(self) -> str:
        """What a search looks into."""
        said = (self.slug, self.title, self.category, self.url, *self.topics, *self.chains)
        return "\n".join((*said, *self.providers, *self.flags)).casefold()


def everything(just_read: JustRead | None = None) -> list[Known]:
    """Resources, and providers that no resource names, by category and name."""
    now = {item.provider.slug: item for item in providers_now(just_read=just_read)}
    checks = _Checks()
    found, spoken_for = [], set()
    for row in Resource.objects.all():
        ours = [now[slug] for slug in speakers(row, now)]
        spoken_for |= {item.provider.slug for item in ours}
        found.append(_of_resource(row, ours, checks))
    records = Shipped.objects.filter(kind=PROVIDERS.name).values_list("key", "values")
    shipped: dict[str, Mapping[str, Any]] = dict(records)
    found += [
        _of_provider(item, shipped.get(slug), checks)
        for slug, item in now.items()
        if slug not in spoken_for
    ]
    return sorted(found, key=lambda known: (known.category, known.slug))


def speakers(row: Resource, known: Iterable[str]) -> list[str]:
    """The providers of ours that speak for a resource: those it names, and its namesake."""
    exist = set(known)
    return [s for s in dict.fromkeys([*row.providers, row.slug.replace("-", "_")]) if s in exist]


def find(
    entries: Iterable[Known],
    *,
    q: str = "",
    category: str = "",
    source: str = "",
    status: str = "",
    flag: str = "",
) -> list[Known]:
    """Those that have every word of `q` somewhere, and are as asked."""
    words = q.casefold().split()
    asked: list[Callable[[Known], bool]] = [
        lambda known: all(word in known.words for word in words),
        lambda known: category in ("", known.category),
        lambda known: source in ("", known.source),
        lambda known: status in ("", known.status.value),
        lambda known: not flag or flag in known.flags,
    ]
    return [known for known in entries if all(holds(known) for holds in asked)]


def count(values: Iterable[str]) -> dict[str, int]:
    """How many of each, the most first."""
    found: dict[str, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


class _Checks:
    """What the checks found of all resources, read at once; providers bring theirs along."""

    def __init__(self) -> None:
        self.at = current_time()
        self.of_resources = {row.resource_id: row for row in Health.objects.exclude(resource=None)}

    def of(self, row: Resource) -> dict[str, Any]:
        """The verdict on a resource that no provider speaks for."""
        health = self.of_resources.get(row.pk)
        if health is None:
            return {"status": Status.UNKNOWN, "reason": "", **self._figures(None)}
        status = health.status_at(self.at)
        reason = "no result for three intervals" if health.is_stale(self.at) else health.reason
        return {"status": status, "reason": reason, **self._figures(health)}

    def of_provider(self, item: ProviderNow) -> dict[str, Any]:
        return {"status": item.status, "reason": item.reason, **self._figures(item.health)}

    def _figures(self, health: Health | None) -> dict[str, Any]:
        if health is None:
            return {"checked_at": None, "response_time_ms": None}
        return {"checked_at": health.checked_at, "response_time_ms": health.response_time_ms}


def _of_resource(row: Resource, ours: Sequence[ProviderNow], checks: _Checks) -> Known:
    known = Known(
        slug=row.slug,
        title=row.title,
        kind=row.kind,
        category=row.category,
        topics=row.topics,
        source=row.source,
        url=row.url,
        docs_url=row.docs_url,
        signup_url=row.signup_url,
        auth=row.auth,
        chains=row.chains,
        limits=row.limits,
        priority=row.priority,
        flags=row.flags,
        **checks.of(row),
        providers=[item.provider.slug for item in ours],
        notes=row.notes,
    )
    if not ours:
        return known
    best = min(ours, key=lambda item: BEST_FIRST.index(item.status))
    limits = row.limits or ours[0].provider.limits
    told = checks.of_provider(best)
    return replace(known, **told, limits=limits, priority=max(map(_priority, ours)))


def _priority(item: ProviderNow) -> int:
    return item.provider.priority


def _of_provider(item: ProviderNow, shipped: Mapping[str, Any] | None, checks: _Checks) -> Known:
    """
    `shipped` is what the catalogue says of it. Whatever else an operator wrote as address and
    notes is theirs: a key or a host of their own network may stand there.
    """
    row, said = item.provider, shipped or {}
    return Known(
        slug=row.slug,
        title=row.title,
        kind=KINDS.get(row.adapter_name, Kind.API).value,
        category=row.category,
        topics=[],
        source=(Source.HOUSE if shipped else Source.OPERATOR).value,
        url=said.get("base_url") or row.adapter_class.base_url,
        docs_url=row.docs_url,
        signup_url="",
        auth=_auth(row).value,
        chains=[],
        limits=row.limits,
        priority=row.priority,
        flags=[],
        **checks.of_provider(item),
        providers=[row.slug],
        notes=said.get("notes", ""),
    )


def _auth(row: Provider) -> Auth:
    auth = row.adapter_class.auth
    if auth is None:
        return Auth.NONE
    return Auth.REQUIRED if auth.required else Auth.OPTIONAL
