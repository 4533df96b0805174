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
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from django.db import Error as DatabaseIsOut
from django.db import connections

from providers import envkeys
from providers.datasets import CoinQuery, Dataset, PriceQuery, Query
from providers.errors import Unsupported
from providers.health import Health, Verdict
from providers.lately import Book, Told
from providers.meaning import Meant, Words
from providers.models import Asset, Call, Contract, Credential, Kind, Listing, Policy, Provider
from providers.standing import Status

logger = logging.getLogger(__name__)

T = TypeVar("T")

ROWS_S, LATELY_S, RECORD_S, LISTINGS_S = 1.5, 2.0, 10.0, 30.0
MOST_CALLS = 2000  # read at once: what came before them has faded, or will soon


class Remembered(Generic[T]):
    """
    What `load` returned at most `ttl` seconds ago; one thread reloads, others go by the old.

    Within `grace` seconds more nobody waits at all: the old is handed out while it is loaded
    behind. Who comes later, or first, waits for the new.
    """

    def __init__(
        self,
        load: Callable[[], T],
        ttl: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        grace: float = 0.0,
    ) -> None:
        self.load = load
        self.ttl = ttl
        self.grace = grace
        self.clock = clock
        self._value: T | None = None
        self._at = float("-inf")
        self._lock = threading.Lock()

    def get(self) -> T:
        value, age = self._value, self.clock() - self._at
        if value is None:
            with self._lock:
                return self._reload() if self._value is None else self._value
        if age >= self.ttl and self._lock.acquire(blocking=False):
            if age < self.ttl + self.grace:
                _start(self._reload_behind)
                return self._value or value
            return self._reload_or(value)
        return value

    def peek(self) -> T | None:
        """What was loaded last, however old; None when nothing was. Waits for nothing."""
        return self._value

    def _reload(self) -> T:
        self._value, self._at = self.load(), self.clock()
        return self._value

    def _reload_or(self, value: T) -> T:
        """Reload, and let go of the lock; `value` while there is no database."""
        try:
            return self._reload()
        except DatabaseIsOut as error:
            logger.error("the database is out of reach, going by the last rows: %s", error)
            self._at = self.clock()
            return value
        finally:
            self._lock.release()

    def _reload_behind(self) -> None:
        if (value := self._value) is None:  # forgotten meanwhile
            self._lock.release()
            return
        self._reload_or(value)

    def outdate(self) -> None:
        """Load at the next `get`; until then `peek` still finds the old."""
        self._at = float("-inf")

    def forget(self) -> None:
        self._value, self._at = None, float("-inf")


def _start(job: Callable[[], None]) -> None:
    """Do it in a thread of its own, with database connections of its own."""

    def run() -> None:
        try:
            job()
        except Exception:
            logger.exception("what was remembered could not be loaded anew")
        finally:
            connections.close_all()

    threading.Thread(target=run, name="reload", daemon=True).start()


