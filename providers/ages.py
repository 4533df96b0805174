"""How old what a provider sent is when it arrives. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

# Where a row says of when it is. The `time` of a candle or of a point in history is none of these:
# it is as old as the question wants it.
SAYS_WHEN = ("last_updated", "published_at")
# A row of the future has a clock that is wrong, and tells nothing.
AHEAD = timedelta(seconds=60)


def newest_age_s(rows: Sequence[Any], now: datetime) -> float | None:
    """Seconds since the newest row, all of one record, was true; None when none of them says so."""
    names = [name for name in SAYS_WHEN if rows and hasattr(rows[0], name)]
    moments = [moment for name in names for row in rows if (moment := getattr(row, name))]
    latest = now + AHEAD
    credible = [moment for moment in moments if moment <= latest]
    return max(0.0, (now - max(credible)).total_seconds()) if credible else None
