"""Ethereum nodes: JSON-RPC with its errors, and fees that follow EIP-1559."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sandbox.chain import Bitcoin, Ethereum
from tests.providers.sandbox.asking import Asker

NODES = (
    "https://ethereum-rpc.publicnode.com",
    "https://eth.drpc.org",
    "https://1rpc.io/eth",
    "https://rpc.flashbots.net/",
)


@pytest.mark.parametrize("node", NODES)
def test_a_fee_history_has_one_more_base_fee_than_blocks(asker: Asker, node: str) -> None:
    answer = asker.rpc(node, ("eth_feeHistory", ["0x5", "latest", [20, 50, 80]]))
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 1)
    history = answer["result"]
    assert set(history) == {
        "oldestBlock",
        "baseFeePerGas",
        "gasUsedRatio",
        "reward",
        "baseFeePerBlobGas",
        "blobGasUsedRatio",
    }
    assert len(history["baseFeePerGas"]) == 6
    assert len(history["gasUsedRatio"]) == len(history["reward"]) == 5
    for rewards in history["reward"]:
        tips = [int(tip, 16) for tip in rewards]
        assert tips == sorted(tips)
    assert all(0 <= ratio <= 1 for ratio in history["gasUsedRatio"])


def test_all_nodes_see_the_same_chain(asker: Asker) -> None:
    answers = [asker.rpc(node, ("eth_gasPrice", [])) for node in NODES]
    assert answers.count(answers[0]) == len(NODES)
    assert asker.rpc(NODES[0], ("eth_chainId", []))["result"] == "0x1"


def test_the_node_and_the_explorer_agree_on_the_fee(asker: Asker) -> None:
    history = asker.rpc(NODES[0], ("eth_feeHistory", ["0x1", "latest", [50]]))["result"]
    wei = int(history["baseFeePerGas"][-1], 16) + int(history["reward"][0][0], 16)
    gas = asker.get("https://eth.blockscout.com/api/v2/stats")["gas_prices"]
    assert gas["average"] == round(wei / 1e9, 2)


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("eth_nothing", [], -32601),
        ("eth_feeHistory", ["0x5"], -32602),
        ("eth_feeHistory", ["many", "latest", []], -32602),
        ("eth_feeHistory", ["0x5", "latest", [80, 20]], -32000),
        ("eth_feeHistory", ["0x5", "0xffffffff", []], -32000),
    ],
)
def test_errors_come_inside_the_answer(
    asker: Asker, method: str, params: list[object], code: int
) -> None:
    answer = asker.rpc(NODES[0], (method, params))
    assert set(answer) == {"jsonrpc", "id", "error"}
    assert answer["error"]["code"] == code


def test_a_batch_is_answered_in_order_and_drpc_takes_three(asker: Asker) -> None:
    calls: list[tuple[str, list[object]]] = [
        ("eth_chainId", []),
        ("eth_blockNumber", []),
        ("eth_gasPrice", []),
    ]
    for node in NODES:
        answers = asker.rpc(node, *calls)
        assert [answer["id"] for answer in answers] == [1, 2, 3]
    assert "error" in asker.rpc(NODES[1], *calls, ("eth_chainId", []))
    assert len(asker.rpc(NODES[0], *calls, ("eth_chainId", []))) == 4


def test_only_posts_of_json_are_understood(asker: Asker) -> None:
    assert asker.ask(NODES[0]).status == 405
    reply = asker.ask(NODES[0], "POST", b"not json")
    assert orjson.loads(reply.body)["error"]["code"] == -32700


@given(st.integers(20_000_000, 40_000_000), st.integers(1, 9))
def test_a_base_fee_moves_by_an_eighth_at_most(block: int, seed: int) -> None:
    chain = Ethereum(seed)
    before, after = chain.base_fee(block), chain.base_fee(block + 1)
    assert abs(after / before - 1) <= 1 / 8
    assert 0 <= chain.fullness(block) <= 1


@given(st.integers(1_600_000_000, 2_000_000_000))
def test_bitcoin_fees_fall_with_patience(moment: int) -> None:
    rates = list(Bitcoin().rates(moment).values())
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] >= 1
