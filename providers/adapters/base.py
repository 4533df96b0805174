"""
What an adapter is, and the small tools every adapter reads answers with.

An adapter is a translator: which path to ask, and how to read the reply. It does not wait,
retry, cache, log or look at the database; whoever hands it `http` has taken care of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from html import unescape
from typing import Any, ClassVar, NamedTuple, Protocol, Self, TypeVar

from providers.datasets import (
    Allowance,
    HistoryPoint,
    HistoryQuery,
    PingQuery,
    PlanQuery,
    PriceRow,
    Query,
)
from providers.errors import Garbled, Missing, ProviderError, Unsupported
from providers.ratelimits import Observation

R = TypeVar("R")


class Reply(NamedTuple):
    """A whole answer of an upstream, whatever its status."""

    status: int
    headers: Mapping[str, str]  # case-insensitive
    body: bytes

    def json(self) -> Any:
        """Decoded with exact numbers (Decimal, int); Garbled when it is not JSON."""
        from providers.http import decode

        return decode(self.body)


class Http(Protocol):
    """The way out, as an adapter sees it: paths are relative to the provider's base URL."""

    def get(self, path: str, /, **params: Any) -> Any:
        """GET and decode JSON. Parameters that are None are left out."""

    def post(self, path: str, json: Any, /) -> Any:
        """POST JSON and decode JSON."""

    def fetch(self, path: str, /, **params: Any) -> Reply:
        """GET and take the body as it is."""

    def lines(self, path: str, json: Any, /) -> Iterator[str]:
        """POST JSON and take the answer line by line, as it comes."""


class Listings(Protocol):
    """What one provider calls the assets we know."""

    def find(self, asset: str, quotes: Sequence[str] = ("",)) -> tuple[str, str]:
        """(external id, quote) of an asset in the first quote it is listed in; Unsupported."""

    def symbol_of(self, external_id: str) -> str | None:
        """Our symbol of what the provider calls `external_id`; None when it is no asset of ours."""


@dataclass(frozen=True, slots=True)
class Auth:
    """
    Where a key goes: a header or a query parameter, with a prefix such as "Bearer ".

    A provider whose key is not `required` answers without one too.
    """

    header: str = ""
    param: str = ""
    prefix: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply's headers say of a budget: within `per_s` seconds, so much is left."""

    per_s: float
    remaining: float | None = None
    used: float | None = None
    limit: float | None = None
    resets_in_s: float | None = None


LIVE: Mapping[str, float] = {"price": 0.0}  # of an exchange: with every trade


