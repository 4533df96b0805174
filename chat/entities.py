"""
What a question is about: assets, currencies, amounts, periods, economic series, chains, studies.

Pure: the clock, and what a word means, are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from chat import naming, numerals, periods, studied
from chat.masking import words
from chat.names import Series, names
from chat.naming import Known, Lookup, Named
from chat.numerals import Numeral
from chat.periods import Period, Unread
from chat.spelling import Spellings
from chat.studied import Study

LONGEST = 4  # words of a series, a chain or a currency
_INTERVALS = (
    (r"\b(?:1[- ]?h|hourly|1[- ]hour|one hour)\b", "1h"),
    (r"\b(?:4[- ]?h|4[- ]hours?|four hours?|4hr)\b", "4h"),
    (r"\b(?:15[- ]?m|15[- ]min\w*)\b", "15m"),
    (r"\b(?:30[- ]?m|30[- ]min\w*)\b", "30m"),
    (r"\b(?:5[- ]min\w*|on 5m|5m (?:rsi|[se]?ma|macd|candles?|chart))\b", "5m"),
    (r"\b(?:1[- ]?w|weekly|1[- ]week|\d+[- ]weeks? (?:moving|[se]?ma|rsi))\b", "1w"),
    (r"\b(?:1[- ]?d|daily|1[- ]day)\b", "1d"),
)


class Amount(NamedTuple):
    """
    `value` of `unit`: a currency's code in lower case, the name of a part, an asset's id, or "%".
    """

    value: Decimal  # below zero where it is said to be
    unit: str  # "" when none is named


@dataclass(frozen=True)
class Entities:
    """Everything a question names. `unknown` are names of assets that we do not have."""

    assets: tuple[Known, ...] = ()
    currencies: tuple[str, ...] = ()
    amounts: tuple[Amount, ...] = ()
    period: Period | None = None
    series: tuple[Series, ...] = ()
    chains: tuple[str, ...] = ()
    studies: tuple[Study, ...] = ()
    interval: str = ""
    countries: tuple[str, ...] = ()
    typos: tuple[tuple[str, str], ...] = ()  # what was written, and what was understood
    unknown: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()  # what is written like a time, and is none there is data of

    @property
    def currency(self) -> str:
        """The one to answer in."""
        return self.currencies[0] if self.currencies else "usd"

    def told(self) -> dict[str, Any]:
        """As JSON, with what is there."""
        found: dict[str, Any] = {
            "assets": [known._asdict() for known in self.assets],
            "currencies": list(self.currencies),
            "amounts": [{"value": str(a.value), "unit": a.unit} for a in self.amounts],
            "period": _told_period(self.period),
            "series": [s._asdict() for s in self.series],
            "chains": list(self.chains),
            "studies": [{"name": s.name, "lengths": list(s.lengths)} for s in self.studies],
            "interval": self.interval,
            "countries": list(self.countries),
            "typos": [{"written": one, "understood": other} for one, other in self.typos],
            "unknown": list(self.unknown),
            "unread": [item._asdict() for item in self.unread],
        }
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_told(cls, told: dict[str, Any]) -> Entities:
        """Back from `told`; what another version wrote is left out."""
        period = told.get("period")
        return cls(
            assets=tuple(Known(a["key"], a["id"], a["name"]) for a in told.get("assets", ())),
            currencies=tuple(told.get("currencies", ())),
            amounts=tuple(Amount(Decimal(a["value"]), a["unit"]) for a in told.get("amounts", ())),
            period=Period(
                datetime.fromisoformat(period["start"]),
                datetime.fromisoformat(period["end"]) if period["end"] else None,
                period["words"],
                period["at"],
            )
            if period
            else None,
            series=tuple(Series(**s) for s in told.get("series", ())),
            chains=tuple(told.get("chains", ())),
            studies=tuple(
                Study(s["name"], tuple(s["lengths"]))
                for s in told.get("studies", ())
                if isinstance(s, dict)
            ),
            interval=told.get("interval", ""),
            countries=tuple(told.get("countries", ())),
        )


def _told_period(period: Period | None) -> dict[str, Any] | None:
    if period is None:
        return None
    end = period.end.isoformat() if period.end else None
    return {
        "start": period.start.isoformat(),
        "end": end,
        "words": period.words,
        "at": period.at,
    }


def find(text: str, now: datetime, lookup: Lookup, spellings: Spellings) -> Entities:
    """What a question names, by its words alone."""
    seen = naming.cleaned(numerals.folded(text))
    said = words(seen)
    found = naming.find(seen, lookup, spellings)
    series, series_names = _series(said)
    # "fed rate" is a series, and "link" in "link?" the only thing there is.
    assets = found.assets or (() if series else found.maybe)
    assets = _without_series(assets, series, said)
    timely = _without(seen, series_names)  # "10 year yield" is no period
    period = periods.find(timely, now)
    unread = periods.unread(timely, period, now)
    times = [item.text for item in unread] + ([period.words] if period else [])
    counted = [*found.mentions, *assets]  # "if btc is at 100k, what are 3 btc"
    amounts = _amounts(seen, counted, [*found.spans, *_places(seen, times)])
    quotes = [*_currencies(seen, said, amounts), *map(_plain, found.quotes)]
    if not amounts and (quote := _quote(seen, assets)):
        assets, quotes = assets[:1], [quote, *quotes]
    return Entities(
        assets=tuple(Known(a.key, a.id, a.name) for a in assets),
        currencies=tuple(dict.fromkeys(quotes)),
        amounts=amounts,
        period=period,
        series=series,
        chains=_each(said, names().chains),
        studies=studied.find(said),
        interval=next((i for p, i in _INTERVALS if re.search(p, seen.lower())), ""),
        countries=_each(said, names().countries),
        typos=tuple((a.asked, a.name) for a in assets if a.typo),
        unknown=tuple(word for word in found.unknown if not _stands_in(word, series_names)),
        unread=unread,
    )


def _quote(seen: str, assets: Sequence[Named]) -> str:
    """ "btc" in "eth/btc" and "price of eth in btc": what one coin is priced in, if it is."""
    if len(assets) != 2 or assets[1].key not in ("BTC", "ETH"):
        return ""
    between = seen[assets[0].end : assets[1].start]
    is_pair = re.fullmatch(r"\s*/\s*| (?:in|to|priced in|in terms of) ", between, re.IGNORECASE)
    return assets[1].key.lower() if is_pair else ""


def _series(said: str) -> tuple[tuple[Series, ...], list[str]]:
    """With the names they stand under. The longest win: "core cpi" is not also "cpi"."""
    found = []
    for name in sorted((n for n in names().indicators if n in said), key=len, reverse=True):
        if place := re.search(rf"(?<!\S){re.escape(name)}(?!\S)", said):
            found.append((place.start(), name))
            said = said.replace(name, "#" * len(name))
    in_order = [name for _, name in sorted(found)]
    return tuple(dict.fromkeys(names().indicators[name] for name in in_order)), in_order


def _stands_in(word: str, said: Sequence[str]) -> bool:
    return any(word.casefold() in name.split() for name in said)


def _without(seen: str, said: Sequence[str]) -> str:
    """A text without names as `words` spells them: "10-year yield" is "10 year yield"."""
    for name in said:
        pattern = r"[\W_]+".join(map(re.escape, name.split()))
        seen = re.sub(rf"(?<![^\W_]){pattern}(?![^\W_])", "#", seen, flags=re.IGNORECASE)
    return seen


def _without_series(
    assets: Sequence[Named], series: Sequence[Series], said: str
) -> tuple[Named, ...]:
    """A name that stands in a series' name is no asset: "dow", "spx index"."""
    inside = " ".join(
        name for name, s in names().indicators.items() if s in series and name in said
    )
    return tuple(a for a in assets if words(a.asked) not in inside.split() or not inside)


