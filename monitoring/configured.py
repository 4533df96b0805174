"""What of the checks is configuration, and so stands in the file of `exportconfig`."""

from __future__ import annotations

from typing import Any

from monitoring.models import Endpoint, Plan
from providers.health import Health, Kind
from providers.models import Provider, Resource
from providers.tables import Table

THE_PLAN = "all"  # what the one row is called


class Plans(Table[Plan]):
    """There is one: `checks: {all: {interval_s: 300}}`."""

    def name_of(self, row: Plan) -> str:
        return THE_PLAN

    def make(self, key: str) -> Plan:
        if key != THE_PLAN:
            raise LookupError(f"there is one plan, called {THE_PLAN!r}")
        return Plan()


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


CHECKS: Table[Any] = Plans("checks", Plan, "pk", whole=True)
ENDPOINTS: Table[Any] = Endpoints(
    "endpoints",
    Endpoint,
    "health",
    left_out={"maintenance_until": "A moment that passes is no configuration."},
)
