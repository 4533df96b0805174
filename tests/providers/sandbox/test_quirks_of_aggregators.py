"""What each aggregator refuses and how it says so; orders, limits and other oddities."""

from __future__ import annotations

from typing import Any

import pytest

from providers.sandbox.market import DAY_S, HOUR_S
from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples import BINANCE, GECKO, PAPRIKA

PRO = "https://pro-api.coingecko.com/api/v3"
YEAR_S = 365 * DAY_S


# -- CoinPaprika -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("tickers/nope", 404),
        ("tickers?quotes=NOPE", 400),
        ("tickers/btc-bitcoin/historical?interval=1d", 400),
        ("tickers/btc-bitcoin/historical?start=2026-11-01&interval=2d", 400),
        ("tickers/btc-bitcoin/historical?start=2026-11-01&interval=1d&limit=5001", 400),
        (f"tickers/btc-bitcoin/historical?start={int(NOW - YEAR_S - 100)}&interval=1d", 402),
        (f"tickers/btc-bitcoin/historical?start={int(NOW - DAY_S - 100)}&interval=1h", 402),
        (f"tickers/btc-bitcoin/historical?start={int(NOW - 3600)}", 402),
        (f"coins/btc-bitcoin/ohlcv/historical?start={int(NOW - DAY_S - 100)}", 402),
        (f"coins/btc-bitcoin/ohlcv/historical?start={int(NOW - 3600)}&interval=1h", 402),
        ("search", 400),
        ("key/info", 403),
    ],
)
def test_coinpaprika_says_what_is_wrong(asker: Asker, path: str, status: int) -> None:
    found, error = asker.refused(f"{PAPRIKA}/{path}")
    assert (found, list(error)) == (status, ["error"])
    assert ("plan" in error["error"]) == (status == 402)


def test_coinpaprika_history_within_the_plan(asker: Asker) -> None:
    base = f"{PAPRIKA}/tickers/btc-bitcoin/historical"
    days = asker.get(f"{base}?start={int(NOW - YEAR_S)}&interval=1d&limit=5000")
    assert len(days) == 365
    assert all(row["timestamp"].endswith("T00:00:00Z") for row in days)
    assert [row["timestamp"] for row in days] == sorted(row["timestamp"] for row in days)
    hours = asker.get(f"{base}?start={int(NOW - 12 * HOUR_S)}&interval=1h")
    assert len(hours) == 12
    two = asker.get(f"{base}?start=2026-11-01&end=2026-11-03&interval=1d")
    assert [row["timestamp"][:10] for row in two] == ["2026-11-01", "2026-11-02"]


def test_coinpaprika_keeps_the_circulating_supply_to_itself_on_the_free_plan(asker: Asker) -> None:
    rows = asker.get(f"{PAPRIKA}/tickers")
    assert len(rows) == 100
    assert all("circulating_supply" not in row for row in rows)
    assert [row["rank"] for row in rows] == list(range(1, 101))
    missing = [row for row in rows if row["quotes"]["USD"]["percent_change_1y"] == ""]
    assert len(missing) == 1


def test_coinpaprika_searches_by_symbol_when_told_to(asker: Asker) -> None:
    loose = asker.get(f"{PAPRIKA}/search?q=btc&c=currencies")["currencies"]
    exact = asker.get(f"{PAPRIKA}/search?q=btc&c=currencies&modifier=symbol_search")["currencies"]
    assert [row["id"] for row in exact] == ["btc-bitcoin"]
    assert len(loose) > 1
    every = asker.get(f"{PAPRIKA}/search?q=a")
    assert set(every) == {"currencies", "exchanges", "icos", "people", "tags"}
    assert len(every["currencies"]) == 6


