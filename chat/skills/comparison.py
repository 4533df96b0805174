"""COMPARISON: the same figures of several assets, or what two words mean."""

from __future__ import annotations

from decimal import Decimal

from aggregator.answers import Answer
from chat import asking
from chat.facts import Facts, Failure, Figure
from chat.skills import economy, gas, learning, market
from chat.skills.base import FIELDS, USUAL, Question, figures_of, ranked, row_of

MOST = 6


def facts(asked: Question) -> Facts:
    assets = asked.entities.assets[:MOST]
    if len(asked.entities.chains) > 1 and asked.mentions(r"fees?|gas|cheaper|cheapest|cost"):
        return gas.facts(asked)
    if asked.mentions(r"tvl|value locked"):
        return market.facts(asked)
    if len(assets) > 1:
        explains = asked.mentions(
            r"difference|differ\w*|work\w*|staking|technolog\w+|how is|consensus"
        )
        found = _of_assets(asked)
        return found + Facts(passages=learning.entries(asked.text)) if explains else found
    if asked.entities.series:
        return economy.facts(asked)
    passages = learning.entries(asked.text, MOST)
    if passages:
        return Facts(passages=passages)
    return Facts(
        failures=(Failure("the comparison", "it takes two things that are known here"),),
        suggestions=("Compare BTC and ETH", "Difference between proof of work and proof of stake"),
    )


def _of_assets(asked: Question) -> Facts:
    assets = asked.entities.assets[:MOST]
    if asked.entities.period is not None:
        return market.facts(asked)
    said = asking.one(ranked(asked.currency), asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("figures to compare", said),))
    named = [name for name, (_, _, words) in FIELDS.items() if asked.mentions(words)]
    fields = named or USUAL
    source, money = asked.source(said), asked.currency.upper()
    figures: list[Figure] = []
    failures = []
    caps: dict[str, Decimal] = {}
    for known in assets:
        row = row_of(said, known)
        if row is None:
            failures.append(
                Failure(f"figures of {known.name}", "it is not among the largest coins")
            )
            continue
        figures += figures_of(row, fields, known.name, money, source)
        if row.market_cap is not None:
            caps[known.name] = row.market_cap
    remarks: tuple[str, ...] = ()
    if len(caps) > 1 and len(set(caps.values())) == len(caps):
        largest = max(caps, key=lambda name: caps[name])
        remarks = (f"{largest} is the largest of them by market capitalisation.",)
    return Facts(tuple(figures), failures=tuple(failures), remarks=remarks)
