from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from providers.loading import bring, load
from providers.models import Asset, Credential, Listing, Policy, Provider, Resource, Shipped
from providers.tables import ASSETS, LISTINGS, PROVIDERS, RESOURCES

pytestmark = pytest.mark.django_db


def last_said(kind: str, key: str, **values: Any) -> None:
    """As if the last release had said so."""
    record = Shipped.objects.get(kind=kind, key=key)
    record.values |= values
    record.save()


def test_the_catalogue_comes_in() -> None:
    loaded = load()
    assert Provider.objects.count() == len(loaded["providers"].added) >= 15
    assert Asset.objects.count() == len(loaded["assets"].added) > 100
    assert Asset.objects.coins().count() == 100
    assert Asset.objects.get(slug="s-and-p-500").kind == "index"
    assert Resource.objects.count() == len(loaded["resources"].added) >= 200
    assert Provider.objects.filter(slug="coingecko_free", min_fresh_s=300).exists()
    for provider in Provider.objects.all():
        provider.full_clean()
        assert provider.address.startswith(("https://", "http://127.0.0.1:"))
        assert all(window.capacity > 0 for window in provider.guard.windows)


def test_a_second_time_changes_nothing(shipped: None) -> None:
    counts = [m.objects.count() for m in (Provider, Policy, Asset, Listing, Resource, Shipped)]
    again = load()
    models = (Provider, Policy, Asset, Listing, Resource, Shipped)
    assert [m.objects.count() for m in models] == counts
    for loaded in again.values():
        assert not loaded.added + loaded.updated + loaded.kept + loaded.deleted + loaded.retired


def test_what_an_administrator_changed_stays(shipped: None) -> None:
    Provider.objects.filter(slug="kraken").update(priority=7, enabled=False)
    loaded = load()["providers"]
    row = Provider.objects.get(slug="kraken")
    assert (row.priority, row.enabled) == (7, False)
    assert loaded.kept == ["kraken.enabled", "kraken.priority"]


def test_an_upgrade_reaches_what_nobody_changed(shipped: None) -> None:
    """As if the last release had said 3 seconds, and an administrator had set the priority."""
    Provider.objects.filter(slug="kraken").update(timeout_s=3.0, priority=7)
    last_said("providers", "kraken", timeout_s=3.0)
    assert load()["providers"].updated == ["kraken.timeout_s"]
    row = Provider.objects.get(slug="kraken")
    assert (row.timeout_s, row.priority) == (5.0, 7)


def test_what_the_catalogue_begins_to_say_does_not_undo_an_edit(shipped: None) -> None:
    """No release before said how long it rests; an administrator did."""
    Provider.objects.filter(slug="kraken").update(rests_s=[1, 2])
    words = PROVIDERS.values(Provider.objects.get(slug="kraken")) | {"rests_s": [9.0]}
    assert bring(PROVIDERS, {"kraken": words}).kept == ["kraken.rests_s"]
    assert Provider.objects.get(slug="kraken").rests_s == [1, 2]


def test_what_the_catalogue_stops_saying_is_left_to_its_default() -> None:
    words = {"title": "A", "category": "market"}
    bring(RESOURCES, {"a": words | {"notes": "for now", "flags": ["suspect"]}})
    assert bring(RESOURCES, {"a": words}).updated == ["a.flags", "a.notes"]
    row = Resource.objects.get()
    assert (row.notes, row.flags) == ("", [])


def test_what_was_deleted_stays_deleted(shipped: None) -> None:
    Provider.objects.filter(slug="okx").delete()
    Listing.objects.filter(adapter_name="okx").delete()
    Asset.objects.filter(slug="dogecoin").delete()
    loaded = load()
    assert loaded["providers"].deleted == ["okx"]
    assert not Provider.objects.filter(slug="okx").exists()
    assert not Listing.objects.filter(adapter_name="okx").exists()
    assert not Asset.objects.filter(slug="dogecoin").exists()


