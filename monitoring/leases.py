"""
Who checks what: an endpoint is claimed by a conditional UPDATE, so never two runs of one check,
however many workers, loops and machines there are. https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
says why the token: whoever was overtaken while it slept must not write.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitoring.models import Endpoint

LEASE = timedelta(seconds=90)  # longer than a batch may take: see `cycle`


def claim_due(moment: datetime, most: int) -> list[Endpoint]:
    """
    Up to `most` endpoints of providers whose turn it is, now ours; each has its new `lease_token`.
    """
    candidates = Endpoint.objects.due(moment).of_providers().select_related("health__provider")
    return [row for row in candidates[:most] if _claim(row, moment, only_due=True)]


def claim_due_resources(moment: datetime, most: int) -> list[Endpoint]:
    """The same of resources."""
    candidates = Endpoint.objects.due(moment).of_resources().select_related("health__resource")
    return [row for row in candidates[:most] if _claim(row, moment, only_due=True)]


def claim(endpoints: Iterable[Endpoint], moment: datetime) -> list[Endpoint]:
    """Those of `endpoints` that nobody is at, now ours; whether it is their turn or not."""
    return [row for row in endpoints if _claim(row, moment)]


def _claim(row: Endpoint, moment: datetime, *, only_due: bool = False) -> bool:
    # The token that was read pins the row: who claimed it meanwhile has changed it.
    rows = Endpoint.objects.free(moment).filter(pk=row.pk, lease_token=row.lease_token)
    if only_due:
        # It may have been paused or put off since it was read. By columns of its own alone: over a
        # join PostgreSQL judges by what was there before it waited for the row, and two would win.
        rows = rows.filter(next_due=row.next_due, paused=False)
    token, until = row.lease_token + 1, moment + LEASE
    if not rows.update(lease_token=token, lease_until=until):
        return False
    row.lease_token, row.lease_until = token, until
    return True


def settle(row: Endpoint, next_due: datetime) -> bool:
    """Give the lease back and say when its turn comes again; False when we were overtaken."""
    ours = Endpoint.objects.filter(pk=row.pk, lease_token=row.lease_token)
    return bool(ours.update(lease_until=None, next_due=next_due))


def release(rows: Iterable[Endpoint]) -> None:
    """Give leases back without having checked."""
    for row in rows:
        Endpoint.objects.filter(pk=row.pk, lease_token=row.lease_token).update(lease_until=None)
