"""The status pages: what they say is what is known, and nothing better."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from monitoring import pages, prepared, readings
from monitoring.models import Plan, StateChange
from providers import roster
from providers.health import Health
from providers.models import Provider
from tests.monitoring.world import endpoint, results, was

pytestmark = pytest.mark.django_db


def page(client: Client, path: str = "/status") -> str:
    readings.forget()
    pages.forget()
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def banner(client: Client) -> str:
    text = page(client)
    title = text.partition("<title>")[2].partition("</title>")[0]
    assert title.endswith(" · Status · Aggregator")
    said = title.removesuffix(" · Status · Aggregator")
    assert f"</svg>{said}</span>" in text
    return said


def test_no_checks_yet_is_said_and_nothing_is_green(client: Client) -> None:
    assert banner(client) == "No checks yet"
    text = page(client)
    assert "make run" in text
    assert "status-healthy" not in text


def test_the_banner_is_the_worst_of_what_is_watched(client: Client) -> None:
    endpoint("a")
    endpoint("b")
    assert banner(client) == "All 2 work"
    endpoint("off", "disabled")
    Provider.objects.filter(slug="off").update(enabled=False)
    roster.forget()
    assert banner(client) == "All 2 work"
    Health.objects.filter(name="b").update(status="rate_limited")
    assert banner(client) == "1 of 2 works slowly or in part"
    Health.objects.filter(name="b").update(status="down")
    assert banner(client) == "1 of 2 does not work"
    Health.objects.filter(name="a").update(status="misconfigured")
    assert banner(client) == "Nothing works"


def test_it_is_never_well_on_old_checks(client: Client) -> None:
    """A page that stays green while nothing is checked is worse than none."""
    endpoint("a")
    endpoint("b", fresh_until=now() - timedelta(seconds=1))
    assert banner(client) == "1 of 2 is unknown"
    Health.objects.update(checked_at=now() - timedelta(minutes=16))
    assert banner(client) == "Nothing has been checked for three intervals"


def test_a_pause_is_shown(client: Client) -> None:
    endpoint("a")
    assert "Checks are paused" not in page(client)
    Plan(paused=True).save()
    assert "Checks are paused" in page(client)


def test_the_bars_say_in_words_what_they_show(client: Client) -> None:
    was(endpoint("a"), ("healthy", 72), ("down", 12), ("healthy", 24))
    text = page(client)
    assert "a, the last 90 days: available 88.88 %" in text
    assert 'class="bar-down"' in text
    assert "<b>88.88 %</b> · 5 % known" in text


def test_an_open_interval_ends_where_its_last_result_grew_old(client: Client) -> None:
    """Else a worker that stopped would look like a hundred per cent."""
    one = endpoint("a", fresh_until=now() - timedelta(hours=48))
    was(one, ("healthy", 96))
    text = page(client, "/status/a")
    assert '<th scope="row">24 hours</th><td class="n">–</td><td class="n">0 %</td>' in text
    assert '<th scope="row">7 days</th><td class="n">100 %</td><td class="n">29 %</td>' in text


def test_the_overview_tells_what_changed_not_that_all_were_found_well(client: Client) -> None:
    was(endpoint("a"), ("healthy", 30))
    was(endpoint("back"), ("disabled", 30), ("healthy", 20))
    assert "Nothing changed in the last 14 days." in page(client)
    was(endpoint("b"), ("healthy", 30), ("down", 2), ("healthy", 1))
    text = page(client)
    assert text.count('<span class="what">') == 2
    assert '<span class="what">' in page(client, "/status/a")


def test_the_page_of_one(client: Client) -> None:
    one = endpoint("a", "down", failures=3, reason="did not answer in time", endpoint_up=False)
    was(one, ("healthy", 30), ("down", 2))
    results(one, "good", "fault", "fault", ms=123)
    text = page(client, "/status/a")
    assert "<title>a: down · Status · Aggregator</title>" in text
    assert "did not answer in time" in text
    assert "123 ms" in text
    assert "for 1 day 6 h" in text  # how long it was healthy
    assert 'class="area"' in text
    assert "<dt>Answers at all</dt><dd>no</dd>" in text
    assert "<dt>Takes our key</dt><dd>not known</dd>" in text


def test_a_page_without_a_past_says_so(client: Client) -> None:
    endpoint("a", "unknown", checked_at=None, fresh_until=None, reason="", response_time_ms=None)
    text = page(client, "/status/a")
    assert "not checked yet" in text
    assert "No answers in the last 7 days." in text
    assert "None yet." in text


def test_what_an_upstream_says_is_text_and_no_markup(client: Client) -> None:
    evil = '"><svg onload=alert(1)>\u2028{{ 7 }}'
    one = endpoint("a", "down", reason=evil, error_message=evil)
    was(one, ("healthy", 1), ("down", 1))
    StateChange.objects.update(reason=evil)
    for path in ("/status", "/status/a"):
        text = page(client, path)
        assert "<svg onload" not in text
        assert "&lt;svg onload" in text


def test_an_unknown_name_is_a_404(client: Client) -> None:
    assert client.get("/status/nobody").status_code == 404


def test_where_answers_need_a_key_the_pages_are_for_staff(client: Client, settings: Any) -> None:
    endpoint("a-secret-provider")
    settings.ANONYMOUS_ACCESS = False
    for path in ("/status", "/status/a-secret-provider", "/status/nobody"):
        assert "a-secret-provider<" not in page(client, path)
        assert "shown to staff alone" in page(client, path)
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert "a-secret-provider</a>" in page(client)


def test_a_handful_of_queries_whatever_the_history(client: Client) -> None:
    for n in range(8):
        one = endpoint(f"p{n}")
        was(one, *[("healthy", 1), ("down", 1)] * 10)
        results(one, *["good"] * 20)
    prepared.prepare(now())
    for path in ("/status", "/status/p1"):
        readings.forget()
        pages.forget()
        roster.forget()
        with CaptureQueriesContext(connection) as found:
            assert client.get(path).status_code == 200
        assert len(found) <= 15, [query["sql"][:100] for query in found]
        assert not [query for query in found if "monitoring_rollup" in query["sql"]][1:]


def test_who_comes_within_a_second_of_another_reads_nothing(
    client: Client, django_assert_num_queries: Any
) -> None:
    was(endpoint("a"), ("healthy", 5))
    page(client)
    with django_assert_num_queries(0):
        client.get("/status")


def test_it_works_without_a_script_and_brings_nothing_from_elsewhere(client: Client) -> None:
    was(endpoint("a"), ("healthy", 5))
    for path in ("/status", "/status/a"):
        text = page(client, path)
        assert 'style="' not in text
        assert "<script>" not in text
        assert "http-equiv" in text.partition("<noscript>")[2].partition("</noscript>")[0]
        assert "//cdn" not in text
