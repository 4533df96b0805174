"""Which endpoints there are: a row for each provider of the catalogue, named like it."""

from __future__ import annotations

from django.db import transaction

from monitoring.models import Endpoint
from providers import roster
from providers.datasets.completions import COMPLETION
from providers.health import Health, Kind
from providers.models import Provider


def sync() -> None:
    """Give every provider its endpoint, and the name it has now. What is gone went with its row."""
    known = dict(Health.objects.exclude(provider=None).values_list("provider_id", "name"))
    catalogue = {row.pk: row for row in roster.current().providers}
    if all(known.get(pk) == row.slug for pk, row in catalogue.items()):
        return
    with transaction.atomic():
        _add([row for pk, row in catalogue.items() if pk not in known])
        for pk, row in catalogue.items():
            if known.get(pk, row.slug) != row.slug:
                Health.objects.filter(provider_id=pk).update(name=row.slug)


def _add(providers: list[Provider]) -> None:
    # Another process may be adding them too; a provider that is gone meanwhile comes to nothing.
    there = set(
        Provider.objects.filter(pk__in=[p.pk for p in providers]).values_list("pk", flat=True)
    )
    Health.objects.bulk_create(
        [Health(provider=p, name=p.slug, kind=_kind(p)) for p in providers if p.pk in there],
        ignore_conflicts=True,
    )
    without = Health.objects.filter(provider__in=there, endpoint=None)
    Endpoint.objects.bulk_create([Endpoint(health=h) for h in without], ignore_conflicts=True)


def _kind(provider: Provider) -> Kind:
    offers = provider.adapter_class.offers
    speaks = any(query.dataset is COMPLETION for query in offers)
    return Kind.LLM if speaks or provider.category == Kind.LLM else Kind.DATA
