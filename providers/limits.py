"""What a call must pass beside the windows of its key and its provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings

from providers import usage
from providers.errors import OutOfTokens
from providers.quota import pacing
from providers.resilience import Breaker, Guard, Window

MINUTE_S = 60.0


def pacing_of(name: str, purpose: str) -> Sequence[Window]:
    """What holds a call of this purpose back, so that the quotas of a guard last."""
    return pacing(usage.quotas().get(name, ()), purpose)


@contextmanager
def everybody() -> Iterator[None]:
    """
    Counts a call against the limit over all providers and processes, where one is set: refused
    with OutOfTokens, which is no fault of the provider's.
    """
    if not settings.GLOBAL_CALLS_PER_MINUTE:
        yield
        return
    try:
        with _everybody().admit() as passage:
            passage.excused = True  # how a call ends says nothing of all providers
            yield
    except OutOfTokens as error:
        said = "the limit over all providers is reached"
        raise OutOfTokens(said, wait=error.wait) from None


def _everybody() -> Guard:
    window = Window(settings.GLOBAL_CALLS_PER_MINUTE, MINUTE_S)
    return Guard("everybody", Breaker(), [window])
