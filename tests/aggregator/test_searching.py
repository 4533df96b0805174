"""A search over coins, which providers know, and over what is no coin, which we know ourselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from aggregator import searching
from providers.assets import Asset, Kind
from providers.datasets import SearchHit, SearchQuery
from tests.aggregator.test_bad_input import problem_of
from tests.aggregator.visitors import get
from tests.upstreams import Behaviour, Upstreams, rows, status

pytestmark = pytest.mark.django_db(transaction=True)

COINS = [SearchHit("paxg", "PAXG", "PAX Gold", 60), SearchHit("xaut", "XAUT", "Tether Gold", 70)]


def saying(*hits: SearchHit) -> Behaviour:
    return lambda asked: rows(hits)


@pytest.fixture
def a(upstreams: Upstreams) -> Upstreams:
    upstreams.provider("a")
    upstreams.play["a"] = saying(*COINS)
    for slug, symbol, name, kind in [
        ("gold", "GC", "Gold", Kind.COMMODITY),
        ("barrick", "GOLD", "Barrick Mining Corporation", Kind.EQUITY),
        ("goldman", "GS", "The Goldman Sachs Group, Inc.", Kind.EQUITY),
        ("s-and-p-500", "GSPC", "S&P 500", Kind.INDEX),
        ("bitcoin", "BTC", "Bitcoin", Kind.CRYPTO),
    ]:
        Asset.objects.create(slug=slug, symbol=symbol, name=name, kind=kind)
    return upstreams


def found(url: str) -> list[str]:
    return [row["symbol"] for row in get(url).body["data"]]


def test_what_is_exactly_meant_comes_first_and_the_rest_of_ours_last(a: Upstreams) -> None:
    answer = get("/api/search?q=Gold")
    assert [(row["symbol"], row["kind"]) for row in answer.body["data"]] == [
        ("GC", "commodity"),
        ("barrick", "equity"),
        ("PAXG", "crypto"),
        ("XAUT", "crypto"),
        ("GS", "equity"),
    ]
    assert answer.meta["source"] == "catalogue,a"
    parts = {part["source"]: part["rows"] for part in answer.meta["sources"]}
    assert parts == {"catalogue": 3, "a": 2}
    assert found("/api/search?q=gold&limit=3") == ["GC", "barrick", "PAXG"]
    assert len(a.asked) == 1, "a smaller limit is a part of the same answer"


def test_a_search_for_coins_alone_is_the_provider_s(a: Upstreams) -> None:
    answer = get("/api/search?q=gold&kind=crypto")
    assert [row["symbol"] for row in answer.body["data"]] == ["PAXG", "XAUT"]
    assert answer.meta["source"] == "a"
    assert "sources" not in answer.meta


def test_what_is_no_coin_is_found_without_asking_anybody(a: Upstreams) -> None:
    answer = get("/api/search?q=s%26p&kind=INDEX")
    assert [(row["id"], row["symbol"]) for row in answer.body["data"]] == [("s-and-p-500", "GSPC")]
    assert (answer.meta["source"], answer.meta["stale"]) == ("catalogue", False)
    assert found("/api/search?q=nothing&kind=index") == []
    assert a.asked == []


def test_ours_are_found_while_nobody_tells_the_coins_and_that_is_said(a: Upstreams) -> None:
    a.play["a"] = status(500)
    answer = get("/api/search?q=gold")
    assert sorted(row["id"] for row in answer.body["data"]) == ["barrick", "gold", "goldman"]
    assert answer.meta["missing"] == [{"symbol": "", "part": "coins", "reason": "unanswered"}]
    assert answer.meta["attempts"][0]["outcome"] == "broken"
    assert answer.meta["fresh_for_s"] <= searching.AGAIN_S


def test_where_neither_is_known_the_error_is_the_provider_s(a: Upstreams, client: Client) -> None:
    a.play["a"] = status(500)
    assert problem_of(client, "/api/search?q=bitc")["code"] == "unanswered"


def test_an_unknown_kind_is_named(a: Upstreams, client: Client) -> None:
    problem = problem_of(client, "/api/search?q=gold&kind=shoe")
    assert "kind" in problem["errors"]


def test_a_kind_without_a_symbol_of_news_is_named(a: Upstreams, client: Client) -> None:
    assert "kind" in problem_of(client, "/api/news?kind=equity")["errors"]


WORDS = st.text("abc-& ", min_size=1, max_size=4).map(str.strip).filter(bool)


@given(st.lists(st.tuples(WORDS, WORDS, st.sampled_from(Kind.values)), max_size=6), WORDS)
def test_hits_begin_with_the_words_and_each_is_found_once(rows: Any, q: str) -> None:
    assets = [(s, Asset(slug=s, symbol=s.upper(), name=n, kind=k)) for s, n, k in rows]
    exact, rest = searching.hits(SearchQuery(q), assets)
    assert all(q in f"{hit.id} {hit.name}".lower() for hit in [*exact, *rest])
    assert all(q in (hit.id.lower(), hit.name.lower()) for hit in exact)
    assert len(exact) + len(rest) <= len(assets)
    for kind in Kind.values:
        narrowed, _ = searching.hits(SearchQuery(q, kind=kind), assets)
        assert narrowed == [hit for hit in exact if hit.kind == kind]
