"""PRICE_QUERY: what one or more assets cost, or did cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from aggregator.answers import Answer
from chat import asking
from chat.facts import Facts, Failure, Figure, together
from chat.naming import Known
from chat.skills import past
from chat.skills.base import QUOTED, Question
from chat.skills.conversion import Unit, converted

MOST, MOST_CURRENCIES = 20, 4  # of one question


def facts(asked: Question) -> Facts:
    assets = asked.entities.assets[:MOST]
    strangers = Facts(failures=asked.strangers("the price"))
    if not assets:
        none = Failure("the price", "the question names no asset that is known here")
        return strangers if strangers.failures else Facts(failures=(none,))
    period = asked.entities.period
    if period is not None and not past.is_a_day(period, asked):
        return past.facts(asked, assets, period) + strangers
    named = asked.entities.currencies[:MOST_CURRENCIES]
    quoted = [code for code in named if code in QUOTED] or ([] if named else ["usd"])
    found = together(_now(asked, assets, code) for code in quoted)
    if others := [Unit(code.upper(), code) for code in named if code not in QUOTED]:
        coins = [(Decimal(1), Unit(known.key, "", known.key)) for known in assets]
        found += converted(asked, coins, others)
    first = assets[0].name
    return found + Facts(
        failures=strangers.failures,
        suggestions=(f"How did {first} do in the past 7 days?", f"News about {first}"),
    )


def _now(asked: Question, assets: Sequence[Known], currency: str) -> Facts:
    """What each costs in one currency."""
    by_key = {known.key: known for known in assets}
    figures, failures = [], []
    for key, said in asking.prices(list(by_key), currency, asked.deadline).items():
        name = by_key[key].name
        if not isinstance(said, Answer):
            failures.append(asking.failure(f"the price of {name}", said))
            continue
        source = asked.source(said)
        for row in asking.rows(said):
            figures.append(Figure(name, "price", row.price, row.quote, source, row.last_updated))
            if row.change_24h_percent is not None:
                figures.append(Figure(name, "change in 24 h", row.change_24h_percent, "%", source))
    return Facts(tuple(figures), failures=tuple(failures))
