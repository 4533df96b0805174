"""The page of AI models: what it says is what is known, and nothing better."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from monitoring.models import ModelMetric, Scan
from providers.aimodels import AiModel
from providers.loading import load
from tests.monitoring.hub import Hub, token
from tests.monitoring.hub import hub as hub

pytestmark = pytest.mark.django_db

FINBERT = "ProsusAI/finbert"


def page(client: Client) -> str:
    response = client.get("/status/models")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_before_the_first_scan_nothing_is_green(client: Client) -> None:
    assert "There are no models yet" in page(client)
    load()
    text = page(client)
    assert "No model was looked at yet" in text
    assert "status-healthy" not in text
    assert text.count("no verdict yet") == 21


@pytest.mark.django_db(transaction=True)
def test_every_model_and_how_it_is(client: Client, hub: Hub) -> None:
    token()
    done = hub.scan()
    able = AiModel.objects.filter(status="available").count()
    text = page(client)
    assert f"{able} of 21 can be asked" in text
    for name in AiModel.objects.values_list("model_id", flat=True):
        assert name in text
    assert (
        text.count("reads a text in") == ModelMetric.objects.exclude(response_time_ms=None).count()
    )
    assert "it runs this model no more" in text
    assert f"by {done.by}" in text
    assert f"{FINBERT}, the last 24 hours: 1 healthy, 23 unknown." in text


@pytest.mark.django_db(transaction=True)
def test_of_an_hour_the_worst_is_shown_and_what_was_not_learned_is_not(
    client: Client, hub: Hub
) -> None:
    hub.scan()
    row = AiModel.objects.get(model_id=FINBERT)
    moment = now()
    hour = moment.replace(minute=0, second=0, microsecond=0)
    for status, at in (
        ("failed", hour - timedelta(minutes=30)),
        ("available", hour - timedelta(minutes=20)),
        ("unknown", hour - timedelta(hours=3)),
        ("failed", hour - timedelta(hours=30)),
    ):
        ModelMetric.objects.create(model=row, status=status, checked_at=at)
    assert f"{FINBERT}, the last 24 hours: 1 down, 1 healthy, 22 unknown." in page(client)


def test_what_is_old_is_not_green(shipped: None, client: Client) -> None:
    moment = now() - timedelta(hours=2)
    Scan.objects.create(running=None, started_at=moment, lease_until=moment, by="a")
    AiModel.objects.update(status="available", checked_at=moment, fresh_until=moment)
    text = page(client)
    assert "No model was looked at for too long" in text
    assert "status-healthy" not in text


def test_hostile_words_are_words(shipped: None, client: Client) -> None:
    fresh = now() + timedelta(minutes=5)
    AiModel.objects.filter(model_id=FINBERT).update(
        status="failed", reason="<script>alert(1)</script>", fresh_until=fresh, checked_at=now()
    )
    text = page(client)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_it_costs_a_handful_of_queries(shipped: None, client: Client) -> None:
    page(client)
    with CaptureQueriesContext(connection) as queries:
        page(client)
    assert len(queries) <= 8


def test_where_answers_need_a_key_so_does_the_page(
    shipped: None, client: Client, settings: Any
) -> None:
    settings.ANONYMOUS_ACCESS = False
    assert FINBERT not in page(client)


def test_the_status_page_leads_there(client: Client) -> None:
    assert 'href="/status/models"' in client.get("/status").content.decode()
