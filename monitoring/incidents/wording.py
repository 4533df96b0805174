"""How incidents are put into words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.incidents.rules import Seen
from providers.standing import Status
from providers.wording import span

NAMED = 3  # more are counted

FLAPPING = (
    "It comes and goes. Nothing more is said of it until it was well for half an hour, or"
    " somebody writes something."
)


def names(of: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b, c and 4 more'."""
    if len(of) > NAMED + 1:
        return f"{', '.join(of[:NAMED])} and {len(of) - NAMED} more"
    return " and ".join(filter(None, [", ".join(of[:-1]), *of[-1:]]))


def title(members: Sequence[Seen], watched: int, *, of_ours: bool = False) -> str:
    down = [item.name for item in members if item.status is Status.DOWN]
    if of_ours:
        return f"{len(down)} of {watched} went down at once: perhaps it is our own network"
    if down:
        return f"{names(down)} {'is' if len(down) == 1 else 'are'} down"[:200]
    poor = [item.name for item in members]
    return f"{names(poor)} {'answers' if len(poor) == 1 else 'answer'} slowly or in part"[:200]


def began(members: Sequence[Seen]) -> str:
    """What went wrong, one by one."""
    said = [
        f"{item.name}: {str(item.status).replace('_', ' ')} since {item.since:%H:%M} UTC"
        for item in members[:20]
    ]
    more = f"; and {len(members) - 20} more" if len(members) > 20 else ""
    return "; ".join(said) + more + "." if said else ""


def over(seconds: float) -> str:
    return f"All of it works again, after {span(seconds)}."
