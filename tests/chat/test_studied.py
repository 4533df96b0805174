"""A number belongs to the study it stands by."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chat import studies
from chat.categories import Category
from chat.masking import words
from chat.studied import find
from tests.chat import shelved
from tests.chat.test_answering import classifying, reply


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("SMA 200 of BTC and RSI of ETH", {"sma": (200,), "rsi": ()}),
        ("rsi 14 and sma 50", {"rsi": (14,), "sma": (50,)}),
        ("200 sma and 14 rsi", {"sma": (200,), "rsi": (14,)}),
        ("ema 20, 50 and sma 200", {"ema": (20, 50), "sma": (200,)}),
        ("20 and 50 day sma", {"sma": (20, 50)}),
        ("ema20, 200dma", {"ema": (20,), "sma": (200,)}),
        ("rsi(7) on 4h", {"rsi": (7,)}),
        ("14-period rsi, macd", {"rsi": (14,), "macd": ()}),
        ("volatility of btc over the last 30 days", {"volatility": (30,)}),
        # What is none of ours takes its number, and a level or a year is no length.
        ("bollinger 20 and rsi", {"rsi": ()}),
        ("is the rsi of btc above 70", {"rsi": ()}),
        ("volatility of btc in 2025", {"volatility": ()}),
    ],
)
def test_a_number_belongs_to_the_study_it_stands_by(
    text: str, lengths: dict[str, tuple[int, ...]]
) -> None:
    assert {study.name: study.lengths for study in find(words(text))} == lengths


@pytest.mark.django_db(transaction=True)
def test_each_study_is_computed_with_its_own_length_and_what_cannot_be_is_told() -> None:
    shelved.coins()
    shelved.everything()
    sure = classifying(Category.TECHNICAL, 0.9, sure=True)
    found = reply("sma 20, rsi 7, sma 200 and ema 999 of btc", classify=sure)
    closes = [candle.close for candle in shelved.candles(120)][:-1]
    sma, rsi = studies.sma(closes, 20), studies.rsi(closes, 7)
    assert sma is not None
    assert rsi is not None
    assert {row["label"]: row["value"] for row in found.data if row["computed"]} == {
        "SMA 20 of 1d candles": Decimal(studies.rounded(sma)),
        "RSI 7 of 1d candles": Decimal(studies.rounded(rsi)),
    }
    assert "Not answered: SMA 200 of 1d candles of Bitcoin (binance sent too few" in found.answer
    assert "Not answered: EMA 999 of 1d candles of Bitcoin (a study looks at 2" in found.answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", ["rsi of btc on 2h", "rsi of btc on 3d"])
def test_candles_that_nobody_sends_are_not_those_of_another_length(query: str) -> None:
    shelved.coins()
    shelved.everything()
    found = reply(query, classify=classifying(Category.TECHNICAL, 0.9, sure=True))
    assert found.data == []
    assert f"candles of {query[-2:]} (candles are of 1m, 5m," in found.answer
