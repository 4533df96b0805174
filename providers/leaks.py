"""What may hold a key although it is no place for one: a note, an address, a list of limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from providers import redaction
from providers.models import Credential
from providers.secrets import SecretUnreadable

ADDRESSES = ("base_url", "url", "addresses", "probe_url")
KEY_IN_PATH = re.compile(r"/(?=\w*[0-9])(?=\w*[A-Za-z])\w{24,}")


def may_hold_a_key(name: str, value: Any, keys: Sequence[str]) -> bool:
    """Whether the value of a field holds one of `keys`, or what looks like a key."""
    return any(_may_be_secret(name, text, keys) for text in _texts(value))


def known_keys() -> list[str]:
    """Every key that is stored and can be read."""
    found = []
    for credential in Credential.objects.all():
        try:
            found.append(credential.key())
        except SecretUnreadable:
            continue  # nobody can have written it into a field from here
    return [key for key in found if len(key) >= redaction.SHORTEST]


def _may_be_secret(name: str, text: str, keys: Sequence[str]) -> bool:
    if any(key in text for key in keys) or redaction.redact(text) != text:
        return True
    return name in ADDRESSES and KEY_IN_PATH.search(text) is not None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
