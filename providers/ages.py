"""How old what a provider sent is when it arrives. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

# Where a row says of when it is. The `time` of a candle or of a point in history is none of these:
# it is as old as the question wants it.
SAYS_WHEN = ("last_updated", "published_at")
AHEAD_S = 60.0  # a row of the future has a clock that is wrong, and tells nothing


def newest_age_s(rows: Sequence[Any], now: datetime) -> float | None:
    """Seconds since the newest row was true; None when none of them says so."""
    here = now.timestamp()
    ages = [
        here - moment.timestamp()
        for row in rows
        for name in SAYS_WHEN
        if (moment := getattr(row, name, None)) is not None
    ]
    credible = [age for age in ages if age >= -AHEAD_S]
    return max(0.0, min(credible)) if credible else None
