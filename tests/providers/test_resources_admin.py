"""The admin of resources: found by what one remembers, edited in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from providers import roster
from providers.loading import load
from providers.models import Provider, Resource
from tests.providers.operator import edit, errors_of, text_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shipped")]

URL = "/admin/providers/resource/"


def shown(client: Client, **params: Any) -> set[str]:
    response = client.get(URL, params)
    assert response.status_code == 200
    return {row.slug for row in response.context["cl"].result_list}


@pytest.mark.parametrize(
    ("params", "there", "not_there"),
    [
        ({"category": "node"}, "drpc", "kraken"),
        ({"source__exact": "llm_lists", "q": "groq"}, "groq", "drpc"),
        ({"status": "unknown", "q": "nansen"}, "nansen", "drpc"),
        ({"flag": "retired"}, "bscscan", "kraken"),
        ({"asked": "yes"}, "kraken", "nansen"),
        ({"asked": "no", "category": "onchain"}, "nansen", "kraken"),
        ({"q": "ankr.com"}, "ankr", "drpc"),
    ],
)
def test_entries_are_found_by_what_one_remembers(
    admin_client: Client, params: dict[str, str], there: str, not_there: str
) -> None:
    found = shown(admin_client, **params)
    assert there in found
    assert not_there not in found


def test_the_list_says_what_is_known_and_by_whom(admin_client: Client) -> None:
    page = text_of(admin_client.get(URL, {"q": "nansen"}))
    assert "unknown nobody looked yet" in page
    page = text_of(admin_client.get(URL, {"q": "api.kraken.com"}))
    assert "unknown as its provider" in page
    pk = Provider.objects.get(slug="kraken").pk
    response = admin_client.get(URL, {"q": "api.kraken.com"})
    assert f"/admin/providers/provider/{pk}/change/" in response.content.decode()


def test_the_list_costs_the_same_few_queries_however_long_it_is(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for q in ("kraken", ""):
        roster.forget()
        with django_assert_max_num_queries(20):
            shown(admin_client, q=q)


def test_an_edit_is_kept_by_the_next_upgrade(admin_client: Client) -> None:
    row = Resource.objects.get(slug="nansen")
    edit(admin_client, row, notes="We pay for it.", flags=["paid_only", "terms_risk"])
    row.refresh_from_db()
    assert (row.notes, row.flags) == ("We pay for it.", ["paid_only", "terms_risk"])
    assert load()["resources"].kept == ["nansen.flags", "nansen.notes"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("url", "ftp://nansen.example", "Use an address"),
        ("url", "https://me:secret@nansen.example", "without a login"),
        ("addresses", '["not an address"]', "Use an address"),
        ("chains", '"ethereum"', "a list of texts"),
        ("limits", '[{"limit": 0, "per_s": 1}]', "above 0"),
        ("limits", "[{", "This is not JSON"),
        ("priority", "101", "100"),
        ("flags", ["odd"], "odd is not one"),
    ],
)
def test_what_makes_no_sense_is_refused(
    admin_client: Client, field: str, value: Any, said: str
) -> None:
    row = Resource.objects.get(slug="nansen")
    response = edit(admin_client, row, **{field: value})
    assert said in str(errors_of(response)[field])


def test_an_operator_adds_one_of_their_own(admin_client: Client) -> None:
    response = admin_client.get(f"{URL}add/")
    assert response.status_code == 200
    data = {"slug": "mine", "title": "Mine", "category": "market", "kind": "api"}
    data |= {"source": "operator", "auth": "none"}
    assert admin_client.post(f"{URL}add/", data).status_code == 302
    row = Resource.objects.get(slug="mine")
    assert (row.chains, row.limits) == ([], [])
    assert not load()["resources"].retired
