"""The assets that questions may name, as the catalogue has them now."""

from __future__ import annotations

from collections.abc import Mapping

from chat.names import names
from chat.naming import Known
from chat.spelling import Spellings
from providers import roster
from providers.models import Kind

_made: tuple[Mapping[str, str], Spellings] | None = None


def lookup(word: str) -> Known | None:
    """The coin that a word means to the API, too."""
    found = roster.meant(word, Kind.CRYPTO)
    return Known(found.key, found.asset.slug, found.asset.name) if found else None


def spellings() -> Spellings:
    """Names to be found by words that are nearly them; made anew when the catalogue was read."""
    global _made
    coins = roster.symbols()
    if _made is None or _made[0] != coins:
        said = [*(name.casefold() for name in coins.values()), *names().assets]
        _made = (coins, Spellings(name for name in said if name.isalpha()))
    return _made[1]
