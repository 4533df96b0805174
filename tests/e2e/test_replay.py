"""
The gateway on answers that providers really gave.

`manage.py sandbox --replay FOLDER --all` serves the recordings; what the API makes of them is
compared, digit by digit, with what is read here out of the same files with plain JSON and no line
of an adapter. The recordings are no part of the project: without their folder nothing is compared.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import requests
from django.test import Client, override_settings

from providers import learning
from providers.errors import Blocked
from providers.models import Asset, Listing, Provider
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import running as sandbox_of
from tests.e2e.world import Said, World
from tests.private import ROOT, free_port, installation, running

FOLDER = ROOT.parent / "shared" / "recorded"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")

# Coins of the recordings that are not among the hundred largest.
OTHERS = {"status": "SNT", "coinbase-wrapped-btc": "CBBTC"}

Row = dict[str, str | bool | None]


# -- Reading the files ------------------------------------------------------------------------


def plain(file: str) -> Any:
    """The recording, with every number as the text of its digits."""
    return json.loads((FOLDER / file).read_bytes(), parse_float=str, parse_int=str)


def digits(number: str | None) -> str | None:
    """A number as it is shown: every digit that was sent, and no exponent."""
    return None if number is None else format(Decimal(number), "f")


def shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def since_epoch(number: str, unit: int = 1) -> str:
    return shown(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1) * int(number) / unit)


def simple_price(recorded: Any) -> list[Row]:
    ((currency, *_),) = {tuple(quotes) for quotes in recorded.values()}
    return [
        {"symbol": symbol_of(coin), "price": digits(quotes[currency]), "quote": currency.upper()}
        for coin, quotes in recorded.items()
    ]


def symbol_of(coin: str) -> str:
    assets = json.loads((ROOT / "providers/catalogue/assets.json").read_text())
    known = {a["listings"].get("coingecko", {}).get(""): a["symbol"] for a in assets}
    symbol: str = OTHERS.get(coin) or known[coin]
    return symbol


def market(recorded: Any) -> list[Row]:
    return [
        {
            "rank": row["market_cap_rank"],
            "id": row["id"],
            "symbol": row["symbol"].upper(),
            "name": row["name"],
            "price": digits(row["current_price"]),
            "market_cap": digits(row["market_cap"]),
            "volume_24h": digits(row["total_volume"]),
            "change_24h_percent": digits(row["price_change_percentage_24h"]),
            "high_24h": digits(row["high_24h"]),
            "low_24h": digits(row["low_24h"]),
            "circulating_supply": digits(row["circulating_supply"]),
            "last_updated": shown(datetime.fromisoformat(row["last_updated"])),
        }
        for row in recorded
    ]


def market_wide(recorded: Any) -> list[Row]:
    found = recorded["data"]
    return [
        {
            "market_cap": digits(found["total_market_cap"]["usd"]),
            "volume_24h": digits(found["total_volume"]["usd"]),
            "btc_dominance_percent": digits(found["market_cap_percentage"]["btc"]),
            "eth_dominance_percent": digits(found["market_cap_percentage"]["eth"]),
            "market_cap_change_24h_percent": digits(found["market_cap_change_percentage_24h_usd"]),
            "active_coins": found["active_cryptocurrencies"],
            "markets": found["markets"],
            "last_updated": since_epoch(found["updated_at"]),
        }
    ]


def chart(recorded: Any) -> list[Row]:
    names = ("prices", "market_caps", "total_volumes")
    series = zip(*(recorded[name] for name in names), strict=True)
    return [
        {
            "time": since_epoch(price[0], 1000),
            "price": digits(price[1]),
            "market_cap": digits(cap[1]),
            "volume": digits(volume[1]),
        }
        for price, cap, volume in series
    ]


def coin(recorded: Any) -> list[Row]:
    links = recorded["links"]
    words = unescape(re.sub(r"<[^>]*>", " ", recorded["description"]["en"])).split()
    return [
        {
            "id": recorded["id"],
            "symbol": recorded["symbol"].upper(),
            "name": recorded["name"],
            "rank": recorded["market_cap_rank"],
            "description": " ".join(words)[:2000] or None,
            "homepage": links["homepage"][0],
            "explorer": next(filter(None, links["blockchain_site"])),
            "image": recorded["image"]["large"],
            "categories": recorded["categories"],
            "hashing_algorithm": recorded["hashing_algorithm"],
            "genesis_date": recorded["genesis_date"],
            "platforms": recorded["platforms"],
            "votes_up_percent": digits(recorded["sentiment_votes_up_percentage"]),
            "votes_down_percent": digits(recorded["sentiment_votes_down_percentage"]),
            "last_updated": shown(datetime.fromisoformat(recorded["last_updated"])),
        }
    ]


def kraken_in(currency: str) -> Callable[[Any], list[Row]]:
    """Of every coin of the catalogue that it lists in `currency`."""

    def read(recorded: Any) -> list[Row]:
        return [
            {
                "symbol": symbol,
                "price": digits(found["c"][0]),
                "quote": currency,
                "volume_24h": digits(str(Decimal(found["v"][1]) * Decimal(found["p"][1]))),
                "last_updated": None,
            }
            for symbol in kraken_symbols(currency)
            if (found := recorded["result"].get(f"{symbol}/{currency}"))
        ]

    return read


def kraken_symbols(currency: str) -> list[str]:
    assets = json.loads((ROOT / "providers/catalogue/assets.json").read_text())
    return [a["symbol"] for a in assets if currency in a["listings"].get("kraken", {})][:100]


def klines(recorded: Any) -> list[Row]:
    return [candle(since_epoch(row[0], 1000), *row[1:6]) for row in recorded]


def coinbase_candles(recorded: Any) -> list[Row]:
    """Newest first, and each [time, low, high, open, close, volume]."""
    return [
        candle(since_epoch(time), opened, high, low, closed, volume)
        for time, low, high, opened, closed, volume in reversed(recorded)
    ]


def candle(time: str, opened: str, high: str, low: str, closed: str, volume: str) -> Row:
    return {
        "time": time,
        "open": digits(opened),
        "high": digits(high),
        "low": digits(low),
        "close": digits(closed),
        "volume": digits(volume),
        "complete": True,  # they are all long over
    }


def fear_and_greed(recorded: Any) -> list[Row]:
    return [
        {
            "time": since_epoch(day["timestamp"]),
            "value": day["value"],
            "classification": day["value_classification"],
        }
        for day in recorded
    ]


def bitcoin_fees(recorded: Any) -> list[Row]:
    tiers = {"slow": "hourFee", "average": "halfHourFee", "fast": "fastestFee"}
    return [{"unit": "sat/vB"} | {ours: recorded[theirs] for ours, theirs in tiers.items()}]


# -- What is asked, and where the answer stands -----------------------------------------------


@dataclass(frozen=True)
class Case:
    file: str
    provider: str
    url: str
    read: Callable[[Any], list[Row]]


def manifest() -> dict[str, dict[str, Any]]:
    return {entry["file"]: entry for entry in json.loads((FOLDER / "manifest.json").read_text())}


def prices() -> Iterator[Case]:
    """Each recorded answer of CoinGecko to a question for the prices of some coins."""
    for file, entry in manifest().items():
        if re.search(r"api\.coingecko\.com/api/v3/simple/price/?\?", entry["url"]):
            coins = [symbol_of(name) for name in entry["params"]["ids"].split(",")]
            asked = f"symbols={','.join(coins)}&currency={entry['params']['vs_currencies']}"
            yield Case(file, "coingecko_free", f"/api/market/price?{asked}", simple_price)


def cases() -> list[Case]:
    dollars, euros = (",".join(kraken_symbols(currency)) for currency in ("USD", "EUR"))
    ticker = "kraken/Ticker_all_assetVersion1_sample2.json"
    candles = "/api/market/ohlc?limit=1000&symbol="
    return [
        *prices(),
        Case("coingecko/coin_yearn-finance.json", "coingecko_free", "/api/coins/YFI", coin),
        Case("coingecko/pro_coin_zksync.json", "coingecko_pro", "/api/coins/zksync", coin),
        Case("coingecko/jk_GetMarkets.json", "coingecko_free", "/api/market", market),
        Case(
            "coingecko/jk_GetGlobalData.json", "coingecko_free", "/api/market/global", market_wide
        ),
        Case(
            "coingecko/jk_GetMarketChart.json",
            "coingecko_free",
            "/api/market/history?symbol=ETH&days=30",
            chart,
        ),
        Case(ticker, "kraken", f"/api/market/price?symbols={dollars}", kraken_in("USD")),
        Case(ticker, "kraken", f"/api/market/price?symbols={euros}&currency=eur", kraken_in("EUR")),
        Case(
            "binance/klines_BTCUSDT_1d_last1000.json",
            "binance",
            f"{candles}BTC&interval=1d",
            klines,
        ),
        Case(
            "binance/klines_ETHUSDT_1d_last500.json", "binance", f"{candles}ETH&interval=1d", klines
        ),
        Case(
            "coinbase/xchange_exchange_candles.json",
            "coinbase",
            f"{candles}BTC&interval=1m",
            coinbase_candles,
        ),
        Case(
            "alternative_me/fng_data_array_30.json",
            "alternative_me",
            "/api/sentiment?days=30",
            fear_and_greed,
        ),
        Case(
            "mempool_space/fees_recommended.json",
            "mempool_space",
            "/api/gas?chain=bitcoin",
            bitcoin_fees,
        ),
    ]


# -- The comparison ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox, as a process of its own, that replays the recordings."""
    port = free_port()
    words = ["sandbox", "--replay", str(FOLDER), "--all", "--port", str(port)]
    env = installation(tmp_path_factory.mktemp("sandbox"), SANDBOX="1")
    with running([sys.executable, "manage.py", *words], port=port, env=env):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def replay(client: Client, settings: Any, catalogue: None, replayed: str) -> World:
    settings.SANDBOX, settings.SANDBOX_URL = True, replayed
    world = World(client, Sandbox())
    for own, symbol in OTHERS.items():
        asset = Asset.objects.create(slug=own, symbol=symbol, name=own, order=1000)
        Listing.objects.create(asset=asset, adapter_name="coingecko", external_id=own)
    world.give_key("coingecko_pro", "sandbox-of-mine")
    return world


