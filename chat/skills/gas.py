"""GAS: what a transaction costs on a chain."""

from __future__ import annotations

from aggregator.answers import Answer
from chat import asking
from chat.facts import Facts, Failure, Figure
from chat.names import names
from chat.skills.base import Question
from providers.datasets import GasQuery

MOST = 4
LEVELS = ("slow", "average", "fast")


def facts(asked: Question) -> Facts:
    chains = asked.entities.chains[:MOST]
    others = [a.name for a in asked.entities.assets if a.id not in _assets_with_chains()]
    why = f"the chains known here are {', '.join(sorted(set(names().chains.values())))}"
    failures = [Failure(f"fees of {name}", why) for name in others]
    if not chains and others:
        return Facts(failures=tuple(failures))
    chains = chains or ("ethereum",)
    figures: list[Figure] = []
    for chain, said in zip(
        chains, asking.ask([GasQuery(chain) for chain in chains], asked.deadline), strict=True
    ):
        if not isinstance(said, Answer):
            failures.append(asking.failure(f"fees on {chain.title()}", said))
            continue
        source, name = asked.source(said), f"{chain.title()} fees"
        for row in asking.rows(said):
            figures += [
                Figure(name, level, getattr(row, level), row.unit, source) for level in LEVELS
            ]
            if row.base_fee is not None:
                figures.append(Figure(name, "base fee", row.base_fee, row.unit, source))
    remarks: tuple[str, ...] = ()
    if asked.entities.period or asked.mentions(r"will|tonight|tomorrow|later|yesterday|usually"):
        remarks = ("Only the fees of this moment are known here.",)
    return Facts(
        tuple(figures),
        failures=tuple(failures),
        remarks=remarks,
        suggestions=("What is gas?", "Bitcoin fees"),
    )


def _assets_with_chains() -> frozenset[str]:
    return frozenset(("ethereum", "bitcoin", "bnb", "polygon"))
