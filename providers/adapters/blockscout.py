"""
https://docs.blockscout.com/devs/apis/rest and the OpenAPI of an instance: /api/v2/stats

Every chain has instances of its own, so the base URL of a row says which chain it tells of. This
adapter answers for Ethereum, of its own address: a row that points it elsewhere would lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from providers.adapters.base import (
    Adapter,
    Reading,
    Reply,
    instant,
    known,
    maybe,
    number,
    positive,
    whole,
)
from providers.datasets import Fees, GasQuery
from providers.errors import Broken, Garbled, PlanLimit, ProviderError
from providers.registry import register

UNITS: Mapping[str, str] = {"ethereum": "gwei"}
MILLISECONDS = 1000


@register
class Blockscout(Adapter):
    name = "blockscout"
    title = "Blockscout (Ethereum)"
    base_url = "https://eth.blockscout.com"
    docs_url = "https://docs.blockscout.com/devs/apis/rest"
    offers = (GasQuery,)
    chains = UNITS

    def gas(self, query: GasQuery) -> list[Fees]:
        """Whole prices, base fee included; the plain answer does not name the base fee."""
        unit = known(UNITS, query.chain, "chain")
        said = self._stats()
        slow, average, fast = _tiers(said["gas_prices"])
        updated = maybe(instant, said.get("gas_price_updated_at"))
        return [Fees(query.chain, unit, slow, average, fast, None, updated)]

    def ping(self) -> None:
        whole(self._stats()["total_blocks"])

    def _stats(self) -> Any:
        return self.http.get("/api/v2/stats")

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """A 402 is about the plan: the instance is well."""
        return PlanLimit("not in this plan") if reply.status == 402 else None

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """What is left of this second; it sends -1 where it does not know, or does not count."""
        try:
            limit, left, reset = (
                number(headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset")
            )
        except (KeyError, Garbled):
            return ()
        if min(limit, left, reset) < 0:
            return ()
        return (
            Reading(
                per_s=1,
                limit=float(limit),
                remaining=float(left),
                resets_in_s=float(reset) / MILLISECONDS,
            ),
        )


def _tiers(prices: Any) -> list[Decimal]:
    """(slow, average, fast); Broken while the instance itself has no price for one of them."""
    if prices is None:
        raise Broken("its gas oracle has nothing to say")
    tiers = [prices[name] for name in ("slow", "average", "fast")]
    if None in tiers:
        raise Broken("its gas oracle has no price for every tier")
    found = [positive(tier) for tier in tiers]
    if found != sorted(found):
        raise Garbled("the slow price is above the fast one")
    return found