def test_a_new_listing_of_a_deleted_asset_is_let_be(shipped: None) -> None:
    Asset.objects.filter(slug="dogecoin").delete()
    assert bring(LISTINGS, {"dogecoin/new/": {"external_id": "doge"}}).deleted == ["dogecoin/new/"]


def test_an_operators_own_row_is_not_taken_over() -> None:
    Provider.objects.create(slug="kraken", title="Mine", adapter_name="kraken", priority=3)
    loaded = load()["providers"]
    assert "kraken" not in loaded.added
    assert "kraken.title" in loaded.kept
    assert Provider.objects.get(slug="kraken").title == "Mine"


def test_an_edited_asset_and_a_learned_listing_stay(shipped: None) -> None:
    Asset.objects.filter(slug="bitcoin").update(name="Bit Coin")
    row = Listing.objects.get(asset__slug="bitcoin", adapter_name="binance", quote="USDT")
    row.external_id, row.learned_at = "BTCUSDT2", "2026-01-01T00:00Z"
    row.save()
    last_said("listings", "bitcoin/binance/USDT", external_id="BTCUSDT2")
    loaded = load()
    assert loaded["assets"].kept == ["bitcoin.name"]
    assert loaded["listings"].kept == ["bitcoin/binance/USDT.external_id"]
    row.refresh_from_db()
    assert (row.external_id, row.asset.name) == ("BTCUSDT2", "Bit Coin")


def test_what_the_catalogue_drops_is_switched_off_unless_somebody_uses_it() -> None:
    words = {"adapter_name": "kraken", "title": "T"}
    bring(PROVIDERS, dict.fromkeys(["plain", "edited", "keyed"], words))
    Provider.objects.filter(slug="edited").update(notes="mine")
    key = Credential(provider=Provider.objects.get(slug="keyed"), label="mine")
    key.set_key("k" * 20)
    key.save()
    assert sorted(bring(PROVIDERS, {}).retired) == ["edited", "keyed", "plain"]
    enabled = dict(Provider.objects.values_list("slug", "enabled"))
    assert enabled == {"plain": False, "edited": True, "keyed": True}
    assert bring(PROVIDERS, {}).retired == []


def test_a_resource_that_the_catalogue_drops_is_flagged() -> None:
    bring(RESOURCES, {"a": {"title": "A", "category": "market", "flags": ["suspect"]}})
    assert bring(RESOURCES, {}).retired == ["a"]
    assert Resource.objects.get().flags == ["suspect", "retired"]


def test_an_asset_that_the_catalogue_drops_is_left_alone() -> None:
    bring(ASSETS, {"a": {"symbol": "A", "name": "A", "order": 0}})
    bring(ASSETS, {})
    assert Asset.objects.get().symbol == "A"


def test_a_dry_run_says_the_same_and_does_nothing() -> None:
    foretold = load(dry_run=True)
    assert not Provider.objects.exists()
    assert not Shipped.objects.exists()
    assert load() == foretold


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("loadcatalogue")
    Provider.objects.filter(slug="okx").update(notes="ours")
    call_command("loadcatalogue", "--dry-run")
    said = capsys.readouterr().out
    assert f"assets: {Asset.objects.count()} added" in said
    assert "your edits kept: okx.notes" in said
    assert "dry run" in said


def test_a_row_may_be_made_to_say_what_the_catalogue_says(shipped: None) -> None:
    Provider.objects.filter(slug="kraken").update(priority=7)
    Asset.objects.filter(slug="bitcoin").delete()
    call_command("loadcatalogue", "--again", "providers/kraken", "assets/bitcoin", verbosity=0)
    assert Provider.objects.get(slug="kraken").priority == 90
    assert Listing.objects.filter(asset__slug="bitcoin").exists()
    for name in ("providers/nobody", "kraken", "shoes/kraken"):
        with pytest.raises(CommandError, match="has no"):
            call_command("loadcatalogue", "--again", name)
