from __future__ import annotations

import pytest
from django.core.management import call_command

from providers.loading import load
from providers.models import Asset, Listing, Policy, Provider

pytestmark = pytest.mark.django_db


def test_the_catalogue_comes_in() -> None:
    loaded = load()
    assert Provider.objects.count() == loaded["providers"].added >= 15
    assert Asset.objects.count() == loaded["assets"].added > 100 == Asset.objects.coins().count()
    assert Asset.objects.get(slug="s-and-p-500").kind == "index"
    assert Provider.objects.filter(slug="coingecko_free", min_fresh_s=300).exists()
    for provider in Provider.objects.all():
        provider.full_clean()
        assert provider.address.startswith("https://")
        assert all(window.capacity > 0 for window in provider.guard.windows)


def test_a_second_time_changes_nothing() -> None:
    load()
    counts = [model.objects.count() for model in (Provider, Policy, Asset, Listing)]
    again = load()
    assert [m.objects.count() for m in (Provider, Policy, Asset, Listing)] == counts
    assert all(loaded.added == loaded.updated == 0 for loaded in again.values())


def test_what_an_administrator_changed_stays() -> None:
    load()
    Provider.objects.filter(slug="kraken").update(priority=7, enabled=False)
    loaded = load()["providers"]
    row = Provider.objects.get(slug="kraken")
    assert (row.priority, row.enabled) == (7, False)
    assert loaded.kept == {"kraken.priority", "kraken.enabled"}


def test_an_upgrade_reaches_what_nobody_changed() -> None:
    """As if the last release had said 3 seconds, and an administrator had set the priority."""
    load()
    row = Provider.objects.get(slug="kraken")
    row.timeout_s, row.priority = 3.0, 7
    row.catalogue["timeout_s"] = 3.0
    row.save()
    assert load()["providers"].updated == 1
    row.refresh_from_db()
    assert (row.timeout_s, row.priority) == (5.0, 7)


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("loadcatalogue")
    Provider.objects.filter(slug="okx").update(notes="ours")
    call_command("loadcatalogue")
    said = capsys.readouterr().out
    assert f"assets: {Asset.objects.count()} added" in said
    assert "your edits kept: okx.notes" in said
