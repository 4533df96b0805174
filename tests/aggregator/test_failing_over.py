"""Who is asked first, who is asked next, and what becomes of those that fail."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from aggregator import flights
from providers import catalogue, roster
from providers.models import Call, Policy, Provider
from providers.resilience import Guard
from tests.aggregator.visitors import age, get
from tests.conftest import while_refreshing
from tests.upstreams import Said, Upstreams, slowly, status, usual

pytestmark = pytest.mark.django_db(transaction=True)


PAYLOADS = Path(__file__).parents[1] / "payloads"


def remember(slug: str, *outcomes: str, seconds: float = 1.0) -> None:
    """Calls of the last hour."""
    provider = Provider.objects.get(slug=slug)
    at = now() - timedelta(minutes=9)
    Call.objects.bulk_create(
        Call(provider=provider, dataset="gas", outcome=outcome, seconds=seconds, at=at)
        for outcome in outcomes
    )


# -- Failing over ------------------------------------------------------------------------------


def test_the_highest_priority_is_asked_first_and_the_next_when_it_fails(
    upstreams: Upstreams,
) -> None:
    for slug, priority in [("low", 10), ("high", 90), ("middle", 50)]:
        upstreams.provider(slug, priority=priority)
    upstreams.play["high"] = status(500)
    upstreams.play["middle"] = status(429, retry_after=9)
    found = get()
    assert found.meta["source"] == "low"
    assert found.attempts == [("high", "broken"), ("middle", "throttled")]
    waits = [attempt["wait_s"] for attempt in found.meta["attempts"]]
    assert waits == pytest.approx([5, 9], abs=0.5)
    assert [asked.slug for asked in upstreams.asked] == ["high", "middle", "low"]


def test_who_rests_is_not_asked_and_named_as_passed_over(upstreams: Upstreams) -> None:
    upstreams.provider("a", priority=90)
    upstreams.provider("b")
    upstreams.play["a"] = status(500)
    get("/api/gas")
    found = get("/api/search?q=x")
    assert found.meta["source"] == "b"
    assert found.attempts == [("a", "circuit_open")]
    assert len(upstreams.of("a")) == 1


def test_when_nobody_answers_the_error_says_who_was_asked_and_when_to_come_again(
    upstreams: Upstreams,
) -> None:
    for slug, number in [("a", 500), ("b", 429)]:
        upstreams.provider(slug)
        upstreams.play[slug] = status(number, retry_after=70)
    found = get()
    assert found.status == 503
    assert found.headers["Content-Type"].startswith("application/problem+json")
    assert found.attempts == [("a", "broken"), ("b", "throttled")]
    assert found.body["code"] == "unanswered"
    assert found.body["retry_after_s"] == int(found.headers["Retry-After"]) == 70
    again = get()
    assert again.status == 503
    assert sorted(again.attempts) == [("a", "circuit_open"), ("b", "circuit_open")]
    assert len(upstreams.asked) == 2


def test_who_comes_again_as_told_is_answered(upstreams: Upstreams) -> None:
    upstreams.provider("a", rests_s=[0.6])
    upstreams.play["a"] = status(500)
    found = get()
    assert found.headers["Retry-After"] == "1"
    upstreams.play["a"] = usual
    time.sleep(0.7)
    assert get().meta["source"] == "a"


def test_without_any_provider_the_error_says_so(upstreams: Upstreams) -> None:
    found = get()
    assert found.status == 503
    assert "enabled" in found.body["detail"]


def test_what_no_provider_knows_is_not_found(upstreams: Upstreams) -> None:
    for slug in "ab":
        upstreams.provider(slug)
        upstreams.play[slug] = status(404)
    found = get("/api/coins/nope")
    assert found.status == 404
    assert found.attempts == [("a", "missing"), ("b", "missing")]


def test_what_one_does_not_know_and_another_could_not_say_is_unanswered(
    upstreams: Upstreams,
) -> None:
    for slug, number in [("a", 404), ("b", 500)]:
        upstreams.provider(slug)
        upstreams.play[slug] = status(number)
    assert get("/api/coins/nope").status == 503


def test_a_primary_that_hangs_leaves_time_for_the_next(upstreams: Upstreams, settings: Any) -> None:
    settings.UPSTREAM_PATIENCE_S = 1
    upstreams.provider("a", priority=90, timeout_s=60)
    upstreams.provider("b")
    upstreams.play["a"] = upstreams.hang
    began = time.monotonic()
    found = get()
    assert found.meta["source"] == "b"
    assert found.attempts == [("a", "timed_out")]
    assert time.monotonic() - began < 1


def test_a_hanging_primary_costs_its_own_timeout_and_no_more(upstreams: Upstreams) -> None:
    upstreams.provider("a", priority=90, timeout_s=0.2)
    upstreams.provider("b")
    upstreams.play["a"] = upstreams.hang
    began = time.monotonic()
    assert get().meta["source"] == "b"
    assert 0.2 <= time.monotonic() - began < 0.6


def test_who_was_left_too_little_time_is_not_made_to_rest(
    upstreams: Upstreams, settings: Any
) -> None:
    """One that hangs must not take the well ones with it."""
    settings.UPSTREAM_PATIENCE_S = 1
    upstreams.provider("a", priority=90, timeout_s=1)
    well = upstreams.provider("b", timeout_s=2)
    upstreams.play["a"] = upstreams.hang
    upstreams.play["b"] = slowly(0.5)
    assert get().attempts == [("a", "timed_out"), ("b", "timed_out")]
    assert well.guard.standing().circuit.failures == 0


def test_a_moment_s_wait_is_better_than_an_error(upstreams: Upstreams) -> None:
    upstreams.provider("a", limits=[{"limit": 5, "per_s": 1, "burst": 1}])
    assert get("/api/gas").status == 200
    began = time.monotonic()
    assert get("/api/search?q=x").meta["source"] == "a"
    assert 0.1 < time.monotonic() - began < 1


def test_who_failed_is_named_by_its_failure_and_not_by_the_rest_that_follows(
    upstreams: Upstreams,
) -> None:
    """When a moment was waited out for somebody else, and the first is asked once more."""
    upstreams.provider("a", priority=90, timeout_s=0.1)
    upstreams.provider("b", limits=[{"limit": 5, "per_s": 1, "burst": 1}])
    upstreams.play["a"] = upstreams.hang
    upstreams.play["b"] = status(500)
    assert get("/api/gas").attempts == [("a", "timed_out"), ("b", "broken")]


# -- Whom first --------------------------------------------------------------------------------


def test_who_is_about_to_run_out_of_tokens_is_passed_over_before_it_is_hit(
    upstreams: Upstreams,
) -> None:
    upstreams.provider("a", priority=90, limits=[{"limit": 2, "per_s": 60}])
    upstreams.provider("b")
    assert get("/api/gas").meta["source"] == "a"
    found = get("/api/search?q=x")
    assert found.meta["source"] == "b"
    assert found.attempts == [("a", "out_of_tokens")]
    assert len(upstreams.of("a")) == 1


def test_among_equals_the_one_without_failures_goes_first_and_then_the_fastest(
    upstreams: Upstreams,
) -> None:
    for slug in ("a", "b", "c"):
        upstreams.provider(slug, rests_s=[0.001])
    remember("a", "ok", seconds=0.1)
    remember("b", "ok", seconds=3)
    remember("c", "ok", seconds=0.2)
    upstreams.play["a"] = status(500)
    assert get("/api/gas").meta["source"] == "c"
    upstreams.play["a"] = usual
    time.sleep(0.01)
    assert get("/api/search?q=x").meta["source"] == "c", "a may be back, but has failed last"
    Provider.objects.filter(slug="c").update(enabled=False)
    roster.forget()
    assert get("/api/search?q=y").meta["source"] == "b"


def test_one_never_tried_is_neither_first_nor_last(upstreams: Upstreams) -> None:
    for slug in ("a", "b", "c"):
        upstreams.provider(slug)
    remember("b", "ok", seconds=0.1)
    remember("c", "ok", seconds=3)
    for slug in ("a", "b", "c"):
        upstreams.play[slug] = status(500)
    assert [slug for slug, _ in get().attempts] == ["b", "a", "c"]


def test_in_turns_everybody_is_asked_as_often(upstreams: Upstreams) -> None:
    Policy.objects.create(dataset="search", strategy="round_robin")
    for slug in ("a", "b", "c"):
        upstreams.provider(slug, priority=90 if slug == "a" else 10)
    seen = []
    for n in range(9):
        seen.append(get(f"/api/search?q=n{n}").meta["source"])
        get(f"/api/coins/other{n}")  # questions of another dataset do not disturb the turns
    assert Counter(seen) == {"a": 3, "b": 3, "c": 3}
    assert seen[:3] == seen[3:6] == seen[6:9]


# -- CoinGecko's own protection ----------------------------------------------------------------


def coingecko(upstreams: Upstreams) -> Provider:
    """The row as it ships, but for its address."""
    entry = next(e for e in catalogue.load().providers if e.slug == "coingecko_free")
    address = {"base_url": f"{upstreams.url}/coingecko"}
    return Provider.objects.create(slug=entry.slug, **entry.row() | address)


def test_coingecko_is_asked_through_its_own_adapter_and_kept_five_minutes(
    upstreams: Upstreams,
) -> None:
    coingecko(upstreams)
    body = (PAYLOADS / "coingecko" / "market.json").read_bytes()
    upstreams.play["coingecko"] = lambda asked: Said(body=body)
    found = get("/api/market?limit=1")
    assert upstreams.asked[0].dataset == "coins/markets"
    assert (found.body["data"][0]["symbol"], found.meta["source"]) == ("BTC", "coingecko_free")
    assert found.meta["fresh_for_s"] == pytest.approx(300, abs=1)


def test_coingecko_is_blacklisted_after_three_429s_and_its_stale_answer_served_meanwhile(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = coingecko(upstreams)
    body = (PAYLOADS / "coingecko" / "market.json").read_bytes()
    upstreams.play["coingecko"] = lambda asked: Said(body=body)
    get("/api/market")
    age(400)
    upstreams.play["coingecko"] = status(429)
    skipped = [0.0]
    init = Guard.__init__

    def later(self: Guard, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs, clock=lambda: time.time() + skipped[0])

    monkeypatch.setattr(Guard, "__init__", later)
    for before, rest in [(60, 120), (120, 240), (240, 600), (600, 600)]:
        skipped[0] += before
        roster.forget()
        flights.forget()
        assert get("/api/market").meta["cache"] == "refreshing"
        while_refreshing()
        circuit = provider.guard.standing().circuit
        left = (circuit.open_until or 0) - time.time() - skipped[0]
        assert left == pytest.approx(rest, abs=2)
        assert circuit.reason == ("blacklisted" if rest == 600 else "throttled")
    assert len(upstreams.asked) == 5
    assert get("/api/market").meta["stale"]
    shown = get("/api/status").body["providers"]["coingecko_free"]
    assert (shown["status"], shown["circuit"]) == ("rate_limited", "open")
    assert "blacklisted" in shown["reason"]
