"""CONVERSION: what an amount of one thing is in another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from aggregator.answers import Answer
from chat import asking, cues, following
from chat.entities import Amount
from chat.facts import ASKED, Facts, Failure, Figure, Source
from chat.names import names
from chat.phrasing import number
from chat.skills import past
from chat.skills.base import QUOTED, Question, computed
from providers.datasets import EconomicQuery
from providers.errors import GatewayError

DIGITS = 10  # significant ones of a quotient
MOST_AMOUNTS, MOST_TARGETS = 5, 4
_RAW = re.compile(r"\b(?:ounces?|oz|silver|platinum|palladium|(?<!tether )(?<!pax )gold)\b")
_NUMBER = re.compile(r"\d|\b(?:half|third|quarter|fifth|tenth|hundredth|couple|few|some)s?\b")
_ANY_MONEY = frozenset(("", "cash", "money", "fiat", "total", "full"))
_LEADS = r"in|into|to|of|for|worth|buys?|get"
_INTO = re.compile(r"\b(?:in|into|to) (?:an? |the )?(?P<what>[^\W\d_]{3,})$")


@dataclass(frozen=True)
class Unit:
    """A currency, a coin, or a part of one. `of` is how many of it are one coin."""

    name: str
    code: str  # of a currency, lower-case; "" for a coin
    key: str = ""
    of: int = 1


class Unknown(Exception):
    """It cannot be converted; the message says why, to people."""


def facts(asked: Question) -> Facts:
    if raw := _RAW.search(asked.said):
        return _failed(
            f"the conversion of {raw.group()}", "that is no money and no coin known here"
        )
    amounts, targets = wanted(asked)
    left = _left_over(asked, bool(amounts))
    if not targets and (strange := _strange_target(asked)):
        left += _failed(f"in {strange}", "that is no money and no coin known here")
    if not amounts or not targets:
        if not left.failures:
            left = _failed("the conversion", "it takes an amount and what to turn it into")
        return left + Facts(suggestions=("2.5 BTC in EUR", "100 USD in ETH"))
    period = asked.entities.period
    if period is not None and not past.is_a_day(period, asked):
        left += _failed(f"the conversion {period.words}", "rates of now are all that is used here")
    return converted(asked, amounts[:MOST_AMOUNTS], targets[:MOST_TARGETS]) + left


def _failed(part: str, why: str) -> Facts:
    return Facts(failures=(Failure(part, why),))


def _left_over(asked: Question, is_answered: bool) -> Facts:
    """Numbers that were not turned into anything."""
    amounts = asked.entities.amounts
    bare = [a.value for a in amounts if not a.unit]
    if is_answered and all(a.unit in ("", "%") for a in amounts):
        bare = bare[1:]
    shares = tuple(a.value for a in amounts if a.unit == "%")
    failures = [Failure(f"{number(value)} %", "a share is no amount") for value in shares]
    failures += [Failure(number(value), "I cannot tell what it counts") for value in bare]
    return Facts(failures=tuple(failures))


def _strange_target(asked: Question) -> str:
    """ "Silver" in "2 btc in silver"; "" where nothing strange is named."""
    found = None if asked.entities.period else _INTO.search(asked.said)
    word = found["what"] if found else ""
    is_ours = word in _ANY_MONEY or word in names().currencies or cues.cues(word)
    return "" if is_ours else word


def converted(
    asked: Question, amounts: Sequence[tuple[Decimal, Unit]], targets: Sequence[Unit]
) -> Facts:
    """Each amount in each of the targets; what cannot be is named."""
    whole = Facts()
    for amount, unit in amounts:
        if amount < 0:
            part = f"{number(amount)} {unit.name}"
            whole += _failed(part, "an amount is not below zero")
            continue
        for target in targets:
            try:
                whole += _converted(asked, amount, unit, target)
            except Unknown as error:
                whole += _failed(f"{unit.name} in {target.name}", str(error))
    return whole


def wanted(asked: Question) -> tuple[list[tuple[Decimal, Unit]], list[Unit]]:
    """What to convert, and into what: all that is named beside the amounts; dollars for coins."""
    found = asked.entities
    coins = {known.id: Unit(known.key, "", known.key) for known in found.assets}
    parts = [names().parts[token] for token in asked.said.split() if token in names().parts]
    money = [Unit(code.upper(), code) for code in found.currencies]
    given = [(a.value, unit) for a in found.amounts if (unit := _unit(a, coins)) is not None]
    taken = {unit.name for _, unit in given}
    others = [u for u in (*coins.values(), *money) if u.name not in taken]
    bare = [a.value for a in found.amounts if not a.unit]
    if not given and len(bare) == 1 and others:
        if len(others) == 1 and not others[0].code:
            # "ten grand in eth"
            return ([(bare[0], Unit("USD", "usd"))] if asked.mentions(_LEADS) else []), others
        given = [(bare[0], others.pop(0))]
    has_numbers = found.amounts or _NUMBER.search(following.rest(asked.text, found))
    if not given and others and not has_numbers:
        # "how many xrp for eth", "usd to eur", "1 whole bitcoin"
        first = others.pop() if asked.mentions(r"how (?:many|much)") else others.pop(0)
        given = [(Decimal(1), first)]
    named_part = next((u for p in parts if (u := _part(p.name)) and u.name not in taken), None)
    if named_part is not None and asked.mentions(r"in|to|how many|into"):
        return given, [named_part, *others]
    if not (others or _strange_target(asked)) and given and not given[0][1].code:
        return given, [Unit("USD", "usd")]
    return given, others


def _unit(amount: Amount, coins: dict[str, Unit]) -> Unit | None:
    if amount.unit in coins:
        return coins[amount.unit]
    if amount.unit in names().currencies.values():
        return Unit(amount.unit.upper(), amount.unit)
    return _part(amount.unit)


def _part(name: str) -> Unit | None:
    part = next((p for p in names().parts.values() if p.name == name), None)
    if part is None:
        return None
    return Unit(part.name, "", "BTC" if part.asset == "bitcoin" else "ETH", part.of)


def _converted(asked: Question, amount: Decimal, unit: Unit, target: Unit) -> Facts:
    question, subject = Source(ASKED, "conversion"), f"{number(amount)} {unit.name}"
    given = Figure("the question", "amount", amount, unit.name, question)
    if unit.key and unit.key == target.key:  # parts of the same coin
        value = _exact(amount * target.of, Decimal(unit.of))
        # Nobody was asked: how many parts a coin has is known.
        return Facts(
            (
                given,
                computed(subject, "is worth", value, target.name, Source("definition", "units")),
            )
        )
    shared = _shared(unit, target)
    rates: list[Figure] = []
    value = amount
    for side, sign in ((unit, 1), (target, -1)):
        rate = _rate(asked, side, shared, rates)
        value = _tidy(value * rate) if sign > 0 else _tidy(_exact(value, rate))
    sources = [figure.source for figure in rates]
    oldest = min(sources, key=lambda source: source.fetched_at or 0.0)
    quotes = {figure.unit for figure in rates if figure.label == "price"}
    dollars = quotes & {"USDT", "USDC"} and "usd" in (shared, unit.code, target.code)
    remarks = ("A price in USDT or USDC is taken for one in USD here.",) if dollars else ()
    worth = computed(subject, "is worth", value, target.name, oldest)
    return Facts((given, worth, *rates), remarks=remarks)


def _shared(unit: Unit, target: Unit) -> str:
    """The money both are priced in."""
    for side in (target, unit):
        if side.code in QUOTED:
            return side.code if not (unit.code and target.code) else "usd"
    return "usd"


def _rate(asked: Question, unit: Unit, money: str, rates: list[Figure]) -> Decimal:
    """So much of `money` is one of a unit; the figures it stands on are added to `rates`."""
    if unit.code == money:
        return Decimal(1)
    if unit.code:
        return _of_money(asked, unit.code, rates)
    said = asking.prices([unit.key], money, asked.deadline)[unit.key]
    row = next(iter(asking.rows(said)), None) if isinstance(said, Answer) else None
    if row is None or not isinstance(said, Answer):
        raise Unknown(_why(said))
    source = asked.source(said)
    figure = Figure(unit.key, "price", row.price, row.quote, source, row.last_updated)
    if figure not in rates:
        rates.append(figure)
    return _exact(row.price, Decimal(unit.of))


def _of_money(asked: Question, code: str, rates: list[Figure]) -> Decimal:
    """Dollars for one of a currency, by the newest daily rate of the Federal Reserve."""
    if code == "usd":
        return Decimal(1)
    rate = names().exchange.get(code)
    if rate is None:
        raise Unknown(f"no exchange rate of {code.upper()} is known here")
    query = EconomicQuery(series=rate.series, start=date(asked.now.year - 1, 1, 1))
    said = asking.one(query, asked.deadline)
    if not isinstance(said, Answer):
        raise Unknown(_why(said))
    row = next((r for r in reversed(asking.rows(said)) if r.value), None)
    if row is None:
        raise Unknown("the series has no value")
    unit = f"{code.upper()} a USD" if rate.per_usd else f"USD a {code.upper()}"
    rates.append(Figure(code.upper(), "rate", row.value, unit, asked.source(said), row.date))
    return _exact(Decimal(1), row.value) if rate.per_usd else row.value


def _tidy(value: Decimal) -> Decimal:
    """No more digits than mean something, but for whole numbers."""
    if len(value.as_tuple().digits) <= DIGITS + 2:
        return value
    with localcontext() as context:
        context.prec = DIGITS
        short = Decimal(format(+value, "f"))
    return short if abs(value) < Decimal(10) ** DIGITS else _to_cents(value)


def _to_cents(value: Decimal) -> Decimal:
    """However large it is: `quantize` alone refuses what has more digits than its context."""
    with localcontext() as context:
        context.prec = max(context.prec, value.adjusted() + 4)
        return value.quantize(Decimal("0.01"))


def _exact(value: Decimal, by: Decimal) -> Decimal:
    """A quotient; with so many digits only where it does not come out even."""
    if not by:
        raise Unknown("the rate is zero")
    with localcontext() as context:
        context.prec = 28
        exact = value / by
        if exact * by == value and len(exact.as_tuple().digits) <= DIGITS:
            return Decimal(format(exact, "f"))
        context.prec = DIGITS + 4
        return Decimal(format(value / by, "f"))


def _why(said: Answer | GatewayError) -> str:
    return (
        "nobody has a price of it" if isinstance(said, Answer) else asking.failure("", said).reason
    )
