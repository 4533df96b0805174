from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.etherscan import CHAINS, Etherscan, EtherscanKey
from providers.datasets import Fees, GasQuery
from providers.errors import (
    BadKey,
    Garbled,
    Missing,
    PlanLimit,
    ProviderError,
    Throttled,
    Unsupported,
)
from tests.providers.adapters.conftest import PAYLOADS, adapt, encode

PAYLOAD = json.loads((PAYLOADS / "etherscan/gas.json").read_text())


def ask(chain: str = "ethereum", **changes: Any) -> Fees:
    adapter, _ = adapt(Etherscan, PAYLOAD | {"result": PAYLOAD["result"] | changes})
    [fees] = adapter.gas(GasQuery(chain))
    assert isinstance(fees, Fees)
    return fees


def test_prices_keep_their_digits() -> None:
    fees = ask()
    assert fees == Fees(
        "ethereum",
        "gwei",
        Decimal("0.381204417"),
        Decimal("0.381204618"),
        Decimal("0.44190"),
        Decimal("0.381204417"),
        None,
    )
    assert str(fees.fast) == "0.44190"


def test_older_chains_have_no_base_fee() -> None:
    assert ask("bnb", suggestBaseFee=None).base_fee is None


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_is_asked_for_by_its_id(chain: str) -> None:
    adapter, http = adapt(Etherscan, PAYLOAD)
    [fees] = adapter.gas(GasQuery(chain))
    assert fees.chain == chain
    assert http.asked == [
        ("/api", {"chainid": CHAINS[chain], "module": "gastracker", "action": "gasoracle"})
    ]


@pytest.mark.parametrize("chain", ["bitcoin", "optimism", "base", ""])
def test_a_chain_without_an_oracle_is_not_asked(chain: str) -> None:
    adapter, http = adapt(Etherscan, PAYLOAD)
    with pytest.raises(Unsupported):
        adapter.gas(GasQuery(chain))
    assert http.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"SafeGasPrice": "0.5"},
        {"FastGasPrice": "0.1"},
        {"ProposeGasPrice": "0"},
        {"SafeGasPrice": None},
    ],
)
def test_prices_that_cannot_be_are_not_passed_on(changes: dict[str, Any]) -> None:
    with pytest.raises(Garbled):
        ask(**changes)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("Invalid API Key", BadKey),
        ("Missing/Invalid API Key", BadKey),
        ("Too many invalid api key attempts, please try again later", Throttled),
        ("Max rate limit reached, please use API Key for higher rate limit", Throttled),
        ("Max calls per sec rate limit reached (3/sec)", Throttled),
        ("Free API access is not supported for this chain. Please upgrade your plan", PlanLimit),
        ("Free API access is temporarily unavailable due to unusually high activity", Throttled),
        ("Missing or unsupported chainid parameter (required for v2 api)", Missing),
        ("Error! Missing Or invalid Action name", Garbled),
        (None, Garbled),
    ],
)
def test_a_refusal_inside_a_200_is_told_by_its_words(
    words: str | None, meant: type[ProviderError]
) -> None:
    body = encode({"status": "0", "message": "NOTOK", "result": words})
    assert type(EtherscanKey.diagnose(Reply(200, {}, body))) is meant


def test_an_answer_at_the_keyless_rate_tells_that_the_key_is_bad() -> None:
    said = "OK-Missing/Invalid API Key, rate limit of 1/5sec applied"
    reply = Reply(200, {}, encode(PAYLOAD | {"message": said}))
    assert type(EtherscanKey.diagnose(reply)) is BadKey
    assert Etherscan.diagnose(reply) is None  # who sent none is answered


def test_an_answer_is_no_error() -> None:
    assert EtherscanKey.diagnose(Reply(200, {}, encode(PAYLOAD))) is None
    assert EtherscanKey.diagnose(Reply(502, {}, b"<html>")) is None


def test_the_key_goes_into_the_query() -> None:
    assert Etherscan.auth is None
    assert EtherscanKey.auth is not None
    assert EtherscanKey.auth.param == "apikey"


def test_a_ping_reads_a_block() -> None:
    adapt(Etherscan, PAYLOAD)[0].ping()
    with pytest.raises(KeyError):
        adapt(Etherscan, PAYLOAD | {"result": {}})[0].ping()
