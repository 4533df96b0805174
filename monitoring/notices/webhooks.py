"""
Webhooks: `https://`, `jsons://`, `forms://` and `xmls://` (and without the s), sent by our own way
to the network, with its deadline, limits and address guard.

`user:password@` becomes basic authentication, a parameter `+X-Name=value` a header; the others
stay. Idempotency-Key is the same for every attempt to send the same message.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson
from django.conf import settings

from monitoring.notices.addresses import WEBHOOKS
from monitoring.notices.message import Message
from providers.errors import BadKey, Blocked, Missing, ProviderError
from providers.http import by_status, retry_after
from providers.resilience.deadline import Deadline
from providers.transport import exchange

TIMEOUT_S = 15.0
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_OURS = frozenset(["host", "content-length", "content-type", "transfer-encoding", "connection"])


class Failed(Exception):
    """Not delivered. `permanent`: it never will be, as things are."""

    def __init__(self, error: str, *, permanent: bool = False, wait_s: float | None = None) -> None:
        super().__init__(error)
        self.error, self.permanent, self.wait_s = error, permanent, wait_s


def post(address: str, message: Message, deadline: Deadline | None = None) -> None:
    """Deliver; raises Failed."""
    url, headers = _target(address)
    kind, body = _body(address.partition("://")[0].lower().rstrip("s"), message)
    try:
        reply = exchange(
            "POST",
            url,
            deadline=deadline or Deadline(TIMEOUT_S),
            headers={**headers, "Content-Type": kind, "Idempotency-Key": message.key},
            body=body,
        )
    except ProviderError as error:
        raise Failed(f"{error.code}: {error}") from None
    if 300 <= reply.status < 400:
        raise Failed("it answers with a redirect: enter where that leads to")
    wrong = by_status(reply)
    if wrong is not None:
        permanent = isinstance(wrong, Missing | Blocked | BadKey) or reply.status == 410
        raise Failed(
            f"it answered HTTP {reply.status}",
            permanent=permanent,
            wait_s=retry_after(reply.headers),
        )


def _target(address: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(address)
    headers = {"User-Agent": f"aggregator/{settings.SPECTACULAR_SETTINGS['VERSION']}"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    kept = []
    # By hand: a plus at the start of a name means a header, and no space.
    for piece in filter(None, parts.query.split("&")):
        if piece.startswith(("+", "%2B", "%2b")):
            name, _, value = piece.removeprefix("+").partition("=")
            headers |= _header(unquote(name).removeprefix("+"), unquote(value))
        else:
            kept += parse_qsl(piece, keep_blank_values=True)
    host = parts.netloc.rpartition("@")[2]
    scheme = WEBHOOKS[parts.scheme.lower()]
    return urlunsplit((scheme, host, parts.path or "/", urlencode(kept), "")), headers


def _header(name: str, value: str) -> Mapping[str, str]:
    if not _HEADER.fullmatch(name) or name.lower() in _OURS or not value.isprintable():
        raise Failed("a header of its address cannot be sent", permanent=True)
    return {name: value}


def _body(kind: str, message: Message) -> tuple[str, bytes]:
    told = message.as_json()
    if kind == "form":
        flat = {name: told[name] for name in ("version", "key", "title", "message", "type")}
        return "application/x-www-form-urlencoded", urlencode(flat).encode()
    if kind == "xml":
        return "application/xml; charset=utf-8", _xml(told)
    return "application/json", orjson.dumps(told)


def _xml(told: Mapping[str, Any]) -> bytes:
    root = Element("notification")
    for name, value in told.items():
        if name == "events":
            events = SubElement(root, "events")
            for row in value:
                event = SubElement(events, "event")
                for inner, text in row.items():
                    SubElement(event, inner).text = "" if text is None else str(text)
        else:
            SubElement(root, name).text = str(value)
    found: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return found
