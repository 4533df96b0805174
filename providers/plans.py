"""
What is known of a key's plan, and where it is kept: in its row, where it sets the key's windows.

A provider tells it on a path of its own (`providers.planning` asks) or in the headers of every
answer. What it did not tell is as the catalogue or an administrator says.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseIsOut
from django.utils.timezone import now

from providers import roster
from providers.adapters.base import Adapter, Reading
from providers.datasets import Allowance
from providers.models import Credential
from providers.wording import span

logger = logging.getLogger(__name__)

OFTEN = timedelta(minutes=10)  # headers that say something else each time are not believed oftener


def tells_plan(adapter: type[Adapter]) -> bool:
    """Is there a path that tells what a key may ask?"""
    return adapter.auth is not None and adapter.plan is not Adapter.plan


def keep(credential: Credential, told: Sequence[Allowance]) -> None:
    """From now on these are the key's windows, and so much is left of them."""
    moment = now()
    sound = [window for window in told if window.limit > 0]
    plan = next((window.plan for window in sound if window.plan), "")
    _store(credential, plan, [_row(window, moment) for window in sound], moment)
    Credential.objects.select_related("provider").get(pk=credential.pk).guard.learn(
        [
            Reading(w.per_s, used=w.used, limit=w.limit, resets_in_s=w.resets_in_s)
            for w in sound
            if w.used is not None
        ]
    )


def notice(credential: Credential, readings: Iterable[Reading]) -> None:
    """Headers told the limits of this key: keep them where they are other than we thought."""
    told = {reading.per_s: reading.limit for reading in readings if reading.limit}
    if not told:
        return
    ours = {window.per_s: window.limit for window in credential.windows}
    if all(ours.get(per_s) == limit for per_s, limit in told.items()):
        return
    moment = now()
    if credential.plan_read_at and moment < credential.plan_read_at + OFTEN:
        return
    # What was used, was used when it was told; from now on we count ourselves.
    known = {row["per_s"]: row | {"used": None} for row in credential.plan_limits}
    known |= {
        per_s: _row(Allowance(limit, per_s, None, None, None), moment)
        for per_s, limit in told.items()
        if limit
    }
    try:
        _store(credential, credential.plan, list(known.values()), moment)
    except DatabaseIsOut as out:
        logger.error("the database is out of reach, a plan is not kept yet: %s", out)


def _store(
    credential: Credential, plan: str, limits: list[dict[str, Any]], moment: datetime
) -> None:
    if limits != credential.plan_limits:
        said = ", ".join(f"{row['limit']:,.0f} in {span(row['per_s'])}" for row in limits)
        logger.info("%s: its plan is %s", credential, " ".join(filter(None, (plan, said))))
    credential.plan, credential.plan_limits = plan[:100], limits
    credential.plan_read_at = moment
    Credential.objects.filter(pk=credential.pk).update(
        plan=credential.plan, plan_limits=limits, plan_read_at=moment
    )
    roster.forget()


def _row(window: Allowance, moment: datetime) -> dict[str, Any]:
    resets_at = None
    if window.resets_in_s is not None:
        resets_at = (moment + timedelta(seconds=window.resets_in_s)).isoformat()
    return {
        "limit": float(window.limit),
        "per_s": float(window.per_s),
        "used": None if window.used is None else float(window.used),
        "resets_at": resets_at,
    }
