"""
Server-sent events, as far as language models use them:
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

DONE = "[DONE]"  # OpenAI's last word


class Event(NamedTuple):
    name: str  # "" where it has none
    data: str


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Events with data; comments, which keep the line open, and other fields are passed over."""
    name, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Event(name, "\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
    if data:  # its last blank line is missing
        yield Event(name, "\n".join(data))
