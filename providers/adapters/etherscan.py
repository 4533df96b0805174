"""
https://docs.etherscan.io/api-reference/endpoint/gasoracle and
https://docs.etherscan.io/resources/common-error-messages

One host for all chains, told apart by their id of https://docs.etherscan.io/supported-chains. The
gas oracle exists for those of CHAINS alone, and which of them are free is decided by its answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from providers.adapters.base import Adapter, Auth, Reply, count, known, maybe, positive, said, text
from providers.datasets import Allowance, Fees, GasQuery, PlanQuery
from providers.errors import BadKey, Garbled, Missing, PlanLimit, ProviderError, Throttled
from providers.registry import register

# Our name of a chain -> its chain id (EIP-155).
CHAINS: Mapping[str, int] = {
    "ethereum": 1,
    "bnb": 56,
    "gnosis": 100,
    "polygon": 137,
    "moonbeam": 1284,
    "moonriver": 1285,
    "celo": 42220,
    "linea": 59144,
}
UNIT = "gwei"  # of the coin that the chain's fees are paid in
KEYLESS = "OK-Missing/Invalid API Key"  # how a good answer at the key-less rate begins

# What its refusals say, the first that fits; all of them come inside a 200.
REFUSALS: tuple[tuple[str, type[ProviderError]], ...] = (
    ("too many invalid api key attempts", Throttled),
    ("invalid api key", BadKey),
    ("rate limit", Throttled),
    ("temporarily unavailable", Throttled),
    ("not supported for this chain", PlanLimit),
    ("chainid", Missing),
)
# How long a refusal lasts, where its words tell.
DAY_S = 86400.0
WAITS: Mapping[str, float] = {"per sec": 1.0, "daily": 3600.0, "invalid api key attempts": 30.0}


@register
class Etherscan(Adapter):
    """Without a key: one call in five seconds."""

    name = "etherscan"
    title = "Etherscan (no key)"
    base_url = "https://api.etherscan.io/v2"
    docs_url = "https://docs.etherscan.io/api-reference/endpoint/gasoracle"
    offers = (GasQuery,)
    chains = CHAINS

    def gas(self, query: GasQuery) -> list[Fees]:
        """Whole prices, base fee included."""
        said = self._oracle(known(CHAINS, query.chain, "chain"))
        slow, average, fast = (
            positive(said[f"{tier}GasPrice"]) for tier in ("Safe", "Propose", "Fast")
        )
        if not slow <= average <= fast:
            raise Garbled("the slow price is above the fast one")
        base = maybe(positive, said.get("suggestBaseFee"))
        return [Fees(query.chain, UNIT, slow, average, fast, base, last_updated=None)]

    def ping(self) -> None:
        text(self._oracle(CHAINS["ethereum"])["LastBlock"])

    def _oracle(self, chain_id: int) -> Any:
        return self.http.get("/api", chainid=chain_id, module="gastracker", action="gasoracle")[
            "result"
        ]

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """A key that it does not know is no error to it: it answers, at the key-less rate."""
        found = said(reply)
        if cls.auth and str(found.get("message")).startswith(KEYLESS):
            return BadKey("its key is not accepted")
        if found.get("status") != "0":
            return None
        words = str(found.get("result")).lower()
        refusal = next((error for part, error in REFUSALS if part in words), Garbled)
        wait = next((seconds for part, seconds in WAITS.items() if part in words), None)
        return refusal("refused inside a 200", wait=wait)


@register
class EtherscanKey(Etherscan):
    """With a key: three calls a second. The free plan refuses some chains, such as bnb."""

    name = "etherscan_key"
    title = "Etherscan (key)"
    auth = Auth(param="apikey")

    def plan(self, query: PlanQuery) -> list[Allowance]:
        """https://docs.etherscan.io/api-reference/endpoint/getapilimit: the day's credits."""
        said = self.http.get("/api", chainid=1, module="getapilimit", action="getapilimit")
        found = said["result"]
        if found["limitInterval"] != "daily":
            raise Garbled("a day's limit was promised")
        limit, used = count(found["creditLimit"]), count(found["creditsUsed"])
        expiry = _EXPIRY.fullmatch(found["intervalExpiryTimespan"])
        if not expiry:
            raise Garbled("a time of hours, minutes and seconds was promised")
        hours, minutes, seconds = map(int, expiry.groups())
        return [Allowance(limit, DAY_S, used, hours * 3600 + minutes * 60 + seconds, None)]


_EXPIRY = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.\d+)?")
