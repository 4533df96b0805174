"""https://mempool.space/docs/api/rest"""

from __future__ import annotations

from collections.abc import Mapping

from providers.adapters.base import Adapter, known, positive, whole
from providers.datasets import Fees, GasQuery
from providers.errors import Garbled
from providers.registry import register

UNITS: Mapping[str, str] = {"bitcoin": "sat/vB"}


@register
class MempoolSpace(Adapter):
    name = "mempool_space"
    title = "mempool.space"
    base_url = "https://mempool.space/api"
    docs_url = "https://mempool.space/docs/api/rest#get-recommended-fees"
    offers = (GasQuery,)
    chains = UNITS

    def gas(self, query: GasQuery) -> list[Fees]:
        """
        Slow is confirmed within the hour, average within half of it, fast by the next block.
        There is no base fee: `minimumFee` is what a node relays at all, and nothing is burnt.
        """
        unit = known(UNITS, query.chain, "chain")
        said = self.http.get("/v1/fees/recommended")
        slow, average, fast = (
            positive(said[name]) for name in ("hourFee", "halfHourFee", "fastestFee")
        )
        if not slow <= average <= fast:
            raise Garbled("the slow fee is above the fast one")
        return [Fees(query.chain, unit, slow, average, fast, base_fee=None, last_updated=None)]

    def ping(self) -> None:
        whole(self.http.get("/blocks/tip/height"))