# -- CoinGecko -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("coins/nope", 404),
        ("coins/Bitcoin", 404),
        ("simple/price?ids=bitcoin", 422),
        ("simple/price?vs_currencies=usd", 422),
        ("coins/markets", 422),
        ("coins/markets?vs_currency=nope", 422),
        ("coins/bitcoin/ohlc?vs_currency=usd&days=2", 422),
        ("coins/bitcoin/market_chart?vs_currency=usd", 422),
    ],
)
def test_coingecko_says_what_is_wrong(asker: Asker, path: str, status: int) -> None:
    found, error = asker.refused(f"{GECKO}/{path}")
    assert (found, list(error)) == (status, ["error"])


@pytest.mark.parametrize(
    "path",
    [
        "market_chart?vs_currency=usd&days=366",
        "market_chart?vs_currency=usd&days=max",
        "ohlc?vs_currency=usd&days=max",
        f"market_chart/range?vs_currency=usd&from={int(NOW - YEAR_S - 100)}&to={int(NOW)}",
        "history?date=01-01-2024",
    ],
)
def test_coingecko_refuses_more_than_a_year_without_a_paid_key(asker: Asker, path: str) -> None:
    url = f"/coins/bitcoin/{path}"
    status, error = asker.refused(GECKO + url)
    assert (status, error["error"]["status"]["error_code"]) == (401, 10012)
    if "ohlc" not in path:
        assert asker.get(PRO + url, x_cg_pro_api_key="sandbox-pro")


def test_coingecko_unknown_ids_and_currencies_are_silently_absent(asker: Asker) -> None:
    assert asker.get(f"{GECKO}/simple/price?ids=nope&vs_currencies=usd") == {}
    found = asker.get(f"{GECKO}/simple/price?ids=bitcoin,nope&vs_currencies=usd,nope")
    assert list(found) == ["bitcoin"]
    assert list(found["bitcoin"]) == ["usd"]


def test_coingecko_precision(asker: Asker) -> None:
    url = f"{GECKO}/simple/price?ids=bitcoin&vs_currencies=usd&precision="
    short, full, three = (asker.get(url + word)["bitcoin"]["usd"] for word in ("", "full", "3"))
    assert isinstance(short, int)
    assert round(full) == short
    assert round(full, 3) == three


def test_coingecko_pages(asker: Asker) -> None:
    def ids(query: str) -> list[str]:
        rows = asker.get(f"{GECKO}/coins/markets?vs_currency=usd{query}")
        return [row["id"] for row in rows]

    every = ids("&per_page=250")
    assert len(every) == len(set(every)) == 100
    assert ids("&per_page=30&page=2") == every[30:60]
    assert ids("&per_page=30&page=5") == []
    assert ids("&per_page=250&order=market_cap_asc") == every[::-1]
    assert ids("&order=id_asc") == sorted(every)
    assert ids("&ids=ethereum,bitcoin&symbols=sol") == ["bitcoin", "ethereum"]
    assert ids("&symbols=sol") == ["solana"]


@pytest.mark.parametrize(
    ("days", "minutes", "least"), [(1, 30, 47), (7, 240, 42), (30, 240, 180), (365, 5760, 91)]
)
def test_coingecko_candles_carry_their_close(
    asker: Asker, days: int, minutes: int, least: int
) -> None:
    rows = asker.get(f"{GECKO}/coins/bitcoin/ohlc?vs_currency=usd&days={days}")
    step = minutes * 60_000
    assert least <= len(rows) <= least + 1
    assert {later[0] - row[0] for row, later in zip(rows, rows[1:], strict=False)} == {step}
    assert NOW * 1000 - step < rows[-1][0] <= NOW * 1000
    kline = asker.get(
        f"{BINANCE}/klines?symbol=BTCUSDT&interval=30m&limit=1&startTime={rows[-1][0] - 1_800_000}"
    )[0]
    assert float(kline[4]) == pytest.approx(rows[-1][4], rel=0.001)


