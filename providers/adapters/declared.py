"""
Any JSON web API that an operator has declared: see docs/declared.md.

Values are read as strictly as those of every other adapter, through the same readers: what is not
exactly what the mapping promises is dropped and counted, with the reason in `problems`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar

from providers.adapters.base import (
    UNREADABLE,
    Adapter,
    Reply,
    in_order,
    known,
    listed,
    only,
)
from providers.adapters.candles import Layout, candles
from providers.adapters.mapped_values import filled, search, span, value_of
from providers.adapters.mapping import Mapped, Offer, record_fields
from providers.adapters.mapping_reader import parse
from providers.datasets import (
    HistoryQuery,
    Listed,
    MarketQuery,
    OhlcQuery,
    PriceQuery,
    PriceRow,
    Query,
    SearchQuery,
)
from providers.errors import Garbled, ProviderError, Unsupported

NAME = "declared"  # what a row names as its adapter
PREFIX = "declared_"  # before the slug of the provider, whose adapter it then is alone
MOST_PROBLEMS = 50
CANDLE = Layout(width=6, time=0, open=1, high=2, low=3, close=4, volume=5)


class Declared(Adapter):
    """The dialect of one declared provider; `adapter_of` makes a class of each mapping."""

    base_url = ""  # every declared provider has its own
    mapped: ClassVar[Mapped]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problems: list[str] = []

    def fetch(self, query: Query) -> Sequence[Any]:
        offer = self.mapped.offers.get(query.dataset.name)
        if offer is None:
            return super().fetch(query)  # a ping, or what it does not offer
        read: Callable[[Offer, Any], Sequence[Any]] = getattr(
            self, f"_{query.dataset.method}", self._plain
        )
        return read(offer, query)

    def ping(self) -> None:
        if not self.mapped.ping:
            raise Unsupported("its mapping names no path for a probe")
        self.http.get(self.mapped.ping)

    @classmethod
    def cost(cls, query: Query) -> int:
        """As declared for each call that the question takes."""
        offer = cls.mapped.offers.get(query.dataset.name)
        if offer is None:
            return 1
        calls = offer.most if offer.size else 1
        if isinstance(query, PriceQuery) and not offer.everything:
            calls = max(-(-len(query.symbols) // offer.batch), 1)
        return offer.cost * calls

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        if not cls.mapped.errors:
            return None
        body = reply.json()
        found = (kind for when, kind in cls.mapped.errors if search(when, body))
        return next((kind("its answer says so") for kind in found), None)

    # -- Datasets ------------------------------------------------------------------------------

    def _plain(self, offer: Offer, query: Query) -> list[Any]:
        values = {"limit": query.limit, "q": query.q} if isinstance(query, SearchQuery) else {}
        return self._records(offer, self._pages(offer, values, range(offer.most)))

    def _global_(self, offer: Offer, query: Query) -> list[Any]:
        return [only(self._plain(offer, query))]

    def _tvl(self, offer: Offer, query: Query) -> list[Any]:
        return sorted(self._plain(offer, query), key=lambda row: -row.tvl)

    def _market(self, offer: Offer, query: MarketQuery) -> list[Any]:
        values = self._money(offer, query.currency)
        first, last = (query.page - 1) * query.limit, query.page * query.limit
        if not offer.size:
            return self._records(offer, self._ask(offer, values))[first:last]
        pages = range(first // offer.size, -(-last // offer.size))
        if len(pages) > offer.most:
            raise Unsupported(f"more than {offer.most} pages for one question")
        items = self._pages(offer, values, pages)
        skipped = pages[0] * offer.size
        return self._records(offer, items[first - skipped : last - skipped])

    def _price(self, offer: Offer, query: PriceQuery) -> list[PriceRow]:
        money = self._money(offer, query.currency)
        named = self.named(query.symbols, ("", money["CURRENCY"]))
        own = list(named)
        if offer.everything:
            batches = [own]
        else:
            batches = [own[i : i + offer.batch] for i in range(0, len(own), offer.batch)]
        found: dict[str, Any] = {}
        for ids in batches:
            items = self._ask(offer, {**money, "id": ids[0], "ids": ",".join(ids)})
            found |= self._by_id(offer, items, ids)

        def read(item: Any, symbol: str, listed_in: str) -> PriceRow:
            row = self._row(offer, item)
            row.pop("id", None)
            real = row.pop("quote", None) or listed_in or money["CURRENCY"]
            return PriceRow(symbol=symbol, quote=real, **row)

        return self.prices(named, found, read, everything=offer.everything)

    def _by_id(self, offer: Offer, items: Any, ids: Sequence[str]) -> dict[str, Any]:
        """The rows that were asked for, by external id; others are dropped."""
        if offer.keyed:
            if not isinstance(items, dict):
                raise Garbled("rows by id were promised")
            pairs = list(items.items())
        elif "id" in offer.fields:
            pairs = self.rows(items, lambda item: (self._read(offer, "id", item), item))
        else:
            pairs = [(ids[0], only(listed(items)))]
        found = {own: item for own, item in pairs if own in ids}
        if len(found) < len(pairs) and not offer.everything:
            self._drop(f"{len(pairs) - len(found)} rows are about others than were asked for")
        if pairs and not found and not offer.everything:
            raise Garbled("prices of others")
        return found

    def _ohlc(self, offer: Offer, query: OhlcQuery) -> Sequence[Any]:
        interval = known(offer.intervals, query.interval, "interval")
        money = self._money(offer, query.currency)
        own = self._one(query.symbol, money)
        asked = {"id": own, "interval": interval, "limit": query.limit}
        items = self._ask(offer, {**money, **asked, **span(query.start, query.end)})
        has_volume = "volume" in offer.fields

        def read(item: Any) -> tuple[Any, ...]:
            row = self._row(offer, item)
            opened = row["time"].timestamp()
            prices = [row[name] for name in ("open", "high", "low", "close")]
            return (int(opened), *prices, row["volume"] if has_volume else Decimal())

        layout = CANDLE if has_volume else CANDLE._replace(volume=None)
        return candles(self, query, self.rows(items, read), layout)

    def _history(self, offer: Offer, query: HistoryQuery) -> Sequence[Any]:
        money = self._money(offer, query.currency)
        own = self._one(query.symbol, money)
        start, end = query.span(self.now())
        days = -(-int((self.now() - start).total_seconds()) // 86400)
        asked = {"id": own, "days": max(days, 1), **span(start, end)}
        items = self._ask(offer, {**money, **asked})
        points = self._records(offer, items)
        return [p for p in in_order(query, points) if start <= p.time <= end]

    # -- Asking --------------------------------------------------------------------------------

    def _money(self, offer: Offer, currency: str) -> dict[str, Any]:
        sent = known(offer.currencies, currency, "currency")
        return {"currency": sent, "CURRENCY": sent.upper()}

    def _one(self, symbol: str, money: dict[str, Any]) -> str:
        return self.listings.find(symbol, ("", money["CURRENCY"]))[0]

    def _ask(self, offer: Offer, values: dict[str, Any]) -> Any:
        """The rows of one call, as the expression finds them."""
        params = {name: filled(template, values) for name, template in offer.params.items()}
        body = self.http.get(filled(offer.path, values, in_path=True) or "", **params)
        found = body if offer.rows is None else search(offer.rows, body)
        if found is None:
            raise Garbled("the expression for rows finds nothing")
        return found if isinstance(found, list) or offer.keyed else [found]

    def _pages(self, offer: Offer, values: dict[str, Any], pages: range) -> list[Any]:
        """The rows of several pages; a page that is not full is the last."""
        found: list[Any] = []
        for page in pages:
            numbers = {"page": offer.first + page, "size": offer.size, "offset": page * offer.size}
            items = self._ask(offer, {**values, **numbers})
            found += listed(items)
            if len(items) < offer.size:
                break
        return found

    # -- Reading -------------------------------------------------------------------------------

    def _records(self, offer: Offer, items: Any) -> list[Any]:
        return self.rows(items, lambda item: _record(offer, self._row(offer, item)))

    def _row(self, offer: Offer, item: Any) -> dict[str, Any]:
        if offer.width and (not isinstance(item, list) or len(item) < offer.width):
            self._note(f"a row is no list of {offer.width} columns")
            raise Garbled("a row of another width")
        return {name: self._read(offer, name, item) for name in offer.fields}

    def _read(self, offer: Offer, name: str, item: Any) -> Any:
        kind, optional = record_fields(offer.query.dataset.name)[name]
        value = search(offer.fields[name], item)
        try:
            if optional and (value is None or value == ""):
                return None
            return value_of(name, kind, value, offer.units.get(name))
        except UNREADABLE as error:
            self._note(f"{name}: {error}")
            raise

    def _drop(self, why: str) -> None:
        self.dropped += 1
        self._note(why)

    def _note(self, problem: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def _record(offer: Offer, row: dict[str, Any]) -> Any:
    """A record of what was read; what is not read is as it is without a word, most often null."""
    record, unsaid = offer.query.record, offer.query.record._field_defaults
    if record is Listed:
        row["quote"] = row.get("quote") or ""
    return record(**{name: row.get(name, unsaid.get(name)) for name in record._fields})


def adapter_of(slug: str, mapping: Any) -> type[Declared]:
    """The adapter of one declared provider; NotAMapping when its mapping makes no sense."""
    return _made(slug, json.dumps(mapping, sort_keys=True))


@lru_cache(256)
def _made(slug: str, document: str) -> type[Declared]:
    mapped = parse(json.loads(document))
    offers = mapped.offers.values()
    return type(
        f"Declared_{slug}",
        (Declared,),
        {
            "name": f"{PREFIX}{slug}",
            "title": slug,
            "mapped": mapped,
            "offers": tuple(offer.query for offer in offers),
            "auth": mapped.auth,
            "batch": {o.query.dataset.name: 100 if o.everything else o.batch for o in offers},
            "listed_as": mapped.listed_as,
            "named_by": mapped.names,
        },
    )


def of_nobody(slug: str) -> type[Declared]:
    """For a row whose mapping cannot be read: it offers nothing, so that it is never asked."""
    empty = Mapped(None, "listings", "", "", ())
    return type(f"Declared_{slug}", (Declared,), {"name": f"{PREFIX}{slug}", "mapped": empty})
