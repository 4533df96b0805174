"""The lists of the admin: one without rows says why, and moments and figures say in what."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from monitoring.alerts.models import Alert, AlertRule
from monitoring.models import CheckResult
from monitoring.severities import Severity
from providers.models import Provider
from tests.monitoring.world import endpoint
from tests.providers.operator import text_of

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 11, 21, 22, 17, 4, tzinfo=UTC)
LISTS = {
    f"{model._meta.app_label}_{model._meta.model_name}": model for model in admin.site._registry
}


def listed(client: Client, name: str, query: str = "") -> str:
    return text_of(client.get(reverse(f"admin:{name}_changelist") + query, follow=True))


@pytest.mark.parametrize("name", LISTS)
def test_a_list_without_rows_says_why(admin_client: Client, name: str) -> None:
    if LISTS[name].objects.exists():  # type: ignore[attr-defined]
        return
    page = admin_client.get(reverse(f"admin:{name}_changelist"), follow=True)
    if "cl" in (page.context or {}):
        assert '<p class="when-empty">' in page.content.decode()


def test_a_search_that_finds_nothing_is_not_told_that_there_is_nothing(
    admin_client: Client,
) -> None:
    assert "nobody is told" in listed(admin_client, "monitoring_channel")
    assert "Nothing matches." in listed(admin_client, "monitoring_incident", "?q=flood")


def test_a_moment_has_its_zone_and_a_time_its_unit(admin_client: Client) -> None:
    CheckResult.objects.create(
        endpoint=endpoint("a"),
        run=1,
        at=MOMENT,
        finding="good",
        status="healthy",
        outcome="ok",
        response_time_ms=13.10729200008609,
    )
    said = listed(admin_client, "monitoring_checkresult")
    assert "2026-11-21 22:17:04 UTC" in said
    assert "13 ms" in said


def test_the_worst_of_an_alert_is_in_the_unit_of_its_figure(admin_client: Client) -> None:
    Alert.objects.create(
        rule=AlertRule.objects.create(name="CPU", metric="cpu", threshold=90),
        severity=Severity.MAJOR,
        value=91.0,
        worst=99.97464717315982,
        threshold=90,
        said="CPU busy",
    )
    assert "100 %" in listed(admin_client, "monitoring_alert")


def test_a_moment_that_is_typed_says_in_which_zone(admin_client: Client) -> None:
    page = text_of(admin_client.get(reverse("admin:monitoring_maintenancewindow_add")))
    assert page.count("In UTC.") == 2


def test_a_status_is_a_word_wherever_one_filters_by_it(admin_client: Client) -> None:
    endpoint("a")
    for name in ("monitoring_endpoint", "providers_provider"):
        said = listed(admin_client, name)
        assert "rate limited" in said
        assert "rate_limited" not in said


def test_a_filter_has_words_for_what_has_none(admin_client: Client) -> None:
    endpoint("a")
    Provider.objects.update(category="")
    page = admin_client.get(reverse("admin:providers_provider_changelist")).content.decode()
    assert re.search(r'<a href="\?category="[^>]*>none</a>', page)
