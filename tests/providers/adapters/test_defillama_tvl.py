from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from providers.adapters.base import Reply
from providers.adapters.defillama_tvl import DefiLlamaTvl
from providers.datasets import ChainTvl, TvlHistoryQuery, TvlPoint, TvlQuery
from providers.errors import Garbled, Missing
from tests.providers.adapters.conftest import PAYLOADS, adapt

CHAINS, POINTS = (
    (PAYLOADS / f"defillama_tvl/{name}.json").read_bytes() for name in ("tvl", "tvl_history")
)


def test_the_largest_chain_comes_first() -> None:
    rows = adapt(DefiLlamaTvl, CHAINS)[0].tvl(TvlQuery())
    assert rows[0] == ChainTvl("Ethereum", "ETH", Decimal("51234567890.123"))
    assert [row.chain for row in rows] == ["Ethereum", "Solana", "Example L2", "Quiet"]
    assert rows[2].symbol is None


def test_the_past_comes_in_order_one_point_a_day() -> None:
    rows = adapt(DefiLlamaTvl, POINTS)[0].tvl_history(TvlHistoryQuery())
    assert rows[0] == TvlPoint(date(2017, 9, 27), Decimal(0))
    assert [row.date.isoformat() for row in rows] == ["2017-09-27", "2026-05-17", "2026-05-18"]


@pytest.mark.parametrize(
    ("chain", "path"),
    [
        ("", "/v2/historicalChainTvl"),
        ("Ethereum", "/v2/historicalChainTvl/Ethereum"),
        ("OP Mainnet", "/v2/historicalChainTvl/OP%20Mainnet"),
        ("../chains?x=1", "/v2/historicalChainTvl/..%2Fchains%3Fx%3D1"),
    ],
)
def test_a_name_stays_one_part_of_the_path(chain: str, path: str) -> None:
    adapter, http = adapt(DefiLlamaTvl, POINTS)
    adapter.tvl_history(TvlHistoryQuery(chain))
    assert http.asked == [(path, {})]


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_chain_it_does_not_know_is_missing(status: int) -> None:
    body = b'{"message":"There is no chain with that name"}'
    assert type(DefiLlamaTvl.diagnose(Reply(status, {}, body))) is Missing


def test_an_answer_is_no_error() -> None:
    assert DefiLlamaTvl.diagnose(Reply(200, {}, POINTS)) is None


def test_a_ping_wants_to_see_a_chain() -> None:
    adapt(DefiLlamaTvl, CHAINS)[0].ping()
    with pytest.raises(Garbled):
        adapt(DefiLlamaTvl, b"[]")[0].ping()
