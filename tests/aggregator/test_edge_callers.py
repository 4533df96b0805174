"""Whom the edge lets ask, how often, and by what address it knows them."""

from __future__ import annotations

from typing import Any

import pytest

from aggregator import callers
from aggregator.callers import Caller
from tests.aggregator.edges import KEY, OFF, OTHER, House, answer, is_problem
from tests.aggregator.edges import _clients as _clients
from tests.aggregator.edges import house as house


@pytest.mark.parametrize("header", [{"x_api_key": "{}"}, {"authorization": "Bearer {}"}])
def test_a_key_may_come_in_either_header(house: House, header: dict[str, str]) -> None:
    house.shelve(answer(house.clock))
    sent: dict[str, Any] = {name: value.format(KEY) for name, value in header.items()}
    assert house.get(key="", **sent).headers["x-ratelimit-limit"] == "5"


def test_an_unknown_key_is_refused_and_a_disabled_one_too(house: House) -> None:
    house.shelve(answer(house.clock))
    reply = house.get(key="agg_wrong")
    is_problem(reply, 401, "unauthorized")
    assert reply.headers["www-authenticate"] == "Bearer"
    is_problem(house.get(key=OFF), 403, "client_disabled")


def test_a_key_cannot_be_judged_before_the_clients_were_read(house: House) -> None:
    house.shelve(answer(house.clock))
    callers.forget()
    is_problem(house.get(), 503, "overloaded")
    assert house.get(key="").status == 200


def test_without_anonymous_access_nothing_is_for_shared_caches(house: House, settings: Any) -> None:
    settings.ANONYMOUS_ACCESS = False
    house.shelve(answer(house.clock))
    is_problem(house.get(key=""), 401, "unauthorized")
    headers = house.get().headers
    assert headers["cache-control"] == "private, max-age=60"
    assert headers["vary"] == "Accept, Authorization, X-API-Key"


def test_clients_share_the_answers_and_not_the_counters(house: House) -> None:
    house.shelve(answer(house.clock))
    left = [house.get(key=key).headers["x-ratelimit-remaining"] for key in (KEY, KEY, OTHER)]
    assert left == ["4", "3", "4"]
    assert not house.django.asked


def test_who_asks_too_often_is_told_when_to_come_again(house: House) -> None:
    house.shelve(answer(house.clock))
    replies = [house.get() for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 5 + [429]
    found = is_problem(replies[-1], 429, "throttled")
    assert replies[-1].headers["x-ratelimit-remaining"] == "0"
    assert replies[-1].headers["retry-after"] == str(found["retry_after_s"])
    assert 0 < found["retry_after_s"] <= 60


def test_whoever_sends_texts_too_often_is_told_so_too(house: House) -> None:
    house.django.says = 200
    path = "/api/sentiment/analyze"
    replies = [house.get(path, b"", method="POST", body=[b'{"text": "up"}']) for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 5 + [429]
    is_problem(replies[-1], 429, "throttled")
    assert len(house.django.asked) == 5


def test_an_invented_forwarded_address_changes_nothing(house: House, settings: Any) -> None:
    settings.ANONYMOUS_PER_MINUTE = 2
    house.shelve(answer(house.clock))
    statuses = [house.get(key="", x_forwarded_for=f"10.0.0.{n}").status for n in range(3)]
    assert statuses == [200, 200, 429]


def test_behind_a_proxy_of_ours_its_word_counts(house: House, settings: Any) -> None:
    settings.ANONYMOUS_PER_MINUTE, settings.TRUSTED_PROXY_HOPS = 1, 1
    house.shelve(answer(house.clock))
    chains = ["10.0.0.1, 198.51.100.1", "10.0.0.2, 198.51.100.1", "10.0.0.1, 198.51.100.2"]
    statuses = [house.get(key="", x_forwarded_for=chain).status for chain in chains]
    assert statuses == [200, 429, 200]


def test_only_the_edge_can_say_that_a_request_was_admitted(house: House) -> None:
    house.get("/api/status", b"", x_aggregator_caller="me", x_aggregator_admitted="1")
    house.get("/elsewhere", b"", x_aggregator_caller="me")
    of_the_api, page = house.django.asked
    assert of_the_api[callers.ADMITTED] == Caller("client:1", 5)
    assert callers.ADMITTED not in page