@pytest.mark.parametrize(
    ("days", "step", "count"), [(1, 300, 289), (2, 3600, 49), (90, 3600, 2161), (91, DAY_S, 92)]
)
def test_coingecko_charts_grow_coarser_with_length(
    asker: Asker, days: int, step: int, count: int
) -> None:
    chart = asker.get(f"{GECKO}/coins/bitcoin/market_chart?vs_currency=usd&days={days}")
    assert {len(series) for series in chart.values()} <= {count - 1, count}
    stamps = [stamp / 1000 for stamp, _ in chart["prices"]]
    assert stamps == sorted(stamps)
    assert stamps[-1] == NOW
    gaps = [b - a for a, b in zip(stamps[:-1], stamps[1:-1], strict=False)]
    assert all(abs(gap - step) < 10 for gap in gaps)


def test_coingecko_lists_namesakes(asker: Asker) -> None:
    rows = asker.get(f"{GECKO}/coins/list")
    bitcoins = [row["id"] for row in rows if row["symbol"] == "btc"]
    assert bitcoins == ["bitcoin", "bitcoin-reborn"]
    assert len({row["id"] for row in rows}) == len(rows)
    inactive = [row for row in asker.get(f"{PAPRIKA}/coins") if not row["is_active"]]
    assert {row["symbol"] for row in inactive} >= {"BTC", "ETH"}


@pytest.mark.parametrize(
    ("base", "headers", "status", "code"),
    [
        (GECKO, {"x_cg_demo_api_key": "CG-real"}, 401, 401),
        (GECKO, {"x_cg_pro_api_key": "sandbox-1"}, 400, 10010),
        (PRO, {}, 401, 10002),
        (PRO, {"x_cg_pro_api_key": "CG-real"}, 401, 401),
        (PRO, {"x_cg_demo_api_key": "sandbox-1"}, 400, 10011),
    ],
)
def test_keys_fit_one_host_and_real_ones_none(
    asker: Asker, base: str, headers: dict[str, str], status: int, code: int
) -> None:
    found, error = asker.refused(f"{base}/ping", **headers)
    assert (found, error["status"]["error_code"]) == (status, code)
    query = "&".join(f"{name}={value}" for name, value in headers.items())
    assert asker.refused(f"{base}/ping?{query}")[0] == status


@pytest.mark.parametrize(("base", "kind"), [(GECKO, "demo"), (PRO, "pro")])
def test_throw_away_keys_are_good_keys(asker: Asker, base: str, kind: str) -> None:
    assert asker.get(f"{base}/ping?x_cg_{kind}_api_key=sandbox-1")
    assert asker.get(f"{base}/ping", **{f"x_cg_{kind}_api_key": "sandbox-1"})


def test_coingecko_says_when_nothing_changed(asker: Asker) -> None:
    first = asker.ask(f"{GECKO}/ping")
    again = asker.ask(f"{GECKO}/ping", headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


# -- alternative.me --------------------------------------------------------------------------


def test_the_index_is_whole_since_2018_but_for_four_days(asker: Asker) -> None:
    rows = asker.get("https://api.alternative.me/fng/?limit=0")["data"]
    assert rows[-1]["timestamp"] == "1517443200"
    days = (int(rows[0]["timestamp"]) - 1517443200) // DAY_S + 1
    assert len(rows) == days - 4
    assert int(rows[0]["time_until_update"]) == int(DAY_S - NOW % DAY_S)
    assert len(asker.get("https://api.alternative.me/fng/")["data"]) == 1


def test_the_index_turns_stamps_into_dates_on_request(asker: Asker) -> None:
    url = "https://api.alternative.me/fng/?limit=1&date_format=world"
    assert asker.get(url)["data"][0]["timestamp"] == "18-11-2026"


def test_the_index_reports_errors_in_its_metadata(asker: Asker) -> None:
    answer: Any = asker.get("https://api.alternative.me/fng/?limit=x")
    assert answer["data"] == []
    assert answer["metadata"]["error"]
