"""What the API and pages say of endpoints: rows and figures as plain values."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from monitoring import numbers, readings
from monitoring.histograms import Summary
from monitoring.numbers import Numbers
from monitoring.readings import Board, Reading
from providers import observed
from providers.resilience import Phase
from providers.standing import Status

EMPTY = Summary()


def rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)


def status_row(item: Reading, summary: Summary) -> dict[str, Any]:
    """One endpoint as /api/providers/status tells it."""
    health = item.health
    return {
        "status": item.status,
        "reason": item.reason,
        "since": health.since,
        "response_time_ms": rounded(health.response_time_ms),
        "uptime_percent": summary.uptime_percent,
        "rate_limit_percent": item.rate_limit_percent,
        "last_check": health.checked_at,
        "error_message": health.error_message or None,
        "consecutive_failures": health.failures,
        "latency": {
            "min": rounded(summary.min_ms),
            "max": rounded(summary.max_ms),
            "avg": rounded(summary.avg_ms),
            "p50": rounded(summary.percentile(0.5)),
            "p95": rounded(summary.percentile(0.95)),
        },
        "endpoint_up": health.endpoint_up,
        "credential_valid": health.credential_valid,
        "kind": health.kind,
    }


Rows = Mapping[str, Mapping[str, Any]]
# By window, the last rows and what they were made of: hundreds who poll share them.
_made: dict[str, tuple[Board, Mapping[int, Summary], Rows]] = {}


def rows(board: Board, window: str, kind: str | None = None) -> Rows:
    """Every endpoint, or those of a kind, by name."""
    summed = readings.figures(window)
    made = _made.get(window)
    if made is None or made[0] is not board or made[1] is not summed:
        told = {
            name: status_row(item, summed.get(item.endpoint.pk, EMPTY))
            for name, item in board.readings.items()
        }
        made = _made[window] = board, summed, told
    return {name: row for name, row in made[2].items() if kind in (None, row["kind"])}


def system(board: Board) -> dict[str, Any]:
    """GET /api/providers/health: how the watch itself is."""
    paused = board.plan.paused
    if board.newest is None:
        status = "no checks yet"
    elif paused:
        status = "paused"
    else:
        status = "stale" if board.is_stale else "healthy"
    return {
        "status": status,
        "providers_monitored": sum(item.is_watched for item in board.readings.values()),
        "check_interval_minutes": round(board.plan.interval_s / 60, 2),
        "running": not board.is_stale and not paused,
        "last_check": board.newest,
    }


# -- One provider's numbers --------------------------------------------------------------------


def stats(item: Reading, board: Board, of: Numbers) -> dict[str, Any]:
    """GET /api/providers/{name}/stats: of the calls of the last seven days, whoever made them."""
    provider = item.provider
    return {
        "name": item.name,
        "status": item.status,
        "reason": item.reason,
        "priority": provider.priority if provider else None,
        "response_time_ms": rounded(item.health.response_time_ms),
        "success_rate": of.success_rate,
        "total_requests": of.total,
        "failure_count": of.verdicts - of.ok,
        "consecutive_failures": item.health.failures,
        "rate_limit_hits": of.limited,
        "last_success": of.last_ok,
        "last_failure": of.last_failure,
        "cooldown_until": cooldown_until(item, board.at),
        "rate_limit_percent": item.rate_limit_percent,
        "quota_exhausted_at": (
            readings.quota_exhausted_at(provider, of.used_per_s, board.at, board.standings)
            if provider
            else None
        ),
    }


def stats_of_one(item: Reading, board: Board, of: Numbers) -> dict[str, Any]:
    """The same, and what it says of its limits: that takes a look into the store."""
    said = observed.known(item.provider) if item.provider else []
    return stats(item, board, of) | {"rate_limits": [asdict(limit) for limit in said]}


def cooldown_until(item: Reading, moment: datetime) -> datetime | None:
    """Until when a provider rests; None for one that may be asked."""
    if item.provider is None or item.standing is None:
        return None
    if item.provider.guard.phase(item.standing) is not Phase.OPEN:
        return None
    until = item.standing.circuit.open_until
    return datetime.fromtimestamp(until, moment.tzinfo) if until else None


def every_stats(board: Board) -> list[dict[str, Any]]:
    """Of every endpoint, by name."""
    known = numbers.by_provider()
    return [
        stats(item, board, known.get(item.health.provider_id or 0, numbers.NOTHING))
        for item in board.readings.values()
    ]


# -- CSV ---------------------------------------------------------------------------------------

COLUMNS = (
    "provider_name",
    "status",
    "response_time_ms",
    "uptime_percent",
    "rate_limit_percent",
    "last_check_timestamp",
    "consecutive_failures",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file for `csv.writer` that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def csv_lines(told: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The lines of the export, best uptime first, then fastest; what is unknown comes last."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for name in sorted(told, key=lambda name: _order(told[name], name)):
        row = told[name]
        last = row["last_check"]
        yield writer.writerow(
            [
                harmless(name),
                str(row["status"]),
                *(row[n] for n in ("response_time_ms", "uptime_percent", "rate_limit_percent")),
                "" if last is None else last.isoformat(timespec="seconds").replace("+00:00", "Z"),
                row["consecutive_failures"],
            ]
        )


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _order(row: Mapping[str, Any], name: str) -> tuple[float, float, str]:
    uptime, ms = row["uptime_percent"], row["response_time_ms"]
    return (
        -uptime if uptime is not None else 1.0,
        ms if ms is not None else float("inf"),
        name,
    )


# -- The whole ---------------------------------------------------------------------------------


def banner(items: Iterable[Reading], board: Board) -> tuple[str, str]:
    """
    The worst of what is watched, as a code and a sentence. Never well on old checks: then nobody
    knows.
    """
    watched = [item for item in items if item.is_watched]
    if board.newest is None:
        return "none", "No checks yet"
    if board.is_stale:
        return "unknown", "Nothing has been checked for three intervals"
    ill = [i for i in watched if i.status in (Status.DOWN, Status.MISCONFIGURED)]
    poor = [i for i in watched if i.status in (Status.DEGRADED, Status.RATE_LIMITED)]
    unsure = [i for i in watched if i.status is Status.UNKNOWN]
    if not watched:
        return "none", "Everything is switched off"
    if ill and len(ill) == len(watched):
        return "down", "Nothing works"
    if ill:
        return "down", f"{len(ill)} of {len(watched)} {_do(len(ill))} not work"
    if poor:
        return "degraded", f"{len(poor)} of {len(watched)} {_work(len(poor))} slowly or in part"
    if unsure:
        return "unknown", f"{len(unsure)} of {len(watched)} {_is(len(unsure))} unknown"
    return "healthy", f"All {len(watched)} work"


def _do(number: int) -> str:
    return "does" if number == 1 else "do"


def _work(number: int) -> str:
    return "works" if number == 1 else "work"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
