"""The staff page on which one zooms: for staff, with the figures as a table too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from monitoring import zooming
from tests.monitoring.world import endpoint, results

pytestmark = pytest.mark.django_db


def test_a_line_breaks_where_nothing_was_measured() -> None:
    one = endpoint("a")
    moment = now()
    results(one, "good", at=moment - timedelta(hours=2), ms=100)
    results(one, "good", "fault", at=moment, ms=400)
    found = zooming.series(one, "24h", moment)
    values = [value for value in found.p50 if value is not None]
    assert values[0] == pytest.approx(100, rel=0.05)
    assert values[-1] == pytest.approx(400, rel=0.05)
    assert None in found.p50[1:-1]
    assert found.at == sorted(found.at)
    lengths = {len(column) for column in vars(found).values()}
    assert len(lengths) == 1
    assert sum(filter(None, found.failed)) == 1


def test_staff_see_the_chart_and_its_figures(admin_client: Client) -> None:
    one = endpoint("a")
    results(one, *["good"] * 3, ms=100)
    page = admin_client.get(f"/admin/monitoring/endpoint/{one.pk}/times/").content.decode()
    assert f'data-url="/admin/monitoring/endpoint/{one.pk}/numbers/?span=7d"' in page
    assert "<td>100 ms</td>" in page
    assert "uPlot.iife.min.js" in page
    found = admin_client.get(f"/admin/monitoring/endpoint/{one.pk}/numbers/?span=24h").json()
    assert found["most"][-1] == 100
    change = admin_client.get(f"/admin/monitoring/endpoint/{one.pk}/change/").content.decode()
    assert f'href="/admin/monitoring/endpoint/{one.pk}/times/"' in change


@pytest.mark.parametrize("what", ["times", "numbers"])
def test_a_wrong_span_or_endpoint_is_told(admin_client: Client, what: str) -> None:
    one = endpoint("a")
    address = f"/admin/monitoring/endpoint/{one.pk}/{what}/"
    assert admin_client.get(f"{address}?span=1y").status_code == 400
    assert admin_client.get(f"/admin/monitoring/endpoint/0/{what}/").status_code == 404
    assert admin_client.post(address).status_code == 405


@pytest.mark.parametrize("what", ["times", "numbers"])
def test_it_is_for_staff_who_may_look(client: Client, what: str) -> None:
    address = f"/admin/monitoring/endpoint/{endpoint('a').pk}/{what}/"
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(address).status_code == 403
