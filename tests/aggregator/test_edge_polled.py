"""What dashboards poll: told by the edge for a moment, once for all of them."""

from __future__ import annotations

from typing import Any

import pytest

from aggregator import edge
from tests.aggregator.edges import KEY, OFF, OTHER, House, is_problem, run, together
from tests.aggregator.edges import _clients as _clients
from tests.aggregator.edges import house as house

SYSTEM, DRAWER = "/api/system/status", "/status/drawer"


@pytest.fixture
def told(house: House) -> House:
    house.django.says, house.django.body, house.django.kind = 200, b"{}", "application/json"
    house.django.more = [("ETag", 'W/"one"'), ("X-Read-At", "noon")]
    return house


@pytest.mark.parametrize("path", [SYSTEM, "/api/providers/status", DRAWER])
def test_what_dashboards_poll_is_made_once_for_a_moment(told: House, path: str) -> None:
    for key in (KEY, OTHER, "", KEY):
        reply = told.get(path, b"", key=key)
        assert (reply.status, reply.body) == (200, b"{}")
    assert len(told.django.asked) == 1
    told.clock.tick(0.3)
    told.get(path, b"")
    assert len(told.django.asked) == 2


def test_a_poller_who_has_it_already_is_told_so_by_the_edge(told: House) -> None:
    told.get(SYSTEM, b"")
    same = told.get(SYSTEM, b"", if_none_match='W/"one"')
    assert (same.status, same.body) == (304, b"")
    assert same.headers["etag"] == 'W/"one"'
    assert same.headers["x-read-at"] == "noon"
    assert "content-length" not in same.headers
    assert told.get(SYSTEM, b"", if_none_match='W/"other"').status == 200
    assert len(told.django.asked) == 1


def test_pollers_at_the_same_time_wait_for_one_answer(told: House) -> None:
    run(together(told, *(told.ask(SYSTEM, b"") for _ in range(3))))
    assert len(told.django.asked) == 1


def test_an_error_is_told_to_one_poller_alone(told: House) -> None:
    told.django.says = 503
    told.get(SYSTEM, b"")
    told.django.says = 200
    assert told.get(SYSTEM, b"").status == 200


def test_pollers_need_a_key_where_everybody_does(told: House, settings: Any) -> None:
    told.get(SYSTEM, b"")
    told.get(DRAWER, b"", key="")
    settings.ANONYMOUS_ACCESS = False
    is_problem(told.get(SYSTEM, b"", key=""), 401, "unauthorized")
    is_problem(told.get(SYSTEM, b"", key=OFF), 403, "client_disabled")
    told.get(DRAWER, b"", key="", cookie="sessionid=staff")
    assert told.django.asked[-1]["HTTP_COOKIE"] == "sessionid=staff", "Django knows who may look"


def test_spellings_of_a_poll_do_not_pile_up(told: House) -> None:
    for number in range(3 * edge.MOST_POLLED):
        told.get("/api/providers/status", b"window=24h&n=%d" % number, key="")
    assert len(told.edge.polled) <= edge.MOST_POLLED
