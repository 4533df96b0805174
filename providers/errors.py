"""
Everything that can go wrong between a query and its answer.

* GatewayError
  x BadQuery                the caller asked for something nobody can answer as asked
  x NotFound                every provider that was asked says it does not exist
  x Unanswered              every provider that could answer refused or failed
  x Overloaded              we are too busy to ask anybody just now
  x ProviderError           one provider, one attempt
    + Refused               we did not call; no network was touched
      - CircuitOpen         the provider rests after failures
        . Blacklisted         it rests long, after several 429 in a row
      - OutOfTokens         its rate budget, or every key's quota, is spent
      - NoKey               it needs a key, and there is none that works
      - CachedOnly          the worker alone asks it, ahead of visitors
      - Unwell              the checks say that it is not well: others come first
      - Unsupported         it does not offer this currency, interval, range or symbol
    + Failed                we called, and it went wrong
      - Unreachable         DNS, TCP or TLS
        . Dropped           an idle connection was closed under us; nothing was answered
      - TimedOut            no whole answer before the deadline
      - Broken              5xx, or its equal inside a 200
        . Gone                410: this address is retired, and nobody will answer there again
      - Loading             a model that is asleep until somebody asks: soon it can answer
      - ModelFailed         this model fails; others of the same provider may not
      - Busy                503, 529: well, and has no room just now
      - Garbled             an answer, but not what was promised
      - Throttled           429 or its equal: our idea of its rate limit is too generous
        . QuotaSpent          429 of a day or a month, or of an allowance of nothing
        . NoCredit            402 or its equal: nothing is paid for; looked at again daily
      - Blocked             451, 418, geography or firewall: this host, for hours
      - BadKey              401, 402, 403: this key, not this provider
      - PlanLimit           the plan does not include this; the provider is well
        . NotAllowed          403: this account, region or key may not ask it
      - Rejected            400, 413, 422: it cannot take the question as we put it
      - Declined            it will not answer this, by its own rules
      - ModelGone           it no longer serves this model; everything else is well
      - Missing             it does not know this symbol, and is perfectly healthy
        . Unserved            it knows the model, or did, and does not run it

An error tells its catcher what to do, by attributes of its class:

`retryable`  is the same provider worth another try, right now?
`healthy`    what it tells the circuit: True, False, or None for nothing
`wait`       seconds after which asking again may help, None when nobody can say
`http_status`, `code`   what it looks like from outside
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class GatewayError(Exception):
    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    wait: float | None = None


class BadQuery(GatewayError):
    """The query itself is at fault; `field` names the parameter."""

    code = "bad_query"
    http_status = 400
    title = "The query cannot be answered as asked"

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.field = field


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who was passed over on the way to an answer, and why."""

    provider: str
    outcome: str  # an error's code, e.g. "circuit_open"
    wait_s: float | None = None
    ms: float = 0.0
    detail: str = ""


class _WithAttempts(GatewayError):
    def __init__(self, detail: str, attempts: Sequence[Attempt] = ()) -> None:
        super().__init__(detail)
        self.attempts = tuple(attempts)


class NotFound(_WithAttempts):
    code = "not_found"
    http_status = 404
    title = "Nobody knows this symbol or name"


class Unanswered(_WithAttempts):
    code = "unanswered"
    http_status = 503
    title = "No provider could answer"

    def __init__(self, detail: str, attempts: Sequence[Attempt] = ()) -> None:
        super().__init__(detail, attempts)
        self.wait = min((a.wait_s for a in attempts if a.wait_s is not None), default=None)


class Overloaded(GatewayError):
    code = "overloaded"
    http_status = 503
    title = "Too busy to ask anybody just now"

    def __init__(self, detail: str = "", *, wait: float = 1.0) -> None:
        super().__init__(detail or self.title)
        self.wait = wait


class ProviderError(GatewayError):
    code = "provider_error"
    http_status = 502

    retryable: ClassVar[bool] = False
    healthy: ClassVar[bool | None] = None

    def __init__(self, detail: str = "", *, wait: float | None = None) -> None:
        super().__init__(detail or self.code)
        self.wait = wait


class Refused(ProviderError):
    code = "refused"


class CircuitOpen(Refused):
    code = "circuit_open"


class Blacklisted(CircuitOpen):
    code = "blacklisted"


class OutOfTokens(Refused):
    code = "out_of_tokens"


class NoKey(Refused):
    code = "no_key"


class CachedOnly(Refused):
    code = "cached_only"


class Unwell(Refused):
    code = "unwell"


class Unsupported(Refused):
    code = "unsupported"


class Failed(ProviderError):
    code = "failed"
    healthy: ClassVar[bool | None] = False


class Unreachable(Failed):
    code = "unreachable"


class Dropped(Unreachable):
    code = "dropped"
    retryable = True
    healthy = None  # a firewall forgets idle connections, and a restart ends them


class TimedOut(Failed):
    code = "timed_out"
    had_s: float | None = None  # how long it could have taken; None: nobody noted it


class Broken(Failed):
    code = "broken"


class Gone(Broken):
    code = "gone"


class Busy(Failed):
    code = "busy"
    healthy = None


class Loading(Failed):
    code = "loading"
    healthy = None


class ModelFailed(Failed):
    code = "model_failed"
    healthy = None


class Garbled(Failed):
    code = "garbled"


class Throttled(Failed):
    code = "throttled"
    healthy = None


class QuotaSpent(Throttled):
    code = "quota_spent"


class NoCredit(Throttled):
    code = "no_credit"


class Blocked(Failed):
    code = "blocked"
    healthy = None


class BadKey(Failed):
    code = "bad_key"
    healthy = None
    keyed = False  # True when a key of ours was sent: then it is the key that is set aside


class PlanLimit(Failed):
    code = "plan_limit"
    healthy = True


class NotAllowed(PlanLimit):
    code = "not_allowed"


class Rejected(Failed):
    code = "rejected"
    healthy = True


class Declined(Failed):
    code = "declined"
    healthy = True


class ModelGone(Failed):
    code = "model_gone"
    http_status = 404
    healthy = True


class Missing(Failed):
    code = "missing"
    http_status = 404
    healthy = True


class Unserved(Missing):
    code = "unserved"
