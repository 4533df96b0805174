"""
How numbers and times look to people. Pure, and for eyes only: what programs read keeps its digits.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from providers.wording import span

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"  # for what no provider sent

MILLION = 1_000_000
_SCALES: tuple[tuple[Decimal, str], ...] = (
    (Decimal("1e12"), "T"),
    (Decimal("1e9"), "B"),
    (Decimal("1e6"), "M"),
)


def number(value: Decimal | int) -> str:
    """
    Two decimals from 1 upwards, none from a million, four significant digits below 1: '63,120.50',
    '1,701,940,399,776', '0.000012'.
    """
    if isinstance(value, int):
        return _signed(f"{value:,}")
    if value and abs(value) < 1:
        rounded = Decimal(f"{value:.4g}")
        if abs(rounded) < 1:
            return _signed(_trimmed(format(rounded, "f"), least=2))
        value = rounded
    return _signed(f"{value:,.0f}" if abs(value) >= MILLION else f"{value:,.2f}")


def large(value: Decimal | int) -> str:
    """A sum of money as one says it: '1.27 T', '845.10 B'; below a million in full."""
    exact = Decimal(value)
    for size, letter in _SCALES:
        if abs(exact) >= size:
            return _signed(f"{exact / size:,.2f}\N{NO-BREAK SPACE}{letter}")
    return number(value)


def fee(value: Decimal | int) -> str:
    """At most three decimals from 1 upwards, four significant digits below: '1.104', '0.0421'."""
    exact = Decimal(value)
    text = f"{exact:,.3f}" if abs(exact) >= 1 or not exact else format(Decimal(f"{exact:.4g}"), "f")
    return _signed(_trimmed(text, least=0))


def percent(value: Decimal | int) -> str:
    """A change, with its sign: '+1.24 %'."""
    text = f"{value:+,.2f}"
    if Decimal(text.replace(",", "")) == 0:
        text = text[1:]
    return _signed(f"{text}\N{NO-BREAK SPACE}%")


def share(value: Decimal | int) -> str:
    """A part of a whole: '57.31 %'."""
    return _signed(f"{value:,.2f}\N{NO-BREAK SPACE}%")


def moment(value: datetime) -> str:
    """A time in UTC, to the second; without the time of day at midnight."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(seconds: float) -> str:
    """An age as `static/ages.js` goes on counting it: its largest unit alone."""
    if seconds < 60:
        return f"{int(seconds)} s ago"
    whole = span(seconds).split(" ")
    return f"{whole[0]} {whole[1]} ago"


def cell(name: str, value: Any) -> str:
    """A field of a record in a table, by what its name and type say it is."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | int):
        return _figure(name, value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {inner}" for key, inner in value.items()) or NOTHING
    if hasattr(value, "_asdict"):
        return _record(value)
    if isinstance(value, list | tuple):
        joint = "; " if any(hasattr(inner, "_asdict") for inner in value) else ", "
        return joint.join(cell(name, inner) for inner in value) or NOTHING
    return str(value)


def _record(record: Any) -> str:
    """A record inside a record: its texts as they are, of the rest what is there by its name."""
    said = [
        cell(name, value) if isinstance(value, str) else f"{name} {cell(name, value)}"
        for name, value in record._asdict().items()
        if value is not None and value is not False
    ]
    return ", ".join(said)


def _figure(name: str, value: Decimal | int) -> str:
    if name.endswith("_percent"):
        return percent(value) if "change" in name else share(value)
    if name in ("slow", "average", "fast", "base_fee"):
        return fee(value)
    return number(value)


def _trimmed(text: str, *, least: int) -> str:
    """Without zeros at the end of the decimals, but with `least` of them."""
    whole, point, decimals = text.partition(".")
    decimals = decimals.rstrip("0").ljust(least, "0")
    return f"{whole}.{decimals}" if point and decimals else whole


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
