"""What a question names, by the coins of the catalogue: for tests and benches of what is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache

from chat import entities
from chat.entities import Entities
from chat.names import names
from chat.naming import Known
from chat.spelling import Spellings
from providers import catalogue

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


@cache
def known() -> dict[str, Known]:
    """The coins of the catalogue, by each of their words; the first of two wins."""
    rows = json.loads((catalogue.HERE / "assets.json").read_text())
    found: dict[str, Known] = {}
    for word in ("id", "symbol", "name"):
        for row in rows:
            found.setdefault(row[word].lower(), Known(row["symbol"], row["id"], row["name"]))
    return found


@cache
def spellings() -> Spellings:
    return Spellings(word for word in (*known(), *names().assets) if word.isalpha())


def find(text: str) -> Entities:
    return entities.find(text, NOW, lambda word: known().get(word.lower()), spellings())
