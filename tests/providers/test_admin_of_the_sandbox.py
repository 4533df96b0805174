"""The page of the sandbox, where faults are added and cleared."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from providers.admin import faults
from providers.datasets import GasQuery
from providers.models import Asset, Call, Cell, Credential, Policy, Provider
from tests.providers.operator import _asset, _call, _cell, _provider, credential, text_of
from tests.providers.operator import keyed as keyed
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db(transaction=True)


class Sandbox:
    """Its control endpoints, in memory."""

    def __init__(self) -> None:
        self.faults: list[dict[str, Any]] = []

    def ask(self, method: str, path: str = "", document: Any = None) -> Any:
        if method == "POST":
            if document["fault"] == "earthquake":
                raise faults.Refused("no fault is called 'earthquake'")
            self.faults.append({"path": "", "times": None} | document)
        elif method == "DELETE":
            self.faults.clear()
        counts = {"api.kraken.com": {"/0/public/Ticker": 7}}
        return {"hosts": ["api.kraken.com"], "faults": self.faults, "requests": counts, "total": 7}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Sandbox:
    found = Sandbox()
    settings.SANDBOX, settings.SANDBOX_URL = True, "http://127.0.0.1:9"
    monkeypatch.setattr(faults, "_ask", found.ask)
    return found


def test_faults_are_added_and_cleared_by_a_form(admin_client: Client, sandbox: Sandbox) -> None:
    page = text_of(admin_client.get("/admin/sandbox/"))
    assert "None: every host answers as its provider would." in page
    assert "api.kraken.com /0/public/Ticker 7" in page
    sent = {"add": "1", "host": "api.kraken.com", "fault": "status=503", "times": "2", "path": ""}
    page = text_of(admin_client.post("/admin/sandbox/", sent, follow=True))
    assert sandbox.faults == [
        {"host": "api.kraken.com", "fault": "status=503", "times": 2, "path": ""}
    ]
    assert "api.kraken.com all status=503 2" in page
    admin_client.post("/admin/sandbox/", {"clear": "1"})
    assert sandbox.faults == []


def test_a_fault_the_sandbox_does_not_know_is_refused_beside_its_field(
    admin_client: Client, sandbox: Sandbox
) -> None:
    sent = {"add": "1", "host": "api.kraken.com", "fault": "earthquake"}
    page = text_of(admin_client.post("/admin/sandbox/", sent))
    assert "no fault is called 'earthquake'" in page


def test_a_sandbox_that_does_not_answer_says_how_to_start_it(
    admin_client: Client, settings: Any
) -> None:
    settings.SANDBOX, settings.SANDBOX_URL = True, "http://127.0.0.1:9"
    assert "python manage.py sandbox" in text_of(admin_client.get("/admin/sandbox/"))


def test_there_is_no_such_page_outside_the_sandbox(admin_client: Client) -> None:
    assert admin_client.get("/admin/sandbox/").status_code == 404


def test_the_sandbox_page_is_for_staff(client: Client, sandbox: Sandbox) -> None:
    assert client.get("/admin/sandbox/")["Location"].startswith("/admin/login/")


def test_every_list_and_page_of_the_admin_opens(
    admin_client: Client, keyed: Provider, upstreams: Upstreams
) -> None:
    credential(keyed)
    _call(1)
    _asset(1)
    _cell(1)
    Policy.objects.create(dataset=GasQuery.dataset.name)
    for model in (Provider, Credential, Asset, Policy, Call, Cell):
        name = model._meta.model_name
        assert admin_client.get(reverse(f"admin:providers_{name}_changelist")).status_code == 200
        row = model._default_manager.first()
        assert row is not None
        change = reverse(f"admin:providers_{name}_change", args=[row.pk])
        assert admin_client.get(change).status_code == 200


def test_the_list_is_narrowed_to_what_is_wrong_and_to_who_offers_something(
    admin_client: Client,
) -> None:
    _provider(1, enabled=False)
    _provider(2)
    Provider.objects.create(slug="lost", title="Lost", adapter_name="gone")
    Provider.objects.create(slug="news", title="News", adapter_name="rss")

    def shown(**given: str) -> set[str]:
        page = admin_client.get("/admin/providers/provider/", given)
        return {row.slug for row in page.context["cl"].result_list}

    assert shown(status="disabled") == {"p1"}
    assert shown(status="misconfigured") == {"lost"}
    assert shown(status="unknown") == {"p2", "news"}
    assert shown(dataset="ohlc") == {"p1", "p2"}
    assert shown(dataset="news", status="unknown") == {"news"}
    assert shown(dataset="nothing") == set()
