"""
Ask one provider one thing: key, guard, deadline, retry, and a line in the book.

The gateway and the health checks come through here alike.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db import Error as DatabaseIsOut
from django.utils.timezone import now

from providers import calls, limits, observed, plans, purposes, roster
from providers.adapters.base import UNREADABLE, Adapter
from providers.ages import newest_age_s
from providers.datasets import Query
from providers.errors import (
    BadKey,
    CircuitOpen,
    Failed,
    Garbled,
    Missing,
    NoKey,
    OutOfTokens,
    PlanLimit,
    ProviderError,
    Refused,
    Throttled,
    TimedOut,
)
from providers.http import Upstream
from providers.models import Call, Credential, Provider
from providers.redaction import redact
from providers.resilience import Backoff, Deadline, Passage
from providers.resilience.store import let_go
from providers.secrets import SecretUnreadable

logger = logging.getLogger(__name__)
failures_log = logging.getLogger("providers.failures")

T = TypeVar("T")


# Of a provider's own time: one that had less, because others had used up the visitor's patience,
# is not to blame for being late.
FAIR_SHARE = 0.5


class Fetched(NamedTuple):
    """What a provider answered, and how long that took it."""

    rows: Sequence[Any]
    seconds: float


def call(
    provider: Provider,
    query: Query,
    deadline: Deadline,
    *,
    purpose: str = "",
    only: Credential | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """
    The rows of `query` from `provider`, or one of `errors.ProviderError`.

    Keys are tried in their order: one that is spent or refused, or whose plan does not include
    this, is passed over alone. With `only`, that key is tried, whether it is in use or not. The
    purpose is that of `purposes.current()` unless it is named.
    """
    purpose = purpose or purposes.current()
    return with_keys(
        provider,
        lambda key: _insist(Asked(provider, key, query, deadline, purpose), sleep),
        only=only,
    )


def with_keys(
    provider: Provider, ask: Callable[[Credential | None], T], *, only: Credential | None = None
) -> T:
    """`ask` with each key in its order, until one is neither spent nor refused."""
    refusal: ProviderError = NoKey("no key that works")
    for credential in [only] if only else _credentials(provider):
        try:
            return ask(credential)
        except BadKey as error:
            if credential is None:
                raise
            _set_aside(credential, error)
            refusal = NoKey(f"key {credential.label!r} was refused")
            refusal.__cause__ = error  # the other side did answer
        except KeySpent as error:
            refusal = error.refusal
        except PlanLimit as error:
            if credential is None:
                raise
            refusal = error
        except SecretUnreadable:
            refusal = NoKey(f"key {credential and credential.label!r} cannot be decrypted")
    raise refusal


class KeySpent(Exception):
    """This key has nothing left for now; another may have."""

    def __init__(self, refusal: ProviderError) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def _credentials(provider: Provider) -> Sequence[Credential | None]:
    auth = provider.adapter_class.auth
    if auth is None:
        return [None]
    keys: list[Credential | None] = list(roster.current().keys_of(provider))
    return keys if auth.required else [*keys, None]


def _set_aside(credential: Credential, error: BadKey) -> None:
    reason = redact(str(error))[:200]
    failures_log.warning("%s: key %r set aside: %s", credential.provider, credential.label, reason)
    try:
        Credential.objects.filter(pk=credential.pk, set_aside_at=None).update(
            set_aside_reason=reason, set_aside_at=now()
        )
    except DatabaseIsOut as out:
        logger.error("the database is out of reach, the key is not set aside yet: %s", out)
    else:
        roster.forget()


@dataclass
class Asked:
    """One question to one provider with one key."""

    provider: Provider
    credential: Credential | None
    query: Query
    deadline: Deadline
    purpose: str
    had_s: float = 0.0  # when its question went out

    @property
    def hurried(self) -> bool:
        """Had it too little time to be blamed for being late?"""
        return self.had_s < FAIR_SHARE * self.provider.timeout_s

    @property
    def cost(self) -> float:
        return self.provider.adapter_class.cost(self.query)


def _insist(asked: Asked, sleep: Callable[[float], None]) -> Fetched:
    """Try again when the error is worth it and there is time."""
    tries = 1 if asked.query.dataset.paid else asked.provider.attempts
    pauses = Backoff(tries).pauses()
    while True:
        try:
            return _once(asked)
        except ProviderError as error:
            pause = next(pauses, None)
            if not error.retryable or pause is None or not asked.deadline.allows(pause):
                raise
            sleep(pause)


def _once(asked: Asked) -> Fetched:
    with admitted(asked) as upstream:
        return _fetch(asked, upstream)


@contextmanager
def admitted(asked: Asked) -> Iterator[Upstream]:
    """The way out, past every guard; how the block ends is reported to them."""
    cost = asked.cost
    upstream = _upstream(asked)  # before a token is spent: the key may be unreadable
    pacing = limits.pacing_of(asked.provider.slug, asked.purpose)
    with (
        _key_guard(asked, cost) as key_passage,
        asked.provider.guard.admit(cost, pacing) as passage,
        limits.everybody(),
    ):
        let_go()
        try:
            yield upstream
        except TimedOut as error:
            error.had_s = asked.had_s
            passage.excused = asked.hurried
            raise
        except Throttled as error:
            # A quota of the key is the key's to rest on, not the whole provider's.
            passage.excused = key_passage is not None
            if key_passage is not None:
                raise KeySpent(error) from error
            raise
        except BadKey as error:
            error.keyed = asked.credential is not None
            raise
        finally:
            passage.read(upstream.readings)
            if key_passage is not None and asked.credential is not None:
                key_passage.read(upstream.readings)
                plans.notice(asked.credential, upstream.readings)
            observed.note(asked.provider, asked.credential, upstream.observations)


@contextmanager
def _key_guard(asked: Asked, cost: float) -> Iterator[Passage | None]:
    """Counts the key's own quota, where the provider has windows of that scope."""
    credential = asked.credential
    if credential is None or not credential.windows:
        yield None
        return
    guard = credential.guard
    entered = False
    try:
        with guard.admit(cost, limits.pacing_of(guard.name, asked.purpose)) as passage:
            entered = True
            try:
                yield passage
            except KeySpent as spent:
                raise spent.refusal from None  # so that the key's circuit hears of the 429
            except Failed:
                passage.excused = True  # it is the provider that is down, not the key
                raise
    except (OutOfTokens, CircuitOpen, Throttled) as error:
        if entered and isinstance(error, Refused):
            raise  # the provider's own guard refused
        raise KeySpent(error) from error


