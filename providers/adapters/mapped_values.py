"""
The values that a mapping points at: templates filled, expressions searched, every value read as
strictly as any adapter of ours does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any
from urllib.parse import quote as quoted

from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from providers.adapters.base import (
    amount,
    count,
    instant,
    moment,
    nonzero,
    number,
    positive,
    rank,
    text,
)
from providers.adapters.mapping import PLACE
from providers.errors import Garbled, Unsupported

# How a field is read beyond what its type says.
STRICTER: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("price", "open", "high", "low", "close", "high_24h", "low_24h"), positive),
    **dict.fromkeys(("volume", "volume_24h", "tvl"), amount),
    **dict.fromkeys(("btc_dominance_percent", "eth_dominance_percent"), amount),
    **dict.fromkeys(("market_cap", "circulating_supply"), nonzero),  # 0 is unknown
    "rank": rank,
}
PER_SECOND = {"s": 1, "ms": 1000, "us": 1_000_000}
EXACTLY = Context(prec=100)  # digits: more than two numbers of ours can have together


def value_of(name: str, kind: type, value: Any, unit: str | Decimal | None) -> Any:
    """One exact value; Garbled when it is not what was promised."""
    if kind is datetime:
        return instant(value) if unit == "iso" else moment(value, unit=PER_SECOND[str(unit)])
    if kind is date:
        return date.fromisoformat(text(value))
    if kind is str:
        if unit == "whole":
            return str(count(value))
        return text(value).upper() if unit == "upper" else text(value)
    if name in STRICTER and kind is not Decimal:
        return STRICTER[name](value)
    if kind is int:
        return count(value)
    exact = number(value)
    if isinstance(unit, Decimal):
        exact = number(EXACTLY.multiply(exact, unit))
    strictly: Callable[[Any], Any] = STRICTER.get(name, number)
    return strictly(exact)


def search(expression: ParsedResult, value: Any) -> Any:
    try:
        return expression.search(value)
    except (JMESPathError, RecursionError):
        raise Garbled("an expression does not fit the answer") from None


def span(start: datetime | None, end: datetime | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, at in (("start", start), ("end", end)):
        if at is not None:
            found[f"{name}_s"] = int(at.timestamp())
            found[f"{name}_ms"] = int(at.timestamp()) * 1000
            found[f"{name}_date"] = at.date().isoformat()
    return found


def filled(template: str, values: dict[str, Any], *, in_path: bool = False) -> str | None:
    """
    A template with its places filled, literally; None when one of them has no value.

    In a path a value is one segment at most: no slash, no dots that climb, no question mark.
    """
    places = PLACE.findall(template)
    if any(values.get(place) in (None, "") for place in places):
        if in_path:
            raise Unsupported("its path needs what was not asked for")
        return None

    def put(place: str) -> str:
        value = str(values[place])
        if not in_path:
            return value
        if value in (".", ".."):
            raise Unsupported("no path leads there")
        return quoted(value, safe="")

    return PLACE.sub(lambda found: put(found[1]), template)
