from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from providers.datasets import GAS, PING
from providers.models import Asset, Call, Credential, Provider
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db


def provider(slug: str, **fields: Any) -> Provider:
    return Provider.objects.create(slug=slug, title=slug, adapter_name="fake", **fields)


def called(by: Provider, *outcomes: str, seconds: float = 1.0, ago: float = 60) -> None:
    at = now() - timedelta(seconds=ago)
    Call.objects.bulk_create(
        Call(provider=by, dataset="gas", outcome=outcome, seconds=seconds, at=at)
        for outcome in outcomes
    )


def record(slug: str) -> Provider:
    return Provider.objects.with_record().get(slug=slug)


def test_a_record_counts_the_last_day() -> None:
    a = provider("a")
    called(a, "ok", "ok", "broken", seconds=2)
    called(a, "broken", "broken", ago=25 * 3600)
    found = record("a")
    assert (found.calls, found.successes, found.latency_s) == (3, 2, 2.0)
    assert found.success_rate == pytest.approx(2 / 3)


def test_who_was_never_asked_has_no_record_rather_than_a_bad_one() -> None:
    provider("a")
    called(provider("b"), "ok")
    found = record("a")
    assert (found.calls, found.successes) == (0, 0)
    assert found.success_rate is None
    assert found.latency_s is None


@pytest.mark.parametrize("outcome", ["missing", "plan_limit", "bad_key", "throttled", "cancelled"])
def test_what_was_not_their_fault_counts_neither_for_nor_against(outcome: str) -> None:
    a = provider("a")
    called(a, outcome)
    assert record("a").success_rate is None
    called(a, "ok", outcome)
    assert record("a").success_rate == 1.0
    called(a, "timed_out")
    assert record("a").success_rate == 0.5


def test_only_answers_are_timed() -> None:
    a = provider("a")
    called(a, "ok", seconds=1)
    called(a, "timed_out", seconds=30)
    assert record("a").latency_s == 1.0


def test_records_do_not_mix_providers() -> None:
    called(provider("a"), "ok", "ok")
    called(provider("b"), "broken")
    assert record("a").success_rate == 1.0
    assert record("b").success_rate == 0.0


def test_filters_read_aloud(upstreams: Upstreams) -> None:
    a = upstreams.provider("a")
    upstreams.provider("b", enabled=False)
    assert list(Provider.objects.enabled().offering(GAS)) == [a]
    assert list(Provider.objects.offering(GAS)) == [a, Provider.objects.get(slug="b")]
    assert not Provider.objects.offering(PING)


def test_a_key_is_usable_while_it_is_enabled_and_not_set_aside() -> None:
    a = provider("a")
    good = Credential.objects.create(provider=a, label="good", secret="x")
    Credential.objects.create(provider=a, label="off", secret="x", enabled=False)
    Credential.objects.create(provider=a, label="refused", secret="x", set_aside_at=now())
    assert list(Credential.objects.usable()) == [good]


def test_coins_are_not_all_that_is_traded() -> None:
    for slug, kind in [("bitcoin", "crypto"), ("apple", "equity")]:
        Asset.objects.create(slug=slug, symbol="X", name=slug, kind=kind)
    assert [asset.slug for asset in Asset.objects.coins()] == ["bitcoin"]


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1), (0.5, 5), (0.95, 10), (0.9, 9), (0.01, 1), (1, 10)]
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    a = provider("a")
    for seconds in range(1, 11):
        called(a, "ok", seconds=seconds)
    called(a, "broken", seconds=99)
    assert Call.objects.latency(share) == expected


def test_without_answers_there_is_no_percentile() -> None:
    called(provider("a"), "broken")
    assert Call.objects.latency(0.5) is None
