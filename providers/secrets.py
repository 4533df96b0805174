"""
Providers' keys at rest: encrypted with the first of `ENCRYPTION_KEYS`, readable with any of them.

Fails closed: what cannot be decrypted raises, and is never passed on as if it were plain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac


class SecretUnreadable(Exception):
    """None of ENCRYPTION_KEYS decrypts this: it is damaged, or its key was removed too early."""


def encrypt(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text that was encrypted; SecretUnreadable when no key fits."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(_UNREADABLE) from None


def fingerprint(key: str) -> str:
    """Tells one key from another without telling either, to whoever lacks SECRET_KEY."""
    return salted_hmac("providers.secrets", key, algorithm="sha256").hexdigest()[:32]


def rotate(token: str) -> str:
    """The same secret under the newest key; SecretUnreadable when no key fits."""
    try:
        return _fernet().rotate(token.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(_UNREADABLE) from None


_UNREADABLE = "none of ENCRYPTION_KEYS decrypts this secret; enter it anew or bring its key back"


def _fernet() -> MultiFernet:
    return _with(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _with(keys: tuple[str, ...]) -> MultiFernet:
    if problems := _problems(keys):
        raise ImproperlyConfigured(problems[0])
    return MultiFernet([Fernet(key) for key in keys])


def _problems(keys: Sequence[str]) -> list[str]:
    """What is wrong with `keys`, by position: a sentence that showed one would betray it."""
    if not keys:
        return ["ENCRYPTION_KEYS is empty"]
    return [
        f"ENCRYPTION_KEYS: number {position} is no Fernet key (32 bytes in URL-safe base64)"
        for position, key in enumerate(keys, 1)
        if not _KEY.fullmatch(key)
    ]


# 32 bytes. Stricter than Fernet, which ignores what follows the padding, such as a second key.
_KEY = re.compile(r"[A-Za-z0-9_+/-]{43}=")


def encryption_keys_are_valid(**_: Any) -> list[CheckMessage]:
    """System check providers.E002."""
    return [
        Error(problem, hint="`make run` writes a good one into .env.", id="providers.E002")
        for problem in _problems(settings.ENCRYPTION_KEYS)
    ]
