"""The gateway by its public door, with upstreams on real sockets."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError

from aggregator import shelf
from providers import calls, roster
from providers.datasets import SearchHit
from providers.models import Asset, Call, Policy, Provider
from providers.resilience.store import store
from tests.aggregator.visitors import age, get
from tests.conftest import forget_everything, while_refreshing
from tests.upstreams import Fake, Said, Upstreams, assets, rows, status, usual

pytestmark = pytest.mark.django_db(transaction=True)


# -- Hits, misses and stale answers ------------------------------------------------------------


def test_a_miss_asks_once_and_a_hit_asks_nobody(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    miss, hit = get(), get()
    assert (miss.meta["cache"], hit.meta["cache"]) == ("miss", "hit")
    assert miss.body["data"] == hit.body["data"]
    assert miss.meta["source"] == hit.meta["source"] == "a"
    assert miss.meta["fetched_at"] == hit.meta["fetched_at"]
    assert not hit.meta["stale"]
    assert len(upstreams.asked) == 1


@pytest.mark.parametrize("path", ["/api/gas", "/api/market/price?symbols=BTC"])
def test_a_miss_costs_few_round_trips(
    path: str, upstreams: Upstreams, each_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets("BTC")
    upstreams.provider("a")
    get("/api/market")  # the provider's cell is there
    seen: list[str] = []

    def noted(what: Any, name: str) -> None:
        real = getattr(what, name)

        def ask(*args: Any) -> Any:
            seen.append(name)
            return real(*args)

        monkeypatch.setattr(what, name, ask)

    for name in ("read", "read_many", "swap"):
        noted(store(), name)
    for name in ("read", "write"):
        noted(shelf._shelf(), name)
    assert get(path).meta["cache"] == "miss"
    # What is shelved, the claim, how providers stand; what they said, and the claim given back.
    assert seen == ["read", "swap", "read_many", "write", "swap"]


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


# -- How long ----------------------------------------------------------------------------------


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


# -- Without the database ----------------------------------------------------------------------


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
