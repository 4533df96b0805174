"""Questions that come at once cost as many calls as one."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection

from tests.aggregator.visitors import Got, get
from tests.upstreams import Upstreams, slowly, status

pytestmark = pytest.mark.django_db(transaction=True)


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
