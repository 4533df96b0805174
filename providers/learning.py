"""
Learn what a provider calls our assets from the provider's own list.

Never by guess: an exchange's pair must name the asset's symbol, and a symbol that two assets of
ours share is not learned from it; a coin id must agree on symbol and name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.timezone import now

from providers import roster
from providers.client import call
from providers.datasets import Listed, ListingQuery
from providers.models import Asset, Listing, Provider
from providers.resilience import Deadline

PATIENCE_S = 60.0
# Quotes worth knowing; an exchange lists hundreds of others.
QUOTES = frozenset(
    ["USD", "USDT", "USDC", "FDUSD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "BTC", "ETH"]
)


@dataclass(frozen=True)
class Learned:
    new: int
    changed: int
    gone: int
    known: int


def teachers() -> list[Provider]:
    """For each adapter with a list of its own, the enabled provider to ask: highest priority."""
    found: dict[str, Provider] = {}
    for provider in roster.current().offering(ListingQuery.dataset):
        found.setdefault(adapter_of(provider), provider)
    return list(found.values())


def adapter_of(provider: Provider) -> str:
    """The adapter under whose name a provider's listings stand."""
    adapter = provider.adapter_class
    return adapter.listed_as or adapter.name


def learn(provider: Provider) -> Learned:
    """Ask `provider` for its list and keep what it says of our assets; raises ProviderError."""
    rows = call(provider, ListingQuery(), Deadline(PATIENCE_S), purpose="listing").rows
    return _keep(adapter_of(provider), match(rows, list(Asset.objects.all())))


def match(rows: Sequence[Listed], assets: Sequence[Asset]) -> dict[tuple[int, str], str]:
    """(asset, quote) -> external id, where the list leaves no doubt."""
    by_symbol: dict[str, list[Asset]] = {}
    for asset in assets:
        by_symbol.setdefault(asset.symbol, []).append(asset)
    found: dict[tuple[int, str], set[str]] = {}
    for row in rows:
        for asset in _meant(row, by_symbol.get(row.symbol, [])):
            found.setdefault((asset.pk, row.quote), set()).add(row.external_id)
    return {place: own.pop() for place, own in found.items() if len(own) == 1}


def _meant(row: Listed, namesakes: Sequence[Asset]) -> list[Asset]:
    if row.quote:
        return list(namesakes) if len(namesakes) == 1 and row.quote in QUOTES else []
    return [asset for asset in namesakes if _same_name(asset.name, row.name)]


def _same_name(ours: str, theirs: str | None) -> bool:
    return theirs is not None and ours.casefold() == theirs.casefold()


Places = Mapping[tuple[int, str], Listing]


def _keep(adapter_name: str, found: dict[tuple[int, str], str]) -> Learned:
    with transaction.atomic():
        rows = {
            (row.asset_id, row.quote): row
            for row in Listing.objects.filter(adapter_name=adapter_name)
        }
        new = [
            Listing(
                asset_id=asset,
                adapter_name=adapter_name,
                quote=quote,
                external_id=own,
                learned_at=now(),
            )
            for (asset, quote), own in found.items()
            if (asset, quote) not in rows
        ]
        changed = [
            row
            for place, own in found.items()
            if (row := rows.get(place)) and row.external_id != own
        ]
        for row in changed:
            row.external_id, row.learned_at = found[row.asset_id, row.quote], now()
        Listing.objects.bulk_create(new)
        Listing.objects.bulk_update(changed, ["external_id", "learned_at"])
        gone = _delisted(rows, found)
        Listing.objects.filter(pk__in=[row.pk for row in gone]).delete()
    roster.forget()
    return Learned(len(new), len(changed), len(gone), len(found) - len(new) - len(changed))


def _delisted(rows: Places, found: Mapping[tuple[int, str], str]) -> list[Listing]:
    """
    Pairs that an exchange no longer lists: asked for, one of them fails a whole batch. A list that
    lacks most of what we knew is no such news, it is a poor list.
    """
    missing = [row for place, row in rows.items() if row.quote and place not in found]
    return missing if 2 * len(missing) < len(rows) else []
