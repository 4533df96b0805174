"""Dead coins that share a symbol with a living one: whoever maps by symbol alone will find them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from providers.sandbox.coins import Coin

MANY = 25  # of the largest coins have a namesake


class Decoy(NamedTuple):
    id: str
    symbol: str
    name: str


def decoys(coins: Sequence[Coin]) -> list[Decoy]:
    return [
        Decoy(f"{coin.slug}-reborn", coin.symbol, f"{coin.name} Reborn") for coin in coins[:MANY]
    ]
