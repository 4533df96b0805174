"""
Which asset a word means. Pure: assets in, one of them out, with those it might have meant besides.

An id means its asset, whatever else is spelled alike; then a contract address, a symbol, a name,
and what a provider calls something that is no coin ("^GSPC"). Of several that fit equally well a
coin comes before a share and a share before an index (the order of `Kind`), and within a kind the
largest by market capitalisation is meant; those that no ranking has come last, in their own order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from providers.assets import Asset, Kind, spelled

KINDS = list(Kind.values)


class Fit(IntEnum):
    """By what a word fits an asset, best first."""

    ID = 0
    CONTRACT = 1
    SYMBOL = 2
    NAME = 3
    LISTING = 4


@dataclass(frozen=True)
class Meant:
    """
    The asset that a word means. `key` is what queries call it: its symbol, or its id where the
    symbol means another. `others` are those it might have meant, the likeliest first.
    """

    asset: Asset
    key: str
    others: tuple[Asset, ...] = ()


class Words:
    """Every word that means an asset of ours."""

    def __init__(
        self,
        assets: Iterable[Asset],
        *,
        contracts: Iterable[tuple[str, int]] = (),
        listings: Iterable[tuple[str, int]] = (),
    ) -> None:
        """`contracts` and `listings` are pairs of a word and the primary key of its asset."""
        known = {asset.pk: asset for asset in assets}
        self._found: dict[str, list[tuple[Fit, Asset]]] = {}
        for asset in known.values():
            self._add(asset.slug.lower(), Fit.ID, asset)
            self._add(asset.symbol.lower(), Fit.SYMBOL, asset)
            self._add(asset.name.lower(), Fit.NAME, asset)
        for address, pk in contracts:
            # As it is: some chains tell addresses apart by case.
            self._add(spelled(address), Fit.CONTRACT, known[pk])
        for own, pk in listings:
            if known[pk].kind != Kind.CRYPTO:  # of coins they are pairs, which are no coins
                self._add(own.lower(), Fit.LISTING, known[pk])
        for fits in self._found.values():
            fits.sort(key=_likeliest)
        self.assets: Mapping[int, Asset] = known
        self.keys = {pk: self._key(asset) for pk, asset in known.items()}

    def _add(self, word: str, fit: Fit, asset: Asset) -> None:
        self._found.setdefault(word, []).append((fit, asset))

    def _key(self, asset: Asset) -> str:
        return asset.symbol if self._first(asset.symbol.lower()) == asset else asset.slug

    def _first(self, word: str) -> Asset:
        return self._found[word][0][1]

    def find(self, word: str, kind: str = "") -> Meant | None:
        """What `word` means, of one kind if one is named; None when it means nothing."""
        exact = [fit for fit in self._found.get(spelled(word), []) if fit[0] is Fit.CONTRACT]
        fits = [
            (fit, asset)
            for fit, asset in exact or self._found.get(word.lower(), [])
            if not kind or asset.kind == kind
        ]
        if not fits:
            return None
        best, asset = fits[0]
        # A name disputes a name; only an id or a symbol disputes a symbol.
        rivals = [other for fit, other in fits if fit <= max(best, Fit.SYMBOL)]
        others = dict.fromkeys(other for other in rivals if other != asset)
        return Meant(asset, self.keys[asset.pk], tuple(others))


def _likeliest(fit: tuple[Fit, Asset]) -> tuple[int, int, bool, Decimal, int, str]:
    how, asset = fit
    cap = asset.market_cap
    rank = KINDS.index(asset.kind) if asset.kind in KINDS else len(KINDS)
    return how, rank, cap is None, -(cap or Decimal()), asset.order, asset.slug
