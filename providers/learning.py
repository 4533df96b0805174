"""
Learn what a provider calls our coins, and where they live on chains, from the provider's own list.

Never by guess: an exchange's pair must name the coin's symbol, and a symbol that two coins of
ours share is not learned from it; a coin id must agree on symbol and name. What is no coin is not
learned at all: the tickers of shares and of coins are given by different people.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils.timezone import now

from providers import roster
from providers.assets import spelled
from providers.client import call
from providers.datasets import Listed, ListingQuery
from providers.errors import OutOfTokens
from providers.models import Asset, Contract, Listing, Provider
from providers.resilience import Deadline

PATIENCE_S = 60.0
WAIT_S = 15.0  # for a token; a task has 55 seconds for all lists
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
    contracts: int = 0  # new or moved


def teachers() -> list[Provider]:
    """For each adapter with a list of its own, the enabled provider to ask: highest priority."""
    found: dict[str, Provider] = {}
    for provider in roster.current().offering(ListingQuery.dataset):
        found.setdefault(provider.listed_as, provider)
    return list(found.values())


def learn(provider: Provider, sleep: Callable[[float], None] = time.sleep) -> Learned:
    """Ask `provider` for its list and keep what it says of our coins; raises ProviderError."""
    rows = _ask(provider, Deadline(PATIENCE_S), sleep)
    coins = list(Asset.objects.coins())
    learned = _keep(provider.listed_as, match(rows, coins))
    return replace(learned, contracts=keep_contracts(provider.listed_as, rows))


def _ask(
    provider: Provider, deadline: Deadline, sleep: Callable[[float], None]
) -> Sequence[Listed]:
    """Its list, once its rate budget allows: somebody may have asked it a second ago."""
    try:
        return call(provider, ListingQuery(), deadline, purpose="listing").rows
    except OutOfTokens as error:
        if error.wait is None or error.wait > WAIT_S:
            raise
        sleep(error.wait)
    return call(provider, ListingQuery(), deadline, purpose="listing").rows


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


# -- Contracts -------------------------------------------------------------------------------


def keep_contracts(adapter_name: str, rows: Sequence[Listed]) -> int:
    """Store under which addresses a list has our coins, by its ids; how many were news."""
    listings = Listing.objects.filter(adapter_name=adapter_name, quote="")
    assets = dict(listings.values_list("external_id", "asset_id"))
    found = {
        (chain, spelled(address)): assets[row.external_id]
        for row in rows
        if row.external_id in assets
        for chain, address in (row.contracts or {}).items()
    }
    known = {
        (row.chain, row.address): row for row in Contract.objects.filter(adapter_name=adapter_name)
    }
    news = [
        Contract(
            pk=known[place].pk if place in known else None,
            asset_id=asset,
            adapter_name=adapter_name,
            chain=place[0],
            address=place[1],
            learned_at=now(),
        )
        for place, asset in found.items()
        if place not in known or known[place].asset_id != asset
    ]
    with transaction.atomic():
        Contract.objects.bulk_create([row for row in news if row.pk is None])
        Contract.objects.bulk_update([r for r in news if r.pk], ["asset_id", "learned_at"])
    roster.forget()
    return len(news)
