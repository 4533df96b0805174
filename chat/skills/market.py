"""MARKET_DATA: caps, volumes, changes, supply, ranks, movers, the market as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from aggregator.answers import Answer
from aggregator.api.markets import floor_of
from chat import asking
from chat.facts import Facts, Failure, Figure, Passage
from chat.naming import Known
from chat.phrasing import number
from chat.skills import past, windows
from chat.skills.base import (
    FIELDS,
    USUAL,
    Question,
    computed,
    fields_named,
    figures_of,
    plural,
    ranked,
    row_of,
)
from providers.datasets import (
    GlobalQuery,
    MoversQuery,
    TrendingQuery,
    TvlQuery,
)

MOST_ASSETS, MOST_ROWS = 10, 10
LONG = 5  # words of a question that asks for more than an asset's figures
USUAL_ONLY = "These are the usual figures: I may not have what you asked for."
# Figures that people ask for and that none of our providers sends.
ELSEWHERE = re.compile(
    r"\b(?:ath|all time high|all time low|atl|open interest|funding|liquidat\w+|long short|"
    r"etf|flows?|inflows?|outflows?|hash ?rate|difficulty|active addresses|wallets?|holders|"
    r"whales?|mvrv|sopr|nvt|puell|max(?:imum)? pain|implied|apy|apr|yields?|staked|burn\w*|mined|"
    r"transactions per|tps|average price|median|fdv|fully diluted|max(?:imum)? supply|"
    r"total supply)\b"
)
NOT_OF_THEN = Facts(
    failures=(Failure("the whole market of that time", "its figures of now are all that is known"),)
)
ACRONYMS = frozenset(("ath", "atl", "etf", "mvrv", "sopr", "nvt", "apy", "apr", "tps", "fdv"))
LOCKED = r"tvl|value locked|locked"
UP = r"gewinner|ganador\w*|ganancias|gagnant\w*|vencedor\w*|rialzi|kazanan\w*"
DOWN = r"verlierer|perdedor\w*|pérdidas|perdant\w*|ribassi|kaybeden\w*"
MOVING = (
    rf"{UP}|{DOWN}|"
    r"gain\w*|los\w+|movers?|winners?|pumped|pumping|dumped|dumping|performers?|rising|falling|"
    r"up most|down most|mooning|bleeding|performing|best|worst"
)
LEAST_OF = r"lowest|smallest|least|cheapest"
MOST_OF = rf"highest|most|{LEAST_OF}"
WHOLE = r"dominance|btc d|total market|whole market|entire market|overall market|global market"


def facts(asked: Question) -> Facts:
    assets = asked.entities.assets[:MOST_ASSETS]
    if assets and not asked.mentions(rf"{LOCKED}|{WHOLE}"):
        found = _of_assets(asked, assets) + Facts(failures=asked.strangers("figures"))
    elif is_of_then(asked) and not asked.mentions(MOVING):
        found = NOT_OF_THEN
    elif asked.mentions(LOCKED):
        found = _locked(asked)
    elif asked.mentions(WHOLE):
        found = _whole_and_named(asked, assets)
    elif asked.mentions(r"trending|searched|hot|hype\w*|buzz\w*"):
        found = _trending(asked)
    elif asked.mentions(MOVING):
        found = _movers(asked)
    elif asked.mentions(r"top|largest|biggest|list|ranking|rank\w*|coins by") or (
        asked.mentions(MOST_OF) and asked.mentions(r"coins?|crypto\w*|tokens?|which")
    ):
        found = _top(asked)
    else:
        found = whole(asked)
    if missing := [match.group() for match in ELSEWHERE.finditer(asked.said)]:
        said = " ".join(word.upper() if word in ACRONYMS else word for word in missing)
        found += Facts(failures=(Failure(said, "no provider here offers it"),))
    return found


def is_of_then(asked: Question) -> bool:
    """Another time than now is asked for, which nobody tells the whole market of."""
    period = asked.entities.period
    return period is not None and not past.is_a_day(period, asked)


def _of_assets(asked: Question, assets: tuple[Known, ...]) -> Facts:
    period = asked.entities.period
    if period is not None and not past.is_a_day(period, asked):
        return past.facts(asked, assets, period)
    named = _in_window(asked, fields_named(asked))
    found = of_ranked(asked, assets, named or USUAL, must=bool(named))
    if not named and len(asked.said.split()) >= LONG:
        found += Facts(remarks=(USUAL_ONLY,))
    first = assets[0].name
    return found + Facts(
        suggestions=(f"How did {first} do in the past 30 days?", f"RSI of {first}")
    )


def _in_window(asked: Question, fields: list[str]) -> list[str]:
    """ "Change in 1 hour" asks for no change of a day."""
    if windows.of(asked) != "1h":
        return fields
    others = [field for field in fields if not field.startswith("change_")]
    return [*others, "change_1h_percent"] if others != fields else fields


def of_ranked(
    asked: Question, assets: Sequence[Known], fields: Sequence[str], *, must: bool = False
) -> Facts:
    """Fields of the rows of ranked coins; those that `must` be there are named when they lack."""
    said = asking.one(ranked(asked.currency), asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("figures of the market", said),))
    money, source = asked.currency.upper(), asked.source(said)
    figures: list[Figure] = []
    failures = []
    for known in assets:
        row = row_of(said, known)
        if row is None:
            failures.append(
                Failure(f"figures of {known.name}", "it is not among the largest coins")
            )
            continue
        figures += figures_of(row, fields, known.name, money, source)
        lacking = [FIELDS[field][0] for field in fields if must and getattr(row, field) is None]
        failures += [
            Failure(f"{label} of {known.name}", f"{source.provider} did not send it")
            for label in lacking
        ]
    return Facts(tuple(figures), failures=tuple(failures))


# Fields of the market as a whole: what they are called, in which unit, and the words that ask.
OF_THE_WHOLE = {
    "market_cap": ("capitalisation", "USD", r"m?caps?|worth|size|big|market|total"),
    "market_cap_change_24h_percent": ("change in 24 h", "%", r"chang\w+|up|down|market|today"),
    "volume_24h": ("volume in 24 h", "USD", r"volumes?|market|traded"),
    "btc_dominance_percent": ("share of Bitcoin", "%", r"dominance|btc d|share|market"),
    "eth_dominance_percent": ("share of Ethereum", "%", r"eth\w* dominance|eth d|share"),
    "active_coins": (
        "coins that are traded",
        "",
        r"how many (?:coins|crypto\w*)|number of",
    ),
}


def whole(asked: Question, fields: Sequence[str] = ()) -> Facts:
    """The market as a whole: those fields, else those asked for, else the usual."""
    said = asking.one(GlobalQuery(), asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("figures of the whole market", said),))
    row, source = next(iter(asking.rows(said)), None), asked.source(said)
    named = [field for field, (_, _, words) in OF_THE_WHOLE.items() if asked.mentions(words)]
    figures = [
        Figure("the whole market", OF_THE_WHOLE[field][0], value, OF_THE_WHOLE[field][1], source)
        for field in fields or named or [*OF_THE_WHOLE][:4]
        if row is not None and (value := getattr(row, field)) is not None
    ]
    return Facts(tuple(figures), suggestions=("Top gainers today", "Fear and greed index"))


def _whole_and_named(asked: Question, assets: tuple[Known, ...]) -> Facts:
    """Shares of the market are known of two coins; other figures of a coin stand beside it."""
    found = whole(asked)
    others = [known.name for known in assets if known.id not in ("bitcoin", "ethereum")]
    if not asked.mentions(r"dominance|btc d"):
        return found + (_of_assets(asked, assets) if assets else Facts())
    return found + Facts(
        failures=tuple(
            Failure(f"the share of {name}", "no provider here offers it") for name in others
        )
    )


def count(asked: Question) -> int:
    """How many rows are asked for: "top 5"."""
    numbers = [int(a.value) for a in asked.entities.amounts if not a.unit and 0 < a.value <= 100]
    least = 1 if asked.mentions(r"(?:which|what|whats|whos?) (?:is|coin|crypto\w*|token)") else 5
    return min(numbers[0] if numbers else least, MOST_ROWS)


def _movers(asked: Question) -> Facts:
    down = asked.mentions(
        rf"{DOWN}|"
        r"los\w+|worst|dump\w*|down|fell|fallen|falling|drop\w*|bleed\w*|red|declin\w+"
    )
    up = asked.mentions(
        rf"{UP}|" r"gain\w*|winners?|best|up|rising|pump\w*|mooning|top movers?|green"
    )
    ways = [way for way, wanted in (("gainers", up or not down), ("losers", down)) if wanted]
    window, money = windows.of(asked), asked.currency
    if not window:
        then = asked.entities.period.words if asked.entities.period else ""
        why = f"of all coins, {windows.KNOWN} are known"
        return Facts(
            failures=(Failure(f"{plural(ways)} {then}".strip(), why),),
            suggestions=("Top gainers today", "Top losers this week"),
        )
    figures: list[Figure] = []
    failures = list(_cut(asked))
    queries = [
        MoversQuery(way, count(asked), floor_of(money), currency=money, window=window)
        for way in ways
    ]
    for way, said in zip(ways, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(way, said))
            continue
        source, rows = asked.source(said), asking.rows(said)
        if not rows:
            failures.append(Failure(f"{way} in {window}", f"{source.provider} told of none"))
        fields = (f"change_{window}_percent", "price")
        for row in rows:
            figures += figures_of(row, fields, row.name, money.upper(), source)
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
    by = next((field for field, words in _RANKED_BY if asked.mentions(words)), "market_cap")
    is_least = asked.mentions(LEAST_OF)
    rows = [row for row in asking.rows(said) if getattr(row, by) is not None]
    rows.sort(key=lambda row: getattr(row, by), reverse=not is_least)
    figures: list[Figure] = []
    for row in rows[: count(asked)]:
        fields = dict.fromkeys(("rank", by, "market_cap", "price"))
        figures += figures_of(row, tuple(fields), row.name, money, source)
    remarks = (
        (f"These are of the {len(rows)} largest coins.",) if by != "market_cap" or is_least else ()
    )
    suggestions = ("Top gainers today", "Top losers today")
    return Facts(tuple(figures), failures=_cut(asked), remarks=remarks, suggestions=suggestions)


# What coins may be ranked by instead of their capitalisation, by the words that ask for it.
_RANKED_BY = (
    ("volume_24h", r"volumes?|vol|traded|turnover"),
    ("price", r"expensive|cheapest|prices?|priced|costs?"),
    ("circulating_supply", r"suppl\w+"),
)


def _cut(asked: Question) -> tuple[Failure, ...]:
    """More rows are asked for than are told."""
    wanted = next((a.value for a in asked.entities.amounts if not a.unit), Decimal(0))
    why = f"I tell {MOST_ROWS} at once"
    return (Failure(f"all {number(wanted)} of them", why),) if wanted > MOST_ROWS else ()


def _trending(asked: Question) -> Facts:
    [said] = asking.ask([TrendingQuery()], asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure("what people search for", said),))
    source = asked.source(said)
    rows = asking.rows(said)[: count(asked)]
    moved = [row for row in rows if row.change_24h_percent is not None]
    figures = [
        Figure(row.name, "change in 24 h", row.change_24h_percent, "%", source) for row in moved
    ]
    others = [Passage(row.name, "", source) for row in rows if row not in moved]
    remark = "These are the coins that people search for."
    return Facts(tuple(figures), tuple(others), remarks=(remark,))


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
