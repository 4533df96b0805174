"""TECHNICAL: studies of candles that are complete."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from aggregator.answers import Answer
from chat import asking, studies
from chat.facts import Facts, Failure, Figure, Source
from chat.naming import Known
from chat.skills.base import Question, computed
from chat.studied import Study
from providers.datasets import INTERVALS, Candle, OhlcQuery

MOST = 4
CANDLES = 300  # a page everywhere; an EMA or RSI has settled by then
SHORTEST, LONGEST = 2, 250  # candles that a study looks at
USUAL_LENGTHS = {"sma": (50, 200), "ema": (20,), "rsi": (14,), "volatility": (30,), "macd": (26,)}
ALL = (Study("rsi"), Study("sma"), Study("ema"), Study("volatility"))
INTERVAL = "1d"
_STRANGE = re.compile(
    r"\bon (?:the |an? )?(?P<interval>\d+ ?(?:m|min\w*|h|hr|hours?|d|days?|w|weeks?))\b"
)
OTHERS = (
    r"bollinger\w*|ichimoku|fibonacci|fib|pivots?|patterns?|wedge|triangle|divergence|"
    r"trend ?lines?|supports?|resistances?|head and shoulders|double (?:top|bottom)|vwap|obv|adx|"
    r"atr|stoch\w*|supertrend|elliott|harmonic|flag|cup|correlation|beta"
)


def facts(asked: Question) -> Facts:
    assets = asked.entities.assets[:MOST]
    if not assets:
        none = Failure("the study", "the question names no asset that is known here")
        return Facts(
            failures=asked.strangers("the study") or (none,),
            suggestions=("RSI of Bitcoin", "Moving averages of Ethereum"),
        )
    strange = _STRANGE.search(asked.said) if not asked.entities.interval else None
    if strange:
        why = f"candles are of {', '.join(INTERVALS)} here"
        return Facts(failures=(Failure(f"candles of {strange['interval']}", why),))
    interval = asked.entities.interval or INTERVAL
    queries = [
        OhlcQuery(symbol=k.key, interval=interval, limit=CANDLES, currency=asked.currency)
        for k in assets
    ]
    figures: list[Figure] = []
    failures = []
    for known, said in zip(assets, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(f"candles of {known.name}", said))
            continue
        candles = [candle for candle in asking.rows(said) if candle.complete]
        if not candles:
            failures.append(Failure(f"studies of {known.name}", "there are no candles"))
            continue
        found, lacking = _of_candles(asked, known, candles, asked.source(said))
        figures += found
        failures += lacking if asked.entities.studies else []
    if asked.mentions(OTHERS):
        failures.append(
            Failure("other studies", "RSI, SMA, EMA, MACD and volatility are computed here")
        )
    first = assets[0].name
    return Facts(
        tuple(figures),
        failures=tuple(failures),
        suggestions=(f"Volatility of {first}", f"Weekly RSI of {first}"),
    )


def _of_candles(
    asked: Question, known: Known, candles: Sequence[Candle], source: Source
) -> tuple[list[Figure], list[Failure]]:
    """What was computed, and what was asked for and could not be."""
    closes, at = [candle.close for candle in candles], candles[-1].time
    interval = asked.entities.interval or INTERVAL
    label = f"close of {interval} candles"
    figures = [Figure(known.name, label, closes[-1], _money(asked), source, at)]
    failures = []
    for study in asked.entities.studies or ALL:
        usual = USUAL_LENGTHS[study.name]
        for length in usual if study.name == "macd" else study.lengths or usual:
            label, unit = _words(study.name, length, interval, _money(asked))
            if not SHORTEST <= length <= LONGEST:
                why = f"a study looks at {SHORTEST} to {LONGEST} candles here"
                failures.append(Failure(f"{label} of {known.name}", why))
                continue
            value = _value(study.name, length, closes, interval)
            if value is None:
                why = f"{source.provider} sent too few of them"
                failures.append(Failure(f"{label} of {known.name}", why))
                continue
            rounded = studies.rounded(value)
            figures.append(computed(known.name, label, rounded, unit, source, at))
    return figures, failures


def _words(study: str, length: int, interval: str, money: str) -> tuple[str, str]:
    """What a study is called, and its unit."""
    if study == "volatility":
        return f"volatility a year by the last {length} {interval} candles", "%"
    called = "MACD 12/26" if study == "macd" else f"{study.upper()} {length}"
    return f"{called} of {interval} candles", "" if study == "rsi" else money


def _value(study: str, length: int, closes: Sequence[Decimal], interval: str) -> Decimal | None:
    if study == "sma":
        return studies.sma(closes, length)
    if study == "ema":
        return studies.ema(closes, length)
    if study == "rsi":
        return studies.rsi(closes, length)
    if study == "macd":
        return studies.macd(closes)
    return studies.volatility(closes, length, INTERVALS[interval])


def _money(asked: Question) -> str:
    return asked.currency.upper()
