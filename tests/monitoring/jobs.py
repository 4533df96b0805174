"""What our other processes are told to do: see `tests.crew`. Arguments and results are JSON."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command

from monitoring import cycle, roll
from monitoring.models import CheckResult, Endpoint
from providers import calls, roster
from providers.models import Provider


def prepare(url: str, number: int) -> int:
    """A database with so many providers at `url`/p0, p1, ..."""
    call_command("migrate", verbosity=0)
    Provider.objects.all().delete()
    Provider.objects.bulk_create(
        Provider(slug=f"p{n}", title="p", adapter_name="fake", base_url=f"{url}/p{n}")
        for n in range(number)
    )
    roster.forget()
    roll.sync()
    return Endpoint.objects.count()


def check_what_is_due() -> int:
    roster.forget()
    return cycle.run().checked


def all_are_due() -> None:
    Endpoint.objects.update(next_due=None)


def results() -> dict[str, Any]:
    calls.flush()
    return {
        "results": CheckResult.objects.count(),
        "leased": Endpoint.objects.exclude(lease_until=None).count(),
    }
