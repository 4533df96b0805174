"""
What a call is made for, known without being told from hand to hand: who reads ahead steps back
from a quota that would end early before who waits for an answer does (see `providers.quota`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_purpose: ContextVar[str] = ContextVar("purpose", default="visitor")


def current() -> str:
    """`visitor` unless somebody said otherwise."""
    return _purpose.get()


@contextmanager
def serving(purpose: str) -> Iterator[None]:
    """What is called inside, in this thread, is for this purpose."""
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)
