"""
Recorded answers served again, by the `manifest.json` of their folder.

An entry has `method`, `url`, `params`, `status`, `headers` (or null), `kind` and the `file` that
holds the body. Served is the entry of the same method, host and path that agrees on most
parameters. Symbols and ids must be the same; what changes the meaning of an answer (interval,
currency, range) must not contradict; anything else of ours is ignored. Files, status and headers
are served as they are, old timestamps too. What nothing answers is a 404, and is listed.
"""

from __future__ import annotations

import mimetypes
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from providers.sandbox.wire import JSON, Reply, Request, json_reply, silence

# Not real traffic: served only when asked for.
UNREAL = ("test_resource", "docs_example")
# Who is asked about: both sides name the same, or neither names any.
IDENTITIES = frozenset((
    "symbol", "symbols", "id", "ids", "coin_ids", "pair", "pairs", "instid", "product_id",
    "product_ids", "fsym", "fsyms", "names", "coins", "instrument", "address", "series_id", "q",
    "query",
))  # fmt: skip
# What is asked about them: two different values are two different questions.
MEANINGS = frozenset((
    "interval", "granularity", "bar", "days", "date", "vs_currency", "vs_currencies", "currency",
    "quote", "quotes", "tsym", "tsyms", "chainid", "module", "action", "market", "insttype",
    "assetversion", "page", "offset",
))  # fmt: skip
# One service under several names, by its own documentation.
SAME_SERVICE = {
    "data-api.binance.vision": "api.binance.com",
    "api-gcp.binance.com": "api.binance.com",
    **{f"api{n}.binance.com": "api.binance.com" for n in range(1, 5)},
    "api.pro.coinbase.com": "api.exchange.coinbase.com",
}
# Headers that speak of one connection, or of bytes that are packed anew.
OWN_HEADERS = ("connection", "content-encoding", "content-length", "keep-alive",
               "transfer-encoding", "content-type")  # fmt: skip

Place = tuple[str, str, str]  # method, host, path


@dataclass(frozen=True)
class Recording:
    file: Path
    status: int
    headers: dict[str, str]
    params: dict[str, frozenset[str]]
    call: str = ""  # the method of a JSON-RPC call

    def agreement(self, params: dict[str, frozenset[str]], call: str) -> tuple[int, int] | None:
        """Parameters agreed on, then the fewest left over; None: no answer at all."""
        if self.call != call:
            return None
        for name in params.keys() | self.params.keys():
            ours, theirs = params.get(name), self.params.get(name)
            both = ours is not None and theirs is not None
            if ours != theirs and (name in IDENTITIES or (both and name in MEANINGS)):
                return None
        agreed = sum(params.get(name) == value for name, value in self.params.items())
        return agreed, agreed - len(self.params)


@dataclass
class Player:
    """Answers for every host from a folder of recordings."""

    recordings: dict[Place, list[Recording]]
    _missing: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, folder: Path, unreal: bool = False) -> Player:
        """Read the manifest. ValueError says what is wrong with it."""
        try:
            entries = orjson.loads((folder / "manifest.json").read_bytes())
        except OSError as error:
            raise ValueError(f"{folder}: no manifest.json ({error.strerror})") from None
        except orjson.JSONDecodeError as error:
            raise ValueError(f"{folder}: manifest.json is not JSON ({error})") from None
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise ValueError(f"{folder}: manifest.json is not a list of entries")
        found: dict[Place, list[Recording]] = {}
        for entry in entries:
            if unreal or entry.get("kind") not in UNREAL:
                place, recording = _read(entry, folder)
                found.setdefault(place, []).append(recording)
        return cls(found)

    @property
    def hosts(self) -> list[str]:
        recorded = {host for _, host, _ in self.recordings}
        return sorted(recorded | {name for name, own in SAME_SERVICE.items() if own in recorded})

    def answer(self, request: Request) -> Reply:
        host = SAME_SERVICE.get(request.host, request.host)
        place = request.method, host, request.path.rstrip("/")
        best = _best(self.recordings.get(place, []), request)
        if best is None:
            return self._miss(request)
        kind = best.headers.get("content-type") or mimetypes.guess_type(best.file)[0] or JSON
        headers = {name: v for name, v in best.headers.items() if name not in OWN_HEADERS}
        return Reply(best.status, best.file.read_bytes(), kind, headers)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return json_reply({"error": f"the sandbox was told to fail with {status}"}, status)

    def missing(self) -> list[dict[str, Any]]:
        """What was asked for in vain, and how often."""
        with self._lock:
            counted = list(self._missing.items())
        names = ("method", "host", "path", "query")
        return [dict(zip(names, asked, strict=True)) | {"times": n} for asked, n in counted]

    def _miss(self, request: Request) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in request.query)
        asked = request.method, request.host, request.path, query
        with self._lock:
            self._missing[asked] += 1
        return silence(f"no recorded answer to {' '.join(asked).strip()}")


def _read(entry: dict[str, Any], folder: Path) -> tuple[Place, Recording]:
    try:
        file = (folder / entry["file"]).resolve()
        parts = urlsplit(entry["url"])
        host = SAME_SERVICE.get(parts.netloc, parts.netloc)
        place = entry["method"].upper(), host, unquote(parts.path).rstrip("/")
        given = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **(entry["params"] or {})}
        status = int(entry["status"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"manifest.json: {entry!r:.200} ({error})") from None
    if not file.is_relative_to(folder.resolve()):
        raise ValueError(f"manifest.json: {entry['file']} lies outside the folder")
    headers = {name.lower(): str(value) for name, value in (entry.get("headers") or {}).items()}
    call = _rpc_method(str(entry.get("request_body") or ""))
    return place, Recording(file, status, headers, _values(given), call)


def _best(recordings: list[Recording], request: Request) -> Recording | None:
    params, call = _values(request.params), _rpc_method(request.body.decode(errors="replace"))
    rated = [(recording.agreement(params, call), recording) for recording in recordings]
    fitting = [(rate, recording) for rate, recording in rated if rate is not None]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None


def _values(params: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Every parameter as the set of words it lists: commas, or a JSON array, in any order."""
    return {
        name.lower(): frozenset(filter(None, re.split(r"[\s,\[\]\"]+", str(value).lower())))
        for name, value in params.items()
    }


def _rpc_method(body: str) -> str:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(document, dict) or "jsonrpc" not in document:
        return ""
    return str(document.get("method", ""))
