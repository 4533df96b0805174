"""Markets field by field against real answers, where a folder of recordings is there."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from providers.sandbox.coins import load
from providers.sandbox.market import DAY_S, HOUR_S
from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples_markets import (
    BITFINEX,
    BITSTAMP,
    CMC,
    DATA_API,
    KEY,
    KUCOIN,
    LLAMA,
    MIN_API,
    YAHOO,
)
from tests.providers.sandbox.shapes import Kinds, assert_same, kinds, merged
from tests.providers.sandbox.test_recorded import RECORDED, read

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="there are no recordings here")

BEARER = {"authorization": f"Apikey {KEY}"}


def subset(ours: Kinds, theirs: Kinds) -> Kinds:
    """Of ours what the older recording has, too."""
    assert set(theirs) <= set(ours), sorted(set(theirs) - set(ours))
    return {place: ours[place] for place in theirs}


def entry(file: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e for e in read("manifest.json") if e["file"] == file)
    return found


# -- Exchanges -------------------------------------------------------------------------------


def test_bitstamp_ticker(asker: Asker) -> None:
    theirs = kinds(read("bitstamp/xchange_ticker.json"))
    ours = kinds(asker.get(f"{BITSTAMP}/ticker/btcusd/"))
    assert_same(subset(ours, theirs), theirs)


def test_bitfinex_tickers(asker: Asker) -> None:
    lent, traded = read("bitfinex/xchange_v2_ticker.json")
    ours = {row[0]: row for row in asker.get(f"{BITFINEX}/tickers?symbols=ALL")}
    for theirs, mine in ((traded, ours["tBTCUSD"]), (lent, ours["fUSD"])):
        assert len(mine) == len(theirs)
        assert_same(kinds([mine], rows=("[]",)), kinds([theirs], rows=("[]",)))


def test_bitfinex_names_currencies_as_the_real_one_does(asker: Asker) -> None:
    theirs = set(read("bitfinex/cf_v2_conf_pub_list_currency.json")[0])
    (ours,) = asker.get(f"{BITFINEX}/conf/pub:list:currency")
    own = {"UST", "BCHN", "BTC", "ETH", "XRP"}
    assert own <= set(ours) & theirs
    assert not {"USDT", "USDC", "BCH"} & set(ours)


def test_kucoin_symbols(asker: Asker) -> None:
    theirs = read("kucoin/cf_api_v1_symbols.json")
    ours = asker.get(f"{KUCOIN}/symbols")
    assert list(ours["data"][0]) == list(theirs["data"][0])
    found = kinds(theirs)
    # Sizes are too small for some to be written without an exponent.
    for place in ("baseMinSize", "quoteMinSize"):
        found[f"data[].{place}"].add("digits")
    assert_same(kinds(ours), found)


# -- Aggregators -----------------------------------------------------------------------------


def test_coinmarketcap_listings(asker: Asker) -> None:
    def rows(document: Any) -> Kinds:
        found = kinds(document)
        return {k: v for k, v in found.items() if ".platform" not in k and ".tags" not in k}

    theirs = rows(read("coinmarketcap/listings_latest.json"))
    url = f"{CMC}/v1/cryptocurrency/listings/latest?limit=9&CMC_PRO_API_KEY={KEY}"
    ours = rows(asker.get(url))
    theirs["data[].max_supply"].add("null")
    assert_same(subset(ours, theirs), theirs)


HISTORIES = {
    "histo_day_with_limit_1": "histoday?fsym=BTC&tsym=USD&limit=1",
    "histo_day_with_limit_10": "histoday?fsym=BTC&tsym=USD&limit=10",
    "histo_day_aggregated": "histoday?fsym=BTC&tsym=USD&aggregate=2",
    "histo_hour_with_limit_10": "histohour?fsym=BTC&tsym=USD&limit=10",
    "histo_hour_with_to_ts": "histohour?fsym=BTC&tsym=USD&toTs=1790000000",
    "histo_minute": "histominute?fsym=BTC&tsym=USD",
    "histo_minute_with_limit_10": "histominute?fsym=BTC&tsym=USD&limit=10",
}


@pytest.mark.parametrize("name", HISTORIES)
def test_cryptocompare_histories(asker: Asker, name: str) -> None:
    theirs = read(f"cryptocompare/min_btc_to_usd_{name}.json")
    ours = asker.get(f"{MIN_API}/data/{HISTORIES[name]}", **BEARER)
    assert_same(kinds(ours), kinds(theirs))
    assert list(ours["Data"][0]) == list(theirs["Data"][0])
    assert len(ours["Data"]) == len(theirs["Data"])
    times = [[row["time"] for row in document["Data"]] for document in (ours, theirs)]
    steps = {b - a for series in times for a, b in zip(series, series[1:], strict=False)}
    assert len(steps) == 1
    assert ours["Aggregated"] is theirs["Aggregated"]


@pytest.mark.parametrize(
    ("file", "query"),
    [
        ("minapi_price_WETH_EUR", "price?fsym=BTC&tsyms=EUR"),
        ("min_mult_cc_to_mult_fiat", "pricemulti?fsyms=BTC,ETH,LTC&tsyms=USD,EUR,CNY"),
        ("minapi_pricemulti_BTC_DAI_BNB_ETH", "pricemulti?fsyms=BTC,DAI,BNB&tsyms=ETH"),
    ],
)
def test_cryptocompare_prices(asker: Asker, file: str, query: str) -> None:
    theirs = read(f"cryptocompare/{file}.json")
    ours = asker.get(f"{MIN_API}/data/{query}", **BEARER)
    assert_same(kinds(ours), kinds(theirs))


def test_cryptocompare_full_prices(asker: Asker) -> None:
    theirs = kinds(
        read("cryptocompare/min_btc_to_usd_coin_snapshot.json")["Data"]["AggregatedData"]
    )
    url = f"{MIN_API}/data/pricemultifull?fsyms=BTC&tsyms=USD"
    ours = asker.get(url, **BEARER)
    assert_same(kinds(ours["RAW"]["BTC"]["USD"]), theirs)
    older = read("cryptocompare/min_btc_to_usd_full.json")
    assert set(ours) == set(older)
    assert set(ours["DISPLAY"]["BTC"]["USD"]) <= set(older["DISPLAY"]["BTC"]["USD"])
    assert ours["DISPLAY"]["BTC"]["USD"]["PRICE"].startswith("$ ")


def test_cryptocompare_coins(asker: Asker) -> None:
    theirs = read("cryptocompare/min_coin_list.json")
    ours = asker.get(f"{MIN_API}/data/all/coinlist", **BEARER)
    assert set(ours) == set(theirs)
    assert_same(kinds({"BTC": ours["Data"]["BTC"]}), kinds({"BTC": theirs["Data"]["BTC"]}))


DAYS = sorted(p.name for p in (RECORDED / "cryptocompare").glob("dataapi_days_*.json"))


@pytest.mark.parametrize("file", DAYS)
def test_coindesk_data_days(asker: Asker, file: str) -> None:
    theirs, params = read(f"cryptocompare/{file}"), entry(f"cryptocompare/{file}")["params"]
    query = "&".join(f"{name}={value}" for name, value in params.items())
    ours = asker.get(f"{DATA_API}/index/cc/v1/historical/days?{query}", **BEARER)
    assert_same(kinds(ours), kinds(theirs))
    assert list(ours["Data"][0]) == list(theirs["Data"][0])
    for name in ("TIMESTAMP", "TYPE", "UNIT", "MARKET", "INSTRUMENT"):
        assert ours["Data"][0][name] == theirs["Data"][0][name]


def test_coindesk_data_tells_its_five_windows_as_the_real_one_does(asker: Asker) -> None:
    theirs = entry("cryptocompare/dataapi_days_ETH-EUR_1720000000.json")["headers"]
    url = f"{DATA_API}/index/cc/v1/historical/days?market=cadli&instrument=BTC-USD&limit=1"
    reply = asker.ask(url, headers=BEARER)
    assert reply.headers["x-ratelimit-limit"] == theirs["x-ratelimit-limit"]
    for name in ("remaining", "remaining-all", "reset", "reset-all"):
        said = (h[f"x-ratelimit-{name}"] for h in (reply.headers, theirs))
        ours, real = (re.sub(r"\b\d+(?=;|,|$)", "N", text) for text in said)
        assert ours == real
    assert reply.content_type == theirs["content-type"]
    assert reply.headers["cache-control"] == theirs["cache-control"]


def test_coindesk_data_knows_nothing_from_before_it_began(asker: Asker) -> None:
    file = "cryptocompare/dataapi_index_hours_404_not_trading.json"
    theirs, recorded = read(file), entry(file)
    url = recorded["url"]
    status, ours = asker.refused(url, **BEARER)
    assert status == recorded["status"]
    assert_same(kinds(ours), kinds(theirs))
    assert ours["Err"]["message"][:60] == theirs["Err"]["message"][:60]


CURRENT = sorted(p.name for p in (RECORDED / "defillama").glob("coins_current_*.json"))


def test_defillama_prices(asker: Asker) -> None:
    theirs = merged(*(kinds(read(f"defillama/{name}"), "coins") for name in CURRENT))
    names = ",".join(f"coingecko:{coin.coingecko}" for coin in load()[:40])
    ours = asker.get(f"{LLAMA}/prices/current/{names}")
    assert_same(kinds(ours, "coins"), theirs)
    past = read("defillama/coins_historical_1604437979_coingecko_binancecoin.json")
    ours = asker.get(f"{LLAMA}/prices/historical/1604437979/{names}")
    assert_same(kinds(ours, "coins"), kinds(past, "coins"))
    nobody = read(
        "defillama/coins_current_arbitrum_0xd88F38F930b7952f2DB2432Cb002E7abbF3dD869.json"
    )
    assert asker.get(f"{LLAMA}/prices/current/arbitrum:0xd88F38F9") == nobody


# -- Yahoo -----------------------------------------------------------------------------------

CHARTS = {
    "AAPL": "chart-AAPL-2020-01-01-to-2020-01-03",
    "BTC-USD": "chart-BTC-USD-2020-01-01-to-2020-01-03",
    "EURUSD=X": "chart-EURUSD_X-2020-01-01-to-2020-01-03",
}


@pytest.mark.parametrize("symbol", CHARTS)
def test_yahoo_charts(asker: Asker, symbol: str) -> None:
    recorded = read(f"yahoo/{CHARTS[symbol]}.json")
    start, end = int(NOW - 9 * DAY_S), int(NOW - 2 * DAY_S)
    url = f"{YAHOO}/{symbol}?period1={start}&period2={end}&interval=1d"
    ours = asker.get(url, user_agent="Mozilla/5.0")
    theirs = kinds(recorded)
    for place, seen in theirs.items():
        if ".indicators." in place:
            seen.add("null")
    assert_same(kinds(ours), theirs)
    mine, real = (d["chart"]["result"][0]["meta"] for d in (ours, recorded))
    same = (
        "currency", "symbol", "exchangeName", "fullExchangeName", "instrumentType",
        "firstTradeDate", "hasPrePostMarketData", "gmtoffset", "timezone",
        "exchangeTimezoneName", "priceHint", "dataGranularity", "range", "validRanges",
    )  # fmt: skip
    assert {name: mine[name] for name in same} == {name: real[name] for name in same}


def test_yahoo_days_of_shares_open_when_the_exchange_does(asker: Asker) -> None:
    theirs = read("yahoo/chart-AAPL-2020-01-01-to-2020-01-03.json")
    start, end = int(NOW - 9 * DAY_S), int(NOW - 2 * DAY_S)
    url = f"{YAHOO}/AAPL?period1={start}&period2={end}&interval=1d"
    ours = asker.get(url, user_agent="Mozilla/5.0")
    opened = {
        stamp % DAY_S for d in (ours, theirs) for stamp in d["chart"]["result"][0]["timestamp"]
    }
    assert opened == {14 * HOUR_S + HOUR_S // 2}


def test_yahoo_has_no_times_where_it_has_no_rows(asker: Asker) -> None:
    name = "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m"
    theirs = read(f"yahoo/{name}.json")["chart"]["result"][0]
    sunday = int(NOW // DAY_S - 3) * DAY_S
    url = f"{YAHOO}/AAPL?period1={sunday}&period2={sunday + DAY_S}&interval=1m"
    ours = asker.get(url, user_agent="Mozilla/5.0")["chart"]["result"][0]
    assert set(ours) == set(theirs) == {"meta", "indicators"}
    assert ours["indicators"] == theirs["indicators"] == {"quote": [{}]}
    assert_same(kinds(ours), kinds(theirs))


def test_what_yahoo_does_not_know(asker: Asker) -> None:
    theirs = read("yahoo/http404_quoteSummary-assetProfile-ADH.json")["quoteSummary"]
    status, ours = asker.refused(f"{YAHOO}/NOPE1", user_agent="Mozilla/5.0")
    assert status == 404
    assert json.dumps(sorted(ours["chart"])) == json.dumps(sorted(theirs))
    assert ours["chart"]["error"]["code"] == theirs["error"]["code"] == "Not Found"
