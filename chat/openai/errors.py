"""What goes wrong, in the shape and with the statuses that clients of this API know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import JsonResponse

from aggregator import openai_words
from aggregator.callers import ClientDisabled, Unauthorized
from providers.errors import Attempt, BadQuery, GatewayError, NotFound, Overloaded, Unanswered

# When all that went wrong is that there is nothing left just now, the caller may come again.
_SPENT = {"throttled", "quota_spent", "out_of_tokens", "blacklisted"}


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.wait = status, wait
        self.body = openai_words.error(message, kind, code=code, param=param)

    def response(self) -> JsonResponse:
        reply = JsonResponse(self.body, status=self.status)
        if self.wait is not None:
            reply["Retry-After"] = str(max(1, round(self.wait)))
        return reply


def refusal(error: GatewayError) -> Refusal:
    """The same error in this API's words; who was asked stands in it, as far as anybody was."""
    match error:
        case Unauthorized():
            return Refusal(401, "A valid client key is needed.", code="invalid_api_key")
        case ClientDisabled():
            said = "This client is switched off."
            return Refusal(403, said, kind="permission_error", code="client_disabled")
        case BadQuery():
            return Refusal(400, str(error), param=error.field or None)
        case NotFound():
            return Refusal(404, str(error), code="model_not_found", param="model")
        case Unanswered():
            return _unanswered(error)
        case Overloaded():
            return Refusal(503, str(error), kind="server_error", code="overloaded", wait=error.wait)
    return Refusal(502, error.title, kind="server_error", code=error.code, wait=error.wait)


def _unanswered(error: Unanswered) -> Refusal:
    message = str(error) + _among(error.attempts)
    outcomes = {attempt.outcome for attempt in error.attempts}
    if outcomes and outcomes <= _SPENT:
        code = "rate_limit_exceeded"
        return Refusal(429, message, kind="rate_limit_error", code=code, wait=error.wait)
    return Refusal(503, message, kind="server_error", code="unanswered", wait=error.wait)


def _among(attempts: Sequence[Attempt]) -> str:
    said = ", ".join(f"{attempt.provider} ({attempt.outcome})" for attempt in attempts)
    return f" Asked: {said}." if said else ""


def broken_off(error: GatewayError) -> dict[str, Any]:
    """An event in the middle of a stream, which clients raise as an error of the API."""
    said = "The answer broke off: its provider failed in the middle of it."
    return openai_words.error(said, "server_error", code=error.code)
