"""PRICE_QUERY: what one or more assets cost, or did cost."""

from __future__ import annotations

from decimal import Decimal

from aggregator.answers import Answer
from chat import asking
from chat.facts import Facts, Failure, Figure
from chat.skills import past
from chat.skills.base import QUOTED, Question
from chat.skills.conversion import Unit, converted

MOST = 20  # assets of one question


def facts(asked: Question) -> Facts:
    assets = asked.entities.assets[:MOST]
    strangers = Facts(failures=asked.strangers("the price"))
    if not assets:
        none = Failure("the price", "the question names no asset that is known here")
        return strangers if strangers.failures else Facts(failures=(none,))
    period = asked.entities.period
    if period is not None and not past.is_a_day(period, asked):
        return past.facts(asked, assets, period) + strangers
    currencies = asked.entities.currencies
    if currencies and not set(currencies) & set(QUOTED):  # no price is quoted in them
        coins = [(Decimal(1), Unit(known.key, "", known.key)) for known in assets]
        return converted(asked, coins, [Unit(c.upper(), c) for c in currencies]) + strangers
    by_key = {known.key: known for known in assets}
    figures, failures = [], []
    for key, said in asking.prices(list(by_key), asked.currency, asked.deadline).items():
        name = by_key[key].name
        if not isinstance(said, Answer):
            failures.append(asking.failure(f"the price of {name}", said))
            continue
        source = asked.source(said)
        for row in asking.rows(said):
            figures.append(Figure(name, "price", row.price, row.quote, source, row.last_updated))
            if row.change_24h_percent is not None:
                figures.append(Figure(name, "change in 24 h", row.change_24h_percent, "%", source))
    first = assets[0].name
    return strangers + Facts(
        tuple(figures),
        failures=tuple(failures),
        suggestions=(f"How did {first} do in the past 7 days?", f"News about {first}"),
    )
