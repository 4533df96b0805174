"""Whatever is asked, a clear error names what is wrong: never a 500, and nobody is called."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from providers.models import Asset, Call

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bitcoin() -> Asset:
    return Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")


def problem_of(client: Client, url: str, **params: Any) -> dict[str, Any]:
    """The one shape of every error."""
    response = client.get(url, params)
    body: dict[str, Any] = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert body["status"] == response.status_code
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("url", "params", "field"),
    [
        ("/api/market", {"limit": "251"}, "limit"),
        ("/api/market", {"limit": "0"}, "limit"),
        ("/api/market", {"limit": "ten"}, "limit"),
        ("/api/market", {"limit": "9" * 400}, "limit"),
        ("/api/market", {"page": "-1"}, "page"),
        ("/api/market", {"currency": "doubloons"}, "currency"),
        ("/api/market", {"colour": "red"}, "colour"),
        ("/api/market/price", {}, "symbols"),
        ("/api/market/price", {"symbols": ",,,"}, "symbols"),
        ("/api/market/price", {"symbols": ",".join(f"A{n}" for n in range(101))}, "symbols"),
        ("/api/market/price", {"symbols": "A," * 5000}, "symbols"),
        ("/api/market/ohlc", {"symbol": "BTC", "interval": "7m"}, "interval"),
        ("/api/market/ohlc", {"symbol": "BTC", "limit": "1001"}, "limit"),
        ("/api/market/ohlc", {"interval": "1h"}, "symbol"),
        ("/api/market/ohlc", {"symbol": "BTC", "start": "yesterday"}, "start"),
        (
            "/api/market/ohlc",
            {"symbol": "BTC", "start": "2026-02-01", "end": "2026-01-01"},
            "start",
        ),
        ("/api/market/ohlc", {"symbol": "BTC", "start": "2999-01-01"}, "start"),
        ("/api/market/history", {"symbol": "BTC", "days": "7", "start": "2026-01-01"}, "days"),
        ("/api/market/history", {"symbol": "BTC", "days": "99999"}, "days"),
        ("/api/market/history", {"symbol": "BTC", "start": "1969-01-01"}, "start"),
        ("/api/search", {"q": " "}, "q"),
        ("/api/search", {"q": "x" * 61}, "q"),
        ("/api/news", {"since": "2026-13-45"}, "since"),
        ("/api/sentiment", {"days": "0"}, "days"),
        ("/api/gas", {"chain": "dogechain"}, "chain"),
        ("/api/market/global", {"limit": "1"}, "limit"),
        ("/api/market/movers", {"direction": "sideways"}, "direction"),
        ("/api/market/movers", {"currency": "doubloons"}, "currency"),
        ("/api/market/movers", {"limit": "101"}, "limit"),
        ("/api/market/movers", {"min_volume": "-1"}, "min_volume"),
        ("/api/market/movers", {"window": "30d"}, "window"),
        ("/api/market/movers", {"min_volume": "1e99"}, "min_volume"),
        ("/api/market/movers", {"min_volume": "9" * 4000}, "min_volume"),
        ("/api/market/movers", {"page": "2"}, "page"),
        ("/api/market/trending", {"limit": "5"}, "limit"),
        ("/api/market/consensus", {}, "symbol"),
        ("/api/market/consensus", {"symbol": "BTC", "currency": "xyz"}, "currency"),
        ("/api/market/consensus", {"symbols": "BTC"}, "symbols"),
        ("/api/economic", {}, "q"),
        ("/api/economic", {"q": " "}, "q"),
        ("/api/economic", {"q": "x" * 10_000}, "q"),
        ("/api/economic", {"q": "gdp\0"}, "q"),
        ("/api/economic", {"q": "gdp", "limit": "0"}, "limit"),
        ("/api/economic/'%20OR%201=1%20--", {}, "series"),
        ("/api/economic/%7B%7B7*7%7D%7D", {}, "series"),
        ("/api/economic/%D0%A1PIAUCSL", {}, "series"),
        ("/api/economic/US/NY.GDP/MKTP.CD", {}, "series"),
        ("/api/economic/../../etc/passwd", {}, "series"),
        ("/api/economic/G%0AP", {}, "series"),
        ("/api/economic/" + "X" * 10_000, {}, "series"),
        ("/api/economic/GDP", {"start": "yesterday"}, "start"),
        ("/api/economic/GDP", {"start": "2999-01-01"}, "start"),
        ("/api/economic/GDP", {"start": "1492-10-12"}, "start"),
        ("/api/economic/GDP", {"end": "0001-01-01"}, "end"),
        ("/api/economic/GDP", {"start": "2026-02-01", "end": "2026-01-01"}, "start"),
        ("/api/economic/GDP", {"limit": "1"}, "limit"),
        ("/api/economic/GDP", {"series": "GNP"}, "series"),
        ("/api/coins/bitcoin", {"id": "ethereum"}, "id"),
        ("/api/defi/tvl", {"chain": "' OR 1=1 --"}, "chain"),
        ("/api/defi/tvl", {"chain": "{{7*7}}"}, "chain"),
        ("/api/defi/tvl", {"chain": "../../etc/passwd"}, "chain"),
        ("/api/defi/tvl", {"chain": "a" * 61}, "chain"),
        ("/api/defi/tvl", {"chain": "\N{CYRILLIC SMALL LETTER A}ave"}, "chain"),
        ("/api/defi/tvl", {"days": "7"}, "days"),
    ],
)
def test_a_bad_parameter_is_named(
    client: Client, url: str, params: dict[str, str], field: str
) -> None:
    body = problem_of(client, url, **params)
    assert (body["status"], body["code"]) == (400, "bad_query")
    assert list(body["errors"]) == [field]
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    "symbol",
    [
        "NOPE",
        "' OR 1=1 --",
        "{{7*7}}",
        "../../etc/passwd",
        "ВТС",
        "🚀",
        "%00",
        "a" * 64,
        "A," * 5000,
    ],
)
def test_an_unknown_symbol_is_a_404(client: Client, symbol: str) -> None:
    for url, params in [
        ("/api/market/ohlc", {"symbol": symbol}),
        ("/api/market/history", {"symbol": symbol}),
        ("/api/market/consensus", {"symbol": symbol}),
        ("/api/market/price", {"symbols": symbol}),
    ]:
        assert problem_of(client, url, **params)["status"] in (400, 404)
    for url in ("/api/market/ohlc", "/api/market/consensus"):
        assert problem_of(client, url, symbol="NOPE")["status"] == 404


@pytest.mark.parametrize("spelling", ["btc", "BTC", "bTc", "Bitcoin", "bitcoin", " BTC "])
def test_a_symbol_may_be_spelled_in_any_case_or_by_name(client: Client, spelling: str) -> None:
    for url in ("/api/market/ohlc", "/api/market/consensus"):
        body = problem_of(client, url, symbol=spelling)
        assert (body["status"], body["code"]) == (503, "unanswered")  # known, and nobody to ask


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("/api/market/movers", {"direction": "LOSERS", "currency": "EUR"}),
        ("/api/gas", {"chain": "Ethereum"}),
        ("/api/defi/tvl", {"chain": "OP Mainnet"}),
        ("/api/economic/cpiaucsl", {}),
        ("/api/economic/us/NY.GDP.MKTP.CD", {}),
    ],
)
def test_words_may_be_spelled_in_any_case(client: Client, url: str, params: Any) -> None:
    assert problem_of(client, url, **params)["code"] == "unanswered"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nope", "/api/no%0Ape", "/api/market/nope", "/api/coins/"]
)
def test_an_unknown_path_has_the_same_shape(client: Client, path: str) -> None:
    assert problem_of(client, path)["code"] == "not_found"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_another_method_is_refused(client: Client, method: str) -> None:
    response = getattr(client, method)("/api/market")
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"


def test_a_slash_at_the_end_makes_no_difference(client: Client) -> None:
    for path in ("/api/market/", "/api/market/price/", "/api/status/", "/healthz/"):
        assert client.get(path).status_code == client.get(path.rstrip("/")).status_code != 404


class AnyText(TestCase):
    """No text anywhere makes it stumble."""

    @settings(max_examples=60, deadline=None)
    @given(
        st.sampled_from(
            [
                "/api/market?currency=",
                "/api/market/price?symbols=",
                "/api/search?q=",
                "/api/news?source=",
                "/api/gas?chain=",
                "/api/market/ohlc?start=",
                "/api/coins/",
                "/api/market/movers?min_volume=",
                "/api/market/consensus?symbol=",
                "/api/economic?q=",
                "/api/economic/",
                "/api/economic/GDP?start=",
                "/api/defi/tvl?chain=",
            ]
        ),
        st.text(max_size=80),
    )
    def test_any_text_is_answered_or_refused(self, url: str, text: str) -> None:
        from urllib.parse import quote

        response = self.client.get(url + quote(text, safe=""))
        assert response.status_code in (200, 400, 404, 503), response.content


# -- Given twice, or nobody's ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("/api/market/price?symbols=BTC&symbols=ETH", "symbols"),
        ("/api/market/price?symbols=BTC&symbol=ETH", "symbols"),
        ("/api/market/ohlc?symbol=BTC&interval=1h&timeframe=1d", "interval"),
        ("/api/market?limit=1&limit=1", "limit"),
        ("/api/resources?page=1&page=2", "page"),
        ("/api/providers/history?hours=1&hours=2", "hours"),
        ("/api/incidents?page=1&page=2", "page"),
        ("/api/ai-models/models/a/b/history?limit=1&limit=2", "limit"),
    ],
)
def test_a_parameter_given_twice_is_not_half_an_answer(
    client: Client, asked: str, field: str
) -> None:
    body = problem_of(client, asked)
    assert body["errors"] == {field: ["Given more than once: which one is meant?"]}


@pytest.mark.parametrize("route", ["capabilities", "status", "resources", "system/status"])
def test_a_parameter_that_a_route_without_any_does_not_know_is_named(
    client: Client, route: str
) -> None:
    assert "colour" in problem_of(client, f"/api/{route}?colour=red")["errors"]


def test_more_parameters_than_anybody_needs_are_counted(client: Client) -> None:
    body = problem_of(client, "/api/market?" + "&".join(f"a{n}=1" for n in range(1500)))
    assert body["detail"] == "There may be at most 1000 parameters."


@override_settings(ALLOWED_HOSTS=["testserver"])
def test_a_name_that_is_not_ours_says_which_setting_lists_them(client: Client) -> None:
    response = client.get("/api/status", headers={"Host": "elsewhere.example"})
    assert (response.status_code, "ALLOWED_HOSTS" in response.json()["detail"]) == (400, True)
