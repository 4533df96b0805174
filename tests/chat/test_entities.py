"""What a question names, and what it leaves to the question before."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.entities import Amount, Entities
from chat.following import carried, is_bare, refers_back
from chat.studied import Study
from tests.chat.finding import find


def keys(text: str) -> list[str]:
    return [known.key for known in find(text).assets]


@pytest.mark.parametrize(
    ("text", "assets"),
    [
        ("price of btc and Ethereum", ["BTC", "ETH"]),
        ("solona vs cardno", ["SOL", "ADA"]),
        ("what is bitcoin cash worth", ["BCH"]),
        ("BTCUSDT", ["BTC"]),
        ("\u6bd4\u7279\u5e01\u4ef7\u683c", ["BTC"]),
        ("bitcoin\u4fa1\u683c", ["BTC"]),
        # A word or a name, by what stands beside it:
        ("price of near", ["NEAR"]),
        ("near price", ["NEAR"]),
        ("near", ["NEAR"]),
        ("20 near to euro", ["NEAR"]),
        ("is btc near 100k", ["BTC"]),
        ("is btc near the top", ["BTC"]),
        ("eth or link", ["ETH", "LINK"]),
        ("btc, link and near", ["BTC", "LINK", "NEAR"]),
        ("$link", ["LINK"]),
        ("is LINK any good compared to sol", ["LINK", "SOL"]),
        ("send me the link to the docs of eth", ["ETH"]),
        ("link to the docs", []),
        ("either one is fine", []),
        ("the weather tomorrow", []),
    ],
)
def test_assets_are_found(text: str, assets: list[str]) -> None:
    assert keys(text) == assets


def test_a_misspelt_name_is_told() -> None:
    assert find("solona price").typos == (("solona", "Solana"),)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2.5 btc in eur", Amount(Decimal("2.5"), "bitcoin")),
        ("1k usd to sol", Amount(Decimal(1000), "usd")),
        ("$100 of eth", Amount(Decimal(100), "usd")),
        ("100\u20ac in btc", Amount(Decimal(100), "eur")),
        ("5000 sats in usd", Amount(Decimal(5000), "sat")),
        ("ten grand in eth", Amount(Decimal(10000), "")),
        ("how many xrp for one eth", Amount(Decimal(1), "ethereum")),
    ],
)
def test_amounts_have_units(text: str, amount: Amount) -> None:
    assert find(text).amounts == (amount,)


def test_a_period_is_no_amount_and_a_name_is_no_money() -> None:
    found = find("how did sol do in the past 7 days")
    assert found.amounts == ()
    assert found.period is not None
    assert find("$link").currencies == ()


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ("inflation", ["CPIAUCSL"]),
        ("core cpi since march", ["CPILFESL"]),
        ("fed rate", ["FEDFUNDS"]),
        ("unemployment and gdp", ["UNRATE", "GDP"]),
        ("dow jones", ["DJIA"]),
        ("s&p 500", ["SP500"]),
        ("price of btc", []),
    ],
)
def test_words_of_the_economy_are_series(text: str, series: list[str]) -> None:
    assert [found.id for found in find(text).series] == series


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("price of foobarcoin", ("foobarcoin",)),
        ("btc and zzz", ("zzz",)),
        ("$ZZZ price", ("ZZZ",)),
        ("BTC, ETH and XYZ please", ("XYZ",)),
        ("btc and gas", ()),
        ("btc and thanks", ()),
        ("bitcoin or altcoins", ()),
        ("5 millibitcoin and btc", ()),
        ("btc und dollar", ()),
        ("$5 in btc", ()),
        ("btc vs nasdaq", ()),
    ],
)
def test_what_stands_like_a_name_and_is_none_is_unknown(text: str, unknown: tuple[str]) -> None:
    assert find(text).unknown == unknown


@pytest.mark.parametrize("text", ["10 year yield", "the 10-Year Yield and the fed rate"])
def test_the_name_of_a_series_is_no_period(text: str) -> None:
    assert "DGS10" in [series.id for series in find(text).series]
    assert find(text).period is None
    since = find(f"{text} in the past 3 months").period
    assert since is not None
    assert since.words == "in the past 3 months"


def test_studies_have_lengths_and_intervals() -> None:
    found = find("rsi 14 of eth on 4h")
    assert (found.studies, found.interval) == ((Study("rsi", (14,)),), "4h")
    assert find("btc 24h volume").interval == ""
    assert find("50 day moving average btc").studies == (Study("sma", (50,)),)
    weekly = find("200 week moving average of btc")
    assert (weekly.studies, weekly.interval) == ((Study("sma", (200,)),), "1w")


def test_a_follow_up_takes_what_it_leaves_out() -> None:
    before = find("how did bitcoin do in the past 30 days in eur")
    now = find("and ethereum?")
    assert refers_back("and ethereum?", now)
    assert is_bare("and ethereum?", now)
    whole = carried(now, before)
    assert [known.key for known in whole.assets] == ["ETH"]
    assert whole.period == before.period
    assert whole.currency == "eur"
    assert refers_back("what is its market cap?", find("what is its market cap?"))
    assert not is_bare("and why did it fall?", find("and why did it fall?"))


@pytest.mark.parametrize(
    "text",
    [
        "price of btc",
        "2.5 btc in eur since march",
        "us inflation",
        "rsi 14 of eth",
    ],
)
def test_what_was_found_survives_being_kept(text: str) -> None:
    found = find(text)
    assert Entities.from_told(found.told()).told() == found.told()


@given(st.text(max_size=120))
def test_any_text_is_survived(text: str) -> None:
    found = find(text)
    assert Entities.from_told(found.told()).assets == found.assets


def test_a_code_that_is_a_word_too_counts_where_money_is_meant() -> None:
    assert find("100 usd to try").currencies == ("try", "usd")
    assert find("i will try 100 usd").currencies == ("usd",)
