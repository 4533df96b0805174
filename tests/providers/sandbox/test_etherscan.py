"""Etherscan, version 2: chains, keys, and what it refuses in a 200."""

from __future__ import annotations

import pytest

from tests.providers.sandbox.asking import Asker
from tests.providers.sandbox.samples_world import ETHERSCAN, KEY

GAS = "module=gastracker&action=gasoracle"
START = 1_795_000_200.0


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (f"{GAS}&apikey={KEY}", "Missing or unsupported chainid parameter"),
        (f"chainid=999999&{GAS}&apikey={KEY}", "Missing or unsupported chainid parameter"),
        (f"chainid=1&{GAS}&apikey=real", "Invalid API Key"),
        (f"chainid=56&{GAS}&apikey={KEY}", "Free API access is not supported for this chain"),
        (f"chainid=8453&{GAS}&apikey={KEY}", "Free API access is not supported for this chain"),
        (f"chainid=1&module=gastracker&action=nope&apikey={KEY}", "Missing Or invalid Action name"),
        (f"chainid=42161&{GAS}&apikey={KEY}", "Missing Or invalid Action name"),
    ],
)
def test_etherscan_says_what_is_wrong_in_a_200(asker: Asker, query: str, text: str) -> None:
    answer = asker.get(f"{ETHERSCAN}?{query}")
    assert (answer["status"], answer["message"]) == ("0", "NOTOK")
    assert text in answer["result"]


def test_without_a_key_it_answers_and_says_so(asker: Asker) -> None:
    answer = asker.get(f"{ETHERSCAN}?chainid=1&{GAS}")
    assert answer["status"] == "1"
    assert answer["message"] == "OK-Missing/Invalid API Key, rate limit of 1/5sec applied"
    assert float(answer["result"]["SafeGasPrice"]) > 0


@pytest.mark.parametrize("chain", [1, 137, 1284, 1285, 42220, 100, 59144])
def test_every_chain_has_fees_of_its_own(asker: Asker, chain: int) -> None:
    result = asker.get(f"{ETHERSCAN}?chainid={chain}&{GAS}&apikey={KEY}")["result"]
    base, *tiers = (
        float(result[name])
        for name in ("suggestBaseFee", "SafeGasPrice", "ProposeGasPrice", "FastGasPrice")
    )
    assert 0 < base < tiers[0] <= tiers[1] <= tiers[2]
    assert not any(result[name].endswith("0") and "." in result[name] for name in result)
    listed = asker.get("https://api.etherscan.io/v2/chainlist")["result"]
    assert str(chain) in {row["chainid"] for row in listed}


def test_a_key_has_three_calls_a_second_and_nobody_one_in_five() -> None:
    asker = Asker(limits=True)
    asker.now = START
    keyed = [asker.get(f"{ETHERSCAN}?chainid=1&{GAS}&apikey={KEY}") for _ in range(4)]
    assert [answer["status"] for answer in keyed] == ["1", "1", "1", "0"]
    assert keyed[3]["result"] == "Max calls per sec rate limit reached (3/sec)"
    free = [asker.get(f"{ETHERSCAN}?chainid=1&{GAS}") for _ in range(2)]
    assert [answer["status"] for answer in free] == ["1", "0"]
    assert free[1]["result"].startswith("Max rate limit reached, please use API Key")
    other = asker.get(f"{ETHERSCAN}?chainid=1&{GAS}&apikey=sandbox-2")
    assert other["status"] == "1"


def test_who_tries_too_many_keys_has_to_wait() -> None:
    asker = Asker(limits=True)
    asker.now = START
    said = [
        asker.get(f"{ETHERSCAN}?chainid=1&{GAS}&apikey=guess{number}")["result"]
        for number in range(7)
    ]
    assert all("Invalid API Key" in text for text in said[:5])
    assert all(text.startswith("Too many invalid api key attempts") for text in said[5:])


def test_a_key_is_told_what_is_left_of_its_day(asker: Asker) -> None:
    asker.now = START
    url = f"{ETHERSCAN}?module=getapilimit&action=getapilimit&apikey={KEY}"
    before = asker.get(url)["result"]
    for _ in range(3):
        asker.get(f"{ETHERSCAN}?chainid=1&{GAS}&apikey={KEY}")
    after = asker.get(url)["result"]
    assert after["creditsUsed"] == before["creditsUsed"] + 4
    assert after["creditsUsed"] + after["creditsAvailable"] == after["creditLimit"] == 100_000
    assert after["limitInterval"] == "daily"
    hours, minutes, seconds = map(int, after["intervalExpiryTimespan"].split(":"))
    assert hours * 3600 + minutes * 60 + seconds == 86_400 - START % 86_400
    assert "Invalid API Key" in asker.get(url.replace(KEY, "real"))["result"]
