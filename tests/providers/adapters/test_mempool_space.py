from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from providers.adapters.mempool_space import MempoolSpace
from providers.datasets import Fees, GasQuery
from providers.errors import Garbled, Unsupported
from tests.providers.adapters.conftest import PAYLOADS, adapt

PAYLOAD = json.loads((PAYLOADS / "mempool_space/gas.json").read_text())
RECORDED = Path(__file__).parents[4] / "shared/recorded/mempool_space/fees_recommended.json"


def ask(payload: Any, chain: str = "bitcoin") -> Fees:
    adapter, _ = adapt(MempoolSpace, payload)
    fees: list[Fees] = adapter.gas(GasQuery(chain=chain))
    assert len(fees) == 1
    return fees[0]


def test_an_hour_is_slow_and_the_next_block_fast() -> None:
    fees = ask(PAYLOAD)
    assert [fees.slow, fees.average, fees.fast] == [Decimal("3.5"), Decimal(5), Decimal(7)]
    assert (fees.chain, fees.unit) == ("bitcoin", "sat/vB")


def test_the_least_a_node_relays_is_no_base_fee() -> None:
    assert ask(PAYLOAD).base_fee is None


@pytest.mark.parametrize("wrong", [0, -1, None, "high", [], True])
def test_a_fee_that_is_none_is_not_passed_on(wrong: Any) -> None:
    with pytest.raises(Garbled):
        ask(PAYLOAD | {"hourFee": wrong})


def test_a_slow_fee_above_the_fast_one_is_not_believed() -> None:
    with pytest.raises(Garbled):
        ask(PAYLOAD | {"hourFee": 8})


def test_other_chains_are_not_asked_here() -> None:
    adapter, http = adapt(MempoolSpace, PAYLOAD)
    with pytest.raises(Unsupported):
        adapter.gas(GasQuery(chain="ethereum"))
    assert http.asked == []


def test_a_ping_reads_the_height_of_the_chain() -> None:
    adapter, http = adapt(MempoolSpace, b"890448")
    adapter.ping()
    assert http.asked == [("/blocks/tip/height", {})]
    with pytest.raises(Garbled):
        adapt(MempoolSpace, b"<html>")[0].ping()


@pytest.mark.skipif(not RECORDED.is_file(), reason="no recorded answers here")
def test_the_recorded_fees_are_read() -> None:
    recorded = json.loads(RECORDED.read_text())
    fees = ask(recorded)
    read = (fees.slow, fees.average, fees.fast)
    assert read == (recorded["hourFee"], recorded["halfHourFee"], recorded["fastestFee"])
