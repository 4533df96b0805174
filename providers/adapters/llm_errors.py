"""
What a refusal of a language model means: one taxonomy for every vendor's statuses and bodies.

The sentences are ours. Of what an upstream wrote at most its code is passed on, when it looks like
one: its text may quote the question, or a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from providers.adapters.base import Reply
from providers.datasets import DAY, HOUR
from providers.errors import (
    BadKey,
    Broken,
    Busy,
    Declined,
    Garbled,
    Gone,
    Loading,
    Missing,
    ModelGone,
    NoCredit,
    NotAllowed,
    ProviderError,
    QuotaSpent,
    Rejected,
    Throttled,
)
from providers.ratelimits import DAY_S, Observation, cooldown_s, hinted_s

LONGEST_LOADING_S = 60.0
_CODE = re.compile(r"[A-Za-z][\w.-]{1,48}", re.ASCII)


def document(reply: Reply) -> dict[str, Any]:
    """The JSON object of a reply, or the first of its list; empty when there is none."""
    try:
        found = reply.json()
    except Garbled:
        return {}
    found = found[0] if isinstance(found, list) and found else found
    return found if isinstance(found, dict) else {}


def sentence(body: dict[str, Any]) -> str:
    """Where vendors put what they say, in the order in which it is most likely to be meant."""
    error = body.get("error")
    inner = error.get("message") if isinstance(error, dict) else error
    detail, among = _first(body.get("detail")), _first(body.get("errors"))
    first = detail.get("msg") if isinstance(detail, dict) else detail
    found = (inner, first, body.get("title"), body.get("message"), among)
    return next((value for value in found if isinstance(value, str) and value), "")


def _first(value: Any) -> Any:
    """The first of a list; anything else as it is."""
    return (value[0] if value else None) if isinstance(value, list) else value


def words(body: dict[str, Any]) -> set[str]:
    """Every code by which an error calls itself, in lower case."""
    error = body.get("error")
    inner = error if isinstance(error, dict) else {}
    metadata = inner.get("metadata")
    more = metadata if isinstance(metadata, dict) else {}
    details = inner.get("details")
    found = [inner.get("type"), inner.get("code"), inner.get("status"), body.get("type")]
    found += [body.get("code"), body.get("error_type"), more.get("error_type")]
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            found.append(detail.get("reason"))
    return {word.lower() for word in found if isinstance(word, str) and _CODE.fullmatch(word)}


def meant(reply: Reply, seen: Iterable[Observation] = ()) -> ProviderError | None:
    """The error that a reply is, also inside a 200; None when it is none."""
    status, body = reply.status, document(reply)
    if 200 <= status < 300:
        if not body.get("error"):
            return None
        status = _status_within(body["error"])
    said, codes = sentence(body).lower(), words(body)
    error = _by_status(status, said, codes, body, list(seen))
    if error is not None and (shown := sorted(codes - {"error"})):
        error.args = (f"{error}: {shown[0]}",)
    return error


def _status_within(error: Any) -> int:
    """The status that an error inside a 200 tells; 502 when it tells none."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int and 400 <= code < 600 else 502


def _by_status(
    status: int, said: str, codes: set[str], body: dict[str, Any], seen: list[Observation]
) -> ProviderError | None:
    match status:
        case 401:
            return BadKey("its key is not accepted")
        case 402:
            if "in_flight_budget_exhausted" in codes:
                return Throttled("too much is under way on this account")
            return NoCredit("it wants to be paid first", wait=DAY)
        case 403:
            if codes & {"moderation", "content_policy_violation"} or "moderation" in said:
                return Declined("it will not answer this")
            return NotAllowed("this account, region or key may not ask it")
        case 404 | 410:
            return _not_found(status, said, codes)
        case 429:
            return _throttled(said, codes, seen, body)
        case 503 if "estimated_time" in body:
            return _loading(body["estimated_time"])
        case 498 | 503 | 529:
            return Busy("it has no room just now", wait=cooldown_s(seen))
        case 408 | 424 | 499:
            return Broken(f"HTTP {status}")
    if 400 <= status < 500:
        return _rejected(status, said, codes)
    return Broken(f"HTTP {status}") if status >= 500 else None


def _not_found(status: int, said: str, codes: set[str]) -> ProviderError:
    if "for account" in said:
        return NotAllowed("this account may not ask this model")
    if "model" in said or any("model" in code for code in codes):
        return ModelGone("it serves no such model")
    return Gone("this address is retired") if status == 410 else Missing("nothing is there")


_NOTHING_LEFT = ("per day", "perday", "limit: 0", "daily", "per month", "monthly")


def _throttled(
    said: str, codes: set[str], seen: list[Observation], body: dict[str, Any]
) -> ProviderError:
    wait = cooldown_s(seen) or hinted_s(said) or _retry_info(body)
    if codes & {"insufficient_quota", "billing_hard_limit_reached"}:
        return NoCredit("its credit is used up", wait=DAY)
    told = " ".join([said, *_quota_ids(body)]).lower()
    none = any(one.limit == 0 for one in seen)
    day_is_over = any(one.is_exhausted and (one.window_s or 0) >= DAY_S for one in seen)
    if none:
        return QuotaSpent("its allowance is nothing", wait=DAY)
    if day_is_over or "quota_exhausted" in codes or any(word in told for word in _NOTHING_LEFT):
        # Google hints at seconds also where a day is over.
        hinted = None if _quota_ids(body) else hinted_s(said)
        return QuotaSpent("its quota is spent", wait=cooldown_s(seen) or hinted or HOUR)
    return Throttled("it asks us to slow down", wait=wait)


def _details(body: dict[str, Any]) -> Iterable[dict[str, Any]]:
    error = body.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    return [d for d in details if isinstance(d, dict)] if isinstance(details, list) else []


def _quota_ids(body: dict[str, Any]) -> list[str]:
    """google.rpc.QuotaFailure: GenerateRequestsPerDayPerProjectPerModel-FreeTier."""
    found = (d.get("violations") for d in _details(body))
    rows = (row for rows in found if isinstance(rows, list) for row in rows)
    return [str(row.get("quotaId", "")) for row in rows if isinstance(row, dict)]


def _retry_info(body: dict[str, Any]) -> float | None:
    """google.rpc.RetryInfo: "34.07s"."""
    for detail in _details(body):
        if isinstance(delay := detail.get("retryDelay"), str):
            return hinted_s(f"retry in {delay}")
    return None


def _loading(estimated: Any) -> Loading:
    try:
        wait = min(max(float(estimated), 1.0), LONGEST_LOADING_S)
    except (TypeError, ValueError, OverflowError):
        wait = LONGEST_LOADING_S
    return Loading("the model is being loaded", wait=wait)


def _rejected(status: int, said: str, codes: set[str]) -> ProviderError:
    if codes & {"api_key_invalid", "invalid_api_key", "api_key_expired"}:
        return BadKey("its key is not accepted")
    if codes & {"content_filter", "content_policy_violation"}:
        return Declined("it will not answer this")
    if codes & {"failed_precondition", "service_disabled"}:
        return NotAllowed("this account or region may not ask it")
    if "degraded function" in said:
        return Busy("its backend is ill")
    if "not supported by provider" in said or codes & {"model_not_found", "model_decommissioned"}:
        return ModelGone("it serves no such model")
    return Rejected(f"it cannot take the question (HTTP {status})")
