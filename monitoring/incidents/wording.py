"""How incidents are put into words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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


def title(
    members: Sequence[Seen], watched: int, *, fell: Collection[int] = (), of_ours: bool = False
) -> str:
    """
    Who is ill now, and only that; once nobody is, who was. `fell`: keys of those that were down
    since it began.
    """
    if of_ours:
        return f"{len(fell)} of {watched} went down at once: perhaps it is our own network"
    for status, one, several in _ILL:
        ill = [item.name for item in members if item.status is status and not item.excused]
        if ill:
            return _said(ill, one, several)
    if were_down := [item.name for item in members if item.key in fell]:
        return _said(were_down, "was down", "were down")
    return _said([item.name for item in members], *["answered slowly or in part"] * 2)


# The worst first.
_ILL = (
    (Status.DOWN, "is down", "are down"),
    (Status.DEGRADED, "answers slowly or in part", "answer slowly or in part"),
    (Status.UNKNOWN, "may be well again: nobody knows", "may be well again: nobody knows"),
)


def _said(of: Sequence[str], one: str, several: str) -> str:
    return f"{names(of)} {one if len(of) == 1 else several}"[:200]


def began(members: Sequence[Seen]) -> str:
    """What went wrong, one by one."""
    said = [
        f"{item.name}: {str(item.status).replace('_', ' ')} since {item.since:%H:%M} UTC"
        for item in members[:20]
    ]
    more = f"; and {len(members) - 20} more" if len(members) > 20 else ""
    return "; ".join(said) + more + "." if said else ""


def over(seconds: float, members: Sequence[Seen]) -> str:
    """What is paused or off did not come back: nobody looks."""
    if not members:
        return f"What it was about is deleted, after {span(seconds)}."
    off = [item.name for item in members if item.excused]
    if not off:
        return f"All of it works again, after {span(seconds)}."
    why = f"{names(off)} {'is' if len(off) == 1 else 'are'} paused, switched off or in maintenance"
    works = "The rest works again" if len(off) < len(members) else "Nothing of it is watched now"
    return f"{works}, after {span(seconds)}: {why}."