@dataclass(frozen=True)
class Roster:
    """Enabled and disabled providers with their usable keys, and the policies."""

    providers: Sequence[Provider]
    credentials: Mapping[int, Sequence[Credential]]
    policies: Mapping[str, Policy]
    keyed: frozenset[int] = frozenset()  # providers with a key, also when it is set aside
    verdicts: Mapping[int, Verdict] = field(
        default_factory=dict
    )  # what the checks say, by provider

    def offering(self, dataset: Dataset) -> list[Provider]:
        """Enabled providers whose adapter answers `dataset`, less those still waiting for a key."""
        return [
            provider
            for provider in self.providers
            if provider.enabled
            and (provider.pk in self.keyed or not provider.needs_key)
            and any(query.dataset is dataset for query in provider.adapter_class.offers)
        ]

    def waiting_for_a_key(self, dataset: Dataset) -> list[Provider]:
        """Enabled providers that would answer `dataset` if they had the key they need."""
        return [
            provider
            for provider in self.providers
            if provider.enabled
            and provider.needs_key
            and provider.pk not in self.keyed
            and any(query.dataset is dataset for query in provider.adapter_class.offers)
        ]

    def status_of(self, provider: Provider, moment: datetime) -> Status:
        """What the checks say of it; unknown when they said nothing lately."""
        verdict = self.verdicts.get(provider.pk)
        return Status.UNKNOWN if verdict is None else verdict.status_at(moment)

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

    providers = list(Provider.objects.all())
    credentials: dict[int, list[Credential]] = {}
    enabled = [credential for credential in envkeys.in_order(providers) if credential.enabled]
    for credential in enabled:
        if credential.set_aside_at is None:
            credentials.setdefault(credential.provider_id, []).append(credential)
    return Roster(
        [row for row in providers if registry.knows(row.adapter_name)],
        credentials,
        {policy.dataset: policy for policy in Policy.objects.all()},
        frozenset(credential.provider_id for credential in enabled),
        {
            pk: Verdict(status, fresh_until)
            for pk, status, fresh_until in Health.objects.exclude(provider=None).values_list(
                "provider_id", "status", "fresh_until"
            )
            if pk is not None
        },
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


@dataclass(frozen=True)
class Names:
    """Our assets, the words that mean them, and what each adapter's providers call them."""

    words: Words
    own: Mapping[str, OwnNames]
    coins: Mapping[str, str]  # symbol -> name, of each symbol the coin it means
    others: Mapping[str, Asset]  # what is no coin, by the key that queries call it


def _load_names() -> Names:
    """All at once: else a word might mean one asset, and its listing be another's."""
    listings = list(Listing.objects.values_list("adapter_name", "quote", "external_id", "asset_id"))
    words = Words(
        Asset.objects.all(),
        contracts=Contract.objects.values_list("address", "asset_id"),
        listings=((own, asset) for _, _, own, asset in listings),
    )
    found: dict[str, dict[tuple[str, str], str]] = {}
    for adapter, quote, own, pk in listings:
        names = found.setdefault(adapter, {})
        names[words.assets[pk].slug, quote] = own
        names[words.keys[pk], quote] = own  # its symbol, unless that is another asset's
    keyed = [(words.keys[pk], asset) for pk, asset in words.assets.items()]
    coins = {a.symbol: a.name for key, a in keyed if a.kind == Kind.CRYPTO and key == a.symbol}
    others = {key: asset for key, asset in keyed if asset.kind != Kind.CRYPTO}
    return Names(words, {name: OwnNames(own) for name, own in found.items()}, coins, others)


class OwnNames:
    """What one adapter's providers call our assets: `base.Listings`."""

    def __init__(self, names: Mapping[tuple[str, str], str]) -> None:
        self.names = names
        # A symbol is upper-case where a slug is lower-case: the last of each id is its symbol.
        by_case = sorted(names.items(), key=lambda item: item[0][0].isupper())
        self.symbols = {own: asset for (asset, _), own in by_case}
        self.known = frozenset(asset for asset, _ in names)

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
_names = Remembered(_load_names, LISTINGS_S)


def current() -> Roster:
    return _roster.get()


def records() -> dict[str, Record]:
    """The record of every provider, by slug."""
    return _records.get()


def lately() -> Book:
    """How every provider did lately with each dataset."""
    return _lately.get()


def listings(adapter_name: str) -> OwnNames:
    return _names.get().own.get(adapter_name) or OwnNames({})


def names_for(provider: Provider) -> OwnNames:
    """What a provider calls our assets."""
    how = provider.adapter_class.named_by
    if how == "listings":
        return listings(provider.listed_as)
    coins = _names.get().coins
    return OwnNames({(s, ""): s.lower() if how == "symbol_lower" else s for s in coins})


def meant(word: str, kind: str = "") -> Meant | None:
    """What an id, contract address, symbol or name means, of one kind if one is named."""
    return _names.get().words.find(word, kind)


def asset(word: str) -> Asset | None:
    """The asset of ours that a word means."""
    found = meant(word)
    return found.asset if found else None


def meanings() -> Mapping[int, str]:
    """What queries call each asset, by its primary key."""
    return _names.get().words.keys


def symbols() -> Mapping[str, str]:
    """What queries call it, to its name, of every coin and of what is none."""
    names = _names.get()
    return {**{key: asset.name for key, asset in names.others.items()}, **names.coins}


def others() -> Mapping[str, Asset]:
    """What is no coin, by what queries call it."""
    return _names.get().others


def traditional(key: str) -> Asset | None:
    """The asset that queries call `key` when it is no coin."""
    return _names.get().others.get(key)


def is_strange_to(provider: Provider, query: Query) -> bool:
    """
    Does a query ask for nothing but what is no coin, and what the provider has no listing of?

    Then it need not be asked: most know coins alone, and a refusal costs of their budget too.
    """
    keys = keys_of(query)
    if not keys or not all(map(traditional, keys)):
        return False
    return names_for(provider).known.isdisjoint(keys)


def idle_for(query: Query) -> list[tuple[Provider, str]]:
    """Who has what a query asks for, of what is no coin, but may not be asked; and why not."""
    catalogue, keys = current(), [key for key in keys_of(query) if traditional(key)]
    asked = {provider.pk for provider in catalogue.offering(query.dataset)}
    return [
        (provider, "it has no key" if provider.enabled else "it is switched off")
        for provider in catalogue.providers
        if provider.pk not in asked
        and any(offer.dataset is query.dataset for offer in provider.adapter_class.offers)
        and not names_for(provider).known.isdisjoint(keys)
    ]


def keys_of(query: Query) -> tuple[str, ...]:
    """The assets that a query names."""
    if isinstance(query, PriceQuery):
        return query.symbols
    key = query.id if isinstance(query, CoinQuery) else getattr(query, "symbol", "")
    return (key,) if key else ()


def forget() -> None:
    """Read everything anew at the next question: after an edit in this process, and in tests."""
    for remembered in (_roster, _lately, _records, _names):
        remembered.forget()
