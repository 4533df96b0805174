"""FRED, the World Bank and Alpha Vantage: what they refuse and how, and the economy behind them."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.sandbox.coins import load
from providers.sandbox.economy import SERIES, Economy, Series
from providers.sandbox.market import DAY_S, Market
from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples_world import ALPHA, FRED, KEY, WORLD_BANK

ECONOMY = Economy(Market(load()))
BARE = "https://api.stlouisfed.org/fred"
GRAPH = "https://fred.stlouisfed.org/graph/fredgraph.csv"
BOM = b"\xef\xbb\xbf"


# -- The economy -----------------------------------------------------------------------------


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.id)
def test_a_series_begins_where_it_says_and_has_no_future(series: Series) -> None:
    rows = ECONOMY.observations(series, NOW)
    days = [day for day, _ in rows]
    assert days == sorted(set(days))
    assert date(2026, 7, 1) <= days[-1] < date(2026, 11, 18)
    known = [day for day, value in rows if value is not None]
    assert abs((known[0] - series.start).days) < 8
    if series.frequency == "Daily":
        assert {day.weekday() for day in days} == {0, 1, 2, 3, 4}
        assert any(value is None for _, value in rows)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SERIES), st.integers(1_700_000_000, 1_900_000_000))
def test_what_is_published_is_never_revised(series: Series, later: int) -> None:
    start = date(2023, 1, 1)
    before = ECONOMY.observations(series, 1_700_000_000.0, start)
    after = ECONOMY.observations(series, float(later), start)
    assert after[: len(before)] == before


# -- FRED ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("series?series_id=GDP&file_type=json", "Variable api_key is not set."),
        (f"series?series_id=GDP&file_type=json&api_key={'a' * 32}", "api_key is not registered."),
        (f"series?series_id=NOPE&api_key={KEY}", "The series does not exist."),
        (f"series?api_key={KEY}", "Variable series_id is not set."),
        (f"series?series_id=GDP&file_type=csv&api_key={KEY}", "Variable file_type"),
        (f"series/observations?series_id=GDP&units=x&api_key={KEY}", "Variable units"),
        (f"series/observations?series_id=GDP&limit=0&api_key={KEY}", "Variable limit"),
        (f"series/observations?series_id=GDP&sort_order=x&api_key={KEY}", "Variable sort_order"),
        (
            f"series/observations?series_id=GDP&observation_start=x&api_key={KEY}",
            "Variable observation_start",
        ),
    ],
)
def test_fred_refuses_with_a_400_whose_type_says_xml(asker: Asker, path: str, text: str) -> None:
    reply = asker.ask(f"{BARE}/{path}")
    error = orjson.loads(reply.body)
    assert (reply.status, error["error_code"]) == (400, 400)
    assert reply.content_type.startswith("text/xml")
    assert error["error_message"].startswith("Bad Request.  ")
    assert text in error["error_message"]
    assert ("api_key" in error["error_message"]) == ("api_key" in text)


def test_fred_sends_xml_unless_it_is_asked_not_to(asker: Asker) -> None:
    reply = asker.ask(f"{BARE}/series/observations?series_id=GDP&limit=5&api_key={KEY}")
    assert reply.content_type.startswith("text/xml")
    assert reply.body.startswith(b"<?xml")
    assert reply.body.count(b"<observation ") == 5


def test_fred_pages_and_turns_around(asker: Asker) -> None:
    def dates(more: str) -> list[str]:
        url = FRED.format("series/observations", f"series_id=CPIAUCSL&{more}")
        return [row["date"] for row in asker.get(url)["observations"]]

    every = dates("")
    assert dates("sort_order=desc&limit=3") == every[::-1][:3]
    assert dates("offset=10&limit=2") == every[10:12]
    assert dates("observation_start=2026-01-01&observation_end=2026-03-15") == [
        "2026-01-01", "2026-02-01", "2026-03-01",
    ]  # fmt: skip


def test_fred_computes_changes_from_what_came_before(asker: Asker) -> None:
    def values(units: str, more: str = "") -> dict[str, str]:
        query = f"series_id=CPIAUCSL&units={units}{more}"
        url = FRED.format("series/observations", query)
        return {row["date"]: row["value"] for row in asker.get(url)["observations"]}

    levels, yearly = values("lin"), values("pc1")
    change = (float(levels["2026-05-01"]) / float(levels["2025-05-01"]) - 1) * 100
    assert float(yearly["2026-05-01"]) == pytest.approx(change, abs=0.0001)
    assert yearly["1947-05-01"] == "."
    alone = values("pc1", "&observation_start=2026-05-01&observation_end=2026-05-01")
    assert alone == {"2026-05-01": yearly["2026-05-01"]}


def test_missing_values_are_a_point_or_an_empty_cell(asker: Asker) -> None:
    url = FRED.format("series/observations", "series_id=DGS10&observation_start=2025-12-20")
    rows = {row["date"]: row["value"] for row in asker.get(url)["observations"]}
    assert rows["2025-12-25"] == rows["2026-01-01"] == "."
    reply = asker.ask(f"{GRAPH}?id=DGS10&cosd=2025-12-24&coed=2025-12-26")
    lines = reply.body.decode().splitlines()
    assert lines[0] == "observation_date,DGS10"
    assert lines[2] == "2025-12-25,"
    assert len(lines) == 4


def test_the_graph_joins_series_and_knows_no_others(asker: Asker) -> None:
    body = asker.ask(f"{GRAPH}?id=UNRATE,GDP&cosd=2026-01-01").body.decode()
    assert body.splitlines()[0] == "observation_date,UNRATE,GDP"
    assert body.splitlines()[2].endswith(",")
    for query in ("?id=NOPE", ""):
        reply = asker.ask(GRAPH + query)
        assert (reply.status, reply.content_type) == (404, "text/html; charset=utf-8")


def test_fred_allows_120_calls_a_minute() -> None:
    asker = Asker(limits=True)
    asker.now = 1_795_000_200.0
    url = FRED.format("series", "series_id=GDP")
    replies = [asker.ask(url) for _ in range(121)]
    assert [reply.status for reply in replies[-2:]] == [200, 429]
    assert b"Exceeded Rate Limit" in replies[-1].body


# -- The World Bank --------------------------------------------------------------------------


def world_bank(asker: Asker, path: str) -> Any:
    reply = asker.ask(f"{WORLD_BANK}/{path}")
    assert reply.status == 200
    assert reply.body.startswith(BOM)
    return orjson.loads(reply.body.removeprefix(BOM))


@pytest.mark.parametrize(
    "path",
    [
        "US/indicator/NOPE?format=json",
        "NOPE/indicator/NY.GDP.MKTP.CD?format=json",
        "US/indicator/NY.GDP.MKTP.CD?format=json&date=x",
        "US/indicator/NY.GDP.MKTP.CD?format=json&per_page=0",
        "US/indicator/NY.GDP.MKTP.CD;FP.CPI.TOTL.ZG?format=json",
    ],
)
def test_the_world_bank_says_what_is_wrong_in_a_list_of_one(asker: Asker, path: str) -> None:
    (error,) = world_bank(asker, path)
    (message,) = error["message"]
    assert (message["id"], message["key"]) == ("120", "Invalid value")


def test_the_world_bank_has_null_where_there_is_nothing(asker: Asker) -> None:
    head, rows = world_bank(asker, "US/indicator/NY.GDP.MKTP.CD?format=json&date=2090:2099")
    assert (head["total"], rows) == (0, None)


def test_the_world_bank_is_newest_first_with_the_latest_missing(asker: Asker) -> None:
    head, rows = world_bank(asker, "US;CHN/indicator/SL.UEM.TOTL.ZS?format=json&date=2020:2026")
    assert [row["date"] for row in rows[:6]] == [str(y) for y in range(2025, 2019, -1)]
    assert [row["value"] is None for row in rows[:3]] == [True, False, False]
    assert {row["countryiso3code"] for row in rows} == {"USA", "CHN"}
    assert (head["page"], head["pages"], head["total"]) == (1, 1, 12)
    _, latest = world_bank(asker, "US/indicator/SL.UEM.TOTL.ZS?format=json&mrnev=1")
    assert [row["date"] for row in latest] == ["2024"]
    _, recent = world_bank(asker, "US/indicator/SL.UEM.TOTL.ZS?format=json&mrv=2")
    assert [row["date"] for row in recent] == ["2025", "2024"]


def test_the_world_bank_pages_and_repeats_the_size_as_it_was_sent(asker: Asker) -> None:
    path = "all/indicator/SL.UEM.TOTL.ZS?format=json"
    head, rows = world_bank(asker, path)
    assert (head["per_page"], len(rows)) == (50, 50)
    head, second = world_bank(asker, f"{path}&per_page=50&page=2")
    assert (head["per_page"], head["page"]) == ("50", 2)
    assert rows != second


def test_the_world_bank_sends_xml_unless_it_is_asked_not_to(asker: Asker) -> None:
    reply = asker.ask(f"{WORLD_BANK}/US/indicator/SL.UEM.TOTL.ZS?mrv=3")
    assert reply.content_type.startswith("text/xml")
    assert reply.body.removeprefix(BOM).startswith(b"<?xml")
    throttled = asker.ask(
        f"{WORLD_BANK}/US/indicator/SL.UEM.TOTL.ZS", headers={"x-sandbox-fault": "status=429"}
    )
    assert (throttled.status, throttled.content_type) == (400, "text/html")


# -- Alpha Vantage ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "key", "text"),
    [
        ("function=CPI", "Error Message", "apikey is invalid or missing"),
        ("function=CPI&apikey=real", "Error Message", "apikey is invalid or missing"),
        ("function=CPI&apikey=demo", "Information", "**demo** API key"),
        (f"function=NOPE&apikey={KEY}", "Error Message", "does not exist"),
        (f"function=CPI&interval=x&apikey={KEY}", "Error Message", "Invalid API call"),
        (f"function=TIME_SERIES_INTRADAY&symbol=AAPL&apikey={KEY}", "Information", "premium"),
        (f"function=TIME_SERIES_DAILY&symbol=NOPE&apikey={KEY}", "Error Message", "Invalid API"),
        (
            f"function=CURRENCY_EXCHANGE_RATE&from_currency=NOPE&to_currency=USD&apikey={KEY}",
            "Error Message",
            "Invalid API call",
        ),
    ],
)
def test_alpha_vantage_says_what_is_wrong_in_a_200(
    asker: Asker, query: str, key: str, text: str
) -> None:
    answer = asker.get(f"https://www.alphavantage.co/query?{query}")
    assert list(answer) == [key]
    assert text in answer[key]


def test_alpha_vantage_ends_the_day_with_the_key_in_its_mouth() -> None:
    asker = Asker(limits=True)
    url = f"{ALPHA}&function=UNEMPLOYMENT"
    asker.now = int(NOW // DAY_S) * DAY_S + 100.0
    assert "data" in asker.get(url)
    assert "1 request per second" in asker.get(url)["Note"]
    for _ in range(24):
        asker.now += 2
        last = asker.get(url)
    assert list(last) == ["Information"]
    assert KEY in last["Information"]
    assert "25 requests per day" in last["Information"]


def test_alpha_vantage_averages_what_is_published_more_often(asker: Asker) -> None:
    daily = asker.get(f"{ALPHA}&function=TREASURY_YIELD&interval=daily&maturity=10year")["data"]
    monthly = asker.get(f"{ALPHA}&function=TREASURY_YIELD&interval=monthly")["data"]
    october = [float(r["value"]) for r in daily if r["date"][:7] == "2026-10" and r["value"] != "."]
    found = next(float(row["value"]) for row in monthly if row["date"] == "2026-10-01")
    assert found == pytest.approx(sum(october) / len(october), abs=0.01)
    assert "." in {row["value"] for row in daily}
    assert [row["date"] for row in daily] == sorted((r["date"] for r in daily), reverse=True)


def test_alpha_vantage_has_shares_and_currencies_as_yahoo_has_them(asker: Asker) -> None:
    quote = asker.get(f"{ALPHA}&function=GLOBAL_QUOTE&symbol=AAPL")["Global Quote"]
    meta = asker.get(
        "https://query1.finance.yahoo.com/v8/finance/chart/AAPL", user_agent="Mozilla/5.0"
    )["chart"]["result"][0]["meta"]
    assert float(quote["05. price"]) == pytest.approx(meta["regularMarketPrice"], abs=0.01)
    assert asker.get(f"{ALPHA}&function=GLOBAL_QUOTE&symbol=NOPE") == {"Global Quote": {}}
    rows = asker.get(f"{ALPHA}&function=FX_DAILY&from_symbol=EUR&to_symbol=USD")
    assert len(rows["Time Series FX (Daily)"]) == 100
    assert len(asker.get(f"{ALPHA}&function=TIME_SERIES_DAILY&symbol=AAPL")["Time Series (Daily)"])
