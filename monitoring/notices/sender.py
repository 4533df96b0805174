"""
Sends one message through Apprise, and ends. Run by `sending` as a process of its own: the message
comes as JSON on stdin, what came of it goes as JSON to stdout.

Before it sends it shuts the doors behind itself, by an audit hook (PEP 578), which no Python code
can take off again: no connection but to an address that `providers.addresses` lets pass, at the
moment of connecting and to just that address; no file but those of Python's own libraries and what
name lookups and certificates need; no other process.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 15.0

_PLACES = (
    *{path for path in sysconfig.get_paths().values() if path},
    sys.prefix,
    sys.base_prefix + "/lib",
    "/etc/ssl",
    "/etc/pki",
    "/usr/lib/ssl",
    "/usr/share/zoneinfo",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    str(PROJECT / "providers"),
    str(PROJECT / "monitoring" / "notices"),
)
_READABLE = tuple({os.path.realpath(place) for place in _PLACES})
_FILES = frozenset(
    """
    /dev/null /dev/urandom /etc/hosts /etc/resolv.conf /etc/nsswitch.conf /etc/host.conf
    /etc/gai.conf /etc/services /etc/mime.types /etc/localtime /etc/apache2/mime.types
    /etc/httpd/mime.types /etc/httpd/conf/mime.types /usr/local/etc/httpd/conf/mime.types
    /usr/local/lib/netscape/mime.types /usr/local/etc/mime.types
    """.split()  # noqa: SIM905 (to be read)
)
_STARTS = ("subprocess.", "os.exec", "os.fork", "os.spawn", "os.posix_spawn", "os.system", "pty.")
_LOADS = "ctypes.dlopen"
_CONNECTS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")


class Forbidden(OSError):
    """Something that sending a message does not need."""


def guard(
    allowed: Sequence[Any], forbidden: Callable[..., str | None], refused: list[str]
) -> Callable[..., None]:
    """An audit hook that raises Forbidden, and notes it: plug-ins swallow what is raised."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        try:
            if event in _CONNECTS:
                _check_connection(event, args[1], allowed, forbidden)
            elif event == "open":
                _check_file(*args)
            elif event.startswith(_STARTS) or event == _LOADS:
                raise Forbidden(f"{event} is not for senders")
        except Forbidden as error:
            refused.append(str(error))
            raise

    return hook


def _check_connection(
    event: str, address: Any, allowed: Sequence[Any], forbidden: Callable[..., str | None]
) -> None:
    if event == "socket.bind" or not isinstance(address, tuple):
        raise Forbidden("no socket of this machine")  # also those that are files
    reason = forbidden(str(address[0]).partition("%")[0], allowed)
    # Name lookups are the C library's own, and no event of Python's.
    if reason:
        raise Forbidden(f"it leads to {reason}, which ALLOW_PRIVATE_UPSTREAMS does not allow")


def _check_file(path: Any, mode: Any, flags: Any) -> None:
    if isinstance(path, int):
        return  # a descriptor that is open already
    name = os.path.realpath(os.fsdecode(path))
    writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes and name != "/dev/null":
        raise Forbidden("no file is written")
    if name not in _FILES and not any(name.startswith(f"{place}/") for place in _READABLE):
        raise Forbidden("no file is read")


def main() -> None:
    asked = json.load(sys.stdin)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(PROJECT))
    from ipaddress import ip_network

    from providers.addresses import forbidden

    said: list[str] = []
    refused: list[str] = []
    # Loaded while files may still be read: it finds its plug-ins as files.
    send = _apprise(asked, said)
    allowed = [ip_network(text) for text in asked["allowed"]]
    sys.addaudithook(guard(allowed, forbidden, refused))
    ok, permanent = send()
    why = refused[-1:] or said[-2:] or ["the service did not take it"]
    found = {"ok": ok, "error": "" if ok else "; ".join(why), "permanent": permanent}
    sys.stdout.write(json.dumps(found))


def _apprise(asked: dict[str, Any], said: list[str]) -> Callable[[], tuple[bool, bool]]:
    import logging
    import mimetypes
    import socket

    import apprise

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            # That it failed is a warning; of what stands in a debugging line alone.
            if record.levelno >= logging.WARNING or text.startswith("Socket Exception: "):
                said.append(text)

    log = logging.getLogger("apprise")
    log.setLevel(logging.DEBUG)
    log.addHandler(Listening())
    log.propagate = False
    mimetypes.init()
    socket.setdefaulttimeout(TIMEOUT_S)
    # One after the other, in this thread; nothing is kept on a disk; no plug-ins from elsewhere.
    asset = apprise.AppriseAsset(
        async_mode=False, storage_mode="memory", secure_logging=True, app_id="Aggregator"
    )
    target = _target(asked["address"], asset)

    def send() -> tuple[bool, bool]:
        if not target:
            said.append("the address is none of its kind")
            return False, True
        try:
            ok = target.notify(
                body=asked["body"],
                title=asked["title"],
                notify_type=apprise.NotifyType(asked["kind"]),
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as error:  # noqa: BLE001 (a hundred plug-ins: it is told, by its kind)
            said.append(f"its plug-in failed: {type(error).__name__}")
            return False, False
        return bool(ok), False

    return send


def _target(address: str, asset: Any) -> Any:
    """The plug-in of an address; None for one that it cannot read. Only that plug-in is asked."""
    import apprise

    target = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if getattr(target, "verify_certificate", True):
        _look_at_certificates()
    if target and target.notify_format == apprise.NotifyFormat.HTML and "format=" not in address:
        # Made into HTML and back again, a text ends where a "<" stands in it.
        target.notify_format = apprise.NotifyFormat.TEXT
    return target


def _look_at_certificates() -> None:
    """
    Of mail servers too: smtplib looks at none unless it is told to, and no plug-in tells it to.
    By this machine's authorities and certifi's.
    """
    import ssl

    import certifi

    def context(**_: Any) -> ssl.SSLContext:
        found = ssl.create_default_context()
        found.load_verify_locations(certifi.where())
        return found

    ssl._create_stdlib_context = context  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
