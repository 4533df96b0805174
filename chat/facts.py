"""
What an answer is made of: figures and passages, each with who said it and when. Pure.

A figure that is not among the facts is never in an answer (`figures_guard`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from aggregator.encoding import timestamp

COMPUTED = "computed"  # in `how`: made here of figures that the source sent
ASKED = "question"  # the provider of figures that stand in the question itself


@dataclass(frozen=True, slots=True)
class Source:
    """Who gave something, and when: seconds since the epoch, None for what does not age."""

    provider: str
    dataset: str
    fetched_at: float | None = None
    stale: bool = False
    url: str = ""

    def age_s(self, now: float) -> float | None:
        return None if self.fetched_at is None else max(0.0, now - self.fetched_at)

    def told(self, now: float) -> dict[str, Any]:
        age = self.age_s(now)
        return {
            "provider": self.provider,
            "dataset": self.dataset,
            "fetched_at": None if self.fetched_at is None else timestamp(self.fetched_at),
            "age_s": None if age is None else round(age, 1),
        }


@dataclass(frozen=True, slots=True)
class Figure:
    """
    "The `label` of `subject` is `value` `unit`", at a day or moment if it is not now. Units:
    currency codes, "%", "gwei", "sat/vB", "coins", those of a series, "" for plain numbers.
    """

    subject: str
    label: str
    value: Decimal | int
    unit: str
    source: Source
    at: date | datetime | None = None
    how: str = ""  # COMPUTED, or nothing for what was sent as it is
    span: str = ""  # "month", "quarter" or "year" where `at` is the first day of one

    @property
    def when(self) -> str:
        """Of a span its name: "October 2026", "Q3 2026", "2026"."""
        if self.at is None or not self.span:
            return ""
        quarter = f"Q{(self.at.month + 2) // 3} {self.at.year}"
        return {"month": f"{self.at:%B %Y}", "quarter": quarter, "year": str(self.at.year)}[
            self.span
        ]


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that somebody wrote: a headline, an entry of the glossary, a description."""

    title: str
    text: str
    source: Source
    url: str = ""
    at: datetime | None = None
    by: str = ""  # who published it


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of the question that could not be answered, in words, and why not."""

    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """`remarks` are sentences of ours without a figure; `suggestions` questions to go on with."""

    figures: tuple[Figure, ...] = ()
    passages: tuple[Passage, ...] = ()
    failures: tuple[Failure, ...] = ()
    remarks: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.figures or self.passages or self.remarks)

    def __add__(self, other: Facts) -> Facts:
        """Both, each thing once."""
        return Facts(
            *(
                tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name))))
                for name in self.__slots__
            )
        )

    def sources(self) -> tuple[Source, ...]:
        """Each once, those of the question itself left out."""
        used = [*(f.source for f in self.figures), *(p.source for p in self.passages)]
        return tuple(dict.fromkeys(source for source in used if source.provider != ASKED))

    def data(self, now: float) -> list[dict[str, Any]]:
        """As programs read it: figures first."""
        return [_figure(item, now) for item in self.figures] + [
            _passage(item, now) for item in self.passages
        ]


def together(parts: Iterable[Facts]) -> Facts:
    whole = Facts()
    for part in parts:
        whole += part
    return whole


def _figure(item: Figure, now: float) -> dict[str, Any]:
    return {
        "kind": "figure",
        "subject": item.subject,
        "label": item.label,
        "value": item.value,
        "unit": item.unit,
        "at": _spelled(item.at),
        "computed": item.how == COMPUTED,
        **item.source.told(now),
    }


def _spelled(at: date | datetime | None) -> str | None:
    """RFC 3339, a day as a day."""
    if isinstance(at, datetime):
        return timestamp(at.timestamp())
    return at.isoformat() if at is not None else None


def _passage(item: Passage, now: float) -> dict[str, Any]:
    return {
        "kind": "passage",
        "title": item.title,
        "text": item.text,
        "url": item.url or None,
        "by": item.by or None,
        "at": _spelled(item.at),
        **item.source.told(now),
    }
