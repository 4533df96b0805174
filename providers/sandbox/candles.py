"""Which candles an answer holds: the rules that exchanges share, as arithmetic on moments."""

from __future__ import annotations

from datetime import UTC, datetime

from providers.sandbox.market import DAY_S, EARLIEST

WEEK_S = 7 * DAY_S
MONTH = -1  # calendar months have no length of their own
MONDAY = 4 * DAY_S  # 1970-01-05, the first Monday: weeks open then


def opening(moment: float, interval: int, offset: int | None = None) -> int:
    """
    When the candle that holds `moment` opened (Unix seconds).

    Weeks open on Monday, unless `offset` (seconds after 1970-01-01) says otherwise.
    """
    if interval == MONTH:
        date = datetime.fromtimestamp(moment, UTC)
        return int(datetime(date.year, date.month, 1, tzinfo=UTC).timestamp())
    if offset is None:
        offset = MONDAY if interval == WEEK_S else 0
    return int(moment - (moment - offset) % interval)


def next_opening(start: int, interval: int) -> int:
    if interval == MONTH:
        return opening(start + 32 * DAY_S, MONTH)
    return start + interval


def window(
    interval: int,
    now: float,
    *,
    limit: int,
    start: float | None = None,
    end: float | None = None,
    offset: int | None = None,
) -> list[tuple[int, int]]:
    """
    (opening, closing) of candles that open in [start, end], ascending.

    With a start the oldest `limit` of them, else the newest. The last one may still be running.
    """
    newest = opening(min(now, now if end is None else end), interval, offset)
    oldest = max(EARLIEST, EARLIEST if start is None else start)
    if start is None and interval != MONTH:
        oldest = max(oldest, newest - (limit - 1) * interval)
    first = opening(oldest, interval, offset)
    if first < oldest:
        first = next_opening(first, interval)
    found: list[tuple[int, int]] = []
    while first <= newest and (start is None or len(found) < limit):
        following = next_opening(first, interval)
        found.append((first, following))
        first = following
    return found if start is not None else found[-limit:]
