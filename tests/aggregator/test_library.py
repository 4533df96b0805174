"""The page of the catalogue, as the server renders it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from providers.models import Resource
from tests.providers.operator import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]


def test_it_lists_who_is_asked_and_who_is_only_known_of(client: Client) -> None:
    page = text_of(client.get("/resources", {"category": "exchange"}))
    assert "HTX (Huobi) https://api.huobi.pro exchange no key unknown" in page
    assert "asked as kraken" in page
    assert "Dune" not in page


def test_a_form_remembers_what_was_asked(client: Client) -> None:
    response = client.get("/resources", {"q": "ankr", "category": "node", "status": ""})
    page = response.content.decode()
    assert 'value="ankr"' in page
    assert '<option value="node" selected>' in page
    assert "1 entry" in text_of(page)
    assert "/api/resources?q=ankr&amp;category=node" in page


def test_pages_lead_on_and_back(client: Client) -> None:
    first = client.get("/resources", {"category": "llm", "limit": "50"})
    assert first.context["before"] == ""
    second = client.get("/resources" + first.context["after"])
    assert len(second.context["entries"]) == 40
    assert client.get("/resources" + second.context["before"]).context["page"] == 1


@pytest.mark.parametrize("params", [{"category": "shoes"}, {"page": "0"}, {"q": "x" * 101}])
def test_nonsense_is_told_in_words(client: Client, params: dict[str, str]) -> None:
    response = client.get("/resources", params)
    assert response.status_code == 400
    assert f"That cannot be looked for {next(iter(params))}:" in text_of(response)


def test_nothing_found_is_said(client: Client) -> None:
    assert "Nothing matches" in text_of(client.get("/resources", {"q": "zzzzz"}))


def test_what_a_list_says_cannot_become_a_page(client: Client) -> None:
    hostile = "<script>alert(1)</script>"
    Resource.objects.create(slug="h", title=hostile, category="market", notes=hostile)
    assert hostile not in client.get("/resources", {"q": "alert(1)"}).content.decode()


def test_without_anonymous_access_it_shows_nothing(
    client: Client, admin_client: Client, settings: Any
) -> None:
    settings.ANONYMOUS_ACCESS = False
    page = text_of(client.get("/resources"))
    assert "only those who have a client key" in page
    assert "Kraken" not in page
    assert "Kraken" in text_of(admin_client.get("/resources", {"q": "kraken"}))
