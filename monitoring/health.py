"""
From what a check found to a verdict. Pure.

    UNKNOWN --good--> HEALTHY <---------- two good ones ----------+
       ^                 | fault, slow, partly failing            |
       |                 +--------------------------> DEGRADED ---+
    no result            |                               | N faults in a row
    for three            +--> RATE_LIMITED, MISCONFIGURED|
    intervals                                            +--> DOWN --two good ones--> HEALTHY

A 429 is not downtime, a refused key is ours to mend, and what was our own failure is no finding
at all. Nothing is for ever: two good checks lead to HEALTHY from anywhere, and silence to UNKNOWN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from providers.health import LASTING
from providers.standing import Status


class Finding(StrEnum):
    """What one check says of the endpoint: the one taxonomy for all kinds."""

    GOOD = "good"
    PARTIAL = "partial"  # it answers, and part of what visitors asked lately failed
    FAULT = "fault"
    RESTING = "resting"  # not asked: it rests after failures that others saw
    BLOCKED = "blocked"  # it does not want this host
    LOADING = "loading"  # it answers, and is not ready yet
    LIMITED = "limited"  # it asked us to slow down
    SPENT = "spent"  # not asked: our own budget for it is spent
    OURS = "ours"  # a key, a permission or a bill
    OFF = "off"  # switched off, or waiting for a key
    MAINTENANCE = "maintenance"
    NOTHING = "nothing"  # our own failure, or one that cannot be told from it


# Uptime is ok / (ok + fault); everything else is left out of it.
OK = frozenset([Finding.GOOD, Finding.PARTIAL])
FAULTS = frozenset([Finding.FAULT, Finding.BLOCKED])

# By the codes of `providers.errors`.
_FINDINGS = {
    "ok": Finding.GOOD,
    "missing": Finding.GOOD,  # it knew what it does not know
    "unserved": Finding.GOOD,
    "plan_limit": Finding.GOOD,
    "declined": Finding.GOOD,
    "model_gone": Finding.GOOD,  # of a question; a check says more: see `probing`
    "loading": Finding.LOADING,
    "busy": Finding.LOADING,
    "throttled": Finding.LIMITED,
    "quota_spent": Finding.LIMITED,
    "blacklisted": Finding.LIMITED,
    "out_of_tokens": Finding.SPENT,
    "bad_key": Finding.OURS,
    "no_key": Finding.OURS,
    "no_credit": Finding.OURS,
    "not_allowed": Finding.OURS,
    "rejected": Finding.NOTHING,  # our own question is at fault
    "blocked": Finding.BLOCKED,
    "unreachable": Finding.FAULT,
    "dropped": Finding.FAULT,
    "timed_out": Finding.FAULT,
    "broken": Finding.FAULT,
    "model_failed": Finding.FAULT,
    "gone": Finding.FAULT,
    "garbled": Finding.FAULT,
    "failed": Finding.FAULT,
}


def finding(code: str) -> Finding:
    """What a code of `providers.errors` says of the provider; NOTHING for one that says nothing."""
    return _FINDINGS.get(code, Finding.NOTHING)


def codes(of: frozenset[Finding]) -> tuple[str, ...]:
    """The codes of `providers.errors` that mean one of these findings."""
    return tuple(sorted(code for code, found in _FINDINGS.items() if found in of))


@dataclass(frozen=True, slots=True)
class Rules:
    down_after: int = 3  # faults in a row
    up_after: int = 2  # good checks in a row
    threshold_ms: float = 1000.0  # of the 95th percentile of 15 minutes
    least_samples: int = 5  # under which a percentile says nothing
    fresh_for: timedelta = timedelta(minutes=15)  # three intervals


@dataclass(frozen=True, slots=True)
class Seen:
    """One check. `in_a_row`: failures in a row that the circuit has counted, visitors' too."""

    at: datetime
    finding: Finding
    reason: str = ""
    in_a_row: int = 0
    p95_ms: float | None = None
    samples: int = 0

    def is_slow(self, rules: Rules) -> bool:
        if self.p95_ms is None or self.samples < rules.least_samples:
            return False
        return self.p95_ms > rules.threshold_ms


