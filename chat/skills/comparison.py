"""COMPARISON: the same figures of several assets, or what two words mean."""

from __future__ import annotations

from chat.facts import Facts, Failure
from chat.skills import economy, gas, learning, market, price
from chat.skills.base import FIELDS, USUAL, Question, fields_named

MOST = 10
FEES = r"fees?|gas|transactions?|transfers?|transact|to send|to use|networks?|chains?"


def facts(asked: Question) -> Facts:
    assets = asked.entities.assets[:MOST]
    more = [known.name for known in asked.entities.assets[MOST:]]
    strangers = Facts(failures=asked.strangers("figures"))
    strangers += Facts(failures=tuple(Failure(name, f"I compare {MOST} at once") for name in more))
    if len(asked.entities.chains) > 1 and asked.mentions(FEES):
        return gas.facts(asked)
    if asked.mentions(r"tvl|value locked"):
        return market.facts(asked)
    if len(assets) > 1:
        explains = asked.mentions(
            r"difference|differ\w*|work\w*|staking|technolog\w+|how is|consensus"
        )
        found = _of_assets(asked) + strangers
        return found + Facts(passages=learning.entries(asked.text)) if explains else found
    if assets and (asked.entities.series or asked.mentions(economy.RAW)):
        return _beside_others(asked)
    if asked.entities.series:
        return economy.facts(asked)
    passages = learning.of_sides(asked.text) or learning.entries(asked.text, MOST)
    if passages:
        return Facts(passages=passages)
    return strangers + Facts(
        failures=(Failure("the comparison", "it takes two things that are known here"),),
        suggestions=("Compare BTC and ETH", "Difference between proof of work and proof of stake"),
    )


def _of_assets(asked: Question) -> Facts:
    if asked.entities.period is not None:
        return market.facts(asked)
    named = fields_named(asked)
    assets = asked.entities.assets[:MOST]
    found = market.of_ranked(asked, assets, named or USUAL, must=bool(named))
    caps = {f.subject: f.value for f in found.figures if f.label == FIELDS["market_cap"][0]}
    if len(caps) > 1 and len(set(caps.values())) == len(caps):
        largest = max(caps, key=lambda name: caps[name])
        remark = f"{largest} is the largest of them by market capitalisation."
        found += Facts(remarks=(remark,))
    return found


def _beside_others(asked: Question) -> Facts:
    """An asset beside a series ("btc vs nasdaq") or a raw material ("btc vs gold")."""
    others = economy.facts(asked) if asked.entities.series else Facts()
    if asked.mentions(economy.RAW):
        others += economy.raw_materials(asked)
    if asked.entities.period is not None:
        return market.facts(asked) + others
    return price.facts(asked) + others
