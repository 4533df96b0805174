"""GET /api/resources: the whole catalogue, searched, filtered, paged and counted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from providers import known, roster
from providers.health import Health
from providers.models import Provider, Resource, Shipped
from providers.standing import Status

pytestmark = pytest.mark.django_db


def ask(client: Client, **params: Any) -> dict[str, Any]:
    response = client.get("/api/resources", params)
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    assert sum(body["by_source"].values()) == body["total"] == sum(body["by_category"].values())
    return body


def slugs(body: dict[str, Any]) -> list[str]:
    return [row["slug"] for row in body["rows"]]


def resource(slug: str, **values: Any) -> Resource:
    row = {"title": slug.title(), "category": "market", "source": "data_lists", **values}
    return Resource.objects.create(slug=slug, **row)


def checked(row: Resource, **values: Any) -> Health:
    told = {"kind": "resource", "checked_at": now(), **values}
    return Health.objects.create(resource=row, name=f"resource:{row.slug}", **told)


def provider(slug: str, **values: Any) -> Provider:
    row = {"title": slug, "adapter_name": "kraken", "category": "exchange", **values}
    roster.forget()
    return Provider.objects.create(slug=slug, **row)


def test_an_empty_catalogue_is_an_empty_list(client: Client) -> None:
    body = ask(client)
    assert (body["rows"], body["total"], body["pages"], body["by_source"]) == ([], 0, 0, {})


def test_the_whole_catalogue_is_listed_and_counted(shipped: None, client: Client) -> None:
    first = ask(client, limit=250)
    rest = ask(client, limit=250, page=2)
    assert len(first["rows"]) + len(rest["rows"]) == first["total"] >= 243
    assert len({*slugs(first), *slugs(rest)}) == first["total"], "an entry stands there twice"
    spoken = {name for row in first["rows"] + rest["rows"] for name in row["providers"]}
    assert spoken == set(Provider.objects.values_list("slug", flat=True))
    assert set(first["by_source"]) == {"data_lists", "llm_lists", "house"}
    assert first["by_category"]["llm"] == 90
    assert json.dumps(first["by_source"]) == json.dumps(rest["by_source"])


def test_what_nobody_measured_is_unknown_and_what_nobody_said_is_null(client: Client) -> None:
    resource("plain")
    (row,) = ask(client)["rows"]
    assert (row["status"], row["checked_at"], row["url"], row["priority"]) == (
        "unknown",
        None,
        None,
        None,
    )


def test_what_was_measured_is_told_with_its_time(client: Client) -> None:
    seen, lost = resource("seen"), resource("lost")
    later = now() + timedelta(hours=1)
    checked(seen, status="down", fresh_until=later, reason="could not be reached")
    checked(lost, status="healthy", fresh_until=now(), response_time_ms=12.34)
    (row,) = ask(client, status="down")["rows"]
    assert row["checked_at"].endswith("Z")
    assert (row["status_reason"], row["response_time_ms"]) == ("could not be reached", None)
    assert not ask(client, status="healthy")["rows"], "an old result is no result"
    (row,) = ask(client, status="unknown")["rows"]
    assert (row["slug"], row["response_time_ms"]) == ("lost", 12.3)


def test_a_list_costs_as_many_queries_as_a_row(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    later = now() + timedelta(hours=1)
    for number in range(30):
        checked(resource(f"r{number}"), status="healthy", fresh_until=later)
    with django_assert_max_num_queries(12) as asked:
        assert ask(client, status="healthy")["total"] == 30
    few = len(asked)
    for number in range(30, 90):
        checked(resource(f"r{number}"), status="healthy", fresh_until=later)
    with django_assert_max_num_queries(few):
        assert ask(client, status="healthy")["total"] == 90


def test_a_resource_is_as_well_as_the_best_of_those_who_speak_for_it(client: Client) -> None:
    resource("gecko", providers=["one", "two", "gone"])
    provider("one", enabled=False)
    provider("two", priority=77)
    (row,) = ask(client)["rows"]
    assert (row["providers"], row["status"], row["priority"]) == (["one", "two"], "unknown", 77)


def test_a_namesake_speaks_for_a_resource(client: Client) -> None:
    resource("crypto-panic")
    provider("crypto_panic")
    assert [row["providers"] for row in ask(client)["rows"]] == [["crypto_panic"]]


def test_a_provider_that_nothing_names_is_listed_by_itself(client: Client) -> None:
    provider("mine", base_url="http://10.1.2.3/SECRETKEY/", notes="call Bob")
    (row,) = ask(client)["rows"]
    assert (row["slug"], row["source"], row["category"]) == ("mine", "operator", "exchange")
    assert row["url"].startswith("https://api.kraken.com")
    assert "SECRETKEY" not in json.dumps(row)
    assert "Bob" not in json.dumps(row)


def test_a_provider_of_the_catalogue_shows_the_catalogues_words(client: Client) -> None:
    provider("theirs", base_url="https://mine.example/")
    said = {"base_url": "https://theirs.example", "notes": "Off."}
    Shipped.objects.create(kind="providers", key="theirs", values=said)
    (row,) = ask(client)["rows"]
    assert (row["source"], row["url"], row["notes"]) == ("house", "https://theirs.example", "Off.")


def test_search_wants_every_word_and_minds_no_case(client: Client) -> None:
    resource("ankr", url="https://rpc.ankr.com/bsc", chains=["bsc"], category="node")
    resource("infura", chains=["ethereum"], category="node", flags=["suspect"])
    assert slugs(ask(client, q="ANKR bsc")) == ["ankr"]
    assert slugs(ask(client, q="ankr ethereum")) == []
    assert slugs(ask(client, q="rpc.ankr")) == ["ankr"]
    assert slugs(ask(client, flag="suspect")) == ["infura"]
    assert slugs(ask(client, category="node", q=" ")) == ["ankr", "infura"]


def test_pages_follow_one_another_and_end(client: Client) -> None:
    for n in range(5):
        resource(f"r{n}")
    pages = [slugs(ask(client, limit=2, page=page)) for page in (1, 2, 3, 4)]
    assert pages == [["r0", "r1"], ["r2", "r3"], ["r4"], []]
    assert ask(client, limit=2)["pages"] == 3


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 251}, "limit"),
        ({"page": "-1"}, "page"),
        ({"page": "9" * 30}, "page"),
        ({"category": "shoes"}, "category"),
        ({"category": "x" * 10_000}, "category"),
        ({"source": "me"}, "source"),
        ({"status": "alive"}, "status"),
        ({"flag": "red"}, "flag"),
        ({"q": "x" * 101}, "q"),
        ({"q": "a\0b"}, "q"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_parameter_is_named(client: Client, params: dict[str, Any], field: str) -> None:
    resource("plain")
    response = client.get("/api/resources", params)
    assert response["Content-Type"] == "application/problem+json"
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]


@pytest.mark.parametrize("q", ["' OR 1=1 --", "{{7*7}}", "%", "_", "ВТС", "🚀", "\\"])
def test_strange_words_find_nothing(client: Client, q: str) -> None:
    resource("plain")
    assert ask(client, q=q)["total"] == 0


def test_it_asks_nobody_and_costs_the_same_few_queries(
    shipped: None, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        ask(client)


def test_every_status_has_its_place() -> None:
    assert set(known.BEST_FIRST) == set(Status)
