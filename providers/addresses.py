"""
Which addresses we connect to, and turning a name into those.

Upstream addresses are typed by people and answered by strangers' name servers, so the guard looks
at what a name resolved to, at the moment of connecting, and the connection goes to exactly what
was looked at. Spellings like `0177.0.0.1` or `2130706433` need no care of their own: by then
they are addresses.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from providers.errors import Unreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Family and socket address, as `socket.connect` takes it.
Endpoint = tuple[int, Any]


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_NEVER = {
    "an unspecified address": _networks("0.0.0.0/8", "::/128"),
    "a multicast address": _networks("224.0.0.0/4", "ff00::/8"),
    "a link-local address": _networks("169.254.0.0/16", "fe80::/10"),
    # AWS, Alibaba, Azure, Oracle and Google, where they are not link-local.
    "a metadata address": _networks(
        "fd00:ec2::254/128",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd20:ce::254/128",
    ),
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
# What `is_global` lets through although it carries another address, or is nobody's.
_CARRIERS = (_NAT64, _COMPATIBLE, *_networks("64:ff9b:1::/48", "2002::/16", "2001::/32"))
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")


def forbidden(address: str, allowed: Sequence[Network] = ()) -> str | None:
    """
    Why we do not connect to an IP address, or None when we do.

    Public addresses are fine. Others must lie in an `allowed` network, loopback in one that is
    itself loopback; link-local, metadata, multicast and unspecified addresses are refused even
    then. An address that carries another is judged by what it carries, too.
    """
    try:
        found = _unwrapped(ipaddress.ip_address(address))
    except ValueError:
        return "not an IP address"
    listed = [network for network in allowed if found in network]
    for reason, networks in _NEVER.items():
        if _within(found, networks):
            return reason
    if _within(found, _LOOPBACK):
        by_itself = any(_is_loopback(network) for network in listed)
        return None if by_itself else "a loopback address"
    if carried := _carried(found):
        return forbidden(str(carried), allowed) if listed else "an address inside another"
    return None if listed or _is_public(found) else "a private address"


def never_reached(url: str, allowed: Sequence[Network]) -> str | None:
    """Why nobody will ever be asked at `url`, by its spelling alone; None where that is open."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    address = "127.0.0.1" if host == "localhost" else host
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return None
    reason = forbidden(address, allowed)
    return reason and f"{host} is {reason}, which ALLOW_PRIVATE_UPSTREAMS does not allow."


# Names that the public DNS never has: RFC 6761, 6762, 8375, and ICANN's resolution of July 2024.
_HOME = ("localhost", ".localhost", ".local", ".home.arpa", ".internal")


def is_own(url: str) -> bool:
    """
    Is this an address of one's own network, by its spelling alone? A private IP address, or a name
    that nobody outside can have ("localhost", "ollama", "llm.internal"). Any other name is a
    stranger's, wherever it leads today.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        found = _unwrapped(ipaddress.ip_address(host))
    except ValueError:
        numeric = host.replace(".", "").isdigit() or host.startswith("0x")
        is_name = bool(host) and not numeric and ":" not in host
        return is_name and ("." not in host or host.endswith(_HOME))
    return _within(found, _LOOPBACK) or (found.is_private and not _within(found, _CARRIERS))


def _unwrapped(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _is_loopback(network: Network) -> bool:
    return _within(network.network_address, _LOOPBACK) and _within(
        network.broadcast_address, _LOOPBACK
    )


def _carried(address: Address) -> Address | None:
    """The address inside a translated or tunnelled one; one we cannot decipher counts as ::."""
    if isinstance(address, ipaddress.IPv4Address) or not _within(address, _CARRIERS):
        return None
    if address.teredo:
        return address.teredo[1]
    if address.sixtofour:
        return address.sixtofour
    if address in _NAT64 or address in _COMPATIBLE:
        return ipaddress.IPv4Address(address.packed[-4:])
    return ipaddress.IPv6Address(0)


def _is_public(address: Address) -> bool:
    return address.is_global and address not in _SITE_LOCAL


# Why a lookup found nothing. The first is an answer; the second may be a name server that is away.
NO_NAME = "is a name that does not exist"
NO_ADDRESS = "has no address"

# Lookups under way at once; more wait for a place within their own patience.
_lookups = threading.BoundedSemaphore(32)


def resolve(host: str, port: int, allowed: Sequence[Network], *, patience: float) -> list[Endpoint]:
    """
    Where `host` is, if every one of its addresses may be connected to; Unreachable otherwise.

    After `patience` seconds this raises TimeoutError; the lookup itself cannot be interrupted
    and ends, unheard, in a thread of its own.
    """
    endpoints = _numeric(host, port) or _look_up(host, port, patience)
    for _, address in endpoints:
        if reason := forbidden(address[0], allowed):
            raise Unreachable(f"{host} is {reason}, which ALLOW_PRIVATE_UPSTREAMS does not allow")
    return endpoints


def _numeric(host: str, port: int) -> list[Endpoint]:
    try:
        return _getaddrinfo(host, port, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []


def _getaddrinfo(host: str, port: int, flags: int = 0) -> list[Endpoint]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(int(family), address) for family, _, _, _, address in found]


def _look_up(host: str, port: int, patience: float) -> list[Endpoint]:
    if not _lookups.acquire(timeout=patience):
        raise TimeoutError
    outcome: SimpleQueue[list[Endpoint] | str] = SimpleQueue()

    def work() -> None:
        try:
            outcome.put(_getaddrinfo(host, port))
        except socket.gaierror as error:
            outcome.put(NO_NAME if error.errno == socket.EAI_NONAME else NO_ADDRESS)
        except (OSError, UnicodeError):
            outcome.put(NO_ADDRESS)
        finally:
            _lookups.release()

    threading.Thread(target=work, name=f"lookup {host}", daemon=True).start()
    try:
        found = outcome.get(timeout=patience)
    except Empty:
        raise TimeoutError from None
    if isinstance(found, str):
        raise Unreachable(f"{host} {found}")
    return found
