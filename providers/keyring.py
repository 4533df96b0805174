"""Every key as it is right now: in use or not and why, what is left of it, and when it ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from providers import envkeys
from providers.models import Credential
from providers.quota import Quota
from providers.resilience import Phase, Reason, Standing, standings
from providers.usage import Quotas, Subject, quotas_of
from providers.wording import span


@dataclass(frozen=True)
class KeyNow:
    """One key as pages and the API show it."""

    credential: Credential
    phase: Phase
    reason: Reason
    resting_s: float  # until it is used again; 0: now
    tokens_left: float | None  # the share of what may go out at once; None: nothing is counted
    quotas: Sequence[Quota]

    @property
    def tightest(self) -> Quota | None:
        """The quota that ends first, or of those that last the one most used."""
        return tightest(self.quotas)

    @property
    def is_spent(self) -> bool:
        return self.resting_s > 0 or (self.tokens_left is not None and self.tokens_left <= 0)

    @property
    def state(self) -> str:
        """In words, the gravest first."""
        own = self.credential
        if own.set_aside_at:
            return f"set aside on {own.set_aside_at:%Y-%m-%d %H:%M} UTC: {own.set_aside_reason}"
        if not own.enabled:
            return "switched off"
        if own.env_name and not envkeys.is_set(own):
            return f"not in use: {own.env_name} is not set"
        if self.resting_s:
            why = _WHY.get(self.reason, "after failures")
            return f"rests {span(self.resting_s)} more {why}"
        return "spent for now" if self.is_spent else "in use"


_WHY: Mapping[Reason, str] = {
    Reason.THROTTLED: "after a 429",
    Reason.BLACKLISTED: "after several 429s in a row",
}


def tightest(quotas: Iterable[Quota]) -> Quota | None:
    """The quota that ends first, or of those that last the one most used."""
    found = list(quotas)
    ending = [(quota.ends_in_s, quota) for quota in found if quota.ends_in_s is not None]
    if ending:
        return min(ending, key=lambda pair: pair[0])[1]
    return max(found, key=lambda quota: quota.share, default=None)


def keys_now(rows: Iterable[Credential]) -> dict[int, KeyNow]:
    """By primary key, counted anew."""
    chosen = list(rows)
    known = standings(row.guard_name for row in chosen)
    quotas = quotas_of(Subject(row.provider, row) for row in chosen)
    return {row.pk: key_now(row, known[row.guard_name], quotas) for row in chosen}


def key_now(row: Credential, standing: Standing, quotas: Quotas) -> KeyNow:
    guard = row.guard
    phase = guard.phase(standing)
    rests_s = (standing.circuit.open_until or 0.0) - guard.clock()
    return KeyNow(
        credential=row,
        phase=phase,
        reason=standing.circuit.reason,
        resting_s=max(0.0, rests_s) if phase is Phase.OPEN else 0.0,
        tokens_left=guard.tokens_left(standing),
        quotas=quotas.get(guard.name, ()),
    )
