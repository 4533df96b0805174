"""
The catalogue as this process sees it: rows that every question needs, read at most every 1.5 s.

So an edit in the admin is obeyed by the next upstream choice, in every process, within two seconds;
and while the database is out of reach we go on by the rows we had.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import Error as DatabaseIsOut

from providers.datasets import Dataset
from providers.errors import Unsupported
from providers.lately import Book, Told
from providers.models import Asset, Call, Credential, Listing, Policy, Provider

logger = logging.getLogger(__name__)

T = TypeVar("T")

ROWS_S, LATELY_S, RECORD_S, LISTINGS_S = 1.5, 2.0, 10.0, 30.0
MOST_CALLS = 2000  # read at once: what came before them has faded, or will soon


class Remembered(Generic[T]):
    """What `load` returned at most `ttl` seconds ago; one thread reloads, others go by the old."""

    def __init__(
        self, load: Callable[[], T], ttl: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.load = load
        self.ttl = ttl
        self.clock = clock
        self._value: T | None = None
        self._at = float("-inf")
        self._lock = threading.Lock()

    def get(self) -> T:
        value = self._value
        if value is not None and self.clock() < self._at + self.ttl:
            return value
        if value is None:
            with self._lock:
                return self._reload() if self._value is None else self._value
        if self._lock.acquire(blocking=False):
            try:
                return self._reload()
            except DatabaseIsOut as error:
                logger.error("the database is out of reach, going by the last rows: %s", error)
                self._at = self.clock()
            finally:
                self._lock.release()
        return value

    def peek(self) -> T | None:
        """What was loaded last, however old; None when nothing was. Waits for nothing."""
        return self._value

    def _reload(self) -> T:
        self._value, self._at = self.load(), self.clock()
        return self._value

    def outdate(self) -> None:
        """Load at the next `get`; until then `peek` still finds the old."""
        self._at = float("-inf")

    def forget(self) -> None:
        self._value, self._at = None, float("-inf")


@dataclass(frozen=True)
class Roster:
    """Enabled and disabled providers with their usable keys, and the policies."""

    providers: Sequence[Provider]
    credentials: Mapping[int, Sequence[Credential]]
    policies: Mapping[str, Policy]
    keyed: frozenset[int] = frozenset()  # providers with a key, also when it is set aside

    def offering(self, dataset: Dataset) -> list[Provider]:
        """Enabled providers whose adapter answers `dataset`, less those still waiting for a key."""
        return [
            provider
            for provider in self.providers
            if provider.enabled
            and (provider.pk in self.keyed or not provider.needs_key)
            and any(query.dataset is dataset for query in provider.adapter_class.offers)
        ]

    def keys_of(self, provider: Provider) -> Sequence[Credential]:
        return self.credentials.get(provider.pk, ())


@dataclass(frozen=True)
class Record:
    """How a provider did over the last day; None where it was never asked."""

    calls: int
    success_rate: float | None
    latency_s: float | None


def _load_roster() -> Roster:
    from providers import registry

    known = {adapter.name for adapter in registry.all()}
    credentials: dict[int, list[Credential]] = {}
    enabled = list(Credential.objects.filter(enabled=True).select_related("provider"))
    for credential in enabled:
        if credential.set_aside_at is None:
            credentials.setdefault(credential.provider_id, []).append(credential)
    return Roster(
        [row for row in Provider.objects.all() if row.adapter_name in known],
        credentials,
        {policy.dataset: policy for policy in Policy.objects.all()},
        frozenset(credential.provider_id for credential in enabled),
    )


def _load_lately() -> Book:
    """
    With the calls that came since we last looked: each is read once, however many there are. One
    that another connection numbered first and wrote last may be missed: sums that fade bear it.
    """
    book = _lately.peek() or Book()
    newer = Call.objects.filter(pk__gt=book.last).order_by("-pk")
    fields = ("pk", "provider_id", "dataset", "at", "outcome", "seconds", "age_s")
    return book.read(
        (pk, provider, dataset, Told(at.timestamp(), outcome, seconds, age_s))
        for pk, provider, dataset, at, outcome, seconds, age_s in reversed(
            newer.values_list(*fields)[:MOST_CALLS]
        )
    )


def _load_records() -> dict[str, Record]:
    # By slug alone: else every call is sorted with all the columns of its provider.
    rows = Provider.objects.order_by().values("slug").with_record()  # type: ignore[attr-defined]
    return {r["slug"]: Record(r["calls"], r["success_rate"], r["latency_s"]) for r in rows}


def _load_listings() -> dict[str, OwnNames]:
    meant = {asset.symbol: asset.pk for asset in Asset.objects.order_by("-order", "-slug")}
    found: dict[str, dict[tuple[str, str], str]] = {}
    for listing in Listing.objects.select_related("asset"):
        asset, names = listing.asset, found.setdefault(listing.adapter_name, {})
        names[asset.slug, listing.quote] = listing.external_id
        if asset.pk == meant[asset.symbol]:  # else it would be the price of another coin
            names[asset.symbol, listing.quote] = listing.external_id
    return {name: OwnNames(names) for name, names in found.items()}


def _load_assets() -> dict[str, Asset]:
    """By slug, symbol and lower-case name; where several share a symbol, the lowest order."""
    found: dict[str, Asset] = {}
    for asset in Asset.objects.order_by("-order", "-slug"):
        found[asset.name.lower()] = asset
        found[asset.symbol.lower()] = asset
    for asset in Asset.objects.all():
        found[asset.slug] = asset
    return found


class OwnNames:
    """What one adapter's providers call our assets: `base.Listings`."""

    def __init__(self, names: Mapping[tuple[str, str], str]) -> None:
        self.names = names
        # A symbol is upper-case where a slug is lower-case: the last of each id is its symbol.
        by_case = sorted(names.items(), key=lambda item: item[0][0].isupper())
        self.symbols = {own: asset for (asset, _), own in by_case}

    def find(self, asset: str, quotes: Sequence[str] = ("",)) -> tuple[str, str]:
        for quote in quotes:
            if own := self.names.get((asset, quote)):
                return own, quote
        raise Unsupported(f"no listing of {asset}")

    def symbol_of(self, external_id: str) -> str | None:
        return self.symbols.get(external_id)


_roster = Remembered(_load_roster, ROWS_S)
_lately: Remembered[Book] = Remembered(_load_lately, LATELY_S)
_records = Remembered(_load_records, RECORD_S)
_listings = Remembered(_load_listings, LISTINGS_S)
_assets = Remembered(_load_assets, LISTINGS_S)


def current() -> Roster:
    return _roster.get()


def records() -> dict[str, Record]:
    """The record of every provider, by slug."""
    return _records.get()


def lately() -> Book:
    """How every provider did lately with each dataset."""
    return _lately.get()


def listings(adapter_name: str) -> OwnNames:
    return _listings.get().get(adapter_name) or OwnNames({})


def asset(word: str) -> Asset | None:
    """The asset of ours that an id, symbol or name means."""
    return _assets.get().get(word.lower())


def symbols() -> dict[str, str]:
    """Symbol to name of every asset we know."""
    return {found.symbol: found.name for found in _assets.get().values()}


def forget() -> None:
    """Read everything anew at the next question: after an edit in this process, and in tests."""
    for remembered in (_roster, _lately, _records, _listings, _assets):
        remembered.forget()
