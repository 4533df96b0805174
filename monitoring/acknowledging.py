"""Somebody takes an incident or an alert: reminders end, and the row says who and when."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from monitoring.alerts.models import Alert
from monitoring.incidents.models import Incident, IncidentUpdate


@transaction.atomic
def acknowledge(row: Incident | Alert, who: str, moment: datetime) -> bool:
    """True when it was taken now; who came first stays, and what is over nobody takes."""
    rows = type(row).objects.filter(pk=row.pk, acknowledged_at=None, ended_at=None)
    taken = bool(rows.update(acknowledged_at=moment, acknowledged_by=who[:150]))
    if taken and isinstance(row, Incident):
        text = "Somebody is looking at it."
        IncidentUpdate.objects.create(incident=row, at=moment, text=text, automatic=True)
    row.refresh_from_db()
    return taken
