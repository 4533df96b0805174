"""
Public Ethereum nodes: https://ethereum.github.io/execution-apis/ over HTTP POST.

Quantities are hexadecimal text, fees in wei. Errors come inside a 200.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import orjson

from providers.sandbox.chain import Ethereum
from providers.sandbox.wire import Host, Reply, Request, json_reply, route

MOST_BLOCKS = 1024  # of one fee history
MEDIAN = 50.0


class RpcError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class EthereumNode(Host):
    names: ClassVar[tuple[str, ...]] = ("ethereum-rpc.publicnode.com", "rpc.flashbots.net")
    most_in_batch: ClassVar[int] = 100

    @cached_property
    def chain(self) -> Ethereum:
        return Ethereum(self.market.seed)

    @route("/", "POST")
    def call(self, request: Request) -> Any:
        try:
            asked = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return json_reply(_error(None, -32700, "parse error"), 400)
        if not isinstance(asked, list):
            return self._answer(asked, request.now)
        if not asked or len(asked) > self.most_in_batch:
            return json_reply(_error(None, -32600, "batch is empty or too large"), 400)
        return [self._answer(one, request.now) for one in asked]

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 429:
            return json_reply(_error(None, -32005, "rate limit exceeded"), 429)
        return Reply(status, b"", "text/plain; charset=utf-8")

    def _answer(self, asked: Any, now: float) -> dict[str, Any]:
        if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
            return _error(None, -32600, "invalid request")
        key, params = asked.get("id"), asked.get("params") or []
        try:
            return {
                "jsonrpc": "2.0",
                "id": key,
                "result": self._result(asked["method"], params, now),
            }
        except RpcError as error:
            return _error(key, error.code, str(error))

    def _result(self, method: str, params: Any, now: float) -> Any:
        head = self.chain.block_at(now)
        if method == "eth_feeHistory":
            return self._fee_history(params, head)
        tip = self.chain.tip(head, MEDIAN)
        simple = {
            "eth_chainId": "0x1",
            "net_version": "1",
            "web3_clientVersion": "Sandbox/v1.0.0",
            "eth_blockNumber": hex(head),
            "eth_gasPrice": hex(self.chain.base_fee(head) + tip),
            "eth_maxPriorityFeePerGas": hex(tip),
            "eth_blobBaseFee": "0x1",
            "eth_syncing": False,
        }
        if method not in simple:
            raise RpcError(-32601, f"the method {method} does not exist/is not available")
        return simple[method]

    def _fee_history(self, params: Any, head: int) -> dict[str, Any]:
        if not isinstance(params, list) or len(params) < 2:
            raise RpcError(-32602, "missing value for required argument 0")
        count = min(_quantity(params[0]), MOST_BLOCKS)
        newest = self._block(params[1], head)
        percentiles = params[2] if len(params) > 2 else None
        if percentiles and not _ascending(percentiles):
            raise RpcError(-32000, "invalid reward percentile")
        blocks = range(newest - count + 1, newest + 1)
        history: dict[str, Any] = {
            "oldestBlock": hex(newest - count + 1),
            "baseFeePerGas": [hex(self.chain.base_fee(b)) for b in (*blocks, newest + 1)],
            "gasUsedRatio": [self.chain.fullness(block) for block in blocks],
            "baseFeePerBlobGas": ["0x1"] * (count + 1),
            "blobGasUsedRatio": [0] * count,
        }
        if percentiles:
            history["reward"] = [[hex(self.chain.tip(b, p)) for p in percentiles] for b in blocks]
        return history

    def _block(self, name: Any, head: int) -> int:
        if name in ("latest", "pending", "safe", "finalized"):
            return head
        number = _quantity(name)
        if number > head:
            raise RpcError(-32000, f"request beyond head block: requested {number}, head {head}")
        return number


class Drpc(EthereumNode):
    """Its free plan takes three calls in a batch."""

    names: ClassVar[tuple[str, ...]] = ("eth.drpc.org",)
    most_in_batch: ClassVar[int] = 3


class OneRpc(EthereumNode):
    names: ClassVar[tuple[str, ...]] = ("1rpc.io",)

    @route("/eth", "POST")
    def call(self, request: Request) -> Any:
        return super().call(request)


def _error(key: Any, code: int, text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": key, "error": {"code": code, "message": text}}


def _quantity(value: Any) -> int:
    try:
        number = int(value, 16) if isinstance(value, str) else int(value)
    except (TypeError, ValueError):
        raise RpcError(-32602, "invalid argument: cannot read a quantity") from None
    if number < 0:
        raise RpcError(-32602, "invalid argument: negative quantity")
    return number


def _ascending(percentiles: Any) -> bool:
    return (
        isinstance(percentiles, list)
        and all(isinstance(p, int | float) and 0 <= p <= 100 for p in percentiles)
        and percentiles == sorted(percentiles)
    )
