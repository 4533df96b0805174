"""The sandbox's Ethereum and Bitcoin: block heights and fees as pure functions of the moment."""

from __future__ import annotations

import math
from dataclasses import dataclass

from providers.sandbox.market import uniform

GWEI = 10**9
ETHEREUM_BLOCK_S, BITCOIN_BLOCK_S = 12, 600
# Where the chains stood at this moment (2025-11-01), near enough.
START, ETHEREUM_START, BITCOIN_START = 1_761_955_200, 23_700_000, 921_800


@dataclass(frozen=True)
class Ethereum:
    """Base fees follow EIP-1559: how full a block was is what moved the fee of the next."""

    seed: int = 1

    def block_at(self, moment: float) -> int:
        return ETHEREUM_START + int((moment - START) // ETHEREUM_BLOCK_S)

    def moment_of(self, block: int) -> int:
        return START + (block - ETHEREUM_START) * ETHEREUM_BLOCK_S

    def base_fee(self, block: int) -> int:
        """In wei, around one gwei; never more than an eighth off the block before."""
        tide = math.sin(2 * math.pi * block / 7200) + 0.5 * math.sin(2 * math.pi * block / 311)
        ripple = 0.02 * uniform(self.seed, 11, block)
        return int(GWEI * math.exp(0.6 * tide + ripple))

    def fullness(self, block: int) -> float:
        """Gas used of the limit: half of it leaves the fee alone."""
        return 0.5 + 4 * (self.base_fee(block + 1) / self.base_fee(block) - 1)

    def tip(self, block: int, percentile: float) -> int:
        """The priority fee, in wei, that so many percent of the block's gas paid at most."""
        return int(GWEI * (0.01 + 0.02 * percentile / 100 * (1 + uniform(self.seed, 12, block))))


@dataclass(frozen=True)
class Bitcoin:
    seed: int = 1

    def height_at(self, moment: float) -> int:
        return BITCOIN_START + int((moment - START) // BITCOIN_BLOCK_S)

    def rates(self, moment: float) -> dict[str, float]:
        """Sat per virtual byte, from the next block down to the least that is relayed."""
        tide = 1 + math.sin(2 * math.pi * moment / 40_000)
        fastest = 1.5 + 6 * tide + uniform(self.seed, 13, int(moment // 30))
        half_hour = 1 + (fastest - 1) * 0.7
        hour = 1 + (fastest - 1) * 0.4
        economy = 1 + (fastest - 1) * 0.1
        return {
            "fastestFee": fastest,
            "halfHourFee": half_hour,
            "hourFee": hour,
            "economyFee": economy,
            "minimumFee": 1.0,
        }
