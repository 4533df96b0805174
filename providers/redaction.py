"""
Takes secrets out of text before anybody reads it: logs, error details, pages, reprs.

Two nets. What is known to be a secret (`hide` it once) goes wherever it stands, also URL-encoded,
escaped or in base64, so an upstream that echoes our key in its error body is harmless. What only
looks like one (a key-like parameter or header, userinfo, a bearer token, a well-known shape) goes
by pattern. Every pattern is linear in the length of the text.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 6  # a shorter secret would blank out innocent words

_lock = threading.Lock()
_hidden: set[str] = set()
_forms: tuple[str, ...] = ()  # every spelling of every hidden secret, longest first


def hide(secret: str) -> None:
    """From now on `redact` removes `secret`, however it is spelled; shorter than 6 is ignored."""
    global _forms
    if secret in _hidden or len(secret) < SHORTEST:
        return
    with _lock:
        _forms = tuple(sorted({*_forms, *_spellings(secret)}, key=len, reverse=True))
        _hidden.add(secret)


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    for encoded in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield encoded
        yield _TRIPLET.sub(lambda found: found[0].lower(), encoded)
    yield from _in_base64(secret.encode())


_TRIPLET = re.compile(r"%[0-9A-F]{2}")


def _in_base64(secret: bytes) -> Iterator[str]:
    """Base64 at each of the three alignments (Basic sends `user:secret`), safe alphabet or not."""
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + secret).decode()
        # Characters that also carry bits of a neighbour differ with the neighbour: leave them.
        sure = whole[-(-offset * 8 // 6) : (offset + len(secret)) * 8 // 6]
        if len(sure) >= SHORTEST:
            yield sure
            yield sure.translate(_URL_SAFE)


_URL_SAFE = str.maketrans("+/", "-_")

_NAME = (
    r"(?:[\w-]*(?:api[-_]?key|auth[-_]?key|token|secret|passw(?:or)?d|signature|authorization)"
    r"|[\w-]*[-_]key|key|cookie|set-cookie)"
)
_SCHEME = r"(?:(?:Bearer|Basic|Token|Digest|ApiKey)\s+)?"
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Userinfo: everything up to the last @ of the authority.
    (re.compile(r"://[^/\s?#]*@"), f"://{MASK}@"),
    # A member of JSON or of a Python dictionary.
    (
        re.compile(
            rf"""((?<![\w-])(["']){_NAME}\2\s*[:=]\s*b?)(["'])(?:\\.|(?!\3)[^\\])*\3""", re.I
        ),
        rf"\1\g<3>{MASK}\3",
    ),
    # A parameter, also inside an encoded address.
    (
        re.compile(
            rf"(?:(?<![\w-])|(?<=%26)|(?<=%3F))({_NAME}(?:=|%3D))[^&\s\"'#;,<>)\]}}]*", re.I
        ),
        rf"\1{MASK}",
    ),
    # A header line.
    (
        re.compile(
            rf"((?<![\w-])(?:[\w-]+-(?:key|token)|[\w-]*authorization|api_?key|(?:set-)?cookie)"
            rf":[ \t]*){_SCHEME}[^\s\"',]+",
            re.I,
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(bearer\s+)[\w.~+/=-]{8,}", re.I), rf"\1{MASK}"),
    (re.compile(r"\b(basic\s+)[\w+/=-]{16,}", re.I), rf"\1{MASK}"),
    # Shapes that only keys have: OpenAI and its kin, NVIDIA, CoinGecko, GitHub, Hugging Face, Groq,
    # Google (of either kind), Slack, AWS, Telegram bots, JSON web tokens.
    (
        re.compile(
            r"(?<![\w-])(?:c?sk-[\w-]{16,}|nvapi-[\w-]{16,}|AQ\.[\w-]{16,}|CG-\w{16,}|gh[pousr]_\w{20,}|hf_\w{20,}|gsk_\w{20,}"
            r"|AIza[\w-]{30,}|xox[a-z]-[\w-]{10,}|AKIA[0-9A-Z]{16}|(?:bot)?\d{8,10}:AA[\w-]{30,}"
            r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
        ),
        MASK,
    ),
)


def redact(text: str) -> str:
    """`text` without secrets; every one becomes `***`."""
    return _without_hidden(_by_pattern(_without_hidden(text)))


@lru_cache(maxsize=16)  # a line of a log comes by several times: every handler makes sure
def _by_pattern(text: str) -> str:
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _without_hidden(text: str) -> str:
    # Until nothing is left: a removal may join two halves of another secret. Each one shortens.
    while found := next((form for form in _forms if form in text), None):
        text = text.replace(found, MASK)
    return text


def names_a_secret(name: str) -> bool:
    """Whether a value of this name must not be shown: `apikey`, `Authorization`, `x-cg-api-key`."""
    return _SECRET_NAME.fullmatch(name) is not None