def _each(said: str, known: Any) -> tuple[str, ...]:
    tokens = said.split()
    found = (
        known.get(" ".join(tokens[place : place + length]))
        for place in range(len(tokens))
        for length in range(LONGEST, 0, -1)
    )
    return tuple(dict.fromkeys(item for item in found if item))


# Codes that are words too: they count as money beside a number, or in capitals.
_WORDY = frozenset(("try", "won", "real", "rand", "tl", "pound", "php", "cad"))


def _currencies(seen: str, said: str, amounts: Sequence[Amount]) -> list[str]:
    """In their order, those to be answered in before those of an amount ("100 usd in eur")."""
    of_amounts = [a.unit for a in amounts if a.unit in names().currencies.values()]
    # "$link" is a name, "$5" and "5$" are money.
    spoken = [names().signs[c[0]] for c in re.findall(r"[$€£¥₹₩](?![^\W\d_])", seen)]
    tokens = said.split()
    for place, token in enumerate(tokens):
        pair = " ".join(tokens[place : place + 2])
        code = names().currencies.get(pair) or names().currencies.get(token)
        led = _is_led(tokens, place, bool(amounts))
        if code and (token not in _WORDY or led or token.upper() in seen or code in of_amounts):
            spoken.append(code)
    wanted = [code for code in spoken if code not in of_amounts]
    return [*dict.fromkeys(wanted), *dict.fromkeys(of_amounts)]


