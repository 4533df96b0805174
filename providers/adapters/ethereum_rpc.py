"""
The fee market of Ethereum, by any node: each public node is a provider of its own.

https://ethereum.github.io/execution-apis/api-documentation (eth_feeHistory)
https://www.jsonrpc.org/specification#error_object and EIP-1474 for what its error codes mean
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from statistics import median
from typing import Any

from providers.adapters.base import Adapter, Reply, kind, known, whole
from providers.datasets import Fees, GasQuery
from providers.errors import Broken, Garbled, ProviderError, Throttled
from providers.registry import register

UNITS: Mapping[str, str] = {"ethereum": "gwei"}
WEI_PER_GWEI = 10**9
MOST_WEI = 10**24  # a million ether for one unit of gas: whoever says so is no node
PERCENTILES = [20, 50, 80]  # of the tips in a block: slow, average, fast
BLOCKS = 5  # a minute of them
MAINNET = 1

# Too many requests, by EIP-1474, by the hosters' own, and by those who say "server error" to it.
THROTTLES = {-32005, -32029, -32000}
# Parse error, invalid request, unknown method, invalid parameters: no node that we can use.
MISUNDERSTANDINGS = {-32700, -32600, -32601, -32602}


@register
class EthereumRpc(Adapter):
    name = "ethereum_rpc"
    title = "Ethereum node (JSON-RPC)"
    base_url = "https://ethereum-rpc.publicnode.com"
    docs_url = "https://ethereum.github.io/execution-apis/api-documentation"
    offers = (GasQuery,)
    updates = {"gas": 12}  # a block
    chains = UNITS

    def gas(self, query: GasQuery) -> list[Fees]:
        """
        A tier is the base fee of the next block, which is known, and the tip that did so far:
        the median, over the newest blocks, of a percentile of the tips in each.
        """
        unit = known(UNITS, query.chain, "chain")
        history = self._ask("eth_feeHistory", [hex(BLOCKS), "latest", PERCENTILES])
        fees, rewards = history["baseFeePerGas"], history["reward"]
        if len(fees) != len(rewards) + 1:
            raise Garbled("the base fee of each block and of the next was promised")
        base = _wei(fees[-1])
        if base == 0:
            raise Garbled("a base fee above zero was promised")
        tips = [_wei_tips(row) for row in rewards]
        slow, average, fast = (_gwei(base + median(tier)) for tier in zip(*tips, strict=True))
        return [Fees(query.chain, unit, slow, average, fast, _gwei(base), last_updated=None)]

    def ping(self) -> None:
        """Is it a node, and of the right chain?"""
        if _wei(self._ask("eth_chainId", [])) != MAINNET:
            raise Garbled("a node of another chain")

    def _ask(self, method: str, params: list[Any]) -> Any:
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.http.post("", asked)["result"]

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """JSON-RPC tells its errors in the body; the status may well be 200."""
        try:
            code = whole(reply.json()["error"]["code"])
        except (Garbled, LookupError, TypeError):
            return None
        if code in THROTTLES:
            return Throttled(f"JSON-RPC error {code}")
        if reply.status >= 400:
            return None  # the status says more than the code in its body
        said = f"JSON-RPC error {code}"
        return Garbled(said) if code in MISUNDERSTANDINGS else Broken(said)


def _wei(value: Any) -> Decimal:
    """A quantity of JSON-RPC: "0x" and hexadecimal digits."""
    if type(value) is not str or not value.startswith("0x"):
        raise Garbled(f"a hexadecimal quantity was promised, not {kind(value)}")
    found = int(value, 16)
    if found > MOST_WEI:
        raise Garbled("a fee out of all proportion")
    return Decimal(found)


def _wei_tips(row: Any) -> list[Decimal]:
    """The tips of one block: as many as we asked for, none above the next."""
    tips = [_wei(tip) for tip in row]
    if len(tips) != len(PERCENTILES) or tips != sorted(tips):
        raise Garbled("a tip for each percentile was promised")
    return tips


def _gwei(wei: Decimal) -> Decimal:
    return wei / WEI_PER_GWEI
