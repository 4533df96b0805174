"""Answers that providers really gave; where their folder is absent, nothing is compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from providers.adapters.base import Adapter
from providers.datasets import (
    Candle,
    Query,
)
from tests.providers.adapters.conftest import adapt

FOLDER = Path(__file__).parents[4] / "shared" / "recorded"


class Recording(NamedTuple):
    file: str
    url: str
    status: int

    @property
    def body(self) -> bytes:
        return (FOLDER / self.file).read_bytes()

    @property
    def plain(self) -> Any:
        """Decoded by another way than ours: every number is the text of its digits."""
        return json.loads(self.body, parse_float=str, parse_int=str)

    @property
    def headers(self) -> dict[str, str]:
        entries = json.loads((FOLDER / "manifest.json").read_text())
        found: dict[str, str] = next(e["headers"] for e in entries if e["file"] == self.file)
        return found

    @property
    def params(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.url).query).items()}


def recordings(pattern: str) -> list[Any]:
    """Those whose address matches, as parameters of a test."""
    if not FOLDER.is_dir():
        return []
    entries = json.loads((FOLDER / "manifest.json").read_text())
    found = (Recording(e["file"], e["url"], e["status"]) for e in entries)
    return [pytest.param(r, id=r.file) for r in found if re.search(pattern, r.url)]


def read(
    adapter: type[Adapter],
    recording: Recording,
    query: Query,
    names: dict[str, dict[str, str]] | None = None,
    now: datetime | None = None,
) -> tuple[Adapter, Sequence[Any]]:
    translator, _ = adapt(
        adapter, recording.body, names=names or {}, now=now or datetime(2026, 7, 23, 12, tzinfo=UTC)
    )
    return translator, translator.fetch(query)


def exact(number: Any) -> tuple[Any, ...] | None:
    """Every digit of a number, trailing zeros included."""
    return None if number is None else Decimal(number).as_tuple()


def at(milliseconds: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(milliseconds))


def numbers(candle: Candle) -> list[Any]:
    return [exact(value) for value in candle[1:6]]


def idle(module: Mapping[str, Any]) -> Iterator[str]:
    """The comparisons of a module that have no recording to compare."""
    for name, test in module.items():
        if name.startswith("test_") and hasattr(test, "pytestmark"):
            (mark,) = test.pytestmark
            if not mark.args[1]:
                yield name
