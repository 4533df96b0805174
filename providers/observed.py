"""
What providers last said of their limits, how fast each is used, and when it ends at that pace.

Kept in one cell per provider, shared by all processes. It is for people to see: what holds our
own calls back are the guards' windows, which learn from the same headers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from providers.models import Credential, Provider
from providers.ratelimits import MOST_S, Level, Observation, follow
from providers.resilience import Cell

MOST = 50  # limits of one provider that are remembered, the newest


@dataclass(frozen=True, slots=True)
class Known:
    """One limit of one key. Numbers that nobody told are None; times are aware, in UTC."""

    credential: str | None  # the key's label
    metric: str
    window_s: float | None
    limit: float | None
    remaining: float | None
    resets_at: datetime | None
    used_per_s: float | None
    exhausted_at: datetime | None
    source: str
    names: tuple[str, ...]
    observed_at: datetime


def _cell(provider: Provider) -> Cell:
    return Cell(f"ratelimits:{provider.slug}", ttl=MOST_S)


def note(
    provider: Provider,
    credential: Credential | None,
    seen: Sequence[Observation],
    clock: Callable[[], float] = time.time,
) -> None:
    """Remember what a reply said; nothing is written where it said nothing."""
    if not seen:
        return
    moment = clock()

    def after(stored: Any) -> tuple[dict[str, Any], None]:
        known = _levels(stored)
        for one in seen:
            key = f"{credential.label if credential else ''}|{one.metric}|{one.window_s or ''}"
            known[key] = follow(known.get(key), one, moment)
        newest = sorted(known.items(), key=lambda item: item[1].at)[-MOST:]
        return {key: asdict(level) for key, level in newest}, None

    _cell(provider).update(after)


def known(provider: Provider) -> list[Known]:
    """Every limit the provider told of lately, by key, metric and window."""
    return [_known(key, level) for key, level in sorted(_levels(_cell(provider).peek()).items())]


def _known(key: str, level: Level) -> Known:
    seen = level.seen
    resets = None if seen.resets_in_s is None else level.at + seen.resets_in_s
    return Known(
        key.partition("|")[0] or None,
        seen.metric,
        seen.window_s,
        seen.limit,
        seen.remaining,
        _time(resets),
        level.used_per_s,
        _time(level.exhausted_at()),
        seen.source,
        seen.names,
        datetime.fromtimestamp(level.at, UTC),
    )


def _time(moment: float | None) -> datetime | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC)


def _levels(stored: Any) -> dict[str, Level]:
    """What the store held; what another version wrote counts as nothing."""
    found = {}
    for key, value in stored.items() if isinstance(stored, dict) else ():
        try:
            seen = Observation(**{**value["seen"], "names": tuple(value["seen"]["names"])})
            found[key] = Level(seen, float(value["at"]), value["used_per_s"])
        except (TypeError, KeyError, ValueError):
            continue
    return found
