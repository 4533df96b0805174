"""
Blockscout, one instance's own API: https://docs.blockscout.com/devs/apis/rest

Gas prices are gwei as numbers, counters are text. The rate limit stands in every answer's headers.
"""

from __future__ import annotations

from typing import Any, ClassVar

from providers.sandbox.chain import ETHEREUM_BLOCK_S, GWEI, Ethereum
from providers.sandbox.limits import Budget, Usage
from providers.sandbox.market import DAY_S
from providers.sandbox.wire import KEY_PREFIX, Host, Reply, Request, fixed, iso, json_reply, route

PER_SECOND = 5
PER_SECOND_KEYED = 10
# Which tip, by percentile, makes a transaction slow, average or fast.
TIERS = {"slow": (20, 60.0), "average": (50, 24.0), "fast": (80, 12.0)}


class Blockscout(Host):
    names: ClassVar = ("eth.blockscout.com",)

    @route("/api/v2/stats")
    def stats(self, request: Request) -> Any:
        chain = Ethereum(self.market.seed)
        block = chain.block_at(request.now)
        ether = self.market.by_symbol["eth"]
        price = self.market.price(ether, request.now, "usd", "coingecko")
        detailed = request.headers.get("updated-gas-oracle") == "true"
        return {
            "average_block_time": ETHEREUM_BLOCK_S * 1000.0,
            "coin_image": "https://coin-images.coingecko.com/coins/images/279/small/ethereum.png",
            "coin_price": fixed(price, 2),
            "coin_price_change_percentage": round(self.market.change(ether, request.now, DAY_S), 2),
            "gas_price_updated_at": iso(chain.moment_of(block), 6),
            "gas_prices": {tier: self._gas(chain, block, tier, price, detailed) for tier in TIERS},
            "gas_prices_update_in": int((chain.moment_of(block + 1) - request.now) * 1000),
            "gas_used_today": "108000000000",
            "market_cap": fixed(ether.supply * price, 3),
            "network_utilization_percentage": round(chain.fullness(block) * 100, 4),
            "static_gas_price": None,
            "total_addresses": "380000000",
            "total_blocks": str(block),
            "total_gas_used": "0",
            "total_transactions": str(block * 120),
            "transactions_today": "1500000",
            "tvl": None,
        }

    def failure(self, status: int, wait: float | None = None) -> Reply:
        text = "Too Many Requests" if status == 429 else "Not found"
        return json_reply({"message": text}, status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        keyed = request.params.get("apikey", "").startswith(KEY_PREFIX)
        return (Budget("blockscout", PER_SECOND_KEYED if keyed else PER_SECOND, 1),)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        (budget,) = self.budgets(request)
        left = budget.size - (usage.used[0] if usage.used else 0)
        reply.headers |= {
            "bypass-429-option": "no_bypass",
            "cache-control": "max-age=0, private, must-revalidate",
            "x-ratelimit-limit": str(budget.size),
            "x-ratelimit-remaining": str(max(0, left)),
            "x-ratelimit-reset": str(int((1 - request.now % 1) * 1000)),
        }
        reply.content_type = "application/json; charset=utf-8"
        return reply

    def _gas(
        self, chain: Ethereum, block: int, tier: str, price: float, detailed: bool
    ) -> float | dict[str, Any]:
        percentile, seconds = TIERS[tier]
        base, tip = chain.base_fee(block + 1), chain.tip(block, percentile)
        gwei = round((base + tip) / GWEI, 2)
        if not detailed:
            return gwei
        return {
            "base_fee": round(base / GWEI, 2),
            "fiat_price": fixed((base + tip) * 21_000 / 10**18 * price, 2),
            "price": gwei,
            "priority_fee": round(tip / GWEI, 2),
            "priority_fee_wei": str(tip),
            "time": seconds * 1000,
            "wei": str(base + tip),
        }
