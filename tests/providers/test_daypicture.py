"""The picture of a provider's day: what succeeded and how long it took, and nothing invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from providers import daypicture
from providers.daypicture import HEIGHT, HOURS, Hour
from providers.models import Call, Provider

NOON = datetime(2026, 5, 18, 12, 30, tzinfo=UTC)


@pytest.mark.django_db
def test_calls_stand_in_their_hours_and_empty_hours_stay_empty() -> None:
    row = Provider.objects.create(slug="p", title="P", adapter_name="kraken")
    other = Provider.objects.create(slug="o", title="O", adapter_name="kraken")
    for provider, ago, outcome, seconds in [
        (row, 0, "ok", 0.2), (row, 0, "ok", 0.4), (row, 0, "timed_out", 5.0),
        (row, 3, "broken", 0.1), (row, 30, "ok", 9.0), (other, 0, "ok", 7.0),
    ]:  # fmt: skip
        Call.objects.create(
            provider=provider, dataset="price", outcome=outcome, seconds=seconds,
            at=NOON - timedelta(hours=ago),
        )  # fmt: skip
    picture = daypicture.of_day(row, NOON)
    assert (picture.calls, picture.good, picture.success_percent) == (4, 2, 50.0)
    assert picture.slowest_ms == pytest.approx(300)
    assert len(picture.columns) == HOURS
    last, before = picture.columns[-1], picture.columns[-4]
    assert last.said == "12:00 UTC: 2 of 3 succeeded, 300 ms on average"
    assert (last.latency, before.latency) == (HEIGHT, 0)
    assert before.said == "09:00 UTC: 0 of 1 succeeded"
    assert (before.good, before.bad) == (0, HEIGHT)
    silent = picture.columns[-2]
    assert (silent.good, silent.bad, silent.said) == (0, 0, "11:00 UTC: not asked")


HOUR = st.integers(0, 50).flatmap(
    lambda calls: st.builds(
        Hour,
        start=st.just(NOON),
        calls=st.just(calls),
        good=st.integers(0, calls),
        latency_ms=st.none() | st.floats(0, 1e6),
    )
)


@given(st.lists(HOUR, min_size=HOURS, max_size=HOURS))
def test_every_box_is_within_the_picture(hours: list[Hour]) -> None:
    for column in daypicture.draw(hours).columns:
        assert 0 <= column.good_top <= HEIGHT
        assert 0 <= column.latency_top <= HEIGHT
        assert column.good + column.bad in (0, pytest.approx(HEIGHT, abs=0.2))


@pytest.mark.django_db
def test_the_page_shows_it_and_says_errors_in_words(admin_client: Client) -> None:
    row = Provider.objects.create(slug="p", title="P", adapter_name="kraken")
    url = f"/admin/providers/provider/{row.pk}/change/"
    assert "It was not asked." in admin_client.get(url).content.decode()
    Call.objects.create(provider=row, dataset="price", outcome="timed_out", seconds=5)
    page = admin_client.get(url).content.decode()
    assert "1 call, 0.0 % of them succeeded" in page
    assert "did not answer in time" in page