def _is_led(tokens: Sequence[str], place: int, is_amount: bool) -> bool:
    """Does what stands before a word say that it is money: "100 usd to try", "in aud and cad"?"""
    before = ["", "", *tokens[:place]][-2:]
    if before[1] in ("and", "or"):
        return before[0] in names().currencies
    return before[1] == "in" or (is_amount and before[1] in ("to", "into"))


def _amounts(
    seen: str,
    assets: Sequence[Named],
    taken: Sequence[tuple[int, int]],
) -> tuple[Amount, ...]:
    """Numbers with what they count; years, lengths of periods and parts of names are none."""
    found = []
    # "1 000 usd": thousands apart, where money follows.
    seen = _apart().sub(lambda m: m.group().replace(" ", "\N{NO-BREAK SPACE}"), seen)
    for numeral in numerals.read(seen):
        start, end = numeral.start, numeral.end
        if any(start < stop and begin < end for begin, stop in taken):
            continue
        if _is_inside(seen, start, end):
            continue
        if unit := _unit(seen, numeral, assets):
            below = numeral.sign < 0 or _BELOW.search(seen[:start])
            value = numeral.value.copy_abs()
            found.append(Amount(value.copy_negate() if below else value, unit))
        elif seen[end : end + 1].isalpha():
            continue
        elif seen[start].isdigit() or seen[start] in numerals.SIGNS or numeral.value >= 100:
            found.append(Amount(numeral.value, ""))
    return tuple(found)


@cache
def _apart() -> re.Pattern[str]:
    money = "|".join(map(re.escape, names().currencies))
    return re.compile(rf"(?<![\w.,])\d{{1,3}}(?: \d{{3}})+(?= (?:{money})\b)", re.IGNORECASE)


_BELOW = re.compile(r"(?:\b(?:minus|negative)|[-\N{MINUS SIGN}])\s*[$€£¥₹₩]?\s*$", re.IGNORECASE)


def _is_inside(seen: str, start: int, end: int) -> bool:
    """Is it a piece of something that is no number: "sp500", "1e9999", "1.2.3.4"?"""
    word = re.search(r"[^\W\d_]*$", seen[:start])
    groups = re.findall(r"\d+", seen[start:end])[1:-1]
    of_word = word is not None and word.group() and not _money_before(seen[:start])
    return bool(of_word) or any(len(group) not in (2, 3) for group in groups)


def _money_before(text: str) -> str:
    """ "usd100" """
    word = re.search(r"(?<![^\W_])[a-z]{3}$", text, re.IGNORECASE)
    return names().currencies.get(word.group().lower(), "") if word else ""


def _places(seen: str, said: Sequence[str]) -> list[tuple[int, int]]:
    """Where in a text stands what `periods` found in it."""
    patterns = (
        re.sub(r"'", "['\N{RIGHT SINGLE QUOTATION MARK}]", re.escape(text)) for text in said
    )
    spaced = (pattern.replace(r"\ ", r"\s+") for pattern in patterns)
    return [m.span() for pattern in spaced for m in re.finditer(pattern, seen, re.IGNORECASE)]


_WHOLE = r"\s*(?:whole )?"
_OF = r"\s*(?:an? |of (?:(?:an?|one) )?)?"  # "half a bitcoin", "a quarter of one eth"


def _unit(seen: str, numeral: Numeral, assets: Sequence[Named]) -> str:
    before, after = seen[: numeral.start].rstrip(), seen[numeral.end :]
    if before[-1:] in names().signs:
        return names().signs[before[-1]]
    if re.match(r"\s?%|\s(?:percent|per cent)\b", after):
        return "%"
    if led := _money_before(seen[: numeral.start]):
        return led
    if sign := re.match(r"\s?([$€£¥₹₩])", after):
        return names().signs[sign[1]]
    joint = _OF if numeral.value < 1 else _WHOLE
    for named in assets:
        between = seen[numeral.end : named.start]
        if named.start >= numeral.end and re.fullmatch(joint, between):
            return named.id
    tokens = words(after[:40]).split()
    for length in (2, 1):
        said = " ".join(tokens[:length])
        if code := names().currencies.get(said):
            return code
        if part := names().parts.get(said):
            return part.name
    return ""


def _plain(quote: str) -> str:
    """A coin that follows the dollar is asked for by those who want dollars."""
    return "usd" if quote in ("usdt", "usdc") else quote