class Adapter:
    """
    Speaks one upstream's dialect. Give it a `name`, a `base_url`, say what it `offers`, and
    write one method for each dataset, called like the dataset, that returns its records.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    base_url: ClassVar[str]
    docs_url: ClassVar[str] = ""
    offers: ClassVar[tuple[type[Query], ...]] = ()
    auth: ClassVar[Auth | None] = None
    batch: ClassVar[Mapping[str, int]] = {}  # dataset name -> most symbols in one call
    updates: ClassVar[Mapping[str, float]] = {}  # dataset -> seconds between values, as it says
    reach: ClassVar[Mapping[str, timedelta]] = {}  # dataset -> how far back, where that has an end
    chains: ClassVar[Collection[str]] = ()  # whose fees it tells, by our names
    listed_as: ClassVar[str] = ""  # the adapter whose listings it shares, when not its own
    # What it calls our assets: what stands in "listings", or a coin's "symbol", "symbol_lower".
    named_by: ClassVar[str] = "listings"
    headers: ClassVar[Mapping[str, str]] = {}  # sent with every request
    ping_proves_key: ClassVar[bool] = True  # not where everybody may ask what a ping asks
    is_retired: ClassVar[bool] = False  # it is listed, and nobody is there to ask
    check_every_s: ClassVar[float] = 0.0  # it is not to be checked more often than that

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> type[Self]:
        """The adapter as the row of a provider wants it; ValueError names what it cannot want."""
        if options:
            raise ValueError("this adapter takes no options")
        return cls

    def __init__(self, http: Http, listings: Listings, *, now: Callable[[], datetime]) -> None:
        self.http = http
        self.listings = listings
        self.now = now
        self.dropped = 0  # rows that were left out because they could not be read

    def fetch(self, query: Query) -> Sequence[Any]:
        if isinstance(query, PingQuery):
            self.ping()
            return ()
        method: Callable[[Query], Sequence[Any]] = getattr(self, query.dataset.method)
        return method(query)

    def ping(self) -> None:
        """The cheapest question that proves the upstream is up; raises when it is not."""
        raise Unsupported("no health probe")

    def plan(self, query: PlanQuery) -> list[Allowance]:
        """The windows of the key that it is asked with, where there is a path that tells them."""
        raise Unsupported("it does not tell what a key may ask")

    @classmethod
    def cost(cls, query: Query) -> int:
        """What the query costs of the provider's budget, in its own unit."""
        return 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """The error this upstream means by `reply`, also inside a 200; None when it means none."""
        return None

    @classmethod
    def observations(cls, reply: Reply) -> Iterable[Observation]:
        """What a reply says of limits of any metric, for people to see; `readings` are for us."""
        return ()

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """What the headers of a reply say of the budget."""
        return ()

    def named(
        self, symbols: Iterable[str], quotes: Sequence[str] = ("",)
    ) -> dict[str, tuple[str, str]]:
        """External id -> (symbol, quote) of those with a name here; Unsupported if none has."""
        found: dict[str, tuple[str, str]] = {}
        unknown: Unsupported | None = None
        for symbol in symbols:
            try:
                external_id, quote = self.listings.find(symbol, quotes)
            except Unsupported as error:
                unknown = error
            else:
                found[external_id] = symbol, quote
        if not found:
            raise unknown or Unsupported("no symbols were asked for")
        return found

    def keyed(self, items: Any, key: str) -> dict[str, Any]:
        """The objects of a list by what they hold as `key`; one that holds nothing is dropped."""
        return dict(self.rows(items, lambda item: (text(item[key]), item)))

    def prices(
        self,
        named: Mapping[str, tuple[str, str]],
        items: Any,
        read: Callable[[Any, str, str], PriceRow],
        *,
        everything: bool = False,
    ) -> list[PriceRow]:
        """
        `read(item, symbol, quote)` of each asset of `named` that has an item by its external id.

        Missing when none has; Garbled when the answer is about others than were asked for, unless
        it is a list of `everything` there is.
        """
        if not isinstance(items, dict):
            raise Garbled(f"prices were promised, not {kind(items)}")
        found = [(items[own], *asset) for own, asset in named.items() if own in items]
        if not found:
            raise Missing() if everything or not items else Garbled("prices of others")
        return self.rows(found, lambda item: read(*item))

    def rows(self, items: Any, read: Callable[[Any], R | None]) -> list[R]:
        """
        `read` every item of a list. A row that cannot be read is dropped and counted; when
        none of several can be read the answer is not what was promised.
        """
        found: list[R] = []
        failed: Exception | None = None
        for item in listed(items):
            try:
                row = read(item)
            except UNREADABLE as error:
                self.dropped += 1
                failed = error
            else:
                if row is not None:
                    found.append(row)
        if failed and not found:
            raise Garbled(f"no row could be read: {failed}") from failed
        return found


# What reading a reply of the wrong shape raises, in any adapter.
UNREADABLE = (Garbled, KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError)


def kind(value: Any) -> str:
    """The name of a JSON value's type, for error messages: never the value itself."""
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(
        type(value), f"a {type(value).__name__}"
    )


MOST_DIGITS = 40
_MANY = 10**MOST_DIGITS
_ZERO = Decimal()


def number(value: Any) -> Decimal:
    """An exact number out of a JSON number or a text of digits; Garbled otherwise."""
    if type(value) is not Decimal:
        if type(value) is not str and type(value) is not int:
            raise Garbled(f"a number was promised, not {kind(value)}")
        try:
            value = Decimal(value)
        except InvalidOperation:
            raise Garbled("a number was promised, not this text") from None
    # Beyond this no market has digits: it is NaN, infinity, or a trap for whoever prints it.
    if not (value.is_finite() and -MOST_DIGITS <= value.adjusted() <= MOST_DIGITS):
        raise Garbled("a number out of all proportion")
    exact: Decimal = value
    return exact


def positive(value: Any) -> Decimal:
    """A number above zero: a price."""
    found = number(value)
    if found <= _ZERO:
        raise Garbled("a price that is not above zero")
    return found


def amount(value: Any) -> Decimal:
    """A number not below zero: a volume, a supply."""
    found = number(value)
    if found < _ZERO:
        raise Garbled("an amount below zero")
    return found


def maybe(read: Callable[[Any], R], value: Any) -> R | None:
    """None for what the provider left empty (null or ""), else what `read` makes of it."""
    # Not `value == ""`: to find out that it is no text costs a Decimal more than to be read.
    return None if value is None or (type(value) is str and not value) else read(value)


def count(value: Any) -> int:
    """How many: an integer not below zero."""
    found = whole(value)
    if found < 0:
        raise Garbled("a count below zero")
    return found


def rank(value: Any) -> int | None:
    """A place in a ranking, from 1; None for null and for 0, which both mean unranked."""
    return maybe(count, value) or None


def flag(value: Any) -> bool:
    """True or false, and nothing that merely looks like it."""
    if type(value) is not bool:
        raise Garbled(f"true or false was promised, not {kind(value)}")
    return value


