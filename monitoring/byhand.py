"""Checks at somebody's word: now, whether it is their turn or not, and never beside another run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import ClassVar

from django.db import connections
from django.utils.timezone import now as current_time

from monitoring import cycle, leases, prepared, readings, roll
from monitoring.models import Endpoint, Plan
from providers import calls
from providers.errors import GatewayError
from providers.health import Health

logger = logging.getLogger("monitoring.checks")


class Overlap(GatewayError):
    """Somebody is checking one of these at this moment."""

    code: ClassVar[str] = "check_running"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "A check is running already"


def start(names: Sequence[str] | None = None) -> list[str]:
    """
    Begin checking these endpoints, or all of providers; their names. Raises Overlap, and then
    checks none.
    """
    roll.sync()
    rows = Endpoint.objects.select_related("health__provider", "health__resource")
    rows = rows.of_providers() if names is None else rows.filter(health__name__in=names)
    wanted = list(rows)
    claimed = leases.claim(wanted, current_time())
    if len(claimed) < len(wanted):
        leases.release(claimed)
        busy = sorted({row.health.name for row in wanted} - {row.health.name for row in claimed})
        raise Overlap(f"At this moment {', '.join(busy[:5])} is being checked.")
    threading.Thread(target=_check, args=(claimed,), name="check-now", daemon=True).start()
    return [row.health.name for row in claimed]


def at_once(name: str) -> Health:
    """Check one endpoint while the caller waits; its health after that. Raises Overlap."""
    row = Endpoint.objects.select_related("health__provider", "health__resource").get(
        health__name=name
    )
    claimed = leases.claim([row], current_time())
    if not claimed:
        raise Overlap(f"At this moment {name} is being checked.")
    cycle.check(claimed, Plan.current())
    calls.flush()
    prepared.roll_up(current_time())
    readings.forget()
    return Health.objects.get(name=name)


def _check(claimed: list[Endpoint]) -> None:
    """In a thread of its own; if the process dies before the end, the leases run out."""
    try:
        # In batches, as leases last for one: what follows is claimed anew.
        for first in range(0, len(claimed), cycle.BATCH):
            batch = claimed[first : first + cycle.BATCH]
            if first:
                leases.release(batch)
                batch = leases.claim(batch, current_time())
            cycle.check(batch, Plan.current())
        calls.flush()
        prepared.roll_up(current_time())
        readings.forget()
    except Exception:
        logger.exception("checks by hand ended early; what was not checked is due as ever")
    finally:
        connections.close_all()
