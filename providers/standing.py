"""
What is known of a provider right now, in words. Pure.

A status is younger than it claims or it is `unknown`: what was never asked, or not for long, is not
called healthy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from providers.resilience import Phase, Reason


class Status(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    RATE_LIMITED = "rate_limited"
    MISCONFIGURED = "misconfigured"
    MAINTENANCE = "maintenance"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


def in_a_row(failures: int) -> str:
    return "a failure" if failures == 1 else f"{failures} failures in a row"


@dataclass(frozen=True, slots=True)
class Facts:
    """What rows and cells say. Shares are 0 to 1; None where nothing was measured."""

    enabled: bool
    needs_key: bool
    has_key: bool  # one that may be used: not switched off, not set aside
    phase: Phase
    reason: Reason
    failures: int
    tokens_left: float | None
    success_rate: float | None
    keys_set_aside: bool = False  # it has keys, and refused each
    calls: int = 0  # of the last day, also those that say nothing of its health


POOR = 0.9  # a success rate under this is worth an operator's look


def status(facts: Facts) -> tuple[Status, str]:
    """The status, and why in a few words."""
    if not facts.enabled:
        return Status.DISABLED, "switched off"
    if facts.needs_key and facts.keys_set_aside:
        return Status.MISCONFIGURED, "every key was refused"
    if facts.needs_key and not facts.has_key:
        return Status.DISABLED, "no key"
    if facts.phase is Phase.OPEN:
        return _resting(facts)
    if facts.tokens_left is not None and facts.tokens_left <= 0:
        return Status.RATE_LIMITED, "rate budget spent"
    if facts.success_rate is None:
        asked = "asked, without a verdict," if facts.calls else "not asked"
        return Status.UNKNOWN, f"{asked} in the last 24 hours"
    if facts.failures or facts.phase is not Phase.CLOSED:
        return Status.DEGRADED, "recovering"
    if facts.success_rate < POOR:
        return Status.DEGRADED, f"{100 * facts.success_rate:.0f} % of calls succeeded"
    return Status.HEALTHY, "answers"


def _resting(facts: Facts) -> tuple[Status, str]:
    match facts.reason:
        case Reason.THROTTLED:
            return Status.RATE_LIMITED, "rests after a 429"
        case Reason.BLACKLISTED:
            return Status.RATE_LIMITED, "blacklisted after several 429s in a row"
        case Reason.BLOCKED:
            return Status.DOWN, "blocks this host"
        case Reason.FORBIDDEN:
            return Status.MISCONFIGURED, "wants a key, or a better one"
    return Status.DOWN, f"rests after {in_a_row(facts.failures)}"
