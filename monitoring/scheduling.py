"""When an endpoint is checked next. Pure, but for the provider's limits it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zlib import crc32

from providers.datasets import PingQuery
from providers.models import Credential, Provider, Scope

# After a surprise we look again soon: two good checks or three bad ones should not take a quarter
# of an hour.
AGAIN_S = 30.0
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def affordable_s(
    provider: Provider, wanted_s: float, percent: float, key: Credential | None = None
) -> float:
    """
    The interval that spends at most `percent` of each rate limit of provider and key, and is not
    shorter than wanted, or than its adapter says: of 25 calls a day 5 % are one check in 19 hours.
    """
    cost = provider.adapter_class.cost(PingQuery())
    share = percent / 100
    windows = [*provider.windows(Scope.ADDRESS), *(key.windows if key else ())]
    least = [cost * window.per_s / (window.limit * share) for window in windows]
    return float(max([wanted_s, provider.adapter_class.check_every_s, *least]))


def slot_after(name: str, moment: datetime, interval_s: float) -> datetime:
    """
    The next turn of an endpoint. Each has a place of its own in the interval, by its name, so that
    they do not all go out at once; a turn that comes at once after a check is skipped.
    """
    jitter_s = crc32(name.encode()) / 2**32 * interval_s
    earliest_s = (moment - EPOCH).total_seconds() + interval_s / 2 - jitter_s
    number = -(-earliest_s // interval_s)
    return EPOCH + timedelta(seconds=number * interval_s + jitter_s)


def next_due(
    name: str,
    moment: datetime,
    interval_s: float,
    *,
    wanted_s: float,
    unsettled: bool = False,
    resting_s: float | None = None,
    least_s: float = 0.0,
    again_s: float = AGAIN_S,
) -> datetime:
    """
    Its turn, or earlier: as soon as a rest is over, so that the check is the probe that ends it,
    and soon, in `again_s`, where a verdict is `unsettled`. Two questions are never less than
    `least_s` apart, which is what its quota allows, whatever they find.
    """
    due = slot_after(name, moment, interval_s)
    if resting_s is not None:  # it was not asked, so nothing was spent
        return min(due, moment + timedelta(seconds=min(max(resting_s, 1.0), wanted_s) + 0.5))
    if unsettled:
        due = min(due, moment + timedelta(seconds=min(again_s, interval_s)))
    return max(due, moment + timedelta(seconds=least_s))
