"""
How everything is, in one answer that is cheap enough to be asked for every three seconds by
hundreds: GET /api/system/status, and the drawer on every page. Asks no upstream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection
from django.utils.timezone import now as current_time

from aggregator import readouts as gateway
from monitoring import machine, mishaps, readings, readouts
from monitoring.aimodels_readout import ai_models
from monitoring.histograms import Summary
from monitoring.incidents import showing
from monitoring.incidents.models import Incident
from monitoring.mishaps import Mishap
from monitoring.readings import Board
from providers import known
from providers.roster import Remembered
from providers.standing import Status

READ_S = GRACE_S = 0.5
SLOW_S, SLOW_GRACE_S = 5.0, 15.0

USABLE = frozenset([Status.HEALTHY, Status.DEGRADED, Status.RATE_LIMITED])
ILL = frozenset([Status.DOWN, Status.MISCONFIGURED])


@dataclass(frozen=True)
class Beside:
    """What is told beside the providers, and changes slowly or is dearer to find out."""

    entries: int | None
    resources: Mapping[str, Any]
    online: Mapping[str, int]  # resources that answer, by category
    mishaps: tuple[Mishap, ...]
    cache_hit_rate: float | None
    machine: Mapping[str, Any]
    ai_models: Mapping[str, Any]


@dataclass(frozen=True)
class System:
    """Everything at one moment."""

    board: Board
    beside: Beside
    body: Mapping[str, Any]  # as the API tells it
    banner: tuple[str, str]  # a code and a sentence: never well while an incident is open


def now() -> System:
    """How everything is, as read at most a second ago."""
    return _now.get()


def forget() -> None:
    _now.forget()
    _beside.forget()
    _open.forget()


def overall(statuses: Iterable[Status]) -> str | None:
    """The whole, judged by what is watched; None where nothing is known of any. Pure."""
    counted = [status for status in statuses if status is not Status.DISABLED]
    usable = sum(status in USABLE for status in counted)
    ill = sum(status in ILL for status in counted)
    if not usable:
        return "offline" if ill else None
    if ill:
        return "partial"
    poor = any(s not in (Status.HEALTHY, Status.MAINTENANCE) for s in counted)
    return "degraded" if poor else "online"


def performance(board: Board, hit_rate: float | None) -> dict[str, Any]:
    """Of the checks of 24 hours; the fastest is of those that are well now."""
    whole = Summary()
    day = readings.figures("24h")
    watched = [item for item in board.readings.values() if item.is_watched]
    for item in watched:
        whole.merge(day.get(item.endpoint.pk, readouts.EMPTY))
    timed = [
        (item.health.response_time_ms, item.name)
        for item in watched
        if item.status is Status.HEALTHY and item.health.response_time_ms is not None
    ]
    fastest_ms, fastest = min(timed, default=(None, None))
    return {
        "avg_response_ms": readouts.rounded(whole.avg_ms),
        "p95_response_ms": readouts.rounded(whole.percentile(0.95)),
        "fastest_provider": fastest,
        "fastest_time_ms": readouts.rounded(fastest_ms),
        "cache_hit_rate": hit_rate,
    }


def _read() -> System:
    board, beside, moment = readings.board(), _beside.get(), current_time()
    items = board.readings.values()
    # By this moment's clock: without a database the board is as old as the outage.
    is_stale = board.newest is None or moment - board.newest > board.stale_after
    body = {
        "overall_health": None if is_stale else overall(item.status for item in items),
        "providers_detailed": readouts.every_stats(board),
        "ai_models": beside.ai_models,
        "infrastructure": {
            "database_status": "online" if gateway.database_is_online(connection) else "offline",
            "database_entries": beside.entries,
            **gateway.worker(moment),
            "websocket_active": False,  # there is none
        },
        "resource_breakdown": beside.resources,
        "error_details": [_told(one) for one in beside.mishaps],
        "performance": performance(board, beside.cache_hit_rate),
        "resources": beside.machine,
        "timestamp": moment,
    }
    return System(board, beside, body, banner(board, _open.get()))


def banner(board: Board, open_rows: Sequence[Incident]) -> tuple[str, str]:
    """The whole in a code and a sentence; never well while an incident is open."""
    return showing.banner(*readouts.banner(board.readings.values(), board), open_rows)


def _told(one: Mishap) -> dict[str, Any]:
    said = asdict(one)
    del said["last_at"]
    return said


def _read_beside() -> Beside:
    board, moment = readings.board(), current_time()
    catalogue = known.everything(board.just_read)
    return Beside(
        entries=gateway.shelf_size(),
        resources={
            "total": len(catalogue),
            "by_source": known.count(entry.source for entry in catalogue),
            "by_category": known.count(entry.category for entry in catalogue),
        },
        online=known.count(entry.category for entry in catalogue if entry.status in USABLE),
        mishaps=tuple(mishaps.lately(board)),
        cache_hit_rate=gateway.cache_hit_rate(moment),
        machine=machine.load(),
        ai_models=ai_models(),
    )


_now = Remembered(_read, READ_S, grace=GRACE_S)
# Apart from what is slow, so that no banner is well for five seconds more.
_open = Remembered(lambda: list(showing.incidents("open")), READ_S, grace=GRACE_S)
_beside = Remembered(_read_beside, SLOW_S, grace=SLOW_GRACE_S)
