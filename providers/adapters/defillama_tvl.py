"""https://api-docs.defillama.com (TVL)"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from providers.adapters.base import Adapter, Reply, amount, maybe, moment, text
from providers.datasets import ChainTvl, TvlHistoryQuery, TvlPoint, TvlQuery
from providers.errors import Garbled, Missing, ProviderError
from providers.registry import register


@register
class DefiLlamaTvl(Adapter):
    """
    What is locked in the protocols of each chain, in USD, without liquid staking and what is
    counted twice. Chains are called as on its pages ("OP Mainnet", "BSC"), in any case.
    """

    name = "defillama_tvl"
    title = "DefiLlama (TVL)"
    base_url = "https://api.llama.fi"
    docs_url = "https://api-docs.defillama.com"
    offers = (TvlQuery, TvlHistoryQuery)

    def tvl(self, query: TvlQuery) -> list[ChainTvl]:
        chains = self.rows(self.http.get("/v2/chains"), _chain)
        return sorted(chains, key=lambda chain: chain.tvl, reverse=True)

    def tvl_history(self, query: TvlHistoryQuery) -> list[TvlPoint]:
        """One point a day; that of today is still moving."""
        chain = f"/{quote(query.chain, safe='')}" if query.chain else ""
        points = self.rows(self.http.get(f"/v2/historicalChainTvl{chain}"), _point)
        return sorted({point.date: point for point in points}.values())

    def ping(self) -> None:
        if not self.tvl(TvlQuery()):
            raise Garbled("chains were promised")

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Whatever the status: it was seen as a 400, and inside a 200."""
        unknown = b"no chain with that name" in reply.body
        return Missing("it knows no chain of this name") if unknown else None


def _chain(row: Any) -> ChainTvl:
    return ChainTvl(text(row["name"]), maybe(text, row.get("tokenSymbol")), amount(row["tvl"]))


def _point(row: Any) -> TvlPoint:
    return TvlPoint(moment(row["date"]).date(), amount(row["tvl"]))
