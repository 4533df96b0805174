"""Questions that go straight from the edge to the gateway: answers and errors as from Django."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

from aggregator import bridge, hot, straight
from aggregator.answers import Cached
from aggregator.wsgi import application
from tests.upstreams import Upstreams, assets, status

pytestmark = pytest.mark.django_db(transaction=True)


def django(environ: bridge.Environ, start: Any) -> list[bytes]:
    """One that nobody should have asked."""
    environ["asked"] = True
    start("404 Not Found", [])
    return [b""]


def asked(url: str, host: str = "localhost", behind: Any = django) -> tuple[Any, bridge.Environ]:
    """What comes of a question that the edge vouches for, and its environment."""
    path, _, query = url.partition("?")
    scope = {
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "http_version": "1.1",
        "headers": [(b"host", host.encode())],
    }
    environ = bridge.environ_of(scope, b"")
    environ[straight.ROUTE] = resolve(path)
    return bridge.run(straight.before(behind), environ), environ


@pytest.fixture
def provider(upstreams: Upstreams) -> Upstreams:
    assets("BTC")
    upstreams.provider("one")
    return upstreams


def test_an_answer_comes_without_django(provider: Upstreams) -> None:
    response, environ = asked("/api/market?limit=5")
    assert response.status == 200
    assert environ[hot.ANSWER].cached is Cached.MISS
    assert environ[hot.ANSWER].query.limit == 5
    assert "asked" not in environ


def test_parameters_in_the_path_are_read_too(provider: Upstreams) -> None:
    assert asked("/api/coins/btc/")[1][hot.ANSWER].query.id == "BTC"


@pytest.mark.parametrize("host", ["evil.example", "", "local host", "localhost:http"])
def test_a_host_that_may_not_be_ours_is_djangos_to_judge(host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    assert asked("/api/market", host)[1]["asked"]


def test_what_the_edge_does_not_vouch_for_goes_djangos_way() -> None:
    environ: bridge.Environ = {"HTTP_HOST": "localhost"}
    bridge.run(straight.before(django), environ)
    assert environ["asked"]


@pytest.mark.parametrize(
    "url",
    [
        "/api/market?limit=0",
        "/api/market?limit=1&unheard=of",
        "/api/market/price",
        "/api/market/price?symbols=%FF%00",
        "/api/market/price?symbols=NOBODY",
        "/api/coins/btc?id=btc",
        "/api/market?" + "&".join(f"p{n}=1" for n in range(2000)),
    ],
)
def test_errors_are_djangos(url: str, provider: Upstreams) -> None:
    straightly, environ = asked(url)
    usually = Client().get(url)
    assert hot.ANSWER not in environ
    assert straightly.status == usually.status_code >= 400
    assert json.loads(straightly.body) == json.loads(usually.content)
    told = dict(straightly.headers)
    assert told[b"content-type"].decode() == usually["Content-Type"]
    assert told[b"x-content-type-options"].decode() == usually["X-Content-Type-Options"]


def test_nobodys_answer_says_when_to_come_again(upstreams: Upstreams) -> None:
    upstreams.provider("one")
    upstreams.play["one"] = status(429, Retry_After="40")
    response, _ = asked("/api/market")
    assert response.status == 503
    assert 30 < int(dict(response.headers)[b"retry-after"]) <= 40
    assert json.loads(response.body)["attempts"][0]["provider"] == "one"


def test_a_fault_of_ours_is_logged_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("aggregator.gateway.answer", broken)
    response, _ = asked("/api/market", behind=application)
    assert (response.status, json.loads(response.body)["code"]) == (500, "error")
    assert "ZeroDivisionError" in caplog.text
