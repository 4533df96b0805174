"""What went wrong in the last 24 hours, how often, and what was done about it without anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.readings import Board
from monitoring.readouts import cooldown_until
from providers.models import Outcome
from providers.wording import outcome as in_words

SPAN = timedelta(hours=24)
# Nothing went wrong: it answered, it does not know what was asked for or its plan does not include
# it, or another was quicker.
NO_MISHAP = ("ok", "missing", "plan_limit", "cancelled")


@dataclass(frozen=True)
class Mishap:
    """Calls of one provider that failed alike; `message` is what the last of them said."""

    provider: str
    count: int
    type: str
    message: str
    last_at: datetime
    action: str


_ACTIONS = {
    "throttled": "Rested for as long as it asked",
    "blocked": "Not asked for hours",
    "bad_key": "The key was set aside alone; its other keys are used",
    "loading": "Given a moment to load",
    "dropped": "Asked again over a new connection",
}
_USUAL = "Rested, longer after each failure in a row"
_OTHERS = "others in line were asked."


def action(code: str, resting_until: datetime | None) -> str:
    """What was done about an error, by its code; `resting_until` is None for who is asked again."""
    if resting_until is not None:
        return f"Rests until {resting_until:%H:%M:%S} UTC; {_OTHERS.replace('were', 'are')}"
    return f"{_ACTIONS.get(code, _USUAL)}; {_OTHERS}"


def lately(board: Board) -> Sequence[Mishap]:
    """Of the providers that are watched, most frequent first."""
    watched = {
        item.provider.pk: item
        for item in board.readings.values()
        if item.provider is not None and item.is_watched
    }
    counts: dict[tuple[int, str], tuple[int, datetime, str]] = {}
    rows = (
        Outcome.objects.filter(hour__gte=board.at - SPAN)
        .exclude(outcome__in=NO_MISHAP)
        .order_by("hour")
        .values_list("provider_id", "outcome", "calls", "last_at", "detail")
    )
    for provider, outcome, calls, last_at, detail in rows:
        if provider not in watched:  # to name them all would cost more than to read a few more
            continue
        before = counts.get((provider, outcome))
        counts[provider, outcome] = (calls + (before[0] if before else 0), last_at, detail)
    found = [
        Mishap(
            provider=watched[provider].name,
            count=count,
            type=outcome,
            message=detail or in_words(outcome),
            last_at=last_at,
            action=action(outcome, cooldown_until(watched[provider], board.at)),
        )
        for (provider, outcome), (count, last_at, detail) in counts.items()
    ]
    return sorted(found, key=lambda one: (-one.count, one.provider, one.type))
