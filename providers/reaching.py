"""
Whether a resource is there: one question of the address that public lists name, with no key, as
cheap as one can be. Only the head of the reply is read.

This says that somebody answers at that address, and not that the answers are any good.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from providers import limits
from providers.client import reachable
from providers.errors import Blocked, Broken, Dropped, ProviderError, Throttled, Unsupported
from providers.http import decode, retry_after
from providers.models import Provider, Resource
from providers.resilience import Breaker, Deadline, Guard, Window
from providers.resources import Flag, Kind
from providers.transport import exchange, knock

# Many entries may be of one host, and none of them is in a hurry.
HOST_PAUSE_S = 10.0
# A failure is told by the checks and not by the circuit, as the next one may be of another entry of
# that host; 429 and 451 are the whole host's word, and are obeyed for as long as it says.
_BREAKER = Breaker(rests=(1.0,), ceiling=1.0)

# Places on a hub: not what a provider of that host speaks for.
PLACES = frozenset([Kind.MODEL, Kind.DATASET])
_WHY_NOT = {
    Flag.RETIRED: "it has ended",
    Flag.PAID_ONLY: "it wants to be paid",
    Flag.TERMS_RISK: "its terms may forbid it",
}
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}
_WORDS = {
    401: "it wants a key",
    402: "it wants to be paid",
    403: "it forbids this",
    404: "nothing is at this address",
    410: "what was at this address is gone",
}
_HOST_NAME = re.compile(r"[a-z0-9.-]{1,100}")


@dataclass(frozen=True)
class Reached:
    """Somebody answered. `said` is what one should know of the answer; "" where all is well."""

    status: int
    seconds: float
    said: str = ""


def host_of(address: str) -> str:
    """The host in lower case; "" where there is none."""
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def hosts_of(providers: Iterable[Provider]) -> frozenset[str]:
    return frozenset(host_of(row.address) for row in providers) - {""}


def why_not(row: Resource, ours: Collection[str], spoken: bool) -> str:
    """
    Why a resource is not looked at; "" for one that is. `ours` are the hosts of our providers,
    `spoken` tells whether one of them speaks for it.
    """
    if spoken:
        return "its provider is checked instead"
    for flag, why in _WHY_NOT.items():
        if flag in row.flags:
            return why
    host = host_of(row.probe)
    if not host:
        return "it has no address that can be asked without a key"
    if host in ours and row.kind not in PLACES:
        return "a provider of the same host is checked instead"
    return ""


def sandbox_hosts() -> frozenset[str]:
    """For whom the sandbox of this installation speaks. Raises ProviderError where it is away."""
    reply = exchange(
        "GET", f"{settings.SANDBOX_URL}/_sandbox/", deadline=Deadline(2.0), headers=_HEADERS
    )
    return frozenset(decode(reply.body)["hosts"])


def guard_of(host: str) -> Guard:
    """What stands before all entries of a host, in every process."""
    return Guard(f"host:{host}", _BREAKER, [Window(1, HOST_PAUSE_S)])


def reach(row: Resource, deadline: Deadline) -> Reached:
    """Ask. Raises a ProviderError where nobody answers, or wants to be left alone."""
    with guard_of(host_of(row.probe)).admit(), limits.everybody():
        try:
            return _ask(row, deadline)
        except Dropped:  # a resting connection, as one of our providers may share with it
            return _ask(row, deadline)


def _ask(row: Resource, deadline: Deadline) -> Reached:
    version = settings.SPECTACULAR_SETTINGS["VERSION"]
    call = {"jsonrpc": "2.0", "id": 1, "method": row.probe_rpc, "params": []}
    began = time.monotonic()
    reply = knock(
        "POST" if row.probe_rpc else "GET",
        reachable(row.probe),
        deadline=deadline,
        headers={**_HEADERS, "User-Agent": f"aggregator/{version}"},
        json=call if row.probe_rpc else None,
    )
    seconds = time.monotonic() - began
    if settings.SANDBOX_URL and reply.headers.get("X-Sandbox") == "silent":
        raise Unsupported("the sandbox does not speak for it")
    if error := refusal(reply.status, reply.headers):
        raise error
    return Reached(reply.status, seconds, said(reply.status, reply.headers, row.probe))


def refusal(status: int, headers: Mapping[str, str]) -> ProviderError | None:
    """What an answer says that is none, or wants us to go away; None for any other. Pure."""
    if status == 429:
        return Throttled("HTTP 429", wait=retry_after(headers))
    if status in (418, 451):
        return Blocked(f"HTTP {status}", wait=retry_after(headers))
    return Broken(f"HTTP {status}") if status >= 500 else None


def said(status: int, headers: Mapping[str, str], address: str) -> str:
    """What one should know of an answer; "" where it is as it should be. Pure."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"answers, and sends on{_whither(headers, address)} (HTTP {status})"
    return f"answers: {_WORDS.get(status, 'not what was asked for')} (HTTP {status})"


def _whither(headers: Mapping[str, str], address: str) -> str:
    """Where a redirect leads, if to another host; nobody follows it."""
    try:
        there = host_of(urljoin(address, headers.get("Location", "")))
    except ValueError:
        return ""
    elsewhere = there != host_of(address) and _HOST_NAME.fullmatch(there)
    return f" to {there}" if elsewhere else ""
