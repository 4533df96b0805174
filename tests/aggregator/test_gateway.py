"""The gateway by its public door, with upstreams on real sockets."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.utils.timezone import now

from aggregator import answers, flights, shelf
from providers import calls, catalogue, roster
from providers.datasets import SearchHit
from providers.models import Asset, Call, Policy, Provider
from providers.resilience import Guard
from tests.conftest import forget_everything, while_refreshing
from tests.upstreams import Fake, Said, Upstreams, assets, rows, slowly, status, usual

pytestmark = pytest.mark.django_db(transaction=True)

PAYLOADS = Path(__file__).parents[1] / "payloads"


class Got:
    """A response, with its body read."""

    def __init__(self, path: str) -> None:
        response = Client().get(path)
        self.status = response.status_code
        self.headers = response.headers
        self.body: dict[str, Any] = json.loads(response.content)

    @property
    def meta(self) -> dict[str, Any]:
        assert self.status == 200, self.body
        meta: dict[str, Any] = self.body["meta"]
        return meta

    @property
    def attempts(self) -> list[tuple[str, str]]:
        found = self.meta if self.status == 200 else self.body
        return [(a["provider"], a["outcome"]) for a in found.get("attempts", ())]


def get(path: str = "/api/gas") -> Got:
    return Got(path)


def age(seconds: float) -> None:
    """Everything on both boards was fetched so much earlier."""
    known = [a for a in answers.board._answers.values() if a.query == a.query.upstream()]
    shelf.purge([])
    answers.board.clear()
    answers.shelve_many(
        [
            replace(
                answer,
                fetched_at=answer.fetched_at - seconds,
                fresh_until=answer.fresh_until - seconds,
                stale_until=answer.stale_until - seconds,
            )
            for answer in known
        ]
    )


def remember(slug: str, *outcomes: str, seconds: float = 1.0) -> None:
    """Calls of the last hour."""
    provider = Provider.objects.get(slug=slug)
    at = now() - timedelta(minutes=9)
    Call.objects.bulk_create(
        Call(provider=provider, dataset="gas", outcome=outcome, seconds=seconds, at=at)
        for outcome in outcomes
    )


def in_threads(number: int, work: Callable[[int], Got]) -> list[Got]:
    """All at once."""
    barrier, seen = threading.Barrier(number), []

    def one(n: int) -> None:
        barrier.wait(10)
        try:
            seen.append(work(n))
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(seen) == number
    return seen


# -- Hits, misses and stale answers ----------------------------------------------------------


def test_a_miss_asks_once_and_a_hit_asks_nobody(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    miss, hit = get(), get()
    assert (miss.meta["cache"], hit.meta["cache"]) == ("miss", "hit")
    assert miss.body["data"] == hit.body["data"]
    assert miss.meta["source"] == hit.meta["source"] == "a"
    assert miss.meta["fetched_at"] == hit.meta["fetched_at"]
    assert not hit.meta["stale"]
    assert len(upstreams.asked) == 1


def test_a_hit_needs_no_process_s_own_memory(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    get()
    forget_everything()
    assert get().meta["cache"] == "hit"
    assert len(upstreams.asked) == 1


def test_a_stale_answer_is_served_at_once_while_one_refreshes_it(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    get()
    age(20)
    gate = threading.Event()

    def late(asked: Any) -> Said:
        gate.wait(5)
        return usual(asked)

    upstreams.play["a"] = late
    for _ in range(3):
        stale = get()
        assert stale.meta["cache"] == "refreshing"
        assert stale.meta["stale"]
        assert 20 <= stale.meta["age_s"] < 22
    gate.set()
    while_refreshing()
    assert len(upstreams.asked) == 2
    fresh = get()
    assert fresh.meta["cache"] == "hit"
    assert fresh.meta["age_s"] < 2


def test_a_failed_refresh_never_evicts_an_answer(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    first = get()
    age(20)
    upstreams.play["a"] = status(500)
    for _ in range(4):
        stale = get()
        assert stale.body["data"] == first.body["data"]
        while_refreshing()
    assert stale.meta["cache"] == "stale"
    assert stale.meta["stale"]
    forget_everything()
    assert get().body["data"] == first.body["data"]


def test_a_failed_refresh_is_not_repeated_for_every_visitor(upstreams: Upstreams) -> None:
    upstreams.provider("a", rests_s=[0.001])
    get()
    age(20)
    upstreams.play["a"] = status(500)
    for _ in range(5):
        get()
        while_refreshing()
    assert len(upstreams.asked) == 2


def test_an_answer_too_old_to_serve_is_as_good_as_none(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    get()
    age(15 + 15 * 60 + 1)
    upstreams.play["a"] = status(500)
    assert get().status == 503


def test_empty_is_an_answer_and_no_error(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    for cached in ("miss", "hit"):
        found = get("/api/search?q=nothing")
        assert found.body["data"] == []
        assert found.meta["cache"] == cached
    assert len(upstreams.asked) == 1


def test_an_error_is_never_kept_as_an_answer(upstreams: Upstreams) -> None:
    upstreams.provider("a", rests_s=[0.001])
    upstreams.play["a"] = status(500)
    assert get().status == 503
    assert shelf.size() == 0
    time.sleep(0.01)
    upstreams.play["a"] = usual
    assert get().meta["cache"] == "miss"


def test_a_part_of_what_is_there_is_not_asked_for_again(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    assert len(get("/api/market").body["data"]) == 100
    for limit in (7, 250):
        assert len(get(f"/api/market?limit={limit}").body["data"]) == limit
    assert len(upstreams.asked) == 1


# -- Failing over ----------------------------------------------------------------------------


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


# -- Whom first ------------------------------------------------------------------------------


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


# -- How long --------------------------------------------------------------------------------


def test_a_provider_s_answers_are_kept_at_least_as_long_as_it_wishes(upstreams: Upstreams) -> None:
    upstreams.provider("a", min_fresh_s=300)
    assert get().meta["fresh_for_s"] == pytest.approx(300, abs=1)
    age(200)
    assert get().meta["cache"] == "hit"
    age(101)
    assert get().meta["cache"] == "refreshing"


def test_a_policy_says_how_long_and_a_provider_s_wish_is_the_least(upstreams: Upstreams) -> None:
    Policy.objects.create(dataset="gas", fresh_s=100, stale_s=50)
    upstreams.provider("a", min_fresh_s=30)
    assert get().meta["fresh_for_s"] == pytest.approx(100, abs=1)
    upstreams.play["a"] = status(500)
    age(149)
    assert get().meta["stale"]
    age(2)
    assert get().status == 503


def two_seconds_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is remembered of rows."""
    monkeypatch.setattr(roster._roster, "clock", lambda: time.monotonic() + 2)


