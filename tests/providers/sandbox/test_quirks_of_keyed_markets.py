"""CryptoCompare, CoinDesk Data, CoinMarketCap and CoinCap: their keys, words and oddities."""

from __future__ import annotations

from typing import Any

import pytest

from providers.sandbox.market import DAY_S, EARLIEST, HOUR_S
from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples_markets import (
    CMC,
    COINCAP,
    COINDESK,
    DATA_API,
    KEY,
    MIN_API,
)

APIKEY = {"authorization": f"Apikey {KEY}"}


# -- Keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        f"{MIN_API}/data/price?fsym=BTC&tsyms=USD",
        f"{DATA_API}/index/cc/v1/historical/days?market=cadli&instrument=BTC-USD",
        f"{COINDESK}/news/v1/article/list",
    ],
)
def test_coindesk_wants_a_key_with_a_subscription(asker: Asker, url: str) -> None:
    status, error = asker.refused(url)
    assert status == 401
    assert (error["Data"], error["Err"]["type"]) == ({}, 2)
    assert error["Err"]["message"].startswith("API key required")
    status, error = asker.refused(url, authorization="Apikey real")
    assert (status, error["Err"]["type"]) == (401, 2)
    assert asker.get(url, **APIKEY)
    assert asker.get(url, x_api_key=KEY)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({}, 401, 1002), ({"x-cmc_pro_api_key": "real"}, 401, 1001)],
)
def test_coinmarketcap_wants_a_key(
    asker: Asker, headers: dict[str, str], status: int, code: int
) -> None:
    reply = asker.ask(f"{CMC}/v1/cryptocurrency/map", headers=headers)
    assert reply.status == status
    assert b'"error_code":%d' % code in reply.body
    good = asker.ask(f"{CMC}/v1/cryptocurrency/map", headers={"x-cmc_pro_api_key": KEY})
    assert good.status == 200


@pytest.mark.parametrize("prefix", ["public-api", "trial-pro-api"])
def test_coinmarketcap_without_a_key_has_its_code_as_text(asker: Asker, prefix: str) -> None:
    answer = asker.get(f"{CMC}/{prefix}/v1/cryptocurrency/listings/latest?limit=2")
    assert answer["status"]["error_code"] == "0"
    assert len(answer["data"]) == 2
    assert asker.ask(f"{CMC}/{prefix}/v1/key/info").status == 404


def test_coincap_wants_a_key(asker: Asker) -> None:
    assert asker.refused(f"{COINCAP}/assets")[0] == 401
    assert asker.refused(f"{COINCAP}/assets?apiKey=real")[0] == 403
    assert asker.get(f"{COINCAP}/assets?limit=1", authorization=f"Bearer {KEY}")["data"]


# -- CryptoCompare ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("price?tsyms=USD", "fsym"),
        ("price?fsym=NOPE&tsyms=USD", "fsym"),
        ("price?fsym=BTC", "tsyms"),
        ("pricemulti?fsyms=NOPE&tsyms=USD", "fsyms"),
        ("pricemultifull?fsyms=" + ",".join(["BTC"] * 80) + "&tsyms=USD", "fsyms"),
        ("top/mktcapfull?limit=101&tsym=USD", "limit"),
        ("v2/histoday?fsym=BTC&tsym=USD&limit=2001", "limit"),
        (f"v2/histominute?fsym=BTC&tsym=USD&toTs={int(NOW - 8 * DAY_S)}", "toTs"),
    ],
)
def test_cryptocompare_says_what_is_wrong_in_a_200(asker: Asker, path: str, name: str) -> None:
    answer = asker.get(f"{MIN_API}/data/{path}", **APIKEY)
    assert (answer["Response"], answer["Type"], answer["Data"]) == ("Error", 2, {})
    assert answer["ParamWithError"] == name


def test_cryptocompare_leaves_out_one_unknown_symbol_of_several(asker: Asker) -> None:
    answer = asker.get(f"{MIN_API}/data/pricemulti?fsyms=BTC,NOPE&tsyms=USD,NOPE", **APIKEY)
    assert {symbol: list(row) for symbol, row in answer.items()} == {"BTC": ["USD"]}


@pytest.mark.parametrize(("kind", "rows"), [("minute", 1441), ("hour", 169), ("day", 31)])
def test_a_history_has_one_row_more_than_its_limit(asker: Asker, kind: str, rows: int) -> None:
    url = f"{MIN_API}/data/v2/histo{kind}?fsym=BTC&tsym=USD"
    assert len(asker.get(url, **APIKEY)["Data"]["Data"]) == rows
    few = asker.get(f"{url}&limit=5&aggregate=2", **APIKEY)["Data"]
    assert (len(few["Data"]), few["Aggregated"]) == (6, True)
    assert few["TimeFrom"] == few["Data"][0]["time"]
    assert few["TimeTo"] == few["Data"][-1]["time"] <= NOW


