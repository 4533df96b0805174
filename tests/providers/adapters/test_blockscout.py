from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from providers.adapters.base import Reading, Reply
from providers.adapters.blockscout import Blockscout
from providers.datasets import Fees, GasQuery
from providers.errors import Broken, Garbled, PlanLimit, Unsupported
from tests.providers.adapters.conftest import PAYLOADS, adapt

PAYLOAD = json.loads((PAYLOADS / "blockscout/gas.json").read_text())
MANIFEST = Path(__file__).parents[4] / "shared/recorded/manifest.json"


def ask(**changes: Any) -> Fees:
    adapter, http = adapt(Blockscout, PAYLOAD | changes)
    fees: list[Fees] = adapter.gas(GasQuery())
    assert http.asked == [("/api/v2/stats", {})]
    assert len(fees) == 1
    return fees[0]


def test_prices_keep_their_digits_and_their_moment() -> None:
    assert ask() == Fees(
        "ethereum",
        "gwei",
        Decimal("0.37"),
        Decimal("0.44"),
        Decimal("1.02"),
        None,
        datetime(2026, 5, 18, 11, 59, 48, 123456, tzinfo=UTC),
    )


def test_a_moment_it_does_not_name_is_unknown() -> None:
    assert ask(gas_price_updated_at=None).last_updated is None


@pytest.mark.parametrize(
    "prices",
    [None, {"slow": 0.3, "average": None, "fast": 1}, dict.fromkeys(PAYLOAD["gas_prices"])],
)
def test_a_price_it_does_not_have_is_not_made_up(prices: Any) -> None:
    with pytest.raises(Broken):
        ask(gas_prices=prices)


@pytest.mark.parametrize("slow", [2, 0, -1, "cheap", {}, {"price": 0.4}])
def test_a_price_that_is_none_is_not_passed_on(slow: Any) -> None:
    with pytest.raises(Garbled):
        ask(gas_prices=PAYLOAD["gas_prices"] | {"slow": slow})


def test_other_chains_are_not_asked_here() -> None:
    adapter, http = adapt(Blockscout, PAYLOAD)
    with pytest.raises(Unsupported):
        adapter.gas(GasQuery(chain="bitcoin"))
    assert http.asked == []


def headers(limit: Any, remaining: Any, reset: Any) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(reset),
    }


def test_its_headers_tell_what_is_left_of_the_second() -> None:
    [reading] = Blockscout.readings(headers(5, 3, 356))
    assert reading == Reading(per_s=1, limit=5, remaining=3, resets_in_s=0.356)


@pytest.mark.parametrize(
    "sent", [{}, headers(-1, -1, -1), headers(5, 5, -1), headers("many", 3, 356)]
)
def test_headers_that_do_not_know_say_nothing(sent: dict[str, str]) -> None:
    assert list(Blockscout.readings(sent)) == []


@pytest.mark.skipif(not MANIFEST.is_file(), reason="no recorded answers here")
def test_recorded_headers_are_read() -> None:
    recorded = [e for e in json.loads(MANIFEST.read_text()) if e["provider"] == "blockscout"]
    assert recorded
    for entry in recorded:
        [reading] = Blockscout.readings(entry["headers"])
        assert 0 < (reading.remaining or 0) <= (reading.limit or 0)


def test_a_402_is_about_the_plan() -> None:
    assert isinstance(Blockscout.diagnose(Reply(402, {}, b"")), PlanLimit)
    assert Blockscout.diagnose(Reply(500, {}, b"")) is None


def test_a_ping_reads_the_number_of_blocks() -> None:
    adapt(Blockscout, PAYLOAD)[0].ping()
    with pytest.raises(Garbled):
        adapt(Blockscout, PAYLOAD | {"total_blocks": None})[0].ping()