def _upstream(asked: Asked) -> Upstream:
    adapter = asked.provider.adapter_class
    return Upstream(
        reachable(asked.provider.address),
        adapter=adapter,
        deadline=asked.deadline.within(asked.provider.timeout_s),
        key=asked.credential.key() if asked.credential else None,
        auth=adapter.auth,
    )


def reachable(address: str) -> str:
    """The address itself; in the sandbox, the place on this machine that plays it."""
    if not settings.SANDBOX_URL:
        return address
    return f"{settings.SANDBOX_URL}/{address.split('://', 1)[1]}"


def adapter_for(asked: Asked, upstream: Upstream) -> Adapter:
    translator = asked.provider.adapter_class
    names = roster.names_for(asked.provider)
    return translator(upstream, names, now=lambda: datetime.now(UTC))


def _fetch(asked: Asked, upstream: Upstream) -> Fetched:
    adapter = adapter_for(asked, upstream)
    with recorded(asked, adapter, upstream) as took:
        took.rows = no_surprises(adapter, asked.query)
    return Fetched(took.rows, took.seconds)


@dataclass
class Took:
    """What a call brought, and how long it took once it is over."""

    rows: Sequence[Any] = ()
    seconds: float = 0.0


@contextmanager
def recorded(asked: Asked, adapter: Adapter, upstream: Upstream) -> Iterator[Took]:
    """A line in the book, however the block ends; none where nobody was asked after all."""
    # Only here: to find the way so far may have taken time, when our own database is slow.
    asked.had_s = upstream.deadline.left()
    began = time.monotonic()
    took = Took()
    error: BaseException | None = None
    try:
        yield took
    except BaseException as failed:
        error = failed
        raise
    finally:
        took.seconds = time.monotonic() - began
        if not isinstance(error, Refused):
            _record(asked, adapter, upstream, took.seconds, took.rows, asked.cost, error)


# What a query asks about, where a provider may never have heard of it.
_NAMES = ("symbol", "symbols", "id", "q", "series", "chain", "model")


def no_surprises(adapter: Adapter, query: Query) -> Sequence[Any]:
    """
    An adapter that trips over a reply has found a reply that is not as promised. Neither is a 404
    to a question that names nothing: what is missing then is the upstream's own address.
    """
    with in_promised_words(query):
        return adapter.fetch(query)


@contextmanager
def in_promised_words(query: Query) -> Iterator[None]:
    """See `no_surprises`."""
    try:
        yield
    except Missing:
        if any(getattr(query, name, None) for name in _NAMES):
            raise
        raise Garbled("nothing where an answer to everybody was promised") from None
    except UNREADABLE as error:
        if isinstance(error, Garbled):
            raise
        raise Garbled(f"not as promised: {type(error).__name__}") from error


def _record(
    asked: Asked,
    adapter: Adapter,
    upstream: Upstream,
    seconds: float,
    rows: Sequence[Any],
    cost: float,
    error: BaseException | None,
) -> None:
    detail = redact(str(error))[:200] if error else ""
    outcome = _outcome(asked, error)
    calls.record(
        Call(
            provider=asked.provider,
            credential=asked.credential,
            dataset=asked.query.dataset.name,
            at=now(),
            outcome=outcome,
            detail=detail,
            seconds=seconds,
            bytes=upstream.bytes_read,
            rows=len(rows),
            age_s=newest_age_s(rows, now()),
            dropped=adapter.dropped,
            cost=cost,
            purpose=asked.purpose,
        )
    )
    if error is not None:
        failures_log.warning(
            "%s %s: %s after %.0f ms: %s",
            asked.provider.slug,
            asked.query.dataset.name,
            outcome,
            seconds * 1000,
            detail,
        )
    elif adapter.dropped:
        failures_log.warning(
            "%s %s: %d rows dropped", asked.provider.slug, asked.query.dataset.name, adapter.dropped
        )


def _outcome(asked: Asked, error: BaseException | None) -> str:
    """A code of `providers.errors`, "ok", or "cancelled" for what was no fault of the provider."""
    if error is None:
        return "ok"
    if not isinstance(error, ProviderError) or (isinstance(error, TimedOut) and asked.hurried):
        return "cancelled"
    return error.code
