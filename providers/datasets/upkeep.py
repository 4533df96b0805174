"""What the gateway asks for itself: is it up, what may a key ask, what is each asset called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from providers.datasets.base import DAY, Dataset, Query

PING = Dataset("ping", "Does it answer at all?", fresh_s=0, stale_s=0)

PLAN = Dataset("plan", "What a key may ask", fresh_s=0, stale_s=0)

LISTING = Dataset("listing", "What a provider calls each asset", fresh_s=DAY, stale_s=30 * DAY)


class Listed(NamedTuple):
    """
    One line of a provider's own list: what it calls an asset, quoted in what ("" for ids), and
    its contract addresses by chain, where the list has them.
    """

    external_id: str
    symbol: str
    name: str | None
    quote: str
    contracts: dict[str, str] | None = None


@dataclass(frozen=True)
class ListingQuery(Query):
    """A provider's own list of assets; asked by the refresh task, not by visitors."""

    dataset = LISTING
    record = Listed


@dataclass(frozen=True)
class PingQuery(Query):
    """The cheapest question that proves a provider is up: every adapter has one."""

    dataset = PING
    record = Listed


class Allowance(NamedTuple):
    """
    One window of a key's plan: at most `limit` of the provider's own unit in `per_s` seconds (a
    month is 30 days). `used` of it are gone, all come back in `resets_in_s`; None: not told.
    """

    limit: float
    per_s: float
    used: float | None
    resets_in_s: float | None
    plan: str | None  # what the provider calls the plan


@dataclass(frozen=True)
class PlanQuery(Query):
    """What a key may ask, where the provider tells; asked by a task, not by visitors."""

    dataset = PLAN
    record = Allowance
