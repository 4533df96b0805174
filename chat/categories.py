"""What a question may ask for. docs/questions.md says how one tells them apart."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """The first four are stable: programs that know no others may rely on them."""

    PRICE_QUERY = "PRICE_QUERY"
    MARKET_DATA = "MARKET_DATA"
    ECONOMIC_INDICATOR = "ECONOMIC_INDICATOR"
    EDUCATIONAL = "EDUCATIONAL"
    NEWS = "NEWS"
    SENTIMENT = "SENTIMENT"
    GAS = "GAS"
    TECHNICAL = "TECHNICAL"
    COMPARISON = "COMPARISON"
    CONVERSION = "CONVERSION"
    SYSTEM_STATUS = "SYSTEM_STATUS"
    SMALLTALK = "SMALLTALK"
    ADVICE = "ADVICE"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
