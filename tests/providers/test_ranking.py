from __future__ import annotations

from decimal import Decimal

import pytest

from providers import calls, ranking, roster
from providers.datasets import Listed
from providers.learning import keep_contracts
from providers.models import Asset, Contract, Listing
from tests.upstreams import Said, Upstreams, coin_row, rows, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def uni() -> list[Asset]:
    """Two coins of one symbol, of which the smaller comes first in our order."""
    found = []
    for order, slug in enumerate(["universe", "uniswap"]):
        found.append(Asset.objects.create(slug=slug, symbol="UNI", name=slug, order=order))
        Listing.objects.create(asset=found[-1], adapter_name="fake", external_id=f"x-{slug}")
    return found


def ranked(**caps: int | None) -> Said:
    return rows(
        coin_row(n, name)._replace(id=f"x-{name}", market_cap=None if cap is None else Decimal(cap))
        for n, (name, cap) in enumerate(caps.items(), 1)
    )


def test_a_ranking_decides_which_coin_a_symbol_means(
    uni: list[Asset], upstreams: Upstreams
) -> None:
    upstreams.provider("down", priority=9)
    upstreams.play["down"] = status(500)
    upstreams.provider("a", priority=1)
    upstreams.play["a"] = lambda _: ranked(uniswap=900, universe=5, other=7)
    before = roster.asset("UNI")
    assert before == uni[0]
    assert ranking.refresh() == ("a", True)
    meant = roster.meant("UNI")
    assert meant
    assert (meant.asset, meant.others) == (uni[1], (uni[0],))
    assert meant.asset.market_cap == Decimal(900)
    assert roster.listings("fake").find("UNI") == ("x-uniswap", "")
    assert roster.listings("fake").find("universe") == ("x-universe", "")
    assert ranking.refresh() == ("a", False)
    calls.flush()


def test_a_capitalisation_that_nobody_sent_stays_what_it_was(
    uni: list[Asset], upstreams: Upstreams
) -> None:
    provider = upstreams.provider("a")
    upstreams.play["a"] = lambda _: ranked(uniswap=None, universe=5)
    assert ranking.refresh() == ("a", False)
    uni[1].refresh_from_db()
    assert uni[1].market_cap is None
    assert ranking.keep(provider, []) == 0


def test_without_a_ranking_nothing_changes(uni: list[Asset]) -> None:
    assert ranking.refresh() == ("", False)


def listed(own: str, **contracts: str) -> Listed:
    return Listed(own, "UNI", own, "", contracts)


def test_contracts_are_learned_by_the_ids_of_the_list(uni: list[Asset]) -> None:
    rows = [listed("x-uniswap", ethereum="0xAA", solana="SoAA"), listed("x-alien", ethereum="0xBB")]
    assert keep_contracts("fake", rows) == 2
    assert roster.asset("0xaa") == roster.asset("SoAA") == uni[1]
    assert roster.asset("soaa") is None
    assert roster.asset("0xBB") is None
    assert keep_contracts("fake", rows) == 0


def test_a_contract_that_moved_means_the_asset_it_moved_to(uni: list[Asset]) -> None:
    keep_contracts("fake", [listed("x-uniswap", ethereum="0xAA")])
    assert keep_contracts("fake", [listed("x-universe", ethereum="0xAA")]) == 1
    assert roster.asset("0xAA") == uni[0]
    assert Contract.objects.count() == 1


def test_a_list_without_contracts_teaches_none(uni: list[Asset]) -> None:
    assert keep_contracts("fake", [Listed("x-uniswap", "UNI", "uniswap", "")]) == 0