def ask(world: World, case: Case) -> Said:
    world.begin_again()
    world.only(case.provider)
    response = world.client.get(case.url)
    body = json.loads(response.content, parse_float=str, parse_int=str)
    return Said(response.status_code, response.headers, body)


def differences(case: Case, said: Said) -> list[str]:
    """Where the API says something else than the recording."""
    if said.status != 200:
        return [f"HTTP {said.status}: {said.body}"]
    rows, wanted = said.data, case.read(plain(case.file))
    if case.url.startswith("/api/market/price"):  # they come in the order of the question
        rows, wanted = (
            sorted(found, key=lambda row: str(row["symbol"])) for found in (rows, wanted)
        )
    if not wanted or len(rows) != len(wanted):
        return [f"{len(rows)} rows instead of {len(wanted)}"]
    return [
        f"row {number}: {name} is {row[name]!r} instead of {value!r}"
        for number, (row, want) in enumerate(zip(rows, wanted, strict=True))
        for name, value in want.items()
        if row[name] != value
    ]


def test_the_api_says_what_was_recorded(replay: World, capsys: pytest.CaptureFixture[str]) -> None:
    recorded, wrong, table = manifest(), {}, []
    for case in cases():
        said = ask(replay, case)
        if found := differences(case, said):
            wrong[case.file, case.url] = found[:5]
            continue
        assert (said.meta["source"], said.meta["sandbox"]) == (case.provider, True)
        values = sum(len(row) for row in case.read(plain(case.file)))
        kind = recorded[case.file]["kind"]
        table.append(f"{case.file:62} {case.provider:15} {kind:14} {values:5} values")
    with capsys.disabled():
        print("\n\nThe API says, digit by digit, what was recorded in")
        print("\n".join(f"  {line}" for line in sorted(set(table))))
    assert not wrong
    files = {case.file for case in cases()}
    assert len(files) >= 12
    assert len({recorded[file]["provider"] for file in files}) >= 6


