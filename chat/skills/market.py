"""MARKET_DATA: caps, volumes, changes, supply, ranks, movers, the past, the market as a whole."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from aggregator.answers import Answer
from chat import asking
from chat.facts import Facts, Failure, Figure
from chat.naming import Known
from chat.periods import Period
from chat.skills.base import FIELDS, USUAL, Question, computed, figures_of, ranked, row_of
from chat.studies import change_percent, rounded
from providers.datasets import (
    GlobalQuery,
    HistoryQuery,
    MoversQuery,
    Query,
    TrendingQuery,
    TvlQuery,
)

MOST_ASSETS, MOST_ROWS = 10, 10
LONG = 5  # words of a question that asks for more than an asset's figures
USUAL_ONLY = "These are the usual figures: I may not have what you asked for."
DAY = timedelta(days=1)
# Figures that people ask for and that none of our providers sends.
ELSEWHERE = re.compile(
    r"\b(?:ath|all time high|all time low|atl|open interest|funding|liquidat\w+|long short|"
    r"etf|flows?|inflows?|outflows?|hash ?rate|difficulty|active addresses|wallets?|holders|"
    r"whales?|mvrv|sopr|nvt|puell|max(?:imum)? pain|implied|apy|apr|yields?|staked|burn\w*|mined|"
    r"transactions per|tps|fdv|fully diluted|max(?:imum)? supply|total supply)\b"
)


def facts(asked: Question) -> Facts:
    assets = asked.entities.assets[:MOST_ASSETS]
    missing = ELSEWHERE.search(asked.said)
    if asked.mentions(r"tvl|value locked|locked"):
        found = _locked(asked)
    elif assets:
        found = _of_assets(asked, assets)
    elif asked.mentions(r"trending|searched|hot|hype\w*|buzz\w*"):
        found = _trending(asked)
    elif asked.mentions(
        r"gain\w*|los\w+|movers?|winners?|pumped|pumping|dumped|dumping|performers?|rising|falling|"
        r"up most|down most|mooning|bleeding"
    ):
        found = _movers(asked)
    elif asked.mentions(r"top|largest|biggest|list|ranking|rank\w*|coins by"):
        found = _top(asked)
    else:
        found = _whole(asked)
    if missing:
        found += Facts(failures=(Failure(missing.group(), "no provider here offers it"),))
    return found


def _of_assets(asked: Question, assets: tuple[Known, ...]) -> Facts:
    period = asked.entities.period
    if period is not None and not _is_a_day(period, asked):
        return _past(asked, assets, period)
    [said] = asking.ask([ranked(asked.currency)], asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("figures of the market", said),))
    named = [name for name, (_, _, words) in FIELDS.items() if asked.mentions(words)]
    fields = named or USUAL
    remarks = () if named or len(asked.said.split()) < LONG else (USUAL_ONLY,)
    money, source = asked.currency.upper(), asked.source(said)
    figures: list[Figure] = []
    failures = []
    for known in assets:
        row = row_of(said, known)
        if row is None:
            failures.append(
                Failure(f"figures of {known.name}", "it is not among the largest coins")
            )
        else:
            figures += figures_of(row, fields, known.name, money, source)
    first = assets[0].name
    return Facts(
        tuple(figures),
        failures=tuple(failures),
        remarks=remarks,
        suggestions=(f"How did {first} do in the past 30 days?", f"RSI of {first}"),
    )


def _is_a_day(period: Period, asked: Question) -> bool:
    """The last 24 hours are in the row of a ranked coin already."""
    return period.end is None and asked.now - period.start <= DAY and not period.at


def _past(asked: Question, assets: tuple[Known, ...], period: Period) -> Facts:
    """Prices of a stretch of time: the first, the last, the highest, the lowest, the change."""
    queries = [past_of(known, period, asked) for known in assets]
    figures: list[Figure] = []
    failures = []
    for known, said in zip(assets, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(f"the past of {known.name}", said))
            continue
        figures += _of_past(asked, known, said, period)
    return Facts(tuple(figures), failures=tuple(failures))


def past_of(known: Known, period: Period, asked: Question) -> Query:
    """Whole days, so that the same question tomorrow is another and this hour the same."""
    if period.end is None:
        return HistoryQuery(symbol=known.key, days=period.days(asked.now), currency=asked.currency)
    return HistoryQuery(
        symbol=known.key, start=period.start, end=period.end, currency=asked.currency
    )


def _of_past(asked: Question, known: Known, said: Answer, period: Period) -> list[Figure]:
    points = [point for point in asking.rows(said) if point.time >= period.start]
    if not points:
        return []
    source, money, name = asked.source(said), asked.currency.upper(), known.name
    first, last = points[0], points[-1]
    found = [Figure(name, "price", first.price, money, source, first.time)]
    if period.at or len(points) == 1:
        return found
    high, low = max(points, key=lambda p: p.price), min(points, key=lambda p: p.price)
    found.append(Figure(name, "price", last.price, money, source, last.time))
    change = change_percent(first.price, last.price)
    if change is not None:
        found.append(computed(name, "change between them", rounded(change), "%", source))
    found.append(
        Figure(name, "highest of the points between", high.price, money, source, high.time)
    )
    found.append(Figure(name, "lowest of the points between", low.price, money, source, low.time))
    return found


def _whole(asked: Question) -> Facts:
    [said] = asking.ask([GlobalQuery()], asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("figures of the whole market", said),))
    row, source = next(iter(asking.rows(said)), None), asked.source(said)
    wanted = [
        ("market_cap", "capitalisation", "USD", r"caps?|worth|size|big|market|total"),
        ("market_cap_change_24h_percent", "change in 24 h", "%", r"chang\w+|up|down|market|today"),
        ("volume_24h", "volume in 24 h", "USD", r"volumes?|market|traded"),
        ("btc_dominance_percent", "share of Bitcoin", "%", r"dominance|btc d|share|market"),
        ("eth_dominance_percent", "share of Ethereum", "%", r"eth\w* dominance|eth d|share"),
        ("active_coins", "coins that are traded", "", r"how many (?:coins|crypto\w*)|number of"),
    ]
    named = [item for item in wanted if asked.mentions(item[3])] or wanted[:4]
    figures = [
        Figure("the whole market", label, getattr(row, field), unit, source)
        for field, label, unit, _ in named
        if row is not None and getattr(row, field) is not None
    ]
    return Facts(tuple(figures), suggestions=("Top gainers today", "Fear and greed index"))


def count(asked: Question) -> int:
    """How many rows are asked for: "top 5"."""
    numbers = [int(a.value) for a in asked.entities.amounts if not a.unit and 0 < a.value <= 100]
    return min(numbers[0] if numbers else 5, MOST_ROWS)


def _movers(asked: Question) -> Facts:
    down = asked.mentions(
        r"los\w+|worst|dump\w*|down|fell|fallen|falling|drop\w*|bleed\w*|red|declin\w+"
    )
    up = asked.mentions(r"gain\w*|winners?|best|up|rising|pump\w*|mooning|top movers?|green")
    figures: list[Figure] = []
    failures = []
    ways = [way for way, wanted in (("gainers", up or not down), ("losers", down)) if wanted]
    queries = [MoversQuery(direction=way, limit=count(asked)) for way in ways]
    for way, said in zip(ways, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(way, said))
            continue
        source = asked.source(said)
        for row in asking.rows(said):
            figures += figures_of(row, ("change_24h_percent", "price"), row.name, "USD", source)
    return Facts(
        tuple(figures),
        failures=tuple(failures),
        remarks=("These are the movers among the largest coins with a volume worth the name.",),
    )


def _top(asked: Question) -> Facts:
    [said] = asking.ask([ranked(asked.currency)], asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("the ranking", said),))
    source, money = asked.source(said), asked.currency.upper()
    figures: list[Figure] = []
    for row in asking.rows(said)[: count(asked)]:
        figures += figures_of(row, ("rank", "market_cap", "price"), row.name, money, source)
    return Facts(tuple(figures), suggestions=("Top gainers today", "Top losers today"))


def _trending(asked: Question) -> Facts:
    [said] = asking.ask([TrendingQuery()], asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("what people search for", said),))
    source = asked.source(said)
    figures = [
        Figure(row.name, "change in 24 h", row.change_24h_percent, "%", source)
        for row in asking.rows(said)[: count(asked)]
        if row.change_24h_percent is not None
    ]
    return Facts(tuple(figures), remarks=("These are the coins that people search for.",))


def _locked(asked: Question) -> Facts:
    [said] = asking.ask([TvlQuery()], asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("the value locked", said),))
    rows, source = asking.rows(said), asked.source(said)
    of_assets = {known.name.lower() for known in asked.entities.assets}
    named = [
        row
        for row in rows
        if row.chain.lower() in of_assets
        or re.search(rf"\b{re.escape(row.chain.lower())}\b", asked.said)
    ]
    figures = [
        Figure(row.chain, "value locked", row.tvl, "USD", source)
        for row in (named or rows[: count(asked)])
    ]
    if not named:
        total = sum((row.tvl for row in rows), Decimal(0))
        figures.insert(0, computed("all chains", "value locked", total, "USD", source))
    return Facts(tuple(figures))
