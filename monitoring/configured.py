"""What of the watch is configuration, and so stands in the file of `exportconfig`."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models

from monitoring.alerts import defaults
from monitoring.alerts.models import AlertRule, Slo
from monitoring.modelrows import ScanPlan
from monitoring.models import Endpoint, Plan
from providers.health import Health, Kind
from providers.models import Provider, Resource
from providers.tables import Table

THE_PLAN = "all"  # what the one row is called
M = TypeVar("M", bound=models.Model)


class Plans(Table[M]):
    """There is one: `checks: {all: {interval_s: 300}}`."""

    def name_of(self, row: M) -> str:
        return THE_PLAN

    def make(self, key: str) -> M:
        if key != THE_PLAN:
            raise LookupError(f"there is one plan, called {THE_PLAN!r}")
        return self.model()


class Endpoints(Table[Endpoint]):
    """What was set for one endpoint alone; they make themselves as providers come."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("health",)

    def rows(self) -> dict[str, Endpoint]:
        return {self.name_of(row): row for row in Endpoint.objects.select_related("health")}

    def name_of(self, row: Endpoint) -> str:
        return row.health.name

    def make(self, key: str) -> Endpoint:
        """Of what the worker has not seen yet, it is made here."""
        health = Health.objects.filter(name=key, endpoint=None).first()
        return Endpoint(health=health or _health(key))

    def is_told(self, row: Endpoint) -> bool:
        return self.values(row) != self.defaults()


def _health(name: str) -> Health:
    kind, _, slug = name.rpartition(":")
    if kind == Kind.RESOURCE:
        resource = Resource.objects.filter(slug=slug).first()
        if resource is not None:
            return Health.objects.create(name=name, resource=resource, kind=Kind.RESOURCE)
    elif provider := Provider.objects.filter(slug=name).first():
        return Health.objects.create(name=name, provider=provider, kind=Kind.DATA)
    raise LookupError(f"nothing called {name!r} is checked")


class Rules(Table[AlertRule]):
    """
    Those that are shipped are called by their slug, however they were renamed, and told where they
    were edited.
    """

    def name_of(self, row: AlertRule) -> str:
        return row.slug or row.name

    def make(self, key: str) -> AlertRule:
        return AlertRule(slug=key) if key in SHIPPED else AlertRule(name=key)

    def is_told(self, row: AlertRule) -> bool:
        shipped = SHIPPED.get(row.slug or "")
        return shipped is None or self.values(row) != self.values(AlertRule(**shipped))


SHIPPED = {rule["slug"]: rule for rule in defaults.RULES}


CHECKS: Table[Any] = Plans("checks", Plan, "pk", whole=True)
ENDPOINTS: Table[Any] = Endpoints(
    "endpoints",
    Endpoint,
    "health",
    left_out={"maintenance_until": "A moment that passes is no configuration."},
)
SCANS: Table[Any] = Plans("scans", ScanPlan, "pk", whole=True)
RULES: Table[Any] = Rules("alert_rules", AlertRule, "slug", whole=True)
SERVICE_LEVELS: Table[Any] = Table("service_levels", Slo, "name", whole=True)
