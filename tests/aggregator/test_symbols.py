"""What a word of a request means, and how the answer says so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from providers.models import Asset, Contract, Listing
from providers.registry import _adapters
from tests.aggregator.test_bad_input import problem_of
from tests.aggregator.visitors import get
from tests.upstreams import Fake, Upstreams

pytestmark = pytest.mark.django_db(transaction=True)

CONTRACT = "0x00000000000000000000000000000000000000Ab"


def add(slug: str, symbol: str, **fields: Any) -> Asset:
    row = Asset.objects.create(slug=slug, symbol=symbol, name=slug.title(), **fields)
    Listing.objects.create(asset=row, adapter_name="fake", external_id=slug)
    return row


@pytest.fixture
def a(upstreams: Upstreams) -> Upstreams:
    upstreams.provider("a")
    return upstreams


def test_a_contract_address_is_a_word_for_its_coin(a: Upstreams) -> None:
    row = add("uniswap", "UNI")
    Contract.objects.create(
        asset=row, chain="ethereum", address=CONTRACT.lower(), adapter_name="fake",
        learned_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    for word in (CONTRACT, CONTRACT.upper().replace("X", "x", 1)):
        answer = get(f"/api/market/price?symbols={word}")
        assert [row["symbol"] for row in answer.body["data"]] == ["UNI"]
        assert "resolved" not in answer.meta


def test_an_ambiguous_symbol_is_the_largest_and_the_answer_says_so(a: Upstreams) -> None:
    add("universe", "UNI", order=0)
    add("uniswap", "UNI", order=1, market_cap=Decimal(9))
    answer = get("/api/market/price?symbols=uni")
    assert a.asked[-1].symbols == ["UNI"]
    assert answer.meta["resolved"] == [
        {
            "asked": "uni",
            "symbol": "UNI",
            "id": "uniswap",
            "name": "Uniswap",
            "kind": "crypto",
            "others": ["universe"],
        }
    ]
    # The other by its id: never the first one's price under the symbol they share.
    answer = get("/api/market/price?symbols=universe")
    assert a.asked[-1].symbols == ["universe"]
    assert [row["symbol"] for row in answer.body["data"]] == ["universe"]
    assert "resolved" not in answer.meta


def test_a_share_and_a_coin_of_one_symbol_are_not_confused(a: Upstreams) -> None:
    add("meta-platforms", "META", kind="equity", currency="USD", market_cap=Decimal(10**12))
    add("metadium", "META")
    coin = get("/api/market/price?symbols=META")
    assert coin.meta["resolved"][0]["kind"] == "crypto"
    assert a.asked[-1].symbols == ["META"]
    share = get("/api/market/price?symbols=META&kind=equity")
    assert [row["symbol"] for row in share.body["data"]] == ["meta-platforms"]
    assert a.asked[-1].symbols == ["meta-platforms"]


@pytest.mark.parametrize("route", ["price?symbols", "ohlc?symbol", "history?symbol"])
def test_a_kind_narrows_to_nothing_or_to_what_there_is(client: Client, route: str) -> None:
    add("bitcoin", "BTC")
    body = problem_of(client, f"/api/market/{route}=BTC&kind=equity")
    assert body["status"] == 404
    assert "an equity" in body["detail"]
    body = problem_of(client, f"/api/market/{route}=BTC&kind=bond")
    assert (body["status"], list(body["errors"])) == (400, ["kind"])


def test_what_is_no_coin_is_not_asked_of_who_knows_coins_alone(
    a: Upstreams, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Shares(Fake):
        name = "shares"

    monkeypatch.setitem(_adapters, "shares", Shares)
    a.provider("b", Shares, enabled=False)
    row = Asset.objects.create(
        slug="apple", symbol="AAPL", name="Apple Inc.", kind="equity", currency="USD"
    )
    Listing.objects.create(asset=row, adapter_name="shares", quote="USD", external_id="AAPL")
    body = problem_of(client, "/api/market/price", symbols="AAPL")
    assert body["status"] == 404
    assert "b could, but it is switched off." in body["detail"]
    assert [(x["provider"], x["outcome"]) for x in body["attempts"]] == [("a", "unsupported")]
    assert a.asked == []


def test_a_share_is_not_converted(a: Upstreams, client: Client) -> None:
    add("bmw", "BMW", kind="equity", currency="EUR")
    add("bitcoin", "BTC")
    for url in (
        "/api/market/price?symbols=BMW&currency=usd",
        "/api/market/ohlc?symbol=BMW&currency=usd",
        "/api/market/history?symbol=BMW&currency=usd",
    ):
        body = problem_of(client, url)
        assert body["status"] == 404
        assert "quoted in EUR" in body["detail"]
        assert "currency=eur" in body["detail"]
    answer = get("/api/market/price?symbols=BMW,BTC")
    assert [row["symbol"] for row in answer.body["data"]] == ["BTC"]
    assert answer.meta["missing"] == [{"symbol": "BMW", "reason": "quoted in EUR"}]
    assert [row["symbol"] for row in get("/api/market/price?symbols=BMW").body["data"]] == ["BMW"]
