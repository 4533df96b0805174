"""
Who is asking: a client by its key, or an address.

The edge and Django both come here, so a request is judged alike wherever it is answered.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from aggregator.models import Client, hash_key
from providers.errors import GatewayError, Overloaded
from providers.roster import Remembered

logger = logging.getLogger(__name__)

CLIENTS_S = 0.9  # the beat comes every second: what was edited is obeyed within two
ADMITTED = "aggregator.caller"  # in a request's environment: whom the edge let in, and counted
SITE = 64  # bits of an IPv6 address that one household or company shares (RFC 6177)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose requests are counted together, and how many a minute are theirs."""

    name: str
    per_minute: int
    anonymous: bool = False
    is_operator: bool = False


class Unauthorized(GatewayError):
    code = "unauthorized"
    http_status = 401
    title = "A valid client key is needed"


class ClientDisabled(GatewayError):
    code = "client_disabled"
    http_status = 403
    title = "This client is switched off"


class Clients(dict[str, tuple[Caller, bool]]):
    """Callers by the hash of their key, and whether they are switched on."""

    def __init__(self, known: Mapping[str, tuple[Caller, bool]]) -> None:
        super().__init__(known)
        # Keys that came and were in order, as they came, so that none is hashed at every request.
        # It goes with the rows it was read from, a second later.
        self.seen: dict[bytes, Caller] = {}


def _load_clients() -> Clients:
    rows = Client.objects.values_list("key_hash", "pk", "per_minute", "is_operator", "enabled")
    return Clients(
        {
            key: (Caller(f"client:{pk}", per, is_operator=operates), on)
            for key, pk, per, operates, on in rows
        }
    )


_clients = Remembered(_load_clients, CLIENTS_S)


def reload() -> None:
    """Read the clients anew if it is time. For threads; the event loop goes by what they read."""
    try:
        _clients.get()
    except DatabaseError as error:
        logger.error("the clients cannot be read: %s", error)


def reread() -> None:
    """Read the clients anew now: after an edit. Nobody is without them meanwhile."""
    _clients.outdate()
    reload()


def forget() -> None:
    _clients.forget()


def identify(key: str) -> Caller:
    """
    The client whose key this is; Unauthorized, ClientDisabled, or Overloaded before the clients
    could be read. Waits for nothing.
    """
    clients = _clients.peek()
    if clients is None:
        raise Overloaded("Keys cannot be checked just now.")
    found = clients.get(hash_key(key))
    if found is None:
        raise Unauthorized("This key is not known here.")
    caller, enabled = found
    if not enabled:
        raise ClientDisabled("Ask the operator of this gateway.")
    return caller


def anonymous(address: str) -> Caller:
    """Whoever asks from `address` without a key; Unauthorized where everybody needs one."""
    if not settings.ANONYMOUS_ACCESS:
        raise Unauthorized("Send your key as X-API-Key: <key> or Authorization: Bearer <key>.")
    return Caller(f"address:{address}", settings.ANONYMOUS_PER_MINUTE, anonymous=True)


def of_request(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> Caller:
    """The caller of an ASGI request; `headers` are the scope's, by name. Waits for nothing."""
    sent = headers.get(b"x-api-key", b"")
    clients = _clients.peek()
    if sent and clients and (caller := clients.seen.get(sent)):
        return caller
    key = key_of(sent.decode("latin-1"), headers.get(b"authorization", b"").decode("latin-1"))
    if key:
        caller = identify(key)
        if clients is not None and sent == key.encode("latin-1"):
            clients.seen[sent] = caller
        return caller
    lines = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
    peer = scope["client"][0] if scope.get("client") else ""
    return anonymous(address_of(peer, b",".join(lines).decode("latin-1")))


def is_still(caller: Caller, key: bytes) -> bool:
    """Is this still the caller with that key, as far as the clients were read?"""
    if not key:
        return caller.anonymous
    clients = _clients.peek()
    return clients is not None and clients.seen.get(key) is caller


def key_of(api_key: str, authorization: str) -> str:
    """The key in the values of `X-API-Key` and `Authorization`; "" for none."""
    if key := api_key.strip():
        return key
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def address_of(peer: str, forwarded_for: str) -> str:
    """
    The address a request came from. Proxies of ours append to X-Forwarded-For, so we count from
    the right: what stands further left was written by the caller and proves nothing.
    """
    hops = settings.TRUSTED_PROXY_HOPS
    chain = forwarded_for.split(",") if hops else []
    if hops and len(chain) >= hops and (named := site_of(chain[-hops].strip())):
        return named
    return site_of(peer) or peer


@lru_cache(maxsize=10_000)
def site_of(address: str) -> str:
    """
    Whom an address stands for, "" when it is none: an IPv4 address for itself, an IPv6 address
    for its /64, of which one caller has 2^64. Some proxies add a port: it does not count.
    """
    host = address
    if address.startswith("["):
        host = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        host = address.partition(":")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(IPv6Network((int(found), SITE), strict=False))
    return str(found)