@dataclass(frozen=True, slots=True)
class State:
    since: datetime
    status: Status = Status.UNKNOWN
    reason: str = "not checked yet"
    failures: int = 0  # in a row
    goods: int = 0  # in a row; for what is not down, brisk ones
    heard_at: datetime | None = None
    fresh_until: datetime | None = None


def aged(state: State, now: datetime) -> State:
    """The state after a silence: unknown once its newest result is too old."""
    if state.status in LASTING or state.fresh_until is None or now < state.fresh_until:
        return state
    return replace(
        state,
        status=Status.UNKNOWN,
        reason="no result for three intervals",
        since=state.fresh_until,
        goods=0,
    )


def verdict(state: State, seen: Seen, rules: Rules) -> State:
    """The state after one more check."""
    if seen.finding is Finding.NOTHING or _says_nothing_new(state, seen):
        return state
    goods, failures = _in_a_row(state, seen, rules)
    status, reason = _judged(state, seen, rules, goods, failures)
    return State(
        since=state.since if status is state.status else seen.at,
        status=status,
        reason=reason,
        failures=failures,
        # What comes back from being down slowly begins its brisk checks at nought.
        goods=0 if status is Status.DEGRADED and seen.is_slow(rules) else goods,
        heard_at=seen.at,
        fresh_until=seen.at + rules.fresh_for,
    )


def _says_nothing_new(state: State, seen: Seen) -> bool:
    """That we have no budget left to ask does not make well what was ill."""
    return seen.finding is Finding.SPENT and state.status in (Status.DOWN, Status.MISCONFIGURED)


def _in_a_row(state: State, seen: Seen, rules: Rules) -> tuple[int, int]:
    """Good checks and failures in a row, this one counted."""
    match seen.finding:
        case Finding.GOOD:
            is_slow = seen.is_slow(rules) and state.status is not Status.DOWN
            return (0 if is_slow else min(state.goods + 1, rules.up_after)), 0
        case Finding.FAULT:
            return 0, max(state.failures + 1, seen.in_a_row)
        case Finding.RESTING:
            return 0, max(state.failures, seen.in_a_row)
        case Finding.SPENT:
            return state.goods, state.failures
    return 0, 0


def _judged(
    state: State, seen: Seen, rules: Rules, goods: int, failures: int
) -> tuple[Status, str]:
    match seen.finding:
        case Finding.OFF:
            return Status.DISABLED, seen.reason
        case Finding.MAINTENANCE:
            return Status.MAINTENANCE, seen.reason
        case Finding.OURS:
            return Status.MISCONFIGURED, seen.reason
        case Finding.BLOCKED:
            return Status.DOWN, seen.reason
        case Finding.LIMITED | Finding.SPENT:
            return Status.RATE_LIMITED, seen.reason
        case Finding.PARTIAL | Finding.LOADING:
            return Status.DEGRADED, seen.reason
        case Finding.FAULT | Finding.RESTING:
            is_down = failures >= rules.down_after or state.status is Status.DOWN
            return (Status.DOWN if is_down else Status.DEGRADED), seen.reason
    return _after_a_good_one(state, seen, rules, goods)


def _after_a_good_one(state: State, seen: Seen, rules: Rules, goods: int) -> tuple[Status, str]:
    # "answers", or what one should know of the answer: that it was a 404, say.
    recovering = f"recovering: {goods} of {rules.up_after} good checks"
    if state.status is Status.DOWN and goods < rules.up_after:
        return Status.DOWN, recovering
    if seen.is_slow(rules):
        said = f"95 % of answers within {seen.p95_ms:,.0f} ms, not {rules.threshold_ms:,.0f} ms"
        return Status.DEGRADED, said
    if goods >= rules.up_after or state.status in LASTING or state.status is Status.HEALTHY:
        return Status.HEALTHY, seen.reason or "answers"
    return Status.DEGRADED, recovering
