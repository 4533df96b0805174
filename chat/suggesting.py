"""Questions to go on with, and those that may have been meant: a rule knows each. Pure."""

from __future__ import annotations

from chat.categories import Category
from chat.entities import Entities

MOST = 4

_OF_ASSET = {
    Category.PRICE_QUERY: "Price of {}",
    Category.MARKET_DATA: "How did {} do in the past 7 days?",
    Category.EDUCATIONAL: "What is {}?",
    Category.NEWS: "News about {}",
    Category.SENTIMENT: "Sentiment of {}",
    Category.TECHNICAL: "RSI of {}",
    Category.ADVICE: "Should I buy {}?",
}
_ANYWAY = {
    Category.PRICE_QUERY: "Price of Bitcoin",
    Category.MARKET_DATA: "Market capitalisation of all coins",
    Category.ECONOMIC_INDICATOR: "US inflation",
    Category.EDUCATIONAL: "What is staking?",
    Category.NEWS: "Latest news",
    Category.SENTIMENT: "Fear and greed index",
    Category.GAS: "Ethereum gas",
    Category.TECHNICAL: "RSI of Bitcoin",
    Category.COMPARISON: "Compare BTC and ETH",
    Category.CONVERSION: "100 USD in BTC",
    Category.SYSTEM_STATUS: "How are your sources?",
    Category.SMALLTALK: "What can you do?",
}


def question_of(category: Category, found: Entities) -> str:
    """A question of that category about what was named; "" where there is none."""
    if found.assets and category in _OF_ASSET:
        return _OF_ASSET[category].format(found.assets[0].name)
    if category is Category.ECONOMIC_INDICATOR and found.series:
        return found.series[0].title
    if category is Category.COMPARISON and len(found.assets) > 1:
        return f"Compare {found.assets[0].name} and {found.assets[1].name}"
    return _ANYWAY.get(category, "")


def instead(likely: tuple[Category, ...], found: Entities) -> tuple[str, ...]:
    """What may have been meant, when that is not clear."""
    if not likely and found.assets:
        likely = (Category.PRICE_QUERY, Category.NEWS, Category.EDUCATIONAL)
    elif not likely:
        likely = (Category.PRICE_QUERY, Category.NEWS, Category.ECONOMIC_INDICATOR)
    return tuple(dict.fromkeys(filter(None, (question_of(c, found) for c in likely))))[:MOST]
