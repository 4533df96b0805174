"""TECHNICAL: studies of candles that are complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from aggregator.answers import Answer
from chat import asking, studies
from chat.facts import Facts, Failure, Figure, Source
from chat.naming import Known
from chat.skills.base import Question, computed
from providers.datasets import INTERVALS, OhlcQuery

MOST = 4
CANDLES = 300  # a page everywhere; an EMA or RSI has settled by then
USUAL_LENGTHS = {"sma": (50, 200), "ema": (20,), "rsi": (14,), "volatility": (30,)}
ALL = ("rsi", "sma", "ema", "volatility")
INTERVAL = "1d"
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
        found = _of_candles(asked, known, said, interval)
        figures += found
        if not found:
            failures.append(Failure(f"studies of {known.name}", "there are too few candles"))
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


def _of_candles(asked: Question, known: Known, said: Answer, interval: str) -> list[Figure]:
    candles = [candle for candle in asking.rows(said) if candle.complete]
    if not candles:
        return []
    closes = [candle.close for candle in candles]
    wanted = asked.entities.studies or ALL
    source, at = asked.source(said), candles[-1].time
    found = [
        Figure(known.name, f"close of {interval} candles", closes[-1], _money(asked), source, at)
    ]
    for study in wanted:
        lengths = asked.entities.lengths if asked.entities.studies else ()
        for length in lengths or USUAL_LENGTHS.get(study, (0,)):
            figure = _figure(study, length, closes, interval, known.name, asked, source, at)
            found += [figure] if figure else []
    return found


def _figure(
    study: str,
    length: int,
    closes: Sequence[Decimal],
    interval: str,
    name: str,
    asked: Question,
    source: Source,
    at: datetime,
) -> Figure | None:
    value: Decimal | None
    unit, label = "", f"{study.upper()} {length} of {interval} candles"
    if study == "sma":
        value, unit = studies.sma(closes, length), _money(asked)
    elif study == "ema":
        value, unit = studies.ema(closes, length), _money(asked)
    elif study == "rsi":
        value = studies.rsi(closes, length)
    elif study == "macd":
        value, unit = studies.macd(closes), _money(asked)
        label = f"MACD 12/26 of {interval} candles"
    else:
        value, unit = studies.volatility(closes, length, INTERVALS[interval]), "%"
        label = f"volatility a year by the last {length} {interval} candles"
    if value is None:
        return None
    return computed(name, label, studies.rounded(value), unit, source, at)


def _money(asked: Question) -> str:
    return asked.currency.upper()
