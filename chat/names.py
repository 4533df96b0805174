"""What `names.yaml` says: people's words for assets, currencies, chains and series. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml

from chat.masking import words


class Part(NamedTuple):
    """A part of a coin, so many of which are one."""

    name: str
    asset: str
    of: int


class Series(NamedTuple):
    """
    An economic series. `change` is over how many of its periods its change in percent is what
    people ask for; 0 when the value itself is. `unit` is that of its values, whoever sends them.
    """

    id: str
    title: str
    change: int = 0
    unit: str = ""


class Rate(NamedTuple):
    """A daily exchange rate of the Federal Reserve; `per_usd`: so many for one dollar."""

    series: str
    per_usd: bool


@dataclass(frozen=True)
class Names:
    """Every mapping is by what a word is in `masking.words`, but for symbols such as "$"."""

    assets: Mapping[str, str]
    currencies: Mapping[str, str]
    signs: Mapping[str, str]  # "$" -> "usd"
    parts: Mapping[str, Part]
    chains: Mapping[str, str]
    indicators: Mapping[str, Series]
    series: Mapping[str, Series]  # by id
    abroad: Mapping[str, Series]  # by the id of what it stands for
    countries: Mapping[str, str]
    exchange: Mapping[str, Rate]
    plain: frozenset[str]


@cache
def names() -> Names:
    said: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("names.yaml").read_text(encoding="utf-8")
    )
    money = {word: code for code, others in said["currencies"].items() for word in (code, *others)}
    series = {
        id: Series(id, row["title"], row.get("change", 0), row.get("unit", ""))
        for id, row in said["indicators"].items()
    }
    return Names(
        assets=_by_word(said["assets"]),
        currencies=MappingProxyType({words(w): c for w, c in money.items() if words(w)}),
        signs=MappingProxyType({word: code for word, code in money.items() if not words(word)}),
        parts=MappingProxyType(
            {
                word: Part(name, row["asset"], row["of"])
                for name, row in said["parts"].items()
                for word in (name, *row["names"])
            }
        ),
        chains=_by_word(said["chains"]),
        indicators=MappingProxyType(
            {words(w): series[id] for id, row in said["indicators"].items() for w in row["names"]}
        ),
        series=MappingProxyType(series),
        abroad=MappingProxyType(
            {
                id: Series(row["series"], row["title"], unit=row.get("unit", ""))
                for id, row in said["abroad"].items()
            }
        ),
        countries=_by_word(said["countries"]),
        exchange=MappingProxyType(
            {
                code: Rate(row["series"], row["per"] == "usd")
                for code, row in said["exchange"].items()
            }
        ),
        plain=frozenset(said["plain"].split()),
    )


def _by_word(rows: Mapping[str, Iterable[str]]) -> Mapping[str, str]:
    return MappingProxyType({words(word): id for id, others in rows.items() for word in others})