def test_an_edited_policy_is_obeyed_within_two_seconds(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstreams.provider("a")
    assert get("/api/search?q=x").meta["fresh_for_s"] > 3000
    Policy.objects.create(dataset="search", fresh_s=10)
    two_seconds_later(monkeypatch)
    assert get("/api/search?q=y").meta["fresh_for_s"] <= 10


def test_an_edited_provider_is_obeyed_within_two_seconds(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstreams.provider("a", priority=90)
    upstreams.provider("b")
    assert get("/api/search?q=x").meta["source"] == "a"
    Provider.objects.filter(slug="a").update(enabled=False)
    two_seconds_later(monkeypatch)
    found = get("/api/search?q=y")
    assert found.meta["source"] == "b"
    assert found.attempts == []


# -- CoinGecko's own protection --------------------------------------------------------------


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


# -- One of many asks ------------------------------------------------------------------------


def test_identical_questions_at_once_cost_one_call(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    upstreams.play["a"] = slowly(0.2)
    found = in_threads(30, lambda n: get("/api/market?limit=5"))
    assert len(upstreams.asked) == 1
    assert Counter(got.meta["cache"] for got in found)["miss"] <= 1
    assert {got.meta["fetched_at"] for got in found} == {found[0].meta["fetched_at"]}


def test_more_visitors_than_database_connections_do_not_stand_in_each_other_s_way(
    upstreams: Upstreams,
) -> None:
    """Who waits for another's answer holds no connection that the other needs to go on."""
    upstreams.provider("a")
    upstreams.play["a"] = slowly(0.5)
    began = time.monotonic()
    questions = [*["/api/market"] * 20, *(f"/api/search?q={n}" for n in range(5))]
    found = in_threads(len(questions), lambda n: get(questions[n]))
    assert {got.status for got in found} == {200}
    assert len(upstreams.asked) == 6
    assert time.monotonic() - began < 4


def test_parts_of_one_question_at_once_cost_one_call(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    upstreams.play["a"] = slowly(0.2)
    found = in_threads(12, lambda n: get(f"/api/market?limit={n + 1}"))
    assert len(upstreams.asked) == 1
    assert sorted(len(got.body["data"]) for got in found) == [*range(1, 13)]


def test_a_failure_at_once_costs_one_call_too(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    upstreams.play["a"] = slowly(0.2, status(500))
    found = in_threads(12, lambda n: get())
    assert {got.status for got in found} == {503}
    assert len(upstreams.asked) == 1


# -- Without the database --------------------------------------------------------------------


def test_while_the_database_is_out_providers_are_still_asked(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the rows we had; what is fetched stays on this process's board."""
    assets("BTC")
    upstreams.provider("a")
    get("/api/gas")

    def out(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("no database")

    with monkeypatch.context() as while_out:
        while_out.setattr("django.db.backends.utils.CursorWrapper.execute", out)
        while_out.setattr("django.db.backends.utils.CursorWrapper.executemany", out)
        two_seconds_later(while_out)
        with pytest.raises(DatabaseError):
            Asset.objects.exists()
        assert get("/api/gas").meta["cache"] == "hit"
        assert get("/api/search?q=x").meta["cache"] == "miss"
        assert get("/api/search?q=x").meta["cache"] == "hit"
        assert not calls.flush()
        said = get("/api/status")
        assert (said.status, said.body["code"]) == (503, "no_database")
        assert said.headers["Retry-After"] == "5"
    assert calls.flush()
    assert Call.objects.ok().count() == 2


def test_our_own_bug_is_not_shown_and_not_kept(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def trip(self: Any, query: Any) -> Any:
        raise NotImplementedError("secret thoughts")

    upstreams.provider("a")
    with monkeypatch.context() as buggy:
        buggy.setattr(Fake, "fetch", trip)
        found = get()
        assert found.status == 500
        assert "secret" not in json.dumps(found.body)
        assert "secret thoughts" in caplog.text
    assert get().status == 200


def test_rows_are_sent_with_every_digit(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    hit = SearchHit("bitcoin", "BTC", "Bitcoin", 1)
    upstreams.play["a"] = lambda asked: rows([hit])
    assert get("/api/search?q=bit").body["data"] == [hit._asdict()]
