"""The page of one provider in the admin."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils.timezone import now

from providers import roster
from providers.models import Call, Provider
from providers.resilience import Phase
from tests.providers.operator import PROVIDERS, _try, edit, errors_of, messages_of, text_of
from tests.upstreams import Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_shows_its_standing_and_its_last_twenty_calls(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("alpha")
    for n in range(25):
        Call.objects.create(
            provider=row,
            dataset="market",
            outcome="ok",
            seconds=0.1,
            rows=1000 + n,
            at=now() - timedelta(minutes=n),
        )
    page = text_of(admin_client.get(f"{PROVIDERS}{row.pk}/change/"))
    assert "Now Status healthy answers Circuit closed" in page
    assert "Key takes none" in page
    assert "1000 visitor" in page
    assert "1019 visitor" in page
    assert "1020 visitor" not in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (
            "limits",
            '[{"limit": 30, "per_s": 60]',
            "This is not JSON: Expecting ',' delimiter in line 1",
        ),
        ("limits", "[{'limit': 30, 'per_s': 60}]", "double quotes"),
        ("limits", '{"limit": 30}', "list of windows"),
        ("limits", '[{"limit": 30}]', "'per_s'"),
        ("limits", '[{"limit": NaN, "per_s": 60}]', "NaN is no number of JSON"),
        ("limits", '[{"limit": 1, "per_s": 1, "scope": "moon"}]', "scope is one of"),
        ("limits", '[{"limit": 1, "per_s": 1, "bursts": 1}]', "A window has no 'bursts'"),
        ("limits", "[" * 5000, "This is not JSON"),
        ("options", "{'model': 'x'}", '{"model": "..."}'),
        ("base_url", "ftp://x.example/", "such as https://"),
        ("base_url", "https://me:word@x.example/", "No password belongs in an address"),
        ("base_url", "http://169.254.169.254/v1", "ALLOW_PRIVATE_UPSTREAMS"),
        ("base_url", "http://10.1.2.3:11434/v1", "a private address"),
        ("rests_s", "[5, -1]", "list of seconds"),
        ("throttle_rests_s", '"soon"', "list of seconds"),
        ("timeout_s", "0", "greater than or equal to 0.1"),
        ("priority", "101", "less than or equal to 100"),
        ("block_rest_s", "-1", "not below 0"),
        ("adapter_name", "gone", "Select a valid choice"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_in_words(
    admin_client: Client, upstreams: Upstreams, field: str, value: str, said: str
) -> None:
    row = upstreams.provider("alpha")
    response = edit(admin_client, row, **{field: value})
    assert said in " ".join(errors_of(response)[field])
    assert html.escape(value)[:80] in response.content.decode()


def test_an_edit_is_kept_and_obeyed(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("alpha")
    roster.current()
    edit(admin_client, row, limits='[{"limit": 30, "per_s": 60, "burst": 5}]', timeout_s="1.5")
    (obeyed,) = roster.current().providers
    assert obeyed.limits == [{"limit": 30, "per_s": 60, "burst": 5}]
    assert obeyed.timeout_s == 1.5


def test_an_untouched_form_changes_nothing(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider(
        "alpha", limits=[{"limit": 1, "per_s": 10, "source": "https://x.example"}]
    )
    before = Provider.objects.filter(pk=row.pk).values().get()
    edit(admin_client, row)
    assert Provider.objects.filter(pk=row.pk).values().get() == before
    assert LogEntry.objects.get().get_change_message() == "No fields changed."


def test_the_name_of_a_provider_stays(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("alpha")
    edit(admin_client, row, slug="omega")
    row.refresh_from_db()
    assert row.slug == "alpha"


def test_save_and_test_tests_what_was_saved(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("alpha")
    Provider.objects.update(base_url="http://127.0.0.1:9/")
    response = edit(admin_client, row, base_url=f"{upstreams.url}/alpha", _test="1")
    assert re.fullmatch(r"alpha: answered in \d+ ms\.", messages_of(response)[0])
    assert response.redirect_chain[-1][0] == f"{PROVIDERS}{row.pk}/change/"


def test_save_and_reset_closes_the_circuit(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("tired")
    upstreams.play["tired"] = status(503)
    _try(row)
    edit(admin_client, row, _reset="1")
    assert row.guard.phase(row.guard.standing()) is Phase.CLOSED


def test_deleting_counts_the_calls_instead_of_listing_them(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("alpha")
    for _ in range(3):
        Call.objects.create(provider=row, dataset="market", outcome="ok", seconds=0.1)
    roster.current()
    page = text_of(admin_client.get(f"{PROVIDERS}{row.pk}/delete/"))
    assert "calls: 3" in page.lower()
    admin_client.post(f"{PROVIDERS}{row.pk}/delete/", {"post": "yes"})
    assert roster.current().providers == []
    assert not Call.objects.exists()