def test_the_comparison_notices_a_single_digit(replay: World) -> None:
    case = next(case for case in cases() if case.provider == "binance")
    said = ask(replay, case)
    assert differences(case, said) == []
    said.data[7]["volume"] += "0"
    assert len(differences(case, said)) == 1
    del said.data[7]
    assert differences(case, said) == ["999 rows instead of 1000"]


def test_a_coin_learned_from_a_recorded_list_is_priced_from_a_recorded_ticker(
    replay: World,
) -> None:
    pairs = plain("kraken/cf_0_public_AssetPairs.json")["result"].values()
    ticker = plain("kraken/Ticker_all_assetVersion1_sample2.json")["result"]
    assert {"KAVA/USD", "STORJ/USD"} <= {pair.get("wsname") for pair in pairs} & set(ticker)
    for symbol in ("KAVA", "STORJ", "NEVER"):
        Asset.objects.create(slug=symbol.lower(), symbol=symbol, name=symbol, order=1000)
    replay.only("kraken")
    question = "/api/market/price?symbols=KAVA,STORJ,NEVER"
    assert replay.get(question).status == 404
    learning.learn(Provider.objects.get(slug="kraken"))
    said = replay.get(question)
    assert {row["symbol"]: str(row["price"]) for row in said.data} == {
        symbol: ticker[f"{symbol}/USD"]["c"][0] for symbol in ("KAVA", "STORJ")
    }
    assert said.meta["missing"] == [{"symbol": "NEVER", "reason": "missing"}]


