"""Who changed what, by each way of changing it; and how it is put back, or why not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator import importing
from aggregator.models import Client as Program
from providers import changes, loading, roster
from providers.history import SWITCH, UPGRADE, Edit
from providers.models import Asset, Credential, Listing, Policy, Provider, Shipped
from providers.tables import PROVIDERS as PROVIDER_ROWS
from providers.undoing import NotUndone, undo
from tests.providers.operator import SECRET, act, credential, edit, messages_of, text_of

pytestmark = pytest.mark.django_db(transaction=True)

PROVIDERS = "/admin/providers/provider/"


@pytest.fixture
def row() -> Provider:
    return Provider.objects.create(slug="kraken", title="Kraken", adapter_name="kraken", priority=9)


def pressed(client: Client, of: Edit, back: str = "") -> Any:
    return client.post(f"/admin/providers/edit/{of.pk}/undo/", {"back": back}, follow=True)


def values(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = type(row).objects.filter(pk=row.pk).values().get()
    return found


def test_a_form_says_who_and_from_what_to_what(admin_client: Client, row: Provider) -> None:
    edit(admin_client, row, priority="5", enabled="")
    found = Edit.objects.get()
    assert (found.who, found.subject) == ("admin", f"providers.provider/{row.pk}")
    assert found.lines() == ["enabled from yes to no", "priority from 9 to 5"]
    page = text_of(admin_client.get(f"{PROVIDERS}{row.pk}/history/"))
    assert "priority from 9 to 5" in page
    assert "priority from 9 to 5" in text_of(admin_client.get("/admin/providers/edit/"))


def test_an_untouched_form_is_no_edit(admin_client: Client, row: Provider) -> None:
    edit(admin_client, row)
    assert not Edit.objects.exists()


def test_a_list_an_action_and_a_file_are_recorded(admin_client: Client, row: Provider) -> None:
    sent = {
        "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": row.pk,
        "form-0-priority": 8, "form-0-enabled": "on", "_save": "Save",
    }  # fmt: skip
    admin_client.post(PROVIDERS, sent)
    act(admin_client, PROVIDERS, "disable", row)
    file = SimpleUploadedFile("c.yaml", b"aggregator: 1\nproviders: {kraken: {priority: 7}}")
    page = admin_client.post("/admin/configuration/", {"file": file})
    assert Edit.objects.count() == 2, "a look at a file changes nothing"
    agreed = {name: page.context[name] for name in ("text", "agreed")}
    admin_client.post("/admin/configuration/", {**agreed, "apply": "Apply"})
    said = [edit.lines() for edit in Edit.objects.order_by("pk")]
    assert said == [["priority from 9 to 8"], ["enabled from yes to no"], ["priority from 8 to 7"]]
    assert set(Edit.objects.values_list("who", flat=True)) == {"admin"}


def test_no_key_and_no_hash_is_ever_in_an_edit(admin_client: Client) -> None:
    gecko = Provider.objects.create(slug="g", title="G", adapter_name="coingecko")
    sent = {"provider": gecko.pk, "label": "mine", "key": SECRET, "order": 0, "enabled": "on"}
    admin_client.post("/admin/providers/credential/add/", sent)
    key = Credential.objects.get()
    hidden = {SECRET, key.secret, key.fingerprint}
    edit(admin_client, key, key="another-" + SECRET, label="ours")
    edit(
        admin_client, gecko, notes=f"It is {SECRET}.", base_url="https://x.example/?apikey=abcdefg"
    )
    admin_client.post(
        "/admin/aggregator/client/add/", {"name": "c", "enabled": "on", "per_minute": 5}
    )
    program = Program.objects.get()
    hidden |= {program.key_hash, program.key_hint}
    act(admin_client, "/admin/aggregator/client/", "new_key", program, confirmed="yes")
    key.refresh_from_db()
    program.refresh_from_db()
    hidden |= {key.secret, key.fingerprint, program.key_hash, program.key_hint, "abcdefg"}
    key.delete()
    assert Edit.objects.count() == 5
    written = str(list(Edit.objects.values()))
    assert [text for text in hidden if text in written] == []
    withheld = [edit.withheld for edit in Edit.objects.order_by("pk")]
    assert withheld[1:] == [["key"], ["base_url", "notes"], [], ["key"]]
    for found in Edit.objects.filter(action="changed"):
        assert "not kept" in messages_of(pressed(admin_client, found))[0]


def test_a_row_that_is_called_by_its_key_is_called_by_its_number(admin_client: Client) -> None:
    gecko = Provider.objects.create(slug="g", title="G", adapter_name="coingecko")
    key = credential(gecko, label=f"x {SECRET}")
    edit(admin_client, key, order="4")
    found = Edit.objects.get()
    assert found.name == f"providers.credential/{key.pk}"
    assert SECRET not in str(list(Edit.objects.values()))


def test_a_file_brought_in_by_command_is_recorded_and_a_dry_run_is_not(row: Provider) -> None:
    text = "aggregator: 1\nproviders: {kraken: {priority: 7}}"
    importing.run(text, dry_run=True)
    assert not Edit.objects.exists()
    importing.run(text)
    assert Edit.objects.get().who == ""


def test_undo_puts_it_back_is_obeyed_and_can_be_undone(admin_client: Client, row: Provider) -> None:
    edit(admin_client, row, priority="5")
    back = f"{PROVIDERS}{row.pk}/history/"
    done = pressed(admin_client, Edit.objects.get(), back)
    assert messages_of(done) == ["Undone: kraken is as it was."]
    assert done.redirect_chain == [(back, 302)]
    assert roster.current().providers[0].priority == 9
    again = Edit.objects.first()
    assert again is not None
    assert again.lines() == ["priority from 5 to 9"]
    pressed(admin_client, again)
    assert values(row)["priority"] == 5


def test_what_changed_again_since_is_not_undone(admin_client: Client, row: Provider) -> None:
    edit(admin_client, row, priority="5")
    first = Edit.objects.get()
    edit(admin_client, row, priority="6")
    said = "Not undone. It was changed again since: priority is 6 now, not 5 as this edit left it."
    assert messages_of(pressed(admin_client, first)) == [said]
    edit(admin_client, row, priority="5", title="Other")
    pressed(admin_client, first)
    assert (values(row)["priority"], values(row)["title"]) == (9, "Other")


def test_values_that_are_no_longer_valid_are_refused(admin_client: Client, row: Provider) -> None:
    Provider.objects.filter(pk=row.pk).update(priority=300)
    edit(admin_client, row, priority="5")
    (said,) = messages_of(pressed(admin_client, Edit.objects.get()))
    assert "no longer valid. priority: Ensure this value is less than or equal to 100." in said
    assert values(row)["priority"] == 5


def test_a_deleted_provider_comes_back_but_for_its_keys(admin_client: Client) -> None:
    row = Provider.objects.create(
        slug="g",
        title="G",
        adapter_name="coingecko",
        key_env=["A"],
        limits=[{"limit": 1, "per_s": 2}],
    )
    credential(row)
    before = values(row)
    act(admin_client, PROVIDERS, "delete_selected", row, post="yes")
    assert not Provider.objects.exists()
    of_row = Edit.objects.get(subject=f"providers.provider/{row.pk}")
    of_key = Edit.objects.get(owner=of_row.subject)
    assert "Its key is not kept" in messages_of(pressed(admin_client, of_key))[0]
    (said,) = messages_of(pressed(admin_client, of_row))
    assert "1 key is gone for good" in said
    assert values(row) == before
    assert not Credential.objects.exists()
    assert messages_of(pressed(admin_client, of_row)) == ["Not undone. The row is there again."]


def test_a_deleted_asset_comes_back_with_its_listings(admin_client: Client) -> None:
    asset = Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")
    listing = Listing.objects.create(asset=asset, adapter_name="kraken", external_id="XBT")
    before = values(asset), values(listing)
    admin_client.post(f"/admin/providers/asset/{asset.pk}/delete/", {"post": "yes"})
    assert not Listing.objects.exists()
    pressed(admin_client, Edit.objects.get(subject=f"providers.asset/{asset.pk}"))
    assert (values(asset), values(listing)) == before


def test_a_listing_is_edited_on_the_page_of_its_asset(admin_client: Client) -> None:
    asset = Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")
    listing = Listing.objects.create(asset=asset, adapter_name="kraken", external_id="XBT")
    edit(admin_client, asset, **{"listings-0-external_id": "ZBT"})
    page = text_of(admin_client.get(f"/admin/providers/asset/{asset.pk}/history/"))
    assert "external id from XBT to ZBT" in page
    pressed(admin_client, Edit.objects.get())
    assert values(listing)["external_id"] == "XBT"


def test_who_may_not_edit_may_not_undo(client: Client, admin_client: Client, row: Provider) -> None:
    edit(admin_client, row, priority="5")
    found = Edit.objects.get()
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_provider"))
    looker = Client()
    looker.force_login(staff)
    history = looker.get(f"{PROVIDERS}{row.pk}/history/").content.decode()
    assert "priority from 9 to 5" in history
    assert "Undo:" not in history
    assert pressed(looker, found).status_code == 403
    assert looker.get("/admin/providers/edit/").status_code == 403
    assert pressed(Client(), found).redirect_chain[0][0].startswith("/admin/login/")
    assert values(row)["priority"] == 5
    staff.user_permissions.add(Permission.objects.get(codename="change_provider"))
    assert "Undo:" in looker.get(f"{PROVIDERS}{row.pk}/history/").content.decode()
    looker.post(f"/admin/providers/edit/{found.pk}/undo/")
    assert values(row)["priority"] == 9


def test_undo_is_a_post_with_a_token(admin_user: User, row: Provider) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)
    with changes.watched("ann", [row]):
        Provider.objects.update(priority=1)
    address = f"/admin/providers/edit/{Edit.objects.get().pk}/undo/"
    assert strict.get(address).status_code == 405
    assert strict.post(address).status_code == 403
    assert values(row)["priority"] == 1


def test_nobody_is_led_elsewhere(admin_client: Client, row: Provider) -> None:
    edit(admin_client, row, priority="5")
    done = pressed(admin_client, Edit.objects.get(), "https://elsewhere.example/")
    assert done.redirect_chain[0][0].startswith("/admin/providers/edit/")


PLAIN = st.characters(codec="utf-8", exclude_categories=["C"])
WINDOW = st.fixed_dictionaries({"limit": st.integers(1, 9), "per_s": st.just(60)})
EDITABLE = {
    "title": st.text(PLAIN, min_size=1, max_size=20),
    "enabled": st.booleans(),
    "priority": st.integers(0, 100),
    "cost_per_call": st.none() | st.floats(0, 1e9),
    "timeout_s": st.floats(0.1, 120),
    "limits": st.lists(WINDOW, max_size=1),
    "rests_s": st.lists(st.floats(0.5, 1e6), min_size=1, max_size=3),
    "notes": st.text(PLAIN, max_size=30),
}
PROVIDER = st.fixed_dictionaries(EDITABLE)


@given(PROVIDER, PROVIDER)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undo_of_any_edit_restores_every_value(was: dict[str, Any], became: dict[str, Any]) -> None:
    fixed = {"title": was["title"].strip() or "T"}
    row = Provider.objects.create(slug="p", adapter_name="kraken", **{**was, **fixed})
    Edit.objects.all().delete()
    before = values(row)
    with changes.watched("ann", [row]):
        Provider.objects.filter(pk=row.pk).update(**became)
    for found in Edit.objects.exclude(withheld=[]):
        with pytest.raises(NotUndone):
            undo(found, "ann")
    for found in Edit.objects.filter(withheld=[]):
        undo(found, "ann")
        assert values(row) == before
    assert Edit.objects.exists() == (any(before[name] != became[name] for name in became))
    Provider.objects.all().delete()


def test_a_policy_goes_and_comes_back(admin_client: Client) -> None:
    row = Policy.objects.create(dataset="price", fresh_s=7.5)
    before = values(row)
    admin_client.post(f"/admin/providers/policy/{row.pk}/delete/", {"post": "yes"})
    pressed(admin_client, Edit.objects.get())
    assert values(row) == before


# -- Commands --------------------------------------------------------------------------------


def test_the_first_load_is_no_edit_and_an_upgrade_is(capsys: pytest.CaptureFixture[str]) -> None:
    loading.load()
    assert not Edit.objects.exists()
    record = Shipped.objects.get(kind="providers", key="kraken")
    record.values |= {"priority": 11}
    record.save()
    Provider.objects.filter(slug="kraken").update(priority=11)
    Provider.objects.filter(slug="okx").delete()
    Shipped.objects.filter(kind="providers", key="okx").delete()
    loading.load(dry_run=True)
    assert not Edit.objects.exists()
    loading.load()
    said = {edit.name: (edit.action, edit.who) for edit in Edit.objects.all()}
    assert said == {"kraken": ("changed", UPGRADE), "okx": ("added", UPGRADE)}
    changed = Edit.objects.get(name="kraken")
    assert changed.lines() == ["priority from 11 to 90"]
    undo(changed, "ann")
    assert loading.load()["providers"].kept == ["kraken.priority"], "it is an edit from now on"


def test_what_the_catalogue_retires_is_an_edit() -> None:
    words = {"title": "P", "adapter_name": "kraken", "priority": 5}
    loading.bring(PROVIDER_ROWS, {"gone": words})
    with changes.watched(UPGRADE) as watch:
        loading.bring(PROVIDER_ROWS, {}, watch)
    assert Edit.objects.get().lines() == ["enabled from yes to no"]


def test_a_switch_of_priorities_is_an_edit_of_each_row_it_changes(shipped: None) -> None:
    call_command("priorities", "origin", "--dry-run")
    assert not Edit.objects.exists()
    call_command("priorities", "origin")
    edits = {edit.name: edit for edit in Edit.objects.all()}
    assert edits["coingecko_demo"].after == {"priority": 61, "cached_only": True}
    assert edits["kraken"].lines() == ["priority from 90 to 53"]
    assert "mempool_space" not in edits
    assert {edit.who for edit in edits.values()} == {SWITCH}
    assert len({edit.batch for edit in edits.values()}) == 1
    call_command("priorities", "origin")
    assert Edit.objects.count() == len(edits), "a switch to what is in force changes nothing"
