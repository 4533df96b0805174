"""
The catalogue's data files into rows.

Idempotent, and never against an administrator: a field is overwritten only where it still holds
what the catalogue last put there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction

from providers import catalogue, priorities, roster
from providers.models import Asset, Listing, Policy, Provider, catalogue_values

M = TypeVar("M", Provider, Policy)


@dataclass
class Loaded:
    """What became of the entries of one kind. `kept` names what an administrator changed."""

    added: int = 0
    updated: int = 0
    same: int = 0
    kept: set[str] = field(default_factory=set)


def load() -> dict[str, Loaded]:
    """Bring in providers, policies and assets; all of it or none."""
    shipped, profile = catalogue.load(), priorities.in_force()
    with transaction.atomic():
        loaded = {
            "providers": _rows(
                Provider,
                "slug",
                [{"slug": entry.slug} | profile.over(entry) for entry in shipped.providers],
            ),
            "policies": _rows(
                Policy,
                "dataset",
                [{"dataset": p.dataset, "strategy": p.strategy} for p in shipped.policies],
            ),
            "assets": _assets(shipped.assets),
        }
    roster.forget()
    return loaded


def _rows(model: type[M], name: str, entries: Iterable[Mapping[str, Any]]) -> Loaded:
    known = {getattr(row, name): row for row in model._default_manager.all()}
    loaded = Loaded()
    for entry in entries:
        values = {key: value for key, value in entry.items() if key != name}
        row = known.get(entry[name])
        if row is None:
            model._default_manager.create(**entry, catalogue=values)
            loaded.added += 1
        else:
            _upgrade(row, values, loaded)
    return loaded


def _upgrade(row: Provider | Policy, values: dict[str, Any], loaded: Loaded) -> None:
    unedited = catalogue_values(row, values)
    edited = {name for name in values if name not in unedited}
    loaded.kept |= {f"{row}.{name}" for name in edited if getattr(row, name) != values[name]}
    changed = [name for name, value in unedited.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed or row.catalogue != values:
        row.catalogue = values
        row.save()
    if changed:
        loaded.updated += 1
    else:
        loaded.same += 1


def _assets(entries: Iterable[catalogue.AssetEntry]) -> Loaded:
    """Assets by slug; a listing that was learned from the provider itself is not overwritten."""
    known = {asset.slug: asset for asset in Asset.objects.all()}
    listed = set(Listing.objects.values_list("asset_id", "adapter_name", "quote"))
    loaded, listings = Loaded(), []
    for order, entry in enumerate(entries):
        asset = known.get(entry.id)
        if asset is None:
            asset = Asset.objects.create(
                slug=entry.id,
                symbol=entry.symbol,
                name=entry.name,
                kind=entry.kind,
                currency=entry.currency,
                order=order,
            )
            loaded.added += 1
        else:
            loaded.same += 1
        listings += [
            Listing(asset=asset, adapter_name=adapter, quote=quote, external_id=own)
            for adapter, names in entry.listings.items()
            for quote, own in names.items()
            if (asset.pk, adapter, quote) not in listed
        ]
    Listing.objects.bulk_create(listings)
    return loaded
