"""What an operator may see and do about providers; and what the admin never shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from providers import roster
from providers.admin import testing
from providers.admin.edits import BoundedPaginator
from providers.datasets import MarketQuery
from providers.errors import Unreachable
from providers.models import Asset, Call, Listing, Policy, Provider
from providers.overview import providers_now
from providers.resilience import Phase
from tests.providers.operator import (
    CREDENTIALS,
    PROVIDERS,
    _asset,
    _call,
    _cell,
    _provider,
    _try,
    act,
    credential,
    edit,
    messages_of,
    text_of,
)
from tests.upstreams import Better, Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)


A_DAY: list[dict[str, Any]] = [{"limit": 100, "per_s": 86400, "scope": "key"}]


# -- The list ----------------------------------------------------------------------------------


def test_the_list_shows_how_each_provider_is_now(
    admin_client: Client, upstreams: Upstreams
) -> None:
    upstreams.provider("well", priority=3)
    upstreams.provider("tired", priority=2)
    upstreams.provider("quiet", priority=1)
    upstreams.provider("off", priority=0, enabled=False)
    upstreams.play["tired"] = status(429, retry_after=90)
    _try(*Provider.objects.filter(slug__in=["well", "tired"]))
    roster.forget()
    page = text_of(admin_client.get(PROVIDERS))
    assert re.search(r"well well healthy answers closed – 100\.0 % \d+ ms", page)
    assert re.search(r"tired tired rate limited .*? open, rests 1 min \d+ s more", page)
    assert "quiet quiet unknown not asked in the last 24 hours closed" in page
    assert "off off disabled switched off" in page


def test_a_provider_of_a_missing_adapter_is_shown_for_what_it_is(admin_client: Client) -> None:
    row = Provider.objects.create(slug="lost", title="Lost", adapter_name="gone")
    assert "lost Lost misconfigured names an adapter that does not exist" in text_of(
        admin_client.get(PROVIDERS)
    )
    assert "gone (does not exist)" in text_of(admin_client.get(f"{PROVIDERS}{row.pk}/change/"))


@pytest.mark.parametrize(
    ("url", "make", "most"),
    [
        (PROVIDERS, lambda n: _provider(n), 16),
        (CREDENTIALS, lambda n: credential(_provider(n, limits=A_DAY)), 10),
        ("/admin/providers/call/", lambda n: _call(n), 8),
        ("/admin/providers/asset/", lambda n: _asset(n), 6),
        ("/admin/providers/policy/", lambda n: None, 6),
        ("/admin/providers/cell/", lambda n: _cell(n), 6),
    ],
)
def test_a_list_costs_the_same_few_queries_however_long_it_is(
    admin_client: Client,
    django_assert_max_num_queries: Any,
    url: str,
    make: Callable[[int], Any],
    most: int,
) -> None:
    for count in (1, 12):
        for n in range(count):
            make(100 * count + n)
        roster.forget()
        with django_assert_max_num_queries(most):
            assert admin_client.get(url).status_code == 200


def test_a_priority_edited_in_the_list_is_obeyed_at_once(
    admin_client: Client, upstreams: Upstreams
) -> None:
    first = upstreams.provider("first", priority=90)
    second = upstreams.provider("second", priority=10)
    assert [row.slug for row in roster.current().providers] == ["first", "second"]
    sent = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    for n, (row, priority) in enumerate(((first, 5), (second, 10))):
        sent |= {f"form-{n}-id": row.pk, f"form-{n}-priority": priority, f"form-{n}-enabled": "on"}
    admin_client.post(PROVIDERS, sent)
    assert [row.slug for row in roster.current().providers] == ["second", "first"]


# -- Actions -----------------------------------------------------------------------------------


def test_a_test_tells_how_each_provider_answered(
    admin_client: Client, upstreams: Upstreams
) -> None:
    rows = [upstreams.provider(slug) for slug in ("well", "broken", "slow", "gone")]
    upstreams.play["broken"] = status(503)
    upstreams.play["slow"] = upstreams.hang
    Provider.objects.filter(slug="slow").update(timeout_s=0.2)
    Provider.objects.filter(slug="gone").update(base_url="http://127.0.0.1:9/")
    said = {
        line.split(":")[0]: line
        for line in messages_of(act(admin_client, PROVIDERS, "test_now", *rows))
    }
    assert re.fullmatch(r"well: answered in \d+ ms\.", said["well"])
    assert said["broken"].startswith("broken: answered with an error of its own (HTTP 503).")
    assert said["slow"].startswith("slow: did not answer in time")
    assert said["gone"].startswith("gone: could not be reached")
    assert set(Call.objects.values_list("purpose", flat=True)) == {"test"}


def test_a_test_of_a_resting_provider_does_not_disturb_it(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("tired")
    upstreams.play["tired"] = status(429, retry_after=90)
    _try(row)
    asked = len(upstreams.asked)
    (said,) = messages_of(act(admin_client, PROVIDERS, "test_now", row))
    assert said.startswith("tired: rests after failures, and was not asked (throttled).")
    assert "asked again in 1 min" in said
    assert len(upstreams.asked) == asked


@pytest.mark.parametrize(("per_s", "pauses"), [(2, 1), (600, 0)])
def test_a_test_waits_for_a_budget_that_is_spent_for_the_moment(
    upstreams: Upstreams, per_s: int, pauses: int
) -> None:
    row = upstreams.provider("busy", limits=[{"limit": 1, "per_s": per_s}])
    _try(row)
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        row.guard.reset()

    _, said = testing.attempt(row, sleep=pause)
    assert len(waited) == pauses
    assert ("answered in" in said) == bool(pauses), said


def test_a_reset_closes_the_circuit_of_the_provider_and_of_its_keys(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("tired", Better, limits=[{"limit": 9, "per_s": 60, "scope": "key"}])
    key = credential(row)
    for guard in (row.guard, key.guard):
        with pytest.raises(Unreachable), guard.admit():
            raise Unreachable
        assert guard.phase(guard.standing()) is Phase.OPEN
    act(admin_client, PROVIDERS, "reset_circuit", row)
    for guard in (row.guard, key.guard):
        assert guard.phase(guard.standing()) is Phase.CLOSED
    assert LogEntry.objects.get().change_message == "Reset the circuit."


def test_providers_are_switched_on_and_off(admin_client: Client, upstreams: Upstreams) -> None:
    rows = [upstreams.provider("a"), upstreams.provider("b")]
    roster.current()
    response = act(admin_client, PROVIDERS, "disable", *rows)
    assert messages_of(response) == ["2 providers disabled."]
    assert [item.status for item in providers_now()] == ["disabled", "disabled"]
    act(admin_client, PROVIDERS, "enable", rows[0])
    assert roster.current().offering(MarketQuery.dataset) == [rows[0]]
    assert LogEntry.objects.count() == 3


def test_who_may_only_look_is_offered_no_action(client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("a")
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_provider"))
    client.force_login(user)
    assert client.get(PROVIDERS).status_code == 200
    act(client, PROVIDERS, "disable", row)
    row.refresh_from_db()
    assert row.enabled


# -- The other rows ----------------------------------------------------------------------------


def test_a_policy_says_what_it_does(admin_client: Client) -> None:
    row = Policy.objects.create(dataset="market", fresh_s=90)
    for url in ("/admin/providers/policy/", f"/admin/providers/policy/{row.pk}/change/"):
        assert "An answer is served for 1 min 30 s without asking again" in text_of(
            admin_client.get(url)
        )
    roster.current()
    edit(admin_client, row, fresh_s="5")
    assert roster.current().policies["market"].fresh_s == 5


def test_an_asset_is_edited_with_what_providers_call_it(admin_client: Client) -> None:
    row = Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")
    Listing.objects.create(asset=row, adapter_name="kraken", quote="USD", external_id="XXBTZUSD")
    assert roster.listings("kraken").find("BTC", ("USD",)) == ("XXBTZUSD", "USD")
    edit(admin_client, row, **{"listings-0-external_id": "BTC/USD"})
    assert roster.listings("kraken").find("BTC", ("USD",)) == ("BTC/USD", "USD")
    assert "BTC Bitcoin crypto bitcoin – 1" in text_of(
        admin_client.get("/admin/providers/asset/?q=btc")
    )


def test_calls_are_found_by_how_they_went(admin_client: Client) -> None:
    _call(1, outcome="timed_out", detail="one of them")
    _call(2, outcome="ok", detail="another")
    page = text_of(admin_client.get("/admin/providers/call/?outcome=timed_out"))
    assert "one of them" in page
    assert "another" not in page


@pytest.mark.parametrize("url", ["/admin/providers/call/", "/admin/providers/cell/"])
def test_the_books_are_only_read(admin_client: Client, url: str) -> None:
    assert admin_client.get(f"{url}add/").status_code == 403
    row = _call(1)
    response = admin_client.post(f"/admin/providers/call/{row.pk}/change/", {"outcome": "ok"})
    assert response.status_code == 403


def test_a_huge_table_is_not_counted_to_its_end(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedPaginator, "MOST", 3)
    for n in range(6):
        _call(n)
    response = admin_client.get("/admin/providers/call/")
    assert response.context["cl"].result_count == 3


def test_cells_are_for_superusers(client: Client) -> None:
    user = User.objects.create_user("operator", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    assert client.get("/admin/providers/cell/").status_code == 403
    assert "/admin/providers/cell/" not in client.get("/admin/").content.decode()
    assert client.get("/admin/providers/provider/").status_code == 200
