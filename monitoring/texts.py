"""Texts of strangers, made fit to stand in a line of ours. Pure."""

from __future__ import annotations

import re

from providers.redaction import redact

# Control characters, also those that break or turn lines: nobody writes a header with them; and
# halves of pairs, which nobody can write at all.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
LINE = 400


def clean(text: str, most: int = LINE) -> str:
    """On one line, without control characters and secrets, and not too long."""
    plain = " ".join(_CONTROL.sub(" ", redact(text)).split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
