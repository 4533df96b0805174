from __future__ import annotations

import json
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.base import Reply
from providers.adapters.ethereum_rpc import EthereumRpc
from providers.datasets import Fees, GasQuery
from providers.errors import Broken, Garbled, ProviderError, Throttled, Unsupported
from tests.providers.adapters.conftest import PAYLOADS, adapt

PAYLOAD = json.loads((PAYLOADS / "ethereum_rpc/gas.json").read_text())
UNREADABLE = (Garbled, KeyError, TypeError, ValueError)  # `providers.client` makes one of them


def ask(history: Any) -> Fees:
    adapter, _ = adapt(EthereumRpc, {"jsonrpc": "2.0", "id": 1, "result": history})
    fees: list[Fees] = adapter.gas(GasQuery())
    assert len(fees) == 1
    return fees[0]


def failure(code: Any, status: int = 200) -> ProviderError | None:
    body = {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "no"}}
    return EthereumRpc.diagnose(Reply(status, {}, json.dumps(body).encode()))


def test_a_tier_is_the_next_base_fee_and_a_median_tip_to_the_last_digit() -> None:
    fees = ask(PAYLOAD["result"])
    assert fees.base_fee == Decimal("2.000000005")
    assert fees.slow == Decimal("2.100000006")  # of the tips 0, 100000000, ...1, ...2, ...3 wei
    assert fees.average == Decimal("3.000000006")
    assert fees.fast == Decimal("4.000000006")
    assert (fees.chain, fees.unit, fees.last_updated) == ("ethereum", "gwei", None)


def test_the_question_is_in_the_words_of_the_specification() -> None:
    adapter, http = adapt(EthereumRpc, PAYLOAD)
    adapter.gas(GasQuery())
    params = ["0x5", "latest", [20, 50, 80]]
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_feeHistory", "params": params}
    assert http.asked == [("", {"json": call})]


WEI = st.integers(0, 10**15)
TIPS = st.lists(st.tuples(WEI, WEI, WEI).map(sorted), min_size=1, max_size=5)


@given(base=st.integers(1, 10**15), tips=TIPS)
def test_tiers_are_exact_in_order_and_never_below_the_base_fee(
    base: int, tips: list[list[int]]
) -> None:
    fees = ask(
        {
            "baseFeePerGas": [hex(1)] * len(tips) + [hex(base)],
            "reward": [[hex(tip) for tip in block] for block in tips],
        }
    )
    wei = Decimal(10**9)
    expected = [base + Decimal(median(map(Decimal, tier))) for tier in zip(*tips, strict=True)]
    assert [fees.slow * wei, fees.average * wei, fees.fast * wei] == expected
    assert 0 < (fees.base_fee or 0) <= fees.slow <= fees.average <= fees.fast


@pytest.mark.parametrize(
    "changes",
    [
        {"reward": None},
        {"reward": []},
        {"reward": [["0x1", "0x2"]]},
        {"reward": [["0x3", "0x2", "0x1"]]},
        {"reward": [[1, 2, 3]]},
        {"reward": [["0x1", "0x2", "0x-3"]]},
        {"reward": [["0x1", "0x2", "0x"]]},
        {"baseFeePerGas": []},
        {"baseFeePerGas": PAYLOAD["result"]["baseFeePerGas"][:5]},
        {"baseFeePerGas": ["0x1"] * 5 + ["0x0"]},
        {"baseFeePerGas": ["0x1"] * 5 + ["0x" + "f" * 1000]},
        {"baseFeePerGas": ["0x1"] * 5 + ["12"]},
    ],
)
def test_a_history_that_is_not_whole_is_no_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(UNREADABLE):
        ask(PAYLOAD["result"] | changes)


@pytest.mark.parametrize("history", [None, [], "0x1", 5])
def test_a_result_of_another_shape_is_no_answer(history: Any) -> None:
    with pytest.raises(UNREADABLE):
        ask(history)


@pytest.mark.parametrize("code", [-32005, -32029, -32000])
@pytest.mark.parametrize("status", [200, 429, 503])
def test_too_many_requests_is_heard_in_any_status(code: int, status: int) -> None:
    assert isinstance(failure(code, status), Throttled)


@pytest.mark.parametrize("code", [-32700, -32600, -32601, -32602])
def test_a_node_that_does_not_understand_us_is_not_what_was_promised(code: int) -> None:
    assert isinstance(failure(code), Garbled)


@pytest.mark.parametrize("code", [-32603, -32002, 1, 3])
def test_any_other_error_inside_a_200_is_a_failure(code: int) -> None:
    assert isinstance(failure(code), Broken)


@pytest.mark.parametrize("code", [None, "no", [], {}, 1.5])
def test_an_error_without_a_code_is_left_to_the_reader(code: Any) -> None:
    assert failure(code) is None


def test_a_status_says_more_than_the_code_in_its_body() -> None:
    assert failure(-32603, 403) is None


def test_an_answer_and_a_proxys_page_are_no_errors_of_the_node() -> None:
    for body in (json.dumps(PAYLOAD).encode(), b"<html>Bad gateway</html>", b"[]"):
        assert EthereumRpc.diagnose(Reply(200, {}, body)) is None


def test_other_chains_are_not_asked_here() -> None:
    adapter, http = adapt(EthereumRpc, PAYLOAD)
    with pytest.raises(Unsupported):
        adapter.gas(GasQuery(chain="bitcoin"))
    assert http.asked == []


def test_a_ping_knows_a_node_of_another_chain() -> None:
    adapt(EthereumRpc, {"jsonrpc": "2.0", "id": 1, "result": "0x1"})[0].ping()
    with pytest.raises(Garbled):
        adapt(EthereumRpc, {"jsonrpc": "2.0", "id": 1, "result": "0xaa36a7"})[0].ping()