def test_a_recorded_refusal_of_a_country_is_shown_as_one(replay: World) -> None:
    replay.only("binance", "kraken")
    with pytest.raises(Blocked):
        learning.learn(Provider.objects.get(slug="binance"))
    assert (replay.status("binance")["status"], replay.status("binance")["reason"]) == (
        "down",
        "blocks this host",
    )
    said = replay.get("/api/market/price?symbols=BTC")
    assert (said.meta["source"], said.outcomes) == ("kraken", {"binance": "circuit_open"})


def test_what_was_not_recorded_is_nobodys_fault_and_is_listed(replay: World, replayed: str) -> None:
    replay.only("eth_publicnode", "blockscout")
    said = replay.get("/api/gas")
    assert (said.status, set(said.outcomes.values())) == (404, {"unsupported"})
    assert replay.status("blockscout")["status"] == "unknown"
    missing = requests.get(f"{replayed}/_sandbox/missing", timeout=5).json()
    assert {"eth.blockscout.com", "ethereum-rpc.publicnode.com"} <= {m["host"] for m in missing}


def test_examples_out_of_documentation_are_served_only_when_asked_for(replay: World) -> None:
    replay.only("mempool_space", "coinbase")
    with sandbox_of(Sandbox(replay=FOLDER)) as url, override_settings(SANDBOX_URL=url):
        assert replay.get("/api/gas?chain=bitcoin").outcomes == {"mempool_space": "unsupported"}
        assert replay.get("/api/market/ohlc?symbol=BTC&interval=1m").status == 404
    assert replay.get("/api/gas?chain=bitcoin").status == 200
