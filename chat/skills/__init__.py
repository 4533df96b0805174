"""
One file a skill: a question in, facts out.

A skill asks the gateway and computes; it never makes up a figure, and what it could not get it
names in `failures`. It raises nothing that an upstream can cause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from chat.categories import Category
from chat.facts import Facts
from chat.skills import (
    advice,
    comparison,
    conversion,
    economy,
    gas,
    learning,
    market,
    mood,
    news,
    price,
    status,
    talk,
    technical,
)
from chat.skills.base import Question

Skill = Callable[[Question], Facts]

SKILLS: Mapping[Category, Skill] = MappingProxyType(
    {
        Category.PRICE_QUERY: price.facts,
        Category.MARKET_DATA: market.facts,
        Category.ECONOMIC_INDICATOR: economy.facts,
        Category.EDUCATIONAL: learning.facts,
        Category.NEWS: news.facts,
        Category.SENTIMENT: mood.facts,
        Category.GAS: gas.facts,
        Category.TECHNICAL: technical.facts,
        Category.COMPARISON: comparison.facts,
        Category.CONVERSION: conversion.facts,
        Category.SYSTEM_STATUS: status.facts,
        Category.SMALLTALK: talk.smalltalk,
        Category.ADVICE: advice.facts,
        Category.OUT_OF_SCOPE: talk.out_of_scope,
    }
)

__all__ = ["SKILLS", "Question", "Skill"]
