"""What our other processes are told to do: see `tests.crew`. Arguments and results are JSON."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.db import Error, close_old_connections

from monitoring import cycle, late, roll
from monitoring.models import CheckResult, Endpoint, Plan
from providers import calls, roster
from providers.health import Health
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


def prepare_for_the_loop(url: str) -> None:
    """One provider that another process can ask too, checked every ten seconds."""
    prepare(url, 1)
    Provider.objects.update(adapter_name="binance")
    Plan(interval_s=10).save()


def results_or_nothing() -> dict[str, Any]:
    """As `results`; empty while the database is away."""
    try:
        return results()
    except Error:
        close_old_connections()
        return {}


def check_what_is_due() -> int:
    roster.forget()
    return cycle.run().checked


def check_though_it_fails() -> str:
    """What a round says, or what it fails of."""
    roster.forget()
    try:
        return str(cycle.run())
    except Error as error:
        return type(error).__name__
    finally:
        close_old_connections()


def kept() -> int:
    """Results on disk."""
    return late.buffer().size()


def statuses() -> dict[str, str]:
    return dict(Health.objects.values_list("name", "status"))


def all_are_due() -> None:
    Endpoint.objects.update(next_due=None)


def results() -> dict[str, Any]:
    calls.flush()
    return {
        "results": CheckResult.objects.count(),
        "leased": Endpoint.objects.exclude(lease_until=None).count(),
    }
