"""
A circuit breaker as a value and a rule.

`Circuit` is what happened so far, `Breaker` is what we make of it. Nothing here keeps time, takes
a lock or touches a store: see `guard.py` for that.

    CLOSED --failure, 429, block--> OPEN --rest is over--> HALF_OPEN --probe succeeds--> RETURNING
      ^                              ^                         |                            |
      |                              +-------probe fails-------+                            |
      +------------------------------- after `ramp_s` without failure ---------------------+
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

DAY_S = 86400.0


class Phase(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    RETURNING = "returning"


class Reason(StrEnum):
    """Why a circuit is open."""

    NONE = ""
    FAILED = "failed"
    THROTTLED = "throttled"
    BLACKLISTED = "blacklisted"
    BLOCKED = "blocked"
    FORBIDDEN = "forbidden"
    UNPAID = "unpaid"


@dataclass(frozen=True, slots=True)
class Circuit:
    """Times are seconds since the epoch. `failures` and `throttles` are in a row."""

    failures: int = 0
    throttles: int = 0
    open_until: float | None = None
    reason: Reason = Reason.NONE
    probed_at: float | None = None  # the lease of the one half-open probe
    back_at: float | None = None  # when a probe succeeded
    admitted: int = 0  # calls let through since then


@dataclass(frozen=True, slots=True)
class Breaker:
    rests: tuple[float, ...] = (5.0, 10.0, 60.0)  # seconds after the 1st, 2nd, ... failure in a row
    ceiling: float = 900.0  # further rests double up to this
    throttle_rests: tuple[float, ...] = ()  # after a 429; empty: as told, else 60 s and doubling
    throttle_ceiling: float = 3600.0
    blacklist_after: int = 0  # 429s in a row that make it a blacklisting; 0: never
    block_rest: float = 6 * 3600.0  # after 451, 418 or their equal
    probe_lease: float = 30.0  # a probe that has not reported by then is given up
    ramp_s: float = 10.0  # a recovered provider gets its traffic back over this long

    def phase(self, circuit: Circuit, now: float) -> Phase:
        if circuit.open_until is None:
            return Phase.CLOSED
        if circuit.back_at is not None:
            return Phase.RETURNING if now < circuit.back_at + self.ramp_s else Phase.CLOSED
        return Phase.OPEN if now < circuit.open_until else Phase.HALF_OPEN

    def admit(self, circuit: Circuit, now: float) -> tuple[Circuit, float]:
        """May one call go out? The new circuit, and the seconds to wait: 0 for yes."""
        match self.phase(circuit, now):
            case Phase.CLOSED:
                return circuit, 0.0
            case Phase.OPEN:
                return circuit, (circuit.open_until or now) - now
            case Phase.HALF_OPEN:
                if circuit.probed_at is None or now >= circuit.probed_at + self.probe_lease:
                    return replace(circuit, probed_at=now), 0.0
                return circuit, circuit.probed_at + self.probe_lease - now
            case Phase.RETURNING:
                if circuit.admitted < self._share(now - (circuit.back_at or now)):
                    return replace(circuit, admitted=circuit.admitted + 1), 0.0
                return circuit, self._next_share(circuit, now)

    def _share(self, elapsed: float) -> int:
        """How many calls a returning provider has got after so long: 2, 4, 8, ... 64."""
        share = 2 ** (1 + 5 * max(0.0, elapsed) / self.ramp_s)
        return int(share + 1e-5)  # a time as of today is exact to a quarter of a microsecond

    def _next_share(self, circuit: Circuit, now: float) -> float:
        """Seconds until the next call is let through, or the ramp is over."""
        back_at = circuit.back_at or now
        step = self.ramp_s / 5
        elapsed = 0.0
        while self._share(elapsed) <= circuit.admitted and elapsed < self.ramp_s:
            elapsed += step / 4
        return max(back_at + min(elapsed, self.ramp_s) - now, 0.001)

    def succeeded(self, circuit: Circuit, now: float, *, since: float) -> Circuit:
        """A call that was admitted at `since` went well."""
        if _left_before(circuit, since):
            return circuit  # that says nothing about recovery
        match self.phase(circuit, now):
            case Phase.CLOSED:
                return Circuit()
            case Phase.HALF_OPEN:
                return Circuit(open_until=circuit.open_until, back_at=now)
        return circuit

    def failed(self, circuit: Circuit, now: float, *, since: float) -> Circuit:
        """5xx, a timeout, a refused connection or an unreadable answer."""
        if _left_before(circuit, since):
            return circuit
        failures = circuit.failures + 1
        rest = _rung(self.rests, failures, self.ceiling)
        return self._open(circuit, now + rest, Reason.FAILED, failures=failures)

    def throttled(
        self, circuit: Circuit, now: float, *, since: float, wait: float | None
    ) -> Circuit:
        """429 or its equal; `wait` is what the provider told us."""
        if _left_before(circuit, since):
            return self._open(circuit, now + wait, Reason.THROTTLED) if wait else circuit
        throttles = circuit.throttles + 1
        if self.throttle_rests:
            rest = _rung(self.throttle_rests, throttles, self.throttle_ceiling)
            rest = max(rest, wait or 0.0)
        else:
            rest = wait or _rung((60.0,), throttles, self.throttle_ceiling)
        blacklisted = 0 < self.blacklist_after <= throttles
        reason = Reason.BLACKLISTED if blacklisted else Reason.THROTTLED
        return self._open(circuit, now + rest, reason, throttles=throttles)

    def blocked(self, circuit: Circuit, now: float, *, wait: float | None) -> Circuit:
        """This host is not welcome: asking again makes it worse."""
        return self._open(circuit, now + (wait or self.block_rest), Reason.BLOCKED)

    def forbidden(self, circuit: Circuit, now: float) -> Circuit:
        """It wants a key, or a better one, where we have none to set aside."""
        return self._open(circuit, now + self.ceiling, Reason.FORBIDDEN)

    def unpaid(self, circuit: Circuit, now: float, *, wait: float | None) -> Circuit:
        """It wants to be paid: one call a day looks whether it was."""
        return self._open(circuit, now + (wait or DAY_S), Reason.UNPAID)

    def released(self, circuit: Circuit, *, since: float) -> Circuit:
        """A call ended without a verdict on the provider: its probe lease is free again."""
        return replace(circuit, probed_at=None) if circuit.probed_at == since else circuit

    def excused(self, circuit: Circuit) -> Circuit:
        """Its failures were not its own; what it said itself (a 429, a block) stands."""
        if circuit.reason is Reason.FAILED:
            return Circuit(throttles=circuit.throttles)
        return replace(circuit, failures=0)

    @staticmethod
    def _open(
        circuit: Circuit,
        until: float,
        reason: Reason,
        *,
        failures: int | None = None,
        throttles: int | None = None,
    ) -> Circuit:
        if circuit.back_at is None and until <= (circuit.open_until or 0.0):
            return circuit  # it rests for longer already
        return Circuit(
            failures=circuit.failures if failures is None else failures,
            throttles=circuit.throttles if throttles is None else throttles,
            open_until=until,
            reason=reason,
        )


def _left_before(circuit: Circuit, since: float) -> bool:
    """Did the call that was admitted at `since` leave before the circuit opened?"""
    return circuit.open_until is not None and since < circuit.open_until


def _rung(ladder: tuple[float, ...], nth: int, ceiling: float) -> float:
    """The nth step of a ladder (from 1); past its end the last step doubles up to `ceiling`."""
    if nth <= len(ladder):
        return ladder[nth - 1]
    return min(ceiling, ladder[-1] * 2.0 ** min(nth - len(ladder), 30))
