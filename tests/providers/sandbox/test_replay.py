"""Recorded answers are matched by their manifest, and nothing is made up in between."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from providers.sandbox.control import Remote
from providers.sandbox.replay import Player
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import running
from providers.sandbox.wire import Reply
from tests.providers.sandbox.asking import Asker

GECKO = "https://api.coingecko.com/api/v3"
BINANCE = "https://api.binance.com/api/v3"
ROOT = Path(__file__).resolve().parents[3]
RECORDED = ROOT.parent / "shared" / "recorded"


def entry(file: str, url: str, params: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "file": file,
        "provider": file.split("/")[0],
        "kind": "recorded_http",
        "method": "GET",
        "url": url,
        "params": params or {},
        "status": 200,
        "headers": None,
        "note": None,
        **more,
    }


ENTRIES = [
    entry("gecko/btc_usd.json", f"{GECKO}/simple/price/?ids=bitcoin&vs_currencies=usd",
          {"ids": "bitcoin", "vs_currencies": "usd"},
          headers={"date": "Thu, 01 Jan 2026 13:31:24 GMT", "etag": "W/\"1\"",
                   "content-type": "application/json; charset=utf-8",
                   "transfer-encoding": "chunked", "content-encoding": "gzip"}),
    entry("gecko/btc_eur.json", f"{GECKO}/simple/price/", {"ids": "bitcoin",
                                                           "vs_currencies": "eur"}),
    entry("gecko/two.json", f"{GECKO}/simple/price/", {"ids": "bitcoin,ethereum",
                                                       "vs_currencies": "usd"}),
    entry("gecko/markets.json", f"{GECKO}/coins/markets", kind="test_resource"),
    entry("binance/days.json", f"{BINANCE}/klines",
          {"symbol": "BTCUSDT", "interval": "1d", "limit": "1000"}, kind="dataset"),
    entry("binance/ticker.json", f"{BINANCE}/ticker/24hr", kind="docs_example"),
    entry("binance/blocked.json", f"{BINANCE}/exchangeInfo", status=451, kind="issue_quote"),
    entry("kraken/all.json", "https://api.kraken.com/0/public/Ticker", {"assetVersion": "1"}),
    entry("kraken/legacy.json", "https://api.kraken.com/0/public/Ticker"),
    entry("node/chain.json", "https://1rpc.io/eth", method="POST",
          request_body='{"jsonrpc": "2.0", "id": 0, "method": "eth_chainId", "params": []}'),
    entry("feed/news.xml", "https://decrypt.co/feed"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for row in ENTRIES:
        file = tmp_path / row["file"]
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(row["file"]))
    (tmp_path / "manifest.json").write_text(json.dumps(ENTRIES))
    return tmp_path


def served(asker: Asker, url: str, method: str = "GET", body: bytes = b"") -> Reply:
    return asker.ask(url, method, body)


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (f"{GECKO}/simple/price?ids=bitcoin&vs_currencies=usd", "gecko/btc_usd.json"),
        (f"{GECKO}/simple/price/?vs_currencies=eur&ids=bitcoin", "gecko/btc_eur.json"),
        # Extra parameters of ours are ignored.
        (
            f"{GECKO}/simple/price?ids=bitcoin&vs_currencies=usd&include_24hr_vol=true",
            "gecko/btc_usd.json",
        ),
        # A list is the same list in another order.
        (f"{GECKO}/simple/price?ids=ethereum,bitcoin&vs_currencies=usd", "gecko/two.json"),
        # A limit is no question of its own.
        (f"{BINANCE}/klines?symbol=BTCUSDT&interval=1d&limit=100", "binance/days.json"),
        (f"{BINANCE}/klines?symbol=BTCUSDT&interval=1d&startTime=1", "binance/days.json"),
        # The same service under another of its names.
        (
            "https://data-api.binance.vision/api/v3/klines?symbol=BTCUSDT&interval=1d",
            "binance/days.json",
        ),
        # Most parameters agreed on, then the fewest left over.
        ("https://api.kraken.com/0/public/Ticker?assetVersion=1", "kraken/all.json"),
        ("https://api.kraken.com/0/public/Ticker", "kraken/legacy.json"),
        ("https://decrypt.co/feed", "feed/news.xml"),
    ],
)
def test_the_best_agreement_is_served(folder: Path, url: str, file: str) -> None:
    reply = served(Asker(replay=folder), url)
    assert (reply.status, json.loads(reply.body)) == (200, file)


@pytest.mark.parametrize(
    "url",
    [
        # Another coin, more coins, fewer coins, no coin.
        f"{GECKO}/simple/price?ids=dogecoin&vs_currencies=usd",
        f"{GECKO}/simple/price?ids=bitcoin,dogecoin&vs_currencies=usd",
        f"{GECKO}/simple/price?vs_currencies=usd",
        f"{BINANCE}/klines?symbol=ETHUSDT&interval=1d",
        f"{BINANCE}/klines?interval=1d",
        # One pair is not all pairs.
        "https://api.kraken.com/0/public/Ticker?pair=XBTUSD",
        # Days are not hours, and euros not yen.
        f"{BINANCE}/klines?symbol=BTCUSDT&interval=1h",
        f"{GECKO}/simple/price?ids=bitcoin&vs_currencies=jpy",
        # Another path or host.
        f"{BINANCE}/uiKlines?symbol=BTCUSDT&interval=1d",
        "https://api.binance.us/api/v3/klines?symbol=BTCUSDT&interval=1d",
        # Not real traffic.
        f"{GECKO}/coins/markets?vs_currency=usd",
        f"{BINANCE}/ticker/24hr",
    ],
)
def test_what_was_not_recorded_is_a_404_and_listed(folder: Path, url: str) -> None:
    asker = Asker(replay=folder)
    for _ in range(2):
        assert served(asker, url).status == 404
    assert asker.sandbox.player is not None
    (missing,) = asker.sandbox.player.missing()
    assert missing["times"] == 2
    assert f"https://{missing['host']}{missing['path']}" == url.partition("?")[0]


def test_answers_from_tests_and_documentation_are_served_on_request(folder: Path) -> None:
    asker = Asker(replay=folder, unreal=True)
    reply = served(asker, f"{GECKO}/coins/markets?vs_currency=usd&per_page=250")
    assert json.loads(reply.body) == "gecko/markets.json"
    # Whose ticker that was, nobody knows.
    assert served(asker, f"{BINANCE}/ticker/24hr?symbol=BTCUSDT").status == 404


def test_status_and_headers_are_the_recorded_ones(folder: Path) -> None:
    asker = Asker(replay=folder)
    assert served(asker, f"{BINANCE}/exchangeInfo").status == 451
    reply = served(asker, f"{GECKO}/simple/price?ids=bitcoin&vs_currencies=usd")
    assert reply.headers == {"date": "Thu, 01 Jan 2026 13:31:24 GMT", "etag": 'W/"1"'}
    assert reply.content_type == "application/json; charset=utf-8"
    assert "xml" in served(asker, "https://decrypt.co/feed").content_type


def test_a_call_to_a_node_is_known_by_its_method(folder: Path) -> None:
    asker = Asker(replay=folder)
    call = b'{"jsonrpc":"2.0","id":7,"method":"%s","params":[]}'
    assert served(asker, "https://1rpc.io/eth", "POST", call % b"eth_chainId").status == 200
    assert served(asker, "https://1rpc.io/eth", "POST", call % b"eth_gasPrice").status == 404
    assert served(asker, "https://1rpc.io/eth").status == 404


def test_a_replay_lists_over_the_wire_what_it_has_no_answer_for(folder: Path) -> None:
    with running(Sandbox(replay=folder)) as url:
        remote = Remote(int(url.rpartition(":")[2]))
        connection = HTTPConnection("127.0.0.1", remote.port, timeout=10)
        connection.request("GET", "/mempool.space/api/v1/prices")
        assert connection.getresponse().status == 404
        connection.close()
        state = remote.state()
    assert state["mode"] == "replay"
    assert [row["path"] for row in state["missing"]] == ["/api/v1/prices"]


def test_faults_strike_recorded_answers_too(folder: Path) -> None:
    asker = Asker(replay=folder)
    headers = {"x-sandbox-fault": "status=503"}
    assert asker.ask("https://decrypt.co/feed", headers=headers).status == 503


def test_a_replay_speaks_for_what_was_recorded(folder: Path) -> None:
    hosts = Asker(replay=folder).sandbox.hosts
    assert {"api.coingecko.com", "data-api.binance.vision", "1rpc.io"} <= set(hosts)
    assert "mempool.space" not in hosts


@pytest.mark.parametrize(
    "text",
    ["{", '[{"file": "a.json"}]', '["x"]', '[{"file": "../a.json", "method": "GET", "url":'
     ' "https://x.example/", "params": {}, "status": 200}]'],
)  # fmt: skip
def test_a_broken_manifest_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json"):
        Player.open(tmp_path)


def test_a_folder_without_a_manifest_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no manifest\.json"):
        Player.open(tmp_path)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="there are no recordings here")
def test_real_recordings_are_served_byte_for_byte() -> None:
    asker = Asker(replay=RECORDED)
    for url, file in {
        f"{GECKO}/simple/price?ids=bitcoin&vs_currencies=usd&precision=full":
            "coingecko/simple_price_bitcoin_usd.json",
        "https://api.kraken.com/0/public/Ticker?assetVersion=1":
            "kraken/Ticker_all_assetVersion1_sample2.json",
        f"{BINANCE}/klines?symbol=BTCUSDT&interval=1d&limit=500":
            "binance/klines_BTCUSDT_1d_last1000.json",
        "https://api.alternative.me/fng/?limit=30": "alternative_me/fng_data_array_30.json",
        "https://www.okx.com/api/v5/public/instruments?instType=SPOT":
            "okx/cf_api_v5_public_instruments_instType_SPOT.json",
        "https://api.exchange.coinbase.com/products": "coinbase/cf_products.json",
    }.items():  # fmt: skip
        reply = served(asker, url)
        assert reply.status == 200
        assert reply.body == (RECORDED / file).read_bytes()
