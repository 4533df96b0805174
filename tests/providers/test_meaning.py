from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from providers.assets import Asset, Kind, spelled
from providers.meaning import KINDS, Words

CONTRACT = "0x00000000000000000000000000000000000000Ab"


def asset(pk: int, slug: str, symbol: str, **fields: Any) -> Asset:
    fields.setdefault("name", slug.title())
    return Asset(pk=pk, slug=slug, symbol=symbol, **fields)


def meant(words: Words, word: str, kind: str = "") -> str | None:
    found = words.find(word, kind)
    return found.asset.slug if found else None


def test_a_coin_is_meant_by_id_symbol_name_and_contract_in_any_case() -> None:
    words = Words([asset(1, "uniswap", "UNI", name="Uni Swap")], contracts=[(CONTRACT, 1)])
    for word in ("uniswap", "UNISWAP", "uni", "UNI", "uni swap", CONTRACT, CONTRACT.upper()):
        assert meant(words, word) == "uniswap"
    assert words.find("nope") is None
    assert words.find("uni") == words.find("UNI")


def test_some_chains_tell_addresses_apart_by_case() -> None:
    words = Words(
        [asset(1, "one", "ONE"), asset(2, "two", "TWO")], contracts=[("SoAb", 1), ("Soab", 2)]
    )
    assert (meant(words, "SoAb"), meant(words, "Soab")) == ("one", "two")


def test_the_largest_of_a_symbol_is_meant_and_the_others_are_told() -> None:
    words = Words(
        [
            asset(1, "universe", "UNI", order=0),
            asset(2, "uniswap", "UNI", order=9, market_cap=Decimal(5)),
            asset(3, "unicorn", "UNI", order=1, market_cap=Decimal(4)),
        ]
    )
    found = words.find("UNI")
    assert found
    assert (found.asset.slug, found.key) == ("uniswap", "UNI")
    assert [other.slug for other in found.others] == ["unicorn", "universe"]
    other = words.find("universe")
    assert other
    assert (other.key, other.others) == ("universe", ()), "its symbol means another"


def test_a_coin_is_meant_before_a_share_unless_the_share_is_asked_for() -> None:
    words = Words(
        [
            asset(1, "meta-platforms", "META", kind=Kind.EQUITY, market_cap=Decimal(10**12)),
            asset(2, "metadium", "META"),
        ]
    )
    found = words.find("meta")
    assert found
    assert (found.asset.slug, found.key) == ("metadium", "META")
    assert [other.slug for other in found.others] == ["meta-platforms"]
    share = words.find("META", "equity")
    assert share
    assert (share.asset.slug, share.key, share.others) == ("meta-platforms", "meta-platforms", ())
    assert words.find("META", "fx") is None


def test_an_id_means_its_asset_even_when_it_is_the_symbol_of_a_larger_one() -> None:
    words = Words([asset(1, "sky", "SKYC"), asset(2, "sky-money", "SKY", market_cap=Decimal(9))])
    found = words.find("SKY")
    assert found
    assert found.asset.slug == "sky"
    assert [other.slug for other in found.others] == ["sky-money"]
    assert words.keys == {1: "SKYC", 2: "sky-money"}


def test_what_a_provider_calls_it_means_what_is_no_coin_alone() -> None:
    words = Words(
        [asset(1, "s-and-p-500", "GSPC", kind=Kind.INDEX), asset(2, "bitcoin", "BTC")],
        listings=[("^GSPC", 1), ("BTCUSDT", 2)],
    )
    assert (meant(words, "^gspc"), meant(words, "BTCUSDT")) == ("s-and-p-500", None)


assets = st.lists(
    st.builds(
        lambda slug, symbol, kind, cap, order: {
            "slug": slug, "symbol": symbol, "kind": kind, "market_cap": cap, "order": order
        },
        st.text("ab", min_size=1, max_size=3),
        st.text("AB", min_size=1, max_size=2),
        st.sampled_from(KINDS),
        st.none() | st.integers(1, 5).map(Decimal),
        st.integers(0, 3),
    ),
    max_size=8,
    unique_by=lambda fields: fields["slug"],
).map(lambda rows: [asset(pk, **fields) for pk, fields in enumerate(rows, 1)])  # fmt: skip


@given(assets)
def test_every_asset_has_a_key_of_its_own_that_means_it(rows: list[Asset]) -> None:
    words = Words(rows)
    assert len(set(words.keys.values())) == len(rows)
    for row in rows:
        assert meant(words, words.keys[row.pk]) == meant(words, row.slug) == row.slug


@given(assets, st.text("abAB", min_size=1, max_size=3), st.sampled_from(["", *KINDS]))
def test_nothing_is_meant_that_does_not_fit_and_nothing_larger_was_passed_over(
    rows: list[Asset], word: str, kind: str
) -> None:
    found = Words(rows).find(word, kind)
    fitting = [
        row
        for row in rows
        if word.lower() in (row.slug, row.symbol.lower(), row.name.lower())
        and (not kind or row.kind == kind)
    ]
    if found is None:
        assert not fitting
        return
    assert found.asset in fitting
    assert set(found.others) <= set(fitting) - {found.asset}
    if found.asset.slug != word.lower():
        rivals = [row for row in fitting if row.kind == found.asset.kind]
        by_symbol = [row for row in rivals if row.symbol.lower() == word.lower()] or rivals
        largest = max((row.market_cap or Decimal() for row in by_symbol), default=Decimal())
        assert (found.asset.market_cap or Decimal()) == largest


@given(st.text(max_size=70))
def test_no_word_is_too_strange(word: str) -> None:
    Words([asset(1, "bitcoin", "BTC")], contracts=[(CONTRACT, 1)]).find(word)
    assert spelled(spelled(word)) == spelled(word)
