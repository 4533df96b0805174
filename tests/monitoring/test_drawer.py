"""The status drawer as the server renders it: short rows that say what is so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from monitoring import readings, system
from providers import roster
from providers.models import Provider
from tests.monitoring.world import called, endpoint, results

pytestmark = pytest.mark.django_db

URL = "/status/drawer"


def get(client: Client, **headers: str) -> Any:
    readings.forget()
    roster.forget()
    system.forget()
    return client.get(URL, headers=headers)


def text(client: Client) -> str:
    """What one reads, tags apart."""
    response = get(client)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


@pytest.mark.parametrize(
    ("status", "fields", "row"),
    [
        ("healthy", {"response_time_ms": 117.4}, "healthy a : 117 ms | 98 %"),
        ("rate_limited", {"outcome": "throttled"}, "a : Rate limited (429)"),
        ("rate_limited", {"reason": "rate budget spent"}, "a : Rate limited: rate budget spent"),
        ("down", {"reason": "did not answer in time"}, "a : Offline: did not answer in time"),
        (
            "degraded",
            {"reason": "recovering: 1 of 2 good checks", "response_time_ms": 1250.0},
            "a : 1,250 ms | 98 % | Degraded: recovering: 1 of 2 good checks",
        ),
        (
            "down",
            {"outcome": "unreachable", "error_message": "could not be reached: a has no address"},
            "a : DNS trouble",
        ),
        ("unknown", {"reason": "not checked yet"}, "unknown a : Unknown: not checked yet"),
    ],
)
def test_a_row_says_what_is_so(
    client: Client, status: str, fields: dict[str, Any], row: str
) -> None:
    results(endpoint("a", status, **fields), *["good"] * 54, "fault")
    assert row in text(client)


def test_before_the_first_check_it_says_so(client: Client) -> None:
    found = text(client)
    assert "No checks yet" in found
    assert "Nothing is being checked yet." in found
    assert "Average : not measured yet" in found
    assert "Hugging Face : not checked" in found


def test_the_worst_comes_first_and_what_is_off_behind_a_line_of_its_own(client: Client) -> None:
    for slug, status in (("a", "healthy"), ("b", "down"), ("off", "disabled")):
        endpoint(slug, status)
    Provider.objects.filter(slug="off").update(enabled=False)
    found = text(client)
    assert "1 of 2 healthy" in found
    assert found.index("Offline") < found.index("healthy a") < found.index("1 switched off")
    assert "off : Disabled: switched off" in found.partition("1 switched off")[2]


def test_errors_come_folded_with_what_was_done(client: Client) -> None:
    endpoint("a")
    called(Provider.objects.get(), "timed_out", "timed_out")
    page = get(client).content.decode()
    assert '<details id="drawer-errors">' in page
    assert '<details id="drawer-performance" open>' in page
    assert "a : 2 × did not answer in time Rested, longer after each failure" in text(client)


def test_what_an_upstream_says_is_text_and_no_markup(client: Client) -> None:
    evil = '"><svg onload=alert(1)>\u2028{{ 7 }}'
    endpoint("a", "down", reason=evil, error_message=evil)
    Provider.objects.update(title=evil)
    called(Provider.objects.get(), "broken", detail=evil)
    page = get(client).content.decode()
    assert "<svg onload" not in page
    assert "&lt;svg onload" in page


def test_what_has_not_changed_is_not_sent_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = {"cpu_percent": 1.0, "memory_percent": 2.0, "load_avg": [0.0, 0.0, 0.0]}
    monkeypatch.setattr("monitoring.machine.load", lambda: load)
    one = endpoint("a")
    first = get(client)
    again = get(client, If_None_Match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["X-Read-At"] > first["X-Read-At"]
    results(one, "fault")
    assert get(client, If_None_Match=first["ETag"]).status_code == 200


def test_hundreds_may_leave_it_open(client: Client) -> None:
    for n in range(5):
        results(endpoint(f"p{n}"), "good")
    get(client)
    with CaptureQueriesContext(connection) as found:
        client.get(URL)
    assert len(found) == 0, [query["sql"][:120] for query in found]


def test_where_answers_need_a_key_it_is_for_staff(client: Client, settings: Any) -> None:
    endpoint("a-secret-provider")
    settings.ANONYMOUS_ACCESS = False
    assert "a-secret-provider" not in get(client).content.decode()
    assert "shown to staff alone" in text(client)
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert "a-secret-provider" in text(client)


@pytest.mark.parametrize("path", ["/", "/status", "/explore", "/resources", "/docs", "/nowhere"])
def test_a_button_on_every_page_leads_to_the_status_page(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert 'id="drawer-open" href="/status"' in page
    assert page.count("<dialog") == 1


def test_the_admin_has_it_too_and_its_popups_have_not(admin_client: Client) -> None:
    assert 'id="drawer-open"' in admin_client.get("/admin/").content.decode()
    popup = admin_client.get("/admin/auth/user/add/?_popup=1").content.decode()
    assert 'id="drawer-open"' not in popup
