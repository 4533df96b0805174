"""
What the product did by itself about an incident: it lists what happened, and does nothing.

Whoever does something else by itself registers a function that tells it:

    @actions.told
    def models(incident: Incident, moment: datetime) -> Iterable[str]: ...
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from monitoring.incidents.models import Incident
from monitoring.texts import clean
from providers.health import Health
from providers.models import Call, Credential, Provider
from providers.resilience import Phase
from providers.standing import Status

logger = logging.getLogger("monitoring.incidents")

Teller = Callable[[Incident, datetime], Iterable[str]]
_tellers: list[Teller] = []
MOST_NAMED = 4
BEFORE, HOUR = timedelta(days=1), timedelta(hours=1)


def told(teller: Teller) -> Teller:
    if teller not in _tellers:
        _tellers.append(teller)
    return teller


def taken(incident: Incident, moment: datetime) -> list[str]:
    """What was done since it began and is not in its timeline yet, as sentences."""
    known = set(incident.updates.filter(automatic=True).values_list("text", flat=True))
    found = [said for teller in _tellers for said in teller(incident, moment)]
    return [said for said in dict.fromkeys(found) if said not in known]


def _providers(incident: Incident) -> list[Provider]:
    ids = incident.endpoints.values("health__provider")
    return list(Provider.objects.filter(pk__in=ids).order_by("slug")[:20])


@told
def cooled_down(incident: Incident, moment: datetime) -> Iterable[str]:
    """Once an hour of each: a rest follows the other while it lasts, and that is no news."""
    lately = incident.updates.filter(automatic=True, at__gt=moment - HOUR)
    said = list(lately.values_list("text", flat=True))
    for provider in _providers(incident):
        standing = provider.guard.standing()
        until = standing.circuit.open_until
        rests = f"{provider.slug} rests until "
        if any(text.startswith(rests) for text in said):
            continue
        if provider.guard.phase(standing) is Phase.OPEN and until:
            then = datetime.fromtimestamp(until, UTC)
            at = f"{then:%H:%M:%S}" if then.date() == moment.date() else f"{then:%Y-%m-%d %H:%M}"
            yield f"{rests}{at} UTC, then one question tests it."


@told
def switched(incident: Incident, moment: datetime) -> Iterable[str]:
    """Who answers visitors instead, of what those in it answered in the day before."""
    ids = [provider.pk for provider in _providers(incident)]
    before = Call.objects.filter(at__gte=incident.began_at - BEFORE, at__lt=incident.began_at)
    mine = before.filter(provider__in=ids, outcome="ok").exclude(purpose="check")
    datasets = set(mine.order_by().values_list("dataset", flat=True).distinct())
    others = (
        Call.objects.filter(dataset__in=datasets, outcome="ok", at__gte=incident.began_at)
        .exclude(purpose="check")
        .exclude(provider__in=ids)
        .order_by("dataset")
        .values_list("dataset", "provider__slug")
        .distinct()
    )
    by_dataset: dict[str, list[str]] = {}
    for dataset, slug in others:
        by_dataset.setdefault(dataset, []).append(slug)
    known = list(incident.updates.filter(automatic=True).values_list("text", flat=True))
    for dataset, slugs in sorted(by_dataset.items()):
        answered = f"{dataset} is answered by "
        if not any(text.startswith(answered) for text in known):  # who else did is no news
            yield f"{answered}{', '.join(sorted(slugs)[:MOST_NAMED])} meanwhile."


@told
def set_keys_aside(incident: Incident, moment: datetime) -> Iterable[str]:
    rows = Credential.objects.filter(
        provider__in=_providers(incident), set_aside_at__gte=incident.began_at
    ).select_related("provider")
    for row in rows:
        # Which one is for the admin alone: this is read by everybody.
        yield f"A key of {row.provider.slug} was set aside: {clean(row.set_aside_reason)}."


@told
def recovered(incident: Incident, moment: datetime) -> Iterable[str]:
    """Who in it is well again, while others are not; not of one that comes and goes."""
    if incident.flapping:
        return
    well = Health.objects.filter(endpoint__in=incident.endpoints.all(), status=Status.HEALTHY.value)
    for health in well.filter(since__gt=incident.began_at).order_by("name"):
        yield f"{health.name}: well again since {health.since:%H:%M} UTC."
