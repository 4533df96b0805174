"""Answers that providers really gave, read by our adapters and, independently, right here.

The recordings are no part of the project: where their folder is absent, nothing is compared."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from providers.adapters.coinmarketcap import CoinMarketCap
from providers.adapters.cryptocompare import CoinDeskData, CryptoCompare
from providers.adapters.cryptopanic import CryptoPanic
from providers.adapters.defillama_prices import DefiLlamaPrices
from providers.adapters.etherscan import Etherscan
from providers.adapters.fred import Fred
from providers.adapters.newsapi import NewsApi
from providers.adapters.yahoo import Yahoo
from providers.datasets import (
    EconomicQuery,
    GasQuery,
    HistoryQuery,
    ListingQuery,
    MarketQuery,
    NewsQuery,
    OhlcQuery,
    PriceQuery,
    SeriesQuery,
)
from providers.errors import Garbled, Missing, Throttled
from providers.http import Answer
from tests.providers.adapters.conftest import adapt
from tests.providers.adapters.recordings import (
    FOLDER,
    Recording,
    at,
    exact,
    idle,
    numbers,
    read,
    recordings,
)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")


OBSERVATIONS = r"fred/series/observations\?file_type=json&series_id="


@pytest.mark.parametrize("recording", recordings(OBSERVATIONS))
def test_fred_observations(recording: Recording) -> None:
    own = recording.params["series_id"]
    [about] = [r.values[0] for r in recordings(rf"fred/series\?file_type=json&series_id={own}$")]
    adapter, _ = adapt(Fred, about.body, recording.body)
    rows = adapter.economic(EconomicQuery(own))
    plain = recording.plain["observations"]
    assert [row.date.isoformat() for row in rows] == [row["date"] for row in plain]
    values = [None if row["value"] == "." else exact(row["value"]) for row in plain]
    assert [exact(row.value) for row in rows] == values
    assert {row.units for row in rows} == {about.plain["seriess"][0]["units"]}
    assert adapter.dropped == 0


@pytest.mark.parametrize("recording", recordings(r"fred/(category/)?series\?(?!.*search)"))
def test_fred_series(recording: Recording) -> None:
    adapter, rows = read(Fred, recording, SeriesQuery("any", limit=1000))
    assert adapter.dropped == 0
    for row, plain in zip(rows, recording.plain["seriess"], strict=True):
        assert (row.id, row.title, row.units) == (plain["id"], plain["title"], plain["units"])
        assert plain["frequency"].lower().startswith(row.frequency)
        assert row.seasonal_adjustment == plain["seasonal_adjustment"]
        assert row.start.isoformat() == plain["observation_start"]
        assert row.end.isoformat() == plain["observation_end"]
        local, hours = plain["last_updated"][:19], int(plain["last_updated"][19:])
        expected = datetime.fromisoformat(local).replace(tzinfo=UTC) - timedelta(hours=hours)
        assert row.last_updated == expected


@pytest.mark.parametrize("recording", recordings(r"etherscan\.io/api\?.*action=gasoracle"))
def test_etherscan_gas(recording: Recording) -> None:
    _, (fees,) = read(Etherscan, recording, GasQuery())
    plain = recording.plain["result"]
    assert exact(fees.slow) == exact(plain["SafeGasPrice"])
    assert exact(fees.average) == exact(plain["ProposeGasPrice"])
    assert exact(fees.fast) == exact(plain["FastGasPrice"])
    assert exact(fees.base_fee) == exact(plain["suggestBaseFee"])


@pytest.mark.parametrize("recording", recordings(r"etherscan\.io/(v2/)?api$"))
def test_etherscan_refuses_inside_a_200(recording: Recording) -> None:
    if not isinstance(recording.plain, dict) or recording.plain.get("status") != "0":
        return  # the log of a client, without what was around the result
    error = Etherscan.diagnose(Answer(recording.status, {}, recording.body))
    limited = "rate limit" in recording.plain["result"]
    assert type(error) is (Throttled if limited else Garbled)


@pytest.mark.parametrize("recording", recordings(r"newsapi\.org/v2/everything"))
def test_newsapi_articles(recording: Recording) -> None:
    adapter, rows = read(NewsApi, recording, NewsQuery(limit=100))
    plain = {article["title"]: article for article in recording.plain["articles"]}
    assert len(rows) == len(plain)
    assert adapter.dropped == 0
    for row in rows:
        assert row.url == plain[row.title]["url"]
        assert row.published_at == datetime.fromisoformat(plain[row.title]["publishedAt"])
        assert row.source == urlsplit(row.url).netloc.removeprefix("www.")
    assert rows == sorted(rows, key=lambda row: row.published_at, reverse=True)


@pytest.mark.parametrize("recording", recordings(r"cryptopanic\.com/api/posts/"))
def test_cryptopanic_posts(recording: Recording) -> None:
    """Of its first version, whose rows name coins otherwise and have no other address."""
    results = json.loads(recording.body)
    results = results["results"] if isinstance(results, dict) else results
    adapter, _ = adapt(CryptoPanic, {"next": "https://x.example/?auth_token=T", "results": results})
    rows = adapter.news(NewsQuery(limit=250))
    plain = {row["url"]: row for row in results}
    assert adapter.dropped == 0
    assert len(rows) > len(plain) / 2  # some headlines are told by several
    for row in rows:
        told = plain[row.url]
        assert row.published_at == datetime.fromisoformat(told["published_at"])
        assert row.source == told["source"]["domain"].removeprefix("www.")
        up, down = told["votes"]["positive"], told["votes"]["negative"]
        expected = round((up - down) / (up + down), 2) if up + down >= 5 else None
        assert (row.sentiment and row.sentiment["score"]) == expected
        assert "<" not in row.title


@pytest.mark.parametrize("recording", recordings(r"cryptocompare\.com/index/cc/v1/historical/days"))
def test_coindesk_data_days(recording: Recording) -> None:
    (plain,) = recording.plain["Data"]
    own, currency = recording.params["instrument"].split("-")
    opened = at(plain["TIMESTAMP"] + "000")
    query = OhlcQuery("ANY", "1d", 1, start=opened, currency=currency.lower())
    now = opened + timedelta(days=2)
    _, (candle,) = read(CoinDeskData, recording, query, {"ANY": {"": own}}, now)
    assert candle.time == opened
    assert numbers(candle) == [
        exact(plain[name]) for name in ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME")
    ]


@pytest.mark.parametrize(
    "recording", recordings(r"cryptocompare\.com/index/cc/v1/historical/hours")
)
def test_coindesk_data_before_it_was_traded(recording: Recording) -> None:
    error = CoinDeskData.diagnose(Answer(recording.status, {}, recording.body))
    assert type(error) is Missing


@pytest.mark.parametrize("recording", recordings(r"to_ts=1720000000"))
def test_coindesk_data_windows(recording: Recording) -> None:
    told = recording.headers
    readings = list(CoinDeskData.readings(told))
    windows = [part.split(";window=") for part in told["x-ratelimit-remaining-all"].split(", ")]
    assert [(r.remaining, r.per_s) for r in readings] == [
        (float(left), float(seconds)) for left, *window in windows for seconds in window
    ]
    assert len(readings) == 5
    assert [r.limit for r in readings] == [50, 2500, 25000, 50000, 100000]


@pytest.mark.parametrize(
    "recording", recordings(r"min-api\.cryptocompare\.com/data/pricemultifull")
)
def test_cryptocompare_price(recording: Recording) -> None:
    plain = recording.plain["RAW"]["BTC"]["USD"]
    _, (row,) = read(CryptoCompare, recording, PriceQuery(("BTC",)), {"BTC": {"": "BTC"}})
    assert exact(row.price) == exact(plain["PRICE"])
    assert exact(row.change_24h_percent) == exact(plain["CHANGEPCT24HOUR"])
    assert exact(row.volume_24h) == exact(plain["VOLUME24HOURTO"])
    assert row.last_updated == at(plain["LASTUPDATE"] + "000")


HISTO = r"min-api\.cryptocompare\.com/data/histo(day|hour|minute)\?(?!aggregate)"


@pytest.mark.parametrize("recording", recordings(HISTO))
def test_cryptocompare_candles(recording: Recording) -> None:
    # Of the first version, whose envelope is one layer thinner.
    plain = recording.plain["Data"]
    sound = [row for row in plain if float(row["low"]) <= float(row["close"]) <= float(row["high"])]
    lengths = {"histoday": "1d", "histohour": "1h", "histominute": "1m"}
    interval = lengths[urlsplit(recording.url).path.rsplit("/", 1)[-1]]
    adapter, _ = adapt(
        CryptoCompare,
        b'{"Data":' + recording.body + b"}",
        names={"BTC": {"": "BTC"}},
        now=at(plain[-1]["time"] + "000"),
    )
    start = at(plain[0]["time"] + "000")
    found = adapter.ohlc(OhlcQuery("BTC", interval, 2000, start=start))
    assert [candle.time for candle in found] == [at(row["time"] + "000") for row in sound]
    names = ("open", "high", "low", "close", "volumefrom")
    assert [numbers(candle) for candle in found] == [[exact(r[n]) for n in names] for r in sound]
    assert adapter.dropped == len(plain) - len(sound)


@pytest.mark.parametrize("recording", recordings(r"min-api\.cryptocompare\.com/data/all/coinlist"))
def test_cryptocompare_coins(recording: Recording) -> None:
    adapter, rows = read(CryptoCompare, recording, ListingQuery())
    plain = recording.plain["Data"]
    assert [(row.external_id, row.name) for row in rows] == [
        (own, " ".join(coin["FullName"].rsplit(" (", 1)[0].split())) for own, coin in plain.items()
    ]
    assert adapter.dropped == 0


@pytest.mark.parametrize("recording", recordings(r"finance\.yahoo\.com/v8/finance/chart/"))
def test_yahoo_price(recording: Recording) -> None:
    meta = recording.plain["chart"]["result"][0]["meta"]
    names = {"ANY": {meta["currency"]: meta["symbol"]}}
    query = PriceQuery(("ANY",), meta["currency"].lower())
    _, (row,) = read(Yahoo, recording, query, names)
    assert exact(row.price) == exact(meta["regularMarketPrice"])
    assert row.quote == meta["currency"]
    assert row.last_updated == at(meta["regularMarketTime"] + "000")


@pytest.mark.parametrize("recording", recordings(r"finance\.yahoo\.com/v8/finance/chart/"))
def test_yahoo_candles_and_history(recording: Recording) -> None:
    (plain,) = recording.plain["chart"]["result"]
    meta, times = plain["meta"], plain.get("timestamp", [])
    names = {"ANY": {"": meta["symbol"]}}
    start, currency = at(recording.params["period1"] + "000"), meta["currency"].lower()
    now = at(recording.params["period2"] + "000") + timedelta(days=2)
    query = OhlcQuery("ANY", meta["dataGranularity"], 99, start=start, currency=currency)
    _, rows = read(Yahoo, recording, query, names, now)
    assert [candle.time for candle in rows] == [at(time + "000") for time in times]
    quote = plain["indicators"]["quote"][0] if times else {}
    for name in ("open", "high", "low", "close"):
        prices = [exact(getattr(candle, name)) for candle in rows]
        assert prices == [exact(value) for value in quote.get(name, [])]
    counted = meta["instrumentType"] == "EQUITY"
    volumes = [exact(value) if counted else None for value in quote.get("volume", [])]
    assert [exact(candle.volume) for candle in rows] == volumes
    past = HistoryQuery("ANY", start=start, end=now, currency=currency)
    _, points = read(Yahoo, recording, past, names, start + timedelta(days=2000))
    assert [exact(point.price) for point in points] == [exact(v) for v in quote.get("close", [])]
    assert all(
        timedelta() < point.time - at(time + "000") <= timedelta(days=1)
        for point, time in zip(points, times, strict=True)
    )


@pytest.mark.parametrize("recording", recordings(r"coinmarketcap\.com/v1/cryptocurrency/listings"))
def test_coinmarketcap_listings(recording: Recording) -> None:
    _, rows = read(CoinMarketCap, recording, MarketQuery())
    assert rows
    for row, plain in zip(rows, recording.plain["data"], strict=True):
        quote = plain["quote"]["USD"]
        assert (row.id, row.symbol, row.name) == (plain["id"], plain["symbol"], plain["name"])
        assert exact(row.rank) == exact(plain["cmc_rank"])
        assert exact(row.price) == exact(quote["price"])
        assert exact(row.market_cap) == exact(quote["market_cap"])
        assert exact(row.volume_24h) == exact(quote["volume_24h"])
        assert exact(row.change_7d_percent) == exact(quote["percent_change_7d"])
        assert exact(row.circulating_supply) == exact(plain["circulating_supply"])


@pytest.mark.parametrize("recording", recordings(r"llama\.fi/(.*/)?prices/current/coingecko:"))
def test_defillama_prices(recording: Recording) -> None:
    plain = recording.plain["coins"]
    names = {name: {"": name.removeprefix("coingecko:")} for name in plain}
    adapter, rows = read(DefiLlamaPrices, recording, PriceQuery((*names, "NOBODY")), names)
    assert [(row.symbol, exact(row.price), row.quote) for row in rows] == [
        (name, exact(coin["price"]), "USD") for name, coin in plain.items()
    ]
    assert [row.last_updated for row in rows] == [
        at(coin["timestamp"] + "000") for coin in plain.values()
    ]
    assert adapter.dropped == 0


def test_every_one_of_these_comparisons_has_a_recording() -> None:
    assert list(idle(globals())) == []
