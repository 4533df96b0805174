"""
How large our coins are, as a provider's ranking says: it decides which of several a word means.

Only the order matters, so a figure that is a day old does; one that no provider sent stays empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.utils.timezone import now

from providers import roster
from providers.client import call
from providers.datasets import MarketQuery, MarketRow
from providers.errors import ProviderError
from providers.models import Asset, Listing, Provider
from providers.resilience import Deadline

PATIENCE_S = 60.0
RANKING = MarketQuery(limit=MarketQuery.PAGE)


def refresh() -> tuple[str, bool]:
    """
    Take the capitalisations of the first ranking that can be had: whose it was ("" when nobody
    had one), and whether some word now means another asset than before.
    """
    before = dict(roster.meanings())
    for provider in roster.current().offering(RANKING.dataset):
        try:
            rows = call(provider, RANKING, Deadline(PATIENCE_S), purpose="listing").rows
        except ProviderError:
            continue  # it stands in the calls; the next may have one
        if keep(provider, rows):
            return provider.slug, before != roster.meanings()
    return "", False


def keep(provider: Provider, rows: Sequence[MarketRow]) -> int:
    """Store what a ranking says of our coins, by the ids of its provider; of how many it spoke."""
    caps: Mapping[str, Decimal] = {row.id: row.market_cap for row in rows if row.market_cap}
    listings = Listing.objects.filter(
        adapter_name=provider.listed_as, quote="", external_id__in=list(caps)
    ).select_related("asset")
    ranked: list[Asset] = []
    for listing in listings:
        listing.asset.market_cap, listing.asset.ranked_at = caps[listing.external_id], now()
        ranked.append(listing.asset)
    Asset.objects.bulk_update(ranked, ["market_cap", "ranked_at"])
    roster.forget()
    return len(ranked)
