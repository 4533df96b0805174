"""
Is it our own network? It is when nobody answers at all: neither those whose turn it is, nor those
who were heard last, nor anybody that a visitor asked. Then no verdict moves, and no alert opens for
what failed meanwhile; and when it is over, nobody rests on for it.

Who stands in our own network (a language model of one's own) says nothing of the way out of it,
unless everybody does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from django.db import Error as DatabaseIsOut
from django.db.models import F, Max

from monitoring import network, probing, scheduling
from monitoring.health import Finding
from monitoring.models import Endpoint, Plan, Source
from monitoring.parallel import in_parallel
from monitoring.probing import Found
from providers import calls, roster
from providers.addresses import is_own
from providers.errors import CircuitOpen
from providers.health import Health, Kind
from providers.models import Call, Provider
from providers.resilience import standings
from providers.standing import Status

logger = logging.getLogger("monitoring.checks")

LEAST = 3  # so few may well be down together; with more it is our own network
LATELY = timedelta(seconds=60)
LOOKED_BACK = timedelta(minutes=10)  # for the last word of anybody
OUR_NETWORK = "nobody answers: it seems to be our own network"
COMING_BACK = "silent while our own network came back"
_UNHEARD = [*probing.NETWORK, "cancelled"]
_IN_VAIN = [*probing.NETWORK, CircuitOpen.code]

Clock = Callable[[], datetime]
Pairs = Sequence[tuple[Endpoint, Found]]


def judged(pairs: Pairs, plan: Plan, began: datetime, clock: Clock) -> list[Found]:
    """What was found of a batch, in the light of whether it was our own network."""
    found = [item for _, item in pairs]
    ours = _is_ours(pairs, plan, began, clock)
    if ours:
        _hold(clock())
        return [_left_open(item, OUR_NETWORK) if item.is_silence else item for item in found]
    if ours is False and _over(clock()):
        return [
            replace(_left_open(item, COMING_BACK), wait_s=None) if item.is_silence else item
            for item in found
        ]
    return found


def listen(plan: Plan, clock: Clock) -> None:
    """
    Do visitors hear of nobody, or did nobody answer the last time? Then ask those who were heard
    last, whosever turn it is: alerts are looked at every minute, and checks may be rarer.
    """
    moment, was_out = clock(), network.known_to_be_out()
    if not was_out and not _is_silent_lately(moment):
        return
    witnesses = _witnesses(plan, moment, but=())
    if was_out:  # they rest for it, and else nobody would be asked for up to a quarter of an hour
        _excuse(witnesses)
    said = _asked(witnesses, plan, clock)
    if any(item.reached for item in said):
        _over(clock())
    elif sum(item.is_silence for item in said) >= LEAST:
        _hold(clock())


# -- Who is heard ------------------------------------------------------------------------------


def _is_ours(pairs: Pairs, plan: Plan, began: datetime, clock: Clock) -> bool | None:
    """None: this batch says nothing, as nobody in it was asked, or too few were silent."""
    own = _in_our_network()
    pairs = [(row, item) for row, item in pairs if row.health.provider_id not in own]
    if any(_speaks_now(item) for _, item in pairs):
        return False
    silent = [row for row, item in pairs if item.is_silence and not _was_silent_before(row)]
    if not silent:
        return None
    if _last_word(began, None, but=own) is not None:
        return False
    if all(_is_resource(row) for row, _ in pairs) and _a_provider_is_well(began):
        return False
    asked = {row.health.provider_id for row, _ in pairs}
    said = _asked(_witnesses(plan, began, but=asked), plan, clock)
    if any(item.reached for item in said):
        return False
    is_enough = len(silent) + sum(item.is_silence for item in said) >= LEAST
    return True if is_enough else None


def _speaks_now(item: Found) -> bool:
    """What visitors were told before is no word of this moment; what they are, is in the calls."""
    return bool(item.reached) and item.source is Source.PROBE


def _asked(witnesses: Sequence[Provider], plan: Plan, clock: Clock) -> list[Found]:
    return in_parallel(partial(probing.probe, row, plan.timeout_s, clock()) for row in witnesses)


def _witnesses(plan: Plan, moment: datetime, *, but: Collection[int | None]) -> list[Provider]:
    """
    Who may be asked to make sure: those that were heard last. What is silent anyway says nothing of
    our network, and would for ever hold the verdict on whoever goes down beside it. Before all who
    may be asked every minute within their share of a quota.
    """
    unfit, heard = {*but, *_in_our_network()}, _heard_last()
    rows = [row for row in roster.current().providers if row.pk not in unfit]
    if heard is not None:
        places = {pk: place for place, pk in enumerate(heard)}
        rows = sorted((row for row in rows if row.pk in places), key=lambda row: places[row.pk])
    rows.sort(key=lambda row: _is_dear(row, plan))
    able = (row for row in rows if probing.excused(row, moment) is None)
    return list(islice(able, LEAST))


def _is_dear(row: Provider, plan: Plan) -> bool:
    key = next(iter(roster.current().keys_of(row)), None)
    share_s = scheduling.affordable_s(row, 0.0, plan.quota_percent, key)
    return share_s > LATELY.total_seconds()


def _heard_last() -> list[int | None] | None:
    """
    Providers that are not known to be down and silent: those that said anything at their last check
    before those that did not, by when that was. None: nobody can say.
    """
    rows = Health.objects.exclude(provider=None).exclude(status=Status.DOWN, endpoint_up=False)
    spoke, when = (F(name).desc(nulls_last=True) for name in ("endpoint_up", "heard_at"))
    rows = rows.order_by(spoke, when)
    try:
        return list(rows.values_list("provider", flat=True))
    except DatabaseIsOut as error:
        logger.error("the database is out of reach: %s", error)
        return None


def _in_our_network() -> frozenset[int]:
    """Providers with an address of our own network; nobody, where all have one."""
    switched_on = [row for row in roster.current().providers if row.enabled]
    near = frozenset(row.pk for row in switched_on if is_own(row.address))
    return near if len(near) < len(switched_on) else frozenset()


def _is_resource(row: Endpoint) -> bool:
    return row.health.kind == Kind.RESOURCE


def _was_silent_before(row: Endpoint) -> bool:
    """Many resources are gone for good: that these are silent says nothing of our network."""
    return _is_resource(row) and row.health.status == Status.DOWN


def _a_provider_is_well(moment: datetime) -> bool:
    """Was one found healthy a moment ago? Then nobody is asked on account of a resource."""
    well = Health.objects.exclude(kind=Kind.RESOURCE).filter(status=Status.HEALTHY)
    try:
        return well.filter(heard_at__gt=moment - LATELY).exists()
    except DatabaseIsOut as error:
        logger.error("the database is out of reach: %s", error)
        return False


def _last_word(
    start: datetime, end: datetime | None, *, but: Collection[int] = frozenset()
) -> datetime | None:
    """When anybody was heard last since then, by visitors or checks, were it with an error."""
    try:
        calls.flush()
        rows = Call.objects.filter(at__gte=start).exclude(provider__in=but)
        if end is not None:
            rows = rows.filter(at__lte=end)
        heard: datetime | None = rows.exclude(outcome__in=_UNHEARD).aggregate(at=Max("at"))["at"]
    except DatabaseIsOut as error:  # then those who are asked to make sure decide alone
        logger.error("the database is out of reach: %s", error)
        return None
    return heard


def _is_silent_lately(moment: datetime) -> bool:
    """
    Was anybody silent since the last word of any? One is enough to make sure: who is asked first
    may be the only one that is, and rests from then on.
    """
    own, earliest = _in_our_network(), moment - 2 * LATELY
    since = _last_word(earliest, moment, but=own) or earliest
    rows = Call.objects.filter(at__gt=since, at__lte=moment, outcome__in=probing.NETWORK)
    return rows.exclude(provider__in=own).exists()


# -- What follows ------------------------------------------------------------------------------


def _left_open(found: Found, why: str) -> Found:
    return replace(found, finding=Finding.NOTHING, reason=why)


def _hold(moment: datetime) -> None:
    logger.warning(OUR_NETWORK)
    earliest = moment - LOOKED_BACK
    since = _last_word(earliest, moment, but=_in_our_network()) or earliest
    network.hold(moment, since)


def _over(moment: datetime) -> bool:
    """Somebody answers; True when nobody did the last time. Then everybody is asked again."""
    if not network.end(moment):
        return False
    logger.warning("somebody answers again: our own network is back")
    _excuse(roster.current().providers)
    in_vain = Endpoint.objects.free(moment).filter(health__outcome__in=_IN_VAIN)
    try:
        in_vain.filter(next_due__gt=moment).update(next_due=moment)
    except DatabaseIsOut as error:
        logger.error("the database is out of reach: %s", error)
    return True


def _excuse(rows: Sequence[Provider]) -> None:
    """No failure that they had meanwhile was theirs. What they said themselves (a 429) stands."""
    catalogue = roster.current()
    guards = [
        guard
        for row in rows
        for guard in (row.guard, *(key.guard for key in catalogue.keys_of(row)))
    ]
    known = standings([guard.name for guard in guards])
    for guard in guards:
        if known[guard.name].circuit.failures:
            guard.excuse()
