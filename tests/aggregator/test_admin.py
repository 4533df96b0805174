"""Clients get a key once; the shelf is purged by hand; the worker's books are only read."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client as Browser

from aggregator import answers, callers, gateway
from aggregator.models import Client, ShelvedAnswer, hash_key
from providers.datasets import GasQuery, MarketQuery
from tests.conftest import use_redis
from tests.upstreams import Fake, Upstreams

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = "/admin/aggregator/client/"
SHELF = "/admin/aggregator/shelvedanswer/"
PROVIDERS = "/admin/providers/provider/"
KEY = re.compile(r"agg_[\w-]{43}")


def text_of(response: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def act(browser: Browser, url: str, action: str, *rows: Any, **more: Any) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return browser.post(url, data, follow=True)


def create(browser: Browser, name: str = "charts") -> str:
    """The key of a new client, as the next page shows it."""
    sent = {"name": name, "enabled": "on", "per_minute": 5, "notes": ""}
    response = browser.post(f"{CLIENTS}add/", sent)
    assert response.status_code == 200
    (key,) = set(KEY.findall(response.content.decode()))
    assert "never again" in text_of(response)
    assert "no-store" in response["Cache-Control"]
    return str(key)


def client_row(name: str = "charts") -> Client:
    row = Client(name=name)
    row.new_key()
    row.save()
    return row


def status_of(browser: Browser, key: str) -> int:
    status: int = browser.get("/api/status", headers={"X-API-Key": key}).status_code
    return status


# -- Clients ---------------------------------------------------------------------------------


def test_a_new_client_has_a_key_that_works_and_is_shown_once(admin_client: Browser) -> None:
    key = create(admin_client)
    row = Client.objects.get()
    assert (row.name, row.per_minute) == ("charts", 5)
    assert row.key_hash == hash_key(key)
    assert status_of(admin_client, key) == 200
    for url in (CLIENTS, f"{CLIENTS}{row.pk}/change/", f"{CLIENTS}{row.pk}/history/", "/admin/"):
        page = admin_client.get(url).content.decode()
        assert key not in page
        assert row.key_hash not in page
    assert key[:10] in admin_client.get(CLIENTS).content.decode()


def test_the_key_travels_through_no_cookie_and_no_session(admin_client: Browser) -> None:
    key = create(admin_client)
    assert key not in str(admin_client.cookies)
    assert key not in str(dict(admin_client.session))


def test_a_client_without_a_name_gets_no_key(admin_client: Browser) -> None:
    response = admin_client.post(f"{CLIENTS}add/", {"name": "", "per_minute": 5})
    assert "This field is required." in text_of(response)
    assert not KEY.search(response.content.decode())
    assert not Client.objects.exists()


def test_a_client_switched_off_is_refused_at_once(admin_client: Browser) -> None:
    key = create(admin_client)
    row = Client.objects.get()
    admin_client.post(f"{CLIENTS}{row.pk}/change/", {"name": row.name, "per_minute": 5})
    assert status_of(admin_client, key) == 403


def test_a_new_key_is_given_only_after_a_question(admin_client: Browser) -> None:
    old = create(admin_client)
    row = Client.objects.get()
    asked = act(admin_client, CLIENTS, "new_key", row)
    assert "The old one stops working" in text_of(asked)
    assert status_of(admin_client, old) == 200
    told = act(admin_client, CLIENTS, "new_key", row, confirmed="1")
    (new,) = set(KEY.findall(told.content.decode()))
    assert new != old
    assert status_of(admin_client, new) == 200
    assert status_of(admin_client, old) == 401


def test_a_limit_edited_in_the_list_holds_at_once(admin_client: Browser) -> None:
    key = create(admin_client)
    row = Client.objects.get()
    sent = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "Save"}
    sent |= {"form-0-id": row.pk, "form-0-per_minute": 77, "form-0-enabled": "on"}
    admin_client.post(CLIENTS, sent)
    assert callers.identify(key).per_minute == 77


def test_markup_in_a_name_is_shown_as_text(admin_client: Browser) -> None:
    create(admin_client, "<script>alert(1)</script>")
    assert "<script>alert" not in admin_client.get(CLIENTS).content.decode()


# -- The shelf -------------------------------------------------------------------------------


def test_the_shelf_is_shown_and_purged_by_dataset(
    admin_client: Browser, upstreams: Upstreams, settings: Any
) -> None:
    use_redis(settings, "")  # with one, rows hold what must outlive it, and no more
    upstreams.provider("alpha")
    for query in (MarketQuery(), GasQuery()):
        gateway.answer(query)
    page = text_of(admin_client.get(SHELF))
    assert re.search(r"gas:ethereum gas alpha \d s ago", page)
    row = ShelvedAnswer.objects.get(dataset="gas")
    response = act(admin_client, SHELF, "purge", row)
    assert "1 answer is off the shelf, of gas." in text_of(response)
    assert answers.find(GasQuery()) is None
    assert answers.find(MarketQuery()) is not None


def test_answers_of_a_providers_datasets_are_purged_from_the_catalogue(
    admin_client: Browser, upstreams: Upstreams
) -> None:
    row = upstreams.provider("alpha")
    gateway.answer(GasQuery())
    response = act(admin_client, PROVIDERS, "purge_answers", row)
    assert "1 answer is off the shelf" in text_of(response)
    assert all(query.dataset.name in text_of(response) for query in Fake.offers)
    assert answers.find(GasQuery()) is None


def test_the_shelf_is_written_by_nobody_here(admin_client: Browser) -> None:
    assert admin_client.get(f"{SHELF}add/").status_code == 403


@pytest.mark.parametrize(("url", "most"), [(CLIENTS, 6), (SHELF, 6)])
def test_a_list_costs_the_same_few_queries_however_long_it_is(
    admin_client: Browser, django_assert_max_num_queries: Any, url: str, most: int
) -> None:
    for count in (1, 12):
        for n in range(count):
            client_row(f"c{count}-{n}")
            ShelvedAnswer.objects.create(
                key=f"k{count}-{n}",
                question="q",
                dataset="gas",
                source="a",
                payload="{}\n[]",
                fetched_at=0,
                stale_until=0,
            )
        with django_assert_max_num_queries(most):
            assert admin_client.get(url).status_code == 200


# -- The worker's books ----------------------------------------------------------------------


def test_nobody_schedules_a_function_by_hand(admin_client: Browser) -> None:
    for model in apps.get_app_config("django_q").get_models():
        url = f"/admin/django_q/{model._meta.model_name}/"
        if not admin.site.is_registered(model):
            continue
        assert admin_client.get(url).status_code == 200
        assert admin_client.get(f"{url}add/").status_code == 403
        assert not admin.site.get_model_admin(model).actions


def test_the_workers_books_are_for_superusers(client: Browser) -> None:
    user = User.objects.create_user("operator", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    assert client.get("/admin/django_q/schedule/").status_code == 403
    assert "/admin/django_q/" not in client.get("/admin/").content.decode()
