"""The admin's page of the configuration: look first, then all of it or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from aggregator import configuration
from providers import roster
from providers.models import Provider
from tests.providers.operator import messages_of, text_of

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/admin/configuration/"
FILE = "aggregator: 1\nproviders:\n  kraken: {priority: 5, notes: '<b>ours</b>'}\n"


@pytest.fixture(autouse=True)
def kraken() -> Provider:
    roster.forget()
    return Provider.objects.create(slug="kraken", title="K", adapter_name="kraken", priority=90)


def upload(client: Client, text: str | bytes) -> Any:
    body = text.encode() if isinstance(text, str) else text
    return client.post(URL, {"file": SimpleUploadedFile("c.yaml", body)})


def apply(client: Client, page: Any, **changes: str) -> Any:
    """Press Apply on a page of changes, as a browser would send it."""
    sent = {name: page.context[name] for name in ("text", "agreed")}
    sent["text"] = sent["text"].replace("\n", "\r\n")
    return client.post(URL, {**sent, "apply": "Apply", **changes}, follow=True)


def priority() -> int:
    return Provider.objects.get(slug="kraken").priority


def test_the_index_leads_to_it(admin_client: Client) -> None:
    assert URL in admin_client.get("/admin/").content.decode()
    assert "Download the configuration" in text_of(admin_client.get(URL))


def test_it_is_for_superusers_alone(client: Client) -> None:
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(URL).status_code == 403
    assert client.get(f"{URL}?download=1").status_code == 403
    assert upload(client, FILE).status_code == 403
    assert URL not in client.get("/admin/").content.decode()
    client.logout()
    assert client.get(URL).status_code == 302


def test_the_download_is_the_export(admin_client: Client) -> None:
    response = admin_client.get(f"{URL}?download=1")
    assert response.content.decode() == configuration.export().text()
    assert response["Content-Disposition"].startswith('attachment; filename="aggregator-')
    assert "no-store" in response["Cache-Control"]


def test_changes_are_shown_before_they_are_made(admin_client: Client) -> None:
    page = upload(admin_client, FILE)
    assert "Changed: providers/ kraken priority" in text_of(page)
    assert "priority 90 5" in text_of(page)
    assert "<b>ours</b>" not in page.content.decode()
    assert priority() == 90
    done = apply(admin_client, page)
    assert messages_of(done) == ["1 row changed."]
    assert priority() == 5
    assert LogEntry.objects.get().change_message == "Imported: priority, notes."


def test_what_changed_meanwhile_is_shown_again(admin_client: Client) -> None:
    page = upload(admin_client, FILE)
    Provider.objects.update(priority=70)
    again = apply(admin_client, page)
    assert "meanwhile" in messages_of(again)[0]
    assert "priority 70 5" in text_of(again)
    assert priority() == 70
    apply(admin_client, again)
    assert priority() == 5


def test_a_text_that_nobody_looked_at_is_not_applied(admin_client: Client) -> None:
    page = upload(admin_client, FILE)
    apply(admin_client, page, text=FILE.replace("5,", "6,"))
    assert priority() == 90


def test_what_differs_in_nothing_is_told(admin_client: Client) -> None:
    page = admin_client.post(
        URL,
        {"file": SimpleUploadedFile("c.yaml", configuration.export().text().encode())},
        follow=True,
    )
    assert messages_of(page) == ["Nothing differs: everything is as the file says."]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("aggregator: 1\nproviders:\n  kraken: {priority: x}", "line 3: providers.kraken.priority"),
        ("a: &a [1]\nb: *a", "line 2: an alias"),
        (b"\xff\xfe", "Byte 0 is no UTF-8"),
        ("#" * 500_000, "More than 400,000 bytes"),
        ("", "file is empty"),
        ("a: <script>alert(1)</script>", "it has to say aggregator: 1"),
    ],
)
def test_a_bad_file_is_refused_in_words(admin_client: Client, body: str | bytes, said: str) -> None:
    page = upload(admin_client, body)
    assert page.status_code == 400
    assert said in text_of(page)
    assert "<script>alert" not in page.content.decode()
    assert priority() == 90


def test_no_file_at_all_is_told(admin_client: Client) -> None:
    assert "required" in text_of(admin_client.post(URL, {}))
    page = admin_client.post(URL, {"apply": "Apply", "text": "5", "agreed": "x"})
    assert "no configuration" in text_of(page)