def test_a_history_is_nought_from_before_the_coin(asker: Asker) -> None:
    url = f"{MIN_API}/data/v2/histoday?fsym=BTC&tsym=USD&limit=3&toTs={EARLIEST + DAY_S}"
    rows = asker.get(url, **APIKEY)["Data"]["Data"]
    assert [row["close"] == 0 for row in rows] == [True, True, False, False]
    assert rows[0]["volumefrom"] == rows[0]["volumeto"] == 0


def test_a_coin_without_trades_has_no_figures(asker: Asker) -> None:
    rows = asker.get(f"{MIN_API}/data/top/mktcapfull?limit=100&tsym=USD", **APIKEY)["Data"]
    assert len(rows) == 100
    assert sum("RAW" not in row for row in rows) == 1
    caps = [row["RAW"]["USD"]["MKTCAP"] for row in rows if "RAW" in row]
    assert all(later < cap * 1.005 for cap, later in zip(caps, caps[1:], strict=False))
    page = asker.get(f"{MIN_API}/data/top/mktcapfull?limit=30&page=1&tsym=USD", **APIKEY)["Data"]
    assert [r["CoinInfo"]["Name"] for r in page] == [r["CoinInfo"]["Name"] for r in rows[30:60]]


def test_cryptocompare_over_its_limit_is_a_200_too() -> None:
    asker = Asker(limits=True)
    url = f"{MIN_API}/data/price?fsym=BTC&tsyms=USD&api_key={KEY}"
    answers = [asker.get(url) for _ in range(51)]
    assert "USD" in answers[49]
    assert (answers[50]["Response"], answers[50]["Type"]) == ("Error", 99)
    assert answers[50]["RateLimit"]["max_calls"]["minute"] == 2500
    data = f"{DATA_API}/index/cc/v1/latest/tick?market=cadli&instruments=BTC-USD&api_key={KEY}"
    assert asker.refused(data)[0] == 429


def test_to_ask_what_is_left_costs_nothing() -> None:
    asker = Asker()
    url = f"{MIN_API}/stats/rate/limit?api_key={KEY}"
    asker.get(f"{MIN_API}/data/price?fsym=BTC&tsyms=USD&api_key={KEY}")
    made = [asker.get(url)["Data"]["calls_made"]["month"] for _ in range(3)]
    assert made == [1, 1, 1]


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("index/cc/v1/historical/days?instrument=BTC-USD", 400, "market"),
        ("index/cc/v1/historical/days?market=cadli&instrument=NOPE-USD", 404, "instrument"),
        ("index/cc/v1/historical/days?market=cadli&instrument=BTC-USD&limit=2001", 400, "limit"),
        ("index/cc/v1/latest/tick?market=cadli", 400, "instruments"),
        ("news/v1/article/list?limit=101", 400, "limit"),
    ],
)
def test_coindesk_data_says_what_is_wrong(asker: Asker, path: str, status: int, name: str) -> None:
    found, error = asker.refused(f"{COINDESK}/{path}", **APIKEY)
    assert (found, error["Data"]) == (status, [])
    assert error["Err"]["other_info"]["param"] == name


def test_coindesk_data_counts_candles_up_to_a_moment(asker: Asker) -> None:
    url = f"{DATA_API}/index/cc/v1/historical/hours?market=cadli&instrument=BTC-USD&limit=3"
    rows = asker.get(f"{url}&to_ts={int(NOW - 5 * HOUR_S)}", **APIKEY)["Data"]
    last = int((NOW - 5 * HOUR_S) // HOUR_S) * HOUR_S
    assert [row["TIMESTAMP"] for row in rows] == [last - n * HOUR_S for n in (2, 1, 0)]


# -- CoinMarketCap ---------------------------------------------------------------------------


def cmc(asker: Asker, path: str) -> Any:
    joint = "&" if "?" in path else "?"
    return asker.refused(f"{CMC}/{path}{joint}CMC_PRO_API_KEY={KEY}")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("v1/cryptocurrency/listings/latest?limit=5001", 400, 400),
        ("v1/cryptocurrency/listings/latest?convert=USD,EUR", 400, 400),
        ("v1/cryptocurrency/listings/latest?convert=NOPE", 400, 400),
        ("v1/cryptocurrency/listings/latest?sort=nope", 400, 400),
        ("v2/cryptocurrency/quotes/latest", 400, 400),
        ("v2/cryptocurrency/quotes/latest?id=99999999", 400, 400),
        ("v2/cryptocurrency/ohlcv/historical?id=1", 403, 1006),
        ("v1/cryptocurrency/trending/latest", 403, 1006),
    ],
)
def test_coinmarketcap_says_what_is_wrong_in_its_status(
    asker: Asker, path: str, status: int, code: int
) -> None:
    found, answer = cmc(asker, path)
    assert (found, answer["status"]["error_code"]) == (status, code)
    assert answer["status"]["error_message"]
    assert "data" not in answer


