"""
Etherscan, version 2: https://docs.etherscan.io/etherscan-v2

One host for many chains, told apart by `chainid`. Errors are HTTP 200 with `"status": "0"` and the
reason in `result`. It answers without a key too, once in five seconds, and says so in `message`.
The hosts of version 1 answer with an error of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from providers.sandbox.chain import ETHEREUM_BLOCK_S, GWEI, Ethereum
from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S
from providers.sandbox.wire import (
    KEY_PREFIX,
    Host,
    Refusal,
    Reply,
    Request,
    fixed,
    json_reply,
    route,
    whole,
)

# Chain: its name, and how much dearer its gas is than Ethereum's. Some are for paid plans only.
CHAINS = {
    1: ("Ethereum Mainnet", 1.0), 137: ("Polygon Mainnet", 30.0), 1284: ("Moonbeam Mainnet", 30.0),
    1285: ("Moonriver Mainnet", 3.0), 42220: ("Celo Mainnet", 25.0), 100: ("Gnosis", 0.5),
    59144: ("Linea Mainnet", 0.05), 42161: ("Arbitrum One Mainnet", 0.02),
}  # fmt: skip
PAID = {
    56: ("BNB Smart Chain Mainnet", 0.1), 8453: ("Base Mainnet", 0.01),
    10: ("OP Mainnet", 0.01), 43114: ("Avalanche C-Chain", 1.0),
}  # fmt: skip
WITHOUT_ORACLE = {42161, 8453, 10, 43114}
TIERS = {"SafeGasPrice": 20, "ProposeGasPrice": 50, "FastGasPrice": 80}
PER_SECOND, A_DAY = 3, 100_000
KEYLESS_S, WRONG_KEYS, WRONG_KEYS_S = 5, 5, 30
KEYLESS = "OK-Missing/Invalid API Key, rate limit of 1/5sec applied"
CHAIN_LIST = "https://api.etherscan.io/v2/chainlist"
DEPRECATED = (
    "You are using a deprecated V1 endpoint, switch to Etherscan API V2 using "
    "https://docs.etherscan.io/v2-migration"
)


class Etherscan(Host):
    names: ClassVar = ("api.etherscan.io",)

    @route("/api")
    def version_1(self, request: Request) -> Any:
        raise self._not_ok(DEPRECATED)

    @route("/v2/chainlist")
    def chain_list(self, request: Request) -> Any:
        rows = [
            {
                "chainname": name,
                "chainid": str(key),
                "blockexplorer": f"https://explorer-{key}.example/",
                "apiurl": f"https://api.etherscan.io/v2/api?chainid={key}",
                "status": 1,
            }
            for key, (name, _) in {**CHAINS, **PAID}.items()
        ]
        return {"comments": "", "totalcount": len(rows), "result": rows}

    @route("/v2/api")
    def call(self, request: Request) -> Any:
        key = request.params.get("apikey", "")
        if key and not key.startswith(KEY_PREFIX):
            raise self._not_ok("Invalid API Key (#err2)|")
        if key and request.params.get("module") == "getapilimit":
            return {"status": "1", "message": "OK", "result": self._api_limit(request)}
        number = whole(request.params.get("chainid", ""))
        if number not in CHAINS and number not in PAID:
            text = "Missing or unsupported chainid parameter (required for v2 api), please see "
            raise self._not_ok(f"{text}{CHAIN_LIST} for the list of supported chainids")
        if number in PAID:
            text = "Free API access is not supported for this chain. Please upgrade your api plan "
            raise self._not_ok(text + "for full chain coverage. https://etherscan.io/apis")
        name = (request.params.get("module", ""), request.params.get("action", ""))
        if name not in ACTIONS:
            raise self._not_ok("Error! Missing Or invalid Action name")
        result = ACTIONS[name](self, request, number)
        if name[0] == "proxy":
            return {"jsonrpc": "2.0", "id": 83, "result": result}
        return {"status": "1", "message": "OK" if key else KEYLESS, "result": result}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        text = "Max calls per sec rate limit reached (3/sec)" if status == 429 else "Error!"
        return json_reply(_said(text), status)

    def throttled(self, request: Request, wait: float) -> Reply:
        key = request.params.get("apikey", "")
        if not key:
            text = "Max rate limit reached, please use API Key for higher rate limit"
        elif not key.startswith(KEY_PREFIX):
            text = "Too many invalid api key attempts, please try again later"
        elif wait <= 1:
            text = f"Max calls per sec rate limit reached ({PER_SECOND}/sec)"
        else:
            text = f"Max daily rate limit reached. {A_DAY} (100%) of {A_DAY} day/limit"
        return json_reply(_said(text))

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        key = request.params.get("apikey", "")
        if request.path.rstrip("/") != "/v2/api":
            return ()
        if not key:
            return (Budget("etherscan", 1, KEYLESS_S),)
        if not key.startswith(KEY_PREFIX):
            return (Budget("etherscan wrong keys", WRONG_KEYS, WRONG_KEYS_S),)
        scope = f"etherscan {key}"
        return (Budget(scope, PER_SECOND, 1), Budget(scope, A_DAY, DAY_S))

    def gas_oracle(self, request: Request, number: int) -> Any:
        if number in WITHOUT_ORACLE:
            raise self._not_ok("Error! Missing Or invalid Action name")
        chain, dearer = self._chain(number)
        block = chain.block_at(request.now)
        base = chain.base_fee(block + 1)
        tiers = {n: base + chain.tip(block, percent) for n, percent in TIERS.items()}
        full = (chain.fullness(b) for b in range(block - 4, block + 1))
        return {
            "LastBlock": str(block),
            **{name: _gwei(wei * dearer) for name, wei in tiers.items()},
            "suggestBaseFee": _gwei(base * dearer),
            "gasUsedRatio": ",".join(_trimmed(fixed(ratio, 15)) for ratio in full),
        }

    def gas_estimate(self, request: Request, number: int) -> Any:
        """Seconds until a transaction at that price in wei is in a block."""
        asked = whole(request.params.get("gasprice", ""))
        if not asked:
            raise self._not_ok("Error! Missing or invalid gasprice")
        chain, dearer = self._chain(number)
        base = chain.base_fee(chain.block_at(request.now) + 1) * dearer
        return str(ETHEREUM_BLOCK_S if asked >= base else int(min(86_400, 60 * base / asked)))

    def ether_price(self, request: Request, number: int) -> Any:
        ether = self.market.by_symbol["eth"]
        prices = {q: self.market.price(ether, request.now, q, "etherscan") for q in ("btc", "usd")}
        stamp = str(int(request.now) - 5)
        return {
            "ethbtc": fixed(prices["btc"], 8),
            "ethbtc_timestamp": stamp,
            "ethusd": fixed(prices["usd"], 2),
            "ethusd_timestamp": stamp,
        }

    def block_by_time(self, request: Request, number: int) -> Any:
        moment = whole(request.params.get("timestamp", ""))
        if moment is None or request.params.get("closest") not in ("before", "after"):
            raise self._not_ok("Error! Invalid parameter")
        later = request.params["closest"] == "after"
        return str(self._chain(number)[0].block_at(moment) + later)

    def block_number(self, request: Request, number: int) -> Any:
        return hex(self._chain(number)[0].block_at(request.now))

    def gas_price(self, request: Request, number: int) -> Any:
        chain, dearer = self._chain(number)
        block = chain.block_at(request.now)
        return hex(int((chain.base_fee(block + 1) + chain.tip(block, 50)) * dearer))

    def _api_limit(self, request: Request) -> dict[str, Any]:
        """What is left of the day: https://docs.etherscan.io/api-reference/endpoint/getapilimit"""
        free = tuple(replace(budget, cost=0) for budget in self.budgets(request))
        used = min(self.meter.spend(free).used[-1], A_DAY)
        hours, seconds = divmod(int(DAY_S - request.now % DAY_S), 3600)
        return {
            "creditsUsed": used,
            "creditsAvailable": A_DAY - used,
            "creditLimit": A_DAY,
            "limitInterval": "daily",
            "intervalExpiryTimespan": f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}",
        }

    def _chain(self, number: int) -> tuple[Ethereum, float]:
        """Ethereum is the one that the nodes speak of; the others have a course of their own."""
        seed = self.market.seed if number == 1 else self.market.seed + number
        return Ethereum(seed), CHAINS[number][1]

    def _not_ok(self, text: str) -> Refusal:
        return self.refuse(_said(text), 200)


ACTIONS: dict[tuple[str, str], Callable[[Etherscan, Request, int], Any]] = {
    ("gastracker", "gasoracle"): Etherscan.gas_oracle,
    ("gastracker", "gasestimate"): Etherscan.gas_estimate,
    ("stats", "ethprice"): Etherscan.ether_price,
    ("block", "getblocknobytime"): Etherscan.block_by_time,
    ("proxy", "eth_blockNumber"): Etherscan.block_number,
    ("proxy", "eth_gasPrice"): Etherscan.gas_price,
}


def _said(text: str) -> dict[str, str]:
    return {"status": "0", "message": "NOTOK", "result": text}


def _gwei(wei: float) -> str:
    return _trimmed(fixed(wei / GWEI, 9))


def _trimmed(digits: str) -> str:
    """Without zeros at the end: a whole number has no point."""
    return digits.rstrip("0").rstrip(".")
