"""
Which asset a request means: by id, contract address, symbol or name, in any case.

When a word could have meant several, the answer says which was taken (`meta.resolved`), and
`kind=` narrows the choice. What is no coin is asked for in the currency it is quoted in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rest_framework import serializers

from providers import roster
from providers.errors import NotFound
from providers.meaning import Meant
from providers.models import Kind

LONGEST = 128  # characters: some chains have addresses as long
MOST_OTHERS = 5
KINDS = tuple(Kind.values)  # once: an enumeration lists them anew each time


@dataclass
class Words:
    """The words of one request: what each was taken for, and what is said about that."""

    kind: str = ""
    meant: dict[str, Meant] = field(default_factory=dict)  # by the key that queries use
    resolved: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)

    def take(self, word: str) -> str | None:
        """The key of the asset that `word` means; None when it means nothing."""
        found = roster.meant(word, self.kind)
        if found is None:
            return None
        if found.others and found.key not in self.meant:
            self.resolved.append(_told(word, found))
        self.meant[found.key] = found
        return found.key

    def lack(self, word: str, reason: str) -> None:
        self.missing.append({"symbol": word[:64], "reason": reason})


def _told(word: str, found: Meant) -> dict[str, Any]:
    return {
        "asked": word[:64],
        "symbol": found.key,
        "id": found.asset.slug,
        "name": found.asset.name,
        "kind": found.asset.kind,
        "others": [other.slug for other in found.others[:MOST_OTHERS]],
    }


def words_of(asked: serializers.Serializer[Any]) -> Words:
    """Those of the request that a serializer reads; made when they are first asked for."""
    known: Words | None = getattr(asked, "words", None)
    if known is None:
        kind = str(getattr(asked, "initial_data", {}).get("kind", "")).lower()
        known = Words(kind if kind in KINDS else "")
        asked.words = known  # type: ignore[attr-defined]
    return known


def unknown(word: str, kind: str = "") -> NotFound:
    article = "an" if kind[:1] in ("a", "e", "i") else "a"
    what = f"asset that is {article} {kind}" if kind else "asset"
    return NotFound(f"No {what} is known as {word[:64]!r}. See /api/search?q=")


class SymbolField(serializers.CharField):
    """One asset. 404 when nobody knows it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text", "By symbol, id, name or contract address: BTC, bitcoin, AAPL."
        )
        super().__init__(max_length=LONGEST, trim_whitespace=True, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        word, words = super().to_internal_value(data), words_of(self.root)  # type: ignore[arg-type]
        key = words.take(word)
        if key is None:
            raise unknown(word, words.kind)
        return key


class SymbolsField(serializers.CharField):
    """Up to 100 coins, separated by commas, each once."""

    MOST = 100

    def to_internal_value(self, data: Any) -> Any:
        words = [word.strip() for word in super().to_internal_value(data).split(",")]
        words = [word for word in words if word]
        if not words:
            raise serializers.ValidationError("Name at least one symbol.")
        if len(words) > self.MOST:
            raise serializers.ValidationError(f"At most {self.MOST} symbols, not {len(words)}.")
        return tuple(dict.fromkeys(words))


class KindField(serializers.ChoiceField):
    """Narrows what a symbol may mean; it is no part of the question."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text", "What sort of asset is meant, where a symbol fits several; coins first."
        )
        super().__init__(choices=KINDS, required=False, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(str(data).lower())


class OwnCurrency:
    """
    For one `symbol` that may be no coin: unless the request names a currency, it is the asset's
    own; a share is not converted, so that another is a 404 which says in what it is quoted.
    """

    default_currency: ClassVar[str] = "usd"

    def in_its_currency(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("kind", None)
        named = "currency" in self.initial_data  # type: ignore[attr-defined]
        found = words_of(self).meant[attrs["symbol"]]  # type: ignore[arg-type]
        if found.asset.kind != Kind.CRYPTO:
            attrs["currency"] = currency_of(found, attrs["currency"] if named else "")
        return attrs


def currency_of(found: Meant, named: str) -> str:
    """The currency to ask in for what is no coin, lower-case; "" for points of its own."""
    own = found.asset.currency.lower()
    if own and named and named != own:
        raise quoted_elsewhere(found)
    return named or own


def quoted_elsewhere(found: Meant) -> NotFound:
    own = found.asset.currency
    return NotFound(f"{found.key} is quoted in {own}: ask for it with currency={own.lower()}.")


def priced_together(words: Words, known: Mapping[str, str], named: str) -> tuple[str, list[str]]:
    """
    The one currency to ask prices in, and which of `known` (word -> key) have one in it.

    Without a named currency it is that of all, where they have the same; else dollars. What is
    quoted in another is told to be missing; indices are priced in points whatever is asked.
    """
    owns = {words.meant[key].asset.currency.lower() for key in known.values()}
    coins = any(words.meant[key].asset.kind == Kind.CRYPTO for key in known.values())
    owns.discard("")
    currency = named or (
        owns.pop() if len(owns) == 1 and not coins else OwnCurrency.default_currency
    )
    keys, elsewhere = [], []
    for word, key in known.items():
        own = words.meant[key].asset.currency
        if own and own.lower() != currency:
            words.lack(word, f"quoted in {own}")
            elsewhere.append(key)
        else:
            keys.append(key)
    if elsewhere and not keys:
        raise quoted_elsewhere(words.meant[elsewhere[0]])
    return currency, list(dict.fromkeys(keys))
