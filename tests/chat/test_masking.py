from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.masking import KINDS, NAMES, mask, words

ASSETS = st.sampled_from(["btc", "Ethereum", "XRP", "solana", "shiba inu", "near protocol"])
PERIODS = st.sampled_from(["24h", "last 7 days", "this week", "March", "2021", "past three months"])
NUMBERS = st.sampled_from(["5", "1,000", "0.25", "10k", "$3.50", "twelve"])
# Texts as people send them, and texts that nobody should.
ANYTHING = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["btc", "<asset>", "<", "比特币", "last", "7", "days", "0x12ab", "'", "S&P", "é"]
    )
    | st.text(max_size=4),
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "skeleton"),
    [
        ("What's BTC up in the last 7 days?", "whats <asset> up in <period>"),
        ("ETH 24h change", "<asset> <period> change"),
        ("how much is 1,250.50 usdt in euros", "how much is <number> <asset> in <currency>"),
        ("is Binance down", "is <name> down"),
        ("btc, eth and sol", "<asset> and <asset>"),
        ("rsi of link on the 4h", "<study> of <asset> on the <period>"),
        ("us inflation since March 2021", "<name> <macro> since <period>"),
        ("fed funds rate", "<macro>"),
        ("比特币价格", "<asset> 价格"),
        ("0.1ビットコインは何円", "<number> <asset> は何 <currency>"),
        ("цена биткоина", "цена <asset>"),
        ("who owns 0xd8dA6BF26964aF9D", "who owns <address>"),
        ("🚀", "🚀"),
        ("...", ""),
    ],
)
def test_names_numbers_and_periods_are_masked(text: str, skeleton: str) -> None:
    assert mask(text) == skeleton


@given(ANYTHING)
def test_a_skeleton_is_its_own_skeleton(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(ANYTHING)
def test_words_are_their_own_words(text: str) -> None:
    assert words(words(text)) == words(text)


@given(ANYTHING)
def test_a_skeleton_is_made_of_letters_digits_pictures_and_masks(text: str) -> None:
    bare = mask(text)
    for kind in KINDS:
        bare = bare.replace(f"<{kind}>", "")
    assert all(c == " " or unicodedata.category(c)[0] in "LMNS" for c in bare)
    assert "  " not in mask(text)


@given(st.text(alphabet=st.characters(categories=("L", "N", "Z", "P")), max_size=40))
def test_invisible_characters_and_spacing_change_nothing(text: str) -> None:
    padded = "\u200b".join(text)
    assert mask(f"  {padded}\n") == mask(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzàéñçöüßжщ 0123456789,.!?", max_size=40))
def test_case_changes_nothing(text: str) -> None:
    assert mask(text.upper()) == mask(text)


@given(ASSETS, ASSETS, PERIODS, PERIODS, NUMBERS, NUMBERS)
def test_what_is_masked_can_be_exchanged(
    asset: str, other: str, period: str, later: str, number: str, more: str
) -> None:
    one = mask(f"would {number} coins of {asset} have grown since {period}?")
    assert one == mask(f"would {more} coins of {other} have grown since {later}?")
    assert one == "would <number> coins of <asset> have grown since <period>"


def test_no_name_stands_twice() -> None:
    """A name with two kinds would be masked as the first, silently."""
    lines = NAMES.read_text(encoding="utf-8").splitlines()
    plain = [line for line in lines if line and line[0] not in "[#"]
    names = [words(name) for line in plain for name in line.split(",")]
    assert len(names) > 700
    assert "" not in names
    assert sorted({name for name in names if names.count(name) > 1}) == []
