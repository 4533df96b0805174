"""Statistics, fees and news field by field against real answers, where there are recordings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.sandbox.asking import Asker
from tests.providers.sandbox.samples_world import ETHERSCAN, FRED, KEY, NEWS_API
from tests.providers.sandbox.shapes import assert_same, kinds
from tests.providers.sandbox.test_recorded import RECORDED, read

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="there are no recordings here")


def etherscan(asker: Asker, module: str, action: str, more: str = "") -> Any:
    query = f"chainid=1&module={module}&action={action}&apikey={KEY}{more}"
    return asker.get(f"{ETHERSCAN}?{query}")


def test_etherscan_gas(asker: Asker) -> None:
    theirs = read("etherscan/gasoracle_eip1559.json")
    ours = etherscan(asker, "gastracker", "gasoracle")
    assert_same(kinds(ours), kinds(theirs))
    assert list(ours["result"]) != []
    ratios = [d["result"]["gasUsedRatio"].split(",") for d in (ours, theirs)]
    assert [len(found) for found in ratios] == [5, 5]


def test_other_answers_of_etherscan(asker: Asker) -> None:
    price = read("etherscan/v1_get_eth_last_price.json")["res"]
    assert_same(kinds(etherscan(asker, "stats", "ethprice")["result"]), kinds(price))
    seconds = read("etherscan/v1_get_est_confirmation_time.json")["res"]
    ours = etherscan(asker, "gastracker", "gasestimate", "&gasprice=2000000000")["result"]
    assert ours.isdigit()
    assert seconds.isdigit()
    blocks = read("etherscan/v2_getblocknobytime_1.json")
    ours = etherscan(asker, "block", "getblocknobytime", "&timestamp=1790000000&closest=before")
    assert_same(kinds(ours), kinds(blocks))
    height = read("etherscan/v2_eth_blockNumber_2.json")
    ours = etherscan(asker, "proxy", "eth_blockNumber")
    assert_same(kinds(ours), kinds(height))
    assert ours["id"] == height["id"]


def test_etherscan_refuses_in_a_200(asker: Asker) -> None:
    theirs = read("etherscan/error200_NOTOK_Contract_source_code_not_verified.json")
    ours = etherscan(asker, "contract", "getabi")
    assert {k: v for k, v in ours.items() if k != "result"} == {
        k: v for k, v in theirs.items() if k != "result"
    }
    old = read("etherscan/docs_error_deprecated_v1.json")
    ours = asker.get("https://api.etherscan.io/api?module=gastracker&action=gasoracle")
    assert ours["result"][:40] == old["result"][:40]


@pytest.mark.parametrize("name", ["GDP", "CPILFESL"])
def test_fred_observations(asker: Asker, name: str) -> None:
    file = {"GDP": "get_series_json", "CPILFESL": "remove_series_1"}[name]
    theirs = read(f"fred/{file}.json")
    ours = asker.get(FRED.format("series/observations", f"series_id={name}"))
    assert_same(kinds(ours), kinds(theirs))
    assert list(ours) == list(theirs)
    assert ours["observations"][0]["date"] == theirs["observations"][0]["date"]
    for document in (ours, theirs):
        assert document["count"] == len(document["observations"])
    both = {row["date"] for row in theirs["observations"]}
    assert both <= {row["date"] for row in ours["observations"]}
    empty = [
        {row["date"] for row in d["observations"] if row["value"] == "."} for d in (ours, theirs)
    ]
    assert empty[1] >= empty[0]


@pytest.mark.parametrize(
    ("name", "file"), [("GDP", "get_series_info"), ("CPILFESL", "remove_series")]
)
def test_fred_series(asker: Asker, name: str, file: str) -> None:
    theirs = read(f"fred/{file}.json")
    ours = asker.get(FRED.format("series", f"series_id={name}"))
    assert_same(kinds(ours), kinds(theirs))
    (mine,), (real,) = ours["seriess"], theirs["seriess"]
    assert list(mine) == list(real)
    same = (
        "id", "observation_start", "frequency", "frequency_short", "units", "units_short",
        "seasonal_adjustment", "seasonal_adjustment_short",
    )  # fmt: skip
    assert {n: mine[n] for n in same} == {n: real[n] for n in same}


def test_fred_releases(asker: Asker) -> None:
    theirs, ours = read("fred/get_releases.json"), asker.get(FRED.format("releases", ""))
    mine, real = kinds(ours), kinds(theirs)
    assert_same(mine, {place: real[place] for place in mine})
    names = {row["id"]: row["name"] for row in theirs["releases"]}
    assert all(names[row["id"]] == row["name"] for row in ours["releases"])


def test_newsapi_articles(asker: Asker) -> None:
    theirs = read("newsapi/everything_bitcoin.json")
    ours = asker.get(f"{NEWS_API}/everything?q=sandbox&apiKey={KEY}")
    real = kinds(theirs)
    for name in ("author", "urlToImage", "source.id"):
        real[f"articles[].{name}"] |= {"null", "text"}
    assert_same(kinds(ours), real)
    assert list(ours["articles"][0]) == list(theirs["articles"][0])
    cut = [row["content"] for row in ours["articles"] if row["content"] != "[Removed]"]
    assert all(text.endswith(" chars]") for text in cut)
