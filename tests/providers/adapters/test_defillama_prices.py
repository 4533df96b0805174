from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.defillama_prices import DefiLlamaPrices
from providers.datasets import HistoryQuery, PriceQuery
from providers.errors import Garbled, Missing, PlanLimit, Unsupported
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt

NAMES = {"BTC": {"": "bitcoin"}, "ETH": {"": "ethereum"}}
PRICES = json.loads((PAYLOADS / "defillama_prices/price.json").read_text(), parse_float=Decimal)
BITCOIN = "coingecko:bitcoin"
NOON_S = int(NOON.timestamp())


def prices(**changes: Any) -> dict[str, Any]:
    return {"coins": {BITCOIN: PRICES["coins"][BITCOIN] | changes}}


def series(*hours: int) -> dict[str, Any]:
    points = [{"timestamp": NOON_S - 3600 * n, "price": Decimal(n)} for n in hours]
    return {"coins": {BITCOIN: {"symbol": "BTC", "confidence": 1, "prices": points}}}


def test_coins_are_named_as_coingecko_names_them() -> None:
    adapter, http = adapt(DefiLlamaPrices, PRICES, names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "ETH", "NOBODY")))
    assert [(row.symbol, str(row.price), row.quote) for row in rows] == [
        ("BTC", "77004.28121336298", "USD"),
        ("ETH", "2473.1512436560031", "USD"),
    ]
    path = "/prices/current/coingecko:bitcoin,coingecko:ethereum"
    assert http.asked == [(path, {"searchWidth": "1h"})]
    assert DefiLlamaPrices.listed_as == "coingecko"


@pytest.mark.parametrize("confidence", [Decimal("0.89"), 0, Decimal(-1), "sure", None])
def test_a_price_that_its_sources_do_not_agree_on_is_left_out(confidence: Any) -> None:
    adapter, _ = adapt(DefiLlamaPrices, prices(confidence=confidence), names=NAMES)
    with pytest.raises(Missing):
        adapter.price(PriceQuery(("BTC",)))
    assert adapter.dropped == 1


def test_a_price_of_one_source_is_a_price() -> None:
    body = prices()
    del body["coins"][BITCOIN]["confidence"]
    assert len(adapt(DefiLlamaPrices, body, names=NAMES)[0].price(PriceQuery(("BTC",)))) == 1


def test_what_it_does_not_know_is_missing_and_others_are_no_answer() -> None:
    with pytest.raises(Missing):
        adapt(DefiLlamaPrices, {"coins": {}}, names=NAMES)[0].price(PriceQuery(("BTC",)))
    with pytest.raises(Garbled):
        adapt(DefiLlamaPrices, prices(), names=NAMES)[0].price(PriceQuery(("ETH",)))
    with pytest.raises(Garbled):
        adapt(DefiLlamaPrices, series(1), names=NAMES)[0].history(HistoryQuery("ETH", days=2))
    with pytest.raises(Missing):
        adapt(DefiLlamaPrices, {"coins": {}}, names=NAMES)[0].history(HistoryQuery("BTC", days=2))


@pytest.mark.parametrize(
    ("days", "period", "spans"),
    [
        (1, "5m", [289]),
        (20, "1h", [481]),
        (90, "1h", [500, 500, 500, 500, 161]),
        (91, "1d", [92]),
        (600, "1d", [500, 101]),
    ],
)
def test_a_history_is_as_many_calls_as_it_takes(days: int, period: str, spans: list[int]) -> None:
    adapter, http = adapt(DefiLlamaPrices, series(3, 2, 1), names=NAMES)
    adapter.history(HistoryQuery("BTC", days=days))
    assert [(asked["period"], asked["span"]) for _, asked in http.asked] == [
        (period, span) for span in spans
    ]
    assert http.asked[0][1]["start"] == NOON_S - days * 86400
    assert DefiLlamaPrices.cost(HistoryQuery("BTC", days=days)) == len(spans)


def test_points_that_come_twice_are_kept_once() -> None:
    adapter, _ = adapt(DefiLlamaPrices, series(30, 2), series(2, 1), names=NAMES)
    found = adapter.history(HistoryQuery("BTC", days=30))
    assert [point.time for point in found] == [NOON - timedelta(hours=n) for n in (30, 2, 1)]


@pytest.mark.parametrize(
    "query", [PriceQuery(("BTC",), "eur"), HistoryQuery("BTC", days=1, currency="eur")], ids=str
)
def test_it_speaks_of_dollars_alone(query: Any) -> None:
    adapter, http = adapt(DefiLlamaPrices, PRICES, names=NAMES)
    with pytest.raises(Unsupported):
        adapter.fetch(query)
    assert http.asked == []


def test_a_limit_of_the_plan_is_not_a_bad_key() -> None:
    assert type(DefiLlamaPrices.diagnose(Reply(402, {}, b"Payment Required"))) is PlanLimit
    assert DefiLlamaPrices.diagnose(Reply(400, {}, b"bad coins")) is None


def test_a_ping_is_the_price_of_a_coin() -> None:
    adapter, http = adapt(DefiLlamaPrices, prices())
    adapter.ping()
    assert http.asked == [("/prices/current/coingecko:bitcoin", {})]
