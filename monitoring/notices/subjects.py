"""What a notice is about: an incident, an alert, or the notices themselves."""

from __future__ import annotations

from monitoring.alerts.models import Alert
from monitoring.incidents.models import Incident
from monitoring.notices.models import Notice
from providers.health import Health


def name(incident: Incident | None, alert: Alert | None) -> str:
    if incident is not None:
        return f"incident-{incident.pk}"
    return f"alert-{alert.pk}" if alert is not None else "notices"


def providers(row: Notice) -> list[int]:
    """The providers that it is about; none when it is about the whole."""
    if row.incident is not None:
        ids = row.incident.endpoints.values_list("health__provider", flat=True)
        return [pk for pk in ids if pk is not None]
    if row.alert is not None and row.alert.scope:
        named = Health.objects.filter(name=row.alert.scope).values_list("provider", flat=True)
        return [pk for pk in named if pk is not None]
    return []