def nonzero(value: Any) -> Decimal | None:
    """An amount; None where null, "" and 0 alike mean that nobody knows it: a capitalisation."""
    return maybe(amount, value) or None


def whole(value: Any) -> int:
    """An integer out of a JSON integer or a text of digits."""
    if type(value) is int and -_MANY < value < _MANY:
        return value  # the usual, and there are hundreds in an answer
    found = number(value)
    if found != found.to_integral_value():
        raise Garbled("a whole number was promised")
    return int(found)


def text(value: Any, *, most: int = 300) -> str:
    """A text that says something, without markup, control characters or endless length."""
    if type(value) is not str:
        raise Garbled(f"a text was promised, not {kind(value)}")
    if not (value.isascii() and value.isprintable()):  # few are worth the search
        value = _CONTROL.sub(" ", value)
    plain = " ".join(value.split()) if " " in value or not value.isascii() else value
    if not plain:
        raise Garbled("an empty text")
    return plain[:most]


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_MARKUP = re.compile(r"<[^<>]*>")  # [^>]* would take quadratic time over "<<<<"


def prose(value: Any, *, most: int = 2000) -> str:
    """Running text out of HTML: tags dropped, entities resolved, white space folded."""
    if type(value) is not str:
        raise Garbled(f"a text was promised, not {kind(value)}")
    return text(unescape(_MARKUP.sub(" ", value)), most=most)


EARLIEST, LATEST = 31_536_000, 4_102_444_800  # 1971 to 2100: times of another unit stay out
_EARLIEST, _LATEST = (datetime.fromtimestamp(moment, UTC) for moment in (EARLIEST, LATEST))


def moment(value: Any, *, unit: int = 1) -> datetime:
    """A time out of seconds since the epoch, or of milliseconds with `unit=1000`."""
    seconds = number(value) / unit
    if not EARLIEST <= seconds <= LATEST:
        raise Garbled("a time that nobody can mean")
    return datetime.fromtimestamp(float(seconds), UTC)


def instant(value: Any) -> datetime:
    """A time out of ISO 8601, with up to nanoseconds, in UTC unless it says otherwise."""
    if type(value) is not str:
        raise Garbled(f"a time was promised, not {kind(value)}")
    try:
        found = datetime.fromisoformat(value.strip())  # it drops what is below a microsecond
    except ValueError:
        raise Garbled("a time was promised, not this text") from None
    if found.tzinfo is not UTC:  # what ends in Z has it already
        found = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    if not _EARLIEST <= found <= _LATEST:
        raise Garbled("a time that nobody can mean")
    return found


def web_address(value: Any) -> str:
    """An http(s) address a page may link to."""
    found = text(value, most=2000)
    if not found.startswith(("https://", "http://")) or " " in found:
        raise Garbled("an address was promised")
    return found


def listed(value: Any) -> list[Any]:
    """A list, of whatever."""
    if not isinstance(value, list):
        raise Garbled(f"a list was promised, not {kind(value)}")
    return value


def first_address(values: Any) -> str | None:
    """The first web address of a list that mixes them with blanks and nulls; None without one."""
    for value in maybe(listed, values) or ():
        try:
            return web_address(value)
        except Garbled:
            continue
    return None


def in_order(query: HistoryQuery, points: Iterable[HistoryPoint]) -> list[HistoryPoint]:
    """Ascending, each time once, and within [start, end) where the query names them."""
    by_time = {point.time: point for point in points}
    return [
        by_time[time]
        for time in sorted(by_time)
        if (query.start is None or query.start <= time) and (query.end is None or time < query.end)
    ]


def said(reply: Reply) -> dict[str, Any]:
    """The JSON object that a reply is, for `diagnose`; empty when it is anything else."""
    try:
        found = reply.json()
    except Garbled:
        return {}
    return found if isinstance(found, dict) else {}


def known(mapping: Mapping[str, R], key: str, what: str) -> R:
    """`mapping[key]`, or Unsupported: this provider has no such interval, currency or chain."""
    try:
        return mapping[key]
    except KeyError:
        raise Unsupported(f"no {what} {key!r} here") from None


def only(rows: Sequence[R]) -> R:
    """The single row of an answer; Missing when there is none."""
    if not rows:
        raise Missing()
    return rows[0]


@dataclass(frozen=True, slots=True)
class NoListings:
    """For adapters that need none, and for tests."""

    ids: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def find(self, asset: str, quotes: Sequence[str] = ("",)) -> tuple[str, str]:
        for quote in quotes:
            if found := self.ids.get((asset, quote)):
                return found, quote
        raise Unsupported(f"it is not known here what {asset!r} is called")

    def symbol_of(self, external_id: str) -> str | None:
        return next((asset for (asset, _), own in self.ids.items() if own == external_id), None)
