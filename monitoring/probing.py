"""
What one check finds: by what visitors were answered lately, or else by the cheapest question there
is. It writes nothing, and judges nothing: see `health` for that.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from statistics import median
from typing import NamedTuple

from django.db import Error as DatabaseIsOut

from monitoring import network, trials
from monitoring.health import FAULTS, Finding, Seen, codes, finding
from monitoring.models import Source
from providers import roster
from providers.adapters.llm import PROBE
from providers.client import FAIR_SHARE, call
from providers.datasets import PingQuery
from providers.datasets.completions import COMPLETION
from providers.errors import (
    Blacklisted,
    CircuitOpen,
    ModelGone,
    NoKey,
    OutOfTokens,
    ProviderError,
    Refused,
    TimedOut,
)
from providers.models import Call, Credential, Provider
from providers.redaction import redact
from providers.resilience import Circuit, Deadline, Guard, Phase, Reason
from providers.standing import in_a_row
from providers.wording import outcome as in_words

logger = logging.getLogger("monitoring.checks")

PURPOSE = "check"
WINDOW = timedelta(minutes=15)  # of which the 95th percentile is taken
REMEMBERED = timedelta(hours=1)  # in which the last failure is looked for: no rest is longer
MOST_CALLS = 500  # of the window that are looked at, the newest
MOMENT_S = 60.0  # a rate limit that lets us ask again within it is not worth a word
LATE = "our own machine or database was too slow to give it a fair time"
PARTLY = 0.1  # a provider whose visitors lately saw so many failures is degraded

# Outcomes of a call that never reached the other side: they may be our own network's fault.
NETWORK = frozenset(["unreachable", "timed_out", "dropped"])


@dataclass(frozen=True)
class Found:
    """What a check found. `reached` tells whether the other side said anything at all."""

    at: datetime
    finding: Finding
    outcome: str = ""
    reason: str = ""
    response_time_ms: float | None = None
    source: Source = Source.PROBE
    in_a_row: int = 0
    wait_s: float | None = None  # where it was not asked because it rests
    reached: bool | None = None
    key_accepted: bool | None = None
    p95_ms: float | None = None
    samples: int = 0

    def seen(self) -> Seen:
        return Seen(self.at, self.finding, self.reason, self.in_a_row, self.p95_ms, self.samples)

    @property
    def is_silence(self) -> bool:
        """Was nothing heard of it, for a reason that may be our own network?"""
        return self.outcome in NETWORK or self.finding is Finding.RESTING


class Recent(NamedTuple):
    at: datetime
    outcome: str
    seconds: float
    purpose: str
    dataset: str

    @property
    def is_timed(self) -> bool:
        """Does how long it took say how fast the other side is? A text takes what it takes."""
        return self.dataset != COMPLETION.name


@dataclass(frozen=True)
class Task:
    """One provider to look at; `since` is when it was looked at last."""

    provider: Provider
    timeout_s: float
    since: datetime
    generations: int = 0  # small answers a day that may be asked for with each key


def look(task: Task, now: datetime) -> Found:
    """How a provider is, as cheaply as can be told."""
    idle = excused(task.provider, now)
    if idle is not None:
        return idle
    recent = _without_our_network(_recent(task.provider, now))
    visitors = [row for row in recent if row.purpose != PURPOSE and row.at > task.since]
    ok_ms = [row.seconds * 1000 for row in recent if row.outcome == "ok" and row.is_timed]
    p95, samples = percentile(ok_ms, 0.95), len(ok_ms)
    found = by_visitors(visitors, now) or _asked(task, now)
    if found.finding is Finding.GOOD and found.source is Source.PROBE:
        found = _partly(found, visitors)
    if found.finding is Finding.GOOD and found.key_accepted is None and _proves_key(task, found):
        found = replace(found, key_accepted=bool(roster.current().keys_of(task.provider)) or None)
    return replace(found, p95_ms=p95, samples=samples)


def _proves_key(task: Task, found: Found) -> bool:
    """Whoever was answered may have been answered without a key: a list that everybody may read."""
    return found.source is Source.VISITORS or task.provider.adapter_class.ping_proves_key


def _asked(task: Task, now: datetime) -> Found:
    """The cheapest question; and of a language model now and then a small answer, if it is well."""
    deadline = Deadline(task.timeout_s)
    found = probe(task.provider, task.timeout_s, now)
    if found.finding is not Finding.GOOD:
        return found
    key = trials.due(task.provider, task.generations, now, PURPOSE)
    return found if key is None else _tried(task.provider, key, deadline, found)


def _tried(provider: Provider, key: Credential, deadline: Deadline, listed: Found) -> Found:
    """`listed`, with what a few words asked for with one key add to it."""
    try:
        call(provider, PROBE, deadline, purpose=PURPOSE, only=key)
    except Refused as error:
        return listed if not isinstance(error, NoKey) else _failed(provider, error, listed.at)
    except ProviderError as error:
        found = _failed(provider, error, listed.at)
        if found.finding in (Finding.OURS, Finding.LIMITED):
            return replace(found, reached=True, response_time_ms=listed.response_time_ms)
        said = f"it lists its models, and {in_words(error.code)}"
        return replace(listed, finding=Finding.PARTIAL, outcome=error.code, reason=said)
    return replace(listed, key_accepted=True)


def excused(provider: Provider, now: datetime) -> Found | None:
    """Why it is not to be asked at all; None when it is."""
    catalogue = roster.current()
    if not provider.enabled:
        return Found(now, Finding.OFF, "disabled", _why_off(provider))
    if provider.adapter_class.is_retired:
        return Found(now, Finding.OFF, "disabled", "retired")
    if not provider.needs_key or catalogue.keys_of(provider):
        return None
    if provider.pk in catalogue.keyed:
        refused = "every key was refused"
        return Found(now, Finding.OURS, "no_key", refused, key_accepted=False)
    return Found(now, Finding.OFF, "disabled", "no key")


# How the notes of a row begin that the catalogue switches off, and how long their reason may be.
_OFF = ("Off by default: ", "Retired: ")
MOST_REASON = 150


def _why_off(provider: Provider) -> str:
    for word in _OFF:
        if provider.notes.startswith(word):
            why = provider.notes.removeprefix(word).partition(". ")[0]
            state = "retired" if word == _OFF[1] else "switched off"
            return f"{state}: {why[:MOST_REASON].rstrip('.')}"
    return "switched off"


def _recent(provider: Provider, now: datetime) -> list[Recent]:
    rows = (
        Call.objects.filter(provider=provider, at__gt=now - WINDOW, at__lte=now)
        .order_by("-at")
        .values_list("at", "outcome", "seconds", "purpose", "dataset")[:MOST_CALLS]
    )
    try:
        return [Recent(*row) for row in rows]
    except DatabaseIsOut as error:  # what visitors saw is not known, so we ask ourselves
        logger.error("the database is out of reach: %s", error)
        return []


def _without_our_network(calls: list[Recent]) -> list[Recent]:
    """Who was silent while nobody answered is blamed for nothing."""
    if not any(row.outcome in NETWORK for row in calls):
        return calls
    known = network.outages()
    return [
        row
        for row in calls
        if row.outcome not in NETWORK or not any(one.covers(row.at) for one in known)
    ]


def by_visitors(calls: Sequence[Recent], now: datetime) -> Found | None:
    """
    A good check at no cost: the last that visitors got were answers, and few were not. Anything
    else is worth a question of our own.
    """
    said = [row for row in calls if finding(row.outcome) is not Finding.NOTHING]
    ok = [row for row in said if row.outcome == "ok"]
    if not ok or finding(max(said, key=lambda row: row.at).outcome) is not Finding.GOOD:
        return None
    if _faulty(said) >= PARTLY:
        return None
    timed = [row.seconds * 1000 for row in ok if row.is_timed]
    return Found(
        now,
        Finding.GOOD,
        "ok",
        response_time_ms=median(timed) if timed else None,
        source=Source.VISITORS,
        reached=True,
    )


def _faulty(calls: Sequence[Recent]) -> float:
    """The share of faults among what says something; 0 when nothing does."""
    counted = [finding(row.outcome) for row in calls]
    faults = sum(found in FAULTS for found in counted)
    goods = sum(found is Finding.GOOD for found in counted)
    return faults / (faults + goods) if faults + goods else 0.0


def _partly(found: Found, visitors: Sequence[Recent]) -> Found:
    share = _faulty(visitors)
    answered = any(row.outcome == "ok" for row in visitors)
    if share < PARTLY or not answered:
        return found
    said = f"{share:.0%} of what visitors asked lately failed"
    return replace(found, finding=Finding.PARTIAL, reason=said)


def probe(provider: Provider, timeout_s: float, now: datetime) -> Found:
    """Ask the cheapest question; after a rest it is the one that ends it."""
    try:
        fetched = call(provider, PingQuery(), Deadline(timeout_s), purpose=PURPOSE)
    except CircuitOpen as error:
        return _resting(provider, error, now)
    except OutOfTokens as error:
        return _spent(provider, error, now)
    except TimedOut as error:
        if _was_hurried(provider, error, timeout_s):
            return Found(now, Finding.NOTHING, "cancelled", LATE)
        return _failed(provider, error, now)
    except ProviderError as error:
        return _failed(provider, error, now)
    return Found(
        now, Finding.GOOD, "ok", response_time_ms=round(fetched.seconds * 1000, 3), reached=True
    )


def _was_hurried(provider: Provider, error: TimedOut, timeout_s: float) -> bool:
    """Did we use up its time ourselves, waiting for a database say? Then it is not to blame."""
    fair_s = FAIR_SHARE * min(timeout_s, provider.timeout_s)
    return error.had_s is not None and error.had_s < fair_s


_RESTS = {
    Reason.THROTTLED: (Finding.LIMITED, "rests after a 429"),
    Reason.BLACKLISTED: (Finding.LIMITED, "blacklisted after several 429s in a row"),
    Reason.BLOCKED: (Finding.BLOCKED, "blocks this host"),
    Reason.FORBIDDEN: (Finding.OURS, "wants a key, or a better one"),
    Reason.UNPAID: (Finding.OURS, "wants to be paid first"),
}


def _resting(provider: Provider, error: CircuitOpen, now: datetime) -> Found:
    """It rests, and was not asked: what it rests after is what is known of it."""
    circuit = _open_circuit(provider)
    if circuit.reason in _RESTS:
        found, said = _RESTS[circuit.reason]
    else:
        found, said = Finding.RESTING, f"rests after {in_a_row(circuit.failures)}"
        said += _last_failure(provider, now)
    code = Blacklisted.code if circuit.reason is Reason.BLACKLISTED else CircuitOpen.code
    return Found(now, found, code, said, in_a_row=circuit.failures, wait_s=error.wait or 0.0)


def _last_failure(provider: Provider, now: datetime) -> str:
    """Why it rests, of those who asked last; "" where no row tells."""
    failed = Call.objects.filter(provider=provider, at__gt=now - REMEMBERED, at__lte=now)
    failed = failed.filter(outcome__in=codes(FAULTS))
    try:
        row = failed.order_by("-at").values_list("outcome", "detail").first()
    except DatabaseIsOut as error:
        logger.error("the database is out of reach: %s", error)
        return ""
    if row is None:
        return ""
    outcome, detail = row
    said = in_words(outcome)
    if detail not in ("", outcome):
        said = redact(f"{said}: {detail}")
    return f"; the last: {said}"[:150]


def _open_circuit(provider: Provider) -> Circuit:
    """That of the provider; where only its keys rest, that of the first."""
    guards = [provider.guard, *(key.guard for key in roster.current().keys_of(provider))]
    known = [(guard, guard.standing()) for guard in guards]
    resting = (standing.circuit for guard, standing in known if guard.phase(standing) is Phase.OPEN)
    return next(resting, known[0][1].circuit)


def _spent(provider: Provider, error: OutOfTokens, now: datetime) -> Found:
    """
    A limit of one call in ten seconds is none: the check comes a little later. Neither is one that
    holds checks back so that visitors may ask.
    """
    if (error.wait is not None and error.wait <= MOMENT_S) or not _is_spent(provider):
        wait_s = error.wait or MOMENT_S
        return Found(now, Finding.NOTHING, error.code, in_words(error.code), wait_s=wait_s)
    return Found(now, Finding.SPENT, error.code, in_words(error.code))


def _is_spent(provider: Provider) -> bool:
    """Would visitors have to wait as well, whatever key is used?"""
    guards = [key.guard for key in roster.current().keys_of(provider)]
    return _waits(provider.guard) or (bool(guards) and all(map(_waits, guards)))


def _waits(guard: Guard) -> bool:
    tokens, now = guard.standing().tokens, guard.clock()
    narrowed = [window.learned(tokens.get(window.name)) for window in guard.windows]
    return any(w.wait(w.refill(tokens.get(w.name), now), now, 1) > MOMENT_S for w in narrowed)


def _failed(provider: Provider, error: ProviderError, now: datetime) -> Found:
    found = Finding.PARTIAL if isinstance(error, ModelGone) else finding(error.code)
    in_a_row = provider.guard.standing().circuit.failures if found is Finding.FAULT else 0
    # A key that was refused was refused by somebody.
    was_asked = error.healthy is not None or error.code in _SAID or error.__cause__ is not None
    return Found(
        now,
        found,
        error.code,
        in_short(error),
        in_a_row=in_a_row,
        reached=(error.code not in NETWORK) if was_asked else None,
        key_accepted=False if found is Finding.OURS else None,
    )


def in_short(error: ProviderError) -> str:
    """What went wrong, in words that fit a row and hold no key."""
    said = in_words(error.code)
    return redact(said if str(error) == error.code else f"{said}: {error}")[:200]


# Errors without a verdict for the circuit that are something the other side said.
_SAID = frozenset(
    ["throttled", "quota_spent", "no_credit", "blocked", "bad_key", "loading", "busy", "dropped"]
)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest rank; None of nothing."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * share) - 1)] if ordered else None
