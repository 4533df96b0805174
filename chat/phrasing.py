"""
Facts in sentences: exactly the figures that were found, each with its source and age. Pure.

Nothing is rounded here. What is long is long because its provider sent it so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from aggregator.figures import MINUS, ago
from chat.facts import ASKED, COMPUTED, Facts, Figure, Passage, Source

RECENT_S = 2 * 3600.0  # a figure of that age is of now
SPACE = "\N{NO-BREAK SPACE}"

CLARIFY = "I am not sure what you are asking for."
NOTHING = "I do not know."


def say(facts: Facts, now: float) -> str:
    """The answer: remarks, figures, passages, and what could not be answered; a line each."""
    lines = [*body(facts, now), *failures(facts)]
    return "\n".join(lines) or NOTHING


def body(facts: Facts, now: float, *, sources: bool = True) -> list[str]:
    """What is known, line by line; without `sources` the figures alone."""
    found = list(facts.remarks)
    for (subject, source), group in groupby(facts.figures, key=lambda f: (f.subject, f.source)):
        said = "; ".join(_figure(f, now, place == 0) for place, f in enumerate(group))
        if source.provider != ASKED:  # what stands in the question need not be said again
            whence = f" ({whence_of(source, now)})" if sources else ""
            joint = " " if said.startswith(("costs ", "is worth ")) else ": "
            found.append(f"{_capital(subject)}{joint}{said}{whence}.")
    found += [_passage(passage, now, sources) for passage in facts.passages]
    return found


def failures(facts: Facts) -> list[str]:
    return [f"Not answered: {failed.part} ({failed.reason})." for failed in facts.failures]


def whence_of(source: Source, now: float) -> str:
    """ "kraken, 12 s ago", and that it is stale when it is."""
    age = source.age_s(now)
    parts = [source.provider.replace(",", ", ")]
    parts += [ago(age)] if age is not None else []
    parts += ["stale"] if source.stale else []
    return ", ".join(parts)


def sources_line(sources: Sequence[Source], now: float) -> str:
    """Of a text that names none itself."""
    return f"Sources: {'; '.join(whence_of(source, now) for source in sources)}."


def value(figure: Figure) -> str:
    """A figure with its unit: "86,011.36 USD", "−1.34 %"."""
    text = number(figure.value)
    signed = f"+{text}" if "change" in figure.label and figure.value > 0 else text
    return f"{signed}{SPACE}{figure.unit}" if figure.unit else signed


def number(figure: Decimal | int) -> str:
    """Every digit, thousands apart, without zeros at the end of the decimals."""
    text = format(figure, ",f") if isinstance(figure, Decimal) else format(figure, ",d")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", "0"):
        return "0"
    return text.replace("-", MINUS)


def clarify(questions: Iterable[str], unknown: Sequence[str] = ()) -> str:
    """Asking back, with what it may have been; a name that we do not have is told."""
    asked = " / ".join(questions)
    why = f"I know no asset called {', '.join(map(quoted, unknown))}." if unknown else CLARIFY
    return f"{why} Did you mean one of these? {asked}" if asked else why


def quoted(text: str) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"


def _figure(figure: Figure, now: float, is_first: bool) -> str:
    when = f"in {figure.when}" if figure.when else _when(figure.at, now)
    label = "costs" if is_first and figure.label == "price" and not when else figure.label
    how = ", computed" if figure.how == COMPUTED and "computed" not in figure.label else ""
    return " ".join(filter(None, (label, value(figure), when))) + how


def _when(at: date | datetime | None, now: float) -> str:
    """Of what is not of now, the day or the moment."""
    if isinstance(at, datetime):
        if now - at.timestamp() < RECENT_S:
            return ""
        is_day = at.hour == at.minute == at.second == 0
        return f"on {at:%Y-%m-%d}" if is_day else f"on {at:%Y-%m-%d at %H:%M} UTC"
    return f"on {at.isoformat()}" if at is not None else ""


def _passage(passage: Passage, now: float, sources: bool) -> str:
    text = f"{passage.title}: {passage.text}" if passage.text else passage.title
    by = [passage.by] if passage.by else [] if not sources else [passage.source.provider]
    if passage.by and passage.at is not None:  # a headline is what somebody reports
        by = [f"reported by {passage.by}"]
    if passage.at is not None:
        by.append(f"{passage.at:%Y-%m-%d %H:%M} UTC")
    return f"{text} ({', '.join(by)})" if by else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