def test_coinmarketcap_pages_and_sorts(asker: Asker) -> None:
    def names(query: str) -> list[str]:
        data = cmc(asker, f"v1/cryptocurrency/listings/latest?{query}")[1]["data"]
        return [row["symbol"] for row in data]

    every = names("limit=200")
    assert len(every) == 100
    assert names("start=31&limit=30") == every[30:60]
    assert names("limit=100&sort=symbol") == sorted(every)
    assert names("limit=3&sort_dir=asc") == every[::-1][:3]


def test_an_unknown_symbol_is_an_empty_list_in_version_2(asker: Asker) -> None:
    data = cmc(asker, "v2/cryptocurrency/quotes/latest?symbol=BTC,NOPE")[1]["data"]
    assert (len(data["BTC"]), data["NOPE"]) == (1, [])
    assert set(cmc(asker, "v1/cryptocurrency/quotes/latest?symbol=BTC,NOPE")[1]["data"]) == {"BTC"}


def test_coinmarketcap_tells_of_a_coin_by_its_id(asker: Asker) -> None:
    data = cmc(asker, "v2/cryptocurrency/info?id=1027")[1]["data"]
    assert (data["1027"]["symbol"], data["1027"]["name"]) == ("ETH", "Ethereum")
    assert data["1027"]["urls"]["website"]
    assert cmc(asker, "v2/cryptocurrency/info?id=99999999")[0] == 400
    by_symbol = cmc(asker, "v2/cryptocurrency/info?symbol=BTC")[1]["data"]
    assert [row["id"] for row in by_symbol["BTC"]] == [1]


def test_coinmarketcap_has_fear_and_greed_day_by_day_newest_first(asker: Asker) -> None:
    status, answer = cmc(asker, "v3/fear-and-greed/historical?limit=3")
    times = [int(row["timestamp"]) for row in answer["data"]]
    assert (status, answer["status"]["error_code"]) == (200, "0")
    assert times == [int(NOW // DAY_S - n) * int(DAY_S) for n in range(3)]
    later = cmc(asker, "v3/fear-and-greed/historical?start=3&limit=1")[1]["data"]
    assert later == answer["data"][2:]
    assert cmc(asker, "v3/fear-and-greed/historical?limit=501")[0] == 400


def test_coinmarketcap_counts_credits() -> None:
    asker = Asker(limits=True)
    asker.now = 1_795_000_200.0
    statuses = [cmc(asker, "v1/cryptocurrency/map")[0] for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    for _ in range(14):
        asker.now += 60
        for _ in range(30):
            status, answer = cmc(asker, "v1/cryptocurrency/listings/latest?start=101&limit=5000")
    assert (status, answer["status"]["error_code"]) == (429, 1010)


# -- CoinCap ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("assets/nope", 404),
        ("assets?limit=2001", 400),
        ("assets?limit=x", 400),
        ("assets/bitcoin/history", 400),
        ("assets/bitcoin/history?interval=m2", 400),
        ("assets/bitcoin/history?interval=m1&start=1", 400),
        ("price/bysymbol/NOPE", 404),
    ],
)
def test_coincap_says_what_is_wrong(asker: Asker, path: str, status: int) -> None:
    found, error = asker.refused(f"{COINCAP}/{path}", authorization=f"Bearer {KEY}")
    assert (found, list(error)) == (status, ["error"])


def test_coincap_has_text_for_all_figures_and_ids_of_its_own(asker: Asker) -> None:
    rows = asker.get(f"{COINCAP}/assets?apiKey={KEY}")["data"]
    assert [row["rank"] for row in rows] == [str(n) for n in range(1, 101)]
    ids = {row["symbol"]: row["id"] for row in reversed(rows)}
    assert (ids["BTC"], ids["BNB"], ids["USDC"]) == ("bitcoin", "binance-coin", "usd-coin")
    price = next(row["priceUsd"] for row in rows if row["symbol"] == "BTC")
    assert len(price.partition(".")[2]) == 16


def test_coincap_ends_when_its_credits_do() -> None:
    asker = Asker(limits=True)
    url = f"{COINCAP}/assets?limit=2000&apiKey={KEY}"
    statuses = [asker.ask(url).status for _ in range(9)]
    assert statuses == [200] * 7 + [402, 402]
