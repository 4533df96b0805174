"""What an operator does with a page of the admin: reads it, edits a row, presses a button."""

from __future__ import annotations

import html
import re
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from providers import calls
from providers.models import Asset, Call, Cell, Credential, Listing, Provider
from tests.upstreams import Keyed, Said, Upstreams

PROVIDERS = "/admin/providers/provider/"
CREDENTIALS = "/admin/providers/credential/"
SECRET = "sk-0123456789-never-to-be-seen"


def text_of(page: Any) -> str:
    found = page.content.decode() if hasattr(page, "content") else page
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found)).split())


def act(client: Client, url: str, action: str, *rows: Any, **more: Any) -> Any:
    chosen = [row.pk for row in rows]
    data = {"action": action, "_selected_action": chosen, **more}
    return client.post(url, data, follow=True)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def form_of(client: Client, url: str) -> dict[str, Any]:
    """What a browser would send back if nothing were changed."""
    response = client.get(url)
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data: dict[str, Any] = {}
    for form in forms:
        for bound in form:
            value = bound.field.prepare_value(bound.value()) if bound.value() is not None else ""
            if value is not False:
                data[bound.html_name] = "on" if value is True else value
    return data


def edit(client: Client, row: Any, **changes: Any) -> Any:
    url = reverse(f"admin:providers_{row._meta.model_name}_change", args=[row.pk])
    return client.post(url, form_of(client, url) | changes, follow=True)


def errors_of(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict(response.context["adminform"].form.errors)
    return found


def credential(provider: Provider, label: str = "first", **fields: Any) -> Credential:
    row = Credential(provider=provider, label=label, **fields)
    row.set_key(SECRET)
    row.save()
    return row


def _try(*rows: Provider) -> None:
    from providers.admin.testing import attempt

    for row in rows:
        attempt(row)
    calls.flush()


def _provider(n: int, **fields: Any) -> Provider:
    return Provider.objects.create(slug=f"p{n}", title=f"P {n}", adapter_name="kraken", **fields)


def _call(n: int, **fields: Any) -> Call:
    values = {"dataset": "market", "outcome": "ok", "seconds": 0.1} | fields
    return Call.objects.create(provider=_provider(n), **values)


def _asset(n: int) -> None:
    row = Asset.objects.create(slug=f"a{n}", symbol=f"A{n}", name=f"A {n}")
    Listing.objects.create(asset=row, adapter_name="kraken", external_id=f"A{n}/USD")


def _cell(n: int) -> None:
    Cell.objects.create(key=f"c{n}", value="{}", version=1, expires_at=time.time() + 60)


@pytest.fixture
def keyed(upstreams: Upstreams) -> Provider:
    """A provider whose upstream knows one key."""
    row = upstreams.provider("keyed", Keyed)
    upstreams.play["keyed"] = lambda asked: Said(200 if asked.key == SECRET else 401)
    return row
