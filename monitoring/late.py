"""
What checks found while the database could not take it: kept on disk, and written when it is back,
in order, none lost and none twice.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, Error, InterfaceError, OperationalError

from monitoring import recording
from monitoring.buffer import Buffer
from monitoring.health import Finding, Rules
from monitoring.models import Endpoint, Source
from monitoring.probing import Found
from monitoring.recording import Checked

logger = logging.getLogger("monitoring.checks")


def buffer() -> Buffer:
    return Buffer(settings.DATA_DIR / "unwritten")


def keep(batch: Sequence[Checked]) -> None:
    """Until the database takes them. What the disk does not take either is lost, and we say so."""
    try:
        buffer().append([_to_line(item) for item in batch])
    except OSError as error:
        logger.error("%d results are lost, as the disk took none: %s", len(batch), error)
    else:
        logger.warning("%d results are kept on disk until the database is back", len(batch))


def deliver() -> int:
    """Write what was kept; how many. Nothing is lost when the database is out of reach again."""
    waiting = buffer()
    try:
        written = waiting.take(_write)
    except OSError as error:  # checks go on without what cannot be read
        logger.error("results that were kept on disk cannot be taken: %s", error)
        return 0
    if written and (dropped := waiting.tell_dropped()):
        logger.error("%d results were lost: more were waiting than there is room for", dropped)
    if written:
        logger.info("%d results that were kept on disk are written", written)
    return written


def _write(lines: list[str]) -> None:
    batch = [item for item in map(_from_line, lines) if item is not None]
    try:
        recording.write_late(batch)
    except (OperationalError, InterfaceError):
        raise  # it is away again: they stay where they are
    except DatabaseError:
        logger.exception("kept results are refused; trying them one by one")
        for item in batch:
            _write_one(item)


def _write_one(item: Checked) -> None:
    """One that the database will never take must not hold up all that come after it."""
    try:
        recording.write_late([item])
    except (OperationalError, InterfaceError):
        raise
    except Error:
        logger.exception("a kept result of endpoint %s is refused and lost", item.endpoint.pk)


# -- As text -----------------------------------------------------------------------------------


def _to_line(item: Checked) -> str:
    row, found = item.endpoint, item.found
    said = asdict(found) | {"at": found.at.isoformat()}
    rules = asdict(item.rules) | {"fresh_for": item.rules.fresh_for.total_seconds()}
    return json.dumps(
        {
            "endpoint": row.pk,
            "health": row.health_id,
            "run": row.lease_token,
            "next_due": item.next_due.isoformat(),
            "found": said,
            "rules": rules,
        }
    )


def _from_line(line: str) -> Checked | None:
    """None for a line that was torn when somebody was killed."""
    try:
        kept: dict[str, Any] = json.loads(line)
        return Checked(
            Endpoint(pk=kept["endpoint"], health_id=kept["health"], lease_token=kept["run"]),
            _found(kept["found"]),
            Rules(**kept["rules"] | {"fresh_for": timedelta(seconds=kept["rules"]["fresh_for"])}),
            datetime.fromisoformat(kept["next_due"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        logger.error("a kept result cannot be read and is lost: %s", error)
        return None


def _found(said: dict[str, Any]) -> Found:
    return Found(
        **said
        | {
            "at": datetime.fromisoformat(said["at"]),
            "finding": Finding(said["finding"]),
            "source": Source(said["source"]),
        }
    )
